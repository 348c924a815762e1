"""Owns which one-way counts exist, in which unit and on which base, and how rows are counted. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from helpline import taxonomy
from helpline.code_files import NOT_APPLICABLE
from helpline.taxonomy import CODE_LISTS, QUESTIONS

U1 = "U1"  # calls to the line, counted by the telephony
U3, U4 = "U3", "U4"  # all logged contacts; operationally relevant ones (verksamhetsrelevanta)
CONTACTS, REFERRALS = "kontakter", "hanvisningar"
# What became of the calls: the column of the telephony's counts by the contents code that is published.
CALLS: Mapping[str, str] = MappingProxyType(
    {
        "anrop": "offered",
        "besvarade": "answered",
        "korta": "abandoned_short",
        "avbrutna": "abandoned",
        "stangt": "closed",
        "meddelanden": "voicemail",
    }
)
RELEVANT = taxonomy.RELEVANT
MISSING = "referral_missing"
NONE_LOCALLY = "saknas"  # of referral_outcome
DIMENSIONS = frozenset({"social", "praktisk"})

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
    | {MISSING: Counted(REFERRALS, U4)}
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
    """One-way counts of the referrals of relevant contacts, each a mapping with target, type and outcome.

    MISSING, by the codes of referral_target, counts those for which no such receiver exists locally (R27): a cell that
    two answers define, so that who shows it (live.missing_receivers) shows neither the exact number nor the newest.
    """
    cells: Cells = Counter()
    for row in rows:
        for part in ("target", "type", "outcome"):
            cells[f"referral_{part}", row[part]] += 1
        if row["outcome"] == NONE_LOCALLY:
            cells[MISSING, row["target"]] += 1
    return cells


def balance(needs: Iterable[str], targets: Iterable[str]) -> str:
    """The code of `balance` (R22) for a relevant contact with these needs and these targets of all its referrals.

    Repeated referrals of a case are among them: the question is where the person was referred, not how often.
    """
    if _dimensions("needs", needs) != DIMENSIONS:
        return NOT_APPLICABLE
    return ("ingen", "en", "bada")[len(_dimensions("referral_target", targets))]


def _dimensions(list_id: str, codes: Iterable[str]) -> frozenset[str]:
    found = {CODE_LISTS[list_id].codes[code].dimension for code in codes}
    return DIMENSIONS if "bada" in found else DIMENSIONS & found
