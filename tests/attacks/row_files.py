"""Attacks row files: how few rows are alike, what a class gives away of its secret, and whom it singles out.

Knows a file by its text alone; which column holds the secret is said in its own list of columns.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import NamedTuple

from tests import oracle
from tests.oracle import Row

SECRET, MORE = "concern_main", "concern_more"
K, L = 10, 3
ROUNDED_BY = 2  # a number that is rounded to fives is at most so much larger
UNCERTAIN = {"_U", "ej_fragat"}


@dataclass(frozen=True)
class Scores:
    """What the rows of one file give away; shares in [0, 1]."""

    rows: int
    smallest: int  # rows that are alike
    fewest_secrets: int
    prosecutor: float
    marketer: float
    top_share: float
    suppressed: float
    singled_out: int  # contacts whose codes fit one row alone
    order: float  # Kendall's tau of the order of rows against that of the contacts that they may be
    order_by_chance: float  # the most that it is when they are shuffled

    def broken(self) -> list[str]:
        """The demands that do not hold."""
        demands = {
            "k": self.smallest >= K,
            "l": self.fewest_secrets >= L,
            "prosecutor": self.prosecutor <= 0.10,
            "marketer": self.marketer <= 0.05,
            "top share": self.top_share <= 0.80,
            "suppressed": self.suppressed <= 0.05,
            "singled out": self.singled_out == 0,
            "order": abs(self.order) < max(0.05, 1.2 * self.order_by_chance),
        }
        return [name for name, holds in demands.items() if not holds]


def score(text: str, contacts: Sequence[Row]) -> Scores:
    """`contacts` are the relevant ones of the year that the file is of, in the order in which they called."""
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    known = [name for name in rows[0] if name not in (SECRET, MORE)]
    classes: dict[tuple[str, ...], Counter[str]] = {}
    for row in rows:
        codes = tuple(row[name] for name in known)
        classes.setdefault(codes, Counter())[row[SECRET]] += 1
    sizes = {codes: secrets.total() for codes, secrets in classes.items()}
    order = _order(rows, known, contacts)
    plain = _plain(known)
    alike = Counter(tuple(row[name] for name in plain) for row in rows)
    fitting = {tuple(code_of(name, contact) for name in plain) for contact in contacts}
    return Scores(
        rows=len(rows),
        smallest=min(sizes.values()),
        fewest_secrets=min(len(set(secrets) - UNCERTAIN) for secrets in classes.values()),
        prosecutor=1 / min(sizes.values()),
        marketer=len(sizes) / len(rows),
        top_share=max(max(s.values()) / s.total() for s in classes.values()),
        suppressed=1 - len(rows) / len(contacts),
        singled_out=sum(alike[codes] == 1 for codes in fitting),
        order=tau(order),
        order_by_chance=max(abs(tau(Random(n).sample(order, len(order)))) for n in range(30)),
    )


def code_of(column: str, contact: Row) -> str:
    """The code that a contact has in a column, by the code book."""
    return next(iter(oracle.places(column, contact) - {"_T"}), "ej_till")


def _plain(known: Sequence[str]) -> list[str]:
    """The columns in which a contact's code is that of the code book; the half-year and the groups of actions are left
    to the count of rows that are alike."""
    return [name for name in known if name not in ("Tid", "actions_3")]


def _order(rows: Sequence[Mapping[str, str]], known: Sequence[str], contacts: Sequence[Row]) -> list[float]:
    """For each row the mean place, among all contacts, of those that have its codes."""
    plain = _plain(known)
    calls: dict[tuple[str, ...], list[int]] = {}
    for n, contact in enumerate(contacts):
        calls.setdefault(tuple(code_of(name, contact) for name in plain), []).append(n)
    means = {codes: sum(of) / len(of) for codes, of in calls.items()}
    return [means[codes] for row in rows if (codes := tuple(row[name] for name in plain)) in means]


def tau(values: Sequence[float]) -> float:
    """Kendall's tau of a sequence against its own order, counted by merging; ties count for neither."""
    n = len(values)
    if n < 2:
        return 0.0
    ties = sum(times * (times - 1) // 2 for times in Counter(values).values())
    down = _inversions(list(values))[1]
    pairs = n * (n - 1) // 2 - ties
    return (pairs - 2 * down) / pairs if pairs else 0.0


def _inversions(values: list[float]) -> tuple[list[float], int]:
    if len(values) < 2:
        return values, 0
    (left, a), (right, b) = _inversions(values[: len(values) // 2]), _inversions(values[len(values) // 2 :])
    merged, n, i = [], a + b, 0
    for value in right:
        while i < len(left) and left[i] <= value:
            merged.append(left[i])
            i += 1
        merged.append(value)
        n += len(left) - i
    return merged + left[i:], n


class File(NamedTuple):
    """A file as it was fetched, and how many rows it lacks at most, by its entry in the list, which tells fives."""

    text: str
    left_out: int


def margins(
    files: Mapping[str, File], codes: Mapping[str, Mapping[str, Sequence[str]]]
) -> dict[tuple[tuple[str, tuple[str, ...], str], str], tuple[float, float]]:
    """What the files say of published cells: at least so many rows as have its codes, at most those and the rows that
    were left out. {(cell, period): (least, most)}."""
    found = {}
    for year, file in files.items():
        rows = list(csv.DictReader(io.StringIO(file.text, newline="")))
        for family, variables in codes.items():
            if not variables or not set(variables) <= set(rows[0]):
                continue
            counted = Counter(tuple(row[name] for name in variables) for row in rows)
            for place in product(*([code for code in of if code != "_T"] for of in variables.values())):
                found[(family, place, "kontakter"), year] = (counted[place], counted[place] + file.left_out)
    return found


Fetch = Callable[[str], bytes | None]  # the body of an address, None where there is nothing


def fetched(fetch: Fetch) -> dict[str, File]:
    """Every row file that there is, by its year."""
    listing = json.loads(fetch("/api/v1/files/") or b'{"files": []}')
    found = {}
    for entry in listing["files"]:
        if "href" in entry and (body := fetch(f"/api/v1/files/{entry['id']}/")) is not None:
            found[entry["id"]] = File(body.decode(), entry["utility"]["suppressed"] + ROUNDED_BY)
    return found
