"""Owns the forms that are being filled in: kept on the server from the first choice, strictly their owner's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from helpline.entries import Finding, Reason, UnknownCode
from helpline.models import Case, Contact, Draft, User
from helpline.taxonomy import CODE_LISTS, QUESTIONS


class NotYours(LookupError):
    """The draft is somebody else's, or there is none: both are answered alike."""


class SavedAlready(Exception):
    """The form was saved as a contact: a draft that comes late is not kept."""


ROW_PARTS = ("target", "type", "outcome", "consent")
ROWS = 8  # of referrals


@dataclass(frozen=True, slots=True)
class Content:
    """What a form holds so far: the day as text, codes by question, rows of referrals. Nothing need be complete.

    Raises UnknownCode for anything that is no code of its list, so that no word can be kept.
    """

    day: str
    answers: Mapping[str, tuple[str, ...]]
    referrals: tuple[Mapping[str, str], ...] = ()

    def __post_init__(self) -> None:
        for question, codes in self.answers.items():
            if question not in QUESTIONS or not set(codes) <= CODE_LISTS[question].codes.keys():
                raise UnknownCode([Finding(question if question in QUESTIONS else "", Reason.UNKNOWN)])
        if len(self.referrals) > ROWS or not all(_is_row(row) for row in self.referrals):
            raise UnknownCode([Finding("referrals", Reason.UNKNOWN)])
        if self.day and not is_day(self.day):
            raise UnknownCode([Finding("day", Reason.NOT_A_DAY)])

    def as_text(self) -> str:
        """One JSON text for equal contents."""
        content = {"day": self.day, "answers": dict(self.answers), "referrals": [dict(row) for row in self.referrals]}
        return json.dumps(content, sort_keys=True)


def is_day(text: str) -> bool:
    """Whether a text is a day of the calendar, as year-month-day."""
    try:
        datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007 (a day has no zone)
    except ValueError:
        return False
    return True


def _is_row(row: Mapping[str, str]) -> bool:
    lists = {part: CODE_LISTS[f"referral_{part}"].codes for part in ROW_PARTS[:3]}
    known = all(row[part] in ("", *lists[part]) for part in ROW_PARTS[:3] if part in row)
    return known and row.keys() <= set(ROW_PARTS) and row.get("consent", "") in ("", "ja")


def content_of(draft: Draft) -> Content:
    kept = json.loads(draft.content)
    answers = {question: tuple(codes) for question, codes in kept["answers"].items()}
    return Content(kept["day"], answers, tuple(kept["referrals"]))


@transaction.atomic
def keep_draft(*, by: User, key: UUID, content: Content, case: Case | None, now: datetime) -> Draft:
    """Keep what the form holds at this moment; the last word wins. A case that was forgotten meanwhile is left out.

    Raises NotYours and SavedAlready.
    """
    known = Case.objects.filter(pk=case.pk).first() if case else None
    said = {"content": content.as_text(), "case": known, "changed_at": now}
    mine = Draft.objects.filter(pk=key, owner=by)
    if not mine.update(**said):
        Draft.objects.bulk_create([Draft(id=key, owner=by, opened_at=now, **said)], ignore_conflicts=True)
        if not mine.update(**said):
            raise NotYours
    # Last: a save that came first has emptied its place, and one that comes later empties it anew.
    if Contact.objects.filter(submission_key=key).exists():
        raise SavedAlready
    return mine.get()


# A first draft and the save of its form, on their way at the same moment, see nothing of each other.
SAVED = Exists(Contact.objects.filter(submission_key=OuterRef("pk")))


def unfinished(by: User, *, now: datetime, hours: int) -> QuerySet[Draft]:
    """One's own drafts that were touched in the last `hours` hours and are no contact."""
    return Draft.objects.filter(~SAVED, owner=by, changed_at__gte=now - timedelta(hours=hours))


def draft_of(by: User, key: UUID) -> Draft:
    """One's own draft. Raises NotYours, also for one that is too old or saved."""
    own = unfinished(by, now=timezone.now(), hours=settings.HELPLINE_DRAFT_HOURS)
    if (draft := own.select_related("case").filter(pk=key).first()) is None:
        raise NotYours
    return draft


def drop_draft(*, by: User, key: UUID) -> None:
    """Throw one's own draft away; none is no error. Raises NotYours for somebody else's."""
    if not Draft.objects.filter(pk=key, owner=by).delete()[0] and Draft.objects.filter(pk=key).exists():
        raise NotYours


def drop_all(owner: User) -> None:
    """Throw every draft of an account away."""
    Draft.objects.filter(owner=owner).delete()


def erase_expired(*, now: datetime, hours: int) -> int:
    """Erase the drafts that nobody touched for `hours` hours or that are contacts; how many."""
    return Draft.objects.filter(Q(changed_at__lt=now - timedelta(hours=hours)) | Q(SAVED)).delete()[0]
