"""Lifts what guards rows: to empty tables after a test, to tamper with them, to see what a constraint holds back."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from django.db import connection, transaction

GUARDS = (
    "reports.migrations.0003_write_once",
    "reports.migrations.0005_write_once_releases",
    "reports.migrations.0015_row_files",
    "helpline.migrations.0007_audit_kept_for_a_time",
)


def _run(migration: str, statements: str) -> None:
    vendor = "POSTGRESQL" if connection.vendor == "postgresql" else "SQLITE"
    with connection.cursor() as cursor:
        for statement in getattr(import_module(migration), statements + vendor):
            cursor.execute(statement)


def _check_what_is_deferred() -> None:
    """PostgreSQL makes and drops no trigger of a table while a check of it waits for the end of the transaction."""
    if connection.in_atomic_block:
        connection.check_constraints()


@contextmanager
def lifted() -> Iterator[None]:
    """Published rows and the record can be changed and removed within the block, and cannot after it."""
    _check_what_is_deferred()
    for migration in reversed(GUARDS):
        _run(migration, "UNDO_")
    try:
        yield
    finally:
        _check_what_is_deferred()
        for migration in GUARDS:
            _run(migration, "")


@contextmanager
def unchecked(table: str, constraint: str) -> Iterator[None]:
    """Within the block the check or unique constraint holds nothing back; what was done there is undone after it."""
    sqlite = connection.vendor == "sqlite"
    with transaction.atomic(), connection.cursor() as cursor:
        _check_what_is_deferred()
        indexes = connection.introspection.get_constraints(cursor, table)
        if indexes[constraint]["unique"]:
            cursor.execute(f"DROP INDEX {constraint}")
        else:
            drop = f"ALTER TABLE {table} DROP CONSTRAINT {constraint}"
            cursor.execute("PRAGMA ignore_check_constraints = ON" if sqlite else drop)
        try:
            yield
        finally:
            if sqlite:
                cursor.execute("PRAGMA ignore_check_constraints = OFF")
            transaction.set_rollback(True)
