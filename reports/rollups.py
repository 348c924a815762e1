"""Owns the way from contacts to counts by day and month: recomputed whole for a marked day, never added to.

With freeze, the only module of the reports that reads contacts.
"""

import logging
import time
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import Min, Sum

from helpline.models import Contact, DayMark, Referral
from helpline.taxonomy import QUESTIONS
from reports import counting
from reports.counting import Cells
from reports.models import DayCount, MonthCount

log = logging.getLogger(__name__)

DAY_LOCK, MONTH_LOCK = 1, 2  # PostgreSQL advisory locks, first key; the second is the day's ordinal


def marked_days(since: date = date.min, until: date = date.max) -> set[date]:
    """The days of [since, until) whose stored counts no longer hold."""
    return set(DayMark.objects.filter(day__gte=since, day__lt=until).values_list("day", flat=True).distinct())


def live_contacts(days: Collection[date]) -> dict[date, Cells]:
    """The counts of the contacts of `days` that are neither frozen nor withdrawn, at this moment; one statement."""
    by_day: dict[date, list[dict[str, Any]]] = {day: [] for day in days}
    for row in Contact.objects.changeable().filter(day__in=by_day).values("day", *QUESTIONS).iterator():
        by_day[row["day"]].append(row)
    return {day: counting.count_contacts(rows) for day, rows in by_day.items()}


def live_cells(days: Collection[date]) -> dict[date, Cells]:
    """The same with their referrals, but for those that an earlier contact of the case has too; two statements."""
    by_day = live_contacts(days)
    referrals: dict[date, list[Mapping[str, Any]]] = {day: [] for day in by_day}
    counted = Referral.objects.filter(
        contact__day__in=by_day,
        contact__is_frozen=False,
        contact__is_withdrawn=False,
        contact__result=counting.RELEVANT,
        is_repeat=False,
    )
    for row in counted.values("contact__day", "target", "type", "outcome").iterator():
        referrals[row["contact__day"]].append(row)
    return {day: cells + counting.count_referrals(referrals[day]) for day, cells in by_day.items()}


def recompute_day(day: date) -> bool:
    """Count `day` anew and fold its month; False when another worker is at it. Safe to call at any time, any number
    of times: what commits after the marks are removed leaves a mark of its own."""
    with transaction.atomic():
        if not _try_lock(day):
            return False
        DayMark.objects.filter(day=day).delete()
        # A new statement, hence a snapshot later than the removal of the marks.
        _replace(DayCount.objects.filter(day=day, is_sealed=False), live_cells([day])[day], day=day)
        _fold_month(day.replace(day=1))
    return True


def seal_day(day: date, cells: Cells) -> None:
    """Add the counts of contacts that are frozen in this transaction to the day's sealed ones, and mark the day.

    The mark takes them off the counts of the contacts that are not frozen, at the next recount.
    """
    sealed = DayCount.objects.filter(day=day, is_sealed=True)
    before = Cells({(variable, code): n for variable, code, n in sealed.values_list("variable", "code", "n")})
    _replace(sealed, before + cells, day=day, is_sealed=True)
    DayMark.objects.create(day=day)


def _fold_month(month: date) -> None:
    """Sum the month's days. The lock makes two days of one month fold one after the other, each seeing the other."""
    _lock(month)
    days = DayCount.objects.filter(day__gte=month, day__lt=first_of_next_month(month))
    sums = days.values_list("variable", "code").annotate(sum=Sum("n"))
    cells = Cells({(variable, code): n for variable, code, n in sums})
    _replace(MonthCount.objects.filter(month=month), cells, month=month)


def first_of_next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _replace(rows, cells: Cells, **bucket: date | bool) -> None:  # type: ignore[no-untyped-def]
    rows.delete()
    rows.model.objects.bulk_create(
        rows.model(variable=variable, code=code, n=n, **bucket) for (variable, code), n in sorted(cells.items())
    )


def _try_lock(day: date) -> bool:
    # SQLite: the transaction is IMMEDIATE, so it holds the one write lock already.
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s::int, %s::int)", [DAY_LOCK, day.toordinal()])
        return bool(cursor.fetchone()[0])


def _lock(month: date) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s::int, %s::int)", [MONTH_LOCK, month.toordinal()])


def refresh(*, seconds: float) -> int:
    """Recompute the marked days, the longest waiting first, for at most about `seconds`; how many were done.

    A day that fails is left marked for the next call and does not hold up the others.
    """
    until = time.monotonic() + seconds
    done = 0
    waiting = DayMark.objects.values_list("day", flat=True).annotate(oldest=Min("id")).order_by("oldest")
    for day in list(waiting):
        if time.monotonic() > until:
            break
        try:
            done += recompute_day(day)
        except Exception as error:
            log.error("recount of a day failed: %s", type(error).__name__)
    return done


def rebuild() -> int:
    """Recompute every day that has contacts, counts or marks; how many days."""
    days = _days_with_contacts() | set(DayCount.objects.values_list("day", flat=True).distinct()) | marked_days()
    for day in sorted(days):
        while not recompute_day(day):
            time.sleep(0.1)  # another worker is at it, perhaps since before the last contact
    return len(days)


def _days_with_contacts() -> set[date]:
    return set(Contact.objects.changeable().values_list("day", flat=True).distinct())


def wrong_days() -> list[date]:
    """The unmarked days whose stored counts differ from a recount of their contacts; sealed counts are left alone."""
    marked = marked_days()
    stored: dict[date, Cells] = {}
    unsealed = DayCount.objects.filter(is_sealed=False)
    for day, variable, code, n in unsealed.values_list("day", "variable", "code", "n").iterator():
        stored.setdefault(day, Cells())[variable, code] = n
    days = (set(stored) | _days_with_contacts()) - marked
    suspects = [day for day in days if live_cells([day])[day] != stored.get(day, Cells())]
    # A contact saved or counted meanwhile is no fault: what is still wrong when looked at alone is.
    return sorted(day for day in suspects if day not in marked_days() and live_cells([day])[day] != _stored(day))


def _stored(day: date) -> Cells:
    rows = DayCount.objects.filter(day=day, is_sealed=False).values_list("variable", "code", "n")
    return Cells({(variable, code): n for variable, code, n in rows})


def wrong_months() -> list[date]:
    """The months whose stored counts are not the sum of their days' stored counts."""
    months: dict[date, Cells] = {}
    for day, variable, code, n in DayCount.objects.values_list("day", "variable", "code", "n").iterator():
        months.setdefault(day.replace(day=1), Cells())[variable, code] += n
    stored: dict[date, Cells] = {}
    for month, variable, code, n in MonthCount.objects.values_list("month", "variable", "code", "n").iterator():
        stored.setdefault(month, Cells())[variable, code] = n
    return sorted(month for month in set(months) | set(stored) if months.get(month) != stored.get(month))
