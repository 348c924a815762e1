"""Plants a canary in every column that is erased, erases, and looks for them in the files of a database: a program.

`canaries.py plant | erase | empty` works in the database of DATABASE_URL; `canaries.py look FOLDER` reads every file of
a folder and says which of the canaries that it is given on stdin it finds. Each prints JSON.
"""

import json
import os
import struct
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

sys.path.insert(0, str(Path(__file__).parents[2]))

from helpline.taxonomy import CODE_LISTS  # noqa: E402 (found by the line above)

NOW = datetime(2026, 11, 28, 3, tzinfo=UTC)
CLOCK = datetime(2025, 1, 20, 13, 37, 41, 424242, tzinfo=UTC)  # of what is long over
DAY = CLOCK.date()
PG_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
FILLERS = 60  # rows beside each canary, so that statistics for planning are made, too


def text(name: str, length: int) -> str:
    return (f"zq{name}" + uuid4().hex * 3)[:length]


def code() -> str:
    return f"zq{uuid4().hex[:10]}"


def patterns(value: object) -> list[str]:
    """How a value lies in a file of PostgreSQL and of SQLite, hexadecimal; either will do."""
    if isinstance(value, UUID):
        return [value.bytes.hex(), value.hex.encode().hex()]
    if isinstance(value, datetime):
        microseconds = (value - PG_EPOCH) // timedelta(microseconds=1)
        return [struct.pack("<q", microseconds).hex(), value.strftime("%Y-%m-%d %H:%M:%S.%f").encode().hex()]
    if isinstance(value, int):
        return [struct.pack("<q", value).hex(), struct.pack(">q", value).hex()]
    return [str(value).encode().hex()]


def clocks() -> Iterator[datetime]:
    at = CLOCK
    while True:
        at += timedelta(seconds=7, microseconds=4243)
        yield at


def filled(row: Any, code: str) -> Any:
    """With a code in every column of one that has none, and no answer in every set."""
    for field in row._meta.fields:
        if type(field).__name__ == "CodeField" and not getattr(row, field.name):
            setattr(row, field.name, code)
        elif type(field).__name__ == "CodeSetField":
            setattr(
                row,
                field.name,
                frozenset({"ej_fragat"}) if "ej_fragat" in CODE_LISTS[field.name].codes else frozenset(),
            )
    return row


