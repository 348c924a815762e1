"""Who logs in gives a second factor, once; what matters most asks for it anew."""

import base64
import hashlib
import hmac
import struct
import time
from datetime import date, timedelta
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, OperationalError, connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from helpline import contacts, rates, second_factor
from helpline.entries import read_entry
from helpline.models import AuditEvent, Contact, Demonstration, User
from reports.tasks import erase_expired

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_earnest")]

PASSWORD = "four words in a row"
SECRET = base64.b32encode(b"twelve bytes and eight").decode()
LOG_IN, CODE, ACCOUNT = "/login/", "/login/code/", "/account/"
FIVE_MINUTES = 300


@pytest.fixture(autouse=True)
def nobody_has_guessed(settings) -> None:
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def code_at(moment: float, secret: str = SECRET) -> str:
    """RFC 6238 by the book, sharing no code with what is tested."""
    counter = struct.pack(">Q", int(moment) // 30)
    digest = hmac.digest(base64.b32decode(secret), counter, hashlib.sha1)
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06d}"


def with_app(user: User) -> User:
    from allauth.mfa.totp.internal.auth import TOTP

    TOTP.activate(user, SECRET)
    return user


def account(name: str = "someone", role: str = "handler") -> User:
    return User.objects.create_user(name, PASSWORD, role=role)


def text(response: HttpResponse) -> str:
    return response.content.decode()


def visitor() -> Client:
    return Client(headers={"accept-language": "en"})


def give_password(client: Client, name: str = "someone", **more: str) -> HttpResponse:
    return client.post(LOG_IN, {"login": name, "password": PASSWORD} | more)


def is_inside(client: Client) -> bool:
    return client.get("/", follow=False).status_code == 200


# --- an account without one -------------------------------------------------------------------------------------------


def test_an_account_without_second_factor_can_get_one_and_nothing_else():
    account()
    client = visitor()
    give_password(client)
    for address in ("/", "/contacts/new/", "/contacts/"):
        assert client.get(address).url == ACCOUNT
        assert client.get(address, headers={"accept": "application/json"}).status_code == 403
    assert client.post("/contacts/new/", {"result": "tyst"}).url == ACCOUNT and not Contact.objects.exists()
    page = text(client.get(ACCOUNT))
    assert "Add a second factor" in page and 'aria-label="Main menu"' not in page
    assert client.post("/logout/").status_code == 302


def test_the_app_is_added_with_a_code_which_is_used_up_by_it_and_recovery_codes_are_shown_once():
    user, client = account(), visitor()
    give_password(client)
    page = client.get("/account/app/")
    secret = page.context["form"].secret
    code = code_at(time.time(), secret)
    assert "Scan the picture" in text(page) and secret in text(page)
    wrong = client.post("/account/app/", {"code": "000000" if code != "000000" else "111111"})
    assert wrong.status_code == 200 and not Authenticator.objects.exists()
    assert client.post("/account/app/", {"code": code}).url == "/account/codes/"
    assert is_inside(client)
    shown = text(client.get("/account/codes/"))
    assert shown.count("<li><code>") == 10
    again = text(client.get("/account/codes/"))
    assert "<li><code>" not in again and "not shown again" in again
    stored = str([authenticator.data for authenticator in Authenticator.objects.all()])
    assert secret not in stored
    assert AuditEvent.objects.filter(act="account.secure", actor=user).count() == 1
    other = visitor()
    give_password(other)
    assert "wrong or was used" in text(other.post(CODE, {"code": code}))


@pytest.fixture
def demonstration() -> Demonstration:
    return Demonstration.objects.create(seed=1, since=date(2025, 1, 1), contacts_a_month=1, planned=1)


def test_a_demonstration_asks_for_no_second_factor_until_it_is_over(demonstration):
    account()
    client = visitor()
    give_password(client)
    assert is_inside(client)
    demonstration.delete()
    assert client.get("/").url == ACCOUNT and 'aria-label="Main menu"' not in text(client.get(ACCOUNT))


def test_a_demonstration_may_be_told_to_ask_for_it(demonstration, settings):
    settings.HELPLINE_REQUIRE_MFA = True
    account()
    client = visitor()
    give_password(client)
    assert client.get("/").url == ACCOUNT


