"""Solves what bounds.py states, one objective after another, and keeps what every point shows of every figure."""

from math import inf

import highspy
import numpy as np

from tests.attacks.bounds import EPS, MOST, Bounds, K


class NoEnd(Exception):
    """The solver failed: every objective has an end."""


class Solver:
    """HiGHS with one matrix and ever other objectives, each begun at the end of the last."""

    def __init__(self, bounds: Bounds) -> None:
        starts, columns, factors, least, most = bounds.matrix()
        self.n = bounds.n
        self.highs = highspy.Highs()
        self.highs.setOptionValue("output_flag", False)
        self.highs.setOptionValue("threads", 1)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = self.n, len(bounds.rows)
        lp.col_cost_, lp.col_lower_ = np.zeros(self.n), np.zeros(self.n)
        lp.col_upper_ = np.full(self.n, MOST)
        lp.row_lower_ = np.where(least == -inf, -highspy.kHighsInf, least)
        lp.row_upper_ = np.where(most == inf, highspy.kHighsInf, most)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = starts, columns, factors
        self.highs.passModel(lp)
        self.programs = 0
        self.first = self._run()
        self.is_possible = self.first is not None
        self.highs.setOptionValue("presolve", "off")
        self.highs.setOptionValue("simplex_strategy", 4)  # primal: the last point stays possible

    def _run(self) -> np.ndarray | None:
        """A point where the objective ends, None where nothing fits."""
        self.programs += 1
        for _ in range(2):
            self.highs.run()
            if self.highs.getModelStatus() == highspy.HighsModelStatus.kOptimal:
                return np.array(self.highs.getSolution().col_value)
            self.highs.clearSolver()  # it may have lost its way from the last point: once more without that
        return None

    def extreme(self, columns: np.ndarray, factors: np.ndarray, *, most: bool) -> tuple[float, np.ndarray]:
        """The least or most that a sum can be, and a point where it is. Raises NoEnd."""
        cost = np.zeros(self.n)
        np.add.at(cost, columns, factors)
        self.highs.changeColsCost(self.n, np.arange(self.n, dtype=np.int32), -cost if most else cost)
        point = self._run()
        if point is None:
            raise NoEnd
        return float(factors @ point[columns]), point


class Figures:
    """All figures of a lattice: their values at a point, and the least and most of each that any point showed."""

    def __init__(self, bounds: Bounds, truth: np.ndarray, point: np.ndarray | None = None) -> None:
        self.sums = bounds.figures()
        self.keys = list(self.sums)
        sizes = [len(columns) for columns, _ in self.sums.values()]
        self.starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(int)
        self.columns = np.concatenate([columns for columns, _ in self.sums.values()])
        self.factors = np.concatenate([factors for _, factors in self.sums.values()])
        self.truth = self.values(truth)
        first = self.truth if point is None else self.values(point)
        self.least, self.most = first.copy(), first.copy()

    def values(self, point: np.ndarray) -> np.ndarray:
        return np.add.reduceat(self.factors * point[self.columns], self.starts)

    def see(self, point: np.ndarray) -> None:
        values = self.values(point)
        self.least, self.most = np.minimum(self.least, values), np.maximum(self.most, values)

    def bound(self, which: np.ndarray, *, most: bool) -> np.ndarray:
        """Those that no point so far has shown at nothing, or at the most that a hidden figure may be."""
        return np.flatnonzero(which & (self.most < K - 1 - EPS if most else self.least > EPS))

    def sum_of(self, some: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The columns and factors of a weighted sum of some figures."""
        parts = [self.sums[self.keys[n]] for n in some]
        columns = np.concatenate([columns for columns, _ in parts])
        factors = np.concatenate([w * factors for w, (_, factors) in zip(weights, parts, strict=True)])
        return columns, factors
