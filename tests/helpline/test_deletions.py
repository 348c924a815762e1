"""One contact is deleted for good: asked for by one coordinator, done when another agrees, and no row names it then."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from django.apps import apps

from helpline import approvals, cases, contacts, deletions, policy
from helpline.entries import ReferralEntry, read_entry
from helpline.models import Approval, AuditEvent, Case, Contact, DayMark, Earlier, Referral, User
from reports import editions, freeze, rollups
from reports.models import DayCount
from reports.periods import containing
from tests.at_once import at_once

pytestmark = pytest.mark.django_db
NOW, DAY = datetime(2026, 3, 2, 12, 40, tzinfo=UTC), date(2026, 3, 2)
LATER = date(2026, 5, 20)
SIGNPOSTED = ReferralEntry("skola", "hanvisning", "vantar")
CALL = {"channel": ["telefon"], "result": ["relevant"], "concerns": ["hot"]}


@pytest.fixture
def leading() -> User:
    return User.objects.create_user("leading", None, role=policy.COORDINATOR)


@pytest.fixture
def other() -> User:
    return User.objects.create_user("other", None, role=policy.COORDINATOR)


def log(case: Case | None = None) -> Contact:
    entry = read_entry(DAY, CALL, [SIGNPOSTED])
    return contacts.log_contact(by=None, key=uuid4(), entry=entry, now=NOW, today=DAY, case=case)


def ask(contact: Contact, by: User) -> Approval:
    return deletions.ask(contact, by=by, now=NOW)


def decide(asked: Approval, by: User, *, agrees: bool = True) -> Approval:
    return approvals.decide(asked.pk, by=by, agrees=agrees, now=NOW)


def rows_that_name(key: UUID) -> list[str]:
    """Every row of every table in which the key stands, however it is written."""
    found = []
    for model in apps.get_models():
        for row in model.objects.values():
            said = " ".join(map(str, row.values()))
            found += [model.__name__] if str(key) in said or key.hex in said else []
    return sorted(found)


def test_a_deleted_contact_is_gone_with_its_referrals_and_what_it_said_before_and_its_day_is_marked(leading, other):
    contact, kept = log(), log()
    contacts.amend_contact(
        contact, version=1, entry=read_entry(DAY, CALL | {"county": ["14"]}, [SIGNPOSTED]), today=DAY
    )
    asked = ask(contact, leading)
    assert rows_that_name(contact.pk) == ["Approval", "Contact", "Earlier", "Referral"]
    DayMark.objects.all().delete()
    decide(asked, other)
    assert rows_that_name(contact.pk) == []
    assert Contact.objects.get() == kept and Referral.objects.get().contact == kept and not Earlier.objects.exists()
    assert list(DayMark.objects.values_list("day", flat=True)) == [DAY]
    assert list(AuditEvent.objects.order_by("pk").values_list("act", "reason", "actor__username")) == [
        ("contact.delete", "asked", "leading"),
        ("contact.delete", "", "other"),
        ("approval.decide", "agreed", "other"),
    ]


def test_the_counts_of_the_day_no_longer_hold_it(leading, other):
    contact, _ = log(), log()
    rollups.recompute_day(DAY)
    counted = DayCount.objects.filter(day=DAY, variable="result", code="relevant")
    before = counted.get().n
    decide(ask(contact, leading), other)
    rollups.recompute_day(DAY)
    assert (before, counted.get().n) == (2, 1)


def test_a_case_is_numbered_anew_and_its_referral_counts_again(leading, other):
    case, _ = cases.open_case(today=DAY)
    first, second = log(case), log(case)
    assert (second.case_step, second.referrals.get().is_repeat) == ("andra", True)
    decide(ask(first, leading), other)
    second.refresh_from_db()
    assert (second.case_step, second.referrals.get().is_repeat) == ("forsta", False)


def test_a_withdrawn_contact_can_be_deleted_as_well(leading, other):
    contact = log()
    asked = ask(contact, leading)
    contacts.withdraw_contact(contact, version=1)
    decide(asked, other)
    assert not Contact.objects.exists()


def test_a_request_forgets_the_contact_when_it_is_refused_or_taken_back(leading, other):
    contact = log()
    decide(ask(contact, leading), other, agrees=False)
    approvals.take_back(ask(contact, leading).pk, by=leading, now=NOW)
    assert rows_that_name(contact.pk) == ["Contact", "Referral"]
    assert list(Approval.objects.values_list("subject", flat=True)) == ["", ""] and Contact.objects.exists()


def test_it_is_overtaken_when_its_month_is_frozen_meanwhile(leading, other):
    contact = log()
    asked = ask(contact, leading)
    freeze.freeze_month(containing("month", DAY), today=LATER)
    DayMark.objects.all().delete()
    with pytest.raises(approvals.Overtaken):
        decide(asked, other)
    assert Contact.objects.get() == contact and not DayMark.objects.exists()
    assert Approval.objects.get().outcome == Approval.WAITING
    decide(asked, other, agrees=False)
    assert Approval.objects.get().subject == ""


def withdraw(contact: Contact) -> None:
    contacts.withdraw_contact(contact, version=1)


def freeze_its_month(contact: Contact) -> None:
    freeze.freeze_month(containing("month", contact.day), today=LATER)


def delete(contact: Contact) -> None:
    contacts.delete_contact(contact.pk)


@pytest.mark.parametrize("becomes_undeletable", [freeze_its_month, delete])
def test_a_request_lapses_when_its_contact_can_no_longer_be_deleted(leading, other, becomes_undeletable):
    contact = log()
    asked, lines = ask(contact, leading), AuditEvent.objects.count()
    assert deletions.lapse_overtaken(now=NOW) == 0
    assert Approval.objects.get().subject == str(contact.pk)  # the control: it waits while the contact can be deleted
    becomes_undeletable(contact)
    assert deletions.lapse_overtaken(now=NOW) == 1 and deletions.lapse_overtaken(now=NOW) == 0
    asked.refresh_from_db()
    assert (asked.outcome, asked.subject, asked.decided_by, asked.decided_on) == ("lapsed", "", None, DAY)
    assert "Approval" not in rows_that_name(contact.pk) and AuditEvent.objects.count() == lines
    with pytest.raises(approvals.Decided):
        decide(asked, other)


def test_a_withdrawn_contact_can_still_be_deleted_by_two(leading, other):
    contact = log()
    asked = ask(contact, leading)
    withdraw(contact)
    assert deletions.lapse_overtaken(now=NOW) == 0
    decide(asked, other)
    assert not Contact.objects.exists()


def test_only_requests_that_wait_lapse_and_only_of_deletions(leading, other):
    refused, waiting = log(), log()
    decide(ask(refused, leading), other, agrees=False)
    ask(waiting, leading)
    approvals.ask(by=leading, act=editions.ACT, subject=str(uuid4()), now=NOW)
    delete(refused)
    assert deletions.lapse_overtaken(now=NOW) == 0
    assert list(Approval.objects.order_by("pk").values_list("outcome", flat=True)) == ["refused", "waiting", "waiting"]


def test_only_another_coordinator_decides(leading, other):
    asked = ask(log(), leading)
    for role in (policy.HANDLER, policy.EVALUATOR, policy.ADMINISTRATOR):
        with pytest.raises(approvals.NotYours):
            decide(asked, User.objects.create_user(role, None, role=role))
    with pytest.raises(approvals.NotYours):
        decide(asked, leading)
    assert Contact.objects.exists()


@pytest.mark.parametrize("pk", [uuid4()])
def test_a_contact_that_is_not_there_is_not_deleted(pk):
    with pytest.raises(contacts.NotChangeable):
        contacts.delete_contact(pk)
    assert not DayMark.objects.exists()


# --- at once ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_who_agree_at_once_one_deletes(leading, other):
    third = User.objects.create_user("third", None, role=policy.COORDINATOR)
    asked, marks = ask(log(), leading), DayMark.objects.count()
    answers = at_once(lambda: decide(asked, other), lambda: decide(asked, third))
    assert sorted(type(answer).__name__ for answer in answers) == ["Approval", "Decided"]
    assert not Contact.objects.exists() and DayMark.objects.count() == marks + 1


@pytest.mark.django_db(transaction=True)
def test_of_refusing_and_lapsing_at_once_one_holds(leading, other):
    contact = log()
    asked = ask(contact, leading)
    freeze_its_month(contact)  # who is quicker than the job may still refuse
    decided, lapsed = at_once(lambda: decide(asked, other, agrees=False), lambda: deletions.lapse_overtaken(now=NOW))
    asked.refresh_from_db()
    assert (type(decided), lapsed, asked.outcome) in (
        (Approval, 0, "refused"),
        (approvals.Decided, 1, "lapsed"),
    )
    assert asked.subject == "" and Contact.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("in_a_case", [False, True])
def test_a_deletion_and_a_freeze_at_once_agree_about_the_contact(leading, other, in_a_case):
    case = cases.open_case(today=DAY)[0] if in_a_case else None
    contact, _ = log(case), log(case)
    asked = ask(contact, leading)
    deleted, frozen = at_once(
        lambda: decide(asked, other), lambda: freeze.freeze_month(containing("month", DAY), today=LATER)
    )
    is_left = Contact.objects.filter(pk=contact.pk).exists()
    assert frozen == (2 if is_left else 1)
    assert type(deleted) is (approvals.Overtaken if is_left else Approval)


@pytest.mark.django_db(transaction=True)
def test_a_deletion_and_an_amendment_at_once_leave_nothing_half(leading, other):
    contact = log()
    asked, entry = ask(contact, leading), read_entry(DAY, CALL, [])
    deleted, amended = at_once(
        lambda: decide(asked, other), lambda: contacts.amend_contact(contact, version=1, entry=entry, today=DAY)
    )
    assert type(deleted) is Approval
    assert not Contact.objects.exists() and not Referral.objects.exists() and not Earlier.objects.exists()
    assert type(amended) in (Contact, contacts.NotChangeable)
