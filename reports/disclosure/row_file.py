"""Owns the rows of a file as values, and what is said of how well they stand for what was logged. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

import numpy as np

from reports.disclosure.microdata import Limits, Numbers, Solution, Tally, classes_of
from reports.disclosure.row_variables import MAIN, MAINS, MORE, NO, TIME, YES, Quasi

STEP = 5  # what is said of rows that were left out is said in fives
MORES = (NO, YES)


@dataclass(frozen=True, slots=True)
class RowFile:
    """The columns of a file and its distinct rows, each with how often it stands there."""

    columns: tuple[str, ...]
    rows: Mapping[tuple[str, ...], int] = field(repr=False)

    @property
    def n(self) -> int:
        return sum(self.rows.values())


def file_of(rows: Tally, solution: Solution, quasis: Sequence[Quasi], year: int) -> RowFile:
    """What of `rows` a solution keeps, in its codes and in the order of the code lists: no trace of the order in which
    they were read."""
    axes = _axes(rows, solution, quasis, year)
    key, _n_keys = classes_of(rows, quasis, solution.levels)
    key = (key * len(MAINS) + rows.places[:, -2]) * len(MORES) + rows.places[:, -1]
    _distinct, first, which = np.unique(key[solution.kept], return_index=True, return_inverse=True)
    n = np.bincount(which, rows.n[solution.kept]).astype(int).tolist()
    columns = [np.array(codes)[places[solution.kept][first]].tolist() for codes, places in axes.values()]
    return RowFile(tuple(axes), dict(zip(zip(*columns, strict=True), n, strict=True)))


def _axes(
    rows: Tally, solution: Solution, quasis: Sequence[Quasi], year: int
) -> dict[str, tuple[tuple[str, ...], Numbers]]:
    """By column of the file, its codes and the place among them of each distinct row."""
    axes: dict[str, tuple[tuple[str, ...], Numbers]] = {}
    for quasi, level, places in zip(quasis, solution.levels, rows.places.T, strict=False):
        if (of := quasi.levels[level]).column:
            codes = tuple(f"{year}{code}" for code in of.codes) if of.column == TIME else of.codes
            axes[of.column] = codes, np.array(of.place_of)[places]
    return axes | {MAIN: (MAINS, rows.places[:, -2]), MORE: (MORES, rows.places[:, -1])}


def utility(rows: Tally, solution: Solution, quasis: Sequence[Quasi], limits: Limits) -> dict[str, object]:
    """How well the file stands for what was logged: counts of rows, shares and averages as numbers.

    The number of rows left out is rounded to fives, 5 at the least, and all else is computed from the file and from
    that number, so that nobody computes it back; the bias is rounded up to whole percentage points.
    """
    n = int(solution.classes.sum())
    suppressed = max(STEP, round((rows.total - n) / STEP) * STEP)
    ncp = {}
    for quasi, level, places in zip(quasis, solution.levels, rows.places.T, strict=False):
        lost = np.array([quasi.levels[level].detail_lost(place) for place in quasi.levels[level].place_of])
        ncp[quasi.id] = float(rows.n[solution.kept] @ lost[places[solution.kept]]) / n
    of_rows = sum(quasi.weight * ncp[quasi.id] for quasi in quasis) / sum(quasi.weight for quasi in quasis)
    squares = float((solution.classes**2).sum())
    return {
        "rows": n,
        "suppressed": suppressed,
        "suppressed_share": round(suppressed / (n + suppressed), 3),
        "loss": round((n * of_rows + suppressed) / (n + suppressed), 3),
        "ncp": {name: round(value, 3) for name, value in ncp.items()} | {"total": round(of_rows, 3)},
        "discernibility": round(squares / (n + suppressed) + suppressed, 1),
        "classes": len(solution.classes),
        "average_class_by_k": round(n / len(solution.classes) / limits.k, 2),
        "smallest_class": int(solution.classes.min()),
        "largest_bias_percent": _largest_bias(rows, solution, quasis),
    }


def _largest_bias(rows: Tally, solution: Solution, quasis: Sequence[Quasi]) -> int:
    """The most by which the share of a code in the file is off, in percentage points, rounded up; 1 at the least."""
    most = 0.0
    for codes, places in _axes(rows, solution, quasis, 0).values():
        logged = np.bincount(places, rows.n, len(codes)) / rows.total
        kept = np.bincount(places[solution.kept], rows.n[solution.kept], len(codes)) / solution.classes.sum()
        most = max(most, float(np.abs(kept - logged).max()))
    return max(1, ceil(100 * most - 1e-9))
