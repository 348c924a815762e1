"""The pages in a real browser: for every eye, ear and hand, on a desk and on a phone, in both languages, no script."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

from helpline import accounts, policy
from helpline.models import Contact, Demonstration, Referral, User

pytestmark = pytest.mark.django_db(transaction=True)
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
NEW = "/contacts/new/"
PASSWORD = "four words in a row"


class Visit:
    """One browser window on the live server, as somebody of one role, or as a visitor.

    No script of ours arrives: whatever these tests do must work without. tests/journeys looks at the form with its own.
    """

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self.address, self.page = context, address, context.new_page()
        self.complaints: list[str] = []
        self.context.route("**/static/js/**", lambda route: route.abort())
        self.page.on("console", lambda said: self.complaints.append(said.text) if "Policy" in said.text else None)

    def log_in(self, role: str) -> None:
        client = Client()
        client.force_login(User.objects.filter(role=role).first() or User.objects.create_user(role, None, role=role))
        self.context.add_cookies([{"name": "s", "value": client.cookies["s"].value, "url": self.address}])

    def go(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def press(self, selector: str) -> Page:
        with self.page.expect_navigation():
            self.page.click(selector)
        return self.page


@pytest.fixture
def visit(browser: Browser, live_server) -> Iterator[Callable[..., Visit]]:
    opened: list[Visit] = []

    def open_one(role: str = "", size: dict[str, int] = DESK, language: str = "sv", script: bool = True) -> Visit:
        context = browser.new_context(viewport=size, locale=language, java_script_enabled=script)
        opened.append(Visit(context, live_server.url))
        if role:
            opened[-1].log_in(role)
        return opened[-1]

    yield open_one
    for one in opened:
        one.context.close()
        assert not one.complaints


# --- every page and state -------------------------------------------------------------------------------------------


def with_errors(visit: Visit) -> None:
    page = visit.go(NEW)
    page.fill("#day", "2020-01-01")
    page.check("input[name=concerns][value=aktiv]")
    page.check("input[name=concerns][value=avboj]")
    page.select_option("#referral-0-target", "social")
    page.select_option("#referral-0-type", "formedling")
    visit.press("button[name=add_referral]")
    page.select_option("#referral-1-target", "skola")
    visit.press(".save button")


def saved(visit: Visit) -> None:
    visit.go(NEW).check("#result")
    visit.press(".save button")


def saved_with_other_answers(visit: Visit) -> None:
    page = visit.go(NEW)
    key = page.input_value("[name=key]")
    page.check("#result")
    visit.press(".save button")
    page.locator("[name=key]").evaluate("(field, key) => { field.value = key }", key)
    page.check("input[name=result][value=test]")
    visit.press(".save button")


def with_meanings(visit: Visit) -> None:
    for summary in visit.go(NEW).locator("summary").all():
        summary.click()


def refused_at_the_door(visit: Visit) -> None:
    visit.go("/login/").fill("#username", "x")
    visit.press("main button")


def first_account_refused(visit: Visit) -> None:
    visit.go(accounts.first_administrator_path()).fill("#password", "short")
    visit.press("main button")


def older_than_the_session(visit: Visit) -> None:
    page = visit.go(NEW)
    page.locator("form.contact [name=csrfmiddlewaretoken]").evaluate("field => { field.value = 'x'.repeat(64) }")
    visit.press(".save button")


STATES: dict[str, tuple[str, Callable[[Visit], object]]] = {
    "log in": ("", lambda visit: visit.go("/login/")),
    "log in, refused": ("", refused_at_the_door),
    "first account": ("", lambda visit: visit.go(accounts.first_administrator_path())),
    "first account, refused": ("", first_account_refused),
    "dead link": ("", lambda visit: visit.go("/setup/x/")),
    "lost visitor": ("", lambda visit: visit.go("/nowhere/")),
    "start of a handler": (policy.HANDLER, lambda visit: visit.go("/")),
    "start of a coordinator": (policy.COORDINATOR, lambda visit: visit.go("/")),
    "start of an evaluator": (policy.EVALUATOR, lambda visit: visit.go("/")),
    "start of an administrator": (policy.ADMINISTRATOR, lambda visit: visit.go("/")),
    "form": (policy.HANDLER, lambda visit: visit.go(NEW)),
    "form, meanings open": (policy.HANDLER, with_meanings),
    "form, refused": (policy.HANDLER, with_errors),
    "form, saved": (policy.HANDLER, saved),
    "form, saved with other answers": (policy.HANDLER, saved_with_other_answers),
    "form, older than the session": (policy.HANDLER, older_than_the_session),
    "not for this role": (policy.HANDLER, lambda visit: visit.go("/overview/")),
    "not by address": (policy.HANDLER, lambda visit: visit.go("/logout/")),
}


def faults(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]


def overflow(page: Page) -> int:
    """How many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


