"""Who is let in, by which credentials, to which address."""

import base64
import logging
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from helpline.models import User
from reports import grants, tokens
from reports.models import Grant
from tests.granted import token_of
from tests.reports.api.conftest import BASE

ADDRESSES = ("/config", "/tables", "/tables/total-month", "/tables/total-month/metadata")
ADDRESSES += ("/tables/total-month/defaultselection", "/tables/total-month/data")
MAY = {"coordinator": 200, "evaluator": 200, "handler": 403, "administrator": 403, "disabled": 401}


def basic(password: str, user: str = "anything") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def ask(where: str, authorization: str | None = None, client: Client | None = None, **headers: str):
    if authorization is not None:
        headers["Authorization"] = authorization
    return (client or Client()).get(f"{BASE}{where}", headers=headers)


@pytest.fixture
def given(staff) -> dict[str, str]:
    """A token of each account."""
    return {name: token_of(user) for name, user in staff.items()}


@pytest.mark.parametrize("who", MAY)
def test_each_role_is_let_in_or_refused_alike_with_bearer_basic_and_session(given, staff, who):
    browser = Client()
    if who != "disabled":
        browser.force_login(staff[who])
    for where in ADDRESSES:
        assert ask(where, f"Bearer {given[who]}").status_code == MAY[who], where
        assert ask(where, basic(given[who])).status_code == MAY[who], where
        assert ask(where, client=browser).status_code == MAY[who], where


@pytest.mark.parametrize("who", ["handler", "administrator"])
def test_a_refused_account_gets_a_problem_that_shows_nothing(given, who):
    response = ask("/tables/total-month/data", f"Bearer {given[who]}")
    assert response["Content-Type"] == "application/problem+json" and response.json()["title"] == "Forbidden"
    assert b"2016" not in response.content


@pytest.mark.parametrize("user", ["", "evaluator", "user name", "åäö", "a@b"])
def test_basic_takes_any_user_name(given, user):
    assert ask("/config", basic(given["evaluator"], user)).status_code == 200


def test_basic_takes_a_user_name_in_any_encoding(given):
    credentials = base64.b64encode("åäö:".encode("latin-1") + given["evaluator"].encode()).decode()
    assert ask("/config", f"basic {credentials}").status_code == 200


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  "])
def test_the_scheme_is_read_in_any_letter_case(given, scheme):
    assert ask("/config", f"{scheme} {given['evaluator']}").status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        *(
            "Bearer",
            "Bearer ",
            "Bearer wrong",
            "Basic",
            "Basic ",
            "Basic %%%",
            "Basic YWJj",
            "Basic 5Q==",
            "Bearer \xe5",
        ),
        *("Digest username=x", "Token wrong", "wrong", ":"),
    ],
)
def test_what_is_no_token_is_nobody(staff, authorization):
    response = ask("/tables", authorization)
    assert response.status_code == 401 and response["WWW-Authenticate"].startswith("Basic ")
    assert response["Content-Type"] == "application/problem+json"


def test_the_password_of_the_account_is_no_token(staff):
    staff["evaluator"].set_password("correct horse battery staple")
    staff["evaluator"].save()
    assert ask("/tables", basic("correct horse battery staple", "evaluator")).status_code == 401


def test_a_wrong_token_is_refused_even_beside_a_good_session(staff):
    browser = Client()
    browser.force_login(staff["evaluator"])
    assert ask("/tables", "Bearer wrong", browser).status_code == 401
    assert ask("/tables", None, browser).status_code == 200


def test_a_disabled_account_is_out_at_once(given, staff):
    browser = Client()
    browser.force_login(staff["evaluator"])
    assert ask("/tables", f"Bearer {given['evaluator']}").status_code == 200
    User.objects.filter(username="evaluator").update(is_active=False)
    assert ask("/tables", f"Bearer {given['evaluator']}").status_code == 401
    assert ask("/tables", basic(given["evaluator"])).status_code == 401
    assert ask("/tables", None, browser).status_code == 401


