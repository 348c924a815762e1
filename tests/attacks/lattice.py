"""What an attacker knows of how figures hang together, from code book and questionnaire alone: unknown counts of one
month, what adds up, and which published cell is which sum of them.

A contact is laid into the unknowns too, which shows that nothing is claimed that the truth does not keep.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tests import oracle
from tests.oracle import Row

Sum = dict[int, float]  # unknown -> how often it counts
Cell = tuple[str, tuple[str, ...], str]  # family of tables, codes, contents
Codes = Mapping[str, Mapping[str, tuple[str, ...]]]  # family -> variable -> codes

TOTAL, UNKNOWN, CONTACTS, REFERRALS = "_T", "_U", "kontakter", "hanvisningar"
MANY = float("inf")


@dataclass
class Lattice:
    """The unknowns of one month, the rules among them as (least, most, sum), what each published cell sums, what must
    stay unknown beside the cells (what is left of a total without one option), and where a contact lies."""

    name: str
    size: int = 0
    rules: list[tuple[float, float, Sum]] = field(default_factory=list)
    cells: dict[Cell, Sum] = field(default_factory=dict)
    rests: dict[Cell, Sum] = field(default_factory=dict)
    placers: list[Callable[[Row], Iterable[int]]] = field(default_factory=list)

    def new(self, number: int) -> range:
        self.size += number
        return range(self.size - number, self.size)

    def rule(self, least: float, most: float, *parts: tuple[float, Sum]) -> None:
        added: Counter[int] = Counter()
        for factor, of_part in parts:
            for unknown, times in of_part.items():
                added[unknown] += factor * times
        self.rules.append((least, most, {unknown: times for unknown, times in added.items() if times}))

    def equal(self, one: Sum, other: Sum) -> None:
        self.rule(0, 0, (1, one), (-1, other))

    def covers(self, whole: Sum, parts: Iterable[Sum]) -> None:
        """Each part lies in the whole, and together they leave nothing of it out."""
        parts = list(parts)
        for part in parts:
            self.rule(0, MANY, (1, whole), (-1, part))
        self.rule(0, MANY, *((1, part) for part in parts), (-1, whole))

    def places(self, row: Row) -> Counter[int]:
        return Counter(place for placer in self.placers for place in placer(row))


def plus(*sums: Sum) -> Sum:
    added: Counter[int] = Counter()
    for one in sums:
        added.update(one)
    return dict(added)


def of(*unknowns: int) -> Sum:
    return dict.fromkeys(unknowns, 1.0)


def is_relevant(row: Row) -> bool:
    return row["result"] == "relevant"


def state(variable: str, row: Row) -> str:
    """The one code of a question that takes one; nothing where it does not apply."""
    return next(iter(oracle.places(variable, row) - {TOTAL}), "")


def referrals_of(row: Row) -> list[str]:
    return row["referrals"].split("|") if row["referrals"] else []
