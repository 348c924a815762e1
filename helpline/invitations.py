"""Owns the one-time links by which somebody takes up an account that was made for them, or made anew: by a password of
their own, or by who they are at the identity provider."""

from datetime import datetime, timedelta
from uuid import uuid4

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.core import signing
from django.db import transaction
from django.urls import reverse

from helpline import audit
from helpline.accounts import DeadLink
from helpline.models import User

SALT = "invitation"
VALID = timedelta(hours=72)


def path_for(account: User) -> str:
    """The path of a page on which the owner of an account without password chooses one: once, for VALID from now.

    Nothing of it is stored; any link made for the account before is dead. Raises DeadLink for an account that is in use
    or closed, so that nobody takes over somebody's.
    """
    epoch = uuid4()
    if not is_free(account) or not User.objects.filter(pk=account.pk, is_active=True).update(epoch=epoch):
        raise DeadLink
    return reverse("invitation", kwargs={"token": signing.dumps([account.pk, epoch.hex], salt=SALT)})


def invited_by(token: str) -> User:
    """The account that the link takes up. Raises DeadLink."""
    try:
        pk, epoch = signing.loads(token, salt=SALT, max_age=VALID)
    except signing.BadSignature:
        raise DeadLink from None
    account = User.objects.filter(pk=pk, epoch=epoch, is_active=True).first()
    if account is None or not is_free(account):
        raise DeadLink
    return account


def is_free(account: User) -> bool:
    """Whether nobody logs in to the account yet: by password, with a second factor of theirs, or at a provider."""
    ways = (Authenticator.objects.filter(user=account), SocialAccount.objects.filter(user=account))
    return not (account.has_usable_password() or any(way.exists() for way in ways))


def take_up(token: str, *, password: str, now: datetime) -> User:
    """Give the account its owner's password; the link is used then. Raises DeadLink, also for the slower of two."""
    account = invited_by(token)
    account.set_password(password)
    return _used(account, now=now)


def accept(token: str, *, now: datetime) -> User:
    """The account, whose owner comes in without a password; the link is used then. Raises DeadLink, as `take_up`."""
    return _used(invited_by(token), now=now)


def _used(account: User, *, now: datetime) -> User:
    as_invited = User.objects.filter(pk=account.pk, epoch=account.epoch, is_active=True)
    account.epoch = uuid4()
    with transaction.atomic():
        if not as_invited.update(password=account.password, epoch=account.epoch):
            raise DeadLink
        audit.record(by=account, act="account.invited", about=account, now=now)
    return account
