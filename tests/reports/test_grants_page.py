"""The page of grants: who may read by program until when, for whom it is asked, and the tokens of an evaluator."""

import re
from datetime import date, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpline import approvals, policy
from helpline.models import Approval, User
from reports import tokens
from reports.models import Grant, Token
from tests.granted import grant, token_of
from tests.reports.test_statistics_pages import words

pytestmark = pytest.mark.django_db

ROLES = {"coordinator": policy.COORDINATOR, "administrator": policy.ADMINISTRATOR, "handler": policy.HANDLER}
ROLES |= {"eva": policy.EVALUATOR, "other": policy.EVALUATOR}


@pytest.fixture
def people(db) -> dict[str, User]:
    cache.clear()  # in which secrets made within an hour are counted
    return {name: User.objects.create_user(name, None, role=role) for name, role in ROLES.items()}


@pytest.fixture
def clients(people) -> dict[str, Client]:
    made = {name: Client(headers={"accept-language": "en"}) for name in people}
    for name, client in made.items():
        client.force_login(people[name])
    return made


def text_of(client: Client, language: str = "en") -> str:
    response = client.get("/grants/", headers={"accept-language": language})
    assert response.status_code == 200
    return words(response.content.decode())


def send(client: Client, where: str, **fields: object) -> tuple[int, str]:
    response = client.post(f"/grants/{where}", fields, follow=True)
    return response.status_code, words(response.content.decode())


def in_days(days: int) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


# --- asking ----------------------------------------------------------------------------------------------------------


def test_a_coordinator_asks_and_sees_what_waits(clients, people):
    assert "No evaluator has a grant." in text_of(clients["coordinator"])
    status, said = send(clients["coordinator"], "ask/", evaluator=people["eva"].pk, until=in_days(90))
    assert status == 200 and "Asked for. eva can read by program when a second person has agreed." in said
    for name in ("coordinator", "administrator"):
        text = text_of(clients[name])
        assert "Waiting for a second person eva until" in text and "Asked for by coordinator on" in text
    assert "Waiting" not in text_of(clients["eva"]).split("Your grant")[1]
    asked = Approval.objects.get()
    assert (asked.act, asked.subject, asked.detail) == ("grant.issue", str(people["eva"].pk), in_days(90))
    approvals.decide(asked.pk, by=people["administrator"], agrees=True, now=timezone.now())
    assert "Who may read by program eva until" in (said := text_of(clients["coordinator"]))
    assert "Asked for by coordinator, agreed to by administrator on" in said and "Waiting for" not in said