@pytest.mark.parametrize("is_one", [False, True])
def test_whether_it_is_a_demonstration_is_looked_up_once_for_a_page(is_one, request):
    if is_one:
        request.getfixturevalue("demonstration")
    account()
    client = visitor()
    give_password(client)
    with CaptureQueriesContext(connection) as asked:
        client.get(ACCOUNT)
    assert sum("helpline_demonstration" in query["sql"] for query in asked) == 1


# --- logging in -------------------------------------------------------------------------------------------------------


def test_the_password_alone_opens_nothing():
    with_app(account())
    client = visitor()
    assert give_password(client).url == CODE
    assert not is_inside(client) and "_auth_user_id" not in client.session
    assert client.post(CODE, {"code": code_at(time.time())}).url == "/"
    assert is_inside(client)


def test_a_page_that_was_wanted_is_reached_after_both():
    with_app(account())
    client = visitor()
    give_password(client, next="/contacts/")
    assert client.post(CODE, {"code": code_at(time.time())}).url == "/contacts/"


def test_the_page_of_the_code_is_no_way_in_without_the_password():
    with_app(account())
    assert visitor().get(CODE).url == LOG_IN and visitor().post(CODE, {"code": code_at(time.time())}).url == LOG_IN


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_clock_that_is_a_step_off_is_forgiven(steps):
    user = with_app(account())
    assert second_factor.use_code(user, code_at(time.time() + 30 * steps))


@pytest.mark.parametrize("steps", [-3, 3])
def test_a_clock_that_is_far_off_is_not(steps):
    assert not second_factor.use_code(with_app(account()), code_at(time.time() + 30 * steps))


def test_a_code_is_good_once_whatever_becomes_of_the_cache_and_so_is_every_earlier_one():
    with_app(account())
    code, earlier = code_at(time.time()), code_at(time.time() - 30)
    first = visitor()
    give_password(first)
    assert first.post(CODE, {"code": code}).status_code == 302
    cache.clear()
    for replayed in (code, earlier):
        client = visitor()
        give_password(client)
        assert "wrong or was used" in text(client.post(CODE, {"code": replayed}))
        assert not is_inside(client)


def test_without_the_memory_of_the_last_step_the_replay_would_succeed():
    user, code = with_app(account()), code_at(time.time())
    assert second_factor.use_code(user, code)
    Authenticator.objects.get().data.pop("step")
    forgetful = Authenticator.objects.get()
    forgetful.data.pop("step")
    forgetful.save()
    assert second_factor.use_code(user, code)


@pytest.mark.django_db(transaction=True)
def test_of_two_that_send_one_code_at_once_one_gets_in():
    from tests.at_once import at_once

    for name in ("a", "b", "c"):
        user, code = with_app(account(name)), code_at(time.time())
        outcome = at_once(*[lambda user=user, code=code: second_factor.use_code(user, code)] * 4)
        assert sum(isinstance(one, Authenticator) for one in outcome) == 1


def test_a_recovery_code_is_good_once():
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    user = with_app(account())
    code = RecoveryCodes.activate(user).get_unused_codes()[0]
    assert second_factor.use_code(user, f" {code} ") and not second_factor.use_code(user, code)


def test_a_script_is_asked_for_the_code_and_gets_a_session():
    with_app(account())
    client = Client(headers={"accept": "application/json", "accept-language": "en"})
    asked = give_password(client)
    assert (asked.status_code, asked.json()["second"]) == (202, CODE)
    wrong = client.post(CODE, {"code": "12"})
    assert wrong.status_code == 400 and "wrong" in wrong.json()["text"]
    said = client.post(CODE, {"code": code_at(time.time())})
    assert said.status_code == 200 and said.json()["user"] == "someone" and is_inside(client)


def test_a_form_without_script_outlives_both_steps():
    with_app(account())
    client = visitor()
    sent = {"key": str(uuid4()), "result": "relevant", "concerns": ["hot"], "day": timezone.localdate().isoformat()}
    waiting = client.post("/contacts/new/", sent)
    fields = [line.split('"') for line in text(waiting).split("<input") if 'type="hidden"' in line and 'name="' in line]
    hidden: dict[str, list[str]] = {}
    for parts in fields:
        hidden.setdefault(parts[3], []).append(parts[5])
    from helpline.views.kept import owner_of_form

    hidden["owner"] = [owner_of_form(User.objects.get())]
    assert client.post(LOG_IN, hidden | {"login": "someone", "password": PASSWORD}).url == CODE
    assert "hot" not in str(dict(client.session))
    inside = client.post(CODE, {"code": code_at(time.time())}, follow=True)
    assert "draft=" in inside.redirect_chain[0][0] and 'value="hot"' in text(inside)


