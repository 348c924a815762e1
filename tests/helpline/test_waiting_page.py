"""The page of what waits for a second person: who sees what in which words, and deciding with a fresh proof."""

import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpline import contacts, deletions, policy, staff
from helpline.entries import read_entry
from helpline.models import Approval, Contact, User
from reports.tasks import erase_expired
from tests.helpline.test_staff_pages import age_the_proof, browser_of, language_of_the_next_test, text, user, words

pytestmark = pytest.mark.django_db
WAITING = "/waiting/"
__all__ = ["language_of_the_next_test"]


@pytest.fixture
def leading() -> User:
    return user("leading", policy.COORDINATOR)


@pytest.fixture
def other() -> User:
    return user("other", policy.COORDINATOR)


def log(**answers: list[str]) -> Contact:
    said = {"channel": ["telefon"], "result": ["relevant"], "caller_role": ["narstaende"]} | answers
    entry, now = read_entry(timezone.localdate(), said), timezone.now()
    return contacts.log_contact(by=None, key=uuid4(), entry=entry, now=now, today=timezone.localdate())


def ask(contact: Contact, by: User) -> Approval:
    return deletions.ask(contact, by=by, now=timezone.now())


def where(asked: Approval, act: str = "") -> str:
    return f"{WAITING}{asked.pk}/{act}"


def decide(client: Client, asked: Approval, outcome: str = "agreed") -> str:
    response = client.post(where(asked), {"outcome": outcome})
    assert (response.status_code, response.url) == (302, WAITING)
    return words(client.get(WAITING))


# --- asking for a deletion --------------------------------------------------------------------------------------------


def test_a_coordinator_asks_for_deletion_on_the_page_of_an_opened_contact(leading):
    contact, client = log(), browser_of(leading)
    page = f"/contacts/{contact.pk}/delete/"
    assert client.get(page).url == f"/contacts/{contact.pk}/open/" == client.post(page).url
    assert not Approval.objects.exists()
    client.post(f"/contacts/{contact.pk}/open/", {"reason": "rattelse"})
    assert f'href="{page}"' in text(client.get(f"/contacts/{contact.pk}/withdraw/"))
    assert "nobody can bring it back" in words(client.get(page)) and not Approval.objects.exists()
    assert "it waits for another coordinator" in words(client.post(page, follow=True))
    assert "asked for already" in words(client.post(page, follow=True))
    assert Approval.objects.get().subject == str(contact.pk) and Contact.objects.exists()


def test_ones_own_contact_is_withdrawn_not_deleted_and_a_frozen_one_is_closed(leading):
    client, mine, frozen = browser_of(leading), log(), log()
    Contact.objects.filter(pk=mine.pk).update(logged_by=leading)
    Contact.objects.filter(pk=frozen.pk).update(is_frozen=True)
    assert "/delete/" not in text(client.get(f"/contacts/{mine.pk}/withdraw/"))
    assert client.post(f"/contacts/{mine.pk}/delete/").status_code == 404
    assert client.post(f"/contacts/{frozen.pk}/delete/").status_code == 410
    assert not Approval.objects.exists()


@pytest.mark.parametrize("role", sorted(policy.ROLES - {policy.COORDINATOR}))
def test_nobody_else_asks_for_a_deletion(role):
    assert browser_of(user("curious", role)).post(f"/contacts/{log().pk}/delete/").status_code == 403


# --- the page ---------------------------------------------------------------------------------------------------------


def test_it_says_who_asks_for_what_and_on_which_day_and_lets_the_contact_be_opened(leading, other):
    asked = ask(log(), leading)
    page = browser_of(other).get(WAITING)
    day = f"{timezone.localdate():%-d %B %Y}"
    assert "Delete one contact for good" in words(page) and f"asked for by leading, {day}" in words(page)
    assert f"{day} · Relevant · Relative or close person" in words(page)
    assert f'href="/contacts/{asked.subject}/amend/"' in text(page)
    own = words(browser_of(leading).get(WAITING))
    assert f"asked for {day}" in own and "Take back" in own and "Nothing waits for you." in own


def test_one_coordinator_asks_another_agrees_and_the_contact_is_gone(leading, other):
    asked = ask(log(), leading)
    assert "You agreed, and it is done." in decide(browser_of(other), asked)
    assert not Contact.objects.exists()
    assert f"other agreed {timezone.localdate():%-d %B %Y}" in words(browser_of(leading).get(WAITING))
    assert "it is decided already" in decide(browser_of(other), asked, "refused")


def test_what_is_refused_or_taken_back_is_not_done(leading, other):
    assert "You refused it." in decide(browser_of(other), ask(log(), leading), "refused")
    asked, client = ask(log(), leading), browser_of(leading)
    response = client.post(where(asked, "take-back/"), follow=True)
    assert "You took it back." in words(response) and "taken back" in words(response)
    assert "decided already" in words(client.post(where(asked, "take-back/"), follow=True))
    assert Contact.objects.count() == 2


