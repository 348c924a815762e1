"""A handler logs in at an identity provider in Chromium, without a password here, and loses no answer on the way."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.sessions.models import Session
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from helpline import invitations
from helpline.models import Contact, User
from tests.journeys.desk import Desk, choose, told
from tests.provider.told import PASSWORD, Provider

pytestmark = pytest.mark.django_db(transaction=True)
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
SAVE = "[data-save]:not([data-save=again])"


@pytest.fixture
def anna(transactional_db: None, provider: Provider) -> User:
    """An account that its owner has taken up by the provider."""
    user = User.objects.create_user("anna.berg", None, role="handler")
    provider.log_in(Client(), user)
    return user


@pytest.fixture
def desk(browser: Browser, live_server, provider: Provider, anna: User) -> Iterator[Callable[..., Desk]]:
    """Open a desk at which nobody is logged in yet; nothing may break the content policy on the way."""
    provider.let_back(live_server.url)
    desks: list[Desk] = []

    def open_one(*, scripts: bool) -> Desk:
        desks.append(Desk(browser.new_context(locale="en", java_script_enabled=scripts), live_server.url))
        return desks[-1]

    yield open_one
    for one in desks:
        one.context.close()
        assert not one.complaints


def log_in_there(page: Page, who: str = "anna") -> None:
    page.fill("[name=username]", who)
    page.fill("[name=password]", PASSWORD)
    page.click("button")


def log_in(desk: Desk, path: str = "/contacts/") -> Page:
    page = desk.page
    page.goto(desk.address + path)  # which leads to the log-in
    page.get_by_text("Log in with Freja").click()
    log_in_there(page)
    expect(page).to_have_url(desk.address + path)
    return page


def test_without_scripts_a_form_that_outlived_its_session_comes_through(desk):
    page = log_in(desk(scripts=False), "/contacts/new/")
    page.check("input[name=result][value=relevant]")
    page.select_option("select[name=county]", "20")
    Session.objects.all().delete()
    page.locator("button[type=submit]:visible").last.click()
    page.get_by_text("Log in with Freja").click()
    page.wait_for_url("**/contacts/new/?draft=*")
    expect(page.locator("input[name=result][value=relevant]")).to_be_checked()
    expect(page.locator("select[name=county]")).to_have_value("20")


def test_with_scripts_the_form_stands_while_its_owner_logs_in_in_another_window(desk):
    place = desk(scripts=True)
    page = log_in(place, "/contacts/new/")
    Session.objects.all().delete()
    choose(page, result="relevant", caller_role="narstaende", concerns=("natet",), county="20")
    page.click(SAVE)
    with place.context.expect_page() as opened:
        page.get_by_text("Log in with Freja in another window").click()
    expect(opened.value).to_have_url(f"{place.address}/")
    page.locator("#log-in form[data-step=password] button[type=submit]").click()
    told(page)
    assert Contact.objects.get().county == "20"


def test_what_is_shown_on_the_way_is_for_everybody(desk, provider):
    page = desk(scripts=True).go("/login/")
    assert not Axe().run(page, options=RULES).response["violations"]
    provider.tell(id_token={"acr": Provider.LOW})
    page.get_by_text("Log in with Freja").click()
    log_in_there(page)
    expect(page.locator("h1")).to_have_text("Not logged in")
    expect(page.get_by_text("too low assurance")).to_be_visible()
    assert not Axe().run(page, options=RULES).response["violations"]
    page.get_by_text("To the log-in").click()
    page.wait_for_url("**/login/?next=/")


def test_somebody_invited_takes_up_the_account_there_without_a_password(desk, provider):
    bo = User.objects.create_user("bo.ek", None, role="handler")
    provider.tell(id_token={"preferred_username": "bo.ek"})
    place = desk(scripts=True)
    page = place.go(invitations.path_for(bo))
    assert not Axe().run(page, options=RULES).response["violations"]
    page.get_by_text("Log in with Freja").click()
    log_in_there(page, "bo")
    expect(page).to_have_url(f"{place.address}/")
    place.go("/account/")
    expect(page.get_by_text("You are let in by Freja as well.")).to_be_visible()
    assert not Axe().run(page, options=RULES).response["violations"]
    assert not User.objects.get(username="bo.ek").has_usable_password()


def test_somebody_with_a_password_ties_their_account_to_themselves_there(desk, provider):
    bo = User.objects.create_user("bo.ek", "four words in a row", role="handler")
    provider.tell(id_token={"preferred_username": "bo.ek"})
    place = desk(scripts=True)
    place.log_in(bo)
    page = place.go("/account/")
    page.get_by_text("Be let in by Freja").click()
    log_in_there(page, "bo")
    expect(page.get_by_text("You are let in by Freja from now on.")).to_be_visible()
    expect(page).to_have_url(f"{place.address}/account/")
    assert not Axe().run(page, options=RULES).response["violations"]