# --- slowly -----------------------------------------------------------------------------------------------------------


def test_ten_thousand_codes_within_an_hour_get_nowhere(monkeypatch):
    with_app(account())
    client, tried, now = visitor(), [], [time.time()]
    give_password(client)
    monkeypatch.setattr("helpline.guesses.time.time", lambda: now[0])
    monkeypatch.setattr("helpline.second_factor.use_code", lambda user, code: tried.append(code))
    for guess in range(10_000):
        now[0] += 0.36
        from helpline.forms import CodeForm

        CodeForm({"code": f"{guess:06d}"}, user=User.objects.get()).is_valid()
    assert len(tried) < 40


# --- proof anew -------------------------------------------------------------------------------------------------------


def age(client: Client, seconds: int) -> None:
    """Make every proof in a session so much older."""
    session = client.session
    records = session["account_authentication_methods"]
    session["account_authentication_methods"] = [record | {"at": record["at"] - seconds} for record in records]
    session.save()


@pytest.fixture
def leading() -> Client:
    client = visitor()
    client.force_login(with_app(account("leader", "coordinator")))
    return client


def test_what_matters_asks_for_the_second_factor_anew_after_five_minutes(leading):
    assert leading.get("/account/password/").status_code == 200
    age(leading, FIVE_MINUTES)
    asked = leading.get("/account/password/")
    assert asked.url == "/account/confirm/?next=%2Faccount%2Fpassword%2F"
    assert leading.post(asked.url, {"code": "1"}).status_code == 200
    assert leading.get("/account/password/").status_code == 302
    assert leading.post(asked.url, {"code": code_at(time.time())}).url == "/account/password/"
    assert leading.get("/account/password/").status_code == 200


def test_the_password_is_no_proof_where_there_is_a_second_factor(leading):
    age(leading, FIVE_MINUTES)
    assert leading.get("/account/confirm/password/").url == "/account/confirm/"
    leading.post("/account/confirm/password/", {"password": PASSWORD})
    assert leading.get("/account/password/").status_code == 302


def test_a_post_without_fresh_proof_does_nothing_and_leads_back_to_its_page(leading):
    from reports.models import Release

    Release.objects.create(
        kind="month",
        start=date(2026, 1, 1),
        end=date(2026, 2, 1),
        candidate="{}",
        manifest="{}",
        sha256="",
        prepared_on=date(2026, 2, 15),
    )
    age(leading, FIVE_MINUTES)
    page = "http://testserver/releases/1/"
    release = Release.objects.get()
    refused = leading.post(reverse("release-publish", args=[release.pk]), {"read": "1"}, headers={"referer": page})
    assert refused.url == "/account/confirm/?next=http%3A%2F%2Ftestserver%2Freleases%2F1%2F"
    elsewhere = leading.post(
        reverse("release-publish", args=[release.pk]), headers={"referer": "https://evil.example/"}
    )
    assert elsewhere.url == "/account/confirm/?next=%2F"
    script = leading.post(reverse("release-publish", args=[release.pk]), headers={"accept": "application/json"})
    assert (script.status_code, script.json()) == (403, {"prove": "/account/confirm/"})
    release.refresh_from_db()
    assert release.published_on is None


def test_a_correction_that_needs_proof_waits_for_it_with_its_answers(leading):
    entry = read_entry(timezone.localdate(), {"channel": ["telefon"], "result": ["relevant"], "county": ["14"]})
    contact = contacts.log_contact(by=None, key=uuid4(), entry=entry, now=timezone.now(), today=timezone.localdate())
    address = f"/contacts/{contact.pk}/amend/"
    leading.post(f"/contacts/{contact.pk}/open/", {"reason": "rattelse"})
    page = leading.get(address)
    age(leading, FIVE_MINUTES)
    from helpline.views.kept import owner_of_form

    sent = {"version": "1", "channel": "telefon", "result": "relevant", "county": "20", "day": str(contact.day)}
    sent["owner"] = owner_of_form(User.objects.get(username="leader"))
    asked = leading.post(address, sent)
    assert page.status_code == 200 and asked.url.startswith("/account/confirm/")
    assert Contact.objects.get().county == "14"
    shown = leading.post(asked.url, {"code": code_at(time.time())}, follow=True)
    assert shown.redirect_chain[-1][0] == address and "save again" in text(shown)
    assert shown.context["form"].posted["county"] == "20"
    assert leading.post(address, sent).status_code == 302 and Contact.objects.get().county == "20"


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_a_session_planted_before_the_log_in_is_not_the_one_after_it():
    with_app(account())
    client = visitor()
    client.get(LOG_IN)
    give_password(client)
    planted = client.session.session_key
    client.post(CODE, {"code": code_at(time.time())})
    assert client.session.session_key != planted
    thief = visitor()
    thief.cookies["s"] = planted
    assert not is_inside(thief)


