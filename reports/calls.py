"""Owns the coordinator's view of the telephony beside what was logged: sums of days and of whole months only.

Calls and contacts stand side by side for a week or longer, never for a day or an hour.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from django.utils import timezone

from helpline import openings, traffic
from helpline.entries import FIRST_DAY
from helpline.opening import Opening
from helpline.traffic import Grid
from helpline.traffic_file import NO_CALLS, Calls
from reports import live, tallies
from reports.periods import Period, containing

WEEKS_SHOWN, MONTHS_SHOWN = 26, 13


@dataclass(frozen=True, slots=True)
class PeriodCalls:
    """The calls of one week or month; whether the telephony says anything of it, be it that nobody called."""

    period: Period
    calls: Calls
    is_counted: bool


@dataclass(frozen=True, slots=True)
class CallsPage:
    """What the page shows of a period.

    `counted_from` is the first day of which the telephony ever said anything, None if it never did.
    `silent_days` are open days, over already, of which the telephony says nothing. `grid` holds the calls of the
    period's months that are over, None where there is none. Contacts: U3, and of them U4, up to this moment; so are the
    open days and minutes, and of today's open time the share that has passed counts as that much of a day. They are
    without the contacts of `missing_days`, which cannot be counted.
    """

    period: Period
    calls: Calls
    is_counted: bool
    contacts: int
    relevant: int
    missing_days: int
    weeks: tuple[PeriodCalls, ...]
    months: tuple[PeriodCalls, ...]
    grid: Grid | None
    opening: Opening
    open_days: Fraction
    open_minutes: int
    silent_days: int
    counted_from: date | None


def read_calls(period: Period, *, now: datetime) -> CallsPage:
    """The page of a week, month or quarter that has begun; its figures are of one moment."""
    today = timezone.localdate(now)
    with tallies.one_moment():
        weeks, months = _up_to(period, "week", WEEKS_SHOWN), _up_to(period, "month", MONTHS_SHOWN)
        since = min(weeks[0].start, months[0].start)
        every = traffic.by_day(FIRST_DAY, max(weeks[-1].end, months[-1].end, period.end))
        of_days = {day: counts for day, counts in every.items() if day >= since}
        logged = live.logged(period)
        grid = _grid(period, today)
        opening = openings.opening()
        counted_from = min(every) if every else traffic.first_day()
    open_days, open_minutes = _open_until(now, period, opening)
    of_period = _sum(of_days, period)
    return CallsPage(
        period=period,
        calls=of_period.calls,
        is_counted=of_period.is_counted,
        contacts=logged.contacts,
        relevant=logged.relevant,
        missing_days=logged.missing_days,
        weeks=tuple(_sum(of_days, week) for week in weeks),
        months=tuple(_sum(of_days, month) for month in months),
        grid=grid,
        opening=opening,
        open_days=open_days,
        open_minutes=open_minutes,
        silent_days=len(_silent(period, of_days, opening, today)),
        counted_from=counted_from,
    )


@dataclass(frozen=True, slots=True)
class Silence:
    """How many open days of a period, over already, the telephony says nothing of, and whether a file is still taken
    for any of them."""

    days: int
    can_load: bool


def silences(periods: Collection[Period], *, today: date) -> dict[Period, Silence]:
    """Of which periods the telephony leaves out open days."""
    if not periods:
        return {}
    start, end = min(period.start for period in periods), max(period.end for period in periods)
    of_days, opening = traffic.by_day(start, end), openings.opening()
    silent = {period: _silent(period, of_days, opening, today) for period in periods}
    all_silent = {day for days in silent.values() for day in days}
    closed = traffic.closed_days(all_silent) if all_silent else {}
    return {
        period: Silence(len(days), any(day not in closed for day in days)) for period, days in silent.items() if days
    }


def _silent(period: Period, of_days: dict[date, Calls], opening: Opening, today: date) -> list[date]:
    return [day for day in period.days() if day < today and day not in of_days and opening.spans(day)]


def _open_until(now: datetime, period: Period, opening: Opening) -> tuple[Fraction, int]:
    """The days and minutes for which the line was open in `period`, up to `now`."""
    today = timezone.localdate(now)
    until = min(period.end, today)
    days, minutes = Fraction(opening.open_days(period.start, until)), opening.open_minutes(period.start, until)
    if period.start <= today < period.end and (whole := opening.open_minutes(today, today + timedelta(days=1))):
        passed = opening.minutes_until(now)
        days, minutes = days + Fraction(passed, whole), minutes + passed
    return days, minutes


def _up_to(period: Period, kind: str, number: int) -> list[Period]:
    periods = [containing(kind, period.end - timedelta(days=1))]
    while len(periods) < number:
        periods.append(periods[-1].previous())
    return periods[::-1]


def _sum(of_days: dict[date, Calls], period: Period) -> PeriodCalls:
    counted = [calls for day, calls in of_days.items() if period.start <= day < period.end]
    return PeriodCalls(period, sum(counted, NO_CALLS), bool(counted))


def _grid(period: Period, today: date) -> Grid | None:
    """By weekday and hour, over whole months that are over: of a few days it would tell the hour of a day."""
    if period.kind == "week":
        return None
    months = [month for month in period.months() if month.end <= today]
    return traffic.by_weekday_and_hour(months[0].start, months[-1].end) if months else None
