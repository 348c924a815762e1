"""Owns one contact as it stands in the form: what is offered, chosen and refused."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.utils.translation import get_language, gettext, gettext_lazy

from helpline.drafts import ROWS
from helpline.duties import routines_on
from helpline.entries import ContactEntry, Finding, Reason, ReferralEntry, Refused, read_code, read_day, read_entry
from helpline.form_case import FormCase
from helpline.form_rows import PARTS, Posted, Row, rows_of
from helpline.form_values import key_of, posted_of
from helpline.taxonomy import ASKED_WHEN, CODE_LISTS, MANDATORY, NON_ANSWERS, NOT_ASKED, QUESTIONS, REFERRALS, is_asked
from helpline.wording import explain

# In the order of a conversation. The situation leads and the milieu stands lower: reasons are seldom ideas.
SECTIONS = {
    "call": ("channel", "result", "length"),
    "caller": ("caller_role", "sector", "relation", "caller_gender", "caller_adult", "first_contact"),
    "concern": ("concerns", "age", "gender", "county", "environment", "gang_overlap"),
    "way_out": ("needs", "motivation", "plan", "barriers"),
    "done": ("actions", REFERRALS, "reports_made", "urgency"),
    "rest": ("awareness", "language", "language_support"),
}
TELEPHONE = "telefon"
SELECTS = frozenset({"county", "language"})  # too many codes to take in at a glance
SHORT = {
    "ej_fragat": gettext_lazy("Not asked"),
    "vet_ej": gettext_lazy("Does not know"),
    "avboj": gettext_lazy("Declined"),
}


@lru_cache(maxsize=512)
def _offered(list_id: str, day: date, language: str) -> tuple[tuple[str, str, str, str | None], ...]:
    """What a form offers on `day`: code, label, definition and dimension of each, the non-answers last."""
    codes = CODE_LISTS[list_id].offered_on(day)
    return tuple((c.code, c.label(language), c.definition(language), c.dimension) for c in codes)


@lru_cache(maxsize=64)
def _definitions(section: str, day: date, language: str) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """What the questions of a section mean: label and definition of each, and of each of its codes."""
    referral = tuple(f"referral_{part}" for part in PARTS)
    ids = [i for question in SECTIONS[section] for i in (referral if question == REFERRALS else (question,))]
    return [
        (
            CODE_LISTS[list_id].label(language),
            CODE_LISTS[list_id].definition(language),
            [(label, text) for code, label, text, _ in _offered(list_id, day, language) if code not in NON_ANSWERS],
        )
        for list_id in ids
    ]


@lru_cache(maxsize=64)
def _asked_when(question: str) -> str:
    """The line of the relevance table as JSON, for the script of the page."""
    return json.dumps(
        [
            {"question": when.question, "codes": sorted(when.codes), "unless": when.unless}
            for when in ASKED_WHEN.get(question, ())
        ]
    )


@lru_cache(maxsize=64)
def _alone(question: str) -> frozenset[str]:
    """The codes that stand beside no other where several may be chosen."""
    code_list = CODE_LISTS[question]
    alone = {c.code for c in code_list.codes.values() if c.exclusive or c.code in NON_ANSWERS}
    return frozenset(alone if code_list.multiple else ())


def _heading(dimension: str | None, language: str) -> str:
    """The name of a dimension of the needs; a list without dimensions has no headings."""
    return CODE_LISTS["needs_2"].codes[dimension].label(language) if dimension else ""


def blank_fields(today: date) -> list[tuple[str, str]]:
    """What a form says that nobody has touched."""
    return [("key", str(uuid4())), ("channel", TELEPHONE), ("day", today.isoformat())]


class ContactForm:
    """One contact as it stands in the form: what is chosen, what is refused, and the key by which it is saved once."""

    def __init__(self, *, today: date, posted: Posted | None = None) -> None:
        self.today = today
        self.first_day = today - timedelta(days=settings.HELPLINE_BACKDATE_DAYS)
        self.posted: Posted = posted_of(blank_fields(today)) if posted is None else posted
        self.is_blank = posted is None
        self.case: FormCase | None = None
        self.errors: dict[str, list[str]] = {}
        key = key_of(self.posted)
        self.key, self._key_is_new = key or uuid4(), key is None
        self.day, self._day_findings = self._read_day(self.posted.get("day", ""))
        self.rows = rows_of(self.posted)

    def _read_day(self, text: str) -> tuple[date | None, Sequence[Finding]]:
        """The day, kept also when it is refused so that it can be mended, and why it is refused."""
        try:
            day = read_day(text, today=date.max)
        except Refused as refused:
            return None, refused.findings
        if self.first_day <= day <= self.today:
            return day, ()
        return day, [Finding("day", Reason.DAY_AHEAD if day > self.today else Reason.DAY_TOO_OLD)]

    @property
    def _offer_day(self) -> date:
        """The day whose codes are offered and asked for."""
        return self.today if self.day is None or self._day_findings else self.day

    def add_row(self) -> None:
        """One more row for a referral, with the cursor in it."""
        if len(self.rows) < ROWS:
            self.rows.append(Row(len(self.rows), is_new=True))

    def entry(self) -> ContactEntry | None:
        """The entry that the answers make; None when something is refused, and `errors` then says where and why."""
        if self._key_is_new:
            self.errors["key"] = [gettext("The form had lost its number and has a new one: look it over, save again.")]
        self._refuse("day", self._day_findings)
        answers, rows = self._asked()
        referrals = [referral for row in rows if not row.is_empty() and (referral := self._referral(row))]
        entry = None
        try:
            entry = read_entry(self._offer_day, answers, referrals)
        except Refused as refused:
            for finding in refused.findings:
                self._refuse(finding.question, [finding])
        return None if self.errors else entry

    def _asked(self) -> tuple[dict[str, list[str]], list[Row]]:
        """The answers and referrals that were sent, without those to questions that are not asked given the others: the
        page of a script hides them, and nobody sees what they say. Without a result everything is looked at."""
        sent = {question: self.posted.getlist(question) for question in QUESTIONS if question in self.posted}
        codes = {q: frozenset(read_code(q, text) for text in texts) for q, texts in sent.items()}
        if not codes.get("result", frozenset()) & CODE_LISTS["result"].codes.keys():
            return sent, self.rows
        asked: dict[str, frozenset[str]] = {}
        for question in sent:  # in their order: an answer that is dropped makes no other one asked
            if is_asked(question, asked):
                asked[question] = codes[question]
        return {question: sent[question] for question in asked}, self.rows if is_asked(REFERRALS, asked) else []

    def _referral(self, row: Row) -> ReferralEntry | None:
        """The referral of a row that stands on its own; None for one that is refused."""
        try:
            referral = row.referral()
            read_entry(self._offer_day, {}, [referral])
        except Refused as refused:
            if own := [finding for finding in refused.findings if finding.question == REFERRALS]:
                self._refuse(row.id, own)
                return None
        return referral

    def _refuse(self, place: str, findings: Sequence[Finding]) -> None:
        for text in map(explain, findings):
            if text not in self.errors.setdefault(place, []):
                self.errors[place].append(text)

    def sections(self) -> dict[str, dict[str, Any]]:
        """For the template, plain values by section, so that rendering is nothing but loops."""
        language = get_language() or ""
        return {
            section: {
                "definitions": _definitions(section, self._offer_day, language),
                "questions": [
                    self._referrals(language) if question == REFERRALS else self._question(question, language)
                    for question in questions
                ],
            }
            for section, questions in SECTIONS.items()
        }

    def _question(self, question: str, language: str) -> dict[str, Any]:
        code_list = CODE_LISTS[question]
        chosen = {read_code(question, text) for text in self.posted.getlist(question)}
        if chosen.isdisjoint(code_list.codes) and not code_list.multiple:
            chosen = {NOT_ASKED}
        offered = _offered(question, self._offer_day, language)
        answers = [code for code in offered if code[0] not in NON_ANSWERS]
        dimensions = dict.fromkeys(dimension for *_, dimension in answers)
        return {
            "id": question,
            "asked_when": _asked_when(question),
            "label": code_list.label(language),
            "kind": "select" if question in SELECTS else "checkbox" if code_list.multiple else "radio",
            "parts": [
                (
                    _heading(part, language),
                    [(c, label, c in chosen) for c, label, _, dimension in answers if dimension == part],
                )
                for part in dimensions
            ],
            # With several answers to choose, choosing none says that it was not asked.
            "silent": [
                (c, SHORT[c], c in chosen)
                for c, *_ in offered
                if c in SHORT and not (code_list.multiple and c == NOT_ASKED)
            ],
            "alone": _alone(question),
            "first": answers[0][0],
            "required": question in MANDATORY,
            "errors": self.errors.get(question),
            "duties": routines_on(self._offer_day, language) if question == "reports_made" else (),
            "day": self._offer_day,
        }

    def _referrals(self, language: str) -> dict[str, Any]:
        offered = {part: _offered(f"referral_{part}", self._offer_day, language) for part in PARTS}
        return {
            "id": REFERRALS,
            "asked_when": _asked_when(REFERRALS),
            "kind": REFERRALS,
            "labels": {part: CODE_LISTS[f"referral_{part}"].label(language) for part in PARTS},
            "rows": [(row, self.errors.get(row.id)) for row in self.rows],
            "may_grow": len(self.rows) < ROWS,
            "errors": self.errors.get(REFERRALS),
        } | {part: [(code, label) for code, label, *_ in offered[part]] for part in PARTS}

    def summary(self) -> list[tuple[str, str, str]]:
        """Each refusal in the order of the page: where its link leads, the question, what to do."""
        language = get_language() or ""
        places = {"key": ("day", gettext("The form")), "day": ("day", gettext("Day"))}
        places["case_number"] = ("case_number", gettext("Case number"))
        places["earlier"] = ("earlier", gettext("Earlier referrals"))
        for question in (question for questions in SECTIONS.values() for question in questions):
            if question == REFERRALS:
                places |= {row.id: (f"{row.id}-target", f"{gettext('Referral')} {row.number + 1}") for row in self.rows}
                places[REFERRALS] = ("referral-0-target", gettext("Referrals"))
            else:
                places[question] = (question, CODE_LISTS[question].label(language))
        return [(*places[place], text) for place in places for text in self.errors.get(place, [])]
