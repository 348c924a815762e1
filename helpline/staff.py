"""Owns what an administrator does to other people's accounts: invite, let begin anew, give a role, close and reopen.

What the policy gives approvers is only asked for here, and done when another administrator agrees. Nobody does any of
it to their own account, and one active administrator is always left.
"""

from datetime import datetime, timedelta
from uuid import uuid4

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from helpline import accounts, approvals, audit, contacts, drafts, identities, invitations, policy
from helpline.models import Approval, User

ROLE, REOPEN = "staff.role", "staff.reactivate"
INVITE_TRUSTED, RESET_TRUSTED = "staff.invite_trusted", "staff.reset_trusted"
INVITATION_DAYS = 14  # for which a request for an account waits, and its name is kept


class NoSuchAccount(LookupError):
    """There is no such account, or it is one's own; nothing was changed."""


class LastAdministrator(Exception):
    """Nobody could manage accounts any more; nothing was changed."""


# --- seeing -----------------------------------------------------------------------------------------------------------


def everybody() -> QuerySet[User]:
    """All accounts by name, open ones first, each with `has_second_factor`, `is_tied` and how many requests about it
    wait."""
    factors = Authenticator.objects.filter(user=OuterRef("pk")).exclude(type=Authenticator.Type.RECOVERY_CODES)
    waiting = Approval.objects.filter(outcome=Approval.WAITING, about=OuterRef("pk")).order_by().values("about")
    counted = Subquery(waiting.annotate(n=Count("pk")).values("n"))
    ties = SocialAccount.objects.filter(user=OuterRef("pk"))
    told = User.objects.annotate(has_second_factor=Exists(factors), is_tied=Exists(ties), waiting=Coalesce(counted, 0))
    return told.order_by("-is_active", "username")


def waiting_invitations() -> QuerySet[Approval]:
    """The accounts that are asked for and not made yet."""
    waiting = Approval.objects.filter(act=INVITE_TRUSTED, outcome=Approval.WAITING)
    return waiting.select_related("requested_by").order_by("subject")


def lapse_invitations(*, now: datetime) -> int:
    """Let what was asked for more than INVITATION_DAYS ago, and that nobody decided, wait no longer; how many."""
    earliest = timezone.localdate(now) - timedelta(days=INVITATION_DAYS)
    late = waiting_invitations().filter(requested_on__lt=earliest)
    return approvals.lapse(INVITE_TRUSTED, late.order_by().values_list("subject", flat=True), now=now)


# --- doing, or asking for it ------------------------------------------------------------------------------------------


@transaction.atomic
def invite(username: str, role: str, *, by: User, now: datetime) -> User | None:
    """The new account, which has no password yet, or None when a second person is asked for it.

    Raises accounts.NameTaken and approvals.WaitsAlready.
    """
    act = policy.for_role("staff.invite", role)
    if policy.ACTIONS[act].approvers:
        accounts.refuse_taken(username)
        approvals.ask(by=by, act=act, subject=username, detail=role, now=now)
        return None
    account = accounts.make_account(username, None, role=role)
    audit.record(by=by, act=act, about=account, now=now)
    return account


@transaction.atomic
def make_link(pk: int, *, by: User, now: datetime) -> str:
    """The path of a new one-time link for an account without password. Raises NoSuchAccount and accounts.DeadLink."""
    account = _others(pk, by)
    audit.record(by=by, act=policy.for_role("staff.invite", account.role), reason="link", about=account, now=now)
    return invitations.path_for(account)


@transaction.atomic
def reset(pk: int, *, by: User, now: datetime) -> bool:
    """Take password, second factors and sessions from an account, so that its owner begins anew by a link.

    False when a second person is asked for it. Raises NoSuchAccount and approvals.WaitsAlready.
    """
    account = _others(pk, by)
    act = policy.for_role("staff.reset", account.role)
    if policy.ACTIONS[act].approvers:
        _ask(act, account, by=by, now=now)
        return False
    _begin_anew(account)
    audit.record(by=by, act=act, about=account, now=now)
    return True


