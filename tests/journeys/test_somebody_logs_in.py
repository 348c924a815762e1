"""Logging in with a second factor in a real browser: by app, by passkey, over the form of a call; for every hand."""

import time
from collections.abc import Callable, Iterator

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect

from helpline.models import Contact, User
from tests.helpline.test_second_factors import code_at, with_app
from tests.journeys.desk import NEW, PASSWORD, Desk, choose, told
from tests.test_pages import DESK, PHONE, faults, overflow, too_small_to_touch

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_earnest")]


@pytest.fixture(autouse=True)
def quick_passwords(settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


@pytest.fixture
def somebody(transactional_db: None) -> User:
    return User.objects.create_user("someone", PASSWORD, role="coordinator")


@pytest.fixture
def window(browser: Browser, live_server) -> Iterator[Callable[..., Page]]:
    """A browser that has a fingerprint reader, or so it believes; what the scripts complained of fails the test."""
    opened, complaints = [], []

    def open_one(size: dict[str, int] = DESK, language: str = "en") -> Page:
        context = browser.new_context(
            viewport=size, locale=language, base_url=live_server.url.replace("127.0.0.1", "localhost")
        )
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Policy" in said.text else None)
        reader = context.new_cdp_session(page)
        reader.send("WebAuthn.enable")
        able = {"hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
        options = {"protocol": "ctap2", "transport": "internal", "automaticPresenceSimulation": True} | able
        reader.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return page

    yield open_one
    for context in opened:
        context.close()
    assert not complaints


def give_password(page: Page) -> None:
    page.goto("/login/")
    page.fill("#username", "someone")
    page.fill("#password", PASSWORD)
    page.click("main button")


def press(page: Page, selector: str) -> None:
    with page.expect_navigation():
        page.click(selector)


def test_a_passkey_is_made_and_opens_the_door(window, somebody):
    page = window()
    give_password(page)
    expect(page.locator("h1")).to_have_text("Your account")
    press(page, "a[href='/account/passkeys/add/']")
    press(page, "form.passkey button")
    expect(page.locator("h1")).to_have_text("Recovery codes")
    assert page.locator(".codes li").count() == 10
    press(page, "main a.button")
    expect(page.locator("nav.menu")).to_contain_text("Overview")
    press(page, "header button:has-text('Log out')")
    give_password(page)
    page.wait_for_url("**/login/code/")
    press(page, "form.passkey button")
    expect(page.locator("nav.menu")).to_contain_text("Overview")
    assert Authenticator.objects.filter(type="webauthn").count() == 1


def test_a_passkey_of_another_browser_opens_nothing(window, somebody):
    first = window()
    give_password(first)
    press(first, "a[href='/account/passkeys/add/']")
    press(first, "form.passkey button")
    other = window()
    give_password(other)
    other.wait_for_url("**/login/code/")
    other.click("form.passkey button")
    expect(other.locator("[data-wrong]")).to_be_visible(timeout=70_000)
    other.goto("/")
    assert "/login/" in other.url


def test_over_the_form_of_a_call_the_code_is_asked_for_too(opened, handler):
    handler.set_password(PASSWORD)
    handler.save()
    with_app(handler)
    desk: Desk = opened(language="en")
    page = desk.page
    choose(page, result="relevant", county="20")
    desk.context.clear_cookies()
    desk.press("Control+Enter")
    page.fill("#again-password", PASSWORD)
    desk.press("Enter")
    expect(page.locator("#again-code")).to_be_focused()
    assert faults(page) == []
    page.fill("#again-code", "12")
    desk.press("Enter")
    expect(page.locator("#log-in .error")).to_contain_text("wrong")
    assert not Contact.objects.exists()
    page.fill("#again-code", code_at(time.time()))
    desk.press("Enter")
    told(page)
    assert Contact.objects.get().county == "20"


def none_yet(page: Page, user: User) -> None:
    give_password(page)


def adding_an_app(page: Page, user: User) -> None:
    give_password(page)
    press(page, "a[href='/account/app/']")
    page.fill("#code", "1")
    press(page, "main form button")


def codes(page: Page, user: User) -> None:
    give_password(page)
    press(page, "a[href='/account/app/']")
    page.fill("#code", code_at(time.time(), page.inner_text("code")))
    press(page, "main form button")


def adding_a_passkey(page: Page, user: User) -> None:
    give_password(page)
    press(page, "a[href='/account/passkeys/add/']")


def asked_for_the_code(page: Page, user: User) -> None:
    with_app(user)
    give_password(page)
    page.wait_for_url("**/login/code/")
    page.fill("#code", "1")
    press(page, "main form button")


def inside(page: Page, user: User) -> None:
    asked_for_the_code(page, user)
    page.fill("#code", code_at(time.time()))
    press(page, "main form button")


def at(path: str) -> Callable[[Page, User], None]:
    def reach(page: Page, user: User) -> None:
        inside(page, user)
        page.goto(path)

    return reach


STATES: dict[str, Callable[[Page, User], None]] = {
    "no second factor yet": none_yet,
    "adding an app, refused": adding_an_app,
    "recovery codes": codes,
    "adding a passkey": adding_a_passkey,
    "asked for the code, refused": asked_for_the_code,
    "account": at("/account/"),
    "confirm": at("/account/confirm/?next=/account/"),
    "password": at("/account/password/"),
    "end sessions": at("/account/sessions/end/"),
    "remove": at("/account/app/remove/"),
    "new codes": at("/account/codes/new/"),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("language", "size"), [("sv", DESK), ("en", PHONE)], ids=["sv-desk", "en-phone"])
def test_every_state_is_accessible_and_fits(window, somebody, state, language, size):
    page = window(size, language)
    STATES[state](page, somebody)
    assert page.locator("html").get_attribute("lang") == language
    assert faults(page) == [] and page.locator("h1").count() == 1
    for one in (size, PHONE, {"width": 320, "height": 640}):
        page.set_viewport_size(one)
        assert overflow(page) <= 0
    assert too_small_to_touch(page) == []


def test_the_way_to_ones_account_is_on_every_page_also_on_a_telephone(window, somebody):
    page = window(PHONE)
    inside(page, somebody)
    press(page, "header a:has-text('someone')")
    expect(page.locator("h1")).to_have_text("Your account")


def test_nothing_of_it_needs_a_script(browser: Browser, live_server, somebody):
    context = browser.new_context(locale="en", base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    inside(page, somebody)
    page.goto("/contacts/")
    expect(page.locator("h1")).to_be_visible()
    context.close()


def test_the_form_of_a_new_contact_is_open_only_after_both_steps(window, somebody):
    with_app(somebody)
    page = window()
    give_password(page)
    page.goto(NEW)
    assert "/login/" in page.url
