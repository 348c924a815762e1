"""Owns the coordinator's live overview: exact, internal, one-way, never exported.

Clean days and months are read from their counts, marked days are counted at this moment; so a contact shows at the
next page load, and a worker that stands still makes the page slower, never wrong.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import OperationalError
from django.db.models import QuerySet, Sum

from helpline.code_files import NOT_APPLICABLE
from helpline.taxonomy import CODE_LISTS, NON_ANSWERS, NOT_ASKED, QUESTIONS
from reports import counting
from reports.counting import COUNTED, Cells
from reports.models import DayCount, MonthCount
from reports.periods import PILOT, Period, containing
from reports.rollups import marked_and_given_up, marked_days
from reports.tallies import of_days, one_moment

log = logging.getLogger(__name__)

NO_INFORMATION = "_U"
WEEKS_SHOWN = 53
SHOWN = ("result", "caller_role", "concerns", "referral_target")
STORED = (*SHOWN, "referral_type")
REASONS = tuple(code for code in NON_ANSWERS if code != NOT_APPLICABLE)  # why there is no answer
STEP = 5  # in which receivers that do not exist locally are shown
SKIPPABLE = tuple(question for question in QUESTIONS if NOT_ASKED in CODE_LISTS[question].codes)


@dataclass(frozen=True, slots=True)
class WeekTotal:
    """One week's contacts: all logged (U3) and operationally relevant ones (U4)."""

    week: Period
    contacts: int
    relevant: int


