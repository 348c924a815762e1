"""Owns that erased bytes leave the files of the database: rewritten tables, a log without the past.

A database marks what is erased as free; the bytes stay in its files until something else is written over them, in the
tables, in what it remembers of their values for planning, and in the write-ahead log.
"""

import time
from collections.abc import Callable
from contextlib import suppress

from django.db import OperationalError, ProgrammingError, connection
from django.db.backends.utils import CursorWrapper
from psycopg.errors import QueryCanceled

MOST_BYTES = 64 * 2**20  # of SQLite, whose one writer holds up every save meanwhile
# How long others wait behind the rewriting of a table: for its turn, and in all. A save gives up after 2 seconds.
TURN_MILLISECONDS, MOST_MILLISECONDS = 200, 1200
PATIENCE, PAUSE = 120.0, 2.0  # seconds: of a whole run, and between two tries
# Why bytes may be left.
LARGE, HELD, RIGHTS, LOG = "large", "held", "rights", "log"

# Partitions one by one. What the statistics for planning hold of values lies in a catalogue.
TABLES = """
SELECT relation.oid::regclass::text, pg_has_role(relation.relowner, 'USAGE')
  FROM pg_class relation
 WHERE relation.relkind = 'r' AND relation.relnamespace = ANY (current_schemas(false)::regnamespace[])
"""
STATISTICS = "pg_catalog.pg_statistic"
# An empty table is not analysed, and keeps what was sampled when it had rows.
FORGET = """
DELETE FROM pg_catalog.pg_statistic WHERE starelid IN (
  SELECT oid FROM pg_class
   WHERE relkind = 'r' AND reltuples = 0 AND relnamespace = ANY (current_schemas(false)::regnamespace[]))
"""
OWNS_CATALOGUE = "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()"
SEGMENTS = "SELECT count(*) FILTER (WHERE name <= %s), count(*) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'"


class TooLong(Exception):
    """It would hold up others for longer than they wait."""


def empty_files() -> set[str]:
    """Let nothing of what is erased stand in the files of the database; why something may be left, if so.

    To be called outside a transaction. Saves wait for a fraction of a second at a time.
    """
    if connection.in_atomic_block:
        return {HELD}
    until = time.monotonic() + PATIENCE
    return _postgresql(until) if connection.vendor == "postgresql" else _sqlite(until)


def empty_log_of_sqlite() -> bool:
    """Whether SQLite's write-ahead log is empty: until it is folded in, it holds what was overwritten in the database.
    A reader at this moment puts that off. True on PostgreSQL, where `empty_files` alone can."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return connection.vendor != "sqlite"
    with connection.cursor() as cursor:
        busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


# --- SQLite -----------------------------------------------------------------------------------------------------------


def _sqlite(until: float) -> set[str]:
    """`secure_delete` has overwritten what was erased; rewriting takes away the gaps that it left, too."""
    with connection.cursor() as cursor:
        (patience,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        (pages,), (size,) = (cursor.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
        cursor.execute(f"PRAGMA busy_timeout = {TURN_MILLISECONDS}")
        try:
            is_whole = pages * size > MOST_BYTES or _in_some_tries(lambda: cursor.execute("VACUUM"), until)
            is_empty = _in_some_tries(_refuse_full_log, until)
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {patience}")
    return set() if is_whole and is_empty else {HELD}


def _refuse_full_log() -> None:
    if not empty_log_of_sqlite():
        raise OperationalError("database is locked")


def _in_some_tries(act: Callable[[], object], until: float) -> bool:
    """Whether one of them did not fail for a lock that somebody else holds. There is one even when time is over.

    Raises TooLong."""
    while True:
        try:
            act()
        except OperationalError as error:
            if isinstance(error.__cause__, QueryCanceled):
                raise TooLong from error
            if time.monotonic() + PAUSE > until:
                return False
            time.sleep(PAUSE)
        else:
            return True


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


def _postgresql(until: float) -> set[str]:
    left = set()
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        (patience,) = cursor.fetchone()
        cursor.execute(f"SET lock_timeout = {TURN_MILLISECONDS}")
        try:
            cursor.execute(TABLES)
            tables = cursor.fetchall()
            cursor.execute(OWNS_CATALOGUE)
            (owns_catalogue,) = cursor.fetchone()
            for table, is_ours in tables:
                left |= _rewrite(table, until) if is_ours else {RIGHTS}
            # So that statistics for planning forget the values; holds up nobody.
            left |= set() if _in_some_tries(lambda: cursor.execute("ANALYZE"), until) else {HELD}
            with suppress(ProgrammingError):  # that takes a superuser; what soon goes is not sampled in the first place
                cursor.execute(FORGET)
            left |= _rewrite(STATISTICS, until) if owns_catalogue else {RIGHTS}
            return left | _recycle_log()
        finally:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [patience])


def _rewrite(table: str, until: float) -> set[str]:
    """One that takes too long is left as it is, but for what fits into the gaps."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {MOST_MILLISECONDS}")
        try:
            return set() if _in_some_tries(lambda: cursor.execute(f"VACUUM (FULL) {table}"), until) else {HELD}
        except TooLong:
            cursor.execute("RESET statement_timeout")
            _in_some_tries(lambda: cursor.execute(f"VACUUM {table}"), until)
            return {LARGE}
        finally:
            cursor.execute("RESET statement_timeout")


def _recycle_log() -> set[str]:
    """Begin new segments of the write-ahead log until every file of it has been written anew.

    After a checkpoint the server gives old files new names and leaves their bytes, to be overwritten in their turn.
    """
    with connection.cursor() as cursor:
        try:
            cursor.execute("SELECT pg_walfile_name(pg_current_wal_lsn())")
            (past,) = cursor.fetchone()
            _begin_segment(cursor)
            cursor.execute("CHECKPOINT")
            cursor.execute(SEGMENTS, [""])
            for _ in range(cursor.fetchone()[1]):
                _begin_segment(cursor)
            cursor.execute("CHECKPOINT")
            cursor.execute(SEGMENTS, [past])
            return {LOG} if cursor.fetchone()[0] else set()
        except ProgrammingError:  # who erases may not do that
            return {RIGHTS}


def _begin_segment(cursor: CursorWrapper) -> None:
    # One in which nothing is written is not ended.
    cursor.execute("SELECT pg_logical_emit_message(false, 'erase', '')")
    cursor.execute("SELECT pg_switch_wal()")
