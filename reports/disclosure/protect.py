"""Owns the published value of a cell: threshold, first-contact threshold, keyed random rounding, density, least total.

Pure. Method: frozen counts, keyed random rounding to base 5 (unbiased, error at most 4), one symbol for every hidden
cell; see docs/anonymity.md.
"""

import hmac
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Final

from reports.catalogue import Table
from reports.counting import CALLS, CONTACTS, REFERRALS
from reports.disclosure.tabulate import Cell, Contacts, Coordinates, Tabulated


class _Hidden(Enum):
    HIDDEN = ".."


HIDDEN: Final = _Hidden.HIDDEN  # no number, no None: no sum can swallow it
Value = int | _Hidden


@dataclass(frozen=True, slots=True)
class Parameters:
    """The rule's parameters, recorded in every manifest."""

    k: int = 5
    k_first: int = 3
    k_own: int = 10  # for all contacts, and where first contacts are themselves the variable
    base: int = 5
    density: int = 5
    min_total: int = 10

    def __post_init__(self) -> None:
        if not (self.k >= self.base >= 2 and self.k_own >= self.k > self.k_first >= 1):
            raise ValueError("The parameters must keep k_own >= k >= base >= 2 and k > k_first >= 1.")
        if self.density < 1 or self.min_total < self.k:
            raise ValueError("The parameters must keep density >= 1 and min_total >= k.")

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def draw(key: bytes, keys: int, n: int) -> float:
    """A number in [0, 1) that depends on the secret key, the set of records and the count alone."""
    message = keys.to_bytes(8, "big") + n.to_bytes(8, "big")
    return int.from_bytes(hmac.digest(key, message, "sha256")[:8], "big") / 2**64


def rounded(n: int, keys: int, key: bytes, base: int) -> int:
    """n rounded up or down to a multiple of the base, at random and without bias; the same set, the same way."""
    rest = n % base
    return n - rest + (base if draw(key, keys, n) < rest / base else 0)


def published(cell: Cell, table: Table, key: bytes, rule: Parameters) -> dict[str, Value]:
    """The published value of each contents code of a cell.

    Referrals are those of the contacts that have one: they are hidden as these would be, and rounded by their keys.
    So the total and a table of referrals show the same number, and no number is that of one caller's referrals. There
    are at least as many referrals as such contacts, so that the threshold holds for both.
    """
    counted = {CONTACTS: (cell.contacts, cell.contacts.n), REFERRALS: (cell.referring, cell.n_referrals)}
    return {
        contents: HIDDEN if _is_hidden(whose, table, rule) else rounded(n, whose.keys, key, rule.base)
        for contents, (whose, n) in counted.items()
        if contents in table.contents
    }


def _is_hidden(contacts: Contacts, table: Table, rule: Parameters) -> bool:
    if table.own_threshold:
        return contacts.n < rule.k_own
    return contacts.n < rule.k or contacts.n_first < rule.k_first


def is_admitted(table: Table, total: Value, rule: Parameters) -> bool:
    """Whether a table has figures for a period, by the published total of its base alone."""
    if total is HIDDEN or total < rule.min_total:
        return False
    threshold = rule.k_own if table.own_threshold else rule.k
    return total * rule.k >= rule.density * threshold * table.size * table.weight


def protect(
    tabulated: Tabulated, total: Value, key: bytes, rule: Parameters
) -> Mapping[Coordinates, Mapping[str, Value]] | None:
    """The published values of a table's cells, or None where it is not admitted for the period."""
    if not is_admitted(tabulated.table, total, rule):
        return None
    return {coordinates: published(cell, tabulated.table, key, rule) for coordinates, cell in tabulated.cells.items()}


def protect_calls(counts: Mapping[str, int], rule: Parameters) -> Mapping[Coordinates, Mapping[str, Value]] | None:
    """The published numbers of calls of one period, None where nothing was counted: each rounded to the nearest
    multiple of the base, without threshold, since a call without content is nobody's; what rounds to nothing is hidden,
    for 0 is never printed. `counts` by the columns of the telephony."""
    values = {contents: _nearest(counts.get(column, 0), rule.base) for contents, column in CALLS.items()}
    return {(): values} if any(value is not HIDDEN for value in values.values()) else None


def _nearest(n: int, base: int) -> Value:
    return (n + base // 2) // base * base or HIDDEN
