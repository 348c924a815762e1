"""Owns whose an account is: the tie between it and one person at the identity provider, and by what it comes about."""

from datetime import datetime

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from helpline import audit, invitations
from helpline.accounts import DeadLink
from helpline.models import User
from helpline.oidc import Answer, Reason, Refused


@transaction.atomic
def account_of(answer: Answer, *, now: datetime) -> User:
    """The active account that bears the name, letter for letter, and is this person's, or becomes so now.

    No account is made, and none is found by e-mail. Raises Refused.
    """
    user = User.objects.select_for_update().filter(username=answer.name, is_active=True).first()
    if user is None:
        raise Refused(Reason.NO_ACCOUNT)
    ties = SocialAccount.objects.filter(provider=settings.HELPLINE_OIDC_ISSUER)
    tied = ties.filter(user=user).first() or ties.filter(uid=answer.subject).first()
    if tied is None:
        return _become_theirs(user, answer, now=now)
    if (tied.user_id, tied.uid) != (user.pk, answer.subject):
        raise Refused(Reason.OTHER)
    return user


def _become_theirs(user: User, answer: Answer, *, now: datetime) -> User:
    """A name that the provider says is never enough: whoever bears it has the account's invitation too, or sits in a
    session of the account in which they have just shown who they are. Raises Refused."""
    if answer.invitation:
        user = _taken_up(user, answer.invitation, now=now)
    elif not answer.ties:
        raise Refused(Reason.NOT_TIED if user.has_usable_password() else Reason.NOT_TAKEN_UP)
    # The table has clocks, of which the day is kept.
    day = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    tied = SocialAccount.objects.create(user=user, provider=settings.HELPLINE_OIDC_ISSUER, uid=answer.subject)
    SocialAccount.objects.filter(pk=tied.pk).update(last_login=day, date_joined=day)
    audit.record(by=user, act="account.tied", about=user, now=now)
    return user


def _taken_up(user: User, invitation: str, *, now: datetime) -> User:
    try:
        if invitations.invited_by(invitation) != user:
            raise Refused(Reason.OTHER)
        return invitations.accept(invitation, now=now)
    except DeadLink:
        raise Refused(Reason.NOT_TIED if user.has_usable_password() else Reason.NOT_TAKEN_UP) from None


def is_tied(user: User) -> bool:
    """Whether somebody at the provider of the settings is let in to the account."""
    return SocialAccount.objects.filter(user=user, provider=settings.HELPLINE_OIDC_ISSUER).exists()


def untie(user: User) -> None:
    """Nobody at a provider is let in to the account any more."""
    SocialAccount.objects.filter(user=user).delete()
