"""A handler finds whom to refer to in three keys, by kind, municipality or name; what of it is kept and what is not."""

import re
from datetime import date, time, timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from helpline.directory.uses import quarter_of
from helpline.models import Contact, Draft, Organisation, Service, ServiceUse
from tests.journeys.desk import Desk, choose, state, told
from tests.journeys.test_a_call_is_logged_by_keyboard import ENLARGED, SIZES, amending
from tests.test_pages import faults, overflow, too_small_to_touch

pytestmark = pytest.mark.django_db(transaction=True)
ALWAYS = "MO,TU,WE,TH,FR,SA,SU"
ALERT = "Ring före tolv"
SEARCH = "#referral-0-find"


def receiver(name: str, target: str, *areas: str, by: str = "", phone: str = "", **said: Any) -> Service:
    organisation, _ = Organisation.objects.get_or_create(name=by or f"{name} (org)")
    service = Service.objects.create(organisation=organisation, name=name, target=target, dimension="bada", **said)
    for area in areas:
        service.areas.create(code=area)
    if phone:
        service.phones.create(number=phone)
    return service


@pytest.fixture
def directory(transactional_db: None) -> dict[str, Service]:
    today = timezone.localdate()
    made = {
        "exit": receiver("Exit Nord", "avh_ideb", "SE", by="Föreningen Exit", phone="020-000 00 01", assured_on=today),
        "line": receiver("Barnlinjen", "linje", "SE", by="Barnens vänner", phone="020-000 00 02"),
        "saffle": receiver(
            "Mottagningen",
            "social",
            "1785",
            by="Säffle kommun",
            phone="0533-000 01",
            alert="Ring före tolv",
            assured_on=today,
        ),
        "shared": receiver("Familjeenheten", "social", "1785", "1765", by="Åmål", is_shared=True, is_confidential=True),
        "county": receiver("Regional samordning", "kom_vbe", "17", by="Länsstyrelsen", assured_on=date(2020, 1, 2)),
        "stockholm": receiver("Mottagningen", "social", "0180", by="Stockholms stad"),
        "closed down": receiver("Exit Gammal", "avh_ideb", "SE", by="Avslutad", is_active=False),
    }
    Service.objects.create(organisation=made["exit"].organisation, kind="resurs", name="Exit handbok")
    made["exit"].schedules.create(weekdays=ALWAYS, opens=time(0), closes=time(23, 59, 59))
    made["exit"].languages.create(code="sv")
    made["exit"].languages.create(code="ar")
    return made


def searching(desk: Desk, **answers: str) -> Page:
    """A relevant call, the directory there, the cursor in the search of the first row."""
    page = desk.page
    with page.expect_response("**/directory/receivers.json"):
        choose(page, result="relevant", **answers)
    expect(page.locator("[data-finds]").first).not_to_have_attribute("hidden", "")
    page.focus(SEARCH)
    desk.keystrokes = 0
    return page


def said(page: Page, row: int = 0) -> tuple[str, ...]:
    return tuple(page.input_value(f"#referral-{row}-{part}") for part in ("target", "type", "outcome"))


def names(page: Page) -> list[str]:
    return page.locator(".found [data-name]").all_inner_texts()


# --- three keys ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "county", "found"),
    [
        (("b", "a", "Enter"), "", "line"),  # by name
        (("e", "x", "Enter"), "", "exit"),
        (("s", "o", "Enter"), "01", "stockholm"),  # by kind, the nearest
        (("s", "o", "Enter"), "17", "saffle"),
        (("s", "ä", "Enter"), "", "saffle"),  # by municipality
        (("s", "t", "Enter"), "", "stockholm"),
    ],
)
def test_three_keys_find_a_receiver_by_kind_municipality_or_name(opened, directory, keys, county, found):
    desk = opened()
    page = searching(desk, **({"county": county} if county else {}))
    desk.press(*keys)
    assert desk.keystrokes <= 3
    assert page.input_value("[name=referral-0-service]") == str(directory[found].pk)
    assert said(page) == (directory[found].target, "hanvisning", "ej_uppf")
    assert page.evaluate("document.activeElement.id") == "referral-0-find"


