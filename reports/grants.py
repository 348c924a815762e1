"""Owns the grants: which evaluator may read by program until when; one person asks, another agrees, any ends it.

What leaves the house by itself is let out by two people and for a time, and is taken back at once. The pages of the
statistics need no grant.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Prefetch, QuerySet, Value
from django.db.models.functions import Least
from django.utils import timezone

from helpline import approvals, audit, policy
from helpline.models import Approval, User
from reports.models import Grant, Grants, Token

ISSUE, REVOKE = "grant.issue", "grant.revoke"
MOST_DAYS = 400  # a year of evaluation and the weeks after it


class CannotGrant(ValueError):
    """A grant cannot be asked for; `reason` is one of the constants below."""

    NO_EVALUATOR, DAY = "the account is no evaluator's, or closed", "the day is over, or too far ahead"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoSuchGrant(LookupError):
    """There is no such grant, or it is none that one may end."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A grant that waits for a second person."""

    evaluator: str
    until: date
    requested_by: str
    requested_on: date


# --- from the question to the grant -------------------------------------------------------------------------------


def ask(evaluator: User, until: date, *, by: User, now: datetime) -> Approval:
    """Put before a second person that `evaluator` may read by program up to and including `until`.

    Raises CannotGrant and approvals.WaitsAlready; nothing is stored then.
    """
    today = timezone.localdate(now)
    if not evaluators().filter(pk=evaluator.pk).exists():
        raise CannotGrant(CannotGrant.NO_EVALUATOR)
    if not today <= until <= latest_day(today):
        raise CannotGrant(CannotGrant.DAY)
    day = until.isoformat()
    return approvals.ask(by=by, act=ISSUE, subject=str(evaluator.pk), detail=day, now=now, about=evaluator)


def latest_day(today: date) -> date:
    """The last day until which a grant can be asked for."""
    return today + timedelta(days=MOST_DAYS)


@approvals.carries_out(ISSUE)
def issue_agreed(asked: Approval, by: User) -> None:
    """The grant that two people now want. Raises approvals.Overtaken when the account was closed or the day passed."""
    now = timezone.now()
    today, until = timezone.localdate(now), date.fromisoformat(asked.detail)
    evaluator = evaluators().filter(pk=asked.subject).first()
    if evaluator is None or until < today:
        raise approvals.Overtaken
    issue(evaluator, until, requested_by=asked.requested_by, approved_by=by, today=today)
    audit.record(by=by, act=ISSUE, about=evaluator, now=now)


@transaction.atomic
def issue(evaluator: User, until: date, *, requested_by: User, approved_by: User, today: date) -> Grant:
    """A grant of two people, in the place of the one that the evaluator has; their tokens go on within it."""
    earlier = Grant.objects.filter(evaluator=evaluator, ended_on=None)
    earlier.update(ended_on=Least("until", Value(today)), ended_by=approved_by)
    people = {"requested_by": requested_by, "approved_by": approved_by}
    return Grant.objects.create(evaluator=evaluator, issued_on=today, until=until, **people)


@transaction.atomic
def revoke(pk: int, *, by: User, now: datetime) -> Grant:
    """End a grant at once, and the evaluator's tokens with it; one that is over stays as it is. Raises NoSuchGrant."""
    today = timezone.localdate(now)
    grant = visible_to(by).select_for_update(of=("self",)).filter(pk=pk).first()
    if grant is None:
        raise NoSuchGrant
    if Grant.objects.filter(pk=pk).live(today).update(ended_on=today, ended_by=by):
        Token.objects.filter(user=grant.evaluator).delete()
        audit.record(by=by, act=REVOKE, about=grant.evaluator, now=now)
    return grant


# --- who may ------------------------------------------------------------------------------------------------------


def evaluators() -> QuerySet[User]:
    """The accounts that can be given a grant, by name."""
    return User.objects.filter(role=policy.EVALUATOR, is_active=True).order_by("username")


def may_fetch(user: User, *, today: date) -> bool:
    """Whether published tables may leave as a file or for a program of `user`: an evaluator needs a live grant."""
    return user.role != policy.EVALUATOR or Grant.objects.live(today).filter(evaluator=user).exists()


def visible_to(user: User) -> Grants:
    """The grants that `user` may see and end: evaluators their own; others' are not there."""
    everybodys = Grant.objects.select_related("evaluator")
    return everybodys if user.role in policy.TRUSTED else everybodys.filter(evaluator=user)


def shown_to(user: User, *, today: date) -> Grants:
    """The same with everybody concerned, `evaluator.tokens` being those that are good today; the newest first."""
    good = Token.objects.good(today).order_by("expires_on", "pk")
    people = visible_to(user).select_related("requested_by", "approved_by", "ended_by")
    return people.prefetch_related(Prefetch("evaluator__tokens", good)).order_by("-pk")


def waiting() -> Sequence[Asked]:
    """What was asked for and is not decided, the oldest first."""
    rows = Approval.objects.filter(act=ISSUE, outcome=Approval.WAITING).select_related("requested_by").order_by("pk")
    names = dict(User.objects.filter(pk__in=[row.subject for row in rows]).values_list("pk", "username"))
    return [
        Asked(names[int(row.subject)], date.fromisoformat(row.detail), row.requested_by.username, row.requested_on)
        for row in rows
    ]
