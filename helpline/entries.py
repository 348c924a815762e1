"""Owns what one contact says before it is stored: `ContactEntry`, which cannot be made with a code that does not hold.

Pure: form, file import and demonstration all make their entries here, from the same texts and with the same findings.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from functools import cache

from helpline import taxonomy
from helpline.taxonomy import CODE_LISTS, NON_ANSWERS

ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
FIRST_DAY = date(2015, 1, 1)  # no code holds before


class Reason(Enum):
    """Why an answer is refused. The wording, in the reader's language, belongs to the edge."""

    UNKNOWN = "unknown code"
    NOT_VALID_ON_DAY = "code not valid on that day"
    REPEATED = "code given twice"
    EXCLUSIVE = "exclusive code beside another"
    SINGLE = "one code only"
    MISSING = "answer required"
    NOT_A_DAY = "not an ISO day"
    DAY_AHEAD = "day lies ahead"
    DAY_TOO_EARLY = "day before the code lists"
    DAY_TOO_OLD = "day further back than the form allows"
    REFERRAL_SHAPE = "not target:type:outcome"
    REFERRAL_REPEATED = "the same referral twice"
    CONSENT = "arranged contact without consent"


@dataclass(frozen=True, slots=True)
class Finding:
    """One refusal: the question, the reason, and a code that was perhaps meant. Never the refused text itself, which
    may be a name."""

    question: str
    reason: Reason
    hint: str = ""


