"""Owns the tokens with which a program reads in the name of an account: shown once, kept as a digest, soon expired."""

import hashlib
import secrets
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from helpline import audit, policy
from helpline.models import User
from reports.models import Grant, Token

DAYS, MOST = 30, 2


class NoGrant(Exception):
    """The account has no live grant; no token was made."""


class TooMany(Exception):
    """The account has MOST good tokens; no other was made."""


class NoSuchToken(LookupError):
    """There is no such token, or it is none that one may revoke."""


@transaction.atomic
def issue(user: User, *, now: datetime) -> tuple[str, date]:
    """A new token of `user` and its last day: DAYS days from today, never beyond the grant. Nobody can read it again.

    Raises NoGrant and TooMany.
    """
    today = timezone.localdate(now)
    # Locked, so that two at once do not both find room, and none outlives a grant that ends at this moment.
    grant = Grant.objects.live(today).select_for_update().filter(evaluator=user).first()
    if grant is None:
        raise NoGrant
    if Token.objects.good(today).filter(user=user).count() >= MOST:
        raise TooMany
    token, until = secrets.token_urlsafe(32), min(grant.until, today + timedelta(days=DAYS))
    accept(token, user, until=until)
    audit.record(by=user, act="grant.token", about=user, now=now)
    return token, until


def accept(token: str, user: User, *, until: date) -> None:
    """Let `token`, chosen elsewhere (as for a demonstration), stand for `user`."""
    Token.objects.create(user=user, digest=_digest(token), expires_on=until, epoch=user.epoch)


@transaction.atomic
def revoke(pk: int, *, by: User, now: datetime) -> None:
    """Throw away a token: one's own, or anybody's where `by` runs the line. Raises NoSuchToken."""
    theirs = Token.objects.all() if by.role in policy.TRUSTED else Token.objects.filter(user=by)
    token = theirs.filter(pk=pk).select_related("user").first()
    if token is None or not theirs.filter(pk=pk).delete()[0]:
        raise NoSuchToken
    audit.record(by=by, act="grant.revoke", reason="token", about=token.user, now=now)


def holder(token: str, *, today: date) -> User | None:
    """Whom a token stands for; nobody for an unknown or expired one, of a closed account, from before all its sessions
    were ended, or outside a live grant.

    Found by its digest, so how long it takes says nothing of how much of a guess was right.
    """
    granted = Grant.objects.live(today).values("evaluator")
    good = Token.objects.good(today).filter(digest=_digest(token), user__in=granted)
    found = good.select_related("user").first()
    return found.user if found else None


def erase_expired(*, today: date) -> int:
    """Erase the tokens that are good no more since their last day is over; how many."""
    return Token.objects.filter(expires_on__lt=today).delete()[0]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