TOUCHED = (
    "header a, header button, main button, main a.button, .pick, .jumps a, summary, select, "
    "input:not([type=hidden], [type=radio], [type=checkbox])"
)


def too_small_to_touch(page: Page) -> list[str]:
    """What a finger presses and is less than 44 pixels high; radios and boxes are pressed by their whole label."""
    return page.locator(TOUCHED).evaluate_all(
        """controls => controls.filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44)
        .map(e => e.outerHTML.slice(0, 80))"""
    )


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("language", "size"), [("sv", DESK), ("en", PHONE)], ids=["sv-desk", "en-phone"])
def test_every_page_and_state_is_accessible_and_fits(visit, state, language, size):
    Demonstration.objects.create(seed=1, since=date(2025, 1, 1), contacts_a_month=1, planned=50, made=21)
    role, reach = STATES[state]
    seen = visit(role, size, language)
    reach(seen)
    page = seen.page
    assert page.locator("html").get_attribute("lang") == language
    assert faults(page) == []
    assert page.locator("h1").count() == 1 and page.locator(".demonstration").count() == 1
    for one in (size, PHONE):
        page.set_viewport_size(one)
        assert overflow(page) <= 0
    assert too_small_to_touch(page) == []


def test_planted_faults_are_found(visit):
    page = visit(policy.HANDLER, PHONE).go(NEW)
    page.evaluate(
        """() => { const main = document.querySelector('main');
        main.append(document.createElement('input'));
        const wide = document.createElement('p'); wide.append('x'.repeat(300));
        wide.className = 'wide'; wide.style.overflowWrap = 'normal'; main.append(wide);
        document.querySelector('.pick').style.minHeight = '1rem'; }"""
    )
    assert any(fault.startswith("label: ") for fault in faults(page))
    assert overflow(page) > 0 and too_small_to_touch(page)


# --- what axe cannot see: the edges of controls and the ring of focus -----------------------------------------------

EDGE = """e => { const luminance = colour => { const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b }
  const style = getComputedStyle(e); const [a, b] = [luminance(style.borderTopColor), 1.0];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) }"""


@pytest.mark.parametrize("selector", [".pick", "select", "#day", "button[name=add_referral]", ".pick:has(:checked)"])
def test_the_edge_of_each_control_can_be_seen(visit, selector):
    assert visit(policy.HANDLER).go(NEW).locator(selector).first.evaluate(EDGE) >= 3


def test_a_pale_edge_would_be_found(visit):
    page = visit(policy.HANDLER).go(NEW)
    page.evaluate("document.querySelector('.pick').style.borderColor = '#ddddde'")
    assert page.locator(".pick").first.evaluate(EDGE) < 3


RING = """() => { let e = document.activeElement; e = e.closest('.pick') || e; const style = getComputedStyle(e);
  return [style.outlineStyle, style.outlineWidth, e.matches('body')] }"""


def test_whatever_the_tab_key_reaches_wears_a_ring_of_three_pixels(visit):
    page = visit(policy.HANDLER).go(NEW + "#main")
    kinds = set()
    for _ in range(200):
        page.keyboard.press("Tab")
        style, width, is_over = page.evaluate(RING)
        if is_over:
            break
        kinds.add(page.evaluate("document.activeElement.tagName + (document.activeElement.type || '')"))
        assert (style, width) == ("solid", "3px"), page.evaluate("document.activeElement.outerHTML")
    assert {"A", "SUMMARY", "INPUTdate", "INPUTradio", "INPUTcheckbox", "SELECTselect-one", "BUTTONsubmit"} <= kinds


# --- by hand --------------------------------------------------------------------------------------------------------


def tab_to(page: Page, selector: str) -> None:
    for _ in range(200):
        if page.locator(selector).evaluate("e => e === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the tab key never reaches {selector}")


