"""The administrator's pages: who has an account, inviting, letting begin anew, closing; and the page of the invited."""

import re
import time
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape

import pytest
from allauth.socialaccount.models import SocialAccount
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from helpline import approvals, invitations, policy, staff
from helpline.models import Approval, AuditEvent, User
from reports.tasks import erase_expired

pytestmark = pytest.mark.django_db
PASSWORD = "four words in a row"
ACTS = ("link", "reset", "role", "close", "reopen", "sessions")


@pytest.fixture(autouse=True)
def language_of_the_next_test() -> Iterator[None]:
    with translation.override("en"):
        yield


def user(name: str, role: str = policy.HANDLER, password: str | None = PASSWORD) -> User:
    return User.objects.create_user(name, password, role=role)


def browser_of(somebody: User | None = None) -> Client:
    client = Client(headers={"accept-language": "en"})
    if somebody:
        client.force_login(somebody)
    return client


@pytest.fixture(autouse=True)
def quick_hashes(settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def chief() -> User:
    return user("chief", policy.ADMINISTRATOR)


@pytest.fixture
def second() -> User:
    return user("second", policy.ADMINISTRATOR)


@pytest.fixture
def client(chief) -> Client:
    return browser_of(chief)


def text(response: HttpResponse) -> str:
    return unescape(response.content.decode())


def words(response: HttpResponse) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text(response)).split())


def of(account: User, act: str = "") -> str:
    return f"/staff/{account.pk}/" + (f"{act}/" if act else "")


def do(client: Client, account: User, act: str, **sent: str) -> str:
    """What the page says after an act."""
    response = client.post(of(account, act), sent)
    assert (response.status_code, response.url) == (302, of(account))
    return words(client.get(response.url))


def link_in(response: HttpResponse) -> str:
    (link,) = re.findall(r'value="http://testserver(/invitation/[^"]+)"', text(response))
    return link


def age_the_proof(client: Client) -> None:
    session = client.session
    old = int(time.time()) - policy.STEP_UP_SECONDS - 1
    session["account_authentication_methods"] = [{"method": "mfa", "type": "totp", "at": old}]
    session.save()


# --- the list ---------------------------------------------------------------------------------------------------------


def test_the_list_says_name_role_day_of_log_in_and_whatever_is_unusual(client, chief):
    person, closed, invited = user("person"), user("gone"), user("new", policy.EVALUATOR, None)
    User.objects.filter(pk=person.pk).update(logged_in_on=date(2026, 11, 3))
    staff.close(closed.pk, by=chief, now=timezone.now())
    staff.ask_for_role(person.pk, policy.EVALUATOR, by=chief, now=timezone.now())
    said = words(client.get("/staff/"))
    assert "person · Handler no second factor 1 request waits logged in 3 November 2026" in said
    assert "gone · Handler closed no second factor never logged in" in said
    assert "new · Evaluator has no password yet never logged in" in said
    assert client.get(of(invited)).status_code == 200


def test_an_account_of_the_identity_providers_alone_lacks_nothing_and_can_begin_anew(client, chief):
    person = user("person", password=None)
    assert "has no password yet" in words(client.get(of(person)))
    SocialAccount.objects.create(user=person, provider="https://identity.example", uid="1")
    for page in (words(client.get("/staff/")), words(client.get(of(person)))):
        assert "has no password yet" not in page and "person · Handler no second factor" not in page
    page = text(client.get(of(person)))
    assert of(person, "reset") in page and of(person, "link") not in page
    do(client, person, "reset")
    page = text(client.get(of(person)))
    assert not SocialAccount.objects.exists() and of(person, "link") in page and of(person, "reset") not in page


def test_the_list_says_when_nobody_could_agree(client, second):
    hint = "fewer than two active administrators"
    assert hint not in words(client.get("/staff/"))
    User.objects.filter(pk=second.pk).update(is_active=False)
    assert hint in words(client.get("/staff/"))


def test_no_page_says_a_clock_time_or_an_address(client, chief):
    for where in ("/staff/", of(user("person"))):
        assert not re.search(r"\d\d[:.]\d\d|\d+\.\d+\.\d+\.\d+", words(client.get(where)))


@pytest.mark.parametrize("many", [1, 60])
def test_the_pages_cost_six_queries_at_most_however_many_accounts(client, chief, many):
    people = [user(f"person{number}") for number in range(many)]
    for person in people[:20]:
        staff.ask_for_role(person.pk, policy.EVALUATOR, by=chief, now=timezone.now())
    staff.invite("asked", policy.COORDINATOR, by=chief, now=timezone.now())
    for where in ("/", "/staff/", of(people[0]), "/staff/invite/", "/waiting/"):
        client.get(where)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(where).status_code == 200
        assert len(captured) <= 6, (where, len(captured))


# --- inviting ---------------------------------------------------------------------------------------------------------


