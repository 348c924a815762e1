"""Grants: asked for by one person, agreed to by another, live until their last day or until somebody ends them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from helpline import approvals, policy
from helpline.models import Approval, AuditEvent, User
from reports import grants, tokens
from reports.models import Grant, Token
from tests.at_once import at_once
from tests.granted import coordinator, grant
from tests.lifted import unchecked

pytestmark = pytest.mark.django_db

TODAY, NOW = date(2026, 3, 2), datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = date(2026, 9, 30)


def account(name: str, role: str = policy.EVALUATOR) -> User:
    return User.objects.create_user(name, None, role=role)


@pytest.fixture
def evaluator() -> User:
    return account("evaluator")


@pytest.fixture
def asking() -> User:
    return coordinator("asking")


@pytest.fixture
def agreeing() -> User:
    return coordinator("agreeing")


@pytest.fixture(autouse=True)
def today_is_that_day(monkeypatch):
    monkeypatch.setattr(grants.timezone, "now", lambda: NOW)


def ask(evaluator: User, by: User, until: date = LATER) -> Approval:
    return grants.ask(evaluator, until, by=by, now=NOW)


def decide(asked: Approval, by: User, agrees: bool = True) -> Approval:
    return approvals.decide(asked.pk, by=by, agrees=agrees, now=NOW)


# --- two people ------------------------------------------------------------------------------------------------------


def test_a_grant_is_there_when_a_second_person_has_agreed(evaluator, asking, agreeing):
    asked = ask(evaluator, asking)
    assert not Grant.objects.exists() and not grants.may_fetch(evaluator, today=TODAY)
    decide(asked, agreeing)
    made = Grant.objects.get()
    assert (made.evaluator, made.requested_by, made.approved_by) == (evaluator, asking, agreeing)
    assert (made.issued_on, made.until, made.ended_on) == (TODAY, LATER, None)
    assert grants.may_fetch(evaluator, today=TODAY)


def test_an_administrator_may_be_the_second_person_and_nobody_else_may(evaluator, asking):
    asked = ask(evaluator, asking)
    for by in (asking, evaluator, account("handler", policy.HANDLER)):
        with pytest.raises(approvals.NotYours):
            decide(asked, by)
    assert not Grant.objects.exists()
    decide(asked, account("administrator", policy.ADMINISTRATOR))
    assert Grant.objects.count() == 1


def test_what_is_refused_or_taken_back_grants_nothing(evaluator, asking, agreeing):
    decide(ask(evaluator, asking), agreeing, agrees=False)
    approvals.take_back(ask(evaluator, asking).pk, by=asking, now=NOW)
    assert not Grant.objects.exists()


def test_one_question_about_an_evaluator_waits_at_a_time(evaluator, asking, agreeing):
    ask(evaluator, asking)
    with pytest.raises(approvals.WaitsAlready):
        ask(evaluator, agreeing, TODAY)
    ask(account("other"), agreeing)
    assert [(asked.evaluator, asked.until, asked.requested_by) for asked in grants.waiting()] == [
        ("evaluator", LATER, "asking"),
        ("other", LATER, "agreeing"),
    ]


@pytest.mark.parametrize("days", [0, 400])
def test_a_grant_is_for_today_or_for_four_hundred_days(evaluator, asking, days):
    ask(evaluator, asking, TODAY + timedelta(days=days))


@pytest.mark.parametrize("days", [-1, 401])
def test_a_day_that_is_over_or_too_far_ahead_is_refused(evaluator, asking, days):
    with pytest.raises(grants.CannotGrant) as refused:
        ask(evaluator, asking, TODAY + timedelta(days=days))
    assert refused.value.reason == grants.CannotGrant.DAY and not Approval.objects.exists()


@pytest.mark.parametrize("role", sorted(policy.ROLES - {policy.EVALUATOR}))
def test_only_an_evaluator_is_granted_anything(asking, role):
    with pytest.raises(grants.CannotGrant):
        ask(account("someone", role), asking)


def close(evaluator: User) -> None:
    User.objects.filter(pk=evaluator.pk).update(is_active=False)


def give_another_role(evaluator: User) -> None:
    User.objects.filter(pk=evaluator.pk).update(role=policy.HANDLER)


@pytest.mark.parametrize("change", [close, give_another_role])
def test_what_was_asked_for_is_overtaken_when_the_account_has_changed(evaluator, asking, agreeing, change):
    asked = ask(evaluator, asking)
    change(evaluator)
    with pytest.raises(approvals.Overtaken):
        decide(asked, agreeing)
    asked.refresh_from_db()
    assert asked.outcome == Approval.WAITING and not Grant.objects.exists()


def test_what_was_asked_for_is_overtaken_when_its_day_has_passed(evaluator, asking, agreeing, monkeypatch):
    asked = ask(evaluator, asking, TODAY)
    monkeypatch.setattr(grants.timezone, "now", lambda: NOW + timedelta(days=1))
    with pytest.raises(approvals.Overtaken):
        decide(asked, agreeing)


def test_a_new_grant_takes_the_place_of_the_earlier_one(evaluator, asking, agreeing):
    first = grant(evaluator, today=date(2026, 1, 1), days=400)
    decide(ask(evaluator, asking), agreeing)
    first.refresh_from_db()
    assert (first.ended_on, first.ended_by) == (TODAY, agreeing)
    assert Grant.objects.live(TODAY).get().until == LATER


def test_a_lapsed_grant_that_makes_room_is_said_to_have_ended_on_its_last_day(evaluator, asking, agreeing):
    first = grant(evaluator, today=date(2026, 1, 1), days=10)
    decide(ask(evaluator, asking), agreeing)
    first.refresh_from_db()
    assert first.ended_on == date(2026, 1, 11)


# --- live, and ended -------------------------------------------------------------------------------------------------


def test_a_grant_is_live_from_its_first_day_to_its_last(evaluator):
    made = grant(evaluator, today=TODAY, days=5)
    for days, is_live in ((-1, False), (0, True), (5, True), (6, False)):
        day = TODAY + timedelta(days=days)
        assert Grant.objects.live(day).exists() is made.is_live(day) is is_live
        assert grants.may_fetch(evaluator, today=day) is is_live


def test_whoever_runs_the_line_fetches_without_a_grant(asking):
    assert grants.may_fetch(asking, today=TODAY)


@pytest.mark.parametrize("who", ["own", policy.COORDINATOR, policy.ADMINISTRATOR])
def test_a_grant_is_ended_at_once_with_its_tokens(evaluator, who):
    made = grant(evaluator, today=TODAY)
    tokens.issue(evaluator, now=NOW)
    by = evaluator if who == "own" else account("someone", who)
    grants.revoke(made.pk, by=by, now=NOW)
    made.refresh_from_db()
    assert (made.ended_on, made.ended_by) == (TODAY, by)
    assert not Grant.objects.live(TODAY).exists() and not Token.objects.exists()


@pytest.mark.parametrize("role", [policy.EVALUATOR, policy.HANDLER])
def test_the_grant_of_another_is_not_there(evaluator, role):
    made, other = grant(evaluator, today=TODAY), account("other", role)
    for pk in (made.pk, 99999):
        with pytest.raises(grants.NoSuchGrant):
            grants.revoke(pk, by=other, now=NOW)
    assert list(grants.shown_to(other, today=TODAY)) == [] and made.is_live(TODAY)
    assert list(grants.shown_to(evaluator, today=TODAY)) == [made]


def test_ending_a_grant_twice_changes_nothing_the_second_time(evaluator, asking):
    made = grant(evaluator, today=TODAY)
    grants.revoke(made.pk, by=evaluator, now=NOW)
    grants.revoke(made.pk, by=asking, now=NOW + timedelta(days=1))
    made.refresh_from_db()
    assert (made.ended_by, made.ended_on) == (evaluator, TODAY) and AuditEvent.objects.count() == 1


def test_every_act_is_written_down_with_whom_it_concerned(evaluator, asking, agreeing):
    decide(ask(evaluator, asking), agreeing)
    grants.revoke(Grant.objects.get().pk, by=evaluator, now=NOW)
    written = AuditEvent.objects.exclude(act="approval.decide").order_by("pk")
    assert list(written.values_list("act", "reason", "actor", "about")) == [
        ("grant.issue", "asked", asking.pk, evaluator.pk),
        ("grant.issue", "", agreeing.pk, evaluator.pk),
        ("grant.revoke", "", evaluator.pk, evaluator.pk),
    ]


# --- the database says no --------------------------------------------------------------------------------------------

REFUSED = [
    ("grant_by_two_people", "approved_by_id = requested_by_id"),
    ("grant_until_a_later_day", "until = '2026-03-01'"),
    ("grant_ended_by_somebody", "ended_on = '2026-03-03', ended_by_id = NULL"),
    ("grant_ended_by_somebody", "ended_by_id = requested_by_id WHERE ended_on IS NULL"),
    ("grant_ended_by_somebody", "ended_on = '2026-03-01', ended_by_id = requested_by_id"),
    ("grant_one_at_a_time", "ended_on = NULL, ended_by_id = NULL"),
]
TAKEN = [
    "until = '2026-03-02'",
    "ended_on = '2026-03-02', ended_by_id = requested_by_id",
    "ended_on = NULL, ended_by_id = NULL WHERE ended_on IS NULL",
]


@pytest.fixture
def two_grants(evaluator) -> None:
    grant(evaluator, today=TODAY)
    grant(evaluator, today=TODAY)


def update(change: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE reports_grant SET {change}")  # noqa: S608 - the statement is what is tested


@pytest.mark.parametrize(("constraint", "change"), REFUSED)
def test_the_database_refuses_a_grant_that_breaks_the_rule(two_grants, constraint, change):
    before = list(Grant.objects.order_by("pk").values_list())
    # SQLite names the columns of a unique index, not the index.
    is_named = connection.vendor == "postgresql" or constraint != "grant_one_at_a_time"
    with pytest.raises(IntegrityError, match=constraint if is_named else "reports_grant.evaluator_id"):
        update(change)
    assert list(Grant.objects.order_by("pk").values_list()) == before


@pytest.mark.parametrize("change", TAKEN)
def test_the_database_takes_what_keeps_the_rule(two_grants, change):
    update(change)


@pytest.mark.parametrize(("constraint", "change"), REFUSED)
def test_without_its_constraint_each_of_these_would_be_taken(two_grants, constraint, change):
    before = list(Grant.objects.order_by("pk").values_list())
    with unchecked("reports_grant", constraint):
        update(change)
        assert list(Grant.objects.order_by("pk").values_list()) != before


@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time; a lock of a row says nothing")
@pytest.mark.django_db(transaction=True)
def test_a_token_made_while_its_grant_is_ended_does_not_outlive_it(evaluator):
    for _ in range(5):
        made = grant(evaluator, today=TODAY)
        at_once(
            lambda: tokens.issue(evaluator, now=NOW),
            lambda made=made: grants.revoke(made.pk, by=evaluator, now=NOW),
        )
        assert not Token.objects.exists() and not Grant.objects.live(TODAY).exists()
