"""The log-in at an identity provider, against a real one: who is let in, who is not, and what is kept of them."""

import base64
import json
import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.client import RedirectCycleError
from django.urls import resolve
from django.utils import timezone

from helpline import accounts, identities, invitations, oidc, policy
from helpline.models import AuditEvent, User
from helpline.oidc import Reason, Refused, refuse_weak
from tests.at_once import at_once
from tests.provider.told import BEGIN, CALLBACK, Provider

pytestmark = pytest.mark.django_db
STEP_UP_PAGE, TIE = "/account/password/", "/account/identity/"
ENGLISH = {"accept-language": "en"}
PASSWORD = "four words in a row"


@pytest.fixture
def anna(db: None) -> User:
    """An account without a password, as an administrator makes one for somebody of the provider's."""
    return User.objects.create_user("anna.berg", None, role=policy.HANDLER)


@pytest.fixture
def client() -> Client:
    return Client(headers={"accept-language": "en"})


def who(client: Client) -> str:
    return client.get("/session/").json()["user"]


def asked_of(response) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(response["Location"]).query).items()}


def is_refused(response, words: str) -> bool:
    return response.status_code == 403 and words in response.content.decode()


def everything_stored() -> str:
    """Every value of every table, and what sessions hold."""
    rows = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            rows += cursor.fetchall()
    return repr(rows) + repr([session.get_decoded() for session in Session.objects.all()])


# --- off, unless the settings name a provider -------------------------------------------------------------------------


@pytest.mark.parametrize("address", [BEGIN, CALLBACK])
def test_without_a_provider_there_is_no_such_page(client, address):
    assert client.get(address).status_code == client.post(address).status_code == 404


def test_without_a_provider_the_log_in_page_offers_none(client):
    assert BEGIN not in client.get("/login/").content.decode()


def test_with_one_the_log_in_page_leads_there_by_a_plain_link_and_says_its_name(client, provider):
    page = client.get("/login/?next=/contacts/").content.decode()
    assert f'href="{BEGIN}?next=%2Fcontacts%2F">Log in with Freja</a>' in page


@pytest.mark.parametrize("rest", ["signup/", "connections/", "login/cancelled/", "login/error/"])
def test_no_other_page_of_the_log_in_library_is_there(client, provider, rest):
    for before in ("/", "/login/", "/accounts/", "/accounts/3rdparty/", "/social/", "/login/oidc/"):
        assert client.get(before + rest).status_code == 404


# --- how it is asked --------------------------------------------------------------------------------------------------


def test_it_is_asked_for_a_code_with_state_nonce_pkce_and_the_accepted_levels(client, provider, settings):
    settings.HELPLINE_OIDC_ACR = [Provider.HIGH, "http://id.elegnamnden.se/loa/1.0/loa4"]
    asked = asked_of(client.get(BEGIN))
    assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
    assert asked["acr_values"] == " ".join(settings.HELPLINE_OIDC_ACR)
    assert set(asked["scope"].split()) == {"openid", "profile"}
    assert len(asked["nonce"]) == 32 and len(asked["state"]) >= 16
    again = asked_of(client.get(BEGIN))
    assert all(again[once] != asked[once] for once in ("nonce", "state", "code_challenge"))
    assert "prompt" not in asked and "max_age" not in asked


# --- who is let in ----------------------------------------------------------------------------------------------------


def test_whoever_bears_the_name_of_an_account_is_logged_in_and_comes_to_the_page_they_wanted(client, provider, anna):
    response = provider.log_in(client, anna, after="/contacts/")
    assert (response.status_code, response["Location"]) == (302, "/contacts/")
    assert who(client) == "anna.berg" and client.get("/contacts/").status_code == 200


def test_the_session_is_a_new_one_with_its_clocks_and_the_log_in_is_written_down(client, provider, anna):
    client.get("/login/")
    before = client.cookies["s"].value
    provider.log_in(client, anna)
    assert client.cookies["s"].value != before and not Session.objects.filter(session_key=before).exists()
    assert abs(client.session["began"] - time.time()) < 60 and client.session["seen"]
    assert AuditEvent.objects.filter(act="session.begin", actor=anna).count() == 1
    anna.refresh_from_db()
    assert anna.logged_in_on == timezone.localdate()


