"""What is erased leaves the files of the database: canaries in every erased column, looked for byte by byte."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, transaction

from reports import retention, vacuum
from tests.at_once import in_thread
from tests.testservices import start_postgres

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("canaries.py")


class Files:
    """A database of its own, and the folder in which it keeps everything."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder

    def run(self, *arguments: str, said: str = "") -> object:
        environment = os.environ | {"DATABASE_URL": self.url}
        command = [sys.executable, str(PROGRAM), *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, input=said, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def migrate(self) -> None:
        environment = os.environ | {"DATABASE_URL": self.url}
        command = [sys.executable, "manage.py", "migrate", "-v0"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)

    def found(self, canaries: object) -> dict[str, list[str]]:
        return self.run("look", str(self.folder), said=json.dumps(canaries))  # type: ignore[return-value]


@pytest.fixture
def postgres() -> Iterator[Files]:
    server = start_postgres()
    yield Files(server.url, server.folder / "data")
    server.stop()


@pytest.fixture
def sqlite(tmp_path) -> Iterator[Files]:
    folder = tmp_path / "database"
    folder.mkdir()
    files = Files(f"sqlite:///{folder}/helpline.sqlite3", folder)
    files.migrate()
    # The last program that closes the database would empty its log.
    kept_open = sqlite3.connect(folder / "helpline.sqlite3")
    kept_open.execute("SELECT count(*) FROM django_migrations").fetchone()
    yield files
    kept_open.close()


def erase_and_look(files: Files) -> tuple[set[str], set[str], dict[str, list[str]]]:
    """What was planted, what is found once it is erased, and what and where once the files are emptied."""
    canaries = files.run("plant")
    assert files.found(canaries).keys() == canaries.keys()  # type: ignore[attr-defined]
    erased = files.run("erase")
    assert erased.keys() == {kind.name for kind in retention.KINDS} and None not in erased.values()  # type: ignore[attr-defined]
    before = files.found(canaries)
    assert files.run("empty") == []
    return set(canaries), set(before), files.found(canaries)  # type: ignore[call-overload]


def test_no_erased_value_stands_in_any_file_of_postgresql(postgres):
    postgres.migrate()
    planted, before, after = erase_and_look(postgres)
    assert before == planted  # the control: without the last step every one of them does
    assert after == {}


def test_no_erased_value_stands_in_any_file_of_sqlite(sqlite):
    _, before, after = erase_and_look(sqlite)
    assert before  # the control: the log holds what was overwritten
    assert after == {}


# --- why bytes may be left --------------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(vacuum, "PATIENCE", 0)


def on_postgresql() -> bool:
    return connection.vendor == "postgresql"


def patience_with_locks() -> object:
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout" if on_postgresql() else "PRAGMA busy_timeout")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_left_where_nobody_holds_anything():
    assert vacuum.empty_files() == set()


@pytest.mark.django_db
def test_inside_a_transaction_everything_is_left():
    assert vacuum.empty_files() == {vacuum.HELD}


@pytest.mark.django_db(transaction=True)
def test_a_reader_that_does_not_end_is_told_and_makes_nobody_wait_for_long(impatient):
    reads, ends, patience = threading.Event(), threading.Event(), patience_with_locks()

    def read() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM helpline_contact")
            reads.set()
            ends.wait(60)

    reader = in_thread(read)
    assert reads.wait(30)
    try:
        assert vacuum.empty_files() == {vacuum.HELD}
    finally:
        ends.set()
        reader.join()
    assert vacuum.empty_files() == set()
    assert patience_with_locks() == patience


@pytest.mark.django_db(transaction=True)
def test_a_table_that_is_too_large_is_told_and_left_to_a_closed_hour(monkeypatch):
    monkeypatch.setattr(vacuum, "MOST_BYTES", 0)
    monkeypatch.setattr(vacuum, "MOST_MILLISECONDS", 1)
    assert vacuum.empty_files() == ({vacuum.LARGE} if on_postgresql() else set())  # secure_delete has overwritten it


@pytest.mark.django_db(transaction=True)
def test_a_role_that_may_not_rewrite_tables_is_told():
    if not on_postgresql():
        return
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE no_eraser")
        cursor.execute("SET ROLE no_eraser")
        try:
            assert vacuum.empty_files() == {vacuum.RIGHTS}
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute("DROP ROLE no_eraser")


@pytest.mark.django_db(transaction=True)
def test_an_eraser_with_the_rights_of_the_readme_may():
    if not on_postgresql():
        return
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE eraser")
        cursor.execute("GRANT pg_checkpoint, pg_monitor TO eraser")
        cursor.execute("GRANT EXECUTE ON FUNCTION pg_switch_wal() TO eraser")
        cursor.execute("SET ROLE eraser")
        try:
            assert vacuum._recycle_log() == set()
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute("REVOKE EXECUTE ON FUNCTION pg_switch_wal() FROM eraser")
            cursor.execute("DROP ROLE eraser")


@pytest.mark.django_db(transaction=True)
def test_a_slot_that_keeps_the_old_log_is_told(impatient):
    """As one of a standby that is away."""
    if not on_postgresql():
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_create_physical_replication_slot('away', true)")
        try:
            assert vacuum.empty_files() == {vacuum.LOG}
        finally:
            cursor.execute("SELECT pg_drop_replication_slot('away')")
