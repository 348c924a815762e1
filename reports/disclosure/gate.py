"""Owns which numbers of a release are withheld, so that all that is published together gives no small number away.

Pure. Every small number, and every small complement, must keep an interval that covers 0 to k - 1; docs/anonymity.md,
the gate.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, floor

import numpy as np

from reports.catalogue import TABLES
from reports.disclosure.families import Axes, Family, families
from reports.disclosure.patterns import FIRST, U4_ALL, WHOLES, Pattern, whole_of
from reports.disclosure.program import NO_LIMIT, TOLERANCE, Number, Program, Span, Sum, Sums, Told
from reports.disclosure.search import LEAST, MOST, Audit, Search

# Of the whole catalogue, whatever is admitted: what one release is looked at with, the next one is too.
FAMILIES = families(frozenset(table.variables for table in TABLES.values() if table.variables))

Counts = Mapping[Pattern, Sequence[int]]
Step = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Cell:
    """What one table says of a pattern: the number, None where it is hidden; the table's threshold, and whether it is
    the higher one, which asks for no first contacts."""

    shown: int | None
    threshold: int
    is_own: bool


@dataclass(frozen=True)
class Issue:
    """The numbers of one release, by pattern, and the axes of the tables that are admitted."""

    span: Span
    cells: Mapping[Pattern, Sequence[Cell]]
    axes: frozenset[Axes]
    k: int
    base: int
    is_candidate: bool = False
    known: Mapping[Pattern, tuple[int, float]] = field(default_factory=dict)  # at least, at most: what a row file says
    k_first: int = 0  # first contacts among the relevant ones, where their number is shown

    @cached_property
    def told(self) -> dict[Pattern, list[Told]]:
        told = {pattern: self._told(pattern, cells) for pattern, cells in self.cells.items()}
        for pattern, (least, most) in self.known.items():
            number = Number(least, pattern) if self.is_candidate else None
            told.setdefault(pattern, []).append(Told(Sum(pattern, self.span), least, most, number))
        for cell in self.cells.get(U4_ALL, ()):
            if self.k_first and cell.shown is not None and not cell.is_own:
                number = Number(cell.shown, U4_ALL) if self.is_candidate else None
                told.setdefault(FIRST, []).append(Told(Sum(FIRST, self.span), self.k_first, NO_LIMIT, number))
        return told

    def _told(self, pattern: Pattern, cells: Sequence[Cell]) -> list[Told]:
        """A number that one table shows and another hides, for it has the higher threshold, lies below that."""
        about = Sum(pattern, self.span)
        shown = [(cell.shown, cell.threshold) for cell in cells if cell.shown is not None]
        if not shown:
            return []
        values = [value for value, _ in shown]
        number = Number(values[0], pattern) if self.is_candidate else None
        least = max(max(value - self.base + 1, threshold) for value, threshold in shown)
        below = [cell.threshold - 1 for cell in cells if cell.shown is None and cell.is_own]
        return [Told(about, least, min([*(value + self.base - 1 for value in values), *below]), number)]


def audit(issues: Sequence[Issue], counts: Counts, spans: Collection[Span], step: Step = lambda *_: None) -> Audit:
    """Look at the last of `issues`, the candidate, together with the others. `spans` are the calendar periods within
    it, `counts` the true numbers by month of every pattern of the catalogue."""
    admitted = frozenset().union(*(issue.axes for issue in issues))
    touched = [family for family in FAMILIES if _is_touched(family, issues[-1], admitted)]
    found, left = Audit(), touched
    while left:
        totals = {family: _totals(family, issues, counts, found) for family in touched if _is_one_way(family)}
        again = []
        for done, family in enumerate(left):
            step(done, len(left))
            if _audit_family(family, issues, counts, spans, _strongest(totals, family), found):
                again.append(family)
        step(len(left), len(left))
        left = again
    return found


def _is_touched(family: Family, candidate: Issue, admitted: frozenset[Axes]) -> bool:
    """Whether the candidate tells of it; of tables of two variables, whether any is out, or would be."""
    pairs = [axes for axes in family.axes if len(axes) > 1]
    return not family.patterns.isdisjoint(candidate.told) and (not pairs or any(axes in admitted for axes in pairs))


def _is_one_way(family: Family) -> bool:
    return all(len(axes) == 1 for axes in family.axes)


def _audit_family(
    family: Family,
    issues: Sequence[Issue],
    counts: Counts,
    spans: Collection[Span],
    totals: Iterable[Told],
    found: Audit,
) -> bool:
    """Whether it must be looked at again: it withheld a number of another family, which told it of a total, and a
    weaker bound of that is left. Whatever else is withheld anywhere only loosens what was told."""
    before = len(found.withheld)
    cuts = _cuts(family, issues, counts)
    told = _still(_told(family, issues, counts), found)
    told += [one for one in totals if one.about.pattern in family.patterns]
    targets = list(dict.fromkeys(_targets(family, issues, counts, spans, cuts)))
    if not targets:
        return False
    program = _program(family, counts, cuts, told, targets)
    found.looked_at += len(targets)
    search = Search(program, targets, issues[-1].k, found)
    search.withhold(LEAST)
    search.withhold(MOST)
    return not family.patterns.issuperset(found.withheld[before:])


def _program(
    family: Family, counts: Counts, cuts: Sequence[int], told: Collection[Told], asked: Collection[Sum]
) -> Program:
    return Program({p: counts[p] for p in sorted(family.patterns)}, cuts, family.relations, told, asked)


def _cuts(family: Family, issues: Sequence[Issue], counts: Counts) -> list[int]:
    """Where the blocks of a family end: with every number of its parts. Within a block, parts can lie in any of the
    months, in exchange for other contacts, as long as a month has k; a smaller one is a block of its own. So is every
    month where one whole bounds what another has beside it."""
    within = [issue for issue in issues if (family.patterns - WHOLES) & issue.told.keys()]
    end = max(issue.span.end for issue in issues)
    if WHOLES <= family.patterns:
        return [*range(end + 1)]
    small = [Span(month, month + 1) for month in range(end) if counts[U4_ALL][month] < issues[-1].k]
    spans = [*small, Span(0, end), issues[-1].span, *(issue.span for issue in within)]
    return sorted({month for span in spans for month in span})


def _still(told: Iterable[Told], found: Audit) -> list[Told]:
    """Without the numbers that are withheld by now."""
    return [one for one in told if one.number is None or one.number.pattern not in found.withheld]


def _totals(family: Family, issues: Sequence[Issue], counts: Counts, found: Audit) -> list[Told]:
    """What tables of one variable say of the totals, each bound with the smallest number of its proof that can be
    withheld. Guesses are left out: they are nobody's to pass on."""
    known = _still(_told(family, issues, counts), found)
    program = _program(family, counts, _cuts(family, issues, counts), [one for one in known if not one.is_guess], ())
    told = []
    for span in sorted({issue.span for issue in issues if _telling(family) & issue.told.keys()}):
        for whole in sorted(WHOLES & family.patterns):
            about = Sums([Sum(whole, span)], program)
            costs = about.costs(np.array([True]), len(program.truth))
            for end in (LEAST, MOST):
                bound = float(about.at(program.lowest(end * costs))[0])
                number = min((one.number for one in program.proof() if one.number is not None), key=_size, default=None)
                least = ceil(bound - TOLERANCE) if end == LEAST else -NO_LIMIT
                most = floor(bound + TOLERANCE) if end == MOST else NO_LIMIT
                told.append(Told(Sum(whole, span), least, most, number))
    return told


