"""Killed pages and browsers, lost networks, ended sessions, impatient fingers, second windows: all is saved, once.

The page's clock is Playwright's, so that a minute without network takes no minute.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Semaphore
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, BrowserType, Page, Route, expect

from helpline import contacts
from helpline.models import Contact, Draft, User
from tests.journeys.desk import NEW, PASSWORD, PATIENCE, Desk, choose, state, told

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

EARLY = {"result": "relevant", "caller_role": "narstaende", "county": "20"}
LATE = {"concerns": ("natet", "barn"), "age": "u15"}
WHOLE = {"result": "relevant", "caller_role": "narstaende", "county": "20", "concerns": {"natet", "barn"}, "age": "u15"}
SAVE = "[data-save]:not([data-save=again])"
DRAFT = "a[href*='draft=']"


@pytest.fixture(autouse=True)
def quick_passwords(settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def handler(handler: User) -> User:
    """With a password, to log in again."""
    handler.set_password(PASSWORD)
    handler.save()
    return handler


@pytest.fixture
def desk(opened) -> Desk:
    """A handler with a password before an empty form, whose clock stands still unless the test turns it."""
    return at_work(opened(language="en", go=False))


def at_work(desk: Desk) -> Desk:
    desk.page.on("dialog", lambda dialog: dialog.accept())
    desk.page.clock.install()
    desk.page.clock.pause_at(datetime.now() + timedelta(seconds=5))
    desk.go()
    return desk


def told_in_time(page: Page) -> None:
    """Let time go by until the contact is saved: a try that is on its way when the network comes back may still fail,
    and only its failure starts the next wait."""
    tries = 0
    while not page.locator("#told .saved").count() and (tries := tries + 1) < 300:
        page.clock.run_for(1000)
        page.wait_for_timeout(50)
    told(page)


# --- what happens at a desk ------------------------------------------------------------------------------------------


def keep(page: Page) -> None:
    """Let the draft of what is chosen reach the server."""
    with page.expect_response("**/contacts/drafts/**"):
        page.clock.run_for(1000)
    state(page, "Draft saved")


def fill(page: Page, *, kept: bool = True) -> None:
    choose(page, **EARLY, **LATE)
    if kept:
        keep(page)


def save(page: Page) -> None:
    page.bring_to_front()
    page.click(SAVE)


def finish(page: Page) -> None:
    save(page)
    told(page)


def until(holds: Callable[[], bool]) -> None:
    """Wait for what the server does."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def killed(desk: Desk) -> None:
    """The page is gone at once, as the server sees it: not even the last word of a page that is left arrives."""
    desk.page.route("**/*", lambda route: route.abort())
    desk.page.close(run_before_unload=False)


def reopen(desk: Desk, *, path: str = "/contacts/") -> Page:
    """A new window, which goes on with the only draft there is."""
    desk.page = desk.context.new_page()
    desk.watch(desk.page)
    page = desk.go(path)
    if path == "/contacts/":
        page.click(DRAFT)
    return page


def log_in_over(page: Page) -> None:
    page.fill("#again-password", PASSWORD)
    page.press("#again-password", "Enter")


def offline_for_a_minute(desk: Desk) -> None:
    desk.context.set_offline(True)
    desk.page.clock.run_for(60_000)
    desk.context.set_offline(False)


def lose_the_answer(page: Page) -> None:
    """The server saves, its answer never arrives."""

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**" + NEW, lose, times=1)


def busy(page: Page, address: str, times: int) -> None:
    page.route(address, lambda route: route.fulfill(status=503, json={}), times=times)


# --- killed ----------------------------------------------------------------------------------------------------------


def killed_after_the_draft_was_kept(desk: Desk) -> None:
    fill(desk.page)
    killed(desk)
    finish(reopen(desk))


def killed_before_the_last_choice_was_kept(desk: Desk) -> None:
    fill(desk.page)
    choose(desk.page, environment="gang")
    killed(desk)
    finish(reopen(desk))