@pytest.mark.parametrize(
    ("clock", "seconds", "stays"),
    [("seen", 59 * 60, True), ("seen", 60 * 60, False), ("began", 12 * 3600 - 60, True), ("began", 12 * 3600, False)],
)
def test_a_session_ends_when_it_is_idle_for_an_hour_and_after_twelve_hours(leading, clock, seconds, stays):
    session = leading.session
    session[clock] -= seconds
    session.save()
    assert is_inside(leading) == stays
    assert is_inside(leading) == stays


def test_a_session_that_nobody_began_is_over(leading):
    session = leading.session
    del session["began"]
    session.save()
    assert not is_inside(leading)


def test_use_keeps_a_session_alive_without_writing_it_for_every_page(leading, django_assert_num_queries):
    session = leading.session
    session["seen"] -= 240
    session.save()
    before = leading.session["seen"]
    leading.get("/account/")
    assert leading.session["seen"] == before
    session = leading.session
    session["seen"] -= 60
    session.save()
    leading.get("/account/")
    assert leading.session["seen"] > before - 60


@pytest.mark.parametrize(("fault", "status"), [(OperationalError, 503), (DatabaseError, 400)])
def test_a_session_that_the_database_does_not_take_is_no_fault_of_who_asked(leading, fault, status):
    """A 400 is for good, a 503 is tried again: only a session that was ended meanwhile is the visitor's."""
    session = leading.session
    session["seen"] -= FIVE_MINUTES
    session.save()
    leading.raise_request_exception = False

    def fail(execute, sql, *rest):
        if sql.startswith("UPDATE") and "django_session" in sql:
            raise fault
        return execute(sql, *rest)

    with connection.execute_wrapper(fail):
        assert leading.get("/account/").status_code == status


def change_role(user: User) -> None:
    User.objects.filter(pk=user.pk).update(role="evaluator")


