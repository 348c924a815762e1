"""Owns the coordinator's live overview: exact, internal, one-way, never exported.

Clean days and months are read from their counts, marked days are counted at this moment; so a contact shows at the
next page load, and a worker that stands still makes the page slower, never wrong.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet, Sum

from helpline.code_files import NOT_APPLICABLE
from helpline.taxonomy import CODE_LISTS, NON_ANSWERS, NOT_ASKED, QUESTIONS
from reports import counting
from reports.counting import COUNTED, Cells
from reports.models import DayCount, MonthCount
from reports.periods import Period, containing
from reports.rollups import live_cells, live_contacts, marked_days

NO_INFORMATION = "_U"
WEEKS_SHOWN = 53
SHOWN = ("result", "caller_role", "concerns", "referral_target")
STORED = (*SHOWN, "referral_type")
REASONS = tuple(code for code in NON_ANSWERS if code != NOT_APPLICABLE)  # why there is no answer
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

    `total` is the number of units in the base; with `several`, one unit may have several codes.
    """

    variable: str
    unit: str
    base: str
    total: int
    rows: tuple[CodeCount, ...]
    several: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """What the page shows of a period: U3, U4 and U6, the weeks up to its last, and the breakdowns."""

    period: Period
    contacts: int
    relevant: int
    referrals: int
    weeks: tuple[WeekTotal, ...]
    breakdowns: tuple[Breakdown, ...]
    pending_days: int


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


def overview(period: Period, *, breakdowns: bool = True) -> Overview:
    """The overview of a week, month, quarter or longer; its figures are of one moment and add up."""
    with _one_moment():
        return _overview(period, breakdowns)


def unanswered(period: Period) -> tuple[Unanswered, ...]:
    """The questions that can go without an answer, in the order of a conversation; all figures are of one moment."""
    with _one_moment():
        marked = marked_days(period.start, period.end)
        live = live_contacts(marked) if marked else {}
        cells = _stored(period, marked, ("result", *SKIPPABLE)) + _sum(live, period)
    return tuple(_unanswered(question, cells) for question in SKIPPABLE)


@contextmanager
def _one_moment() -> Iterator[None]:
    """All statements see the same contacts and none waits for a writer; inside a transaction of the caller, that one
    decides."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        # Django's own transactions on SQLite take the write lock, which handlers need.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


def _overview(period: Period, breakdowns: bool) -> Overview:
    weeks = _weeks_until(period)
    since, until = min(weeks[0].start, period.start), max(weeks[-1].end, period.end)
    marked = marked_days(since, until)
    live = live_cells(marked) if marked else {}
    cells = _stored(period, marked, STORED) + _sum(live, period)
    return Overview(
        period=period,
        contacts=_total(cells, "result"),
        relevant=cells["result", counting.RELEVANT],
        referrals=_total(cells, "referral_type"),
        weeks=_week_totals(weeks, marked, live),
        breakdowns=tuple(_breakdown(variable, cells) for variable in SHOWN) if breakdowns else (),
        pending_days=len(marked),
    )


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


def _sum(live: dict[date, Cells], period: Period) -> Cells:
    return sum((cells for day, cells in live.items() if period.start <= day < period.end), Cells())


def _week_totals(weeks: list[Period], marked: Collection[date], live: dict[date, Cells]) -> tuple[WeekTotal, ...]:
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
    total = _total(cells, "referral_type") if counted.unit == counting.REFERRALS else _contacts(cells, counted.base)
    return Breakdown(variable, counted.unit, counted.base, total, tuple(rows), code_list.multiple)