def killed_during_the_save_after_it_arrived(desk: Desk) -> None:
    fill(desk.page)
    lose_the_answer(desk.page)
    save(desk.page)
    state(desk.page, "Not saved yet")
    address = desk.page.url
    killed(desk)
    page = reopen(desk, path=address.removeprefix(desk.address))
    assert not page.locator("input[name=result]:checked").count()


def killed_during_the_save_before_it_arrived(desk: Desk) -> None:
    fill(desk.page)
    desk.page.route("**" + NEW, lambda route: route.abort(), times=1)
    save(desk.page)
    state(desk.page, "Not saved yet")
    killed(desk)
    finish(reopen(desk))


def killed_while_the_network_was_away(desk: Desk) -> None:
    fill(desk.page)
    desk.context.set_offline(True)
    choose(desk.page, environment="gang")
    desk.page.close(run_before_unload=False)
    desk.context.set_offline(False)
    finish(reopen(desk))


def left_for_another_page_at_once(desk: Desk) -> None:
    fill(desk.page, kept=False)
    desk.go("/contacts/")
    until(Draft.objects.exists)
    desk.page.reload()
    desk.page.click(DRAFT)
    finish(desk.page)


def reloaded_in_the_middle(desk: Desk) -> None:
    fill(desk.page)
    desk.page.reload()
    finish(desk.page)


def reloaded_after_the_save(desk: Desk) -> None:
    fill(desk.page)
    finish(desk.page)
    desk.page.reload()
    assert not desk.page.locator("input[name=result]:checked").count()


# --- no network, no server -------------------------------------------------------------------------------------------


def offline_from_the_start(desk: Desk) -> None:
    desk.context.set_offline(True)
    fill(desk.page, kept=False)
    desk.page.clock.run_for(60_000)
    state(desk.page, "Draft not saved")
    desk.context.set_offline(False)
    finish(desk.page)


def offline_between_two_choices(desk: Desk) -> None:
    choose(desk.page, **EARLY)
    keep(desk.page)
    desk.context.set_offline(True)
    choose(desk.page, **LATE)
    desk.page.clock.run_for(60_000)
    desk.context.set_offline(False)
    keep_by_hand(desk.page)
    killed(desk)
    finish(reopen(desk))


def keep_by_hand(page: Page) -> None:
    if page.locator("#state button").is_visible():
        page.click("#state button")
    state(page, "Draft saved")


def offline_at_the_save(desk: Desk) -> None:
    fill(desk.page)
    desk.context.set_offline(True)
    save(desk.page)
    state(desk.page, "Not saved yet")
    desk.page.clock.run_for(60_000)
    desk.context.set_offline(False)
    told_in_time(desk.page)


def offline_and_too_impatient(desk: Desk) -> None:
    fill(desk.page)
    desk.context.set_offline(True)
    save(desk.page)
    for _ in range(3):
        desk.page.locator("#state button").click()
        state(desk.page, "Not saved yet")
    desk.context.set_offline(False)
    told_in_time(desk.page)


def the_answer_of_the_save_was_lost(desk: Desk) -> None:
    fill(desk.page)
    lose_the_answer(desk.page)
    save(desk.page)
    state(desk.page, "Not saved yet")
    told_in_time(desk.page)


def the_answer_was_lost_before_any_draft(desk: Desk) -> None:
    fill(desk.page, kept=False)
    lose_the_answer(desk.page)
    save(desk.page)
    state(desk.page, "Not saved yet")
    told_in_time(desk.page)


def busy_three_times_at_the_save(desk: Desk) -> None:
    fill(desk.page)
    busy(desk.page, "**" + NEW, 3)
    save(desk.page)
    state(desk.page, "Not saved yet")
    told_in_time(desk.page)


def edited_while_the_save_keeps_failing(desk: Desk) -> None:
    choose(desk.page, result="relevant", caller_role="narstaende", concerns="natet", age="u15")
    busy(desk.page, "**" + NEW, 5)
    save(desk.page)
    for failures in range(3):
        state(desk.page, "Not saved yet")
        if failures < 2:
            assert desk.page.evaluate("document.getElementById('questions').inert")
            again(desk.page)
    desk.page.wait_for_function("!document.getElementById('questions').inert")
    choose(desk.page, county="20", concerns="barn")
    for _ in range(3):
        again(desk.page)
    told(desk.page)


