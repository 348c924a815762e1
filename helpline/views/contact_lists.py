"""Owns what a list says of a contact and of a draft: one line each, by few queries whatever the history."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Count
from django.utils.translation import get_language

from helpline import contacts, drafts, taxonomy
from helpline.models import Contact, Draft, User
from helpline.taxonomy import CODE_LISTS, TO_CLOSE


@dataclass(frozen=True, slots=True)
class Line:
    """One contact in a list, in the reader's language; what was not answered is empty."""

    id: UUID
    day: date
    logged_at: datetime | None
    result: str
    role: str
    length: str
    is_open: bool
    is_withdrawn: bool


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One unfinished form in its owner's list."""

    id: UUID
    opened_at: datetime
    result: str
    role: str


def _said(question: str, codes: Iterable[str]) -> str:
    """The labels of an answer, or nothing if it says nothing."""
    listed, language = CODE_LISTS[question].codes, get_language() or ""
    return ", ".join(listed[code].label(language) for code in codes if taxonomy.is_answer(frozenset({code})))


def line_of(contact: Contact) -> Line:
    answers = {question: getattr(contact, question) for question in TO_CLOSE}
    return Line(
        id=contact.pk,
        day=contact.day,
        logged_at=contact.logged_at,
        result=_said("result", [contact.result]),
        role=_said("caller_role", [contact.caller_role]),
        length=_said("length", [contact.length]),
        is_open=taxonomy.is_open({q: frozenset({v}) if isinstance(v, str) else v for q, v in answers.items()}),
        is_withdrawn=contact.is_withdrawn,
    )


def own_lines(by: User, *, now: datetime) -> list[Line]:
    """What `by` logged and can still change, the newest first."""
    own = contacts.own_changeable(by, now=now, amend_hours=settings.HELPLINE_AMEND_HOURS)
    return [line_of(contact) for contact in own]


def own_drafts(by: User, *, now: datetime) -> list[DraftLine]:
    """The forms that `by` has not finished, the last touched first."""
    own = drafts.unfinished(by, now=now, hours=settings.HELPLINE_DRAFT_HOURS)
    return [_draft_line(draft) for draft in own.order_by("-changed_at", "pk")]


def _draft_line(draft: Draft) -> DraftLine:
    answers = drafts.content_of(draft).answers
    result, role = (_said(question, answers.get(question, ())) for question in ("result", "caller_role"))
    return DraftLine(draft.pk, draft.opened_at, result, role)


def lines_of_day(day: date) -> list[Line]:
    """The contacts of a day that are not frozen, withdrawn ones last, open ones first; never in the order of the calls,
    which the keys know nothing of."""
    of_day = [line_of(contact) for contact in Contact.objects.filter(day=day, is_frozen=False).order_by("pk")]
    return sorted(of_day, key=lambda line: (line.is_withdrawn, not line.is_open))


def open_by_day() -> list[tuple[date, int]]:
    """How many contacts of each day still lack an answer and can get it, the latest day first."""
    days = Contact.objects.changeable().open().values("day").annotate(n=Count("pk")).order_by("-day")
    return [(row["day"], row["n"]) for row in days]
