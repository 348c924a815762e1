"""What came of a referral, in a real browser: in the form by the next contact of a case, and from one's own list."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect

from helpline import cases, contacts
from helpline.case_numbers import spoken
from helpline.entries import ReferralEntry, read_entry
from helpline.models import Case, Contact, Referral, User
from tests.journeys.desk import Opened, choose, told
from tests.test_pages import faults, overflow, too_small_to_touch

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
SCHOOL, CARE = ReferralEntry("skola", "hanvisning"), ReferralEntry("vard", "hanvisning", "vantar")
FIELD = "#earlier-skola-hanvisning"


def log(*referrals: ReferralEntry, case: Case | None = None, by: User | None = None) -> Contact:
    today = timezone.localdate()
    entry = read_entry(today, {"channel": ["telefon"], "result": ["relevant"]}, referrals)
    now = timezone.now() - timedelta(minutes=5)
    return contacts.log_contact(by=by, key=uuid4(), entry=entry, now=now, today=today, case=case)


def case_with_referrals() -> tuple[str, Contact]:
    case, number = cases.open_case(today=timezone.localdate())
    return number, log(SCHOOL, CARE, case=case)


@pytest.mark.parametrize(("language", "size"), [("sv", (1280, 900)), ("en", (390, 844))])
def test_a_number_brings_the_case_s_referrals_and_the_save_says_what_came_of_them(opened: Opened, language, size):
    number, first = case_with_referrals()
    desk = opened({"width": size[0], "height": size[1]}, language)
    page = desk.page
    choose(page, result="relevant")
    expect(page.locator("#earlier")).to_be_hidden()
    expect(page.locator("[name=find_case]")).to_be_hidden()
    page.fill("#case_number", spoken(number))
    expect(page.locator("#earlier select")).to_have_count(2)
    assert page.input_value("#earlier-vard-hanvisning") == "vantar"
    assert faults(page) == [] and overflow(page) <= 0
    assert too_small_to_touch(page) == [] or size[0] > 1000
    page.fill("#case_number", "")
    expect(page.locator("#earlier")).to_be_hidden()
    page.fill("#case_number", number)
    page.select_option(FIELD, "startad")
    desk.press("Control+Enter")
    told(page)
    expect(page.locator("#earlier")).to_be_hidden()
    outcomes = Referral.objects.filter(contact=first).order_by("target").values_list("target", "outcome")
    assert list(outcomes) == [("skola", "startad"), ("vard", "vantar")] and Contact.objects.count() == 2


def test_what_somebody_else_said_meanwhile_is_shown_before_it_is_changed(opened: Opened):
    number, first = case_with_referrals()
    desk = opened(language="en")
    page = desk.page
    choose(page, result="relevant")
    page.fill("#case_number", number)
    page.select_option(FIELD, "startad")
    contacts.set_outcome(first, version=1, target="skola", kind="hanvisning", outcome="avvisad")
    desk.press("Control+Enter")
    expect(page.locator(".summary li")).to_have_count(1)
    expect(page.locator("#earlier")).to_contain_text("was changed meanwhile")
    assert page.input_value(FIELD) == "avvisad" and faults(page) == [] and Contact.objects.count() == 1
    page.select_option(FIELD, "startad")
    desk.press("Control+Enter")
    told(page)
    assert Referral.objects.get(contact=first, target="skola").outcome == "startad"


def test_without_a_script_the_number_is_looked_up_by_a_button(browser: Browser, opened: Opened, live_server):
    number, first = case_with_referrals()
    desk = opened(go=False)
    context = browser.new_context(java_script_enabled=False, locale="en")
    context.add_cookies(desk.context.cookies())
    page = context.new_page()
    page.goto(f"{live_server.url}/contacts/new/")
    page.check("input[name=result][value=relevant]")
    page.fill("#case_number", number)
    page.click("[name=find_case]")
    page.select_option(FIELD, "startad")
    page.click("[data-save]:not([name])")
    assert Referral.objects.get(contact=first, target="skola").outcome == "startad" and Contact.objects.count() == 2
    context.close()


def test_from_ones_own_list_an_outcome_takes_three_keys_once_one_is_there(opened: Opened, handler):
    contact = log(SCHOOL, by=handler)
    desk = opened(language="en", go=False)
    page = desk.go("/contacts/")
    page.focus(".line__outcome select")
    desk.press("s", "Tab", "Enter")
    expect(page.locator("main, .messages").first).to_be_visible()
    page.wait_for_function("!document.querySelector('.line__outcome')")
    assert desk.keystrokes == 3 and Referral.objects.get(contact=contact).outcome == "startad"


def test_the_routine_opens_beside_the_form_which_stays_as_it_is(opened: Opened):
    desk = opened(language="en")
    page = desk.page
    choose(page, result="relevant", concerns="barn")
    page.locator("[data-question=reports_made] summary").press("Enter")
    link = page.locator("[data-question=reports_made] details a")
    expect(link).to_be_visible()
    assert faults(page) == []
    with desk.context.expect_page() as opening:
        link.press("Enter")
    routine = opening.value
    expect(routine.locator("h1")).to_have_text("Routine for duties to report")
    assert page.is_checked("input[name=concerns][value=barn]")
    page.set_viewport_size({"width": 390, "height": 844})
    assert overflow(page) <= 0