def again(page: Page) -> None:
    with page.expect_response("**" + NEW):
        page.click("#state button")


def killed_while_the_save_keeps_failing(desk: Desk) -> None:
    fill(desk.page, kept=False)
    busy(desk.page, "**" + NEW, 1)
    with desk.page.expect_response("**/contacts/drafts/**"):
        save(desk.page)
    until(Draft.objects.exists)
    killed(desk)
    finish(reopen(desk))


def killed_after_an_edit_while_the_save_keeps_failing(desk: Desk) -> None:
    choose(desk.page, **EARLY, age="u15")
    busy(desk.page, "**" + NEW, 3)
    save(desk.page)
    state(desk.page, "Not saved yet")
    again(desk.page)
    again(desk.page)
    desk.page.wait_for_function("!document.getElementById('questions').inert")
    choose(desk.page, **LATE)
    with desk.page.expect_response("**/contacts/drafts/**"):
        desk.page.clock.run_for(1000)
    killed(desk)
    finish(reopen(desk))


def the_save_failed_after_a_draft_that_failed(desk: Desk) -> None:
    fill(desk.page, kept=False)
    held: list[Route] = []
    desk.page.route("**/contacts/drafts/**", lambda route: held.append(route), times=1)
    desk.page.clock.run_for(1000)
    busy(desk.page, "**" + NEW, 1)
    save(desk.page)
    held[0].fulfill(status=503, json={})
    state(desk.page, "Not saved yet")
    until(Draft.objects.exists)
    killed(desk)
    finish(reopen(desk))


def busy_at_the_draft(desk: Desk) -> None:
    busy(desk.page, "**/contacts/drafts/**", 2)
    fill(desk.page, kept=False)
    desk.page.clock.run_for(1000)
    state(desk.page, "Draft not saved")
    for _ in range(10):
        desk.page.clock.run_for(1000)
    state(desk.page, "Draft saved")
    killed(desk)
    finish(reopen(desk))


# --- no session ------------------------------------------------------------------------------------------------------


def the_session_ended_before_the_draft(desk: Desk) -> None:
    desk.context.clear_cookies()
    fill(desk.page, kept=False)
    desk.page.clock.run_for(1000)
    desk.page.click("#state button:has-text('Log in')")
    log_in_over(desk.page)
    state(desk.page, "Draft saved")
    killed(desk)
    finish(reopen(desk))


def the_session_ended_before_the_save(desk: Desk) -> None:
    fill(desk.page)
    desk.context.clear_cookies()
    save(desk.page)
    log_in_over(desk.page)
    told(desk.page)


def the_password_was_wrong_at_first(desk: Desk) -> None:
    fill(desk.page)
    desk.context.clear_cookies()
    save(desk.page)
    desk.page.fill("#again-password", "not the words")
    desk.page.press("#again-password", "Enter")
    expect(desk.page.locator("#log-in .error")).to_contain_text("wrong")
    log_in_over(desk.page)
    told(desk.page)


def logging_in_was_put_off(desk: Desk) -> None:
    fill(desk.page)
    desk.context.clear_cookies()
    save(desk.page)
    desk.page.click("#log-in [data-close]")
    state(desk.page, "Not saved")
    choose(desk.page, environment="gang")
    save(desk.page)
    log_in_over(desk.page)
    told(desk.page)


def the_network_went_while_logging_in(desk: Desk) -> None:
    fill(desk.page)
    desk.context.clear_cookies()
    save(desk.page)
    desk.page.route("**/session/", lambda route: route.abort(), times=1)
    log_in_over(desk.page)
    expect(desk.page.locator("#log-in .error")).to_contain_text("does not answer")
    log_in_over(desk.page)
    told(desk.page)


def logged_in_anew_in_another_window(desk: Desk) -> None:
    fill(desk.page)
    desk.log_in(User.objects.get(username="handler"))
    save(desk.page)
    told(desk.page)