@transaction.atomic
def ask_for_role(pk: int, role: str, *, by: User, now: datetime) -> None:
    """Raises NoSuchAccount, LastAdministrator, approvals.WaitsAlready, and approvals.Overtaken for the role it has."""
    account = _others(pk, by)
    _refuse_last(account)
    if account.role == role:
        raise approvals.Overtaken
    _ask(ROLE, account, by=by, now=now, detail=role)


@transaction.atomic
def close(pk: int, *, by: User, now: datetime) -> None:
    """Nobody logs in to the account any more, and its sessions, links and tokens no longer work.

    Raises NoSuchAccount and LastAdministrator.
    """
    account = _others(pk, by)
    _refuse_last(account)
    _change(account, is_active=False)
    audit.record(by=by, act="staff.deactivate", about=account, now=now)


@transaction.atomic
def ask_to_reopen(pk: int, *, by: User, now: datetime) -> None:
    """Raises NoSuchAccount, approvals.WaitsAlready, and approvals.Overtaken for an account that is open."""
    account = _others(pk, by)
    if account.is_active:
        raise approvals.Overtaken
    _ask(REOPEN, account, by=by, now=now)


@transaction.atomic
def end_sessions(pk: int, *, by: User, now: datetime) -> None:
    """Log an account out everywhere, at its next request. Raises NoSuchAccount."""
    account = _others(pk, by)
    accounts.end_sessions(account)
    audit.record(by=by, act="staff.end_sessions", about=account, now=now)


def _others(pk: int, by: User) -> User:
    accounts.hold_all()
    account = User.objects.exclude(pk=by.pk).filter(pk=pk).first()
    if account is None:
        raise NoSuchAccount
    return account


def _ask(act: str, account: User, *, by: User, now: datetime, detail: str = "") -> None:
    approvals.ask(by=by, act=act, subject=str(account.pk), detail=detail, about=account, now=now)


def _refuse_last(account: User) -> None:
    others = User.objects.filter(role=policy.ADMINISTRATOR, is_active=True).exclude(pk=account.pk)
    if account.role == policy.ADMINISTRATOR and account.is_active and not others.exists():
        raise LastAdministrator


def _change(account: User, **columns: object) -> None:
    """Whoever is logged in to the account logs in anew to what it is now."""
    User.objects.filter(pk=account.pk).update(epoch=uuid4(), **columns)


def _begin_anew(account: User) -> None:
    """Whoever gets the next link may be somebody else: no draft and no contact of the account is theirs."""
    identities.untie(account)
    drafts.drop_all(account)
    contacts.disown(account)
    Authenticator.objects.filter(user=account).delete()
    _change(account, password=make_password(None))


# --- what another administrator agreed to -----------------------------------------------------------------------------


@approvals.carries_out(INVITE_TRUSTED, forgets=True)  # a name that got no account is nobody's to keep
def _invite_agreed(asked: Approval, by: User) -> None:
    try:
        asked.about = accounts.make_account(asked.subject, None, role=asked.detail)
    except accounts.NameTaken:
        raise approvals.Overtaken from None
    asked.save(update_fields=["about"])
    _note(asked, by)


@approvals.carries_out(RESET_TRUSTED)
def _reset_agreed(asked: Approval, by: User) -> None:
    _begin_anew(_asked_about(asked))
    _note(asked, by)


@approvals.carries_out(ROLE)
def _role_agreed(asked: Approval, by: User) -> None:
    account = _asked_about(asked)
    if asked.detail in policy.TRUSTED and invitations.is_free(account):
        raise approvals.Overtaken  # whoever makes its link would choose who gets the role
    try:
        _refuse_last(account)
    except LastAdministrator:
        raise approvals.Overtaken from None
    _change(account, role=asked.detail)
    _note(asked, by)


@approvals.carries_out(REOPEN)
def _reopen_agreed(asked: Approval, by: User) -> None:
    _change(_asked_about(asked), is_active=True)
    _note(asked, by)


def _asked_about(asked: Approval) -> User:
    accounts.hold_all()
    return User.objects.get(pk=asked.subject)


def _note(asked: Approval, by: User) -> None:
    audit.record(by=by, act=asked.act, about=asked.about, now=timezone.now())
