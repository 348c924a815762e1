"""Owns when the line is open: dated sets of weekly hours, exceptions, Swedish holidays, and the clock of Stockholm.

Pure. A span is given in minutes after midnight by the clock on the wall; how long it lasts, the time zone decides.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from zoneinfo import ZoneInfo

import holidays

STOCKHOLM = ZoneInfo("Europe/Stockholm")
MINUTES_A_DAY = 24 * 60
MOST_SPANS = 4  # of one day

gettext_noop = str  # marks a text for the translators

# Why a day has other hours than its weekday's.
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "holiday": gettext_noop("Holiday"),
        "staff": gettext_noop("Nobody to answer"),
        "technical": gettext_noop("Technical fault"),
        "extended": gettext_noop("Extended hours"),
        "other": gettext_noop("Other reason"),
    }
)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `opens` up to `closes`, minutes after midnight. ValueError unless forward and within the day."""

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= MINUTES_A_DAY:
            raise ValueError("a span goes forward and stays within the day")

    @property
    def text(self) -> str:
        """As it is written and read: 09:00-15:30."""
        return "-".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (self.opens, self.closes))


Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """The spans of the seven weekdays, Monday first, from `valid_from` until the next set begins."""

    valid_from: date
    weekdays: tuple[Spans, ...]

    def __post_init__(self) -> None:
        if len(self.weekdays) != 7:
            raise ValueError("a week has seven days")
        for spans in self.weekdays:
            refuse_overlap(spans)


@dataclass(frozen=True, slots=True)
class Exceptional:
    """The spans of one day, none when it is closed, and one of REASONS."""

    day: date
    spans: Spans
    reason: str

    def __post_init__(self) -> None:
        refuse_overlap(self.spans)
        if self.reason not in REASONS:
            raise ValueError("no such reason")


@dataclass(frozen=True, slots=True)
class Opening:
    """All that was ever said about opening hours; `sets` in order of their first days."""

    sets: tuple[WeeklyHours, ...] = ()
    exceptions: Mapping[date, Exceptional] = field(default_factory=dict)

    def in_force(self, day: date) -> WeeklyHours | None:
        """The set that holds on `day`; None before the first."""
        return next((hours for hours in reversed(self.sets) if hours.valid_from <= day), None)

    def spans(self, day: date) -> Spans:
        """When the line is open on `day`: as its exception says, else closed on a holiday, else as its weekday's."""
        if day in self.exceptions:
            return self.exceptions[day].spans
        hours = self.in_force(day)
        return () if hours is None or is_holiday(day) else hours.weekdays[day.weekday()]

    def open_days(self, start: date, end: date) -> int:
        """The days from `start` up to but not including `end` on which the line is open at all."""
        return sum(bool(self.spans(day)) for day in _days(start, end))

    def open_minutes(self, start: date, end: date) -> int:
        """How long the line is open from `start` up to but not including `end`, as time passes."""
        return sum(minutes(day, span) for day in _days(start, end) for span in self.spans(day))

    def minutes_until(self, now: datetime) -> int:
        """How long the line has been open at `now` on the day that it is in Stockholm."""
        local = now.astimezone(STOCKHOLM)
        passed = (now - _midnight(local.date())) // timedelta(minutes=1)
        return sum(minutes(local.date(), span, passed) for span in self.spans(local.date()))


def refuse_overlap(spans: Spans) -> None:
    """ValueError unless each span begins after the one before it has ended, and there are few of them."""
    if len(spans) > MOST_SPANS or any(a.closes >= b.opens for a, b in pairwise(spans)):
        raise ValueError("spans follow each other")


def read_spans(text: str) -> Spans:
    """The spans written "09:00-12:00, 13-16", none for an empty text. ValueError where it is not that."""
    return tuple(_read_span(written) for written in text.replace("–", "-").split(",") if written.strip())


def _read_span(written: str) -> Span:
    opens, closes = (_read_minutes(part.strip()) for part in written.split("-"))
    return Span(opens, closes)


def _read_minutes(text: str) -> int:
    hour, colon, minute = text.replace(".", ":").partition(":")
    if not (_is_number(hour) and (_is_number(minute) if colon else not minute) and int(minute or 0) < 60):
        raise ValueError("no time of day")
    return int(hour) * 60 + int(minute or 0)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 2


def is_holiday(day: date) -> bool:
    """Whether it is a public holiday in Sweden or one of the eves that are holidays in all but law: Midsummer Eve,
    Christmas Eve and New Year's Eve. A Sunday is none of its own: the weekly hours decide."""
    return day in _holidays(day.year)


@lru_cache
def _holidays(year: int) -> frozenset[date]:
    kinds = (holidays.PUBLIC, holidays.DE_FACTO)
    return frozenset(holidays.country_holidays("SE", years=year, categories=kinds, include_sundays=False))


# --- the clock of Stockholm ------------------------------------------------------------------------------------------


@lru_cache
def clock_hours(day: date) -> tuple[tuple[int, bool], ...]:
    """The hours of `day` in order, each with whether it is the second of its number: 24, in March 23, in October 25."""
    begins, ends = _midnight(day), _midnight(day + timedelta(days=1))
    moments = (begins + timedelta(hours=n) for n in range(round((ends - begins) / timedelta(hours=1))))
    local = (moment.astimezone(STOCKHOLM) for moment in moments)
    return tuple((moment.hour, bool(moment.fold)) for moment in local)


def minutes(day: date, span: Span, passed: int = 25 * 60) -> int:
    """How long the clock on the wall stands within `span` of `day`: never in an hour that it skips, twice in one that
    comes twice. Of the day `passed` minutes have passed, by default all."""
    total = 0
    for before, (hour, _) in enumerate(clock_hours(day)):
        begins, ends = 60 * hour, 60 * hour + min(60, passed - 60 * before)
        total += max(0, min(span.closes, ends) - max(span.opens, begins))
    return total


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), STOCKHOLM).astimezone(UTC)


def _days(start: date, end: date) -> Iterator[date]:
    return (start + timedelta(days=n) for n in range((end - start).days))
