"""Owns what a list says of a contact and of a draft: one line each, by few queries whatever the history."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Count, F, FilteredRelation, Q
from django.utils.translation import get_language

from helpline import contacts, drafts, taxonomy
from helpline.entries import NOT_FOLLOWED_UP
from helpline.models import Contact, Draft, User
from helpline.taxonomy import CODE_LISTS, TO_CLOSE
from helpline.wording import referral_label


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
    version: int = 0
    waiting: tuple[tuple[str, str], ...] = ()  # referrals that nobody has followed up: value and label


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
    """What `by` logged and can still change, the newest first, with the referrals that nobody has followed up."""
    own = contacts.own_changeable(by, now=now, amend_hours=settings.HELPLINE_AMEND_HOURS)
    silent = FilteredRelation("referrals", condition=Q(referrals__outcome=NOT_FOLLOWED_UP))
    # One row for each such referral, or one alone: the pages of the list have no query to spare.
    rows = own.annotate(silent=silent).annotate(target=F("silent__target"), kind=F("silent__type"))
    lines: dict[UUID, Line] = {}
    for contact in rows.order_by("-logged_at", "pk", "target", "kind"):
        line = lines.setdefault(contact.pk, replace(line_of(contact), version=contact.version))
        if contact.target:
            asked = (f"{contact.target}:{contact.kind}", referral_label(contact.target, contact.kind))
            lines[contact.pk] = replace(line, waiting=(*line.waiting, asked))
    return list(lines.values())


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
