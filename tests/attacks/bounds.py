"""States as rows of a linear program what is published and what hangs together, and what an audit found."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, floor
from types import MappingProxyType

import numpy as np

from reports.periods import Period
from tests.attacks.crawl import Key
from tests.attacks.lattice import CONTACTS, Cell, Lattice, Sum
from tests.oracle import Row

K, BASE, K_OWN = 5, 5, 10
OWN = ("all-", "first_contact", "case_step")  # families whose cells are shown from K_OWN on
EPS = 1e-5
Margins = Mapping[tuple[Cell, str], tuple[float, float]]  # what else is known: {(cell, period): (least, most)}
MOST = 10_000  # of anything in a month, so that no program is without end; more than there ever are here


@dataclass(frozen=True)
class Finding:
    """What an attacker knows of a figure that must stay hidden: its bounds, and the truth."""

    what: str  # "cell", "rest"
    cell: Cell
    time: str
    truth: int
    least: float
    most: float

    @property
    def is_exact(self) -> bool:
        return ceil(self.least - EPS) == floor(self.most + EPS)

    @property
    def exists(self) -> bool:
        return self.least > EPS

    @property
    def is_none(self) -> bool:
        return self.most < 1 - EPS


@dataclass
class Audit:
    """Of all figures below K: which are not free to be anything from 0 to K - 1; of the others: which are known."""

    small: set[tuple[str, Cell, str]] = field(default_factory=set)
    big: set[tuple[Cell, str]] = field(default_factory=set)
    findings: dict[tuple[str, Cell, str], Finding] = field(default_factory=dict)
    big_exact: set[tuple[Cell, str]] = field(default_factory=set)
    unsound: list[str] = field(default_factory=list)
    impossible: list[str] = field(default_factory=list)  # lattices that no truth would fit, under a gambler's belief
    programs: int = 0
    seconds: float = 0.0  # of one core

    def shares(self) -> dict[str, float]:
        """Shares of the small figures, and of the big ones, that are given away."""
        n, found = max(len(self.small), 1), self.findings.values()
        return {
            "exact": sum(one.is_exact for one in found) / n,
            "exists": sum(one.exists for one in found) / n,
            "none": sum(one.is_none for one in found) / n,
            "narrow": len(found) / n,
            "big exact": len(self.big_exact) / max(len(self.big), 1),
        }


def limits(key: Key, value: int) -> tuple[float, float]:
    """What a shown number says by the published rule: rounded by less than the base, and never shown below its
    threshold."""
    least = K_OWN if key.family.startswith(OWN) else K
    return max(value - BASE + 1, least), value + BASE - 1


class Bounds:
    """One lattice over the months of a crawl, with what is published as limits."""

    def __init__(
        self,
        lattice: Lattice,
        months: Sequence[Period],
        periods: Iterable[Period],
        published: Mapping[Key, int | None],
        *,
        gamble: bool = False,
        margins: Margins = MappingProxyType({}),
    ) -> None:
        self.lattice = lattice
        place = {month.start: n for n, month in enumerate(months)}
        self.spans = {p.time_code: [place[m.start] for m in p.months() if m.start in place] for p in periods}
        self.width, self.n = lattice.size, lattice.size * len(months)
        rows = [(a, b, self._spread(s, [m])) for m in range(len(months)) for a, b, s in lattice.rules]
        # A table that shows nothing of a period was not admitted for it: its symbols say nothing.
        shown = {(key.family, key.time) for key, value in published.items() if value is not None}
        for key, value in published.items():
            of_cell = lattice.cells.get((key.family, key.codes, key.contents))
            if of_cell is None or key.time not in self.spans:
                continue
            if value is not None:
                rows.append((*limits(key, value), self._spread(of_cell, self.spans[key.time])))
            elif gamble and key.contents == CONTACTS and (key.family, key.time) in shown:
                most = K_OWN - 1 if key.family.startswith(OWN) else K - 1
                rows.append((0, most, self._spread(of_cell, self.spans[key.time])))
        for (cell, time), (least, most) in margins.items():
            if cell in lattice.cells and time in self.spans:
                rows.append((least, most, self._spread(lattice.cells[cell], self.spans[time])))
        self.rows = rows

    def _spread(self, of_cell: Sum, months: Iterable[int]) -> Sum:
        return {month * self.width + unknown: times for month in months for unknown, times in of_cell.items()}

    def matrix(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(row starts, columns, factors, least, most)."""
        starts, columns, factors = [0], [], []
        for _, _, of_row in self.rows:
            columns += of_row.keys()
            factors += of_row.values()
            starts.append(len(columns))
        least, most = (np.array([row[n] for row in self.rows], float) for n in (0, 1))
        return np.array(starts, np.int32), np.array(columns, np.int32), np.array(factors, float), least, most

    def truth(self, rows: Iterable[Row], months: Sequence[Period]) -> np.ndarray:
        """The true point; a contact counts in the month of its day."""
        place = {f"{month.start:%Y-%m}": n for n, month in enumerate(months)}
        point = np.zeros(self.n)
        for row in rows:
            for unknown, times in self.lattice.places(row).items():
                point[place[row["day"][:7]] * self.width + unknown] += times
        return point

    def figures(self) -> dict[tuple[str, Cell, str], tuple[np.ndarray, np.ndarray]]:
        """Each cell and each rest in each period as (columns, factors)."""
        found = {}
        for what, sums in (("cell", self.lattice.cells), ("rest", self.lattice.rests)):
            for cell, of_cell in sums.items():
                for time, months in self.spans.items():
                    spread = self._spread(of_cell, months)
                    columns = np.fromiter(spread.keys(), np.int32, len(spread))
                    found[what, cell, time] = (columns, np.fromiter(spread.values(), float, len(spread)))
        return found
