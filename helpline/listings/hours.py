"""Owns when a service is open: at a moment, when that changes, and its open periods. Pure.

Hours are those of the clock on the wall in Sweden, whatever the season. On the night when clocks go forward, a service
that opens at a time that is skipped opens as soon as the clock has passed it; on the night when they go back, the first
of two equal times counts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from helpline.listings import Hours

STOCKHOLM = ZoneInfo("Europe/Stockholm")
AHEAD = timedelta(days=7)  # how far an opening is looked for
_LAST_MINUTE = time(23, 59)  # a schedule that ends in it ends with the day: 24 hours are written 00:00 to 23:59:59
_SHIFT = time(1, tzinfo=UTC)  # at which clocks go forward and back (Directive 2000/84/EC)

Period = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Openness:
    """Whether a service is open, None when its hours are not known, and when that changes within a week (UTC)."""

    is_open: bool | None
    changes_at: datetime | None = None


def open_periods(schedules: Iterable[Hours], since: datetime, until: datetime) -> list[Period] | None:
    """When a service is open (UTC, in order, touching ones joined) among the days from `since` up to `until`.

    A period keeps its own beginning and end. None when hours are not known: no schedule is valid on any of the days.
    """
    last = until.astimezone(STOCKHOLM).date()
    # A day more on each side: a night that is open without a break is one period.
    first = since.astimezone(STOCKHOLM).date() - timedelta(days=1)
    days = [first + timedelta(days=n) for n in range((last - first).days + 2)]
    valid = list(schedules)
    if not any(hours.is_valid(day) for hours in valid for day in days[1:-1]):
        return None
    periods = sorted(period for day in days for hours in valid if hours.is_of(day) for period in _of_day(hours, day))
    return [(opens, closes) for opens, closes in _joined(periods) if closes > since and opens < until]


def openness(schedules: Iterable[Hours], at: datetime) -> Openness:
    """Whether a service is open at a moment (aware), until when, or when it opens next within a week."""
    periods = open_periods(schedules, at, at + AHEAD)
    if periods is None:
        return Openness(None)
    if not periods:
        return Openness(False)
    opens, closes = periods[0]
    if at < opens:
        return Openness(False, opens)
    return Openness(True, closes if closes <= at + AHEAD else None)


def _of_day(hours: Hours, day: date) -> Iterator[Period]:
    ends_with_day = hours.closes >= _LAST_MINUTE
    closes = _instant(day + timedelta(days=1), time()) if ends_with_day else _instant(day, hours.closes)
    opens = _instant(day, hours.opens)
    if opens < closes:
        yield opens, closes


def _instant(day: date, clock: time) -> datetime:
    """When the clock on the wall first shows a time or, if it is skipped, has passed it."""
    at = datetime.combine(day, clock, STOCKHOLM).astimezone(UTC)
    return at if at.astimezone(STOCKHOLM).time() == clock else datetime.combine(day, _SHIFT)


def _joined(periods: Iterable[Period]) -> list[Period]:
    joined: list[Period] = []
    for opens, closes in periods:
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(closes, joined[-1][1]))
        else:
            joined.append((opens, closes))
    return joined