def test_a_contact_is_logged_with_the_keyboard_alone(visit):
    seen = visit(policy.HANDLER)
    page = seen.go("/")
    page.keyboard.press("Tab")
    assert page.locator(":focus").get_attribute("class") == "skip"
    seen.go(NEW)
    assert page.evaluate("document.activeElement.id") == "result"
    page.keyboard.press("Space")
    tab_to(page, "#concerns")
    page.keyboard.press("Space")
    tab_to(page, "#county")
    page.keyboard.type("Stockholm")
    tab_to(page, "[data-save] >> nth=0")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    contact = Contact.objects.get()
    assert (contact.result, contact.concerns, contact.county) == ("relevant", {"dras_in"}, "01")


def test_the_enter_key_saves_and_adds_no_referral(visit):
    page = visit(policy.HANDLER).go(NEW)
    page.check("#result")
    page.focus("#day")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator(".saved").count() == 1 and Contact.objects.count() == 1


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.className || document.activeElement.id"))


def test_the_cursor_is_where_something_is_to_be_read_or_done(visit):
    seen = visit(policy.HANDLER)
    seen.go(NEW).check("#result")
    seen.press(".save button")
    assert focused(seen.page) == "saved"
    seen.press("button[name=add_referral]")
    assert seen.page.evaluate("document.activeElement.id") == "referral-1-target"
    seen.press(".save button")
    assert focused(seen.page) == "summary"
    seen.page.click(".summary a")
    assert seen.page.evaluate("document.activeElement.id") == "result"


def test_the_save_button_never_hides_what_has_the_focus(visit):
    page = visit(policy.HANDLER, PHONE).go(NEW)
    for _ in range(150):
        page.keyboard.press("Tab")
        hidden = page.evaluate(
            """() => { const e = document.activeElement, bar = document.querySelector('.save');
            if (bar.contains(e) || e.matches('body')) return false;
            const box = e.getBoundingClientRect(); const top = bar.getBoundingClientRect().top;
            return box.top >= top && box.top < innerHeight }"""
        )
        assert not hidden, page.evaluate("document.activeElement.outerHTML")


def test_everything_works_without_a_script(visit):
    seen = visit(policy.HANDLER, script=False)
    page = seen.go(NEW)
    page.check("#result")
    page.check("input[name=concerns][value=vill_ut]")
    page.check("input[name=needs][value=p_arbete]")
    page.select_option("#referral-0-target", "social")
    seen.press("button[name=add_referral]")
    seen.press(".save button")
    assert page.locator("#referral-0-error").count() == 1
    page.select_option("#referral-0-type", "formedling")
    page.check("input[name=referral-0-consent]")
    seen.press(".save button")
    assert page.locator(".saved").inner_text() == "Kontakten är sparad."
    assert Contact.objects.get().needs == {"p_arbete"} and Referral.objects.get().consent


def test_a_form_outlives_its_session(visit):
    """As the page for it says: log in in another tab, come back, reload."""
    User.objects.create_user("handler", PASSWORD, role=policy.HANDLER)
    seen = visit(policy.HANDLER)
    page = seen.go(NEW)
    page.check("#result")
    page.select_option("#county", "01")
    seen.context.clear_cookies()
    seen.press(".save button")
    other = seen.context.new_page()
    other.goto(seen.address + "/login/")
    other.fill("#username", "handler")
    other.fill("#password", PASSWORD)
    with other.expect_navigation():
        other.click("main button")
    page.reload()
    assert page.input_value("#county") == "01" and Contact.objects.count() == 0
    seen.press(".save button")
    assert Contact.objects.get().county == "01"


def test_the_language_switch_keeps_one_on_the_page(visit):
    seen = visit(policy.HANDLER)
    seen.go(NEW)
    seen.press("header button[lang=en]")
    assert seen.page.url.endswith(NEW) and seen.page.locator("h1").inner_text() == "New contact"


def test_a_printed_form_shows_answers_and_no_buttons(visit):
    page = visit(policy.HANDLER).go(NEW)
    page.emulate_media(media="print")
    assert not page.locator(".save, .jumps, button[name=add_referral]").filter(visible=True).count()
    assert page.locator("h1").is_visible()


def test_who_wants_stillness_gets_it(visit):
    page = visit(policy.HANDLER).go(NEW)
    moving = "getComputedStyle(document.querySelector('.save .button')).transitionDuration"
    assert page.evaluate(moving) != "0s"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(moving) == "0s"
