"""Looks for what an answer tells beside its figures: clocks, days, ids that count or tell the time, headers."""

import re
from collections.abc import Collection, Mapping
from uuid import UUID

# Pages that every evaluator can read, beside those of tables; and what is drawn anew for each reading.
PAGES = ("/statistics/", "/statistics/files/", "/statistics/method/")
DRAWN = re.compile(rb'nonce="[^"]*"|name="csrfmiddlewaretoken" value="[^"]*"')
HEADERS = {
    *("Content-Type", "Content-Language", "Content-Disposition", "Content-Length", "Content-Security-Policy"),
    *("ETag", "Cache-Control", "Vary", "Allow", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy"),
    *("Cross-Origin-Opener-Policy", "Permissions-Policy", "Strict-Transport-Security", "Expires", "Pragma"),
    *("Cross-Origin-Resource-Policy", "X-Robots-Tag", "WWW-Authenticate"),
}
CLOCK = re.compile(r"(?<![0-9:])(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?(?![0-9:])")
MIDNIGHT = re.compile(r"T00:00:00Z")
DAY = re.compile(r"(?<![0-9])[12][0-9]{3}-[01][0-9]-[0-3][0-9](?![0-9])")
UUID_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
NUMBERED = re.compile(r'"(?:id|pk|key|seq|number)"\s*:\s*[0-9]+')
EPOCH = re.compile(r"(?<![0-9a-f.])1[5-9][0-9]{8}(?:[0-9]{3})?(?![0-9a-f])")  # seconds or milliseconds since 1970
TIMED = {1, 2, 6, 7}  # versions of UUIDs that tell a time


def traces(headers: Mapping[str, str], body: bytes, days: Collection[str]) -> list[str]:
    """What one answer tells that is finer than a month; `days` are those of the releases, which anybody may know."""
    text = MIDNIGHT.sub("", body.decode(errors="replace"))
    found = [f"header {name}" for name in headers if name not in HEADERS]
    found += [f"clock {one}" for one in CLOCK.findall(text)]
    found += [f"day {one}" for one in DAY.findall(text) if one not in days]
    found += [f"uuid {one}" for one in UUID_TEXT.findall(text) if UUID(one).version in TIMED]
    found += [f"running {one}" for one in NUMBERED.findall(text)]
    found += [f"epoch {one}" for one in EPOCH.findall(text)]
    found += [f"day in header {name}" for name, value in headers.items() if set(DAY.findall(value)) - set(days)]
    return found
