"""Parallel worlds: is one contact among those that a release was made of? Whoever knows all of its codes compares many
made-up releases with it and many without it.

The rule is written once more here, for thousands of releases at a time: threshold, first contacts, density, keyed
rounding of the set. A test holds it against the product.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log, prod

import numpy as np

from reports.catalogue import TABLES, Table
from tests import oracle
from tests.attacks.bounds import BASE, K_OWN, OWN, K
from tests.oracle import Row

DENSITY, MIN_TOTAL, K_FIRST = 5, 10, 3
NOT_THERE, HIDDEN = -2, -1
Place = tuple[str, tuple[str, ...], int]  # table, codes, which period of its kind


@dataclass(frozen=True)
class Crowd:
    """Relevant contacts to draw from, and in which cells each of them lies."""

    rows: tuple[Row, ...]
    places: tuple[tuple[Place, ...], ...]

    def is_first(self) -> np.ndarray:
        return np.array([row["first_contact"] == "ja" for row in self.rows])


TABLES_OF = [t for t in TABLES.values() if t.base == "U4" and t.period != "pilot"]
MONTHS = {"month": 1, "quarter": 3, "half-year": 6, "year": 12}


def crowd_of(rows: Sequence[Row]) -> Crowd:
    return Crowd(tuple(rows), tuple(tuple(_places(row)) for row in rows))


def _places(row: Row) -> list[Place]:
    month = int(row["day"][5:7]) - 1
    families: dict[str, list[tuple[str, ...]]] = {}
    found: list[Place] = []
    for table in TABLES_OF:
        family = table.id.rpartition("-")[0]
        if family not in families:
            families[family] = list(oracle.cells([row], f"{family}-year"))
        found += [(table.id, codes, month // MONTHS[table.period]) for codes in families[family]]
    return found


@dataclass(frozen=True)
class Rule:
    """What a release is made by; tests switch parts of it off."""

    k: int = K
    density: int = DENSITY
    min_total: int = MIN_TOTAL
    is_rounded: bool = True


class Target:
    """Releases as somebody sees them who looks only at the cells that a certain contact would lie in."""

    def __init__(self, crowd: Crowd, target: int, rule: Rule) -> None:
        self.crowd, self.target, self.rule = crowd, target, rule
        self.columns = list(crowd.places[target])
        place = {column: n for n, column in enumerate(self.columns)}
        self.members = np.zeros((len(crowd.rows), len(self.columns)), np.uint8)
        for n, places in enumerate(crowd.places):
            self.members[n, [place[p] for p in places if p in place]] = 1
        self.first = crowd.is_first()
        tables: list[Table] = [TABLES[table] for table, _, _ in self.columns]
        kinds = {table.period: n for n, table in enumerate(tables) if not table.variables}
        self.totals = np.array([kinds[table.period] for table in tables])
        self.sizes = np.array([table.size for table in tables])
        own = np.array([table.id.startswith(OWN) for table in tables])
        self.least = np.where(own, K_OWN, rule.k)
        self.least_first = np.where(own, 0, K_FIRST if rule.k > 1 else 0)

    def release(self, rng: np.random.Generator, size: int, *, has_target: bool) -> np.ndarray:
        """The published values of those cells, of so many others, drawn anew, with keys drawn anew."""
        others = rng.integers(0, len(self.crowd.rows) - 1, rng.poisson(size))
        others[others >= self.target] += 1
        some = np.append(others, self.target) if has_target else others
        members = self.members[some]
        n, first = members.sum(0, dtype=int), members[self.first[some]].sum(0, dtype=int)
        keys = rng.integers(0, 2**63, len(some), dtype=np.uint64)
        u = _uniform((keys[:, None] * members).sum(0, dtype=np.uint64) + n.astype(np.uint64), rng.integers(2**62))
        rest = n % BASE
        value = n - rest + np.where(u < rest / BASE, BASE, 0) if self.rule.is_rounded else n
        value = np.where((n < self.least) | (first < self.least_first), HIDDEN, value)
        total = value[self.totals]
        is_there = (total >= self.rule.min_total) & (total >= self.rule.density * self.sizes)
        return np.where(is_there, value, NOT_THERE)


def _uniform(keys: np.ndarray, secret: int) -> np.ndarray:
    """A number in [0, 1) of each key (SplitMix64)."""
    z = keys + np.uint64(secret)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z ^ (z >> np.uint64(31))) / 2.0**64


def advantage(target: Target, size: int, worlds: int, seed: int, *, null: bool = False) -> float:
    """max(TPR - FPR) of a naive Bayes guess that learnt from half of the worlds, in the other half; `null`: with the
    target in neither arm, which shows what chance alone gives."""
    rng = np.random.default_rng(seed)
    arms = [
        np.array([target.release(rng, size, has_target=has and not null) for _ in range(worlds)])
        for has in (True, False)
    ]
    half = worlds // 2
    scores = [_scores(arm[half:], arms[0][:half], arms[1][:half]) for arm in arms]
    cuts = np.unique(np.concatenate(scores))
    rates = [(np.greater_equal.outer(score, cuts)).mean(0) for score in scores]
    return float(np.max(rates[0] - rates[1], initial=0))


def _scores(seen: np.ndarray, with_it: np.ndarray, without: np.ndarray) -> np.ndarray:
    scores = np.zeros(len(seen))
    for n in range(seen.shape[1]):
        values = np.unique(np.concatenate([with_it[:, n], without[:, n]]))
        if len(values) == 1:
            continue
        yes, no = ((arm[:, n][:, None] == values).sum(0) + 0.5 for arm in (with_it, without))
        ratio = np.log(yes / yes.sum()) - np.log(no / no.sum())
        place = np.clip(np.searchsorted(values, seen[:, n]), 0, len(values) - 1)
        scores += np.where(values[place] == seen[:, n], ratio[place], 0)
    return scores


def targets_of(crowd: Crowd, number: int, seed: int) -> list[int]:
    """Half of them the rarest by their codes, the rest drawn."""
    questions = ("caller_role", "environment", "concerns", "age", "gender", "county", "language", "relation")
    shares = {q: Counter(row[q] for row in crowd.rows) for q in questions}
    rarity = [log(prod(shares[q][row[q]] / len(crowd.rows) for q in questions)) for row in crowd.rows]
    rarest = list(np.argsort(rarity)[: number // 2])
    rng = np.random.default_rng(seed)
    drawn = [n for n in rng.permutation(len(crowd.rows)) if n not in rarest]
    return [int(n) for n in [*rarest, *drawn[: number - len(rarest)]]]
