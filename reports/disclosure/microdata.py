"""Owns the search for the row file of a year: the least coarse levels at which no row stands out. Pure.

Optimal full-domain generalisation (k-anonymity with distinct l-diversity; Samarati 2001, El Emam and others 2009): one
level of each variable holds for the whole file, and what then still stands out is left out as whole rows. A starred
value would be read as "any" and make rows look alike that are not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from reports.disclosure.row_variables import Quasi

Numbers = NDArray[np.int64]

TOO_FEW, TOO_COARSE, GIVES_AWAY = "too-few-rows", "too-coarse", "gives-away"


class NoFile(Exception):
    """The year has no row file; `reason` is TOO_FEW or TOO_COARSE."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Limits:
    """What every file keeps, recorded in its manifest; percentages are whole."""

    k: int = 10  # rows in a class, those that are alike in every variable
    l: int = 3  # noqa: E741 (its name in the field) - different main concerns in a class, no information not counted
    top_percent: int = 80  # most of a class with the same main concern
    cell: int = 5  # rows with the same code of one variable and the same main concern, if any: the k of the tables
    average: int = 20  # rows in a class on average: one row in twenty at most is guessed right
    suppressed_percent: int = 5  # most of the rows left out
    fewest_rows: int = 600
    loss_percent: int = 65  # most of the detail lost

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Tally:
    """The distinct rows of a year and how many there are of each: `places` has a column for each variable, one for the
    main concern and one for the flag."""

    places: Numbers = field(repr=False)
    n: Numbers = field(repr=False)

    @property
    def total(self) -> int:
        return int(self.n.sum())


def tally(counts: Mapping[tuple[int, ...], int]) -> Tally:
    """Rows counted by their `row_variables.place_of`, as arrays."""
    columns = len(next(iter(counts), ()))
    n = np.fromiter(counts.values(), np.int64, len(counts))
    return Tally(np.array(list(counts), np.int64).reshape(len(counts), columns), n)


@dataclass(frozen=True, slots=True)
class Solution:
    """The least lossy levels, one of each variable; what they lose of the detail, left-out rows whole (0 to 1); which
    distinct rows stay, and the size of each class."""

    levels: tuple[int, ...]
    loss: float
    kept: NDArray[np.bool_] = field(repr=False)  # by distinct row
    classes: Numbers = field(repr=False)


def search(rows: Tally, quasis: Sequence[Quasi], n_mains: int, limits: Limits) -> Solution:
    """The solution that loses least. The last of the `n_mains` main concerns is "no information". Raises NoFile.

    What a node loses without leaving anything out is the least it can lose, and a sum over its variables; nodes are
    tried from the least of it on, until it is no less than the best found.
    """
    if rows.total < limits.fewest_rows:
        raise NoFile(TOO_FEW)
    lost = _lost(rows, quasis)
    best: Solution | None = None
    for least, levels in sorted(_bounds(rows, lost)):
        if least >= (best.loss if best else limits.loss_percent / 100 + 1e-12):
            break
        found = _try(levels, rows, quasis, n_mains, lost, limits)
        if found and (best is None or found.loss < best.loss):
            best = found
    if best is None or best.loss > limits.loss_percent / 100:
        raise NoFile(TOO_COARSE)
    return best


Lost = list[list[NDArray[np.float64]]]  # by variable and level, what each distinct row loses of a row's whole detail


def _lost(rows: Tally, quasis: Sequence[Quasi]) -> Lost:
    weights = sum(quasi.weight for quasi in quasis)
    return [
        [
            np.array([quasi.weight / weights * level.detail_lost(place) for place in level.place_of])[column]
            for level in quasi.levels
        ]
        for quasi, column in zip(quasis, rows.places.T, strict=False)
    ]


def _bounds(rows: Tally, lost: Lost) -> list[tuple[float, tuple[int, ...]]]:
    """(least loss, levels) of every node."""
    means = [[float(rows.n @ of_rows) / rows.total for of_rows in levels] for levels in lost]
    nodes = product(*(range(len(levels)) for levels in means))
    return [(sum(of[level] for of, level in zip(means, node, strict=True)), node) for node in nodes]