def somebody_else_logged_in_at_the_same_computer(desk: Desk) -> None:
    fill(desk.page)
    desk.log_in(User.objects.create_user("other", None, role="handler"))
    save(desk.page)
    log_in_over(desk.page)
    told(desk.page)


# --- impatient fingers -----------------------------------------------------------------------------------------------


def double_click_on_save(desk: Desk) -> None:
    fill(desk.page)
    desk.page.dblclick(SAVE)
    told(desk.page)


def a_double_click_while_the_server_is_slow(desk: Desk) -> None:
    fill(desk.page)
    held: list[Route] = []
    desk.page.route("**" + NEW, lambda route: held.append(route))
    desk.page.dblclick(SAVE)
    desk.page.locator(SAVE).dispatch_event("click")
    desk.page.wait_for_function("document.getElementById('questions').inert")
    assert len(held) == 1
    held[0].continue_()
    told(desk.page)


def control_enter_ten_times(desk: Desk) -> None:
    fill(desk.page)
    for _ in range(10):
        desk.press("Control+Enter")
    told(desk.page)


def enter_held_down_on_the_button(desk: Desk) -> None:
    fill(desk.page)
    desk.page.focus(SAVE)
    for _ in range(10):
        desk.page.keyboard.down("Enter")
    desk.page.keyboard.up("Enter")
    told(desk.page)


# --- back and forth, two windows -------------------------------------------------------------------------------------


def back_after_the_save(desk: Desk) -> None:
    fill(desk.page)
    finish(desk.page)
    desk.page.go_back()
    desk.page.go_forward()
    assert not desk.page.locator("input[name=result]:checked").count()


def back_before_the_save(desk: Desk) -> None:
    desk.go("/")
    desk.go()
    fill(desk.page)
    desk.page.go_back()
    desk.page.go_forward()
    finish(desk.page)


def the_language_was_changed_in_the_middle(desk: Desk) -> None:
    fill(desk.page)
    with desk.page.expect_navigation():
        desk.page.click("header button[lang=sv]")
    finish(desk.page)


def another_window(desk: Desk, path: str) -> Page:
    page = desk.context.new_page()
    desk.watch(page)
    page.goto(desk.address + path)
    return page


def two_windows_of_one_draft_save_the_same(desk: Desk) -> None:
    fill(desk.page)
    other = another_window(desk, desk.page.url.removeprefix(desk.address))
    finish(desk.page)
    finish(other)


def two_windows_of_one_draft_save_different_things(desk: Desk) -> None:
    fill(desk.page)
    other = another_window(desk, desk.page.url.removeprefix(desk.address))
    choose(other, environment="gang")
    finish(desk.page)
    with other.expect_navigation():
        save(other)
    expect(other.locator("main")).to_contain_text("Criminal group")


def a_window_whose_draft_was_saved_in_another(desk: Desk) -> None:
    fill(desk.page)
    other = another_window(desk, desk.page.url.removeprefix(desk.address))
    finish(other)
    choose(desk.page, environment="gang")
    desk.page.clock.run_for(1000)
    expect(desk.page.locator("#saved-already")).to_be_visible()
    desk.page.click("#saved-already a >> nth=0")
    assert not desk.page.locator("input[name=result]:checked").count()


def a_window_of_another_draft(desk: Desk) -> None:
    other = another_window(desk, NEW)
    fill(desk.page)
    choose(other, result="tyst")
    finish(desk.page)
    other.close(run_before_unload=False)


def the_form_came_without_script_and_without_session(desk: Desk) -> None:
    context = desk.context.browser.new_context(java_script_enabled=False, locale="en")
    plain = Desk(context, desk.address)
    plain.log_in(User.objects.get(username="handler"))
    page = plain.go()
    choose(page, **EARLY, **LATE)
    context.clear_cookies()
    save(page)
    page.fill("#username", "handler")
    page.fill("#password", PASSWORD)
    page.click("main button")
    save(page)
    context.close()


