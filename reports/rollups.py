"""Owns the way from contacts to counts by day and month: recomputed whole for a marked day, never added to.

The only module that takes marks away. Beside tallies and freeze, no other one of the reports reads contacts.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from random import shuffle
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, InternalError, OperationalError, ProgrammingError, connection, transaction
from django.db.models import Exists, F, Max, Min, Model, OuterRef, QuerySet, Sum
from django.db.models.functions import Least

from helpline.models import DayMark
from reports import tallies
from reports.counting import Cells
from reports.models import DayCount, FailedDay, MonthCount

log = logging.getLogger(__name__)

DAY_LOCK, MONTH_LOCK = 1, 2  # PostgreSQL advisory locks, first key; the second is the day's ordinal
LOCK_SECONDS = 30
BATCH = 5000  # rows in one statement
CELL = ("variable", "code", "n")
ATTEMPTS = 3  # how often a sweep tries a day that fails
NO_DAYS_FAULT = (OperationalError, InterfaceError, InternalError, ProgrammingError)  # nor cured by giving it up


def marked_days(since: date = date.min, until: date = date.max) -> set[date]:
    """The days of [since, until) whose stored counts no longer hold."""
    return set(DayMark.objects.filter(day__gte=since, day__lt=until).values_list("day", flat=True).distinct())


def marked_and_given_up(since: date, until: date) -> dict[date, bool]:
    """The marked days of [since, until), and whether sweeps have given them up; one statement."""
    given_up = Exists(FailedDay.objects.filter(day=OuterRef("day"), attempts=ATTEMPTS))
    marks = DayMark.objects.filter(day__gte=since, day__lt=until).values_list("day", given_up)
    return dict(marks.distinct())


def given_up_days() -> set[date]:
    """The days that no sweep tries any more; they are marked, so that pages count them live."""
    return set(FailedDay.objects.filter(attempts=ATTEMPTS).values_list("day", flat=True))


def recompute_day(day: date) -> bool:
    """Count `day` anew and fold its month; False when another worker is at it. Safe to call at any time, any number
    of times: what commits after the marks are removed leaves a mark of its own."""
    with transaction.atomic():
        if not _try_lock(day):
            return False
        DayMark.objects.filter(day=day).delete()
        # A new statement, hence a snapshot later than the removal of the marks.
        _store(DayCount.objects.filter(day=day, is_sealed=False), tallies.of_days([day]), is_sealed=False)
        FailedDay.objects.filter(day=day).delete()
        _fold_month(day.replace(day=1))
    return True


def rebuild_month(month: date) -> None:
    """Count all days of a month anew and fold it, marks or none; waits for a worker that is at one of its days.

    Safe to call at any time, as recompute_day is. A reader sees the month as it was or as it is, on PostgreSQL; SQLite
    has one writer, whom a whole month would keep from handlers, and so does one day after the other.
    """
    if connection.vendor != "postgresql":
        _rebuild_day_by_day(month)
        return
    of_month = {"day__gte": month, "day__lt": first_of_next_month(month)}
    with transaction.atomic():
        _lock_days(month)
        DayMark.objects.filter(**of_month).delete()
        cells = tallies.of_month(month, first_of_next_month(month))
        _store(DayCount.objects.filter(**of_month, is_sealed=False), cells, is_sealed=False)
        FailedDay.objects.filter(**of_month).delete()
        _fold_month(month)


def _rebuild_day_by_day(month: date) -> None:
    for day in days_of(month):
        _recompute_and_leave_room(day)


def _recompute_and_leave_room(day: date) -> bool:
    """On SQLite as long again for whoever waits for the one write lock, which queues nobody."""
    began = time.monotonic()
    is_done = recompute_day(day)
    if connection.vendor != "postgresql":
        time.sleep(time.monotonic() - began)
    return is_done


def days_of(month: date) -> list[date]:
    after = first_of_next_month(month)
    return [month + timedelta(days=n) for n in range((after - month).days)]


def seal_day(day: date, cells: Cells) -> None:
    """Add the counts of contacts that are frozen in this transaction to the day's sealed ones, and mark the day.

    The mark takes them off the counts of the contacts that are not frozen, at the next recount.
    """
    sealed = DayCount.objects.filter(day=day, is_sealed=True)
    before = Cells({(variable, code): n for variable, code, n in sealed.values_list("variable", "code", "n")})
    _store(sealed, {day: before + cells}, is_sealed=True)
    DayMark.objects.create(day=day)


def _fold_month(month: date) -> None:
    """Sum the month's days. The lock makes two days of one month fold one after the other, each seeing the other."""
    _lock(month)
    days = DayCount.objects.filter(day__gte=month, day__lt=first_of_next_month(month))
    sums = days.values_list("variable", "code").annotate(sum=Sum("n"))
    cells = Cells({(variable, code): n for variable, code, n in sums})
    _store(MonthCount.objects.filter(month=month), {month: cells})


