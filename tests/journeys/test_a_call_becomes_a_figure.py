"""A handler logs a contact in a browser; the coordinator sees it in the overview at the next page load."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from helpline.models import Contact, User

PASSWORD = "ett långt lösenord"


@pytest.fixture
def log_in(transactional_db, live_server, browser: Browser) -> Callable[[str], Page]:
    def as_role(role: str) -> Page:
        User.objects.create_user(role, PASSWORD, role=role)
        page = browser.new_context(locale="sv-SE", java_script_enabled=False).new_page()
        page.goto(live_server.url)
        page.get_by_label("Användarnamn").fill(role)
        page.get_by_label("Lösenord").fill(PASSWORD)
        page.get_by_role("button", name="Logga in").click()
        return page

    return as_role


def figure(page: Page, name: str) -> str:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name, exact=True)).first.inner_text()


def test_a_contact_logged_in_the_browser_shows_in_the_coordinators_overview(log_in):
    handler, coordinator = log_in("handler"), log_in("coordinator")
    coordinator.get_by_role("link", name="Översikt").first.click()
    expect(coordinator.get_by_role("main")).to_contain_text("Inga kontakter")

    handler.get_by_role("link", name="Ny kontakt").first.click()
    for group, answer in [
        ("Samtalsutfall", "Verksamhetsrelevant"),
        ("Inringarens roll", "Anhörig eller närstående"),
        ("Typ av oro", "Riskerar att dras in"),
        ("Typ av oro", "Hat- och våldsbudskap på nätet"),
    ]:
        handler.get_by_role("group", name=group, exact=False).get_by_label(answer, exact=True).check()
    handler.get_by_label("Län").select_option(label="Dalarnas län")
    handler.get_by_label("Mottagare").select_option(label="Socialtjänst")
    handler.get_by_label("Hänvisning eller förmedling").select_option(label="Förmedling")
    handler.get_by_label("Inringaren samtycker till förmedling").check()
    handler.get_by_role("button", name="Spara och nästa").click()
    expect(handler.get_by_role("status")).to_contain_text("sparad")

    contact = Contact.objects.get()
    assert (contact.concerns, contact.county, contact.logged_by.username) == ({"dras_in", "natet"}, "20", "handler")
    assert contact.referrals.get().consent

    coordinator.reload()
    for name in ("Verksamhetsrelevant", "Anhörig eller närstående", "Riskerar att dras in", "Socialtjänst"):
        assert figure(coordinator, name).split()[-3:-1] == ["1", "100,0"], figure(coordinator, name)
    assert figure(coordinator, "Redan aktiv i miljön").split()[-3:-1] == ["0", "0,0"]


def test_going_back_after_saving_offers_an_empty_form_not_the_same_call_once_more(log_in):
    handler = log_in("handler")
    handler.get_by_role("link", name="Ny kontakt").first.click()
    handler.get_by_label("Tyst samtal").check()
    handler.get_by_role("button", name="Spara och nästa").click()
    expect(handler.get_by_role("status")).to_contain_text("sparad")
    handler.go_back()
    expect(handler.get_by_label("Tyst samtal")).not_to_be_checked()
    handler.get_by_role("button", name="Spara och nästa").click()
    assert Contact.objects.count() == 1
