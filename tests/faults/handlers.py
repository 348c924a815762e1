"""Handlers at work: they log in with two factors and save through the form, as its script does (static/js/send.js)."""

import base64
import hashlib
import hmac
import random
import re
import struct
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID, uuid4

import requests

from tests.faults import accounts
from tests.faults.invariants import Sent
from tests.faults.programs import until

AGENT = "Canary/203.0.113.77"
ANSWER_SECONDS = 15  # a browser would wait longer; the same key makes that the same
FIRST_WAIT, LONGEST_WAIT = 0.1, 1.0  # between two tries; the script's are ten times as long
CONCERNS = ("natet", "hot", "aktiv", "barn", "dras_in")
COUNTIES = ("01", "12", "14", "UTL")


def code_of(moment: float) -> str:
    """RFC 6238 by the book."""
    counter = struct.pack(">Q", int(moment) // 30)
    digest = hmac.digest(base64.b32decode(accounts.SECRET), counter, hashlib.sha1)
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06d}"


class Handler:
    """One account in one browser."""

    def __init__(self, address: str, number: int) -> None:
        self.address, self.name = address, accounts.name(number)
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["User-Agent"] = AGENT
        self.token = ""

    def log_in(self) -> None:
        self._send("/login/", login=self.name, password=accounts.PASSWORD)
        page = self._send("/login/code/", code=code_of(time.time()))
        assert "logout" in page.text or page.ok, page.status_code
        page = self.http.get(f"{self.address}/contacts/new/", timeout=ANSWER_SECONDS)
        assert 'name="key"' in page.text, f"not logged in: {page.status_code} {page.url}"
        self.token = self._token(page.text)

    def _send(self, path: str, **answers: str) -> requests.Response:
        page = self.http.get(self.address + path, timeout=ANSWER_SECONDS)
        answers["csrfmiddlewaretoken"] = self._token(page.text)
        return self.http.post(self.address + path, answers, timeout=ANSWER_SECONDS)

    @staticmethod
    def _token(page: str) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found, "the page holds no form"
        return found[1]

    def save(self, answers: dict[str, str | list[str]]) -> int:
        """Send a form once; the status of the answer, 0 for none."""
        form = answers | {"csrfmiddlewaretoken": self.token}
        try:
            answer = self.http.post(
                f"{self.address}/contacts/new/",
                form,
                headers={"Accept": "application/json"},
                timeout=ANSWER_SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException:
            return 0
        return answer.status_code


class Traffic:
    """Handlers that save at a bounded rate in the background, each contact until it is acknowledged."""

    def __init__(self, handlers: Sequence[Handler], *, rate: float, days: int = 4) -> None:
        self.sent: dict[UUID, Sent] = {}
        self.acknowledged: set[UUID] = set()
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []  # of each answered try
        self.handlers, self.pause, self.days = handlers, len(handlers) / rate, days
        self.stopping = threading.Event()
        self.threads: list[threading.Thread] = []

    def begin(self) -> "Traffic":
        self.stopping.clear()
        self.threads = [threading.Thread(target=self._work, args=(one,), daemon=True) for one in self.handlers]
        for thread in self.threads:
            thread.start()
        return self

    def end(self) -> None:
        """Begin no new contact, and wait until those that were sent are acknowledged."""
        self.stopping.set()
        until(lambda: not any(thread.is_alive() for thread in self.threads), 90, says=lambda: str(self.statuses))

    def saved(self, more: int, seconds: float = 60) -> None:
        """Wait until so many more are acknowledged."""
        goal = len(self.acknowledged) + more
        until(lambda: len(self.acknowledged) >= goal, seconds, says=lambda: str(self.statuses))

    def _work(self, handler: Handler) -> None:
        chance = random.Random(handler.name)  # noqa: S311 (no secret)
        while not self.stopping.is_set():
            begun = time.monotonic()
            self.save(handler, chance)
            self.stopping.wait(max(0.0, self.pause - (time.monotonic() - begun)))

    def save(self, handler: Handler, chance: random.Random) -> None:
        key, answers = uuid4(), answers_of(chance, self.days)
        self.sent[key] = as_sent(answers)
        wait = FIRST_WAIT
        while (status := self._try(handler, answers | {"key": str(key)})) != 201:
            assert status == 0 or status == 429 or status >= 500, f"refused for good: {status}"
            time.sleep(wait * chance.uniform(0.5, 1))
            wait = min(2 * wait, LONGEST_WAIT)
        self.acknowledged.add(key)

    def _try(self, handler: Handler, form: dict[str, str | list[str]]) -> int:
        begun = time.monotonic()
        status = handler.save(form)
        self.statuses[status] += 1
        if status == 201:
            self.seconds.append(time.monotonic() - begun)
        return status


def answers_of(chance: random.Random, days: int) -> dict[str, str | list[str]]:
    """A contact of one of the last days: most of them relevant, with concerns and a referral."""
    day = (date.today() - timedelta(days=chance.randrange(days))).isoformat()
    if chance.random() < 0.2:
        return {"day": day, "channel": "telefon", "result": "tyst", "length": "u5"}
    asked = {"caller_role": "narstaende", "county": chance.choice(COUNTIES), "concerns": chance.sample(CONCERNS, 2)}
    referral = {"referral-0-target": chance.choice(("social", "polis")), "referral-0-type": "hanvisning"}
    return {"day": day, "channel": "telefon", "result": "relevant", "length": "u5", **asked, **referral}


def as_sent(answers: dict[str, str | list[str]]) -> Sent:
    """What must be stored of them."""
    concerns, referrals = frozenset(answers.get("concerns", ())), int("referral-0-target" in answers)
    return Sent(str(answers["day"]), str(answers["result"]), concerns, referrals)
