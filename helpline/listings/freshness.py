"""Owns how old an entry of the directory is: when it must be made sure of anew, when an agreement lapses. Pure."""

import calendar
from datetime import date

MONTHS = 6  # after which somebody makes sure of an entry anew; before which one hears that an agreement lapses


def months_from(day: date, months: int) -> date:
    """The same day some months later (earlier if negative), or the last one of a month that is too short."""
    month = day.year * 12 + day.month - 1 + months
    year, month = month // 12, month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def is_stale(assured_on: date | None, today: date) -> bool:
    """Whether nobody has made sure of an entry for more than six months, or ever."""
    return assured_on is None or assured_on < months_from(today, -MONTHS)


def has_lapsed(until: date | None, today: date) -> bool:
    """Whether an agreement has ended: its last day lies behind."""
    return until is not None and until < today


def lapses_soon(until: date | None, today: date) -> bool:
    """Whether an agreement ends within six months, or has ended."""
    return until is not None and until <= months_from(today, MONTHS)