def test_the_cursor_comes_to_the_search_by_itself_and_a_relatives_call_still_takes_twenty_keys(opened, directory):
    desk = opened()
    desk.press("1", "Enter", "1", "1", "Enter", "g", "3", "1", "6", "Enter", "2", "Enter", "1", "2")
    desk.press("g", "5", "5", "Enter")
    assert desk.page.evaluate("document.activeElement.id") == "referral-0-find"
    desk.press("b", "Control+Enter")
    told(desk.page)
    assert desk.keystrokes <= 20
    assert Contact.objects.get().referrals.get().target == "linje"
    assert ServiceUse.objects.get().service == directory["line"]


def test_one_key_says_that_there_is_none_locally(opened, directory):
    desk = opened(language="en")
    page = searching(desk)
    desk.press("s", "o", "F2")
    assert said(page) == ("social", "hanvisning", "saknas") and desk.keystrokes == 3
    expect(page.locator("[data-card]")).to_contain_text("none available")
    desk.press("Control+Enter")
    told(page)
    referral = Contact.objects.get().referrals.get()
    assert (referral.target, referral.type, referral.outcome) == ("social", "hanvisning", "saknas")
    assert not ServiceUse.objects.exists()


def test_none_locally_of_no_kind_asks_for_the_kind_and_keeps_saying_so(opened, directory):
    desk = opened(language="en")
    page = searching(desk)
    desk.press(*"ale", "F2")
    assert page.evaluate("document.activeElement.id") == "referral-0-target"
    page.select_option("#referral-0-target", "skola")
    assert said(page) == ("skola", "hanvisning", "saknas")
    expect(page.locator("[data-card]")).to_contain_text("none available")
    page.select_option("#referral-0-outcome", "ej_uppf")
    expect(page.locator("[data-card]")).to_be_empty()


def test_none_locally_takes_no_directory_and_no_keyboard(opened):
    desk = opened()
    page = desk.page
    choose(page, result="relevant")
    expect(page.locator(SEARCH)).to_be_hidden()
    page.select_option("#referral-0-target", "skola")
    page.click("[data-lacking]")
    assert said(page) == ("skola", "hanvisning", "saknas")
    choose(page, result="tyst")
    choose(page, result="relevant")
    page.focus("#result")
    desk.press("F2")
    assert said(page) == ("skola", "hanvisning", "saknas")


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_the_card_tells_what_is_read_out(opened, directory):
    desk = opened(language="en")
    page = searching(desk)
    card = page.locator("[data-card]")
    desk.press(*"exit", "Enter")
    for text in ("Exit Nord", "Föreningen Exit", "020-000 00 01", "Open now", "Swedish", "Arabic", "Last verified"):
        expect(card).to_contain_text(text)
    expect(card).not_to_contain_text("six months")
    assert page.locator(".receiver__phone").evaluate("e => getComputedStyle(e).userSelect") == "all"
    page.fill(SEARCH, "säffle mott")
    expect(card).to_be_empty()
    desk.press("Enter")
    expect(card).to_contain_text("Ring före tolv")
    expect(card).to_contain_text("Opening hours not known")
    page.fill(SEARCH, "familje")
    desk.press("Enter")
    expect(card).to_contain_text("Confidential")
    expect(card).to_contain_text("Never verified")
    page.fill(SEARCH, "regional")
    desk.press("Enter")
    expect(card).to_contain_text("2020-01-02, more than six months ago")


def test_a_closed_service_says_when_it_opens(opened, directory):
    tomorrow = timezone.localdate() + timedelta(days=1)
    weekday = ALWAYS.split(",")[tomorrow.weekday()]
    directory["line"].schedules.create(weekdays=weekday, opens=time(8), closes=time(9))
    desk = opened(language="en")
    page = searching(desk)
    desk.press(*"barn", "Enter")
    expect(page.locator("[data-card]")).to_contain_text(re.compile(f"Closed now, opens {tomorrow:%A}.* 08:00"))


