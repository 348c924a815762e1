"""Audits a lattice: what everything published together proves of what it hides, soundly or by a gambler's belief.

A solver's point shows for many figures at once that they may be nothing, or may be large; only the rest is asked for
one by one. The truth is such a point too: it is used so, and so shows that no bound is wrong.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from time import process_time
from types import MappingProxyType

import numpy as np

from reports.periods import Period
from tests.attacks.bounds import EPS, Audit, Bounds, Finding, K, Margins
from tests.attacks.crawl import Key
from tests.attacks.lattice import Lattice
from tests.attacks.solver import Figures, Solver
from tests.oracle import Row


def audit(
    found: Audit,
    lattice: Lattice,
    months: Sequence[Period],
    periods: Iterable[Period],
    published: Mapping[Key, int | None],
    rows: Sequence[Row],
    margins: Margins = MappingProxyType({}),
) -> None:
    """Add to `found` what the tables of a lattice give away of what they hide, the reader knowing nothing else."""
    began = process_time()
    bounds = Bounds(lattice, months, list(periods), published, margins=margins)
    truth = bounds.truth(rows, months)
    found.unsound += _broken(bounds, truth)
    solver, figures = Solver(bounds), Figures(bounds, truth)
    if not solver.is_possible:
        found.impossible.append(lattice.name)
        return
    is_small = figures.truth < K - 0.5
    found.small |= {figures.keys[n] for n in np.flatnonzero(is_small)}
    found.big |= {figures.keys[n][1:] for n in np.flatnonzero(~is_small) if figures.keys[n][0] == "cell"}
    rng = np.random.default_rng(7)
    _at_once(solver, figures, is_small, rng, most=False)
    _at_once(solver, figures, is_small, rng, most=True)
    low = _one_by_one(solver, figures, figures.bound(is_small, most=False), most=False)
    high = _one_by_one(solver, figures, figures.bound(is_small, most=True), most=True)
    for n in sorted({*low, *high}):
        what, cell, time = figures.keys[n]
        least = low.get(n, 0.0)
        most = high[n] if n in high else _known(solver, figures, n, most=True)
        one = Finding(what, cell, time, round(figures.truth[n]), least, most)
        found.findings.setdefault(figures.keys[n], one)
    for n in _fixed(solver, figures, ~is_small):
        found.big_exact.add(figures.keys[n][1:])
    found.programs += solver.programs
    found.seconds += process_time() - began


def _broken(bounds: Bounds, truth: np.ndarray) -> list[str]:
    starts, columns, factors, least, most = bounds.matrix()
    values = np.add.reduceat(factors * truth[columns], starts[:-1])
    wrong = (values < least - EPS) | (values > most + EPS)
    return [f"{bounds.lattice.name}: row {n}" for n in np.flatnonzero(wrong)]


def _at_once(solver: Solver, figures: Figures, is_small: np.ndarray, rng: np.random.Generator, *, most: bool) -> None:
    """Points at which as many small figures as possible are nothing, or large; until a point frees hardly any."""
    left = figures.bound(is_small, most=most)
    while len(left):
        some = left if not most else rng.permutation(left)[: max(len(left) // 3, 1)]
        figures.see(solver.extreme(*figures.sum_of(some, rng.uniform(0.5, 1.5, len(some))), most=most)[1])
        before, left = left, figures.bound(is_small, most=most)
        if len(before) - len(left) < 3:
            return


def _one_by_one(solver: Solver, figures: Figures, some: Iterable[int], *, most: bool) -> dict[int, float]:
    """The bound of each of these figures that no point seen meanwhile frees; only those that are bound."""
    bound = {}
    for n in some:
        is_free = figures.most[n] >= K - 1 - EPS if most else figures.least[n] <= EPS
        if is_free:
            continue
        limit = _known(solver, figures, n, most=most)
        if limit < K - 1 - EPS if most else limit > EPS:
            bound[n] = limit
    return bound


def _known(solver: Solver, figures: Figures, n: int, *, most: bool) -> float:
    limit, point = solver.extreme(*figures.sums[figures.keys[n]], most=most)
    figures.see(point)
    return limit


def _fixed(solver: Solver, figures: Figures, which: np.ndarray) -> list[int]:
    """Those of the figures that can be nothing but what they are."""
    fixed = []
    for n in np.flatnonzero(which):
        if figures.keys[n][0] != "cell":
            continue
        for most in (True, False):
            if figures.most[n] - figures.least[n] < 1 - EPS:
                _known(solver, figures, n, most=most)
        if floor(figures.most[n] + EPS) == ceil(figures.least[n] - EPS):
            fixed.append(n)
    return fixed


# --- a gambler --------------------------------------------------------------------------------------------------------


@dataclass
class Gamble:
    """What somebody hits who takes every hidden figure for one below its threshold."""

    small: int = 0
    right: int = 0
    wrong: int = 0
    impossible: int = 0  # lattices in which not all that is hidden can be so small


def gamble(
    found: Gamble,
    lattice: Lattice,
    months: Sequence[Period],
    periods: Iterable[Period],
    published: Mapping[Key, int | None],
    rows: Sequence[Row],
) -> None:
    """Add the small figures of a lattice that such a belief leaves but one value, and whether that is the true one."""
    bounds = Bounds(lattice, months, list(periods), published, gamble=True)
    solver = Solver(bounds)
    figures = Figures(bounds, bounds.truth(rows, months), solver.first)
    is_small = figures.truth < K - 0.5
    found.small += int(is_small.sum())
    if not solver.is_possible:
        found.impossible += 1
        return
    rng = np.random.default_rng(7)
    for _ in range(20):
        left = np.flatnonzero(is_small & (figures.most - figures.least < 1 - EPS))
        if len(left):
            figures.see(solver.extreme(*figures.sum_of(left, rng.uniform(-1, 1, len(left))), most=True)[1])
    for n in _fixed(solver, figures, is_small):
        is_right = round(figures.least[n]) == round(figures.truth[n])
        found.right += is_right
        found.wrong += not is_right