def disable(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def end(user: User) -> None:
    from helpline import accounts

    accounts.end_sessions(user)


def change_the_password(user: User) -> None:
    from helpline import accounts

    accounts.change_password(user, "other words in a row")


@pytest.mark.parametrize("act", [change_role, disable, end, change_the_password])
def test_what_was_taken_away_is_refused_at_the_next_request(leading, act):
    assert leading.get("/overview/").status_code == 200
    act(User.objects.get())
    assert leading.get("/overview/").status_code in (302, 403)
    assert leading.get("/overview/unanswered/", headers={"accept": "application/json"}).status_code in (401, 403)


def test_ending_ones_own_sessions_ends_this_one_and_the_others(leading):
    other = visitor()
    other.force_login(User.objects.get())
    assert leading.post("/account/sessions/end/").url == "/login/"
    assert not is_inside(leading) and not is_inside(other)


def test_a_new_password_keeps_this_session_and_ends_the_others(leading):
    other = visitor()
    other.force_login(User.objects.get())
    new = {"current": PASSWORD, "password": "quite other words here", "again": "quite other words here"}
    assert leading.post("/account/password/", new).url == ACCOUNT
    assert is_inside(leading) and not is_inside(other)
    assert User.objects.get().check_password(new["password"])


@pytest.mark.parametrize("password", ["short", "leaderleaderleader", "passwordpassword1"[:8], "a" * 600])
def test_a_password_that_is_easily_guessed_is_refused(leading, password):
    page = leading.post("/account/password/", {"current": PASSWORD, "password": password, "again": password})
    assert page.status_code == 200 and page.context["form"].errors


@pytest.mark.parametrize("password", ["åäö " * 16, "x" * 14 + "å", "correct horse battery staple" * 4])
def test_any_long_password_is_taken_as_it_is(leading, password):
    leading.post("/account/password/", {"current": PASSWORD, "password": password, "again": password})
    assert User.objects.get().check_password(password)


def test_the_last_second_factor_is_not_given_up(leading):
    assert "last second factor" in text(leading.post("/account/app/remove/"))
    assert Authenticator.objects.exists()


def test_the_day_of_a_log_in_is_kept_and_no_clock():
    with_app(account())
    client = visitor()
    give_password(client)
    client.post(CODE, {"code": code_at(time.time())})
    assert User.objects.get().logged_in_on == timezone.localdate()
    event = AuditEvent.objects.get(act="session.begin")
    assert (event.hour.minute, event.hour.second, event.hour.microsecond) == (0, 0, 0)


def test_an_old_link_of_a_log_in_under_way_is_dead(monkeypatch):
    with_app(account())
    client = visitor()
    give_password(client)
    session = client.session
    session["account_login"]["initiated_at"] = time.time() - timedelta(hours=1).total_seconds()
    session.save()
    assert client.post(CODE, {"code": code_at(time.time())}).url == LOG_IN


def test_when_a_second_factor_was_used_is_forgotten_by_the_hourly_job():
    with_app(account())
    client = visitor()
    give_password(client)
    client.post(CODE, {"code": code_at(time.time())})
    assert Authenticator.objects.get().last_used_at is not None
    erase_expired()
    assert Authenticator.objects.get().last_used_at is None


def test_what_the_log_in_library_could_keep_of_a_person_stays_empty():
    with_app(account())
    client = visitor()
    give_password(client)
    client.post(CODE, {"code": code_at(time.time())})
    assert not EmailAddress.objects.exists() and not EmailConfirmation.objects.exists()
    assert not any("usersessions" in name for name in settings.INSTALLED_APPS)


def test_what_is_counted_within_an_hour_is_refused_beyond_its_number(leading, monkeypatch):
    monkeypatch.setattr(rates, "RATES", {"secret": 2})
    new = {"password": "short", "again": "short"}
    answers = [leading.post("/account/password/", new) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1]["Retry-After"] == "3600" and "Too often" in text(answers[-1])
    assert leading.get("/account/password/").status_code == 200


# --- somebody else who knows the password -----------------------------------------------------------------------------


def test_who_logged_in_with_the_password_before_a_second_factor_was_added_is_out():
    account()
    thief, owner = visitor(), visitor()
    give_password(thief)
    give_password(owner)
    secret = owner.get("/account/app/").context["form"].secret
    owner.post("/account/app/", {"code": code_at(time.time(), secret)})
    assert is_inside(owner)
    for address in ("/account/", "/account/codes/new/", "/account/codes/", "/account/passkeys/add/"):
        assert thief.get(address).url.startswith("/login/")


def test_the_password_alone_proves_nothing_once_there_is_a_second_factor():
    user, client = account(), visitor()
    give_password(client)
    assert client.get("/account/password/").status_code == 200
    with_app(user)
    assert client.get("/account/codes/new/").url.startswith("/account/confirm/")
    client.post(LOG_IN, {"login": "someone", "password": PASSWORD}, headers={"accept": "application/json"})
    assert client.post("/account/codes/new/").url.startswith("/account/confirm/")


@pytest.mark.parametrize("act", [disable, end, change_the_password])
def test_a_log_in_under_way_does_not_outlive_what_ends_the_sessions(act):
    user, client = with_app(account()), visitor()
    give_password(client)
    act(user)
    answer = client.post(CODE, {"code": code_at(time.time())})
    assert answer.url == LOG_IN and not is_inside(client)
    assert not AuditEvent.objects.filter(act="session.begin").exists()
    script = Client(headers={"accept": "application/json"})
    if act is end:
        give_password(script)
        act(user)
        assert script.post(CODE, {"code": code_at(time.time() + 30)}).status_code == 401


def test_a_new_password_needs_the_present_one(leading):
    new = {"password": "quite other words here", "again": "quite other words here"}
    for current in ({}, {"current": "wrong"}):
        page = leading.post("/account/password/", new | current)
        assert page.status_code == 200 and page.context["form"].errors["current"]
    assert User.objects.get().check_password(PASSWORD)