def test_open_and_closed_follow_the_clock_of_the_server(opened, directory):
    directory["line"].schedules.create(weekdays=ALWAYS, opens=time(10), closes=time(11))
    desk = opened(language="en")
    page = desk.page
    noon = timezone.localtime().replace(hour=10, minute=58, second=0, microsecond=0)

    def shifted(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"now": int(noon.timestamp())})

    page.route("**/directory/receivers.json", shifted)
    page.clock.install()
    desk.go()
    searching(desk)
    desk.press(*"barn", "Enter")
    expect(page.locator("[data-card]")).to_contain_text("Open now, until")
    page.clock.run_for(180_000)
    expect(page.locator("[data-card]")).to_contain_text("Closed now, opens")


def test_the_list_says_how_many_and_moves_with_the_arrows(opened, directory):
    desk = opened(language="en")
    page = searching(desk)
    search = page.locator(SEARCH)
    desk.press(*"mott")
    expect(page.locator("[data-count]")).to_have_text("Receivers found: 2")
    assert search.get_attribute("aria-expanded") == "true"
    active = search.get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").get_attribute("aria-selected") == "true"
    desk.press("ArrowDown")
    assert search.get_attribute("aria-activedescendant") != active
    desk.press("ArrowDown")
    assert search.get_attribute("aria-activedescendant") == active
    desk.press("Escape")
    expect(page.locator(".found")).to_be_hidden()
    desk.press("ArrowUp")
    expect(page.locator(".found li")).to_have_count(2)
    desk.press("Tab")
    expect(page.locator(".found")).to_be_hidden()
    assert said(page) == ("", "", "ej_uppf")
    page.fill(SEARCH, "xyz")
    expect(page.locator("[data-count]")).to_have_text("No receiver found")
    page.focus(SEARCH)
    desk.press("Enter")
    assert page.evaluate("document.activeElement.id") == "referral-0-target"


def test_a_receiver_is_chosen_by_mouse_too(opened, directory):
    desk = opened()
    page = searching(desk)
    page.fill(SEARCH, "mott")
    page.locator(".found li", has_text="Säffle").click()
    assert page.input_value("[name=referral-0-service]") == str(directory["saffle"].pk)


def test_each_row_has_its_own_search(opened, directory):
    desk = opened()
    page = searching(desk)
    desk.press(*"exit", "Enter")
    page.click("[name=add_referral]")
    assert page.evaluate("document.activeElement.id") == "referral-1-find"
    assert page.input_value("[name=referral-1-service]") == "" and not page.locator("[data-card]").nth(1).inner_text()
    desk.press(*"barn", "Enter")
    assert said(page)[0] == "avh_ideb" and said(page, 1)[0] == "linje"
    desk.press("Control+Enter")
    told(page)
    assert {use.service for use in ServiceUse.objects.all()} == {directory["exit"], directory["line"]}
    expect(page.locator(".referral")).to_have_count(1)
    assert page.input_value(SEARCH) == "" and page.input_value("[name=referral-0-service]") == ""


def test_another_kind_chosen_by_hand_takes_the_service_away(opened, directory):
    desk = opened()
    page = searching(desk)
    desk.press(*"exit", "Enter")
    page.select_option("#referral-0-target", "skola")
    assert page.input_value("[name=referral-0-service]") == "" and page.input_value(SEARCH) == ""
    expect(page.locator("[data-card]")).to_be_empty()


# --- what leaves the browser, and what is kept -----------------------------------------------------------------------


def test_what_is_typed_never_leaves_the_browser_and_a_draft_never_has_a_service(opened, directory):
    desk = opened()
    page = searching(desk)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.url} {request.post_data or ''}"))
    with page.expect_request(lambda request: "/drafts/" in request.url and "avh_ideb" in (request.post_data or "")):
        desk.press(*"säffle", *["Backspace"] * 6, *"exit", "Enter")
    state(page, "Utkastet")
    page.wait_for_timeout(100)
    everything = " ".join(sent)
    assert "referral-0-target=avh_ideb" in everything
    for absent in ("ffle", "find", "service", str(directory["exit"].pk), "Exit"):
        assert absent not in everything.replace("/js/", ""), absent
    content = Draft.objects.get().content
    assert "avh_ideb" in content and "service" not in content and str(directory["exit"].pk) not in content
    page.reload()
    expect(page.locator("#referral-0-target")).to_have_value("avh_ideb")
    assert page.input_value("[name=referral-0-service]") == "" and page.input_value(SEARCH) == ""


