"""What an administrator does to other people's accounts: at once, or when another one agrees; never to their own."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.utils import timezone

from helpline import accounts, approvals, contacts, drafts, invitations, policy, staff
from helpline.entries import read_entry
from helpline.models import Approval, AuditEvent, Contact, Draft, User
from reports import tokens
from tests.at_once import at_once
from tests.granted import token_of

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, 40, tzinfo=UTC)
PASSWORD = "four words in a row"
NEVER_OWN = {
    "link": lambda pk, by: staff.make_link(pk, by=by, now=NOW),
    "reset": lambda pk, by: staff.reset(pk, by=by, now=NOW),
    "role": lambda pk, by: staff.ask_for_role(pk, policy.HANDLER, by=by, now=NOW),
    "close": lambda pk, by: staff.close(pk, by=by, now=NOW),
    "reopen": lambda pk, by: staff.ask_to_reopen(pk, by=by, now=NOW),
    "end sessions": lambda pk, by: staff.end_sessions(pk, by=by, now=NOW),
}


def user(name: str, role: str, password: str | None = None) -> User:
    return User.objects.create_user(name, password, role=role)


@pytest.fixture
def chief() -> User:
    return user("chief", policy.ADMINISTRATOR)


@pytest.fixture
def second() -> User:
    return user("second", policy.ADMINISTRATOR)


def agree(by: User) -> Approval:
    return approvals.decide(Approval.objects.latest("pk").pk, by=by, agrees=True, now=NOW)


def written_down() -> list[tuple]:
    return list(AuditEvent.objects.order_by("pk").values_list("act", "reason", "actor__username", "about__username"))


def with_factor(account: User) -> User:
    Authenticator.objects.create(user=account, type=Authenticator.Type.TOTP, data={"secret": "x"})
    Authenticator.objects.create(user=account, type=Authenticator.Type.RECOVERY_CODES, data={})
    return account


# --- inviting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [policy.HANDLER, policy.EVALUATOR])
def test_a_handler_or_an_evaluator_is_invited_by_one(chief, role):
    made = staff.invite("new", role, by=chief, now=NOW)
    assert (made.username, made.role, made.is_active, made.has_usable_password()) == ("new", role, True, False)
    assert written_down() == [("staff.invite", "", "chief", "new")]


@pytest.mark.parametrize("role", [policy.COORDINATOR, policy.ADMINISTRATOR])
def test_a_coordinator_or_an_administrator_is_made_when_another_agrees(chief, second, role):
    assert staff.invite("new", role, by=chief, now=NOW) is None
    assert not User.objects.filter(username="new").exists() and list(staff.waiting_invitations())
    asked = agree(second)
    made = User.objects.get(username="new")
    assert (made.role, made.has_usable_password()) == (role, False)
    assert asked.about == made and not staff.waiting_invitations()
    assert staff.make_link(made.pk, by=chief, now=NOW).startswith("/invitation/")
    assert written_down() == [
        ("staff.invite_trusted", "asked", "chief", None),
        ("staff.invite_trusted", "", "second", "new"),
        ("approval.decide", "agreed", "second", "new"),
        ("staff.invite_trusted", "link", "chief", "new"),
    ]


@pytest.mark.parametrize("role", sorted(policy.ROLES))
def test_no_name_is_given_twice_in_whatever_case(chief, role):
    with pytest.raises(accounts.NameTaken):
        staff.invite("CHIEF", role, by=chief, now=NOW)
    assert not Approval.objects.exists() and not AuditEvent.objects.exists()


def test_an_invitation_is_overtaken_when_its_name_was_given_meanwhile(chief, second):
    staff.invite("new", policy.COORDINATOR, by=chief, now=NOW)
    staff.invite("New", policy.HANDLER, by=second, now=NOW)
    with pytest.raises(approvals.Overtaken):
        agree(second)
    assert (
        Approval.objects.get().outcome == Approval.WAITING and User.objects.filter(role=policy.COORDINATOR).count() == 0
    )


@pytest.mark.parametrize("outcome", ["agreed", "refused", "withdrawn", "lapsed"])
def test_a_settled_invitation_no_longer_says_for_which_name_it_was(chief, second, outcome):
    staff.invite("new", policy.COORDINATOR, by=chief, now=NOW)
    asked = Approval.objects.get(subject="new")
    if outcome == "withdrawn":
        approvals.take_back(asked.pk, by=chief, now=NOW)
    elif outcome == "lapsed":
        approvals.lapse(staff.INVITE_TRUSTED, ["new"], now=NOW)
    else:
        approvals.decide(asked.pk, by=second, agrees=outcome == "agreed", now=NOW)
    asked.refresh_from_db()
    made = User.objects.filter(username="new").first()
    assert (asked.subject, asked.outcome, asked.about) == ("", outcome, made) and bool(made) == (outcome == "agreed")


@pytest.mark.parametrize(("days", "outcome"), [(14, Approval.WAITING), (15, Approval.LAPSED)])
def test_an_invitation_that_nobody_decided_lapses_after_two_weeks_and_its_name_is_gone(chief, second, days, outcome):
    staff.invite("new", policy.COORDINATOR, by=chief, now=NOW)
    staff.ask_for_role(user("anna", policy.HANDLER).pk, policy.COORDINATOR, by=chief, now=NOW)
    acts = AuditEvent.objects.count()
    assert staff.lapse_invitations(now=NOW + timedelta(days=days)) == (outcome == Approval.LAPSED)
    asked = Approval.objects.get(act=staff.INVITE_TRUSTED)
    assert (asked.outcome, asked.subject) == (outcome, "" if outcome == Approval.LAPSED else "new")
    assert Approval.objects.get(act=staff.ROLE).outcome == Approval.WAITING  # of an account, which is there
    assert AuditEvent.objects.count() == acts  # nobody did anything
    if outcome == Approval.LAPSED:
        with pytest.raises(approvals.Decided):
            approvals.decide(asked.pk, by=second, agrees=True, now=NOW)
        staff.invite("new", policy.COORDINATOR, by=chief, now=NOW)  # it can be asked for anew


# --- changing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", NEVER_OWN)
def test_nothing_is_done_to_ones_own_account_or_to_one_that_is_not_there(chief, second, act):
    before = User.objects.values().get(pk=chief.pk)
    for pk in (chief.pk, 99999):
        with pytest.raises(staff.NoSuchAccount):
            NEVER_OWN[act](pk, chief)
    assert User.objects.values().get(pk=chief.pk) == before
    assert not Approval.objects.exists() and not AuditEvent.objects.exists()


@pytest.mark.parametrize("role", [policy.HANDLER, policy.EVALUATOR])
def test_a_handler_or_an_evaluator_begins_anew_at_once(chief, role):
    person = with_factor(user("person", role, PASSWORD))
    assert staff.reset(person.pk, by=chief, now=NOW)
    after = User.objects.get(pk=person.pk)
    assert not after.has_usable_password() and after.epoch != person.epoch
    assert not Authenticator.objects.exists()
    assert written_down() == [("staff.reset", "", "chief", "person")]


def test_who_begins_anew_finds_nothing_of_whoever_had_the_account_before(chief):
    account = with_factor(user("maria", policy.HANDLER, PASSWORD))
    SocialAccount.objects.create(user=account, provider="https://identity.example", uid="x")
    content = drafts.Content("", {"result": ("relevant",)})
    drafts.keep_draft(by=account, key=uuid4(), content=content, case=None, now=NOW)
    entry = read_entry(NOW.date(), {"channel": ["telefon"], "result": ["relevant"]})
    contacts.log_contact(by=account, key=uuid4(), entry=entry, now=NOW, today=NOW.date())
    assert staff.reset(account.pk, by=chief, now=NOW)
    assert not Draft.objects.exists() and not SocialAccount.objects.exists()
    assert not contacts.own_changeable(account, now=NOW, amend_hours=24).exists() and Contact.objects.count() == 1


@pytest.mark.parametrize("role", [policy.COORDINATOR, policy.ADMINISTRATOR])
def test_a_coordinator_or_an_administrator_begins_anew_when_another_agrees(chief, second, role):
    person = with_factor(user("person", role, PASSWORD))
    assert not staff.reset(person.pk, by=chief, now=NOW)
    assert User.objects.get(pk=person.pk).check_password(PASSWORD) and Authenticator.objects.count() == 2
    with pytest.raises(accounts.DeadLink):
        staff.make_link(person.pk, by=chief, now=NOW)
    agree(second)
    assert not User.objects.get(pk=person.pk).has_usable_password() and not Authenticator.objects.exists()
    assert staff.make_link(person.pk, by=chief, now=NOW)


def test_a_closed_account_is_opened_again_when_another_agrees(chief, second):
    person = user("person", policy.HANDLER, PASSWORD)
    staff.close(person.pk, by=chief, now=NOW)
    after = User.objects.get(pk=person.pk)
    assert not after.is_active and after.epoch != person.epoch
    staff.ask_to_reopen(person.pk, by=chief, now=NOW)
    assert not User.objects.get(pk=person.pk).is_active
    agree(second)
    assert User.objects.get(pk=person.pk).is_active and User.objects.get(pk=person.pk).check_password(PASSWORD)
    with pytest.raises(approvals.Overtaken):
        staff.ask_to_reopen(person.pk, by=chief, now=NOW)


def test_a_role_that_the_account_has_is_not_asked_for(chief):
    with pytest.raises(approvals.Overtaken):
        staff.ask_for_role(user("person", policy.HANDLER).pk, policy.HANDLER, by=chief, now=NOW)
    assert not Approval.objects.exists()


def test_closing_an_account_kills_its_links_and_its_tokens(chief):
    evaluator = user("evaluator", policy.EVALUATOR)
    link = staff.make_link(evaluator.pk, by=chief, now=NOW).split("/")[2]
    evaluator.refresh_from_db()
    token = token_of(evaluator)
    assert tokens.holder(token, today=timezone.localdate()) == evaluator and invitations.invited_by(link) == evaluator
    staff.close(evaluator.pk, by=chief, now=NOW)
    assert tokens.holder(token, today=timezone.localdate()) is None
    with pytest.raises(accounts.DeadLink):
        invitations.invited_by(link)


# --- the last administrator -------------------------------------------------------------------------------------------


def test_the_last_active_administrator_is_not_closed_and_keeps_the_role(chief):
    """As it could come about: who asks was closed a moment ago."""
    was = user("was", policy.ADMINISTRATOR)
    User.objects.filter(pk=was.pk).update(is_active=False)
    for act in ("close", "role"):
        with pytest.raises(staff.LastAdministrator):
            NEVER_OWN[act](chief.pk, was)
    assert User.objects.get(pk=chief.pk).is_active and not Approval.objects.exists()


def test_a_role_asked_for_while_there_were_others_is_overtaken(chief, second):
    third = user("third", policy.ADMINISTRATOR)
    staff.ask_for_role(third.pk, policy.HANDLER, by=chief, now=NOW)
    User.objects.exclude(pk=third.pk).update(is_active=False)
    with pytest.raises(approvals.Overtaken):
        agree(second)
    assert User.objects.get(pk=third.pk).role == policy.ADMINISTRATOR


@pytest.mark.django_db(transaction=True)
def test_of_two_administrators_who_close_each_other_at_once_one_is_left(chief, second):
    answers = at_once(
        lambda: staff.close(second.pk, by=chief, now=NOW), lambda: staff.close(chief.pk, by=second, now=NOW)
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["LastAdministrator", "NoneType"]
    assert User.objects.filter(is_active=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_invite_the_same_name_at_once_one_makes_the_account(chief, second):
    answers = at_once(
        *(lambda by=by: staff.invite("new", policy.HANDLER, by=by, now=NOW) for by in (chief, second)),
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["NameTaken", "User"]
    assert User.objects.filter(username="new").count() == 1


# --- seeing -----------------------------------------------------------------------------------------------------------


def test_the_list_says_of_each_account_whether_it_has_a_second_factor_and_what_waits(chief, second):
    person = with_factor(user("person", policy.HANDLER))
    only_codes = user("only codes", policy.HANDLER)
    Authenticator.objects.create(user=only_codes, type=Authenticator.Type.RECOVERY_CODES, data={})
    staff.ask_for_role(person.pk, policy.EVALUATOR, by=chief, now=NOW)
    staff.close(second.pk, by=chief, now=NOW)
    staff.ask_to_reopen(second.pk, by=chief, now=NOW)
    told = [(person.username, person.has_second_factor, person.waiting) for person in staff.everybody()]
    assert told == [("chief", False, 0), ("only codes", False, 0), ("person", True, 1), ("second", False, 1)]


# --- an account that is in use ----------------------------------------------------------------------------------------


def at_a_provider(account: User) -> None:
    SocialAccount.objects.create(user=account, provider="https://identity.example", uid="x")


@pytest.mark.parametrize("use", [at_a_provider, with_factor])
def test_no_link_is_made_for_an_account_that_somebody_logs_in_to_in_another_way(chief, use):
    account = user("lead", policy.COORDINATOR)
    link = staff.make_link(account.pk, by=chief, now=NOW).split("/")[2]
    use(account)
    with pytest.raises(accounts.DeadLink):
        staff.make_link(account.pk, by=chief, now=NOW)
    with pytest.raises(accounts.DeadLink):
        invitations.take_up(link, password=PASSWORD, now=NOW)


def test_a_role_of_trust_is_not_given_to_an_account_whose_owner_one_person_chooses(chief, second):
    account = user("maria", policy.HANDLER, PASSWORD)
    staff.ask_for_role(account.pk, policy.COORDINATOR, by=chief, now=NOW)
    staff.reset(account.pk, by=chief, now=NOW)
    with pytest.raises(approvals.Overtaken):
        agree(second)
    account.refresh_from_db()
    assert account.role == policy.HANDLER


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": policy.HANDLER}])
def test_what_somebody_asked_for_who_may_no_longer_is_overtaken(chief, second, change):
    account = user("maria", policy.HANDLER, PASSWORD)
    staff.ask_for_role(account.pk, policy.COORDINATOR, by=chief, now=NOW)
    User.objects.filter(pk=chief.pk).update(**change)
    with pytest.raises(approvals.Overtaken):
        agree(second)
    account.refresh_from_db()
    assert account.role == policy.HANDLER