FAULTS: tuple[Callable[[Desk], None], ...] = (
    killed_after_the_draft_was_kept,
    killed_before_the_last_choice_was_kept,
    killed_during_the_save_after_it_arrived,
    killed_during_the_save_before_it_arrived,
    killed_while_the_network_was_away,
    left_for_another_page_at_once,
    reloaded_in_the_middle,
    reloaded_after_the_save,
    offline_from_the_start,
    offline_between_two_choices,
    offline_at_the_save,
    offline_and_too_impatient,
    the_answer_of_the_save_was_lost,
    the_answer_was_lost_before_any_draft,
    busy_three_times_at_the_save,
    edited_while_the_save_keeps_failing,
    killed_while_the_save_keeps_failing,
    killed_after_an_edit_while_the_save_keeps_failing,
    the_save_failed_after_a_draft_that_failed,
    busy_at_the_draft,
    the_session_ended_before_the_draft,
    the_session_ended_before_the_save,
    the_password_was_wrong_at_first,
    logging_in_was_put_off,
    the_network_went_while_logging_in,
    logged_in_anew_in_another_window,
    somebody_else_logged_in_at_the_same_computer,
    double_click_on_save,
    a_double_click_while_the_server_is_slow,
    control_enter_ten_times,
    enter_held_down_on_the_button,
    back_after_the_save,
    back_before_the_save,
    the_language_was_changed_in_the_middle,
    two_windows_of_one_draft_save_the_same,
    two_windows_of_one_draft_save_different_things,
    a_window_whose_draft_was_saved_in_another,
    a_window_of_another_draft,
    the_form_came_without_script_and_without_session,
)


def check_one_contact_and_every_answer() -> None:
    contact = Contact.objects.get()
    assert {question: getattr(contact, question) for question in WHOLE} == WHOLE
    assert contact.logged_by is not None and contact.logged_by.username == "handler"
    assert not Draft.objects.filter(pk=contact.submission_key).exists()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_one_contact_and_every_answer(desk, fault):
    fault(desk)
    check_one_contact_and_every_answer()


def test_a_lost_answer_would_show(desk):
    fill(desk.page)
    choose(desk.page, county="12")
    finish(desk.page)
    with pytest.raises(AssertionError):
        check_one_contact_and_every_answer()


def test_the_browser_asks_before_it_leaves_only_while_something_is_not_kept(opened):
    desk = opened(language="en")
    page = desk.page
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    desk.context.set_offline(True)
    desk.press("1")
    state(page, "Draft not saved")
    desk.context.set_offline(False)
    keep_by_hand(page)
    desk.go("/contacts/")
    assert asked == []
    with page.expect_navigation():
        page.click(DRAFT)
    desk.wait_for_cursor()
    desk.press("2")
    desk.go("/contacts/")
    assert asked == ["beforeunload"]


# --- the browser itself is killed ------------------------------------------------------------------------------------

Start = Callable[[str], BrowserContext]


@pytest.fixture
def start(browser_type: BrowserType, browser_type_launch_args, tmp_path: Path) -> Iterator[Start]:
    """Start a browser of the test's own, with a new profile on disk under a name."""
    started: list[BrowserContext] = []

    def start_one(profile: str) -> BrowserContext:
        args = browser_type_launch_args
        started.append(browser_type.launch_persistent_context(tmp_path / profile, locale="en", **args))
        started[-1].set_default_timeout(PATIENCE * 1000)
        return started[-1]

    yield start_one
    for context in started:
        context.close()


def log_in_at(page: Page, address: str, name: str) -> None:
    page.goto(address + "/login/")
    page.fill("#username", name)
    page.fill("#password", PASSWORD)
    with page.expect_navigation():
        page.click("main button")


@pytest.fixture
def own(start, live_server, handler: User) -> Desk:
    """As `desk`, in a browser of its own."""
    desk = Desk(start("killed"), live_server.url)
    desk.log_in(handler)
    return at_work(desk)


def processes(profile: Path) -> list[int]:
    """All processes of the browser that was started with this profile."""
    found = []
    for said in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            is_of_profile = f"--user-data-dir={profile}" in said.read_text(errors="replace")
        except OSError:  # ended since the folder was read
            continue
        if is_of_profile:
            found.append(int(said.parent.name))
    return found


