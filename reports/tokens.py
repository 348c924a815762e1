"""Owns the tokens with which a program reads in the name of an account: shown once, kept as a digest, soon expired."""

import hashlib
import secrets
from datetime import date, timedelta

from django.contrib.auth.base_user import AbstractBaseUser

from reports.models import Token

DAYS = 30


def issue(user: AbstractBaseUser, *, today: date, days: int = DAYS) -> str:
    """A new token of `user`, good up to and including the day `days` from today. Nobody can read it again."""
    token = secrets.token_urlsafe(32)
    accept(token, user, today=today, days=days)
    return token


def accept(token: str, user: AbstractBaseUser, *, today: date, days: int = DAYS) -> None:
    """Let `token`, chosen elsewhere (as for a demonstration), stand for `user`."""
    Token.objects.create(user_id=user.pk, digest=_digest(token), expires_on=today + timedelta(days=days))


def holder(token: str, *, today: date) -> AbstractBaseUser | None:
    """Whom a token stands for; nobody for an unknown or expired one, or one of a disabled account.

    Found by its digest, so how long it takes says nothing of how much of a guess was right.
    """
    good = Token.objects.filter(digest=_digest(token), expires_on__gte=today, user__is_active=True)
    found = good.select_related("user").first()
    return found.user if found else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
