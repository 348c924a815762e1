"""Guesses hidden figures by least squares, and by what shares alone would say: how much more does the attacker hit?"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from reports.periods import Period
from tests.attacks.bounds import Bounds
from tests.attacks.crawl import Key
from tests.attacks.lattice import CONTACTS, MANY, TOTAL, Lattice
from tests.oracle import Row

ROUNDS = 400
RULE, SHOWN, HIDDEN = 3.0, 1.0, 0.2  # how much a round listens to what must be, what is shown, and to the symbol
BELOW = 2.0  # what the symbol is taken for


def hits(
    lattice: Lattice,
    months: Sequence[Period],
    periods: Iterable[Period],
    published: Mapping[Key, int | None],
    rows: Sequence[Row],
) -> tuple[int, int, int]:
    """Of the cells of two variables that hold 1 to 4: how many there are, how many least squares tell exactly, and how
    many a guess from the shares of one variable at a time."""
    bounds = Bounds(lattice, months, list(periods), published)
    x = _least_squares(bounds, published)
    truth = bounds.truth(rows, months)
    n = by_squares = by_shares = 0
    for (what, cell, time), (columns, factors) in bounds.figures().items():
        is_crossed = what == "cell" and len(cell[1]) == 2 and TOTAL not in cell[1] and cell[2] == CONTACTS
        true = round(float(factors @ truth[columns]))
        if not is_crossed or not 1 <= true <= 4 or Key(*cell, time) not in published:
            continue
        # Whoever guesses knows what the symbol means most of the time, either way.
        most = 4.0 if published[Key(*cell, time)] is None else MANY
        n += 1
        by_squares += round(min(float(factors @ x[columns]), most)) == true
        by_shares += round(min(_by_shares(cell[0], cell[1], time, published), most)) == true
    return n, by_squares, by_shares


def _least_squares(bounds: Bounds, published: Mapping[Key, int | None]) -> np.ndarray:
    """Nothing below nothing, and as near as can be to what is shown: every round moves each unknown by the mean of what
    its rows miss (SIRT)."""
    cells, spans, lattice = bounds.lattice.cells, bounds.spans, bounds.lattice
    rows = [(0.0, RULE, bounds._spread(s, [m])) for m in spans_of(spans) for a, b, s in lattice.rules if a == b]
    for key, value in published.items():
        of_cell = cells.get((key.family, key.codes, key.contents))
        if of_cell is not None and key.time in spans:
            mid, weight = (BELOW, HIDDEN) if value is None else (float(value), SHOWN)
            rows.append((mid, weight, bounds._spread(of_cell, spans[key.time])))
    starts = np.cumsum([0, *(len(row[2]) for row in rows)])[:-1]
    columns = np.concatenate([np.fromiter(row[2], int) for row in rows])
    factors = np.concatenate([np.fromiter(row[2].values(), float) for row in rows])
    wanted, weight = (np.array([row[n] for row in rows]) for n in (0, 1))
    which = np.repeat(np.arange(len(rows)), [len(row[2]) for row in rows])
    of_row = 1 / np.add.reduceat(np.abs(factors), starts)
    of_column = np.bincount(columns, np.abs(factors) * weight[which], bounds.n)
    of_column = np.divide(1, of_column, out=np.zeros(bounds.n), where=of_column > 0)
    x = np.full(bounds.n, 0.1)
    for _ in range(ROUNDS):
        missed = (wanted - np.add.reduceat(factors * x[columns], starts)) * of_row * weight
        x = np.maximum(x + of_column * np.bincount(columns, factors * missed[which], bounds.n), 0)
    return x


def spans_of(spans: Mapping[str, Sequence[int]]) -> list[int]:
    return sorted({month for months in spans.values() for month in months})


def _by_shares(family: str, codes: tuple[str, ...], time: str, published: Mapping[Key, int | None]) -> float:
    """Total of the period, times the share of each code in its own table of the same period, or else of the year."""
    total = published.get(Key("total", (), CONTACTS, time)) or BELOW
    shares = 1.0
    for name, code in zip(family.split("-"), codes, strict=True):
        shares *= _share(name, code, (time, time[:4]), published)
    return total * shares


def _share(name: str, code: str, times: Iterable[str], published: Mapping[Key, int | None]) -> float:
    for time in times:
        if whole := published.get(Key(name, (TOTAL,), CONTACTS, time)):
            return (published.get(Key(name, (code,), CONTACTS, time)) or BELOW) / whole
    return 0.1
