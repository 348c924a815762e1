"""Owns what the gate is shown: a candidate, the releases that count contacts of the same months, and the true numbers.

A run leaves its progress and its findings in a row, which stays inside: how many numbers were withheld is no figure of
a release.
"""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from django.db import transaction

from reports.catalogue import TABLES, Table
from reports.claims import at_the_gate
from reports.counting import CONTACTS
from reports.disclosure import gate
from reports.disclosure.gate import Cell, Issue, Step
from reports.disclosure.patterns import Pattern, pattern_of
from reports.disclosure.program import Contradiction, Span
from reports.disclosure.protect import Parameters
from reports.disclosure.row_file import RowFile
from reports.disclosure.row_margins import Margins, margins, months_of
from reports.disclosure.search import Audit
from reports.disclosure.tabulate import Record, tabulate
from reports.models import GateRun, PreparedFile, PublishedFile, Release
from reports.periods import MONTHS, PILOT, Period, containing

# One table, of any period, for each combination of variables.
ONCE = {(table.base, table.variables): table for table in TABLES.values() if not table.counts_calls}.values()

Found = TypeVar("Found")
Stored = TypeVar("Stored")
Figures = dict[str, dict[str, dict[str, int | None]] | None]
RecordsOf = Callable[[Period], Iterable[Record]]


class CannotAudit(Exception):
    """What is published does not fit the records: some are erased, or a figure is wrong."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What one release says, or would say."""

    start: date
    end: date
    figures: Figures
    rule: Parameters
    is_candidate: bool = False
    known: Margins = field(default_factory=dict)


def withhold(period: Period, edition: int, figures: Figures, rule: Parameters, records_of: RecordsOf) -> int:
    """Hide in the figures of a candidate what the gate withholds; how many small numbers other releases give away.

    `records_of` gives the frozen records of a period. Raises CannotAudit.
    """
    begun = {"done": 0, "of": 0}
    run, _ = GateRun.objects.update_or_create(begun, kind=period.kind, start=period.start, edition=edition)
    said = [*_beside(period, edition), _Said(period.start, period.end, figures, rule, is_candidate=True)]

    def step(done: int, of: int) -> None:
        GateRun.objects.filter(pk=run.pk).update(done=done, of=of)

    found = _audit(said, records_of, step)
    _keep(run, found, _hide(figures, set(found.withheld)) + _drop_without_total(figures))
    return len(found.standing)


def pass_alone(look: Callable[[], Found], store: Callable[[Found], Stored]) -> Stored:
    """What `store` makes of what `look` found at the gate, when nothing else has passed it meanwhile. On PostgreSQL
    nobody else can; on SQLite whoever comes second looks again."""
    with at_the_gate():
        while True:
            beside = _shown_by_now()
            found = look()
            with transaction.atomic():
                if _shown_by_now() == beside:
                    return store(found)


def _shown_by_now() -> frozenset[tuple[Any, ...]]:
    """Everything that a gate is shown beside its candidate, by its SHA-256."""
    releases = Release.objects.values_list("kind", "start", "edition", "sha256")
    files = [model.objects.exclude(sha256="").values_list("year", "sha256") for model in (PreparedFile, PublishedFile)]
    return frozenset([*releases, *files[0], *files[1]])


def gives_away(year: Period, file: RowFile, left_out: int, rule: Parameters, records_of: RecordsOf) -> bool:
    """Whether a row file of a year gives a small number away, together with every release of its months. `left_out` is
    how many rows the file says that it lacks. Raises CannotAudit."""
    said = [*_beside(year, 0), *_of_file(year, file.columns, file.rows.items(), left_out, rule, is_candidate=True)]
    return bool(_audit(said, records_of).withheld)


def _audit(said: Sequence[_Said], records_of: RecordsOf, step: Step = lambda *_: None) -> Audit:
    first, last = min(one.start for one in said), max(one.end for one in said)
    months = Period(PILOT, first, last).months()
    place = {month.start: place for place, month in enumerate(months)} | {last: len(months)}
    issues = [_issue(one, Span(place[one.start], place[one.end])) for one in said]
    counts = _counts(records_of(month) for month in months)
    _refuse_other_records(issues, counts)
    spans = {issue.span for issue in issues} | {Span(place[p.start], place[p.end]) for p in _calendar(months)}
    try:
        return gate.audit(issues, counts, sorted(spans), step)
    except Contradiction as error:
        raise CannotAudit(str(error)) from error


def _beside(period: Period, edition: int) -> list[_Said]:
    """Every release but the candidate, published or prepared, that shares a month with it, or with one that does."""
    others = [
        release
        for release in Release.objects.order_by("end", "start", "edition")
        if (release.kind, release.start, release.edition) != (period.kind, period.start, edition)
    ]
    start, end, found = period.start, period.end, []
    while touching := [one for one in others if one.start < end and one.end > start]:
        found += touching
        others = [one for one in others if one not in touching]
        start, end = min(start, *(one.start for one in touching)), max(end, *(one.end for one in touching))
    said = [_Said(r.start, r.end, json.loads(r.candidate), Parameters(**manifest(r)["parameters"])) for r in found]
    years = [year for year in range(start.year, end.year + 1) if edition or year != period.year]  # 0: a file itself
    return said + [one for year in years for one in _of_file_beside(year, start, end)]