def first_of_next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _store(rows: QuerySet[Any], by_bucket: Mapping[date, Cells], **columns: bool) -> None:
    """Let `rows`, counts by day or by month, say what was counted. What they say already is not written again."""
    bucket = "day" if rows.model is DayCount else "month"
    counted = {(date, *cell): n for date, cells in by_bucket.items() for cell, n in cells.items()}
    wrong = []
    for key, n, *cell in rows.values_list("pk", "n", bucket, "variable", "code"):
        if counted.get(tuple(cell)) == n:
            del counted[tuple(cell)]
        else:
            wrong.append(key)
    if wrong:
        rows.filter(pk__in=wrong).delete()
    _insert(rows.model, [(d, v, code, n) for (d, v, code), n in sorted(counted.items())], [bucket, *CELL], columns)


def _insert(model: Any, rows: Sequence[tuple[Any, ...]], names: Sequence[str], columns: Mapping[str, bool]) -> None:
    """New rows of a model: `columns` the same in each, and of each the values by `names`."""
    if connection.vendor != "postgresql":
        made = (model(**columns, **dict(zip(names, row, strict=True))) for row in rows)
        model.objects.bulk_create(made, batch_size=BATCH)
        return
    # A rebuild writes millions of them; as objects they would take most of its time.
    types = [str(model._meta.get_field(name).db_type(connection)) for name in names]
    arrays = ", ".join(f"%s::{kind.partition('(')[0]}[]" for kind in types)
    into = ", ".join(connection.ops.quote_name(name) for name in (*names, *columns))
    same = "".join(", %s" for _ in columns)
    statement = f"INSERT INTO {model._meta.db_table} ({into}) SELECT said.*{same} FROM unnest({arrays}) said"  # noqa: S608
    with connection.cursor() as cursor:
        for start in range(0, len(rows), BATCH):
            by_name = [list(values) for values in zip(*rows[start : start + BATCH], strict=True)]
            cursor.execute(statement, [*columns.values(), *by_name])


def _try_lock(day: date) -> bool:
    # SQLite: the transaction is IMMEDIATE, so it holds the one write lock already.
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s::int, %s::int)", [DAY_LOCK, day.toordinal()])
        return bool(cursor.fetchone()[0])


def _lock_days(month: date) -> None:
    """Lock every day, in order, as long as that takes: whoever counts one of them is done with it in a moment."""
    first, last = month.toordinal(), first_of_next_month(month).toordinal() - 1
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s::int, day::int) FROM generate_series(%s::int, %s::int) AS day",
            [DAY_LOCK, first, last],
        )


def _lock(month: date) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s::int, %s::int)", [MONTH_LOCK, month.toordinal()])


def refresh(*, seconds: float) -> int:
    """Recompute the marked days, in no order, for at most about `seconds`; how many were done.

    A day that fails is left marked for the next call and does not hold up the others, nor does one at which the worker
    is lost; after three failures it is given up until a rebuild. A database that stands still or lacks something is no
    day's fault.
    """
    until, done = time.monotonic() + seconds, 0
    days = list(marked_days() - given_up_days())
    shuffle(days)
    for day in days:
        if time.monotonic() > until:
            break
        try:
            done += _recompute_and_leave_room(day)
        except Exception as error:
            log.error("recount of a day failed: %s", type(error).__name__)
            if not isinstance(error, NO_DAYS_FAULT):
                _note_failure(day)
    return done


