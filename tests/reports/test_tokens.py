"""Tokens: made within a grant, shown once, kept as a digest, good for some days, two at most."""

import secrets
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from helpline import accounts, policy
from helpline.models import AuditEvent, User
from reports import grants, tokens
from reports.models import Token
from tests.at_once import at_once
from tests.granted import coordinator, grant, token_of

TODAY, NOW = date(2026, 3, 2), datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def user(db) -> User:
    return User.objects.create_user("evaluator", None, role=policy.EVALUATOR)


@pytest.fixture
def granted(user) -> User:
    grant(user, today=TODAY, days=400)
    return user


def issue(user: User) -> str:
    return tokens.issue(user, now=NOW)[0]


def test_a_token_stands_for_its_account_until_the_end_of_its_last_day(granted):
    token, until = tokens.issue(granted, now=NOW)
    assert until == TODAY + timedelta(days=30)
    for days, who in ((0, granted), (30, granted), (31, None)):
        assert tokens.holder(token, today=TODAY + timedelta(days=days)) == who


@pytest.mark.parametrize(("days", "left"), [(0, 0), (29, 29), (30, 30), (31, 30)])
def test_a_token_is_never_good_beyond_the_grant(user, days, left):
    grant(user, today=TODAY, days=days)
    assert tokens.issue(user, now=NOW)[1] == TODAY + timedelta(days=left)


def test_every_token_is_another_and_two_hold_at_a_time(granted):
    issued = {issue(granted) for _ in range(2)}
    assert len(issued) == 2 and all(len(token) >= 43 for token in issued)
    assert all(tokens.holder(token, today=TODAY) == granted for token in issued)
    with pytest.raises(tokens.TooMany):
        issue(granted)
    assert Token.objects.count() == 2


def test_a_revoked_or_expired_token_makes_room(granted):
    first, _second = issue(granted), issue(granted)
    tokens.revoke(Token.objects.earliest("pk").pk, by=granted, now=NOW)
    assert tokens.holder(first, today=TODAY) is None
    issue(granted)
    tokens.issue(granted, now=NOW + timedelta(days=31))


def test_without_a_grant_no_token_is_made(user):
    with pytest.raises(tokens.NoGrant):
        issue(user)
    grant(user, today=TODAY - timedelta(days=10), days=9)
    with pytest.raises(tokens.NoGrant):
        issue(user)
    assert not Token.objects.exists() and not AuditEvent.objects.exists()


def test_a_token_outside_a_grant_stands_for_nobody(user):
    tokens.accept("chosen", user, until=TODAY)
    assert tokens.holder("chosen", today=TODAY) is None
    grant(user, today=TODAY)
    assert tokens.holder("chosen", today=TODAY) == user


def test_the_grant_of_another_does_not_help(user):
    grant(User.objects.create_user("other", None, role=policy.EVALUATOR), today=TODAY)
    tokens.accept("chosen", user, until=TODAY)
    assert tokens.holder("chosen", today=TODAY) is None


def test_an_ended_grant_takes_its_tokens_with_it_even_when_another_follows(granted):
    token = issue(granted)
    grants.revoke(granted.grants.get().pk, by=granted, now=NOW)
    assert tokens.holder(token, today=TODAY) is None
    grant(granted, today=TODAY)
    assert tokens.holder(token, today=TODAY) is None


def test_a_longer_grant_lets_the_tokens_go_on_and_a_shorter_one_ends_them(granted):
    token, tomorrow = issue(granted), TODAY + timedelta(days=1)
    grant(granted, today=TODAY, days=100)
    assert tokens.holder(token, today=tomorrow) == granted
    grant(granted, today=TODAY, days=0)
    assert tokens.holder(token, today=TODAY) == granted and tokens.holder(token, today=tomorrow) is None


def test_the_database_holds_nothing_that_opens(granted):
    token = issue(granted)
    (row,) = Token.objects.values_list()
    assert token not in map(str, row)
    assert tokens.holder(Token.objects.get().digest, today=TODAY) is None


def test_a_digest_stands_once(user):
    tokens.accept("chosen", user, until=TODAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        tokens.accept("chosen", user, until=TODAY)


def test_nobody_stands_behind_another_token_or_a_disabled_account(granted):
    token = issue(granted)
    for wrong in ("", "wrong", token[:-1], token + "x", token.swapcase()):
        assert tokens.holder(wrong, today=TODAY) is None
    User.objects.update(is_active=False)
    assert tokens.holder(token, today=TODAY) is None


def test_one_revokes_ones_own_and_who_runs_the_line_anybodys(granted):
    other = User.objects.create_user("other", None, role=policy.EVALUATOR)
    grant(other, today=TODAY)
    for by in (other, User.objects.create_user("handler", None, role=policy.HANDLER)):
        issue(granted)
        pk = Token.objects.filter(user=granted).latest("pk").pk
        with pytest.raises(tokens.NoSuchToken):
            tokens.revoke(pk, by=by, now=NOW)
    tokens.revoke(pk, by=coordinator("coordinator"), now=NOW)
    with pytest.raises(tokens.NoSuchToken):
        tokens.revoke(pk, by=granted, now=NOW)
    assert Token.objects.filter(user=granted).count() == 1


def test_making_and_revoking_a_token_is_written_down(granted):
    issue(granted)
    tokens.revoke(Token.objects.get().pk, by=granted, now=NOW)
    assert list(AuditEvent.objects.values_list("act", "reason", "actor", "about").order_by("pk")) == [
        ("grant.token", "", granted.pk, granted.pk),
        ("grant.revoke", "token", granted.pk, granted.pk),
    ]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time; a lock of a row says nothing")
@pytest.mark.django_db(transaction=True)
def test_three_tokens_at_once_leave_two(granted):
    outcome = at_once(*[lambda: issue(granted)] * 3)
    assert sum(isinstance(token, str) for token in outcome) == 2
    assert [type(error) for error in outcome if not isinstance(error, str)] == [tokens.TooMany]


@pytest.mark.django_db
def test_a_token_ends_with_the_sessions_of_its_account_and_with_its_password():
    for end in (accounts.end_sessions, lambda user: accounts.change_password(user, "other words in a row")):
        user = User.objects.create_user(secrets.token_hex(4), None, role="evaluator")
        token = token_of(user)
        assert tokens.holder(token, today=timezone.localdate()) == user
        end(user)
        assert tokens.holder(token, today=timezone.localdate()) is None


@pytest.mark.django_db
def test_a_token_of_before_makes_no_room_scarce_and_is_not_listed():
    user, now = User.objects.create_user("e", None, role="evaluator"), timezone.now()
    grant(user)
    for _ in range(tokens.MOST):
        tokens.issue(user, now=now)
    accounts.end_sessions(user)
    user.refresh_from_db()
    assert tokens.issue(user, now=now)
