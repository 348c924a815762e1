"""Owns every change and every reading of the telephony's counters, which know no contact.

An hour is kept until its month is frozen. Then it is folded: the day keeps its total, the month a grid of weekday and
hour, and the hours are gone, so that on a quiet day no hour points at a contact. A month that was frozen without any
calls takes one file, folded at once, as long as nothing is published that covers it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet, Sum, Value

from helpline import audit
from helpline.models import DaySeal, TrafficDay, TrafficGrid, TrafficHour, User
from helpline.traffic_file import COUNTS, MOST_QUEUES, NO_CALLS, Calls, ClockHour, TrafficReason, queue_key

TRAFFIC_LOCK = 4
BATCH = 500

Grid = dict[tuple[int, int], Calls]  # (weekday, Monday is 0; hour) -> calls
Published = Callable[[Collection[date]], Collection[date]]
_PUBLISHED: list[Published] = []


def says_what_is_published(function: Published) -> Published:
    """Name the function that says which of some months, given by their first days, a published period covers. As long
    as there is none, every month counts as published."""
    _PUBLISHED[:] = [function]
    return function


class Frozen(Exception):
    """Some of the hours lie on `days` whose months are frozen, with why these take nothing more."""

    def __init__(self, days: Mapping[date, TrafficReason]) -> None:
        super().__init__("a month is frozen")
        self.days = days


class TooManyQueues(Exception):
    """There would be more queues than a line has, so that their names may be callers."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """Counts of clock hours of queues: stored, of which so many came late, into frozen months."""

    stored: int
    late: int


def record_hours(
    hours: Collection[ClockHour], *, by: User | None = None, now: datetime | None = None, dry_run: bool = False
) -> Recorded:
    """Store what a file says, each clock hour in place of what was known of the same day, hour and queue: on the long
    day of October both hours from two. All or none. What comes late is folded at once.

    Never which of them, or how many, were there before: trials with one hour each would find the hour of a call.
    Raises Frozen or TooManyQueues; nothing is stored then. With `by` and `now` the act is written down.
    """
    with transaction.atomic():
        rows = _allowed(hours, is_file=True)
        late = _sealed({row.day for row in rows})
        if not dry_run:
            clock = {_place(row)[:3] for row in rows}
            _replace([row for row in _of_days(rows) if _place(row)[:3] in clock], rows, by, now)
            for month in sorted({_month(day) for day in late}):
                _fold(TrafficHour.objects.filter(day__gte=month, day__lt=_month(month + timedelta(days=31))))
        return Recorded(len(rows), sum(row.day in late for row in rows))


@transaction.atomic
def record_hour(hour: ClockHour, *, by: User, now: datetime) -> None:
    """Store one hour that somebody typed in, in place of what was known of it; a second hour from two stays beside.

    Raises Frozen or TooManyQueues; nothing is stored then. The act is written down.
    """
    rows = _allowed([hour], is_file=False)
    _replace([row for row in _of_days(rows) if _place(row) == _place(rows[0])], rows, by, now)


def _allowed(hours: Collection[ClockHour], *, is_file: bool) -> list[TrafficHour]:
    """The rows of hours that may be stored now; from here on nothing is folded or published until they are."""
    hold()
    if frozen := closed_days({hour.day for hour in hours}, is_file=is_file):
        raise Frozen(frozen)
    return _under_known_names(hours)


def _replace(there: Collection[TrafficHour], rows: list[TrafficHour], by: User | None, now: datetime | None) -> None:
    for keys in _in_batches([row.pk for row in there]):
        TrafficHour.objects.filter(pk__in=keys).delete()
    # In the order of the calendar: how rows lie tells nothing of when somebody called.
    TrafficHour.objects.bulk_create(sorted(rows, key=_place), batch_size=BATCH)
    if by is not None and now is not None:
        audit.record(by=by, act="traffic.edit", now=now)


def closed_days(days: Collection[date], *, is_file: bool = True) -> dict[date, TrafficReason]:
    """Those of `days` whose months take nothing more, with why: their hours were folded, with the month or with a later
    one; or the month is frozen and published, or frozen and no file brings its calls."""
    sealed = _sealed(days)
    folded = {
        *TrafficGrid.objects.values_list("month", flat=True).distinct(),
        *TrafficDay.objects.dates("day", "month"),
    }
    months = {_month(day) for day in sealed}
    published = set(_PUBLISHED[0](months) if _PUBLISHED else months) if months else set()
    closed = {day: TrafficReason.ONLY_A_FILE for day in sealed if not is_file}
    closed |= {day: TrafficReason.PUBLISHED for day in sealed if _month(day) in published}
    return closed | {day: TrafficReason.FROZEN for day in days if _month(day) in folded}


def _sealed(days: Collection[date]) -> set[date]:
    sealed: set[date] = set()
    for some in _in_batches(sorted(days)):
        sealed |= set(DaySeal.objects.filter(day__in=some).values_list("day", flat=True))
    return sealed


def _month(day: date) -> date:
    return day.replace(day=1)


def _place(hour: TrafficHour) -> tuple[date, int, str, bool]:
    return hour.day, hour.hour, hour.queue, hour.is_second


def _under_known_names(hours: Iterable[ClockHour]) -> list[TrafficHour]:
    """Rows under the spelling of their queue that came first. Raises TooManyQueues."""
    known = queues()
    names = {queue_key(name): name for name in known}
    rows = [
        TrafficHour(
            day=hour.day,
            hour=hour.hour,
            is_second=hour.is_second,
            queue=names.setdefault(queue_key(hour.queue), hour.queue),
            **asdict(hour.calls),
        )
        for hour in hours
    ]
    if len(names) > max(MOST_QUEUES, len(known)):
        raise TooManyQueues
    return rows


def queues() -> list[str]:
    """The names of all queues that have calls, in order."""
    of_days = TrafficDay.objects.values_list("queue", flat=True)
    return sorted(of_days.union(TrafficHour.objects.values_list("queue", flat=True)))


def _of_days(rows: Collection[TrafficHour]) -> Iterator[TrafficHour]:
    """All that is known of the days of `rows`."""
    for days in _in_batches(sorted({row.day for row in rows})):
        yield from TrafficHour.objects.filter(day__in=days)


def _in_batches(values: list[Any]) -> Iterable[list[Any]]:
    return (values[start : start + BATCH] for start in range(0, len(values), BATCH))


def hold() -> None:
    """Until the transaction ends storing, folding and publishing wait for each other, so that no hour comes to lie in a
    month after its fold, and none into one that is being published."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s::int, 0)", [TRAFFIC_LOCK])