@pytest.mark.parametrize(
    ("evaluator", "until", "why"),
    [
        ("", 90, "Choose an evaluator."),
        ("coordinator", 90, "Choose an evaluator."),
        ("99999999999999999999", 90, "Choose an evaluator."),
        ("x", 90, "Choose an evaluator."),
        ("eva", "", "This is no day"),
        ("eva", "2027-02-30", "This is no day"),
        ("eva", -1, "Choose today or a later day, at most 400 days ahead."),
        ("eva", 401, "Choose today or a later day, at most 400 days ahead."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_asked(clients, people, evaluator, until, why):
    pk = people[evaluator].pk if evaluator in people else evaluator
    day = in_days(until) if isinstance(until, int) else until
    status, said = send(clients["coordinator"], "ask/", evaluator=pk, until=day)
    assert status == 400 and why in said and not Approval.objects.exists()


def test_what_was_chosen_stays_in_a_refused_form(clients, people):
    response = clients["coordinator"].post("/grants/ask/", {"evaluator": people["other"].pk, "until": in_days(401)})
    html = response.content.decode()
    assert f'<option value="{people["other"].pk}" selected>other' in html and f'value="{in_days(401)}"' in html
    assert "<title>Error: Grants" in html


def test_the_same_evaluator_is_asked_for_once_at_a_time(clients, people):
    send(clients["coordinator"], "ask/", evaluator=people["eva"].pk, until=in_days(90))
    status, said = send(clients["coordinator"], "ask/", evaluator=people["eva"].pk, until=in_days(30))
    assert status == 400 and "A grant of this evaluator waits already" in said and Approval.objects.count() == 1


def test_without_an_evaluator_there_is_nothing_to_ask(clients):
    User.objects.filter(role=policy.EVALUATOR).update(is_active=False)
    assert "There is no evaluator: an administrator invites one." in text_of(clients["coordinator"])


# --- ending ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["coordinator", "administrator", "eva"])
def test_a_grant_is_ended_and_the_list_says_by_whom(clients, people, name):
    made = grant(people["eva"])
    status, said = send(clients[name], f"{made.pk}/end/")
    assert status == 200 and "The grant is ended: no program of eva reads any longer." in said
    assert re.search(rf"Over eva from .* ended .* by {name}", said)


def test_an_evaluator_sees_and_ends_ones_own_alone(clients, people):
    own, others = grant(people["eva"]), grant(people["other"], days=33)
    tokens.issue(people["other"], now=timezone.now())
    text = text_of(clients["eva"])
    assert "eva until" in text and "other" not in text.replace("another", "")
    for where in (
        f"{others.pk}/end/",
        f"tokens/{Token.objects.get().pk}/revoke/",
        "99999/end/",
        "tokens/99999/revoke/",
    ):
        assert send(clients["eva"], where)[0] == 404, where
    assert Grant.objects.live(timezone.localdate()).count() == 2 and Token.objects.exists()
    assert own.pk != others.pk


# --- tokens ----------------------------------------------------------------------------------------------------------


def test_a_token_is_shown_once_with_how_to_use_it_and_then_only_its_last_day(clients, people):
    grant(people["eva"])
    response = clients["eva"].post("/grants/tokens/")
    html = response.content.decode()
    (token,) = set(re.findall(r"Bearer ([\w-]{43})", html))
    assert response.status_code == 200 and response["Cache-Control"] == "no-store"
    assert f'curl -H "Authorization: Bearer {token}" http://testserver/api/px/v2/tables' in words(html)
    assert tokens.holder(token, today=timezone.localdate()) == people["eva"]
    assert Client().get("/api/px/v2/tables", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    page = clients["eva"].get("/grants/").content.decode()
    assert token not in page
    assert f"Token, good until {date_of(30)}" in words(page)


def date_of(days: int) -> str:
    day: date = timezone.localdate() + timedelta(days=days)
    return f"{day.day} {day:%B %Y}"


def test_two_tokens_at_most_and_one_that_is_revoked_makes_room(clients, people):
    grant(people["eva"])
    for _ in range(2):
        assert "Make a token" in text_of(clients["eva"])
        clients["eva"].post("/grants/tokens/")
    assert "You have 2 tokens, which is as many as there may be: revoke one first." in text_of(clients["eva"])
    assert "revoke one first" in send(clients["eva"], "tokens/")[1] and Token.objects.count() == 2
    assert "The token is revoked" in send(clients["eva"], f"tokens/{Token.objects.earliest('pk').pk}/revoke/")[1]
    assert clients["eva"].post("/grants/tokens/").status_code == 200 and Token.objects.count() == 2


def test_without_a_grant_there_is_no_token(clients):
    said = text_of(clients["eva"])
    assert "You have no grant: ask a coordinator for one." in said and "Make a token" not in said
    assert "You have no grant" in send(clients["eva"], "tokens/")[1] and not Token.objects.exists()


def test_a_coordinator_sees_the_tokens_and_may_revoke_but_not_make_one(clients, people):
    token_of(people["eva"])
    assert "Token, good until" in text_of(clients["coordinator"])
    assert send(clients["coordinator"], "tokens/")[0] == 403
    assert "The token is revoked" in send(clients["coordinator"], f"tokens/{Token.objects.get().pk}/revoke/")[1]


def test_an_expired_token_is_not_listed(clients, people):
    grant(people["eva"])
    tokens.accept("chosen", people["eva"], until=timezone.localdate() - timedelta(days=1))
    assert "Token, good until" not in text_of(clients["eva"])


# --- who, and how ----------------------------------------------------------------------------------------------------

MAY = {
    "": {"coordinator", "administrator", "eva", "other"},
    "ask/": {"coordinator"},
    "99999/end/": {"coordinator", "administrator", "eva", "other"},
    "tokens/": {"eva", "other"},
    "tokens/99999/revoke/": {"coordinator", "administrator", "eva", "other"},
}


@pytest.mark.parametrize("where", MAY)
def test_each_address_answers_to_the_roles_of_its_action(clients, where):
    for name, client in clients.items():
        response = client.post(f"/grants/{where}") if where else client.get("/grants/")
        assert (response.status_code != 403) == (name in MAY[where]), name
    assert Client().post(f"/grants/{where}").url.startswith("/login/")


@pytest.mark.parametrize("where", [where for where in MAY if where])
def test_an_address_alone_does_nothing(clients, people, where):
    for name in MAY[where]:
        assert clients[name].get(f"/grants/{where}").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(people[sorted(MAY[where])[-1]])
    assert strict.post(f"/grants/{where}").status_code == 403


@pytest.mark.parametrize(("name", "where"), [("coordinator", "ask/"), ("eva", "tokens/")])
def test_asking_and_making_need_a_proof_that_is_new_and_ending_does_not(clients, people, name, where):
    made = grant(people["eva"])
    session = clients[name].session
    session["account_authentication_methods"][0]["at"] -= policy.STEP_UP_SECONDS + 1
    session.save()
    response = clients[name].post(f"/grants/{where}", {"evaluator": people["eva"].pk, "until": in_days(9)})
    assert response.status_code == 403  # these accounts have nothing to prove it with: told, not led in circles
    assert not Token.objects.exists() and not Approval.objects.exists()
    assert clients[name].get("/grants/").status_code == 200
    assert clients[name].post(f"/grants/{made.pk}/end/").url == "/grants/"


def test_the_page_asks_the_database_as_often_for_many_as_for_one(clients, people):
    for name in ("eva", "other"):
        token_of(people[name])
        grant(people[name])
    text_of(clients["coordinator"])
    with CaptureQueriesContext(connection) as few:
        clients["coordinator"].get("/grants/")
    for number in range(6):
        token_of(User.objects.create_user(f"evaluator{number}", None, role=policy.EVALUATOR))
    with CaptureQueriesContext(connection) as many:
        clients["coordinator"].get("/grants/")
    assert len(many) == len(few) <= 10, [query["sql"] for query in many]


# --- in a browser ----------------------------------------------------------------------------------------------------


def faults(page) -> list[tuple[str, list[str]]]:
    found = Axe().run(page).response["violations"]
    return [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found]


@pytest.fixture
def seen(live_server, page, context, people):
    """Open a page as one of the people, in a language and a width; gives what the browser refused."""
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if said.type in ("error", "warning") else None)

    def open_page(name: str, language: str, width: int, path: str = "/grants/"):
        client = Client()
        client.force_login(people[name])
        cookie = next(iter(client.cookies))
        context.add_cookies([{"name": cookie, "value": client.cookies[cookie].value, "url": live_server.url}])
        context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(live_server.url + path)
        assert page.locator("html").get_attribute("lang") == language
        return refused

    return open_page


@pytest.mark.parametrize(("language", "width"), [("sv", 1280), ("sv", 390), ("en", 1280), ("en", 390)])
def test_a_grant_is_asked_for_agreed_to_used_and_ended_in_the_browser(seen, page, people, language, width):
    def looks_right() -> None:
        assert faults(page) == [] and page.locator("h1").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    refused = seen("coordinator", language, width)
    looks_right()
    page.locator("form[action$='/ask/'] button").click()
    page.wait_for_selector("#until-error")
    looks_right()
    refused.clear()  # the browser tells of every answer 400
    page.locator("#evaluator").select_option(label="eva")
    page.locator("#until").fill(in_days(90))
    page.locator("form[action$='/ask/'] button").click()
    page.wait_for_selector(".saved")
    looks_right()
    approvals.decide(Approval.objects.get().pk, by=people["administrator"], agrees=True, now=timezone.now())
    seen("eva", language, width)
    looks_right()
    page.locator("form[action$='/tokens/'] button").click()
    page.wait_for_selector(".secret")
    looks_right()
    page.locator("main a.button").click()
    page.locator("form[action$='/tokens/'] button").click()
    seen("eva", language, width)
    assert page.locator("form[action$='/tokens/']").count() == 0
    looks_right()
    page.locator("form[action$='/end/'] button").click()
    page.wait_for_selector(".saved")
    looks_right()
    assert refused == [] and not Token.objects.exists()


def test_a_planted_fault_would_be_found(seen, page):
    seen("coordinator", "sv", 390)
    page.evaluate("document.querySelector('main label').remove()")
    assert [rule for rule, _ in faults(page)] == ["select-name"]
