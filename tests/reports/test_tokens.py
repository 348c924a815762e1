"""Tokens: shown once, kept as a digest, good for some days."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from helpline import policy
from helpline.models import User
from reports import tokens
from reports.models import Token

TODAY = date(2026, 3, 2)


@pytest.fixture
def user(db) -> User:
    return User.objects.create_user("evaluator", None, role=policy.EVALUATOR)


def test_a_token_stands_for_its_account_until_the_end_of_its_last_day(user):
    token = tokens.issue(user, today=TODAY, days=30)
    for days, who in ((0, user), (30, user), (31, None)):
        assert tokens.holder(token, today=TODAY + timedelta(days=days)) == who


def test_every_token_is_another_and_all_of_an_account_hold(user):
    issued = {tokens.issue(user, today=TODAY) for _ in range(5)}
    assert len(issued) == 5 and all(len(token) >= 43 for token in issued)
    assert all(tokens.holder(token, today=TODAY) == user for token in issued)


def test_the_database_holds_nothing_that_opens(user):
    token = tokens.issue(user, today=TODAY)
    (row,) = Token.objects.values_list()
    assert token not in map(str, row)
    assert tokens.holder(Token.objects.get().digest, today=TODAY) is None


def test_a_digest_stands_once(user):
    tokens.accept("chosen", user, today=TODAY)
    assert tokens.holder("chosen", today=TODAY) == user
    with pytest.raises(IntegrityError), transaction.atomic():
        tokens.accept("chosen", user, today=TODAY)


def test_nobody_stands_behind_another_token_or_a_disabled_account(user):
    token = tokens.issue(user, today=TODAY)
    for wrong in ("", "wrong", token[:-1], token + "x", token.swapcase()):
        assert tokens.holder(wrong, today=TODAY) is None
    User.objects.update(is_active=False)
    assert tokens.holder(token, today=TODAY) is None


def test_tokens_go_with_their_account(user):
    tokens.issue(user, today=TODAY)
    user.delete()
    assert not Token.objects.exists()
