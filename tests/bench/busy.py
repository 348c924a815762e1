"""Measures how long a save takes while the rows are read out and every day is counted anew, against when nothing is."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from shutil import which

from django.db import connection

from helpline.models import Contact
from reports import rebuilding, rollups
from tests.bench import served, truth
from tests.bench.limits import BrokenMeasure, ratio
from tests.bench.saves import NEW
from tests.bench.stage import BIG, Stage

THINK = 0.2  # seconds between two saves of a handler
MOST_ROWS = 1_000_000
LONGEST = 120  # seconds of a phase, in which the rows must have been read once
READ = "COPY (SELECT * FROM helpline_contact LIMIT {rows}) TO STDOUT"
BY_DRIVER = """
import sys, psycopg
with psycopg.connect(sys.argv[1]) as connection, connection.cursor() as cursor, cursor.copy(sys.argv[2]) as rows:
    for row in rows:
        pass
"""


def busy(stage: Stage) -> dict[str, float]:
    """Eight handlers save in the big database: idle and busy phases in turn."""
    stage.close()
    url, bodies = stage.url(BIG), served.bodies(served.entries(stage))
    took: dict[str, list[float]] = {"idle": [], "busy": []}
    failed, acknowledged = 0, 0
    with stage.on(BIG):
        before = Contact.objects.filter(day=stage.today).count()
    stage.close()
    with served.gunicorn(url, "config.wsgi:application") as port:
        served.save(port, stage.handlers, bodies, min(1, stage.scope.seconds), path=NEW, think=THINK)
        with stage.on(BIG):
            warm = Contact.objects.filter(day=stage.today).count() - before
        for _ in range(max(2, stage.scope.rounds)):
            for phase in took:
                saved = _phase(stage, port, bodies, url, is_busy=phase == "busy")
                failed += saved.failed
                acknowledged += len(saved.took)
                if not saved.took:
                    raise BrokenMeasure(f"nothing was saved: {', '.join(saved.why)}")
                took[phase].append(saved.p95)
    _check(stage, before + warm + acknowledged)
    stage.say(
        "p95 of a save in ms: " + ", ".join(f"{n} {min(t) * 1000:.0f}-{max(t) * 1000:.0f}" for n, t in took.items())
    )
    return {"save.p95_busy": ratio(took["busy"], took["idle"]), "save.failed_busy": failed}


def _phase(stage: Stage, port: int, bodies: list[str], url: str, *, is_busy: bool) -> served.Saved:
    """The saves of one phase; a busy one lasts until the rows were read out once and days were counted."""
    seconds = stage.scope.seconds * 2
    if not is_busy:
        return served.save(port, stage.handlers, bodies, seconds, path=NEW, think=THINK)
    with _everything_else(url, min(stage.scope.big, MOST_ROWS)) as (reads, counts):
        whole = served.save(port, stage.handlers, bodies, seconds, path=NEW, think=THINK)
        until = time.monotonic() + LONGEST
        while not (is_beside := reads.done and _is_counted(stage, counts)) and time.monotonic() < until:
            if reads.has_failed or counts.has_failed:
                break
            more = served.save(port, stage.handlers, bodies, seconds, path=NEW, think=THINK)
            whole.took += more.took
            whole.failed += more.failed
        if not is_beside or reads.has_failed or counts.has_failed:
            raise BrokenMeasure("the rows were not read out, or nothing was counted, beside the saves")
    return whole


def _is_counted(stage: Stage, counts: "_Repeated") -> bool:
    """A recount takes its time to begin."""
    with stage.on(BIG):
        return bool(counts.done or rebuilding.left())


class _Repeated(threading.Thread):
    """A command that begins again whenever it ends, until it is stopped."""

    def __init__(self, command: list[str]) -> None:
        super().__init__(daemon=True)
        self.command, self.done, self.broken, self.is_over = command, 0, False, False
        self.process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        while not self.is_over:
            self.process = subprocess.Popen(
                self.command, cwd=served.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            if self.process.wait() and not self.is_over:
                self.broken = True
                return
            self.done += 1

    @property
    def has_failed(self) -> bool:
        """Also a moment before the thread itself hears of it."""
        return self.broken or bool(self.process and self.process.poll())

    def stop(self) -> None:
        self.is_over = True
        if self.process and self.process.poll() is None:
            self.process.terminate()
        self.join()


@contextmanager
def _everything_else(url: str, rows: int) -> Iterator[tuple[_Repeated, _Repeated]]:
    """Within the block rows are read out and all days counted anew, each again and again."""
    reads, counts = (_Repeated(command) for command in _commands(url, rows))
    for thread in (reads, counts):
        thread.start()
    try:
        yield reads, counts
    finally:
        for thread in (reads, counts):
            thread.stop()


def _commands(url: str, rows: int) -> tuple[list[str], list[str]]:
    """What reads so many rows out, and what counts all days anew."""
    read = READ.format(rows=rows)
    psql = which("psql")
    reading = [psql, "--no-psqlrc", "--command", read, url] if psql else [sys.executable, "-c", BY_DRIVER, url, read]
    return reading, [sys.executable, "-m", "tests.bench.recount", url]


def _check(stage: Stage, contacts: int) -> None:
    """Raises BrokenMeasure unless every save that was acknowledged is there and counted by the next sweep."""
    with stage.on(BIG):
        if (found := Contact.objects.filter(day=stage.today).count()) != contacts:
            raise BrokenMeasure(f"{contacts} contacts should be there, {found} are")
        rollups.refresh(seconds=60)
        truth.check_counts(stage.today)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE helpline_contact, helpline_referral")