def test_a_link_is_shown_once_and_stored_nowhere(client):
    response = client.post("/staff/invite/", {"username": "new", "role": policy.HANDLER})
    link = link_in(response)
    token = link.split("/")[2]
    assert "72 hours" in words(response) and response["Cache-Control"] == "no-store"
    for where in ("/staff/", of(User.objects.get(username="new")), "/waiting/"):
        assert token not in text(client.get(where))
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 (names of our own tables)
            assert token not in str(cursor.fetchall())


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ({"username": "chief", "role": policy.HANDLER}, "username"),
        ({"username": "ＣＨＩＥＦ", "role": policy.COORDINATOR}, "username"),
        ({"username": "", "role": policy.HANDLER}, "username"),
        ({"username": "a" * 65, "role": policy.HANDLER}, "username"),
        ({"username": "\x00", "role": policy.HANDLER}, "username"),
        ({"username": "new"}, "role"),
        ({"username": "new", "role": "police"}, "role"),
    ],
)
def test_a_faulty_invitation_is_refused_in_its_place(client, sent, place):
    response = client.post("/staff/invite/", sent)
    assert response.status_code == 200 and User.objects.count() == 1 and not Approval.objects.exists()
    assert f'href="#{place}"' in text(response) and f'id="{place}-error"' in text(response)


def test_a_coordinator_is_asked_for_agreed_to_and_then_linked(client, second):
    response = client.post("/staff/invite/", {"username": "new", "role": policy.COORDINATOR}, follow=True)
    assert "it waits for another administrator" in words(response)
    assert "new · Coordinator asked for by chief" in words(response)
    other = browser_of(second)
    assert "Invite a coordinator or an administrator · new · Coordinator" in words(other.get("/waiting/"))
    other.post(f"/waiting/{Approval.objects.get().pk}/", {"outcome": "agreed"})
    made = User.objects.get(username="new")
    assert f'href="{of(made)}"' in text(client.get("/waiting/")) and "second agreed" in words(client.get("/waiting/"))
    assert "Make the link now" in words(client.get(of(made)))
    assert link_in(client.post(of(made, "link")))


def test_who_was_invited_chooses_a_password_is_logged_in_and_led_to_the_second_factor(client, in_earnest):
    link = link_in(client.post("/staff/invite/", {"username": "new", "role": policy.HANDLER}))
    visitor = browser_of()
    assert "You will log in as new" in words(visitor.get(link))
    response = visitor.post(link, {"password": PASSWORD, "again": PASSWORD})
    assert (response.status_code, response.url) == (302, "/account/")
    assert "Your password is chosen" in words(visitor.get("/account/"))
    assert visitor.get("/contacts/new/").url == "/account/"
    assert User.objects.get(username="new").logged_in_on == timezone.localdate()
    for again in (visitor, browser_of()):
        for response in (again.get(link), again.post(link, {"password": PASSWORD, "again": PASSWORD})):
            assert response.status_code == 404 and "The link is dead" in words(response)


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ({"password": "short", "again": "short"}, "password"),
        ({"password": PASSWORD, "again": "another four words"}, "again"),
        ({"password": "invitedperson-1", "again": "invitedperson-1"}, "password"),
        ({}, "password"),
    ],
)
def test_a_weak_or_mistyped_password_is_refused_and_the_link_still_works(sent, place):
    person = user("invitedperson", password=None)
    link = invitations.path_for(person)
    response = browser_of().post(link, sent)
    assert response.status_code == 200 and f'id="{place}-error"' in text(response)
    assert not User.objects.get().has_usable_password() and browser_of().get(link).status_code == 200


def test_a_dead_link_says_what_to_do():
    response = browser_of().get("/invitation/x/")
    assert response.status_code == 404 and "ask your administrator for a new link" in words(response)


# --- one account ------------------------------------------------------------------------------------------------------


def test_ones_own_account_is_shown_and_nothing_can_be_done_to_it(client, chief):
    page = client.get(of(chief))
    assert "This is your own account" in words(page)
    assert not re.findall(r'action="/staff/', text(page))
    for act in ACTS:
        assert client.post(of(chief, act), {"role": policy.HANDLER}).status_code == 404
    assert User.objects.get().is_active and not Approval.objects.exists()


@pytest.mark.parametrize("pk", [99999, 2**63, 10**30])
def test_an_account_that_is_not_there_is_not_found(client, pk):
    assert client.get(f"/staff/{pk}/").status_code == 404
    for act in ACTS:
        assert client.post(f"/staff/{pk}/{act}/", {"role": policy.HANDLER}).status_code == 404


def test_each_account_offers_what_can_be_done_to_it(client, chief):
    person, invited, closed = user("person"), user("new", password=None), user("gone")
    staff.close(closed.pk, by=chief, now=timezone.now())
    offered = {
        account.username: set(re.findall(rf'action="{of(account)}(\w+)/"', text(client.get(of(account)))))
        for account in (person, invited, closed)
    }
    assert offered == {
        "person": {"role", "reset", "sessions", "close"},
        "new": {"link", "role", "sessions", "close"},
        "gone": {"reopen"},
    }


