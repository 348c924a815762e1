"""Owns what a person reads and sends on the helpline's pages: the wording of each refusal, and the forms."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.conf import settings
from django.contrib.auth import password_validation
from django.contrib.auth.forms import UsernameField
from django.utils.datastructures import MultiValueDict
from django.utils.translation import get_language, gettext, gettext_lazy, ngettext

from helpline.entries import ContactEntry, Finding, Reason, ReferralEntry, Refused, read_code, read_day, read_entry
from helpline.models import User
from helpline.taxonomy import CODE_LISTS, MANDATORY, NON_ANSWERS, NOT_ASKED, QUESTIONS, REFERRALS


def explain(finding: Finding) -> str:
    """One sentence, in the reader's language, that says what to do about `finding`; never the refused text itself."""
    wording = {
        Reason.UNKNOWN: gettext("This is no code of the list: choose one of the list’s codes."),
        Reason.NOT_VALID_ON_DAY: gettext("This code does not hold on the chosen day: choose another one."),
        Reason.REPEATED: gettext("The same code stands twice: give it once."),
        Reason.EXCLUSIVE: gettext("One of these answers stands alone: keep either it or the others."),
        Reason.SINGLE: gettext("Only one answer fits here: keep one of them."),
        Reason.MISSING: gettext("An answer is needed here: choose one."),
        Reason.NOT_A_DAY: gettext("This is no day: write it as year-month-day, as in 2016-06-30."),
        Reason.DAY_AHEAD: gettext("The day lies ahead: choose today or an earlier day."),
        Reason.DAY_TOO_EARLY: gettext("The code lists hold from 2015-01-01: choose that day or a later one."),
        Reason.DAY_TOO_OLD: _too_old(settings.HELPLINE_BACKDATE_DAYS),
        Reason.REFERRAL_SHAPE: gettext("A referral is written target:type:outcome: give its codes in that order."),
        Reason.REFERRAL_REPEATED: gettext("The same referral stands twice: keep one of them."),
        Reason.CONSENT: gettext("Contact is arranged only with the caller’s consent: tick it, or choose signposting."),
    }
    if finding.question == REFERRALS and finding.reason is Reason.MISSING:
        return gettext("A referral needs both a recipient and a type: choose both, or empty the row.")
    if finding.reason is Reason.UNKNOWN and finding.hint:
        return gettext("This is no code of the list: did you mean %(code)s?") % {"code": finding.hint}
    return wording[finding.reason]


def _too_old(days: int) -> str:
    return ngettext(
        "The day lies too far back: choose today or yesterday.",
        "The day lies too far back: choose today or one of the %(days)d days before.",
        days,
    ) % {"days": days}


# --- accounts -------------------------------------------------------------------------------------------------------


class FirstAdministratorForm(forms.Form):
    """User name and, twice, the password of the account that makes all the others."""

    username = UsernameField(max_length=64, label=gettext_lazy("User name"))
    password = forms.CharField(strip=False, label=gettext_lazy("Password"))
    again = forms.CharField(strip=False, label=gettext_lazy("The same password again"))

    def clean(self) -> dict[str, Any]:
        password = self.cleaned_data.get("password", "")
        if password and "again" in self.cleaned_data and password != self.cleaned_data["again"]:
            self.add_error("again", gettext("The two passwords differ: write the same one twice."))
        try:
            if password:
                password_validation.validate_password(password, User(username=self.cleaned_data.get("username", "")))
        except forms.ValidationError as error:
            self.add_error("password", error)
        return self.cleaned_data


# --- one contact ----------------------------------------------------------------------------------------------------

Posted = MultiValueDict[str, str]

# In the order of a conversation. The situation leads and the milieu stands lower: reasons are seldom ideas.
SECTIONS = {
    "call": ("channel", "result", "length"),
    "caller": ("caller_role", "sector", "relation", "caller_gender", "caller_adult", "first_contact"),
    "concern": ("concerns", "age", "gender", "county", "environment", "gang_overlap"),
    "way_out": ("needs", "motivation", "plan", "barriers"),
    "done": ("actions", REFERRALS, "reports_made", "urgency"),
    "rest": ("awareness", "language", "language_support"),
}
ROWS = 8  # of referrals
TELEPHONE, NOT_FOLLOWED_UP, ARRANGED = "telefon", "ej_uppf", "formedling"
SELECTS = frozenset({"county", "language"})  # too many codes to take in at a glance
SHORT = {
    "ej_fragat": gettext_lazy("Not asked"),
    "vet_ej": gettext_lazy("Does not know"),
    "avboj": gettext_lazy("Declined"),
}
PARTS = ("target", "type", "outcome")


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