def test_it_counts_as_a_second_factor(client, provider, anna, in_earnest):
    provider.log_in(client, anna)
    assert client.get("/contacts/").status_code == 200


def test_without_it_a_password_alone_opens_nothing(client, provider, in_earnest):
    User.objects.create_user("anna.berg", PASSWORD, role=policy.HANDLER)
    client.post("/login/", {"login": "anna.berg", "password": PASSWORD})
    assert client.get("/contacts/")["Location"] == "/account/"


def test_the_name_may_come_from_userinfo_of_the_same_person(client, provider, anna):
    provider.tell(id_token={"preferred_username": None}, userinfo={"preferred_username": "anna.berg"})
    provider.log_in(client, anna)
    assert who(client) == "anna.berg"


def test_userinfo_of_somebody_else_names_nobody(client, provider, anna):
    provider.tell(id_token={"preferred_username": None}, userinfo={"preferred_username": "anna.berg", "sub": "other"})
    assert is_refused(provider.log_in(client, anna), "No account here has this identity")


def test_another_claim_may_name_the_account(client, provider, anna, settings):
    settings.HELPLINE_OIDC_CLAIM = "employeeHsaId"
    provider.tell(id_token={"employeeHsaId": "anna.berg", "preferred_username": "somebody"})
    provider.log_in(client, anna)
    assert who(client) == "anna.berg"


@pytest.mark.parametrize(
    "after", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)", "\\\\x"]
)
def test_logging_in_never_leads_to_another_site(client, provider, anna, after):
    assert provider.log_in(client, anna, after=after)["Location"] == "/"


def test_a_form_that_outlived_its_session_comes_through(client, provider, anna):
    client.force_login(anna)
    page = client.get("/contacts/new/").content.decode()
    key, owner = (page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("key", "owner"))
    client.logout()
    kept = {"key": key, "owner": owner, "result": "relevant", "county": "20"}
    shown = client.post("/contacts/new/", kept).content.decode()
    assert f'action="{BEGIN}"' in shown
    leaving = client.post(BEGIN, kept).content.decode()
    assert f'content="0; url={BEGIN}"' in leaving
    assert provider.log_in(client, anna)["Location"] == f"/contacts/new/?draft={key}"
    assert 'value="20" selected' in client.get(f"/contacts/new/?draft={key}").content.decode()


# --- who is not -------------------------------------------------------------------------------------------------------


def nothing_happened(client: Client) -> bool:
    return not who(client) and not SocialAccount.objects.exists() and not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    "name", ["bo.ek", "Anna.Berg", "anna.berg ", "ａnna.berg", "", None, "anna\x00", ["anna.berg"], {}]
)
def test_nobody_is_made_an_account_and_the_name_holds_letter_for_letter(client, provider, anna, name):
    provider.tell(id_token={"preferred_username": name, "email": "anna.berg"})
    assert is_refused(provider.log_in(client, anna), "No account here has this identity: ask an administrator for one.")
    assert nothing_happened(client) and User.objects.count() == 1


@pytest.mark.parametrize("name", [None, True, 7])
def test_what_is_no_text_names_nobody_even_if_an_account_is_called_so(client, provider, name):
    User.objects.create_user(str(name), None, role=policy.HANDLER)
    provider.tell(id_token={"preferred_username": name}, userinfo={"preferred_username": name})
    assert is_refused(provider.log_in(client), "No account here has this identity")


def test_a_closed_account_is_answered_as_none(client, provider, anna):
    User.objects.update(is_active=False)
    assert is_refused(provider.log_in(client), "No account here has this identity")
    assert nothing_happened(client)


@pytest.mark.parametrize("acr", [Provider.LOW, None, "", "loa3", [Provider.HIGH], 3, {}])
def test_too_low_an_assurance_is_refused(client, provider, anna, acr):
    provider.tell(id_token={"acr": acr})
    response = provider.log_in(client, anna)
    assert response.status_code == 403 and nothing_happened(client)
    if not isinstance(acr, list | dict):
        assert is_refused(response, "too low assurance: choose a stronger way there")