class Refused(ValueError):
    """An entry that cannot be made, with every finding."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(f"{f.question}: {f.reason.value}" for f in findings))
        self.findings = tuple(findings)


class UnknownCode(Refused):
    """At least one code is none of its list, or does not hold on the day."""


NOT_FOLLOWED_UP = "ej_uppf"


@dataclass(frozen=True, slots=True, order=True)
class ReferralEntry:
    """One hänvisning or förmedling. `consent` is the caller's yes, without which nothing is arranged."""

    target: str
    type: str
    outcome: str = NOT_FOLLOWED_UP
    consent: bool = False


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What came of a referral that the case had before. `shown` is the outcome that was seen when this was said; empty
    where none was. Raises UnknownCode."""

    target: str
    type: str
    shown: str
    outcome: str

    def __post_init__(self) -> None:
        if self.outcome not in CODE_LISTS["referral_outcome"].codes:
            raise UnknownCode([Finding("referrals", Reason.UNKNOWN, hint_for("referral_outcome", self.outcome))])


@dataclass(frozen=True)
class ContactEntry:
    """One contact as codes: day (Stockholm), answers by question as sets of codes, referrals.

    Making one completes the answers by the relevance table. Raises UnknownCode or Refused.
    """

    day: date
    answers: Mapping[str, frozenset[str]]
    referrals: tuple[ReferralEntry, ...] = ()

    def __post_init__(self) -> None:
        findings = [f for q, codes in self.answers.items() for f in _check_answer(q, codes, self.day)]
        findings += [f for referral in self.referrals for f in _check_referral(referral, self.day)]
        if len({(r.target, r.type) for r in self.referrals}) < len(self.referrals):
            findings.append(Finding("referrals", Reason.REFERRAL_REPEATED))
        findings += [Finding(q, Reason.MISSING) for q in taxonomy.MANDATORY if not self.answers.get(q)]
        if self.day < FIRST_DAY:
            findings.append(Finding("day", Reason.DAY_TOO_EARLY))
        if findings:
            unknown = any(f.reason in (Reason.UNKNOWN, Reason.NOT_VALID_ON_DAY) for f in findings)
            raise (UnknownCode if unknown else Refused)(findings)
        object.__setattr__(self, "answers", taxonomy.complete(self.answers))

    def code(self, question: str) -> str:
        """The one code of a question of single choice."""
        (code,) = self.answers[question]
        return code

    def with_outcomes(self, outcomes: Mapping[tuple[str, str], str]) -> "ContactEntry":
        """The same with other outcomes of some referrals, each named by target and type. Raises UnknownCode."""
        changed = (replace(r, outcome=outcomes.get((r.target, r.type), r.outcome)) for r in self.referrals)
        return replace(self, referrals=tuple(changed))

    def digest(self) -> str:
        """SHA-256 of the entry, hexadecimal: equal for equal entries, whatever the order of codes and referrals."""
        return hashlib.sha256(self.as_text().encode()).hexdigest()

    def as_text(self) -> str:
        """The entry as JSON [day, answers, referrals], one text for equal entries."""
        answers = {question: sorted(codes) for question, codes in sorted(self.answers.items())}
        referrals = [[r.target, r.type, r.outcome, r.consent] for r in sorted(self.referrals)]
        return json.dumps([self.day.isoformat(), answers, referrals])


def told_by(
    referrals: Iterable[ReferralEntry], follow_ups: Sequence[FollowUp] = (), *, before: Iterable[ReferralEntry] = ()
) -> list[FollowUp]:
    """What is said of the referrals that a case has: the follow-ups, and the outcomes of referrals that may repeat one
    of them, which would be lost with the repetition. Of `before`, which the contact had, only what became another."""
    said = {(one.target, one.type) for one in follow_ups}
    had = {(r.target, r.type): r.outcome for r in before}
    new = (r for r in referrals if r.outcome != had.get((r.target, r.type), NOT_FOLLOWED_UP))
    return [*follow_ups, *(FollowUp(r.target, r.type, "", r.outcome) for r in new if (r.target, r.type) not in said)]


def _check_answer(question: str, codes: frozenset[str], day: date) -> list[Finding]:
    if question not in taxonomy.QUESTIONS:
        return [Finding(question, Reason.UNKNOWN)]
    code_list = CODE_LISTS[question]
    if unknown := codes - set(code_list.codes):
        return [Finding(question, Reason.UNKNOWN, hint_for(question, unknown_code)) for unknown_code in sorted(unknown)]
    if not all(code_list.codes[code].holds_on(max(day, FIRST_DAY)) for code in codes):
        return [Finding(question, Reason.NOT_VALID_ON_DAY)]
    if len(codes) > 1 and not code_list.multiple:
        return [Finding(question, Reason.SINGLE)]
    if len(codes) > 1 and any(code in NON_ANSWERS or code_list.codes[code].exclusive for code in codes):
        return [Finding(question, Reason.EXCLUSIVE)]
    return []


def _check_referral(referral: ReferralEntry, day: date) -> list[Finding]:
    findings = []
    for part in ("target", "type", "outcome"):
        code = CODE_LISTS[f"referral_{part}"].codes.get(getattr(referral, part))
        if code is None:
            hint = hint_for(f"referral_{part}", getattr(referral, part))
            findings.append(Finding("referrals", Reason.UNKNOWN, hint))
        elif not code.holds_on(max(day, FIRST_DAY)):
            findings.append(Finding("referrals", Reason.NOT_VALID_ON_DAY))
    if not findings and (referral.type == "formedling") != referral.consent:
        findings.append(Finding("referrals", Reason.CONSENT))
    return findings


def hint_for(list_id: str, text: str) -> str:
    """A code of the list that `text` probably means: "1" -> "01", a label -> its code; else nothing."""
    code_list = CODE_LISTS[list_id]
    wanted = _plain(text)
    if wanted.isdigit() and wanted.zfill(2) in code_list.codes:
        return wanted.zfill(2)
    return next((c.code for c in code_list.codes.values() if wanted in (_plain(c.sv), _plain(c.en))), "")


def _plain(text: str) -> str:
    return text.strip().casefold()


def read_code(list_id: str, text: str) -> str:
    """The code that `text` names, surrounding blanks and letter case forgiven; unknown text comes back as it is."""
    return _spelled(list_id).get(_plain(text), text)


@cache
def _spelled(list_id: str) -> dict[str, str]:
    return {code.casefold(): code for code in CODE_LISTS[list_id].codes}


def read_day(text: str, *, today: date) -> date:
    """The day that ISO text names. Raises Refused for other text and for a day after `today`."""
    stripped = text.strip()
    try:
        if not ISO_DAY.fullmatch(stripped):
            raise ValueError
        day = date.fromisoformat(stripped)
    except ValueError:
        raise Refused([Finding("day", Reason.NOT_A_DAY if stripped else Reason.MISSING)]) from None
    if day > today:
        raise Refused([Finding("day", Reason.DAY_AHEAD)])
    return day


def read_entry(
    day: date, answers: Mapping[str, Sequence[str]], referrals: Sequence[ReferralEntry] = ()
) -> ContactEntry:
    """An entry from texts: each answer a list of code texts, blank ones left out. Raises UnknownCode or Refused with
    all findings at once."""
    read: dict[str, frozenset[str]] = {}
    findings: list[Finding] = []
    for question, texts in answers.items():
        codes = [read_code(question, text) for text in texts if text.strip()]
        if len(set(codes)) < len(codes):
            findings.append(Finding(question, Reason.REPEATED))
        if codes:
            read[question] = frozenset(codes)
    try:
        entry = ContactEntry(day, read, tuple(referrals))
    except Refused as refused:
        raise type(refused)([*findings, *refused.findings]) from None
    if findings:
        raise Refused(findings)
    return entry