# --- the freeze -------------------------------------------------------------------------------------------------------


@transaction.atomic
def fold_month(*, end: date) -> None:
    """Fold every hour before `end`, the first day after the month that is being frozen, and remove it.

    Earlier months too: their contacts are frozen with the month as well, however late they came. All sums stay.
    """
    hold()
    _fold(TrafficHour.objects.filter(day__lt=end))


def _fold(hours: "QuerySet[TrafficHour]") -> None:
    of_days: dict[tuple[date, str], Calls] = {}
    grids: dict[date, Grid] = {}
    for hour in hours:
        calls = Calls(*(getattr(hour, name) for name in COUNTS))
        _add(of_days, (hour.day, hour.queue), calls)
        _add(grids.setdefault(hour.day.replace(day=1), {}), (hour.day.weekday(), hour.hour), calls)
    days = [
        TrafficDay(day=day, queue=queue, **asdict(calls)) for (day, queue), calls in sorted(of_days.items(), key=_at)
    ]
    TrafficDay.objects.bulk_create(days, batch_size=BATCH)
    TrafficGrid.objects.bulk_create(
        [
            TrafficGrid(month=month, weekday=weekday, hour=hour, **asdict(calls))
            for month, grid in sorted(grids.items())
            for (weekday, hour), calls in sorted(grid.items(), key=_at)
        ],
        batch_size=BATCH,
    )
    hours.delete()


def _at(item: tuple[Any, Calls]) -> Any:
    return item[0]


def _add(sums: dict[Any, Calls], at: Any, calls: Calls) -> None:
    sums[at] = sums.get(at, NO_CALLS) + calls


# --- reading ----------------------------------------------------------------------------------------------------------


def by_day(start: date, end: date) -> dict[date, Calls]:
    """The calls of each day that has any row, all queues together, from `start` up to but not including `end`.

    One statement, so that a fold at the same moment neither hides an hour nor shows it twice.
    """
    days, hours = (
        _summed(model.objects.filter(day__gte=start, day__lt=end), "day") for model in (TrafficDay, TrafficHour)
    )
    sums: dict[date, Calls] = {}
    for day, *counts in days.union(hours, all=True):
        _add(sums, day, Calls(*counts))
    return sums


def by_weekday_and_hour(start: date, end: date) -> Grid:
    """The calls of the whole months from `start` up to but not including `end`, all queues together. One statement."""
    folded = TrafficGrid.objects.filter(month__gte=start, month__lt=end).annotate(at=F("month"), of_week=F("weekday"))
    hours = TrafficHour.objects.filter(day__gte=start, day__lt=end).annotate(at=F("day"), of_week=Value(-1))
    sums: Grid = {}
    by = ("at", "of_week", "hour")
    for at, weekday, hour, *counts in _summed(folded, *by).union(_summed(hours, *by), all=True):
        _add(sums, (at.weekday() if weekday < 0 else weekday, hour), Calls(*counts))
    return sums


def first_day() -> date | None:
    """The first day of which the telephony said anything, None if it never did. One statement."""
    of_days = TrafficDay.objects.values_list("day", flat=True)
    return of_days.union(TrafficHour.objects.values_list("day", flat=True)).order_by("day").first()


def _summed(rows: QuerySet[Any], *by: str) -> QuerySet[Any]:
    """The six counts summed for each value of `by`, as tuples."""
    sums = {f"sum_{name}": Sum(name) for name in COUNTS}
    return rows.order_by().values(*by).annotate(**sums).values_list(*by, *sums)
