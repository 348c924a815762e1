"""Before a contact is said to be saved, it is on the disk: the system calls of the database are watched while it is.

What stands in for pulling the plug; it needs strace.
"""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.db import connection

from tests.faults.handlers import answers_of, as_sent
from tests.faults.programs import until
from tests.faults.stand import Scene

MISSING = "strace is missing: install it (Debian: apt-get install strace), or leave this out with -k 'not fsync'."
SYNC = re.compile(r"^(?:\d+ +)?(?P<at>\d+\.\d+) .*?\b(?:fsync|fdatasync)(?:\(\d+<(?P<file>[^>]*)>| resumed).*= 0$")
BEGUN = re.compile(r"^(?P<pid>\d+) +\d+\.\d+ (?:fsync|fdatasync)\(\d+<(?P<file>[^>]*)> <unfinished")


WATCH = ("-f", "-ttt", "-y", "-e", "trace=fsync,fdatasync", "-e", "signal=none")
LOG_OF_SQLITE = ".sqlite3-wal"


def program() -> str:
    found = shutil.which("strace")
    if found is None:
        pytest.fail(MISSING, pytrace=False)
    return found


@pytest.fixture
def strace() -> str:
    return program()


@contextmanager
def traced(strace: str, pids: list[int], output: Path) -> Iterator[None]:
    """Write every sync of these processes, with its threads and children, into a file."""
    command = [strace, *WATCH, "-o", str(output)]
    command += [part for pid in pids for part in ("-p", str(pid))]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: process.poll() is not None or all(tracer_of(pid) for pid in pids))
        if process.poll() is not None:
            pytest.fail(f"strace may not watch the database here: {process.communicate()[1]}", pytrace=False)
        yield
    finally:
        process.terminate()
        process.communicate(timeout=30)


def tracer_of(pid: int) -> int:
    return int(re.findall(r"^TracerPid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[0])


def syncs(output: Path, of: str) -> list[float]:
    """When a sync of a file in whose path `of` stands came to its end."""
    ends, begun = [], {}
    for line in output.read_text().splitlines():
        if start := BEGUN.match(line):
            begun[start["pid"]] = start["file"]
        elif end := SYNC.match(line):
            file = end["file"] or begun.pop(line.split()[0], "")
            ends += [float(end["at"])] if of in file else []
    return ends


def saves(scene: Scene, count: int) -> list[tuple[float, float]]:
    """Save one contact after the other; when each was sent and answered."""
    times = []
    for _ in range(count):
        key, answers = uuid4(), answers_of(scene.chance, 1)
        scene.traffic.sent[key] = as_sent(answers)
        sent = time.time()
        assert scene.house.handlers[0].save(answers | {"key": str(key)}) == 201
        times.append((sent, time.time()))
        scene.traffic.acknowledged.add(key)
        time.sleep(0.05)
    return times


def without_sync(times: list[tuple[float, float]], ends: list[float]) -> int:
    """How many were answered before anything was on the disk."""
    return sum(not any(sent <= end <= answered for end in ends) for sent, answered in times)


def postgres_processes(scene: Scene) -> list[int]:
    """The server and what it forked so far; what it forks later is traced with it."""
    pid = scene.house.postgres.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def test_no_answer_without_sync_on_postgres(stand, strace, tmp_path):
    stand.house.beat.kill()  # nobody else writes
    stand.house.worker.kill()
    with traced(strace, postgres_processes(stand), tmp_path / "trace"):
        times = saves(stand, stand.scope["saves with a sync"])
        with psycopg.connect(stand.house.postgres.url, autocommit=True) as database:
            database.execute("ALTER SYSTEM SET synchronous_commit = off")
            database.execute("SELECT pg_reload_conf()")
            time.sleep(0.5)
            careless = saves(stand, 4)
            database.execute("ALTER SYSTEM RESET synchronous_commit")
            database.execute("SELECT pg_reload_conf()")
    ends = syncs(tmp_path / "trace", "/pg_wal/")
    stand.figures.faults = len(times)
    assert without_sync(times, ends) == 0
    assert without_sync(careless, ends) > 0, "a server that does not wait would not be noticed"
    stand.house.mend()
    stand.settle()


@pytest.fixture
def quiet_host(host: Scene) -> Iterator[Scene]:
    """No beat rings, so that nobody but the handlers writes."""
    program = host.house.host
    beat = program.env["FAULTS_BEAT_SECONDS"]
    program.kill()
    program.env["FAULTS_BEAT_SECONDS"] = "3600"
    host.house.mend()
    yield host
    program.kill()
    program.env["FAULTS_BEAT_SECONDS"] = beat
    host.house.mend()


def test_no_answer_without_sync_on_sqlite(quiet_host, strace, tmp_path):
    host = quiet_host
    with traced(strace, [host.house.host.pid], tmp_path / "trace"):
        times = saves(host, host.scope["saves with a sync"])
    host.figures.faults = len(times)
    assert without_sync(times, syncs(tmp_path / "trace", LOG_OF_SQLITE)) == 0


WRITE = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("PRAGMA journal_mode = WAL")
database.execute("PRAGMA synchronous = " + sys.argv[2])
database.execute("CREATE TABLE t (n)")
for n in range(10):
    database.execute("INSERT INTO t VALUES (?)", [n])
    database.commit()
"""


@pytest.mark.parametrize(("synchronous", "waits"), [("FULL", True), ("NORMAL", False)])
def test_sqlite_that_does_not_wait_would_be_noticed(strace, tmp_path, synchronous, waits):
    file = tmp_path / "careless.sqlite3"
    command = [strace, *WATCH, "-o", str(tmp_path / "trace"), sys.executable, "-c", WRITE, str(file), synchronous]
    subprocess.run(command, check=True, timeout=60)
    found = len(syncs(tmp_path / "trace", LOG_OF_SQLITE))
    # Its beginning and its end are synced whatever the database is told.
    assert found >= 10 if waits else found <= 3


@pytest.mark.parametrize("missing", [True, False])
def test_without_strace_the_run_says_so_in_one_sentence(missing, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None if missing else "/usr/bin/strace")
    if missing:
        with pytest.raises(pytest.fail.Exception, match="^strace is missing: install it"):
            program()
    else:
        assert program() == "/usr/bin/strace"


@pytest.mark.django_db
def test_the_database_waits_for_the_disk():
    """What makes the above so; the tests' own PostgreSQL is told not to wait, so its defaults are looked at."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous")
            assert cursor.fetchone()[0] == 2
        else:
            cursor.execute("SELECT name, boot_val FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit')")
            assert dict(cursor.fetchall()) == {"fsync": "on", "synchronous_commit": "on"}
            cursor.execute("SELECT count(*) FROM pg_settings WHERE source = 'client' AND name = 'synchronous_commit'")
            assert cursor.fetchone()[0] == 0