def test_an_account_of_another_role_is_refused_with_the_token_it_has(given):
    User.objects.filter(username="evaluator").update(role="handler")
    assert ask("/tables", f"Bearer {given['evaluator']}").status_code == 403


def test_an_expired_token_is_refused(staff):
    yesterday = timezone.localdate() - timedelta(days=1)
    tokens.accept("chosen", staff["evaluator"], until=yesterday)
    assert ask("/tables", "Bearer chosen").status_code == 401


@pytest.fixture
def every_log(caplog, monkeypatch):
    """All that is logged at any level, also by the framework, whose loggers keep it to themselves."""
    caplog.set_level(logging.DEBUG)
    for name in ("django", "django.request"):
        caplog.set_level(logging.DEBUG, logger=name)
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    return caplog


def test_no_token_is_ever_written_into_a_log(given, every_log, capfd):
    for token in (given["evaluator"], given["handler"], "a-token-that-nobody-has"):
        for authorization in (f"Bearer {token}", basic(token)):
            ask("/tables/total-month/data", authorization)
            ask("/tables/nothing", authorization)
            for secret in (token, authorization.split()[1]):
                assert secret not in every_log.text + "".join(capfd.readouterr())
    assert "/tables/nothing" in every_log.text  # the control: the path of a refused call is there


# --- within a grant, with both factors -------------------------------------------------------------------------------


def test_an_evaluator_whose_grant_is_ended_reads_neither_by_token_nor_by_session(given, staff):
    browser, now = Client(), timezone.now()
    browser.force_login(staff["evaluator"])
    bearer, live = f"Bearer {given['evaluator']}", Grant.objects.live(timezone.localdate())
    assert ask("/tables", bearer).status_code == ask("/tables", client=browser).status_code == 200
    grants.revoke(live.get(evaluator=staff["evaluator"]).pk, by=staff["coordinator"], now=now)
    for where in ADDRESSES:
        assert ask(where, bearer).status_code == 401
        refused = ask(where, client=browser)
        assert refused.status_code == 403 and "/grants/" in refused.json()["detail"]
    assert browser.get("/statistics/").status_code == 200  # the pages need none


def test_a_grant_that_has_lapsed_is_none(staff):
    browser = Client()
    browser.force_login(staff["evaluator"])
    Grant.objects.update(issued_on="2026-01-01", until="2026-01-31")
    assert ask("/tables", client=browser).status_code == 403


def test_a_coordinator_reads_by_session_without_a_grant(staff):
    Grant.objects.all().delete()
    browser = Client()
    browser.force_login(staff["coordinator"])
    assert ask("/tables", client=browser).status_code == 200


def test_a_session_without_second_factor_is_nobodys(staff, in_earnest):
    browser = Client()
    browser.force_login(staff["evaluator"])
    assert ask("/tables", client=browser).status_code == 200
    session = browser.session
    session["account_authentication_methods"] = [{"method": "password", "at": 1}]
    session.save()
    assert ask("/tables", client=browser).status_code == 401


# --- the session of a browser -----------------------------------------------------------------------------------------


def test_a_post_of_a_page_of_this_site_needs_no_csrf_token(staff):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(staff["evaluator"])
    for headers in ({}, {"Origin": "http://testserver"}):
        response = browser.post(f"{BASE}/tables/total-month/data", "{}", "application/json", headers=headers)
        assert response.status_code == 200


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", "https://testserver", "http://testserver:81"])
def test_a_post_with_the_session_of_a_page_from_elsewhere_is_refused(staff, origin):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(staff["evaluator"])
    headers = {"Origin": origin}
    response = browser.post(f"{BASE}/tables/total-month/data", "{}", "application/json", headers=headers)
    assert response.status_code == 403 and response["Content-Type"] == "application/problem+json"


def test_a_post_with_a_token_may_come_from_anywhere(given):
    headers = {"Origin": "http://elsewhere.example", "Authorization": f"Bearer {given['evaluator']}"}
    response = Client(enforce_csrf_checks=True).post(
        f"{BASE}/tables/total-month/data", "{}", "application/json", headers=headers
    )
    assert response.status_code == 200 and not response.has_header("Access-Control-Allow-Origin")