def _note_failure(day: date) -> None:
    if not FailedDay.objects.filter(day=day).update(attempts=Least(F("attempts") + 1, ATTEMPTS)):
        FailedDay.objects.bulk_create([FailedDay(day=day, attempts=1)], ignore_conflicts=True)


def newest_mark() -> int:
    return DayMark.objects.aggregate(newest=Max("id"))["newest"] or 0


def is_waiting(up_to: int) -> bool:
    """Whether a mark that is no newer waits for a sweep."""
    return DayMark.objects.filter(id__lte=up_to).exclude(day__in=given_up_days()).exists()


# --- are they right? ----------------------------------------------------------------------------------------------


def months() -> list[date]:
    """Every month, by its first day, from the first that has contacts, marks or counts to the last."""
    ends = tallies.first_and_last_day()
    columns: list[tuple[type[Model], str]] = [(DayCount, "day"), (MonthCount, "month"), (DayMark, "day")]
    for model, column in columns:
        ends += [day for day in model._default_manager.aggregate(Min(column), Max(column)).values() if day]
    return list(_months_between(min(ends), max(ends))) if ends else []


def _months_between(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = first_of_next_month(month)


def wrong_days() -> list[date]:
    """The unmarked days whose stored counts differ from a recount of their contacts, or that have no recount since it
    fails; sealed counts are left alone."""
    return [day for month in months() for day in compare(month)[1]]


def compare(month: date) -> tuple[int, list[date]]:
    """How many days of a month could be compared with a recount, and which of them differ from it or have none.

    A day that cannot be counted is compared alone, so that it hides no other one. Marks, counts and contacts are of one
    moment, so that a contact saved meanwhile is no fault; inside a transaction of the caller that is not so.
    """
    try:
        return _compare(month, first_of_next_month(month))
    except SoftTimeLimitExceeded:
        raise
    except Exception:
        each = [_compare_alone(day) for day in days_of(month)]
        return sum(compared for compared, _ in each), [day for _, wrong in each for day in wrong]


def _compare_alone(day: date) -> tuple[int, list[date]]:
    try:
        return _compare(day, day + timedelta(days=1))
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        log.error("comparison of a day failed: %s", type(error).__name__)
        return 1, [day]


def _compare(since: date, until: date) -> tuple[int, list[date]]:
    with tallies.one_moment():
        marked = marked_days(since, until)
        stored = _stored(since, until)
        counted = tallies.of_month(since, until) if len(marked) < (until - since).days else {}
    days = (stored.keys() | counted.keys()) - marked
    return len(days), sorted(day for day in days if counted.get(day, Cells()) != stored.get(day, Cells()))


def _stored(since: date, until: date) -> dict[date, Cells]:
    stored: dict[date, Cells] = {}
    unsealed = DayCount.objects.filter(is_sealed=False, day__gte=since, day__lt=until)
    for day, variable, code, n in unsealed.values_list("day", "variable", "code", "n").iterator():
        stored.setdefault(day, Cells())[variable, code] = n
    return stored


def wrong_months() -> list[date]:
    """The months whose stored counts are not the sum of their days' stored counts."""
    return [month for month in months() if not is_folded(month)]


def is_folded(month: date) -> bool:
    """Whether a month's stored counts are the sum of its days', or one of them is marked: its recount folds it."""
    until = first_of_next_month(month)
    with tallies.one_moment():
        days = DayCount.objects.filter(day__gte=month, day__lt=until).values_list("variable", "code")
        sums = set(days.annotate(sum=Sum("n")))
        stored = set(MonthCount.objects.filter(month=month).values_list("variable", "code", "n"))
        return sums == stored or bool(marked_days(month, until))
