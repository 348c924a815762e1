"""Owns which one-way counts exist, in which unit and on which base, and how rows are counted. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from helpline.taxonomy import QUESTIONS

U3, U4 = "U3", "U4"  # all logged contacts; operationally relevant ones (verksamhetsrelevanta)
CONTACTS, REFERRALS = "kontakter", "hanvisningar"
RELEVANT = "relevant"

Cells = Counter[tuple[str, str]]  # (variable, code) -> n


@dataclass(frozen=True, slots=True)
class Counted:
    """What one counted variable counts: its unit and its base."""

    unit: str
    base: str


# Channel, result and length are known of every contact; the rest only of the relevant ones.
COUNTED: Mapping[str, Counted] = MappingProxyType(
    {q: Counted(CONTACTS, U3 if q in ("channel", "result", "length") else U4) for q in QUESTIONS}
    | {f"referral_{part}": Counted(REFERRALS, U4) for part in ("target", "type", "outcome")}
)


def count_contacts(rows: Iterable[Mapping[str, Any]]) -> Cells:
    """One-way counts of contacts, each a mapping from question to a code or a frozenset of codes.

    A contact counts once for each of its codes, so the codes of a multi-select can add up to more than the contacts.
    """
    cells: Cells = Counter()
    for row in rows:
        relevant = row["result"] == RELEVANT
        for question in QUESTIONS:
            if relevant or COUNTED[question].base == U3:
                answer = row[question]
                for code in (answer,) if isinstance(answer, str) else answer:
                    cells[question, code] += 1
    return cells


def count_referrals(rows: Iterable[Mapping[str, Any]]) -> Cells:
    """One-way counts of the referrals of relevant contacts, each a mapping with target, type and outcome."""
    cells: Cells = Counter()
    for row in rows:
        for part in ("target", "type", "outcome"):
            cells[f"referral_{part}", row[part]] += 1
    return cells