def _strongest(totals: Mapping[Family, Sequence[Told]], family: Family) -> list[Told]:
    """Of each total, the highest least and the lowest most that other families say."""
    said: dict[tuple[Sum, bool], Told] = {}
    for one in (one for other, of in totals.items() if other is not family for one in of):
        which = (one.about, one.most == NO_LIMIT)
        best = said.setdefault(which, one)
        if one.least > best.least or one.most < best.most:
            said[which] = one
    return list(said.values())


def _size(number: Number) -> tuple[bool, Number]:
    return number.pattern in WHOLES, number


def _told(family: Family, issues: Sequence[Issue], counts: Counts) -> Iterator[Told]:
    for issue in issues:
        for pattern in sorted(issue.told.keys() & family.patterns):
            yield from issue.told[pattern]
            if not issue.told[pattern] and _count(counts, pattern, issue.span) < issue.k:
                yield Told(Sum(pattern, issue.span), 0, issue.k - 1, is_guess=True)


def _lies_in(span: Span, other: Span) -> bool:
    return other.start <= span.start and span.end <= other.end


def _count(counts: Counts, pattern: Pattern, span: Span) -> int:
    return sum(counts[pattern][span.start : span.end])


def _targets(
    family: Family, issues: Sequence[Issue], counts: Counts, spans: Collection[Span], cuts: Sequence[int]
) -> Iterator[Sum]:
    """Every small number and every small complement of the family, in every period of which something is told: a
    number that no table has may follow from those that one has."""
    told = {issue.span for issue in issues if _telling(family) & issue.told.keys()}
    within = [span for span in spans if any(_lies_in(span, of) for of in told)]
    for pattern in sorted(family.patterns):
        for span in within:
            if _count(counts, pattern, span) < issues[-1].k:
                yield _as_sum(pattern, span, cuts, counts, issues[-1].k)
    for whole, option in family.complements:
        for span in within:
            yield from _complement(whole, option, span, cuts, counts, issues[-1].k)


def _telling(family: Family) -> frozenset[Pattern]:
    """The patterns of which a number makes a family worth a look: a whole only where it bounds another one."""
    return family.patterns if WHOLES <= family.patterns else family.patterns - WHOLES


def _as_sum(pattern: Pattern, span: Span, cuts: Sequence[int], counts: Counts, k: int) -> Sum:
    """The number itself. Where no number of its family tells of so short a span: that of the block around it, if it is
    small too; else the least that it can be, what is left of the block when all other contacts lie in the rest."""
    if pattern in WHOLES or span.start in cuts and span.end in cuts:
        return Sum(pattern, span)
    block = _block(span, cuts)
    if _count(counts, pattern, block) < k:
        return Sum(pattern, block)
    rest = [Span(block.start, span.start), Span(span.end, block.end)]
    whole = whole_of(pattern)
    return Sum(pattern, block, tuple((whole, one) for one in rest if one.start < one.end))


def _complement(
    whole: Pattern, option: Pattern, span: Span, cuts: Sequence[int], counts: Counts, k: int
) -> Iterator[Sum]:
    """A whole less an option, if that is small. Where the option is not told of by so short a span, the least that is
    left when all of its block lie in the span."""
    if _count(counts, whole, span) - _count(counts, option, span) < k:
        if span.start in cuts and span.end in cuts:
            yield Sum(whole, span, ((option, span),))
        elif whole in WHOLES:
            yield Sum(whole, span, ((option, _block(span, cuts)),))


def _block(span: Span, cuts: Sequence[int]) -> Span:
    return Span(max(cut for cut in cuts if cut <= span.start), min(cut for cut in cuts if cut >= span.end))