def classes_of(rows: Tally, quasis: Sequence[Quasi], node: Sequence[int]) -> tuple[Numbers, int]:
    """The number of each distinct row's class at these levels, and how many numbers there are."""
    key, n_keys = np.zeros(len(rows.n), np.int64), 1
    for quasi, level, column in zip(quasis, node, rows.places.T, strict=False):
        of = quasi.levels[level]
        key = key * len(of.codes) + np.array(of.place_of)[column]
        n_keys *= len(of.codes)
    return key, n_keys


def _try(
    node: tuple[int, ...], rows: Tally, quasis: Sequence[Quasi], n_mains: int, lost: Lost, limits: Limits
) -> Solution | None:
    """What a node makes; None if it leaves out too much or its classes are too small on average."""
    key, n_keys = classes_of(rows, quasis, node)
    crossed = _crossed(rows, quasis, node)
    kept = np.ones(len(rows.n), np.bool_)
    while True:  # what is left out may leave others standing out
        classes, is_safe = _classes(rows, kept, key, n_keys, n_mains, limits)
        kept &= is_safe[key]
        n_kept = int(rows.n[kept].sum())
        if 100 * (rows.total - n_kept) > limits.suppressed_percent * rows.total:
            return None
        small = _small(rows, kept, crossed, n_mains, limits.cell)
        if not small.any():
            break
        kept &= ~small
    if n_kept < max(limits.fewest_rows, limits.average * len(classes)):
        return None
    of_rows = sum((of[level] for of, level in zip(lost, node, strict=True)), np.zeros(len(rows.n)))
    loss = (float(rows.n[kept] @ of_rows[kept]) + rows.total - n_kept) / rows.total
    return Solution(node, loss, kept, classes)


def _classes(
    rows: Tally, kept: NDArray[np.bool_], key: Numbers, n_keys: int, n_mains: int, limits: Limits
) -> tuple[Numbers, NDArray[np.bool_]]:
    """The sizes of the classes in which no row stands out, and of every number whether it is one of theirs."""
    cells = np.bincount(key * n_mains + rows.places[:, -2], rows.n * kept, n_keys * n_mains)
    cells = cells.reshape(n_keys, n_mains)
    sizes = cells.sum(axis=1)
    # No information is no concern: it adds nothing to what a class leaves open.
    is_safe = (sizes >= limits.k) & ((cells[:, :-1] > 0).sum(axis=1) >= limits.l)
    is_safe &= 100 * cells.max(axis=1) <= limits.top_percent * sizes
    return sizes[is_safe].astype(np.int64), is_safe


def _crossed(rows: Tally, quasis: Sequence[Quasi], node: Sequence[int]) -> list[tuple[Numbers, int]]:
    """Of each variable of the file, in its coarsest groups and by period, the number of each row's code and how many
    numbers there are: what tables cross with a concern."""
    first, *others = quasis
    time, of_time = np.array(first.levels[node[0]].place_of)[rows.places[:, 0]], first.levels[node[0]].codes
    crossed = [(time, len(of_time))]
    for quasi, level, column in zip(others, node[1:], rows.places.T[1:], strict=False):
        if level < len(quasi.levels) - 1:
            group = quasi.levels[-2]
            places = time * len(group.codes) + np.array(group.place_of)[column]
            crossed.append((places, len(of_time) * len(group.codes)))
    return crossed


def _small(
    rows: Tally, kept: NDArray[np.bool_], crossed: list[tuple[Numbers, int]], n_mains: int, least: int
) -> NDArray[np.bool_]:
    """The kept rows that would prove a number that tables hide: fewer than `least` with the same code and the same main
    concern, or fewer that certainly lack a concern. A row lacks those before its main one, and, if it has no other,
    those after it."""
    main, more = rows.places[:, -2], rows.places[:, -1]
    small = np.zeros(len(rows.n), np.bool_)
    for code, n_codes in crossed:
        cells = np.bincount((code * n_mains + main) * 2 + more, rows.n * kept, n_codes * n_mains * 2)
        cells = cells.reshape(n_codes, n_mains, 2)
        with_it = cells.sum(axis=2)
        small |= (with_it < least)[code, main]
        for concern in range(n_mains - 1):
            without = with_it[:, concern + 1 :].sum(axis=1) + cells[:, :concern, 0].sum(axis=1)
            lacks = (main > concern) | (main < concern) & (more == 0)
            small |= (without < least)[code] & lacks
    return small & kept
