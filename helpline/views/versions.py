"""Owns a stored contact as a form can change it: prefilled with what it says, and two versions of it side by side."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.datastructures import MultiValueDict
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext

from helpline import taxonomy
from helpline.contact_form import SECTIONS, ContactForm
from helpline.contacts import entry_of
from helpline.entries import ContactEntry, Finding, ReferralEntry
from helpline.form_rows import Posted
from helpline.form_values import posted_of
from helpline.models import Contact
from helpline.taxonomy import CODE_LISTS, REFERRALS
from helpline.wording import referral_label


def fields_of_entry(entry: ContactEntry) -> list[tuple[str, str]]:
    """What a form would send that says just this: name and value of each field."""
    fields = [("day", entry.day.isoformat())]
    for question, codes in entry.answers.items():
        fields += [(question, code) for code in CODE_LISTS[question].codes if code in codes and _says(code)]
    for number, referral in enumerate(entry.referrals):
        parts = {"target": referral.target, "type": referral.type, "outcome": referral.outcome}
        parts |= {"consent": "ja"} if referral.consent else {}
        fields += [(f"referral-{number}-{part}", value) for part, value in parts.items()]
    return fields


def _says(code: str) -> bool:
    return taxonomy.is_answer(frozenset({code}))


class AmendForm(ContactForm):
    """The form of a stored contact: it says what the contact says, and its day may stay however old it is."""

    def __init__(self, contact: Contact, *, today: date, posted: Posted | None = None) -> None:
        self._stored_day = contact.day
        if posted is None:
            shown = posted_of(fields_of_entry(entry_of(contact)))
        else:
            shown = MultiValueDict(dict(posted.lists()))  # what was sent cannot be written to
        shown["key"] = str(contact.pk)
        super().__init__(today=today, posted=shown)

    def _read_day(self, text: str) -> tuple[date | None, Sequence[Finding]]:
        self.first_day = min(self.first_day, self._stored_day)
        return super()._read_day(text)


@dataclass(frozen=True, slots=True)
class Compared:
    """One question in two versions of a contact, as labels in the reader's language."""

    question: str
    saved: tuple[str, ...]
    yours: tuple[str, ...]

    @property
    def differs(self) -> bool:
        return self.saved != self.yours


def repeated(contact: Contact) -> list[str]:
    """The stored referrals that an earlier contact of the case has too."""
    return [referral_label(row.target, row.type) for row in contact.referrals.all() if row.is_repeat]


def compare(contact: Contact, yours: ContactEntry) -> list[Compared]:
    """What is stored beside what somebody wants stored instead: every question that one of the two answers."""
    saved, repeats = entry_of(contact), frozenset((r.target, r.type) for r in contact.referrals.all() if r.is_repeat)
    rows = [Compared(gettext("Day"), (_day(saved.day),), (_day(yours.day),))]
    for question in (question for questions in SECTIONS.values() for question in questions):
        if question == REFERRALS:
            both = (tuple(_referrals(entry.referrals, repeats)) for entry in (saved, yours))
            rows.append(Compared(gettext("Referrals"), *both))
        else:
            both = (tuple(_answers(question, entry)) for entry in (saved, yours))
            rows.append(Compared(CODE_LISTS[question].label(get_language() or ""), *both))
    return [row for row in rows if row.saved or row.yours]


def _day(day: date) -> str:
    return date_format(day, "j F Y")


def _answers(question: str, entry: ContactEntry) -> Iterator[str]:
    for code in CODE_LISTS[question].codes.values():
        if code.code in entry.answers[question] and _says(code.code):
            yield code.label(get_language() or "")


def _referrals(referrals: Iterable[ReferralEntry], repeats: frozenset[tuple[str, str]]) -> Iterator[str]:
    for r in sorted(referrals):
        outcome = CODE_LISTS["referral_outcome"].codes[r.outcome].label(get_language() or "")
        mark = f" ({gettext('repeated, not counted again')})" if (r.target, r.type) in repeats else ""
        yield f"{referral_label(r.target, r.type)}, {outcome}{mark}"