def test_every_act_says_what_was_done(client, second):
    person = user("person")
    assert "it waits for another administrator" in do(client, person, "role", role=policy.EVALUATOR)
    assert "asked for already" in do(client, person, "role", role=policy.COORDINATOR)
    assert "Choose a role" in do(client, person, "role", role="police")
    assert "already as you want it" in do(client, person, "role", role=policy.HANDLER)
    assert "All sessions of the account are ended" in do(client, person, "sessions")
    assert "no link was made" in do(client, person, "link")
    assert "Now make a link for the owner" in do(client, person, "reset")
    assert "The account is closed" in do(client, person, "close")
    assert "it waits for another administrator" in do(client, person, "reopen")
    assert "it waits for another administrator" in do(client, second, "reset")


def test_the_last_administrator_is_refused_with_a_sentence(client, second, monkeypatch):
    monkeypatch.setattr(staff, "_refuse_last", lambda account: (_ for _ in ()).throw(staff.LastAdministrator))
    for act in ("close", "role"):
        assert "This is the last active administrator" in do(client, second, act, role=policy.HANDLER)
    assert User.objects.get(pk=second.pk).is_active


@pytest.mark.parametrize("act", [*ACTS, "invite"])
def test_every_act_wants_a_fresh_proof_and_does_nothing_without(client, second, act):
    person = user("person", password=None if act == "link" else PASSWORD)
    before, written = User.objects.values().get(pk=person.pk), AuditEvent.objects.count()
    age_the_proof(client)
    where = "/staff/invite/" if act == "invite" else of(person, act)
    response = client.post(where, {"role": policy.HANDLER, "username": "new"})
    assert response.status_code == 302 and response.url.startswith("/account/confirm/")
    assert User.objects.values().get(pk=person.pk) == before and User.objects.count() == 3
    assert AuditEvent.objects.count() == written and not Approval.objects.exists()


@pytest.mark.parametrize("role", sorted(policy.ROLES - {policy.ADMINISTRATOR}))
def test_nobody_but_an_administrator_sees_or_changes_accounts(role):
    person, client = user("person"), browser_of(user("curious", role))
    for where in ("/staff/", "/staff/invite/", of(person)):
        assert client.get(where).status_code == 403
    for act in ACTS:
        assert client.post(of(person, act), {"role": role}).status_code == 403
    assert User.objects.filter(is_active=True).count() == 2 and not Approval.objects.exists()


# --- what is taken away is gone at the next request -------------------------------------------------------------------


def test_a_closed_account_is_refused_at_its_next_request(client):
    person = user("person", policy.COORDINATOR)
    theirs = browser_of(person)
    assert theirs.get("/overview/").status_code == 200
    do(client, person, "close")
    assert theirs.get("/overview/").url == "/login/?next=/overview/"


def test_ended_sessions_are_refused_at_their_next_request(client):
    person = user("person", policy.COORDINATOR)
    theirs, elsewhere = browser_of(person), browser_of(person)
    do(client, person, "sessions")
    for browser in (theirs, elsewhere):
        assert browser.get("/overview/").url == "/login/?next=/overview/"


def test_an_account_that_begins_anew_is_refused_at_its_next_request(client):
    person = user("person")
    theirs = browser_of(person)
    do(client, person, "reset")
    assert theirs.get("/contacts/new/").url == "/login/?next=/contacts/new/"
    assert theirs.post("/login/", {"login": "person", "password": PASSWORD}).status_code == 200


def test_a_role_that_is_taken_away_is_gone_at_the_next_request(client, second):
    person = user("person", policy.COORDINATOR)
    theirs = browser_of(person)
    do(client, person, "role", role=policy.HANDLER)
    assert theirs.get("/overview/").status_code == 200
    approvals.decide(Approval.objects.get().pk, by=second, agrees=True, now=timezone.now())
    assert theirs.get("/overview/").url == "/login/?next=/overview/"
    assert browser_of(User.objects.get(pk=person.pk)).get("/overview/").status_code == 403


def test_a_role_that_changes_under_a_session_that_lives_on_is_gone_as_well(client):
    """The control: the role is read from the account at each request, not from the session."""
    person = user("person", policy.COORDINATOR)
    theirs = browser_of(person)
    User.objects.filter(pk=person.pk).update(role=policy.HANDLER)
    assert theirs.get("/overview/").status_code == 403 and theirs.get("/contacts/").status_code == 200


# --- an invitation that nobody decides --------------------------------------------------------------------------------


def test_an_invitation_that_waited_too_long_says_so_to_who_asked_and_names_nobody(chief, client):
    staff.invite("nina", policy.COORDINATOR, by=chief, now=timezone.now())
    said = words(client.get("/staff/"))
    assert "nina" in said and "What nobody has decided within 14 days lapses, and the name is forgotten." in said
    Approval.objects.update(requested_on=timezone.localdate() - timedelta(days=15))
    erase_expired()
    assert "nina" not in words(client.get("/staff/"))
    said = words(client.get("/waiting/"))
    assert f"lapsed {timezone.localdate():%-d %B %Y}: nobody had decided it in time" in said and "nina" not in said
