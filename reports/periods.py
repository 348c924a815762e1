"""Owns the calendar periods: half-open spans of days, month ⊂ quarter ⊂ half-year ⊂ year; weeks stand beside them.

Pure: today is an argument.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

# Months in a period of each kind that is made of whole months.
MONTHS: Mapping[str, int] = MappingProxyType({"month": 1, "quarter": 3, "half-year": 6, "year": 12})
KINDS = ("week", *MONTHS)
PILOT = "pilot"  # the one period whose span is a setting
YEARS = range(1900, 3000)  # a code outside them is a slip of the finger, and date arithmetic ends at year 9999

_CODES: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "week": re.compile(r"([0-9]{4})-W([0-9]{2})"),
        "month": re.compile(r"([0-9]{4})-([0-9]{2})"),
        "quarter": re.compile(r"([0-9]{4})-Q([0-9])"),
        "half-year": re.compile(r"([0-9]{4})-H([0-9])"),
        "year": re.compile(r"([0-9]{4})()"),
    }
)
_TIME_LETTERS: Mapping[str, str] = MappingProxyType({"month": "M", "quarter": "K", "half-year": "H"})
_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "sv": {"week": "v. {n} {year}", "quarter": "kvartal {n} {year}", "half-year": "halvår {n} {year}"},
        "en": {"week": "week {n}, {year}", "quarter": "quarter {n}, {year}", "half-year": "half-year {n}, {year}"},
    }
)
_MONTH_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sv": tuple("januari februari mars april maj juni juli augusti september oktober november december".split()),
        "en": tuple("January February March April May June July August September October November December".split()),
    }
)


@dataclass(frozen=True, slots=True)
class Period:
    """One calendar period: the days from `start` up to but not including `end`. ValueError if no `kind` has that span.

    Weeks are those of ISO 8601: Monday first, and the year is that of their Thursday.
    """

    kind: str
    start: date
    end: date

    def __post_init__(self) -> None:
        if self.kind == PILOT:
            if self.start.day != 1 or self.end.day != 1 or self.start >= self.end:
                raise ValueError("The pilot is made of whole months.")
            return
        if self.kind not in KINDS:
            raise ValueError(f"There is no kind of period called {self.kind!r}.")
        if (self.start, self.end) != _span(self.kind, self.start):
            raise ValueError(f"{self.start} to {self.end} is not a whole {self.kind}.")

    @property
    def code(self) -> str:
        """The code that `parse` reads: 2026-W47, 2026-11, 2026-Q4, 2026-H2 or 2026."""
        if self.kind == PILOT:
            return PILOT
        if self.kind == "year":
            return f"{self.year:04}"
        if self.kind == "month":
            return f"{self.year:04}-{self.number:02}"
        if self.kind == "week":
            return f"{self.year:04}-W{self.number:02}"
        return f"{self.year:04}-{self.kind[0].upper()}{self.number}"

    @property
    def time_code(self) -> str:
        """Its code as a value of the time variable Tid: 2026M11, 2026K4, 2026H2, 2026 or 2015P (PxWebApi 2)."""
        if self.kind == PILOT:
            return f"{self.year:04}P"
        if self.kind == "year":
            return f"{self.year:04}"
        number = f"{self.number:02}" if self.kind == "month" else str(self.number)
        return f"{self.year:04}{_TIME_LETTERS[self.kind]}{number}"

    @property
    def year(self) -> int:
        """The year in its code; for a week the ISO year, which may not be the year of its first day."""
        return self.start.isocalendar().year if self.kind == "week" else self.start.year

    @property
    def number(self) -> int:
        """Its place within the year, from 1."""
        if self.kind == "week":
            return self.start.isocalendar().week
        return (self.start.month - 1) // MONTHS[self.kind] + 1

    def previous(self) -> "Period":
        return containing(self.kind, self.start - timedelta(days=1))

    def next(self) -> "Period":
        return containing(self.kind, self.end)

    def days(self) -> Iterator[date]:
        return (self.start + timedelta(days=n) for n in range((self.end - self.start).days))

    def months(self) -> tuple["Period", ...]:
        """The months that tile it, in order. ValueError for a week, which may lie in two."""
        if self.kind == "week":
            raise ValueError("A week is not made of months.")
        months = [containing("month", self.start)]
        while months[-1].end < self.end:
            months.append(months[-1].next())
        return tuple(months)

    def label(self, language: str) -> str:
        """Its name within a sentence: "v. 47 2026", "november 2026"; in English for any language but "sv"."""
        language = "sv" if language == "sv" else "en"
        if self.kind == PILOT:
            first, last = (month.label(language) for month in (self.months()[0], self.months()[-1]))
            return f"{'piloten' if language == 'sv' else 'the pilot'} {first}–{last}"
        if self.kind == "year":
            return str(self.year)
        if self.kind == "month":
            return f"{_MONTH_NAMES[language][self.number - 1]} {self.year}"
        return _WORDS[language][self.kind].format(n=self.number, year=self.year)


def containing(kind: str, day: date) -> Period:
    """The one period of `kind` that holds `day`. ValueError for an unknown kind or a year outside YEARS."""
    if kind not in KINDS:
        raise ValueError(f"There is no kind of period called {kind!r}.")
    if day.year not in YEARS:
        raise ValueError(f"{day} lies outside the years {YEARS[0]} to {YEARS[-1]}.")
    return Period(kind, *_span(kind, day))


def pilot_between(first: str, last: str) -> Period:
    """The pilot from one day to another, both included and written as in 2026-01-31.

    At least a year, so that it shows no variable for less than its finest period; and no calendar year, which has its
    own release: under the pilot's key the same contacts would have a second figure. ValueError, with a sentence.
    """
    try:
        pilot = Period(PILOT, date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1))
    except (ValueError, OverflowError):
        raise ValueError("The pilot goes from the first day of a month to the last day of one.") from None
    if len(pilot.months()) < MONTHS["year"] or (pilot.start, pilot.end) == _span("year", pilot.start):
        raise ValueError("The pilot must have at least 12 whole months and be no calendar year.")
    return pilot


def parse(code: str) -> Period:
    """The period that `code` names, as in 2026-W47. ValueError, with a sentence, for anything else."""
    for kind, pattern in _CODES.items():
        if match := pattern.fullmatch(code):
            try:
                return containing(kind, _first_day(kind, int(match[1]), int(match[2] or 1)))
            except ValueError:
                break
    raise ValueError("No such period. Write it as 2026-W47, 2026-11, 2026-Q4, 2026-H2 or 2026.")


def _first_day(kind: str, year: int, number: int) -> date:
    if kind == "week":
        return date.fromisocalendar(year, number, 1)
    return date(year, (number - 1) * MONTHS[kind] + 1, 1)


def _span(kind: str, day: date) -> tuple[date, date]:
    if kind == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    length = MONTHS[kind]
    first = (day.month - 1) // length * length
    year, month = divmod(day.year * 12 + first + length, 12)
    return date(day.year, first + 1, 1), date(year, month + 1, 1)