def plant() -> dict[str, list[str]]:
    from allauth.mfa.models import Authenticator
    from django.contrib.sessions.models import Session
    from django.db import connection

    from helpline.models import (
        Approval,
        AuditEvent,
        Case,
        Contact,
        Draft,
        Earlier,
        ImportedKey,
        ImportJob,
        Referral,
        TrafficHour,
        User,
    )
    from reports.models import PublishedFile, Release, StatRecord, StatReferral, Token

    anna, berit = (User.objects.create_user(name, None, role="coordinator") for name in ("anna", "berit"))
    planted: dict[str, object] = {}
    clock = clocks()

    def canary(column: str, value: object) -> object:
        planted.setdefault(column, value)
        return value

    for n in range(FILLERS):
        case = Case.objects.create(
            id=canary("Case.id", uuid4()), digest=canary("Case.digest", text("case", 64)), used_on=DAY
        )
        one = Contact(
            day=DAY,
            channel="telefon",
            id=canary("Contact.id", uuid4()),
            case=case,
            submission_key=canary("Contact.submission_key", uuid4()),
            submission_digest=canary("Contact.submission_digest", text("digest", 64)),
            logged_at=canary("Contact.logged_at", next(clock)),
            logged_by=anna,
        )
        one.county = canary("Contact.county", code())
        filled(one, "ej_fragat").save(force_insert=True)
        Referral.objects.create(
            id=canary("Referral.id", uuid4()),
            contact=one,
            target=canary("Referral.target", code()),
            type="hanvisning",
            outcome="ej_uppf",
            consent=False,
        )
        Earlier.objects.create(contact=one, version=1, content=canary("Earlier.content", text("earlier", 60)))
        # One that stays, so that the tables do not all become empty.
        filled(Contact(day=NOW.date(), channel="telefon"), "ej_fragat").save(force_insert=True)
        Draft.objects.create(
            id=canary("Draft.id", uuid4()),
            owner=anna,
            content=canary("Draft.content", text("draft", 60)),
            opened_at=canary("Draft.opened_at", next(clock)),
            changed_at=canary("Draft.changed_at", next(clock)),
        )
        ImportedKey.objects.create(
            digest=canary("ImportedKey.digest", text("key", 64)),
            content=canary("ImportedKey.content", text("content", 64)),
            day=DAY,
        )
        ImportJob.objects.create(
            id=canary("ImportJob.id", uuid4()),
            kind="contacts",
            by=User.objects.create_user(text("by", 20), None, role="coordinator"),
            content=canary("ImportJob.content", text("file", 60)),
            day=DAY,
            expires_at=canary("ImportJob.expires_at", next(clock)),
        )
        Session.objects.create(
            session_key=canary("Session.key", text("session", 40)),
            session_data=canary("Session.data", text("data", 60)),
            expire_date=canary("Session.expire_date", next(clock)),
        )
        Authenticator.objects.create(
            user=User.objects.create_user(text("user", 20), None, role="handler"),
            type="totp",
            data={},
            last_used_at=canary("Authenticator.last_used_at", next(clock)),
        )
        Approval.objects.create(
            act="contact.delete",
            subject=canary("Approval.subject", text("subject", 60)),
            requested_by=anna,
            requested_on=date(2020, 1, 1),
            outcome="refused",
            decided_by=berit,
            decided_on=date(2020, 1, 2),
        )
        AuditEvent.objects.create(
            hour=datetime(2020, 1, 1, tzinfo=UTC), actor=anna, act=canary("AuditEvent.act", text("act", 30))
        )
        Token.objects.create(user=anna, digest=canary("Token.digest", text("token", 64)), expires_on=DAY)
        record = StatRecord(key=canary("StatRecord.key", uuid4().int % 2**60 + 2**60), month=date(2024, 1, 1))
        filled(record, "x")
        record.county = canary("StatRecord.county", code())
        record.save(force_insert=True)
        StatReferral.objects.create(
            record=record,
            referral_target=canary("StatReferral.referral_target", code()),
            referral_target_6="x",
            referral_type="x",
            referral_outcome="x",
        )
        TrafficHour.objects.create(
            id=canary("TrafficHour.id", uuid4()),
            day=DAY,
            hour=9,
            queue=f"q{n}",
            offered=1,
            answered=1,
            abandoned_short=0,
            abandoned=0,
            closed=0,
            voicemail=0,
        )
    Release.objects.create(
        kind="year",
        start=date(2024, 1, 1),
        end=date(2025, 1, 1),
        candidate="{}",
        manifest="{}",
        sha256="",
        prepared_on=date(2025, 1, 15),
        published_on=date(2025, 1, 15),
    )
    PublishedFile.objects.create(year=2024, manifest="{}", refused="too-few", published_on=date(2025, 1, 15))
    if connection.vendor == "postgresql":
        connection.cursor().execute("ANALYZE")
        connection.cursor().execute("CHECKPOINT")
    return {column: patterns(value) for column, value in planted.items()}


def erase() -> dict[str, int | None]:
    from django.db import connection

    from helpline import traffic
    from helpline.imports import jobs
    from helpline.models import Contact, DaySeal
    from reports import retention

    # As a freeze leaves them; a real one would copy the canaries into the records, which stay.
    Contact.objects.exclude(submission_key=None).update(is_frozen=True)
    DaySeal.objects.create(day=DAY)
    traffic.fold_month(end=date(2025, 2, 1))
    jobs.expire(now=NOW)
    erased = retention.erase(now=NOW)
    if connection.vendor == "postgresql":
        connection.cursor().execute("CHECKPOINT")
    return erased


def empty() -> list[str]:
    from reports import vacuum

    return sorted(vacuum.empty_files())


def look(folder: str, canaries: dict[str, list[str]]) -> dict[str, list[str]]:
    """Which canaries lie in which files."""
    found: dict[str, list[str]] = {}
    for path in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
        content = path.read_bytes()
        for column, ways in canaries.items():
            if any(bytes.fromhex(way) in content for way in ways):
                found.setdefault(column, []).append(str(path.relative_to(folder)))
    return found


if __name__ == "__main__":
    what = sys.argv[1]
    if what == "look":
        said: object = look(sys.argv[2], json.load(sys.stdin))
    else:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django

        django.setup()
        said = {"plant": plant, "erase": erase, "empty": empty}[what]()
    print(json.dumps(said))