@dataclass(frozen=True, slots=True)
class CodeCount:
    """n units of one code; `_U` sums not asked, does not know and declined."""

    code: str
    n: int


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The one-way counts of a variable, in the order of its code list, zeros included, `_U` last.

    `total` is the number of units in the base to which the variable applies; with `several`, one unit may have several
    codes.
    """

    variable: str
    unit: str
    base: str
    total: int
    rows: tuple[CodeCount, ...]
    several: bool


@dataclass(frozen=True, slots=True)
class MissingReceivers:
    """Referrals of four quarters for which no such receiver exists locally, by target, most first.

    Each n is "at least so many", a multiple of STEP; whether a target that is not among them has none or a few is not
    said. `missing_days` could not be counted.
    """

    months: Period
    rows: tuple[CodeCount, ...]
    missing_days: int


@dataclass(frozen=True, slots=True)
class Overview:
    """What the page shows of a period: U3, U4 and U6, the weeks up to its last, and the breakdowns.

    `pending_days` are counted at this moment, `given_up_days` of them because their recount failed again and again;
    `missing_days` cannot be counted now either, and the figures are without them.
    """

    period: Period
    contacts: int
    relevant: int
    referrals: int
    weeks: tuple[WeekTotal, ...]
    breakdowns: tuple[Breakdown, ...]
    pending_days: int
    given_up_days: int
    missing_days: int


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Of the `asked` contacts of a question, those without an answer, by the reason why.

    Asked is every contact of the base to which the question applies; the rest of them answered.
    """

    question: str
    asked: int
    not_asked: int
    unknown: int
    declined: int

    @property
    def silent(self) -> int:
        return self.not_asked + self.unknown + self.declined


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of a period at this moment, without those of `missing_days` that cannot be counted."""

    cells: Cells
    missing_days: int

    @property
    def contacts(self) -> int:
        """All that were logged (U3); for a count of `result`."""
        return _total(self.cells, "result")

    @property
    def relevant(self) -> int:
        """The relevant ones of them (U4); for a count of `result`."""
        return self.cells["result", counting.RELEVANT]


def overview(period: Period, *, breakdowns: bool = True) -> Overview:
    """The overview of a week, month, quarter or longer; its figures are of one moment and add up."""
    with one_moment():
        return _overview(period, breakdowns)


def missing_receivers(today: date) -> MissingReceivers:
    """Where "none available locally" was the outcome, by target, in the last four quarters that are over (R27).

    The present quarter is left out, since a count that grows while one looks tells the newest contact, and no other
    four quarters can be asked for, since the difference of two spans would be the count of the days between.
    """
    end = containing("quarter", today).start
    span = Period(PILOT, end.replace(year=end.year - 1), end)
    with one_moment():
        found = _counts(span, (counting.MISSING,))
    listed = (
        CodeCount(code, found.cells[counting.MISSING, code] // STEP * STEP)
        for code in CODE_LISTS["referral_target"].codes
    )
    rows = sorted((row for row in listed if row.n), key=lambda row: -row.n)
    return MissingReceivers(span, tuple(rows), found.missing_days)


def unanswered(period: Period) -> tuple[tuple[Unanswered, ...], int]:
    """The questions that can go without an answer, in the order of a conversation; all figures are of one moment. And
    how many days could not be counted and are not among them."""
    with one_moment():
        found = _counts(period, ("result", *SKIPPABLE))
    return tuple(_unanswered(question, found.cells) for question in SKIPPABLE), found.missing_days


def logged(period: Period) -> Counts:
    """The contacts of a period, by their result."""
    return _counts(period, ("result",))


def _counts(period: Period, variables: Collection[str]) -> Counts:
    marked = marked_days(period.start, period.end)
    live = _at_this_moment(marked, variables)
    return Counts(_stored(period, marked, variables) + _sum(live, period), len(marked) - len(live))


def _overview(period: Period, breakdowns: bool) -> Overview:
    weeks = _weeks_until(period)
    since, until = min(weeks[0].start, period.start), max(weeks[-1].end, period.end)
    marked = marked_and_given_up(since, until)
    live = _at_this_moment(marked, STORED)
    cells = _stored(period, marked, STORED) + _sum(live, period)
    return Overview(
        period=period,
        contacts=_total(cells, "result"),
        relevant=cells["result", counting.RELEVANT],
        referrals=_total(cells, "referral_type"),
        weeks=_week_totals(weeks, marked, live),
        breakdowns=tuple(_breakdown(variable, cells) for variable in SHOWN) if breakdowns else (),
        pending_days=len(live),
        given_up_days=sum(marked[day] for day in live),
        missing_days=len(marked) - len(live),
    )


def _at_this_moment(marked: Collection[date], variables: Collection[str]) -> dict[date, Cells]:
    """The counts of the marked days; a day that cannot be counted is left out and holds up no other."""
    try:
        return of_days(marked, variables)
    except OperationalError:
        raise  # the database's fault, and no day's
    except Exception:
        counted: dict[date, Cells] = {}
        for day in marked:
            try:
                counted |= of_days([day], variables)
            except Exception as error:
                log.error("live count of a day failed: %s", type(error).__name__)
        return counted


def _weeks_until(period: Period) -> list[Period]:
    week = containing("week", period.end - timedelta(days=1))
    weeks = [week]
    while len(weeks) < WEEKS_SHOWN:
        weeks.append(weeks[-1].previous())
    return weeks[::-1]


def _stored(period: Period, marked: Collection[date], variables: Collection[str]) -> Cells:
    """The stored counts of the clean days of `period`; by the month, where the period is made of clean months."""
    counts: QuerySet[Any]
    if period.kind == "week" or any(period.start <= day < period.end for day in marked):
        counts = DayCount.objects.filter(day__gte=period.start, day__lt=period.end).exclude(
            day__in=marked, is_sealed=False
        )
    else:
        counts = MonthCount.objects.filter(month__gte=period.start, month__lt=period.end)
    sums = counts.filter(variable__in=variables).values_list("variable", "code").annotate(sum=Sum("n"))
    return Cells({(variable, code): n for variable, code, n in sums})


def _sum(by_day: Mapping[date, Cells], period: Period) -> Cells:
    return sum((cells for day, cells in by_day.items() if period.start <= day < period.end), Cells())


def _week_totals(weeks: list[Period], marked: Collection[date], live: Mapping[date, Cells]) -> tuple[WeekTotal, ...]:
    results = DayCount.objects.filter(variable="result", day__gte=weeks[0].start, day__lt=weeks[-1].end)
    by_week: dict[date, Cells] = {}
    for day, cells in live.items():
        by_week.setdefault(containing("week", day).start, Cells()).update(cells)
    for day, code, n in results.exclude(day__in=marked, is_sealed=False).values_list("day", "code", "n"):
        by_week.setdefault(containing("week", day).start, Cells())["result", code] += n
    totals = ((week, by_week.get(week.start, Cells())) for week in weeks)
    return tuple(WeekTotal(w, _total(cells, "result"), cells["result", counting.RELEVANT]) for w, cells in totals)


def _total(cells: Cells, variable: str) -> int:
    """The number of units: every unit has exactly one code of a variable of single choice."""
    return sum(n for (name, _), n in cells.items() if name == variable)


def _contacts(cells: Cells, base: str) -> int:
    return _total(cells, "result") if base == counting.U3 else cells["result", counting.RELEVANT]


def _unanswered(question: str, cells: Cells) -> Unanswered:
    # From the contacts of the base, never from the sum of the codes: a contact may have several. What is no answer
    # stands alone, so that each of these codes counts contacts.
    asked = _contacts(cells, COUNTED[question].base) - cells[question, NOT_APPLICABLE]
    return Unanswered(question, asked, *(cells[question, code] for code in REASONS))


def _breakdown(variable: str, cells: Cells) -> Breakdown:
    code_list, counted = CODE_LISTS[variable], COUNTED[variable]
    rows = [CodeCount(code, cells[variable, code]) for code in code_list.codes if code not in NON_ANSWERS]
    if NON_ANSWERS.keys() & code_list.codes.keys():
        unknown = sum(cells[variable, code] for code in REASONS)
        rows.append(CodeCount(NO_INFORMATION, unknown))
    of_contacts = _contacts(cells, counted.base) - cells[variable, NOT_APPLICABLE]
    total = _total(cells, "referral_type") if counted.unit == counting.REFERRALS else of_contacts
    return Breakdown(variable, counted.unit, counted.base, total, tuple(rows), code_list.multiple)