def manifest(release: Release) -> dict[str, Any]:
    return dict(json.loads(release.manifest))


def _of_file_beside(year: int, start: date, end: date) -> list[_Said]:
    """What the row file of a year says, published or prepared, if there is one and some of its months are looked at."""
    of_year = containing("year", date(year, 1, 1))
    made: PublishedFile | PreparedFile | None = PublishedFile.objects.filter(year=year).exclude(content="").first()
    made = made or PreparedFile.objects.filter(year=year).exclude(content="").first()
    if made is None or of_year.end <= start or of_year.start >= end:
        return []
    columns, *rows = csv.reader(made.content.splitlines())
    left_out = int(json.loads(made.manifest)["utility"]["suppressed"])
    return _of_file(of_year, tuple(columns), Counter(map(tuple, rows)).items(), left_out, Parameters())


def _of_file(
    year: Period,
    columns: tuple[str, ...],
    rows: Iterable[tuple[tuple[str, ...], int]],
    left_out: int,
    rule: Parameters,
    *,
    is_candidate: bool = False,
) -> list[_Said]:
    months = year.months()
    said = []
    for span, known in sorted(margins(columns, rows, left_out).items(), reverse=True):
        first, end = months_of(span)
        said.append(_Said(months[first].start, months[end - 1].end, {}, rule, is_candidate, known))
    return said


def _calendar(months: Sequence[Period]) -> Iterator[Period]:
    for kind in MONTHS:
        for period in dict.fromkeys(containing(kind, month.start) for month in months):
            if months[0].start <= period.start and period.end <= months[-1].end:
                yield period


def _cells(figures: Figures) -> Iterator[tuple[Table, Pattern, dict[str, int | None], str]]:
    """Each number of contacts or referrals: its table, pattern, the cell that holds it, and its contents code."""
    for name, cells in figures.items():
        table = TABLES[name]
        if cells is not None and not table.counts_calls:
            for coordinates, values in cells.items():
                codes = tuple(coordinates.split("|")) if coordinates else ()
                for contents in values:
                    yield table, pattern_of(table, codes, contents), values, contents


def _issue(said: _Said, span: Span) -> Issue:
    cells: dict[Pattern, list[Cell]] = {}
    for table, pattern, values, contents in _cells(said.figures):
        threshold = said.rule.k_own if table.own_threshold else said.rule.k
        cells.setdefault(pattern, []).append(Cell(values[contents], threshold, table.own_threshold))
    axes = {TABLES[name].variables for name, cells_of in said.figures.items() if cells_of is not None}
    rule = said.rule
    return Issue(span, cells, frozenset(axes - {()}), rule.k, rule.base, said.is_candidate, said.known, rule.k_first)


def _counts(months: Iterable[Iterable[Record]]) -> dict[Pattern, list[int]]:
    """The true numbers of every pattern of the catalogue, by month."""
    counts: dict[Pattern, list[int]] = {}
    for place, records in enumerate(map(list, months)):
        for table in ONCE:
            for codes, cell in tabulate(table, records).cells.items():
                for contents in table.contents:
                    by_month = counts.setdefault(pattern_of(table, codes, contents), [])
                    if len(by_month) == place:
                        by_month.append(cell.contacts.n if contents == CONTACTS else cell.n_referrals)
    return counts


def _refuse_other_records(issues: Iterable[Issue], counts: Mapping[Pattern, Sequence[int]]) -> None:
    for issue in issues:
        for pattern, told in issue.told.items():
            n = sum(counts[pattern][issue.span.start : issue.span.end])
            if not all(one.least <= n <= one.most for one in told):
                raise CannotAudit("the records are not those that the releases were made of")


def _hide(figures: Figures, patterns: set[Pattern]) -> int:
    """Hide every number of the patterns, in whatever table; how many."""
    hidden = 0
    for _, pattern, values, contents in _cells(figures):
        if pattern in patterns and values[contents] is not None:
            values[contents] = None
            hidden += 1
    return hidden


def _drop_without_total(figures: Figures) -> int:
    """Drop every table of a base whose total is withheld; how many numbers that hides. Each table is admitted from a
    published total of its own on, so that those that are there would tell the total again."""
    tables = {TABLES[name]: cells for name, cells in figures.items() if not TABLES[name].counts_calls}
    has_total = {t.base for t, cells in tables.items() if not t.variables and cells and cells[""][CONTACTS] is not None}
    hidden = 0
    for table, cells in tables.items():
        if table.base not in has_total and cells is not None:
            hidden += sum(value is not None for values in cells.values() for value in values.values())
            figures[table.id] = None
    return hidden


def _keep(run: GateRun, found: Audit, withheld: int) -> None:
    GateRun.objects.filter(pk=run.pk).update(
        looked_at=found.looked_at, withheld=withheld, guesses=found.guesses, standing=len(found.standing)
    )
