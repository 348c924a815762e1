"""Owns who is at something that takes long and must not be done twice at once, so that other workers do something else.

A claim spares work and nothing more: what it guards is right without it. The gate alone must be passed one at a time.
"""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from django.db import connection

from reports.catalogue import PERIODS
from reports.periods import Period

# PostgreSQL advisory locks, first key: 1 to 5 are those of the counts, freeze and traffic.
FREEZING, PREPARING, VERIFYING, FILING, GATE, ERASING = 6, 7, 8, 9, 10, 12


@contextmanager
def claim(what: int, which: int = 0) -> Iterator[bool]:
    """Whether nobody else is at it; nobody else can be while this is open. It ends with the connection, however that
    ends, and holds no transaction open. SQLite, with its one batch worker, gives every claim."""
    if connection.vendor != "postgresql":
        yield True
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s::int, %s::int)", [what, which])
        is_mine = bool(cursor.fetchone()[0])
    session = connection.connection
    try:
        yield is_mine
    finally:
        if is_mine and connection.connection is session:  # else the claim went with it
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s::int, %s::int)", [what, which])


def preparing(period: Period) -> AbstractContextManager[bool]:
    """The claim to whatever is prepared of `period`, in any edition."""
    return claim(PREPARING, period.start.toordinal() * len(PERIODS) + PERIODS.index(period.kind))


def filing(year: int) -> AbstractContextManager[bool]:
    """The claim to the row file of a year."""
    return claim(FILING, year)


@contextmanager
def at_the_gate() -> Iterator[None]:
    """In the block nobody else is at the gate, which must see what another run is about to store. Waits for that."""
    while True:
        with claim(GATE) as is_mine:
            if is_mine:
                yield
                return
        time.sleep(0.2)