def kill(profile: Path) -> None:
    assert processes(profile)
    while found := processes(profile):
        for process in found:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def at_another_browser(start: Start, address: str) -> Page:
    """The handler logs in where nothing is known yet, and looks at what is there."""
    page = start("another").new_page()
    log_in_at(page, address, "handler")
    page.goto(address + "/contacts/")
    return page


class HeldUp:
    """The server comes to a stop right before or right after it has stored a contact, until it may go on."""

    def __init__(self, patch: pytest.MonkeyPatch, *, is_stored: bool) -> None:
        self.at_it, self.may_go_on = Semaphore(0), Event()
        log_contact = contacts.log_contact

        def log_slowly(**said: Any) -> Contact:
            contact = log_contact(**said) if is_stored else None
            self.at_it.release()
            assert self.may_go_on.wait(PATIENCE)
            return contact or log_contact(**said)

        patch.setattr(contacts, "log_contact", log_slowly)

    def wait(self) -> None:
        assert self.at_it.acquire(timeout=PATIENCE)


def test_a_browser_killed_after_the_draft_was_kept_loses_no_answer(own, start, tmp_path):
    fill(own.page)
    kill(tmp_path / "killed")
    page = at_another_browser(start, own.address)
    page.click(DRAFT)
    finish(page)
    check_one_contact_and_every_answer()


def test_a_browser_killed_while_its_save_is_on_its_way_saves_once(own, start, tmp_path, monkeypatch):
    fill(own.page)
    held = HeldUp(monkeypatch, is_stored=False)
    save(own.page)
    held.wait()
    kill(tmp_path / "killed")
    page = at_another_browser(start, own.address)
    page.click(DRAFT)
    save(page)
    held.wait()
    assert not Contact.objects.exists()
    held.may_go_on.set()
    told(page)
    check_one_contact_and_every_answer()


def test_a_browser_killed_while_the_answer_of_its_save_is_on_its_way_has_saved(own, start, tmp_path, monkeypatch):
    fill(own.page)
    held = HeldUp(monkeypatch, is_stored=True)
    save(own.page)
    held.wait()
    kill(tmp_path / "killed")
    held.may_go_on.set()
    page = at_another_browser(start, own.address)
    expect(page.locator("a[href$='/amend/']")).to_have_count(1)
    expect(page.locator(DRAFT)).to_have_count(0)
    check_one_contact_and_every_answer()


# --- the next one at the same computer -------------------------------------------------------------------------------


def traces(folder: Path, words: tuple[str, ...]) -> list[str]:
    """The files of a profile in which one of `words` stands, in either spelling of text."""
    wanted = [word.encode(spelling) for word in words for spelling in ("utf-8", "utf-16-le")]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(word in path.read_bytes() for word in wanted)]


UNUSUAL = {"county": "UTL", "environment": "islamistisk", "concerns": "aterfall", "needs": "p_beroende"}


def test_the_next_one_at_the_same_computer_reads_nothing(start, live_server, transactional_db, tmp_path):
    for name in ("first", "second"):
        User.objects.create_user(name, PASSWORD, role="handler")
    shared = start("shared")
    page = shared.new_page()
    log_in_at(page, live_server.url, "first")
    page.goto(live_server.url + NEW)
    choose(page, result="relevant", **UNUSUAL)
    page.wait_for_url("**draft=*")
    address = page.url
    until(lambda: all(f'["{code}"]' in Draft.objects.get().content for code in UNUSUAL.values()))
    with page.expect_navigation():
        page.click("header button:has-text('Log out')")

    log_in_at(page, live_server.url, "second")
    assert page.goto(address).status == 404
    page.goto(live_server.url + "/contacts/")
    assert not page.locator(DRAFT).count()
    page.go_back()
    page.go_back()
    assert not page.locator("input[name=county]:checked, option[value=UTL]:checked").count()
    shared.close()
    assert traces(tmp_path / "shared", tuple(UNUSUAL.values())[1:]) == []
    assert traces(tmp_path / "shared", (live_server.url,)) != []  # the scan does read what the browser writes