def test_the_contact_stores_codes_only_and_the_use_is_counted_apart(opened, directory):
    desk = opened()
    page = searching(desk)
    desk.press(*"exit", "Enter", "Control+Enter")
    told(page)
    contact = Contact.objects.get()
    referral = contact.referrals.get()
    stored = [str(getattr(row, f.attname)) for row in (contact, referral) for f in row._meta.concrete_fields]
    assert str(directory["exit"].pk) not in " ".join(stored)
    use = ServiceUse.objects.get()
    assert (use.service, use.quarter, use.n) == (directory["exit"], quarter_of(timezone.localdate()), 1)


def test_a_save_that_is_sent_again_counts_once(opened, directory):
    desk = opened(language="en")
    page = searching(desk)
    desk.press(*"exit", "Enter")

    def unheard(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/contacts/new/", unheard, times=1)
    desk.press("Control+Enter")
    page.click("#state button:visible")
    told(page)
    assert Contact.objects.count() == 1 and ServiceUse.objects.get().n == 1


# --- without the directory -------------------------------------------------------------------------------------------


def test_without_the_directory_the_lists_work_and_the_page_says_so(opened, directory):
    desk = opened(language="en")
    page = desk.page
    page.route("**/directory/receivers.json", lambda route: route.abort())
    choose(page, result="relevant", actions="hanvisat")
    expect(page.locator("[data-question=referrals]")).to_contain_text("could not be fetched")
    expect(page.locator(SEARCH)).to_be_hidden()
    expect(page.locator("[data-question=referrals] a")).to_have_attribute("href", "/directory/")
    page.select_option("#referral-0-target", "social")
    assert faults(page) == []
    desk.press("Control+Enter")
    told(page)
    assert Contact.objects.get().referrals.get().target == "social"


def test_a_directory_that_came_late_takes_the_message_away(opened, directory):
    desk = opened(language="en")
    page = desk.page
    page.clock.install()
    page.route("**/directory/receivers.json", lambda route: route.fulfill(status=503), times=1)
    choose(page, result="relevant")
    expect(page.locator("[data-question=referrals]")).to_contain_text("could not be fetched")
    page.clock.run_for(6000)
    choose(page, actions="hanvisat")
    expect(page.locator(SEARCH)).to_be_visible()
    expect(page.locator("[data-question=referrals]")).not_to_contain_text("could not be fetched")


# --- where a contact is amended --------------------------------------------------------------------------------------


def test_the_form_that_amends_finds_receivers_too_and_counts_nothing(opened, directory):
    desk = opened()
    amending(desk)
    page = searching(desk)
    desk.press(*"exit", "Enter")
    assert said(page) == ("avh_ideb", "hanvisning", "ej_uppf")
    assert not page.locator("[name$=-service]").count()
    with page.expect_navigation():
        desk.press("Control+Enter")
    assert Contact.objects.get().referrals.get().target == "avh_ideb" and not ServiceUse.objects.exists()


# --- every state serves everybody ------------------------------------------------------------------------------------


def listed(desk: Desk) -> None:
    desk.press("s")


def chosen(desk: Desk) -> None:
    desk.press(*"mott", "Enter")


def lacking(desk: Desk) -> None:
    desk.press("s", "o", "F2")


def nothing_found(desk: Desk) -> None:
    desk.press(*"xyz")


@pytest.mark.parametrize("reach", [listed, chosen, lacking, nothing_found])
@pytest.mark.parametrize(("language", "size"), [("sv", "desk"), ("en", "phone")])
def test_every_state_of_the_search_is_accessible_and_fits(opened, directory, reach, language, size):
    desk = opened(SIZES[size], language)
    page = searching(desk)
    reach(desk)
    assert faults(page) == []
    assert too_small_to_touch(page) == [] or size == "desk"
    for one in (*SIZES.values(), ENLARGED):
        page.set_viewport_size(one)
        assert overflow(page) <= 0, one
