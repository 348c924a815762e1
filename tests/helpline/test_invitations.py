"""The link by which somebody chooses the password of their account: once, for three days, the newest one only."""

from datetime import timedelta

import pytest
from django.core import signing
from django.urls import resolve
from django.utils import timezone

from helpline import accounts, invitations, policy
from helpline.models import AuditEvent, User
from tests.at_once import at_once

pytestmark = pytest.mark.django_db
PASSWORD = "four words in a row"


@pytest.fixture
def invited() -> User:
    return User.objects.create_user("invited", None, role=policy.HANDLER)


def token(account: User) -> str:
    return resolve(invitations.path_for(account)).kwargs["token"]


def take_up(link: str, password: str = PASSWORD) -> User:
    return invitations.take_up(link, password=password, now=timezone.now())


def is_dead(link: str) -> bool:
    try:
        invitations.invited_by(link)
    except accounts.DeadLink:
        return True
    return False


def test_the_link_sets_the_password_and_is_used_then(invited):
    link = token(invited)
    assert invitations.invited_by(link) == invited
    take_up(link)
    invited.refresh_from_db()
    assert invited.check_password(PASSWORD) and is_dead(link)
    with pytest.raises(accounts.DeadLink):
        take_up(link, "another four words")
    assert User.objects.get().check_password(PASSWORD)
    assert list(AuditEvent.objects.values_list("act", "actor__username", "about__username")) == [
        ("account.invited", "invited", "invited")
    ]


def test_a_newer_link_kills_an_older_one(invited):
    older, newer = token(invited), token(invited)
    assert is_dead(older) and not is_dead(newer)


def test_a_link_dies_with_the_sessions_and_with_the_account(invited):
    link = token(invited)
    accounts.end_sessions(invited)
    assert is_dead(link)
    link = token(invited)
    User.objects.update(is_active=False)
    assert is_dead(link)
    with pytest.raises(accounts.DeadLink):
        token(invited)


def test_no_link_is_made_for_an_account_in_use(invited):
    take_up(token(invited))
    epoch = User.objects.get().epoch
    with pytest.raises(accounts.DeadLink):
        token(User.objects.get())
    assert User.objects.get().epoch == epoch


def test_it_is_dead_after_three_days(invited, monkeypatch):
    link = token(invited)
    assert timedelta(hours=72) == invitations.VALID
    monkeypatch.setattr(invitations, "VALID", timedelta(seconds=-1))
    assert is_dead(link)


@pytest.mark.parametrize("forged", ["", "x", "a:b:c", signing.dumps([1, "0" * 32], salt="another"), "\x00", "å" * 2000])
def test_another_text_is_no_link(invited, forged):
    assert is_dead(forged)


def test_an_administrators_link_is_no_invitation_and_the_other_way_round(invited):
    administrators = resolve(accounts.administrator_path()).kwargs["token"]
    assert is_dead(administrators)
    with pytest.raises(accounts.DeadLink):
        accounts.refuse_dead_link(token(invited))


@pytest.mark.django_db(transaction=True)
def test_of_two_who_use_it_at_once_one_chooses_the_password(invited):
    link = token(invited)
    answers = at_once(*(lambda word=word: take_up(link, word) for word in ("the first of two", "the other of two")))
    assert sorted(type(answer).__name__ for answer in answers) == ["DeadLink", "User"]
    won = next(answer for answer in answers if isinstance(answer, User))
    assert User.objects.get().password == won.password and AuditEvent.objects.count() == 1
