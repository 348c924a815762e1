"""Owns how frozen records become cells: whom each counts, how many of them are first contacts, and the sum of keys.

Pure. A cell counts a set of records; the same set has the same sum of keys, whatever table it stands in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product

from helpline.code_files import NOT_APPLICABLE
from helpline.taxonomy import NON_ANSWERS
from reports.catalogue import TOTAL, UNKNOWN, Table, Variable
from reports.counting import U3

UNANSWERED = frozenset(NON_ANSWERS) - {NOT_APPLICABLE}
KEY_BITS = 62

Coordinates = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One frozen contact: its random key, whether it is relevant (U4) and a first contact, its codes by variable, and
    its referrals as codes by referral variable."""

    key: int
    is_relevant: bool
    is_first: bool
    codes: Mapping[str, frozenset[str]]
    referrals: tuple[Mapping[str, str], ...] = ()


@dataclass(slots=True)
class Contacts:
    """A set of n contacts, of them n_first first contacts; `keys` is the sum of their keys."""

    n: int = 0
    n_first: int = 0
    keys: int = 0

    def add(self, record: Record) -> None:
        self.n += 1
        self.n_first += record.is_first
        self.keys = (self.keys + record.key) % (1 << KEY_BITS)


@dataclass(slots=True)
class Cell:
    """The contacts of a cell, those of them with a referral that it counts, and the number of these referrals."""

    contacts: Contacts = field(default_factory=Contacts)
    referring: Contacts = field(default_factory=Contacts)
    n_referrals: int = 0

    def add(self, record: Record, referrals: int) -> None:
        self.contacts.add(record)
        if referrals:
            self.referring.add(record)
            self.n_referrals += referrals


@dataclass(frozen=True, slots=True)
class Tabulated:
    """A table's cells of one period, every one of the code book present, also the empty ones."""

    table: Table
    cells: Mapping[Coordinates, Cell] = field(repr=False)


def coordinates_of(table: Table) -> list[Coordinates]:
    """Every cell of a table: the total first in each variable. A table without variables has the one cell ()."""
    return list(product(*((TOTAL, *variable.codes) for variable in table.variables)))


def tabulate(table: Table, records: Iterable[Record]) -> Tabulated:
    """The cells of `table` over the records of one period."""
    cells = {coordinates: Cell() for coordinates in coordinates_of(table)}
    for record in records:
        if table.base == U3 or record.is_relevant:
            for coordinates, referrals in _places(table, record).items():
                cells[coordinates].add(record, referrals)
    return Tabulated(table, cells)


def _places(table: Table, record: Record) -> dict[Coordinates, int]:
    """The cells that a record lies in, each with the number of its referrals that the cell counts."""
    of_contact = [_codes_of(variable, record) for variable in table.variables if not variable.of_referral]
    if not any(variable.of_referral for variable in table.variables):
        return dict.fromkeys(product(*of_contact), len(record.referrals))
    places: dict[Coordinates, int] = {}
    for referral in record.referrals:
        axes = [
            (TOTAL, referral[variable.id]) if variable.of_referral else _codes_of(variable, record)
            for variable in table.variables
        ]
        for coordinates in product(*axes):
            places[coordinates] = places.get(coordinates, 0) + 1
    return places


def _codes_of(variable: Variable, record: Record) -> tuple[str, ...]:
    """Where a contact stands in a variable: nowhere if the question did not apply, else in the total and its codes."""
    codes = record.codes[variable.id]
    if NOT_APPLICABLE in codes:
        return ()
    if codes & UNANSWERED:
        return (TOTAL, UNKNOWN)
    return (TOTAL, *sorted(codes))
