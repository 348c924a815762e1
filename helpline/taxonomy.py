"""Owns the code lists in force, the questions of a contact, and which question is asked when. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from helpline.code_files import NOT_APPLICABLE, load

NOT_ASKED = "ej_fragat"
RELEVANT = "relevant"  # of result

CODE_LISTS = load()
NON_ANSWERS = CODE_LISTS["non_answers"].codes

# --- the questions, in the order of a conversation ----------------------------------------------------------------

QUESTIONS = (
    *("channel", "result", "length"),
    *("caller_role", "sector", "relation", "caller_gender", "caller_adult", "first_contact"),
    *("concerns", "environment", "gang_overlap", "age", "gender", "county"),
    *("needs", "motivation", "plan", "barriers"),
    *("actions", "reports_made", "awareness", "language", "language_support", "urgency"),
)
MANDATORY = ("channel", "result")  # to save
TO_CLOSE = ("caller_role", "concerns")  # a contact is open until these are answered, where they are asked
REFERRALS = "referrals"


@dataclass(frozen=True, slots=True)
class When:
    """One condition of the relevance table: the answer to `question` is (or, with `unless`, is not) among `codes`."""

    question: str
    codes: frozenset[str]
    unless: bool = False

    def holds(self, answers: Mapping[str, frozenset[str]]) -> bool:
        return bool(answers.get(self.question, frozenset()) & self.codes) != self.unless


_SPOKE = When("result", frozenset({RELEVANT, "info"}))
_RELEVANT = When("result", frozenset({RELEVANT}))
_SOMEONE = When("relation", frozenset({"ingen"}), unless=True)
_EXIT = When("concerns", frozenset({"vill_ut", "aterfall", "dras_in", "aktiv"}))

# Which question is asked when: all conditions of its line hold. A question without a line is always asked.
ASKED_WHEN: Mapping[str, tuple[When, ...]] = MappingProxyType(
    {question: (_SPOKE,) for question in ("caller_role", "caller_gender", "caller_adult", "actions", "awareness")}
    | {question: (_SPOKE,) for question in ("language", "language_support", "urgency")}
    | {"sector": (_SPOKE, When("caller_role", frozenset({"yrkes"})))}
    | {question: (_RELEVANT,) for question in ("relation", "first_contact", "concerns", "environment")}
    | {question: (_RELEVANT,) for question in ("gang_overlap", "county", "barriers", "reports_made", REFERRALS)}
    | {question: (_RELEVANT, _SOMEONE) for question in ("age", "gender")}
    | {question: (_RELEVANT, _EXIT) for question in ("needs", "motivation", "plan")}
)


def is_asked(question: str, answers: Mapping[str, frozenset[str]]) -> bool:
    """Whether the form asks `question`, given the answers so far (each a set of codes)."""
    return all(condition.holds(answers) for condition in ASKED_WHEN.get(question, ()))


def is_answer(codes: frozenset[str]) -> bool:
    """Whether `codes` says something: "not asked" and "not applicable" do not, "does not know" and "declined" do."""
    return bool(codes - {NOT_ASKED, NOT_APPLICABLE})


def is_open(answers: Mapping[str, frozenset[str]]) -> bool:
    """Whether a question without which a contact is not complete was asked of it and left open."""
    return any(answers[question] == {NOT_ASKED} for question in TO_CLOSE)


def complete(answers: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """`answers` with every question filled in: one left open becomes "not asked", or "not applicable" where the form
    would not have asked. An answer that was given is kept, also where the form would not have asked."""
    full: dict[str, frozenset[str]] = {}
    for question in QUESTIONS:
        given = answers.get(question, frozenset())
        if is_answer(given):
            full[question] = given
        elif question not in MANDATORY:
            full[question] = frozenset({NOT_ASKED if is_asked(question, full) else NOT_APPLICABLE})
    return full
