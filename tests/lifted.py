"""Lifts what guards published rows, for emptying the tables after a test and for a test that tampers with them."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from django.db import connection

WRITE_ONCE = ("0003_write_once", "0005_write_once_releases")


def _run(migration: str, statements: str) -> None:
    vendor = "POSTGRESQL" if connection.vendor == "postgresql" else "SQLITE"
    with connection.cursor() as cursor:
        for statement in getattr(import_module(f"reports.migrations.{migration}"), statements + vendor):
            cursor.execute(statement)


def _check_what_is_deferred() -> None:
    """PostgreSQL makes and drops no trigger of a table while a check of it waits for the end of the transaction."""
    if connection.in_atomic_block:
        connection.check_constraints()


@contextmanager
def lifted() -> Iterator[None]:
    """Published rows can be changed and removed within the block, and cannot after it."""
    _check_what_is_deferred()
    for migration in reversed(WRITE_ONCE):
        _run(migration, "UNDO_")
    try:
        yield
    finally:
        _check_what_is_deferred()
        for migration in WRITE_ONCE:
            _run(migration, "")