def test_an_accepted_method_counts_where_the_provider_speaks_of_methods(client, provider, anna, settings):
    settings.HELPLINE_OIDC_ACR = ["mfa"]
    provider.tell(id_token={"acr": None, "amr": ["pwd"]})
    assert is_refused(provider.log_in(client, anna), "too low assurance")
    provider.tell(id_token={"acr": None, "amr": ["pwd", "mfa"]})
    provider.log_in(client, anna)
    assert who(client) == "anna.berg"


UNTRUE = {
    "for another audience": {"aud": "another"},
    "for two, ours lent": {"aud": ["helpline", "another"], "azp": "another"},
    "by another issuer": {"iss": "http://127.0.0.1:1/o"},
    "expired": {"exp": int(time.time()) - 60},
    "of tomorrow": {"iat": int(time.time()) + 86400},
    "to another question": {"nonce": "x" * 32},
    "to no question": {"nonce": None},
    "about nobody": {"sub": None},
    "with a time that is none": {"auth_time": "now"},
}


@pytest.mark.parametrize("changes", UNTRUE.values(), ids=UNTRUE)
def test_an_answer_is_refused_that_is(client, provider, anna, changes):
    provider.tell(id_token=changes)
    assert is_refused(provider.log_in(client, anna), "could not be verified")
    assert nothing_happened(client)


