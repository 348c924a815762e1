"""Owns what waits for a second person: asked for by one, decided by another, carried out when they agree."""

from collections.abc import Callable, Iterable
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from helpline import audit, policy
from helpline.models import Approval, User

CarryOut = Callable[[Approval, User], None]
_CARRY_OUT: dict[str, CarryOut] = {}
_FORGOTTEN: set[str] = set()


class WaitsAlready(Exception):
    """The same was asked for already and is not decided; nothing was stored."""


class Decided(Exception):
    """Somebody was quicker: it is decided or taken back, or it lapsed; nothing was changed."""


class NotYours(LookupError):
    """Nobody decides what they asked for or what is about themselves, or not of their role; nothing was changed."""


class Overtaken(Exception):
    """What was asked for can no longer be done; raised by what carries it out, and nothing was changed."""


def carries_out(act: str, *, forgets: bool = False) -> Callable[[CarryOut], CarryOut]:
    """Name the function that does `act` once a second person has agreed. KeyError for an act that needs none.

    `forgets`: once it is settled, in whatever way, the row no longer says what it was about.
    """
    if not policy.ACTIONS[act].approvers:
        raise KeyError(act)
    if forgets:
        _FORGOTTEN.add(act)

    def mark(function: CarryOut) -> CarryOut:
        _CARRY_OUT[act] = function
        return function

    return mark


def ask(*, by: User, act: str, subject: str, now: datetime, detail: str = "", about: User | None = None) -> Approval:
    """Put before a second person that `act` should be done to `subject`. Raises WaitsAlready."""
    _CARRY_OUT[act]
    # Else the database would write the subject into its log; between two who ask at once it still decides.
    if Approval.objects.filter(act=act, subject=subject, outcome=Approval.WAITING).exists():
        raise WaitsAlready
    said = {"act": act, "subject": subject, "detail": detail, "about": about}
    try:
        with transaction.atomic():
            asked = Approval.objects.create(**said, requested_by=by, requested_on=timezone.localdate(now))
            audit.record(by=by, act=act, reason="asked", about=about, now=now)
    except IntegrityError:
        raise WaitsAlready from None
    return asked


@transaction.atomic
def decide(pk: int, *, by: User, agrees: bool, now: datetime) -> Approval:
    """Agree to what another person asked for, which carries it out, or refuse it.

    What somebody asked for who may no longer do so, because the account was closed or has another role, is overtaken.
    Raises NotYours, Decided and Overtaken; nothing is changed then.
    """
    asked = Approval.objects.select_for_update().filter(pk=pk).first()
    if asked is None or by.pk in (asked.requested_by_id, asked.about_id) or not policy.may_approve(by.role, asked.act):
        raise NotYours
    _settle(asked, by=by, outcome=Approval.AGREED if agrees else Approval.REFUSED, now=now)
    if agrees and not asked.requested_by.may(asked.act):
        raise Overtaken
    if agrees:
        _CARRY_OUT[asked.act](asked, by)
    audit.record(by=by, act="approval.decide", reason="agreed" if agrees else "refused", about=asked.about, now=now)
    return asked


@transaction.atomic
def take_back(pk: int, *, by: User, now: datetime) -> Approval:
    """Take back what one asked for oneself. Raises NotYours and Decided."""
    asked = Approval.objects.select_for_update().filter(pk=pk, requested_by=by).first()
    if asked is None:
        raise NotYours
    _settle(asked, by=by, outcome=Approval.WITHDRAWN, now=now)
    audit.record(by=by, act=asked.act, reason="withdrawn", about=asked.about, now=now)
    return asked


def _settle(asked: Approval, *, by: User, outcome: str, now: datetime) -> None:
    if asked.outcome != Approval.WAITING:
        raise Decided
    # The row forgets what it was about; `asked`, for what carries it out, does not yet.
    Approval.objects.filter(pk=asked.pk).update(**_settled(asked.act, outcome=outcome, by=by, now=now))


def _settled(act: str, *, outcome: str, by: User | None, now: datetime) -> dict[str, object]:
    settled: dict[str, object] = {"outcome": outcome, "decided_by": by, "decided_on": timezone.localdate(now)}
    return settled | ({"subject": ""} if act in _FORGOTTEN else {})


def lapse(act: str, subjects: Iterable[str], *, now: datetime) -> int:
    """Settle, by nobody, that `act` can no longer be done to `subjects`; how many requests for it waited.

    The record of acts has no line of it, since nobody did anything. What is being decided at this moment is left alone.
    """
    waiting = Approval.objects.filter(act=act, subject__in=subjects, outcome=Approval.WAITING)
    return waiting.update(**_settled(act, outcome=Approval.LAPSED, by=None, now=now))


def erase_expired(*, today: date, months: int) -> int:
    """Remove the requests that were settled more than `months` ago, as their lines leave the record; how many."""
    settled = Approval.objects.filter(decided_on__lt=audit.months_before(today, months))
    removed, _ = settled.delete()
    return removed


def waiting_for(user: User) -> QuerySet[Approval]:
    """What `user` may decide, the oldest first."""
    acts = [name for name, action in policy.ACTIONS.items() if user.role in action.approvers]
    waiting = Approval.objects.filter(outcome=Approval.WAITING, act__in=acts)
    anothers = ~Q(requested_by=user) & (Q(about=None) | ~Q(about=user))
    return waiting.filter(anothers).select_related("requested_by", "about").order_by("pk")


def asked_by(user: User) -> QuerySet[Approval]:
    """What `user` asked for, the newest first."""
    return Approval.objects.filter(requested_by=user).select_related("decided_by", "about").order_by("-pk")