@dataclass(slots=True)
class Row:
    """One row of the referrals as it was sent; a text that is no code is read but never shown again."""

    number: int
    target: str = ""
    type: str = ""
    outcome: str = NOT_FOLLOWED_UP
    consent: str = ""
    is_new: bool = False

    @property
    def id(self) -> str:
        return f"referral-{self.number}"

    def is_empty(self) -> bool:
        return not (self.target or self.type or self.consent) and self.outcome == NOT_FOLLOWED_UP

    def referral(self) -> ReferralEntry:
        """What the row says; a consent beside a hänvisning says nothing. Raises Refused for half a row."""
        if not (self.target and self.type):
            raise Refused([Finding(REFERRALS, Reason.MISSING)])
        consent = bool(self.consent) and self.type == ARRANGED
        return ReferralEntry(self.target, self.type, self.outcome, consent)


def _rows(posted: Posted) -> list[Row]:
    """The rows that were sent, numbered anew; one empty row if there is none."""
    rows: list[Row] = []
    for number in range(ROWS):
        parts = {part: posted.get(f"referral-{number}-{part}", "").strip() for part in (*PARTS, "consent")}
        if any(parts.values()):
            outcome = parts["outcome"] or NOT_FOLLOWED_UP
            rows.append(Row(len(rows), parts["target"], parts["type"], outcome, parts["consent"]))
    return rows or [Row(0)]


def _heading(dimension: str | None, language: str) -> str:
    """The name of a dimension of the needs; a list without dimensions has no headings."""
    return CODE_LISTS["needs_2"].codes[dimension].label(language) if dimension else ""


class ContactForm:
    """One contact as it stands in the form: what is chosen, what is refused, and the key by which it is saved once."""

    def __init__(self, *, today: date, posted: Posted | None = None) -> None:
        self.today = today
        self.first_day = today - timedelta(days=settings.HELPLINE_BACKDATE_DAYS)
        self.posted: Posted = (
            MultiValueDict({"channel": [TELEPHONE], "day": [today.isoformat()]}) if posted is None else posted
        )
        self.errors: dict[str, list[str]] = {}
        self.key, self._key_is_new = self._read_key(self.posted.get("key", ""))
        self.day, self._day_findings = self._read_day(self.posted.get("day", ""))
        self.rows = _rows(self.posted)

    def _read_key(self, text: str) -> tuple[UUID, bool]:
        """The key under which the contact is saved once only, and whether it had to be made."""
        try:
            return UUID(text), False
        except ValueError:
            return uuid4(), True

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
        referrals = [referral for row in self.rows if not row.is_empty() and (referral := self._referral(row))]
        answers = {question: self.posted.getlist(question) for question in QUESTIONS if question in self.posted}
        entry = None
        try:
            entry = read_entry(self._offer_day, answers, referrals)
        except Refused as refused:
            for finding in refused.findings:
                self._refuse(finding.question, [finding])
        return None if self.errors else entry

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
            "first": answers[0][0],
            "required": question in MANDATORY,
            "errors": self.errors.get(question),
        }

    def _referrals(self, language: str) -> dict[str, Any]:
        offered = {part: _offered(f"referral_{part}", self._offer_day, language) for part in PARTS}
        return {
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
        for question in (question for questions in SECTIONS.values() for question in questions):
            if question == REFERRALS:
                places |= {row.id: (f"{row.id}-target", f"{gettext('Referral')} {row.number + 1}") for row in self.rows}
                places[REFERRALS] = ("referral-0-target", gettext("Referrals"))
            else:
                places[question] = (question, CODE_LISTS[question].label(language))
        return [(*places[place], text) for place in places for text in self.errors.get(place, [])]