FORGED = {
    "claims": {"claims": {"preferred_username": "anna.berg"}},
    "no signature": {"head": {"alg": "none"}},
    "a secret for a key": {"head": {"alg": "HS256"}},
    "another key": {"head": {"kid": "another"}},
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_signature_is_looked_at(client, provider, anna, forged):
    provider.tell(id_token={"preferred_username": "bo.ek"}, forged=forged)
    assert is_refused(provider.log_in(client, anna), "could not be verified")
    assert nothing_happened(client)


def test_a_log_in_of_the_days_to_come_is_refused(client, provider, anna):
    provider.tell(id_token={"auth_time": int(time.time()) + 3600})
    assert provider.log_in(client, anna).status_code == 403 and nothing_happened(client)


def test_an_answer_to_a_question_of_another_browser_is_refused(client, provider, anna):
    provider.log_in(client, anna)
    client.logout()
    back = provider.way_back(client.get(BEGIN)["Location"]).removeprefix("http://testserver")
    stranger = Client(headers={"accept-language": "en"})
    stranger.get(BEGIN)
    assert is_refused(stranger.get(back), "begin again") and not who(stranger)
    assert client.get(back).status_code == 302
    assert is_refused(client.get(back), "begin again")


@pytest.mark.parametrize("query", ["", "?code=x", "?state=x&code=x", "?error=access_denied&state=x", "?state=%00"])
def test_an_answer_to_no_question_is_refused(client, provider, query):
    assert is_refused(client.get(CALLBACK + query), "broken off or took too long")


def test_whoever_breaks_off_at_the_provider_is_told_so(client, provider, anna):
    state = asked_of(client.get(BEGIN))["state"]
    assert is_refused(client.get(CALLBACK, {"error": "access_denied", "state": state}), "broken off")
    assert is_refused(client.get(CALLBACK, {"code": "x", "state": state}), "broken off")


def test_a_code_of_ones_own_making_is_refused(client, provider, anna):
    state = asked_of(client.get(BEGIN))["state"]
    assert is_refused(client.get(CALLBACK, {"code": "x", "state": state}), "could not be verified")


def test_a_provider_that_does_not_answer_is_named(client, provider, anna, settings):
    asked = client.get(BEGIN)
    settings.HELPLINE_OIDC_ISSUER = "http://127.0.0.1:1/o"
    response = client.get(BEGIN)
    assert response.status_code == 503 and "Freja does not answer" in response.content.decode()
    back = provider.way_back(asked["Location"]).removeprefix("http://testserver")
    assert client.get(back).status_code == 403


# --- whose an account is ----------------------------------------------------------------------------------------------


def test_from_the_first_time_on_an_account_is_that_persons(client, provider, anna):
    provider.log_in(client, anna)
    provider.log_in(Client())
    assert SocialAccount.objects.count() == 1
    bo = Client(headers={"accept-language": "en"})
    assert is_refused(provider.log_in(bo, who="bo"), "not the one that the account belongs to") and not who(bo)
    assert SocialAccount.objects.count() == 1


def test_a_person_who_has_an_account_cannot_take_another_one_by_its_name(client, provider, anna):
    User.objects.create_user("admin", None, role=policy.ADMINISTRATOR)
    provider.log_in(client, anna)
    provider.tell(id_token={"preferred_username": "admin"})
    stranger = Client(headers={"accept-language": "en"})
    assert is_refused(provider.log_in(stranger), "not the one that the account belongs to") and not who(stranger)


# --- by what it becomes theirs ----------------------------------------------------------------------------------------

NOT_TAKEN_UP = "open the link of your invitation, and log in with Freja there"
NOT_TIED = "log in with the password, open “Your account”, and choose “Be let in by Freja”"


def acts() -> list[tuple[str, str, str]]:
    return list(AuditEvent.objects.order_by("pk").values_list("act", "actor__username", "about__username"))


def with_password() -> tuple[User, Client]:
    """An account with a password, and its owner's browser, in which they have just given it."""
    user, owner = User.objects.create_user("anna.berg", PASSWORD, role=policy.HANDLER), Client(headers=ENGLISH)
    owner.post("/login/", {"login": "anna.berg", "password": PASSWORD})
    return user, owner


def come_back(client: Client, provider: Provider, address: str, **how):
    """Where somebody is answered who was led to the provider from `address`, and logged in there."""
    back = provider.way_back(client.get(address)["Location"], **how)
    return client.get(back.removeprefix("http://testserver"))


def test_the_name_alone_takes_no_account_that_waits_for_its_owner(client, provider, anna):
    invitations.path_for(anna)
    assert is_refused(provider.log_in(client), NOT_TAKEN_UP) and nothing_happened(client)
    assert invitations.is_free(User.objects.get())


def test_the_page_of_an_invitation_leads_to_the_provider_and_the_account_is_taken_up_by_it(client, provider, anna):
    link = invitations.path_for(anna)
    page = client.get(link).content.decode()
    (way,) = re.findall(rf'href="({BEGIN}\?invitation=[^"]+)"', page)
    assert "If you are known as <strong>anna.berg</strong> at Freja" in page
    assert come_back(client, provider, way)["Location"] == "/" and who(client) == "anna.berg"
    names = ("anna.berg", "anna.berg")
    assert acts() == [("account.invited", *names), ("account.tied", *names), ("session.begin", "anna.berg", None)]
    assert Client().get(link).status_code == 404 and not User.objects.get().has_usable_password()


def test_without_a_provider_an_invitation_offers_none(client, anna):
    assert BEGIN not in client.get(invitations.path_for(anna)).content.decode()


def test_an_invitation_of_somebody_else_is_none(client, provider, anna):
    other = User.objects.create_user("bo.ek", None, role=policy.COORDINATOR)
    link = resolve(invitations.path_for(other)).kwargs["token"]
    response = come_back(client, provider, f"{BEGIN}?invitation={link}")
    assert is_refused(response, "not the one that the account belongs to") and nothing_happened(client)


@pytest.mark.parametrize("kill", [invitations.path_for, accounts.end_sessions])
def test_a_dead_invitation_is_none(client, provider, anna, kill):
    link = resolve(invitations.path_for(anna)).kwargs["token"]
    kill(anna)
    assert is_refused(come_back(client, provider, f"{BEGIN}?invitation={link}"), NOT_TAKEN_UP)
    assert nothing_happened(client)


def test_an_invitation_that_was_taken_up_by_a_password_meanwhile_is_none(client, provider, anna):
    link = resolve(invitations.path_for(anna)).kwargs["token"]
    asked = client.get(f"{BEGIN}?invitation={link}")
    invitations.take_up(link, password=PASSWORD, now=timezone.now())
    back = provider.way_back(asked["Location"]).removeprefix("http://testserver")
    assert is_refused(client.get(back), NOT_TIED) and not SocialAccount.objects.exists()


def test_after_the_first_time_the_provider_is_enough_and_no_act_is_written_but_the_log_in(client, provider, anna):
    provider.log_in(client, anna)
    before = len(acts())
    again = Client()
    provider.log_in(again)
    assert who(again) == "anna.berg" and acts()[before:] == [("session.begin", "anna.berg", None)]


def test_an_account_with_a_password_is_not_taken_by_its_name_and_its_owner_is_told_how(client, provider):
    user, _ = with_password()
    assert is_refused(provider.log_in(client), NOT_TIED)
    assert not who(client) and not SocialAccount.objects.exists()
    User.objects.filter(pk=user.pk).update(password=make_password(None))  # the control: it is the password
    assert is_refused(provider.log_in(client), NOT_TAKEN_UP)


def test_its_owner_ties_it_from_their_account_page_and_is_let_in_from_then_on(client, provider):
    _, owner = with_password()
    assert f'href="{TIE}">Be let in by Freja</a>' in owner.get("/account/").content.decode()
    asked = asked_of(owner.get(TIE))
    assert asked["prompt"] == "login" and not SocialAccount.objects.exists()
    assert come_back(owner, provider, TIE)["Location"] == "/account/"
    page = owner.get("/account/").content.decode()
    assert "You are let in by Freja from now on" in page and TIE not in page
    assert acts()[-1] == ("account.tied", "anna.berg", "anna.berg")
    provider.log_in(client)
    assert who(client) == "anna.berg" and owner.get(STEP_UP_PAGE).status_code == 200


def test_to_tie_it_ends_every_other_session_as_a_new_second_factor_does(provider):
    _, owner = with_password()
    other = Client()
    other.post("/login/", {"login": "anna.berg", "password": PASSWORD})
    come_back(owner, provider, TIE)
    assert who(owner) == "anna.berg" and not who(other)


def test_to_tie_it_asks_for_proof_that_is_fresh(provider):
    _, owner = with_password()
    long_ago(owner)
    assert owner.get(TIE)["Location"] == f"/account/confirm/password/?next={TIE.replace('/', '%2F')}"


def test_a_session_that_did_not_ask_to_be_tied_is_not(provider):
    """A forgotten browser, old proof: the way of the log-in is open to everybody."""
    _, owner = with_password()
    long_ago(owner)
    assert is_refused(come_back(owner, provider, BEGIN), NOT_TIED)
    assert not SocialAccount.objects.exists() and owner.get(STEP_UP_PAGE).status_code == 302


def test_to_tie_it_takes_a_person_of_its_name_who_has_no_other_account(client, provider):
    _, owner = with_password()
    provider.tell(id_token={"preferred_username": "bo.ek"})
    assert is_refused(come_back(owner, provider, TIE), "not the one that the account belongs to")
    bo = User.objects.create_user("bo.ek", None, role=policy.HANDLER)
    provider.log_in(client, bo)
    provider.tell()
    assert is_refused(come_back(owner, provider, TIE), "not the one that the account belongs to")
    assert SocialAccount.objects.get().user == bo


def test_who_is_logged_out_meanwhile_is_not_tied(provider):
    _, owner = with_password()
    asked = owner.get(TIE)["Location"]
    accounts.end_sessions(User.objects.get())
    back = provider.way_back(asked).removeprefix("http://testserver")
    assert owner.get(back).status_code == 403 and not SocialAccount.objects.exists()


def test_without_a_provider_nothing_is_tied():
    _, owner = with_password()
    assert TIE not in owner.get("/account/").content.decode() and owner.get(TIE).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_take_up_one_account_at_once_one_gets_it(settings):
    settings.HELPLINE_OIDC_ISSUER = "https://identity.example"
    invited = User.objects.create_user("anna.berg", None, role=policy.HANDLER)
    link = resolve(invitations.path_for(invited)).kwargs["token"]

    def take(subject: str) -> User:
        said = oidc.Answer("anna.berg", subject, 0, of="", ties=False, invitation=link, after="")
        return identities.account_of(said, now=timezone.now())

    def choose_a_password() -> User:
        return invitations.take_up(link, password=PASSWORD, now=timezone.now())

    answers = at_once(lambda: take("1"), lambda: take("2"), choose_a_password)
    assert sum(isinstance(answer, User) for answer in answers) == 1, answers
    assert SocialAccount.objects.exists() != User.objects.get().has_usable_password()


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_nothing_that_the_provider_says_is_stored_but_a_digest_of_its_key_and_the_day(client, provider, anna):
    subject = "19121212-1212"
    provider.tell(id_token={"sub": subject})
    provider.log_in(client, anna)
    stored = everything_stored()
    assert "anna.berg" in stored
    for said in (subject, "Bergström", "identity.example", Provider.HIGH, "eyJ", "access_token"):
        assert said not in stored, said
    tied = SocialAccount.objects.get()
    assert tied.extra_data == {} and len(tied.uid) == 64
    for at in (tied.last_login, tied.date_joined):
        assert timezone.localtime(at).strftime("%H:%M:%S.%f") == "00:00:00.000000"


def test_a_refusal_tells_the_log_its_kind_and_nothing_of_the_person(client, provider, caplog):
    provider.log_in(client)
    provider.tell(id_token={"aud": "another"})
    provider.log_in(client)
    assert "NO_ACCOUNT" in caplog.text and "UNTRUE, InvalidAudienceError" in caplog.text
    assert "anna" not in caplog.text.lower() and "another" not in caplog.text


# --- showing anew that it is oneself ----------------------------------------------------------------------------------


def long_ago(client: Client) -> None:
    """The log-in of this session was ten minutes ago."""
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 600
    session.save()


def test_an_account_of_the_provider_shows_there_that_it_is_itself_and_comes_back(client, provider, anna):
    provider.log_in(client, anna)
    long_ago(client)
    led = client.get(STEP_UP_PAGE)
    assert led["Location"] == f"{BEGIN}?next=%2Faccount%2Fpassword%2F"
    asked = client.get(led["Location"])
    assert asked_of(asked)["prompt"] == "login" and asked_of(asked)["max_age"] == "300"
    back = client.get(provider.way_back(asked["Location"]).removeprefix("http://testserver"))
    assert back["Location"] == STEP_UP_PAGE and client.get(STEP_UP_PAGE).status_code == 200
    assert AuditEvent.objects.filter(act="session.begin").count() == 1


def test_it_does_so_there_even_if_it_has_a_password_that_would_not_do(client, provider, anna):
    provider.log_in(client, anna)
    client.post(STEP_UP_PAGE, {"password": PASSWORD, "again": PASSWORD})
    long_ago(client)
    assert client.get(STEP_UP_PAGE)["Location"].startswith(BEGIN)


def test_a_session_at_the_provider_does_not_count_as_anew(client, provider, anna):
    there = requests.Session()
    provider.log_in(client, anna, session=there)
    long_ago(client)
    provider.tell(id_token={"auth_time": int(time.time()) - 301})
    response = provider.log_in(client, anna, session=there)
    assert (
        is_refused(response, "Freja did not let you log in anew") and "show that it is you" in response.content.decode()
    )
    assert client.get(STEP_UP_PAGE).status_code == 302 and who(client) == "anna.berg"


def test_a_provider_that_does_not_say_when_does_not_count_as_anew(client, provider, anna):
    provider.tell(id_token={"auth_time": None})
    provider.log_in(client, anna)
    assert client.get("/contacts/").status_code == 200 and client.get(STEP_UP_PAGE).status_code == 302
    assert is_refused(provider.log_in(client, anna), "did not let you log in anew")


def test_a_log_in_is_as_old_as_it_is_at_the_provider(client, provider, anna):
    provider.tell(id_token={"auth_time": int(time.time()) - 3600})
    provider.log_in(client, anna)
    assert client.get("/contacts/").status_code == 200 and client.get(STEP_UP_PAGE).status_code == 302


def test_the_account_page_does_not_ask_it_for_a_second_factor_of_its_own(client, provider, anna, in_earnest):
    provider.log_in(client, anna)
    assert "Add a second factor to protect" not in client.get("/account/").content.decode()


def test_somebody_else_cannot_show_it_for_one(client, provider, anna):
    User.objects.create_user("bo.ek", None, role=policy.COORDINATOR)
    provider.log_in(client, anna)
    long_ago(client)
    provider.tell(id_token={"preferred_username": "bo.ek"})
    assert is_refused(provider.log_in(client, anna, who="bo"), "not the one that the account belongs to")
    assert who(client) == "anna.berg" and client.get(STEP_UP_PAGE).status_code == 302
    assert SocialAccount.objects.count() == 1


def test_who_logged_in_by_password_is_not_sent_to_the_provider(client, provider):
    User.objects.create_user("anna.berg", PASSWORD, role=policy.HANDLER)
    client.post("/login/", {"login": "anna.berg", "password": PASSWORD})
    long_ago(client)
    assert client.get(STEP_UP_PAGE)["Location"].startswith("/account/confirm/password/")


def led_on(client: Client, address: str) -> list[int]:
    """The statuses on the way that a browser is led."""
    response = client.get(address, follow=True)  # RedirectCycleError for a way that comes back
    return [status for _, status in response.redirect_chain] + [response.status_code]


def test_without_a_provider_an_account_that_has_nothing_else_is_told_so_and_not_led_in_circles(
    client, provider, anna, settings
):
    provider.log_in(client, anna)
    long_ago(client)
    settings.HELPLINE_OIDC_ISSUER = ""
    page = client.get(STEP_UP_PAGE)
    assert is_refused(page, "You cannot show here that it is you") and "begin anew" in page.content.decode()
    assert client.post(STEP_UP_PAGE, {"password": PASSWORD}).status_code == 403
    script = client.get(STEP_UP_PAGE, headers={"accept": "application/json"})
    assert (script.status_code, script.json()) == (403, {})
    assert led_on(client, STEP_UP_PAGE) == [403] and who(client) == "anna.berg"


def test_to_be_led_to_the_log_in_would_be_to_be_led_in_circles(client, provider, anna, settings, monkeypatch):
    provider.log_in(client, anna)
    long_ago(client)
    settings.HELPLINE_OIDC_ISSUER = ""
    monkeypatch.setattr("helpline.access._way_to_prove", lambda request: "/login/")
    with pytest.raises(RedirectCycleError):
        led_on(client, STEP_UP_PAGE)


def test_without_a_provider_an_account_with_a_password_shows_it_by_that(client, provider, anna, settings):
    provider.log_in(client, anna)
    assert client.post(STEP_UP_PAGE, {"password": PASSWORD, "again": PASSWORD}).status_code == 302
    long_ago(client)
    settings.HELPLINE_OIDC_ISSUER = ""
    assert client.get(STEP_UP_PAGE)["Location"].startswith("/account/confirm/password/")


# --- the rule of assurance, without a provider ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "fresh", "reason"),
    [
        ({"acr": "high"}, False, None),
        ({"acr": "high"}, True, Reason.TOO_OLD),
        ({"acr": "high", "auth_time": 700}, True, None),
        ({"acr": "high", "auth_time": 699}, True, Reason.TOO_OLD),
        ({"acr": "high", "auth_time": 1030}, True, None),
        ({"acr": "high", "auth_time": 1031}, False, Reason.TOO_OLD),
        ({"acr": "low", "auth_time": 1000}, True, Reason.TOO_LOW),
        ({"amr": ["pin", "high"], "auth_time": 1000}, True, None),
        ({"amr": "high"}, False, Reason.TOO_LOW),
        ({}, False, Reason.TOO_LOW),
    ],
)
def test_assurance_and_age(claims, fresh, reason):
    try:
        refuse_weak(claims, accepted=["high"], fresh=fresh, now=1000)
        found = None
    except Refused as refused:
        found = refused.reason
    assert found is reason


def test_the_same_key_of_another_provider_is_another_person(settings):
    settings.HELPLINE_OIDC_ISSUER = "https://one.example"
    first = oidc._digest("1")
    settings.HELPLINE_OIDC_ISSUER = "https://two.example"
    assert oidc._digest("1") != first


def test_the_provider_of_the_tests_is_real_enough_to_sign(client, provider, anna):
    """The control: what the tests forge was signed before, and the helpline would have let it in."""
    keys = requests.get(f"{provider.url}/.well-known/jwks.json", timeout=10).json()["keys"]
    assert keys[0]["kty"] == "RSA" and len(base64.urlsafe_b64decode(keys[0]["n"] + "==")) == 256
    assert json.loads((provider.folder / "told.json").read_text())["forged"] == {}
    provider.log_in(client, anna)
    assert who(client) == "anna.berg"
