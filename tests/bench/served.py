"""Owns the web server of production and who saves through it: gunicorn on a free port, and clients that keep a
connection each and send one form after the other."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import urlencode
from uuid import uuid4

from django.conf import settings

from helpline import synthetic
from helpline.entries import ContactEntry
from helpline.taxonomy import RELEVANT, is_answer
from tests.bench.limits import BrokenMeasure
from tests.bench.stage import Person, Stage

ROOT = Path(__file__).parent.parent.parent
WORKERS, THREADS = 2, 4
START_SECONDS, ANSWER_SECONDS = 30, 30
KEY = "00000000-0000-4000-8000-000000000000"
TEXTS = 40  # different contacts that are saved again and again


@contextmanager
def gunicorns(url: str, applications: Sequence[str]) -> Iterator[list[int]]:
    """The ports of running servers of these applications on this database."""
    with ExitStack() as started:
        servers = [started.enter_context(_started(url, application)) for application in applications]
        for server in servers:
            _wait(*server)
        yield [port for _, port, _ in servers]


@contextmanager
def gunicorn(url: str, application: str) -> Iterator[int]:
    with gunicorns(url, [application]) as (port,):
        yield port


@contextmanager
def _started(url: str, application: str) -> "Iterator[tuple[subprocess.Popen[bytes], int, IO[str]]]":
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", f"--bind=127.0.0.1:{port}", f"--workers={WORKERS}"]
    command += ["--worker-class=gthread", f"--threads={THREADS}", "--keep-alive=60", "--log-level=error", application]
    log = tempfile.TemporaryFile("w+")
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"DATABASE_URL": url, "REPORTS_RELEASE_KEYS": ""}, stdout=log, stderr=log
    )
    try:
        yield process, port, log
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int, log: IO[str]) -> None:
    """Until the first answer: the server listens before its workers have read the application."""
    until = time.monotonic() + START_SECONDS
    nothing = urllib.request.Request(f"http://127.0.0.1:{port}/static/none", headers={"X-Forwarded-Proto": "https"})
    while True:
        try:
            with urllib.request.urlopen(nothing, timeout=START_SECONDS):  # noqa: S310
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                log.seek(0)
                said = [line for line in log.read().strip().splitlines() if "Error" in line or "Configured" in line]
                raise BrokenMeasure(f"the web server did not start: {(said or ['it said nothing'])[-1]}") from None
            time.sleep(0.05)


# --- what is saved ----------------------------------------------------------------------------------------------------


def entries(stage: Stage) -> list[ContactEntry]:
    """Contacts as the demonstration makes them, with two referrals each."""
    made = synthetic.entries(
        seed=7, since=stage.today.replace(month=1, day=1), until=stage.today, contacts_a_month=3000
    )
    chosen: list[ContactEntry] = []
    for _, entry in made:
        if entry.answers["result"] == {RELEVANT} and len(entry.referrals) == 2:
            chosen.append(ContactEntry(stage.today, entry.answers, entry.referrals))
            if len(chosen) == TEXTS:
                break
    return chosen


def fields(entry: ContactEntry) -> list[tuple[str, str]]:
    """What the page of the product sends that says this."""
    said = [("day", entry.day.isoformat())]
    said += [(question, code) for question, codes in entry.answers.items() if is_answer(codes) for code in codes]
    for number, referral in enumerate(entry.referrals):
        parts = {"target": referral.target, "type": referral.type, "outcome": referral.outcome}
        parts |= {"consent": "ja"} if referral.consent else {}
        said += [(f"referral-{number}-{part}", code) for part, code in parts.items()]
    return said


def naive_fields(entry: ContactEntry) -> list[tuple[str, str]]:
    """What the page of `naive` sends that says this: a formset numbers its rows, and every question has an answer."""
    said = [("day", entry.day.isoformat())]
    said += [(question, code) for question, codes in entry.answers.items() for code in codes]
    said += [("referrals-TOTAL_FORMS", "3"), ("referrals-INITIAL_FORMS", "0")]
    for number, referral in enumerate(entry.referrals):
        parts = {"target": referral.target, "type": referral.type, "outcome": referral.outcome}
        parts |= {"consent": "on"} if referral.consent else {}
        said += [(f"referrals-{number}-{part}", code) for part, code in parts.items()]
    return said


# --- who saves it -----------------------------------------------------------------------------------------------------


@dataclass
class Saved:
    """What came of the saves of a while: seconds of each that was acknowledged, and how many were not."""

    seconds: float = 0
    took: list[float] = field(default_factory=list)
    failed: int = 0
    why: set[str] = field(default_factory=set)

    @property
    def rate(self) -> float:
        """Saves a second. Raises BrokenMeasure if one failed or none was made."""
        if self.failed or not self.took:
            raise BrokenMeasure(f"{self.failed} saves failed, {len(self.took)} did not: {', '.join(sorted(self.why))}")
        return len(self.took) / self.seconds

    @property
    def p95(self) -> float:
        return sorted(self.took)[int(len(self.took) * 0.95)]


class Client(threading.Thread):
    """One handler: sends forms over one connection until `until`, with `think` seconds between them."""

    def __init__(self, port: int, person: Person, path: str, bodies: Sequence[str], until: float, think: float) -> None:
        super().__init__(daemon=True)
        self.port, self.bodies, self.until, self.think = port, bodies, until, think
        self.saved = Saved()
        origin = f"127.0.0.1:{port}"
        self.head = (
            f"POST {path} HTTP/1.1\r\nHost: {origin}\r\nOrigin: https://{origin}\r\nX-Forwarded-Proto: https\r\n"
            f"Cookie: {settings.SESSION_COOKIE_NAME}={person.session}\r\nX-CSRFToken: {person.token}\r\n"
            "Accept: application/json\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: "
        )

    def run(self) -> None:
        try:
            with socket.create_connection(("127.0.0.1", self.port), ANSWER_SECONDS) as self.line:
                number = 0
                while time.monotonic() < self.until:
                    self._save(self.bodies[number % len(self.bodies)])
                    number += 1
                    time.sleep(self.think)
        except OSError as error:
            self.saved.failed += 1
            self.saved.why.add(type(error).__name__)

    def _save(self, body: str) -> None:
        content = body.replace(KEY, str(uuid4()))
        began = time.perf_counter()
        self.line.sendall(f"{self.head}{len(content)}\r\n\r\n{content}".encode())
        status = self._answer()
        if status == "201":
            self.saved.took.append(time.perf_counter() - began)
        else:
            self.saved.failed += 1
            self.saved.why.add(status)

    def _answer(self) -> str:
        """The status of a whole answer, whose end is told by its length."""
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._more()
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").lower().split("\r\n")
        length = next((int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")), 0)
        while len(body) < length:
            body += self._more()
        return lines[0].split()[1]

    def _more(self) -> bytes:
        if not (more := self.line.recv(65536)):
            raise ConnectionError("the server hung up")
        return more


def save(
    port: int, people: Sequence[Person], bodies: Sequence[str], seconds: float, *, path: str, think: float = 0
) -> Saved:
    """Let each person save for about `seconds`."""
    until = time.monotonic() + seconds
    share = len(bodies) // len(people) or 1
    clients = [
        Client(port, person, path, bodies[n * share :] + bodies[: n * share], until, think)
        for n, person in enumerate(people)
    ]
    began = time.perf_counter()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    whole = Saved(time.perf_counter() - began)
    for client in clients:
        whole.took += client.saved.took
        whole.failed += client.saved.failed
        whole.why |= client.saved.why
    return whole


def bodies(entries: Sequence[ContactEntry], *, naive: bool = False) -> list[str]:
    """The forms, each with a key that is another one whenever it is sent."""
    if naive:
        return [urlencode(naive_fields(entry)) for entry in entries]
    return [urlencode([("key", KEY), *fields(entry)]) for entry in entries]