def test_what_can_no_longer_be_done_says_so_and_can_be_refused(leading, other):
    asked, client = ask(log(), leading), browser_of(other)
    Contact.objects.update(is_frozen=True)
    page = client.get(WAITING)
    assert "this can no longer be done" in words(page) and "Agree" not in re.findall(r">(\w+)</button>", text(page))
    assert "something changed meanwhile" in decide(client, asked)
    assert "You refused it." in decide(client, asked, "refused")


def test_what_lapsed_says_so_and_is_decided_no_more(leading, other):
    asked, client = ask(log(), leading), browser_of(other)
    Contact.objects.all().delete()
    erase_expired()
    assert f"lapsed {timezone.localdate():%-d %B %Y}: it could no longer be done" in words(
        browser_of(leading).get(WAITING)
    )
    assert "Nothing waits for you." in words(client.get(WAITING))
    assert "decided already, taken back or lapsed" in decide(client, asked)
    assert "decided already, taken back or lapsed" in decide(client, asked, "refused")


def test_others_requests_are_not_there(leading, other):
    asked = ask(log(), leading)
    administrator = user("chief", policy.ADMINISTRATOR)
    staff.ask_for_role(other.pk, policy.HANDLER, by=administrator, now=timezone.now())
    of_staff = Approval.objects.latest("pk")
    for who, what in ((leading, asked), (administrator, asked), (other, of_staff), (leading, of_staff)):
        assert browser_of(who).post(where(what), {"outcome": "agreed"}).status_code == 404
    assert "Delete one contact" not in words(browser_of(administrator).get(WAITING))
    assert browser_of(other).post(where(asked, "take-back/")).status_code == 404
    assert browser_of(other).post(where(asked), {"outcome": "maybe"}).status_code == 404
    assert Approval.objects.filter(outcome="waiting").count() == 2


def test_deciding_wants_a_fresh_proof(leading, other):
    asked, client = ask(log(), leading), browser_of(other)
    age_the_proof(client)
    response = client.post(where(asked), {"outcome": "agreed"})
    assert response.url.startswith("/account/confirm/") and Contact.objects.exists()
    assert Approval.objects.get().outcome == Approval.WAITING and client.get(WAITING).status_code == 200


@pytest.mark.parametrize("role", [policy.HANDLER, policy.EVALUATOR])
def test_roles_that_never_agree_have_no_such_page_and_pay_nothing_for_it(leading, role):
    asked, client = ask(log(), leading), browser_of(user("curious", role))
    assert client.get(WAITING).status_code == client.post(where(asked)).status_code == 403
    with CaptureQueriesContext(connection) as captured:
        page = client.get("/")
    assert WAITING not in text(page) and not [q for q in captured if "helpline_approval" in q["sql"]]


@pytest.mark.parametrize("many", [2, 60])
def test_it_costs_six_queries_at_most_however_much_waits(leading, other, many):
    for number in range(many):
        ask(log(), leading if number % 2 else other)
    client = browser_of(other)
    client.get(WAITING)
    with CaptureQueriesContext(connection) as captured:
        client.get(WAITING)
    assert len(captured) <= 6, captured.captured_queries


def test_an_administrator_reads_nothing_of_a_contact_that_they_asked_to_delete_before(leading):
    ask(log(), leading)
    User.objects.filter(pk=leading.pk).update(role=policy.ADMINISTRATOR)
    page = words(browser_of(leading).get(WAITING))
    assert "Delete one contact for good" in page and "Relevant" not in page and "no longer be done" not in page


def test_the_start_page_of_a_coordinator_counts_what_waits_beside_the_open_contacts(leading, other):
    asked = [ask(log(), leading) for _ in range(2)]
    ask(log(concerns=["hot"]), other)
    page = browser_of(other).get("/")
    assert "2 requests wait for you." in words(page) and f'href="{WAITING}"' in text(page)
    assert "2 open contacts" in words(page)  # the control: the other number of the same query
    assert "1 request waits for you." in words(browser_of(leading).get("/"))
    decide(browser_of(other), asked[0], "refused")
    assert "1 request waits for you." in words(browser_of(other).get("/"))


def test_the_start_page_of_an_administrator_counts_what_waits():
    chief, second = user("chief", policy.ADMINISTRATOR), user("second", policy.ADMINISTRATOR)
    assert "waits for you" not in words(browser_of(second).get("/"))
    staff.ask_for_role(user("person").pk, policy.EVALUATOR, by=chief, now=timezone.now())
    assert "1 request waits for you." in words(browser_of(second).get("/"))
    assert "waits for you" not in words(browser_of(chief).get("/"))
