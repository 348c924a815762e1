"""The helpline's pages by request and answer: what is stored, what is refused, and what a person is told."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import DataError, InterfaceError, OperationalError, connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from helpline import accounts, policy, sessions
from helpline.models import Contact, DayMark, Demonstration, Referral, User
from helpline.views import accounts as accounts_pages
from helpline.views import contact_new, wrong
from helpline.views.contact_new import _blank_questions
from helpline.views.kept import owner_of_form

pytestmark = pytest.mark.django_db
NEW = "/contacts/new/"
PASSWORD = "four words in a row"
TOLD = "told in strict confidence to me"


@pytest.fixture(autouse=True)
def language_of_the_next_test() -> Iterator[None]:
    """A request leaves its language behind in the thread."""
    with translation.override("sv"):
        yield


@pytest.fixture
def handler() -> User:
    return User.objects.create_user("handler", None, role=policy.HANDLER)


@pytest.fixture
def with_password(handler) -> User:
    handler.set_password(PASSWORD)
    handler.save()
    return handler


@pytest.fixture
def client(handler) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(handler)
    return client


@pytest.fixture
def visitor() -> Client:
    return Client(headers={"accept-language": "en"})


def answers(**changes) -> dict:
    today = timezone.localdate().isoformat()
    return {"key": str(uuid4()), "day": today, "channel": "telefon", "result": "relevant"} | changes


def text(response: HttpResponse) -> str:
    return response.content.decode()


# --- logging a contact ------------------------------------------------------------------------------------------------


def test_the_form_is_one_light_page_of_four_queries(client):
    client.get(NEW)
    with CaptureQueriesContext(connection) as queries:
        response = client.get(NEW)
    assert response.status_code == 200 and len(queries) <= 4
    assert len(response.content) <= 120_000
    assert not re.search(r"<script(?![^>]* src=)", text(response))
    assert response["Cache-Control"] == "no-store"


def test_an_untouched_form_is_made_once_for_each_day_and_language(client):
    today = timezone.localdate()
    assert _blank_questions(today, today, "sv") is _blank_questions(today, today, "sv")
    other = date(2024, 1, 31)
    assert f'value="{other}"' in _blank_questions(other, other, "sv")
    with translation.override("sv"):
        swedish = _blank_questions(other, other, "only-here-sv")
    with translation.override("en"):
        assert swedish != _blank_questions(other, other, "only-here-en")


def test_each_form_has_a_key_of_its_own(client):
    assert client.get(NEW).context["form"].key != client.get(NEW).context["form"].key


def test_a_saved_contact_is_acknowledged_on_a_fresh_form(client, handler):
    response = client.post(NEW, answers(concerns=["aktiv", "hot"], county="01"), follow=True)
    assert response.redirect_chain == [(NEW, 302)]
    assert 'role="status"' in text(response) and "The contact is saved." in text(response)
    contact = Contact.objects.get()
    assert (contact.day, contact.concerns, contact.county) == (timezone.localdate(), {"aktiv", "hot"}, "01")
    assert contact.logged_by == handler and DayMark.objects.count() == 1


def test_referrals_arrive_with_the_consent_that_was_given(client):
    first = {"referral-0-target": "social", "referral-0-type": "formedling", "referral-0-consent": "ja"}
    second = {"referral-1-target": "skola", "referral-1-type": "hanvisning", "referral-1-consent": "ja"}
    assert client.post(NEW, answers(**first, **second)).status_code == 302
    stored = Referral.objects.values_list("target", "type", "outcome", "consent").order_by("target")
    assert list(stored) == [("skola", "hanvisning", "ej_uppf", False), ("social", "formedling", "ej_uppf", True)]


def test_the_same_form_sent_twice_is_one_contact(client):
    twice = answers()
    assert [client.post(NEW, twice).status_code for _ in range(2)] == [302, 302]
    assert Contact.objects.count() == 1


def test_the_same_form_with_other_answers_stores_nothing_and_shows_both(client):
    first = answers()
    client.post(NEW, first)
    response = client.post(NEW, first | {"result": "info"})
    assert response.status_code == 409 and "Two versions of one contact" in text(response)
    assert '<input type="hidden" name="result" value="info">' in text(response)
    assert reverse("contact-amend", args=[Contact.objects.get().pk]) in text(response)
    assert Contact.objects.get().result == "relevant"


def test_a_refused_form_comes_back_with_its_answers_and_says_what_to_do(client):
    response = client.post(NEW, answers(result="", county="01", concerns=["hot"]))
    page = text(response)
    assert response.status_code == 200 and not Contact.objects.exists()
    assert 'role="alert"' in page and 'href="#result"' in page and 'aria-describedby="result-error"' in page
    assert '<option value="01" selected>' in page and 'value="hot" checked' in page
    assert "<title>Error: New contact" in page


def test_a_refused_form_keeps_its_key_and_can_then_be_saved(client):
    sent = answers(result="")
    assert str(client.post(NEW, sent).context["form"].key) == sent["key"]
    assert client.post(NEW, sent | {"result": "relevant"}).status_code == 302


def test_one_more_referral_stores_nothing_and_loses_nothing(client):
    sent = answers(county="01", add_referral="1", **{"referral-0-target": "social", "referral-0-consent": "ja"})
    response = client.post(NEW, sent)
    page = text(response)
    assert not Contact.objects.exists() and not response.context["form"].errors
    assert 'name="referral-1-target" autofocus' in page
    assert '<option value="01" selected>' in page and '<option value="social" selected>' in page
    assert 'name="referral-0-consent" value="ja" checked' in page and sent["key"] in page


def test_a_referral_can_be_added_until_there_are_eight(client):
    rows = {f"referral-{n}-target": "social" for n in range(8)}
    page = text(client.post(NEW, answers(add_referral="1", **rows)))
    assert "referral-7-target" in page and "referral-8-target" not in page and 'name="add_referral"' not in page


# --- whatever is sent -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        {},
        answers(key="no key"),
        answers(key=""),
        answers(day="\x00"),
        answers(result="\x00", concerns=["\x00", "\ufffd"]),
        answers(county="x" * 200_000),
        answers(channel=["telefon", "chatt"]),
        answers(concerns=["hot"] * 300),
        answers(result="ej_fragat"),
        answers(result="ej_till"),
        {"referral-0-target": "\x00" * 1000} | answers(),
        {name: TOLD for name in ("key", "day", "channel", "result", "concerns", "county", "referral-0-target")},
    ],
)
def test_nonsense_is_refused_without_being_repeated(client, sent):
    response = client.post(NEW, sent)
    assert response.status_code == 200 and 'role="alert"' in text(response)
    assert (
        not Contact.objects.exists() and "strict confidence" not in text(response) and "x" * 1000 not in text(response)
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"channel=" + b"x" * 1_000_000, "application/x-www-form-urlencoded"),
        (b"&".join(b"f%d=x" % n for n in range(10_000)), "application/x-www-form-urlencoded"),
        (b"--b\r\nContent-Disposition: form-data", "multipart/form-data; boundary="),
    ],
)
def test_what_cannot_be_read_is_a_page_that_says_so(client, body, kind):
    response = client.post(NEW, body, content_type=kind)
    assert response.status_code == 400 and "The page could not be read" in text(response)
    assert not Contact.objects.exists()


@pytest.mark.parametrize("body", [b"result=%ED%A0%80", b"\xff\xfe=\x00", b"%00=%00", b"{}", b"=&=&"])
def test_bytes_that_are_no_text_are_refused(client, body):
    response = client.post(NEW, body, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 200 and not Contact.objects.exists()


# --- a form that is older than the session ----------------------------------------------------------------------------


def careful(client: Client) -> Client:
    """The same session in a client that asks for the token, as browsers have it."""
    strict = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    strict.cookies = client.cookies
    return strict


def test_a_form_without_its_token_stores_nothing_and_returns_with_its_answers(client, handler):
    response = careful(client).post(NEW, answers(county="01", owner=owner_of_form(handler)))
    assert response.status_code == 403 and not Contact.objects.exists()
    assert '<option value="01" selected>' in text(response) and "opened before you logged in" in text(response)


@pytest.mark.parametrize("address", [NEW, "/login/", "/contacts/"])
def test_whoever_sends_what_is_no_form_without_a_token_gets_the_way_back(visitor, address):
    response = careful(visitor).post(address, {"note": TOLD})
    assert response.status_code == 403 and "Your answers return then" in text(response)
    assert "strict confidence" not in text(response)


def test_with_its_token_the_form_is_saved(client):
    page = text(client.get(NEW))
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    assert careful(client).post(NEW, answers(csrfmiddlewaretoken=token)).status_code == 302


# --- the start page ---------------------------------------------------------------------------------------------------

STARTS = {
    policy.HANDLER: ("New contact", "Overview"),
    policy.COORDINATOR: ("Overview", "what the line has published"),
    policy.EVALUATOR: ("what the line has published", "New contact"),
    policy.ADMINISTRATOR: ("Here you invite people", "New contact"),
}


@pytest.mark.parametrize("role", STARTS)
def test_each_role_has_a_start_of_its_own_without_dead_links(role, visitor):
    visitor.force_login(User.objects.create_user(role, None, role=role))
    page = text(visitor.get("/"))
    expected, foreign = STARTS[role]
    assert expected in page and foreign not in page
    for address in re.findall(r'<a class="button[^"]*" href="([^"]+)"', page):
        assert visitor.get(address).status_code == 200, address


def test_the_start_page_counts_what_one_logged_oneself_for_today(client, handler):
    yesterday = (timezone.localdate() - timedelta(days=1)).isoformat()
    for sent in (answers(), answers(), answers(day=yesterday)):
        client.post(NEW, sent)
    assert "You have logged 2 contacts for today." in text(client.get("/"))
    other = Client(headers={"accept-language": "en"})
    other.force_login(User.objects.create_user("handler2", None, role=policy.HANDLER))
    assert "no contact for today" in text(other.get("/"))


# --- in and out -------------------------------------------------------------------------------------------------------


def test_the_log_in_page_says_what_the_tool_never_does(visitor):
    page = text(visitor.get("/login/"))
    assert "never searches for a person" in page and "never used to investigate" in page


def test_one_logs_in_and_comes_to_the_page_one_asked_for(visitor, with_password):
    asked = visitor.get(NEW)
    assert asked.status_code == 302
    response = visitor.post(asked.url, {"login": "handler", "password": PASSWORD, "next": NEW})
    assert (response.status_code, response.url) == (302, NEW)
    assert visitor.get("/login/").url == "/"


@pytest.mark.parametrize("sent", [{"login": "handler", "password": "wrong"}, {}, {"login": "\x00", "password": "\x00"}])
def test_a_wrong_log_in_is_announced_and_says_no_more_than_that(visitor, with_password, sent):
    response = visitor.post("/login/", sent)
    assert response.status_code == 200 and 'role="alert"' in text(response) and "_auth_user_id" not in visitor.session
    assert "The user name or the password is wrong" in text(response)


def test_a_closed_account_cannot_log_in(visitor, with_password):
    User.objects.update(is_active=False)
    visitor.post("/login/", {"login": "handler", "password": PASSWORD})
    assert "_auth_user_id" not in visitor.session


def test_logging_in_never_leads_to_another_site(visitor, with_password):
    sent = {"login": "handler", "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert visitor.post("/login/", sent).url == "/"


def test_one_logs_out_by_a_button_only(client):
    assert client.get("/logout/").status_code == 405 and client.get(NEW).status_code == 200
    assert client.post("/logout/").url == "/login/" and client.get(NEW).status_code == 302


def test_the_language_changes_and_the_page_stays(client):
    assert '<html lang="en">' in text(client.get(NEW))
    response = client.post("/language/", {"language": "sv", "next": NEW}, follow=True)
    assert response.redirect_chain == [(NEW, 302)] and '<html lang="sv">' in text(response)
    assert "Ny kontakt" in text(response)
    assert client.post("/language/", {"language": "en", "next": "//elsewhere.example/"}).url == "/"
    assert '<html lang="en">' in text(client.get(NEW))


def test_swedish_comes_first():
    assert '<html lang="sv">' in text(Client().get("/login/"))


# --- the first administrator ------------------------------------------------------------------------------------------


def test_the_first_administrator_is_made_and_logged_in(visitor):
    link = accounts.administrator_path()
    assert visitor.get(link).status_code == 200
    sent = {"username": "Ａdmin", "password": PASSWORD, "again": PASSWORD}
    assert visitor.post(link, sent).url == "/"
    user = User.objects.get()
    assert (user.username, user.role) == ("Admin", policy.ADMINISTRATOR)
    assert "The account is made" in text(visitor.get("/"))
    for again in (visitor.get(link), Client().get(link), Client().post(link, sent)):
        assert again.status_code == 404
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ({"username": "admin", "password": "short", "again": "short"}, "password"),
        ({"username": "admin", "password": PASSWORD, "again": PASSWORD + "s"}, "again"),
        ({"username": "", "password": PASSWORD, "again": PASSWORD}, "username"),
        ({"username": "a" * 65, "password": PASSWORD, "again": PASSWORD}, "username"),
        ({"username": "\x00", "password": "\x00" * 20, "again": "\x00" * 20}, "username"),
        ({}, "password"),
    ],
)
def test_a_weak_or_mistyped_first_account_is_refused_in_its_place(visitor, sent, place):
    response = visitor.post(accounts.administrator_path(), sent)
    assert response.status_code == 200 and not User.objects.exists()
    assert f'href="#{place}"' in text(response) and f'id="{place}-error"' in text(response)
    assert PASSWORD not in text(response)


def test_a_name_that_somebody_has_is_refused_in_its_place(visitor):
    User.objects.create_user("admin", None, role=policy.HANDLER)
    sent = {"username": "Admin", "password": PASSWORD, "again": PASSWORD}
    response = visitor.post(accounts.administrator_path(), sent)
    assert response.status_code == 200 and 'id="username-error"' in text(response) and User.objects.count() == 1


def test_a_dead_link_says_what_to_do(visitor):
    response = visitor.get("/setup/no-such-token/")
    assert response.status_code == 404 and "The link is dead" in text(response)


# --- when something is wrong ------------------------------------------------------------------------------------------

WRONG = {
    400: ("The page could not be read", "Sidan kunde inte läsas"),
    403: ("This page is not for your role", "Sidan hör inte till din roll"),
    404: ("There is no such page", "Sidan finns inte"),
    405: ("This address takes no visit of that kind", "Adressen kan inte besökas på det sättet"),
    500: ("Something went wrong with us", "Något gick fel hos oss"),
}


def go_wrong(client: Client, status: int) -> HttpResponse:
    if status == 400:
        return client.post(NEW, b"&".join(b"f%d=" % n for n in range(1000)), "application/x-www-form-urlencoded")
    return client.get({403: "/overview/", 404: "/nowhere/", 405: "/logout/", 500: "/"}[status])


@pytest.mark.parametrize("status", WRONG)
@pytest.mark.parametrize("language", ["en", "sv"])
def test_each_fault_has_a_page_in_the_readers_language_with_a_way_on(client, status, language, monkeypatch):
    client.raise_request_exception = False
    if status == 500:
        monkeypatch.setattr(accounts_pages.timezone, "localdate", lambda: 1 / 0)
    client.cookies["django_language"] = language
    response = go_wrong(client, status)
    assert response.status_code == status and f'<html lang="{language}">' in text(response)
    assert WRONG[status][language == "sv"] in text(response) and WRONG[status][language == "en"] not in text(response)
    assert f'href="{reverse("start")}"' in text(response)


def test_the_page_for_our_own_faults_asks_the_database_nothing(client):
    with CaptureQueriesContext(connection) as queries:
        response = wrong.server_error(RequestFactory().get("/"))
    assert response.status_code == 500 and len(queries) == 0


@pytest.mark.parametrize(("error", "status"), [(OperationalError, 503), (InterfaceError, 503), (DataError, 500)])
def test_a_database_that_is_away_is_told_apart_from_a_fault_of_ours(client, monkeypatch, error, status):
    """Also where the session is read, long before any page."""

    def fail(*_):
        raise error

    client.raise_request_exception = False
    monkeypatch.setattr(sessions, "is_over", fail)
    assert client.get(NEW).status_code == status


def test_a_visitor_who_is_lost_gets_no_session(visitor):
    assert visitor.get("/nowhere/").status_code == 404 and not visitor.cookies


# --- the demonstration says so everywhere -----------------------------------------------------------------------------

EVERYWHERE = ["/", NEW, "/nowhere/", "/overview/", "/logout/", "/login/", "/setup/x/"]
MADE_UP = "Demonstration: all contacts are made up"


@pytest.fixture
def demonstration() -> Demonstration:
    return Demonstration.objects.create(seed=1, since=date(2025, 1, 1), contacts_a_month=1, planned=50, made=21)


@pytest.mark.parametrize("address", EVERYWHERE)
def test_every_page_of_a_demonstration_says_so_and_how_far_it_has_come(client, visitor, demonstration, address):
    who = visitor if address in ("/login/", "/setup/x/") else client
    page = text(who.get(address))
    assert MADE_UP in page and "being made: 42 %" in page and 'value="42"' in page
    Demonstration.objects.update(made=50)
    page = text(who.get(address))
    assert MADE_UP in page and "<progress" not in page


def test_the_pages_that_answer_a_form_say_so_as_well(client, demonstration):
    sent = answers()
    client.post(NEW, sent)
    for response in (client.post(NEW, sent | {"result": "info"}), client.post(NEW, {}), careful(Client()).post(NEW)):
        assert MADE_UP in text(response) or "alla kontakter är påhittade" in text(response)


def test_where_the_contacts_are_real_nothing_is_said_of_a_demonstration(client):
    assert not [address for address in EVERYWHERE if "Demonstration" in text(client.get(address))]


def test_a_busy_database_keeps_the_answers_and_the_same_form_can_be_sent_again(client, monkeypatch):
    def busy(**_: object) -> None:
        raise OperationalError

    sent = answers(county="14", concerns=["hot"])
    monkeypatch.setattr(contact_new.contacts, "log_contact", busy)
    refused = client.post(NEW, sent)
    assert refused.status_code == 503
    assert "busy" in text(refused) and sent["key"] in text(refused)
    assert re.search(r'value="hot"[^>]*checked', text(refused)) and re.search(r'value="14"[^>]*selected', text(refused))
    monkeypatch.undo()
    assert client.post(NEW, sent).status_code == 302
    assert Contact.objects.get().county == "14"
