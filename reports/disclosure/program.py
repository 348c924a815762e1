"""Owns what a reader of everything published can work out about a number: the least and greatest values that fit.

Pure. A linear program (HiGHS) whose unknowns are the patterns by span of time; docs/anonymity.md, the interval audit.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import highspy
import numpy as np

from reports.disclosure.patterns import WHOLES, Pattern, Relation

Vector = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

TOLERANCE = 1e-6
NO_LIMIT = highspy.kHighsInf
# From one question to the next only the goal changes, and the last point still fits: the primal method goes on from it.
OPTIONS: Mapping[str, Any] = {
    "output_flag": False,
    "threads": 1,
    "presolve": "off",
    "solver": "simplex",
    "simplex_strategy": 4,
}


class Span(NamedTuple):
    """Months, counted from the first of the program, up to but not including `end`."""

    start: int
    end: int


class Sum(NamedTuple):
    """A pattern over a span; less other patterns over spans of their own."""

    pattern: Pattern
    span: Span
    less: tuple[tuple[Pattern, Span], ...] = ()


class Number(NamedTuple):
    """A shown number that can still be withheld."""

    value: int
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Told:
    """What a reader knows of a sum: its bounds, both included, and by which number, None where nothing can be taken
    back. `is_guess`: nobody is told, but somebody may guess that a hidden number is small."""

    about: Sum
    least: float
    most: float
    number: Number | None = None
    is_guess: bool = False


class Sums:
    """Sums whose values at a point are reckoned all at once."""

    def __init__(self, sums: Sequence[Sum], program: "Program") -> None:
        self.sums = list(sums)
        factors = [program.factors(about) for about in sums]
        self._columns = np.array([column for of_sum in factors for column in of_sum], dtype=np.int32)
        self._factors = np.array([factor for of_sum in factors for factor in of_sum.values()])
        self._starts = np.cumsum([0, *(len(of_sum) for of_sum in factors[:-1])])
        self._lengths = np.array([len(of_sum) for of_sum in factors])

    def at(self, point: Vector) -> Vector:
        return np.add.reduceat(self._factors * point[self._columns], self._starts) if self.sums else np.zeros(0)

    def costs(self, chosen: Flags, unknowns: int) -> Vector:
        """The sum of those that are chosen, as a factor for each unknown."""
        weights = self._factors * np.repeat(chosen, self._lengths)
        return np.bincount(self._columns, weights, unknowns).astype(float)


class Contradiction(Exception):
    """No counts fit what is told: a statement or a relation is wrong."""


class Program:
    """The unknowns, how they lie in one another, and what a reader is told; and the questions that can be asked of it.

    The unknowns are every pattern by the blocks between `cuts` (months), and the wholes by month: whatever fits a block
    can be spread over its months in proportion to their whole. `counts` are the true numbers by month: one point that
    fits, and the judge of usual relations.
    """

    def __init__(
        self,
        counts: Mapping[Pattern, Sequence[int]],
        cuts: Sequence[int],
        relations: Iterable[Relation],
        told: Collection[Told],
        asked: Collection[Sum],
    ) -> None:
        self._blocks = [Span(*block) for block in pairwise(cuts)]
        self._column: dict[tuple[Pattern, Span], int] = {}
        truth: list[float] = []
        for pattern, by_month in counts.items():
            for span in self._spans(pattern):
                self._column[pattern, span] = len(truth)
                truth.append(sum(by_month[span.start : span.end]))
        self.truth: Vector = np.array(truth)
        self._rows: list[tuple[dict[int, float], float, float]] = []
        self._relate(relations)
        self._told: dict[Sum, list[Told]] = defaultdict(list)
        for one in told:
            self._told[one.about].append(one)
        for about in asked:
            self._told[about] += []
        self._row = {about: len(self._rows) + place for place, about in enumerate(self._told)}
        self._rows += [(self.factors(about), *self._bounds(about)) for about in self._told]
        self._costs = np.zeros(len(truth))
        self._solver = self._load()

    def _spans(self, pattern: Pattern) -> list[Span]:
        if pattern in WHOLES:
            return [Span(month, month + 1) for month in range(self._blocks[0].start, self._blocks[-1].end)]
        return self._blocks

    def factors(self, about: Sum) -> dict[int, float]:
        """The factor of each unknown in a sum. KeyError if its span lies across the blocks."""
        factors: dict[int, float] = defaultdict(float)
        for sign, pattern, whole in ((1, about.pattern, about.span), *((-1, *less) for less in about.less)):
            spans = [s for s in self._spans(pattern) if whole.start <= s.start and s.end <= whole.end]
            if sum(s.end - s.start for s in spans) != whole.end - whole.start:
                raise KeyError(about)
            for span in spans:
                factors[self._column[pattern, span]] += sign
        return factors

    def _relate(self, relations: Iterable[Relation]) -> None:
        for relation in relations:
            for block in self._blocks:
                factors: dict[int, float] = defaultdict(float)
                for factor, pattern in relation.terms:
                    for column in self.factors(Sum(pattern, block)):
                        factors[column] += factor
                value = self._at(factors, self.truth)
                if not (relation.is_usual and (value > 0 or relation.is_equal and value)):
                    self._rows.append((factors, 0 if relation.is_equal else -NO_LIMIT, 0))

    def _bounds(self, about: Sum) -> tuple[float, float]:
        said = self._told[about]
        return max((one.least for one in said), default=-NO_LIMIT), min((one.most for one in said), default=NO_LIMIT)

    def _load(self) -> highspy.Highs:
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(self.truth), len(self._rows)
        model.col_cost_, model.col_lower_ = np.zeros(len(self.truth)), np.zeros(len(self.truth))
        # Far beyond what anybody could think, so that whatever is told of by nobody has an end all the same.
        model.col_upper_ = np.full(len(self.truth), 100 + 10 * self.truth.max(initial=0))
        model.row_lower_ = np.array([least for _, least, _ in self._rows], dtype=float)
        model.row_upper_ = np.array([most for _, _, most in self._rows], dtype=float)
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = np.cumsum([0, *(len(factors) for factors, _, _ in self._rows)])
        model.a_matrix_.index_ = np.array([column for factors, _, _ in self._rows for column in factors])
        model.a_matrix_.value_ = np.array([factor for factors, _, _ in self._rows for factor in factors.values()])
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in OPTIONS.items():
            solver.setOptionValue(option, value)
        solver.passModel(model)
        return solver

    @staticmethod
    def _at(factors: Mapping[int, float], point: Vector) -> float:
        return float(sum(factor * point[column] for column, factor in factors.items()))

    # --- questions ---

    def lowest(self, costs: Vector) -> Vector:
        """A point that fits, at which the unknowns times `costs` are least. Raises Contradiction."""
        changed = np.flatnonzero(costs != self._costs).astype(np.int32)
        self._solver.changeColsCost(len(changed), changed, costs[changed])
        self._costs = costs
        for _ in range(2):
            self._solver.run()
            if self._solver.getModelStatus() == highspy.HighsModelStatus.kOptimal:
                return np.array(self._solver.getSolution().col_value)
            said = self._solver.getModelStatus().name
            self._solver.clearSolver()  # it may have lost its way from the last point: once more without that
        raise Contradiction(said)

    def proof(self) -> list[Told]:
        """What was told without which the last point would not have been the end."""
        duals = np.array(self._solver.getSolution().row_dual)
        found = []
        for about, row in self._row.items():
            if abs(dual := duals[row]) > TOLERANCE:
                least, most = self._bounds(about)
                found += [one for one in self._told[about] if (one.least == least if dual > 0 else one.most == most)]
        return found

    def forget(self, one: Told) -> None:
        """It is not told after all, nor anything else that its number tells."""
        for about, said in self._told.items():
            kept = [other for other in said if other != one and (one.number is None or other.number != one.number)]
            if len(kept) < len(said):
                self._told[about] = kept
                self._solver.changeRowBounds(self._row[about], *self._bounds(about))

    @contextmanager
    def capped(self, sums: Iterable[Sum], most: float) -> Iterator[None]:
        """In the block no point has more than `most` in any of the sums; so one point has that in more of them."""
        rows = {about: self._row[about] for about in sums}
        for about, row in rows.items():
            least, own = self._bounds(about)
            self._solver.changeRowBounds(row, least, min(own, most))
        yield
        for about, row in rows.items():
            self._solver.changeRowBounds(row, *self._bounds(about))
