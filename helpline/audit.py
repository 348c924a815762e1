"""Owns the record of what staff did: the hour, not the minute; codes, never values; nothing about a saved contact."""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from helpline import policy
from helpline.models import AuditEvent, User
from helpline.taxonomy import CODE_LISTS

# What a second person's part in an act is called; other reasons are codes of the list `opening_reason`.
DECISIONS = {
    "asked": gettext_noop("asked for"),
    "agreed": gettext_noop("agreed to"),
    "refused": gettext_noop("refused"),
    "withdrawn": gettext_noop("taken back"),
    "link": gettext_noop("the link was made"),
    "token": gettext_noop("the token alone"),
}


def record(*, by: User | None, act: str, now: datetime, reason: str = "", about: User | None = None) -> None:
    """Write down an act of policy.EVENTS, the code of why it was done, and the account that it concerned.

    KeyError for an act that the policy does not write down.
    """
    policy.EVENTS[act]
    hour = now.replace(minute=0, second=0, microsecond=0)
    AuditEvent.objects.create(hour=hour, actor=by, act=act, reason=reason, about=about)


def erase_expired(*, now: datetime, months: int) -> int:
    """Remove the lines that are older than `months`, of which there must be 24 or more: the database refuses it for
    younger ones. How many. To the day in UTC, so that the two clocks need not agree to the minute.
    """
    until = datetime.combine(months_before(now.astimezone(UTC).date(), months), time(), UTC)
    removed, _ = AuditEvent.objects.filter(hour__lt=until).delete()
    return removed


def months_before(day: date, months: int) -> date:
    """The same day `months` earlier, or the last of a month that is too short to have it."""
    month = day.year * 12 + day.month - 1 - months
    year, month = month // 12, month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


# --- reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Selection:
    """Which lines are asked for; what is None is not asked about. `month` is its first day."""

    act: str | None = None
    person: int | None = None
    month: date | None = None


def lines(reader: User, selection: Selection) -> QuerySet[AuditEvent]:
    """The lines of `selection` that `reader` may see, the newest first: one's own, or everybody's."""
    found = AuditEvent.objects.select_related("actor", "about").order_by("-pk")
    if not reader.may("audit.all"):
        found = found.filter(_of(reader.pk))
    if selection.act is not None:
        found = found.filter(act=selection.act)
    if selection.person is not None:
        found = found.filter(_of(selection.person))
    if selection.month is not None:
        found = found.filter(hour__gte=_begins(selection.month), hour__lt=_begins(_next_month(selection.month)))
    return found


def _of(person: int) -> Q:
    """The lines of what an account did and of what was done with it."""
    return Q(actor=person) | Q(about=person)


def months(today: date, *, kept: int) -> list[date]:
    """The first days of the months of which a record that is kept for `kept` months has lines, the newest first."""
    return [months_before(today.replace(day=1), ago) for ago in range(kept + 1)]


def _next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _begins(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


# --- in words ---------------------------------------------------------------------------------------------------------


def act_in_words(act: str) -> str:
    """What an act is called; one that the policy no longer knows keeps its name."""
    return gettext(policy.EVENTS[act]) if act in policy.EVENTS else act


def reason_in_words(reason: str, language: str) -> str:
    if reason in DECISIONS:
        return gettext(DECISIONS[reason])
    known = CODE_LISTS["opening_reason"].codes.get(reason)
    return known.label(language) if known else reason
