"""What waits for a second person: asked once, decided by another, carried out once, whatever two do at once."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from helpline import approvals, policy, staff
from helpline.models import Approval, AuditEvent, User
from reports.tasks import erase_expired
from tests.at_once import at_once
from tests.lifted import unchecked

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, 40, tzinfo=UTC)


def user(name: str, role: str = policy.ADMINISTRATOR) -> User:
    return User.objects.create_user(name, None, role=role)


@pytest.fixture
def asker() -> User:
    return user("asker")


@pytest.fixture
def other() -> User:
    return user("other")


@pytest.fixture
def somebody() -> User:
    return user("somebody", policy.HANDLER)


def ask_for_role(somebody: User, by: User, role: str = policy.EVALUATOR) -> Approval:
    staff.ask_for_role(somebody.pk, role, by=by, now=NOW)
    return Approval.objects.latest("pk")


def decide(asked: Approval, by: User, *, agrees: bool = True) -> Approval:
    return approvals.decide(asked.pk, by=by, agrees=agrees, now=NOW)


def role_of(account: User) -> str:
    return User.objects.get(pk=account.pk).role


def acts() -> list[tuple]:
    return list(AuditEvent.objects.order_by("pk").values_list("act", "reason", "actor__username", "about__username"))


def test_asking_changes_nothing_and_agreeing_carries_it_out(asker, other, somebody):
    asked = ask_for_role(somebody, asker)
    assert role_of(somebody) == policy.HANDLER and asked.outcome == Approval.WAITING
    decide(asked, other)
    assert role_of(somebody) == policy.EVALUATOR
    asked.refresh_from_db()
    assert (asked.outcome, asked.decided_by, asked.decided_on) == (Approval.AGREED, other, NOW.date())
    assert acts() == [
        ("staff.role", "asked", "asker", "somebody"),
        ("staff.role", "", "other", "somebody"),
        ("approval.decide", "agreed", "other", "somebody"),
    ]


def test_refusing_and_taking_back_change_nothing_but_the_request(asker, other, somebody):
    decide(ask_for_role(somebody, asker), other, agrees=False)
    approvals.take_back(ask_for_role(somebody, asker).pk, by=asker, now=NOW)
    assert role_of(somebody) == policy.HANDLER
    assert list(Approval.objects.order_by("pk").values_list("outcome", flat=True)) == ["refused", "withdrawn"]
    assert acts()[1][:2] == ("approval.decide", "refused") and acts()[3][:2] == ("staff.role", "withdrawn")


def test_the_same_is_asked_for_once_until_it_is_decided(asker, other, somebody):
    asked = ask_for_role(somebody, asker)
    with pytest.raises(approvals.WaitsAlready):
        ask_for_role(somebody, other, policy.COORDINATOR)
    decide(asked, other, agrees=False)
    assert ask_for_role(somebody, asker).pk != asked.pk


@pytest.mark.parametrize("agrees", [True, False])
def test_nobody_decides_what_they_asked_for_or_what_is_about_themselves_or_not_of_their_role(
    asker, other, somebody, agrees
):
    asked = ask_for_role(other, asker)
    for nobody in (asker, other, somebody, user("leading", policy.COORDINATOR)):
        with pytest.raises(approvals.NotYours):
            decide(asked, nobody, agrees=agrees)
    with pytest.raises(approvals.NotYours):
        approvals.take_back(asked.pk, by=other, now=NOW)
    assert Approval.objects.get().outcome == Approval.WAITING and role_of(other) == policy.ADMINISTRATOR
    assert decide(asked, user("third"), agrees=agrees)


def test_each_sees_what_they_may_decide_and_what_they_asked_for(asker, other, somebody):
    asked = ask_for_role(somebody, asker)
    about_other = ask_for_role(other, asker)
    third, leading = user("third"), user("leading", policy.COORDINATOR)
    assert [list(approvals.waiting_for(who)) for who in (asker, other, third, leading, somebody)] == [
        *([], [asked], [asked, about_other], [], [])
    ]
    assert list(approvals.asked_by(asker)) == [about_other, asked] and not approvals.asked_by(other)


def test_what_is_decided_stays_so(asker, other, somebody):
    asked = decide(ask_for_role(somebody, asker), other)
    for again in (lambda: decide(asked, other), lambda: approvals.take_back(asked.pk, by=asker, now=NOW)):
        with pytest.raises(approvals.Decided):
            again()
    assert len(acts()) == 3


def test_settled_requests_are_removed_with_their_lines_and_waiting_ones_are_not(asker, other, somebody):
    decide(ask_for_role(somebody, asker), other, agrees=False)
    approvals.take_back(ask_for_role(somebody, asker).pk, by=asker, now=NOW)
    waiting = ask_for_role(somebody, asker)
    for day, removed in ((date(2028, 3, 2), 0), (date(2028, 3, 3), 2), (date(2038, 3, 3), 0)):
        assert approvals.erase_expired(today=day, months=24) == removed
    assert Approval.objects.get() == waiting


def test_the_job_removes_the_requests_that_were_settled_long_ago(asker, other, somebody):
    now = timezone.now()
    for years in (1, 3):
        staff.ask_for_role(somebody.pk, policy.EVALUATOR, by=asker, now=now)
        approvals.decide(
            Approval.objects.latest("pk").pk, by=other, agrees=False, now=now - timedelta(days=366 * years)
        )
    kept = Approval.objects.earliest("pk")
    erase_expired()
    assert Approval.objects.get() == kept


def test_an_act_that_nobody_must_agree_to_has_no_second_half():
    with pytest.raises(KeyError):
        approvals.carries_out("staff.deactivate")
    with pytest.raises(KeyError):
        approvals.carries_out("contact.search")


def test_every_act_with_approvers_of_the_helpline_is_carried_out_by_somebody():
    needing = {name for name, action in policy.ACTIONS.items() if action.approvers}
    assert {name for name in needing if name.startswith(("staff.", "contact."))} <= set(approvals._CARRY_OUT)


# --- the database says no ---------------------------------------------------------------------------------------------


def refused_by(constraint: str, **columns: object) -> bool:
    try:
        with transaction.atomic():
            Approval.objects.update(**columns)
    except IntegrityError as error:
        return constraint in str(error)
    return False


def test_the_database_refuses_ones_own_agreement_by_name(asker, other, somebody):
    ask_for_role(somebody, asker)
    decided = {"decided_by": F("requested_by"), "decided_on": NOW.date()}
    assert refused_by("approval_by_another_person", outcome="agreed", **decided)
    assert refused_by("approval_by_another_person", outcome="refused", **decided)
    # The control: another person's is taken, and one's own taking back.
    assert not refused_by("", outcome="agreed", decided_by=other, decided_on=NOW.date())
    assert not refused_by("", outcome="withdrawn", **decided)


def test_the_database_refuses_a_decision_that_nobody_took(asker, somebody):
    ask_for_role(somebody, asker)
    assert refused_by("approval_waits_or_is_settled", outcome="agreed")
    assert refused_by("approval_waits_or_is_settled", decided_by=user("third"), decided_on=NOW.date())


def test_the_database_lets_a_request_lapse_on_a_day_and_by_nobody(asker, somebody):
    ask_for_role(somebody, asker)
    assert refused_by("approval_waits_or_is_settled", outcome="lapsed")
    assert refused_by("approval_waits_or_is_settled", outcome="lapsed", decided_by=user("x"), decided_on=NOW.date())
    assert not refused_by("", outcome="lapsed", decided_on=NOW.date())


def test_the_database_refuses_that_anybody_decides_what_is_about_themselves(asker, other, somebody):
    about_other = ask_for_role(other, asker)
    decided = {"decided_by": F("about"), "decided_on": NOW.date()}
    for outcome in ("agreed", "refused"):
        assert refused_by("approval_about_another_person", outcome=outcome, **decided)
    # The controls: without the constraint it would be stored, and a third person's decision is.
    with unchecked("helpline_approval", "approval_about_another_person"):
        assert Approval.objects.update(outcome="agreed", **decided) == 1
        assert Approval.objects.get(pk=about_other.pk).decided_by == other
    assert not refused_by("", outcome="agreed", decided_by=somebody, decided_on=NOW.date())


# --- at once ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_who_agree_at_once_one_carries_it_out(asker, other, somebody, monkeypatch):
    third, done = user("third"), []
    carry_out = approvals._CARRY_OUT[staff.ROLE]
    monkeypatch.setitem(
        approvals._CARRY_OUT, staff.ROLE, lambda asked, by: (done.append(by.username), carry_out(asked, by))
    )
    asked = ask_for_role(somebody, asker)
    answers = at_once(lambda: decide(asked, other), lambda: decide(asked, third))
    assert sorted(type(answer).__name__ for answer in answers) == ["Approval", "Decided"]
    assert len(done) == 1 and Approval.objects.get().decided_by.username == done[0]
    assert [act for act, *_ in acts()].count("approval.decide") == 1


@pytest.mark.django_db(transaction=True)
def test_of_agreeing_and_taking_back_at_once_one_holds(asker, other, somebody):
    asked = ask_for_role(somebody, asker)
    answers = at_once(lambda: decide(asked, other), lambda: approvals.take_back(asked.pk, by=asker, now=NOW))
    assert sorted(type(answer).__name__ for answer in answers) == ["Approval", "Decided"]
    was_agreed = Approval.objects.get().outcome == Approval.AGREED
    assert role_of(somebody) == (policy.EVALUATOR if was_agreed else policy.HANDLER)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_ask_at_once_one_asks(asker, other, somebody):
    answers = at_once(lambda: ask_for_role(somebody, asker), lambda: ask_for_role(somebody, other))
    assert sorted(type(answer).__name__ for answer in answers) == ["Approval", "WaitsAlready"]
    assert Approval.objects.count() == 1
