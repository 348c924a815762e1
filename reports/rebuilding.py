"""Owns the rebuild: every month is counted anew, each by whoever takes it, and a row remembers what is left.

The rows are the memory and no broker: any number of workers and commands take months, and one that is killed leaves
its month to the others.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Least

from reports import rollups
from reports.models import FailedDay, RebuildMonth

log = logging.getLogger(__name__)

Report = Callable[[int, int], None]  # (done so far, in all)
PutOff = dict[date, OperationalError]  # months that were tried while the database stood still, and how it did


def ask() -> int:
    """Let every month be counted anew, also what failed before; how many months wait now.

    What a worker holds is left to it: it is being counted anew, and is not waited for.
    """
    _unheld(FailedDay.objects.all(), lambda rows: rows.delete())
    months = [RebuildMonth(month=month) for month in rollups.months()]
    RebuildMonth.objects.bulk_create(months, ignore_conflicts=True)
    _unheld(RebuildMonth.objects.filter(attempts__gt=0), lambda rows: rows.update(attempts=0))
    return left()


def _unheld(rows: QuerySet[Any], change: Callable[[QuerySet[Any]], object]) -> None:
    """Change those of `rows` that no other transaction holds."""
    with transaction.atomic():
        keys = rows.select_for_update(skip_locked=True).values_list("pk", flat=True)
        change(rows.filter(pk__in=list(keys)))


def left(but: Collection[date] = ()) -> int:
    """How many months wait or are being counted, `but` these; those that were given up are not among them."""
    return RebuildMonth.objects.filter(attempts__lt=rollups.ATTEMPTS).exclude(month__in=but).count()


def given_up() -> list[date]:
    """The months that failed as often as they are tried."""
    return list(
        RebuildMonth.objects.filter(attempts=rollups.ATTEMPTS).order_by("month").values_list("month", flat=True)
    )


def work(*, seconds: float) -> int:
    """Rebuild months that nobody is at, for at most about `seconds`; how many were taken. Raises what take_one put off,
    after the others."""
    until, taken, put_off = time.monotonic() + seconds, 0, PutOff()
    while time.monotonic() < until and take_one(put_off):
        taken += 1
    _raise(put_off)
    return taken


def take_one(put_off: PutOff) -> bool:
    """Rebuild one month that is not `put_off`; False where none waits that nobody is at.

    One that fails waits for its next turn and is given up after three. A database that stands still is no month's
    fault: the month is added to `put_off` with the error. They come in no order, so that one at which every worker is
    lost holds up no other.
    """
    month = None
    try:
        with _claim():
            waiting = RebuildMonth.objects.filter(attempts__lt=rollups.ATTEMPTS).exclude(month__in=put_off)
            row = waiting.order_by("attempts", "?").select_for_update(skip_locked=True).first()
            if row is None:
                return False
            month = row.month
            rollups.rebuild_month(month)
            row.delete()
    except OperationalError as error:
        if month is None:
            raise
        put_off[month] = error
    except Exception as error:
        if month is None:
            raise
        _note_failure(month, error)
    return True


def _note_failure(month: date, error: Exception) -> None:
    """After the transaction that failed, which may not have a connection any more that one can ask anything."""
    log.error("rebuild of a month failed: %s", type(error).__name__)
    attempts = Least(F("attempts") + 1, rollups.ATTEMPTS)
    RebuildMonth.objects.filter(month=month).update(attempts=attempts)


def _raise(put_off: PutOff) -> None:
    """One of the errors of the months that are still left."""
    for month in RebuildMonth.objects.filter(month__in=put_off).values_list("month", flat=True)[:1]:
        raise put_off[month]


@contextmanager
def _claim() -> Iterator[None]:
    """PostgreSQL holds the month's row meanwhile. SQLite could do so only by the one write lock, which handlers need:
    there two workers may count one month, one after the other."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic():
        try:
            yield
        except Exception:
            _stop_statement()
            raise


def _stop_statement() -> None:
    """Let the server end what it was asked when the soft limit cut in; else it goes on, and holds the row, long after
    the connection is closed."""
    session = connection.connection
    if session and not session.closed and session.info.transaction_status.name == "ACTIVE":
        session.cancel_safe(timeout=2)


def rebuild(report: Report = lambda done, months: None) -> int:
    """Rebuild every month in this process, as far as no other one takes them; how many months there were. Raises what
    take_one put off, after the others."""
    months, put_off = ask(), PutOff()
    while waiting := left(but=put_off):
        report(max(months - waiting, 0), months)
        if not take_one(put_off):
            time.sleep(0.1)  # the rest is with other workers, who may yet be lost
    _raise(put_off)
    if months:
        report(months, months)
    return months
