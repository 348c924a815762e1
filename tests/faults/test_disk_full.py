"""No room on the disk, or nothing may be written: a save is answered 503 and stored later; nothing is corrupt.

Where the machine lets nobody mount a file system, the limit on the size of a file (RLIMIT_FSIZE) stands in for a full
one on SQLite, and a trigger that says what such a disk says on PostgreSQL.
"""

import os
import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.faults import programs
from tests.faults.disk import filled, mounted
from tests.faults.embedded import Embedded
from tests.faults.handlers import Handler, Traffic
from tests.faults.programs import Program, until
from tests.faults.proxy import CUT_BEFORE_COMMIT, PASS
from tests.faults.stand import Scene, Stand

FULL = "BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END"
READ_ONLY = "BEGIN RAISE EXCEPTION 'could not extend file: Read-only file system' USING ERRCODE = 'io_error'; END"


def full_for_a_while(scene: Scene, is_full: AbstractContextManager[None], traffic: Traffic) -> None:
    before = traffic.statuses[503]
    with is_full:
        until(lambda: traffic.statuses[503] >= before + 3, says=lambda: str(traffic.statuses))
        stored = len(traffic.acknowledged)
        time.sleep(0.5)
    scene.figures.faults += 1
    traffic.saved(len(traffic.acknowledged) - stored + 3)


# --- SQLite -----------------------------------------------------------------------------------------------------------


def test_a_full_disk_under_the_embedded_host(host):
    with host.saves() as traffic:
        for _ in range(host.scope["disks filled"]):
            traffic.saved(3)
            full = filled(host.house.database.parent) if host.house.has_own_disk else limited(host.house.host)
            full_for_a_while(host, full, traffic)
    assert set(traffic.statuses) == {201, 503}


@contextmanager
def limited(program: Program) -> Iterator[None]:
    """No file of the program grows beyond a few bytes."""
    soft, hard = resource.prlimit(program.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(program.pid, resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.prlimit(program.pid, resource.RLIMIT_FSIZE, (soft, hard))


def test_the_stand_in_for_a_full_disk_works_too(host):
    with host.saves() as traffic:
        traffic.saved(3)
        full_for_a_while(host, limited(host.house.host), traffic)
    assert set(traffic.statuses) == {201, 503}


@contextmanager
def read_only(house: Embedded) -> Iterator[None]:
    """The host is killed and starts again where it may only read; nobody can take that from files that are open."""
    house.host.kill()
    with ExitStack() as again:
        if house.has_own_disk:
            remount = ["mount", "-o", "remount,{}", str(house.database.parent)]
            subprocess.run([part.format("ro") for part in remount], check=True)
            again.callback(subprocess.run, [part.format("rw") for part in remount], check=True)
        else:
            for path in (*house.database.parent.iterdir(), house.database.parent):
                again.callback(path.chmod, path.stat().st_mode)
                path.chmod(path.stat().st_mode & ~0o222)
        house.host.start()
        yield
        house.host.kill()
    house.mend()


def test_a_disk_that_the_embedded_host_may_only_read(host):
    with host.saves() as traffic:
        for _ in range(host.scope["disks made read-only"]):
            traffic.saved(3)
            with read_only(host.house):
                before = traffic.statuses[0] + traffic.statuses[503]
                until(lambda before=before: traffic.statuses[0] + traffic.statuses[503] >= before + 3)
                stored = len(traffic.acknowledged)
                until(lambda: programs.is_open(host.house.port) or not host.house.host.is_running)
                time.sleep(0.5)
                assert len(traffic.acknowledged) == stored, "a save was acknowledged that nobody could write"
            host.figures.faults += 1
    assert set(traffic.statuses) <= {0, 201, 503}


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(stand: Scene) -> Iterator[Path | None]:
    """The contacts lie on a small disk of their own; None where none can be had."""
    with ExitStack() as closing:
        folder = Path(stand.house.postgres.folder) / "small"
        if not mounted(folder, closing):
            yield None
            return
        with psycopg.connect(stand.house.postgres.url, autocommit=True) as database:
            for_postgres = folder / "space"
            for_postgres.mkdir()
            for_postgres.chmod(0o777)
            as_postgres(for_postgres, stand.house)
            database.execute(f"CREATE TABLESPACE small LOCATION '{for_postgres}'")
            move(database, "small")
            yield folder
            move(database, "pg_default")
            database.execute("DROP TABLESPACE small")


def as_postgres(folder: Path, house: Stand) -> None:
    owner = (house.postgres.folder / "data").stat()
    os.chown(folder, owner.st_uid, owner.st_gid)


def move(database: psycopg.Connection, space: str) -> None:
    database.execute(f"ALTER TABLE helpline_contact SET TABLESPACE {space}")
    for (index,) in database.execute(
        "SELECT indexname FROM pg_indexes WHERE tablename = 'helpline_contact'"
    ).fetchall():
        database.execute(f'ALTER INDEX "{index}" SET TABLESPACE {space}')


@contextmanager
def said_of_disk(house: Stand, what: str) -> Iterator[None]:
    with psycopg.connect(house.postgres.url, autocommit=True) as database:
        database.execute(f"CREATE FUNCTION of_disk() RETURNS trigger LANGUAGE plpgsql AS $$ {what} $$")
        database.execute(
            "CREATE TRIGGER of_disk BEFORE INSERT ON helpline_contact FOR EACH ROW EXECUTE FUNCTION of_disk()"
        )
        yield
        database.execute("DROP FUNCTION of_disk CASCADE")


def test_a_full_disk_under_postgres(stand, small_disk):
    with stand.saves(rate=20) as traffic:
        for _ in range(stand.scope["disks filled"]):
            traffic.saved(3)
            full_for_a_while(stand, filled(small_disk) if small_disk else said_of_disk(stand.house, FULL), traffic)
    assert set(traffic.statuses) == {201, 503}


def test_a_disk_that_postgres_may_only_read(stand):
    """PostgreSQL keeps its files open, so that no disk can be made read-only under it: what it would say is said."""
    with stand.saves(rate=20) as traffic:
        for _ in range(stand.scope["disks filled"]):
            traffic.saved(3)
            full_for_a_while(stand, said_of_disk(stand.house, READ_ONLY), traffic)
    assert set(traffic.statuses) == {201, 503}


# --- logs -------------------------------------------------------------------------------------------------------------


def test_logs_that_take_nothing_more_hold_up_nobody(stand, tmp_path):
    """Errors are logged, for one commit in three is cut; where to, there is no room."""
    port, proxy = programs.free_port(), stand.house.to_postgres
    web = Program("web", programs.web(port), stand.house.web.env, tmp_path, log=Path("/dev/full"))
    try:
        until(lambda: programs.is_open(port) or not web.is_running)
        stand.traffic = traffic = Traffic([moved(one, port) for one in stand.house.handlers], rate=10).begin()
        proxy.cuts, proxy.share, proxy.mode = 0, 0.3, CUT_BEFORE_COMMIT
        until(lambda: proxy.cuts >= 5, 60, says=lambda: str(traffic.statuses))
        proxy.mode = PASS
        stand.figures.faults = proxy.cuts
        traffic.end()
    finally:
        proxy.mode = PASS
        stand.traffic.stopping.set()
        web.kill()
    assert set(traffic.statuses) <= {201, 503} and traffic.statuses[503] > 0
    stand.settle()


def moved(handler: Handler, port: int) -> Handler:
    """The same browser at another server of the same helpline."""
    other = Handler(f"http://127.0.0.1:{port}", 0)
    other.http, other.token = handler.http, handler.token
    return other
