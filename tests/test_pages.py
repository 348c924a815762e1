"""The pages in a real browser: for every eye, ear and hand, on a desk and on a phone, in both languages, no script."""

from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page

from helpline import (
    accounts,
    approvals,
    audit,
    contacts,
    deletions,
    invitations,
    opening,
    openings,
    policy,
    staff,
    traffic,
    traffic_file,
)
from helpline.entries import read_entry
from helpline.imports import jobs
from helpline.listings import Hours, Phone, Place
from helpline.models import Contact, Demonstration, ImportJob, Organisation, Referral, Service, User
from reports import freeze, release
from reports.forms import rule as rule_of_settings
from reports.periods import Period, containing
from tests import listed
from tests.granted import token_of
from tests.oracle import DATA

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
    visit.go(accounts.administrator_path()).fill("#password", "short")
    visit.press("main button")


def granted(visit: Visit) -> None:
    evaluators = User.objects.filter(role=policy.EVALUATOR)
    token_of(evaluators.first() or User.objects.create_user("evaluator", None, role=policy.EVALUATOR))
    visit.go("/grants/")


def with_a_new_token(visit: Visit) -> None:
    granted(visit)
    visit.press("form[action$='/tokens/'] button")


def older_than_the_session(visit: Visit) -> None:
    page = visit.go(NEW)
    page.locator("form.contact [name=csrfmiddlewaretoken]").evaluate("field => { field.value = 'x'.repeat(64) }")
    visit.press(".save button")


def somebody(name: str = "maria", role: str = policy.HANDLER, password: str | None = PASSWORD) -> User:
    return User.objects.create_user(name, password, role=role)


def accounts_of_every_kind(visit: Visit) -> None:
    chief, now = User.objects.get(role=policy.ADMINISTRATOR), timezone.now()
    closed, waits = somebody("erik"), somebody()
    staff.close(closed.pk, by=chief, now=now)
    staff.ask_for_role(waits.pk, policy.COORDINATOR, by=chief, now=now)
    staff.invite("new", policy.COORDINATOR, by=chief, now=now)
    User.objects.create_user("x" * 64, None, role=policy.EVALUATOR)
    visit.go("/staff/")


def link_shown(visit: Visit) -> None:
    page = visit.go("/staff/invite/")
    page.fill("#username", "new")
    page.check("#role")
    visit.press("main button")


def invitation_refused(visit: Visit) -> None:
    visit.go(invitations.path_for(somebody(password=None))).fill("#password", "short")
    visit.press("main button")


def opened_contact(visit: Visit) -> Contact:
    entry, now = read_entry(timezone.localdate(), {"channel": ["telefon"], "result": ["relevant"]}), timezone.now()
    contact = contacts.log_contact(by=None, key=uuid4(), entry=entry, now=now, today=entry.day)
    visit.go(f"/contacts/{contact.pk}/open/").check("#reason")
    visit.press("main button[type=submit]")
    return contact


def waiting(visit: Visit) -> None:
    own, others = opened_contact(visit), opened_contact(visit)
    leading = User.objects.get(role=policy.COORDINATOR)
    deletions.ask(others, by=somebody("other", policy.COORDINATOR), now=timezone.now())
    for outcome in ("refuse", "wait"):
        asked = deletions.ask(own, by=leading, now=timezone.now())
        if outcome == "refuse":
            third = somebody("third", policy.COORDINATOR)
            approvals.decide(asked.pk, by=third, agrees=False, now=timezone.now())
    visit.go("/waiting/")


def acts_written_down(visit: Visit) -> None:
    staff = [User.objects.get(role=policy.COORDINATOR), User.objects.create_user("other", None, role=policy.HANDLER)]
    for _ in range(30):
        audit.record(by=staff[0], act="contact.open", reason="rattelse", now=timezone.now())
        audit.record(by=staff[0], act="staff.reset_trusted", reason="asked", about=staff[1], now=timezone.now())
    visit.go("/audit/")


IMPORTED = "key,day,channel,result\na,2016-01-04,telefon,relevant\n"


def import_of(visit: Visit, state: str, rows: str = IMPORTED) -> None:
    now, leading = timezone.now(), User.objects.get(role=policy.COORDINATOR)
    job = jobs.put("contacts", rows.encode(), by=leading, now=now)
    if state != "ready":
        jobs.start(job, skips_refused=False, now=now)
    if state == "running":
        ImportJob.objects.update(state=state, attempts=1, held_until=now + timedelta(minutes=1))
        jobs._tell(ImportJob.objects.get(), 40)
    if state in ("done", "refused"):
        jobs.run_next(now=now)
    visit.go(f"/import/{job.pk}/")


def import_refused(visit: Visit) -> None:
    import_of(visit, "ready", IMPORTED)
    visit.go("/import/")
    visit.press("main button")


def columns_of_files(visit: Visit) -> None:
    for summary in visit.go("/import/").locator(".import__more summary").all():
        summary.click()


REFUSED_ROWS = IMPORTED + "".join(f"k{n},2016-13-01,telefon,relevant\n" for n in range(120))


def calls_and_opening_hours(visit: Visit) -> None:
    """Last month, so that it is shown by the hour."""
    day = timezone.localdate().replace(day=1) - timedelta(days=1)
    said = [(at, traffic_file.Calls(4, 1, 0, 1, 2, 1)) for at in range(24)]
    traffic.record_hours([traffic_file.ClockHour(day, at, "Main", said_of) for at, said_of in said if at != 2])
    week = opening.WeeklyHours(day.replace(day=1), ((opening.Span(540, 720), opening.Span(780, 960)),) * 7)
    openings.set_hours(week, by=None, now=timezone.now())
    openings.set_exception(opening.Exceptional(day, (), "staff"), by=None, now=timezone.now())
    visit.go(f"/traffic/?period={day:%Y-%m}")


def opening_hours(visit: Visit) -> None:
    calls_and_opening_hours(visit)
    visit.go("/traffic/opening/")


def opening_hours_to_be_removed(visit: Visit, at: int) -> None:
    opening_hours(visit)
    visit.go(visit.page.locator('a[href*="/opening/remove/"]').nth(at).get_attribute("href"))


def open_month_without_calls(visit: Visit) -> Period:
    """The last month, of which calls can be loaded still."""
    month = containing("month", timezone.localdate()).previous()
    entry = read_entry(month.start, {"channel": ["telefon"], "result": ["relevant"]})
    contacts.log_contact(by=None, key=uuid4(), entry=entry, now=timezone.now(), today=timezone.localdate())
    hours = opening.WeeklyHours(month.start, ((opening.Span(540, 720),),) * 7)
    openings.set_hours(hours, by=None, now=timezone.now())
    visit.go("/releases/")
    return month


def prepared_without_calls(visit: Visit, *, of_a_day: bool = False) -> None:
    """Frozen and prepared; once a file brought the calls `of_a_day`, no other is taken, and the page says so."""
    month = open_month_without_calls(visit)
    freeze.freeze_month(month, today=timezone.localdate())
    release.prepare(month, today=timezone.localdate(), rule=rule_of_settings())
    if of_a_day:
        said = traffic_file.Calls(1, 1, 0, 0, 0, 0)
        traffic.record_hours([traffic_file.ClockHour(month.start, 9, "Main", said)])
    visit.go("/releases/")


def foreign_directory(visit: Visit) -> None:
    content = (DATA / "hsds-organization-full.json").read_bytes()
    by = User.objects.get(role=policy.COORDINATOR)
    visit.go(f"/import/{jobs.put('directory', content, by=by, now=timezone.now()).pk}/")


def refused_on(path: str) -> Callable[[Visit], object]:
    return lambda visit: (visit.go(path), visit.press("main form button.button--primary"))


def whole_service() -> str:
    """The address of a service that says everything that one can say."""
    summer = Hours("SU", time(0), time(23, 59, 59), date(2027, 6, 1))
    said = {
        "phones": (Phone("0771-12 34 56", "12", "Växel"), Phone("112")),
        "hours": (Hours("MO,TU,WE,TH,FR", time(9), time(16)), summer),
        "places": (Place(False, "Huset", "Storgatan 1", "111 22", "Stockholm"), Place(True)),
        "languages": frozenset({"sv", "uk"}),
    }
    lapsed = listed.organisation(agreement="projekt", agreement_until=date(2025, 1, 1), url="https://example.se/")
    made = listed.service(
        "x" * 200, "0180", "1880", of=lapsed, alert="Closed in July.", is_shared=True, is_confidential=True,
        description="Support to\nall.", url=f"https://example.se/{'x' * 150}", **said,
    )  # fmt: skip
    return f"/directory/{made.pk}/"


def many_services() -> None:
    whole_service()
    for number in range(60):
        listed.service("", ("SE", "01", "0180", "1880")[number % 4], on=date(2026, 1, 1) if number % 3 else None)
    listed.service("Knowledge", kind="resurs")


def found_in_the_directory(visit: Visit) -> None:
    many_services()
    visit.go("/directory/").select_option("#place", "0180")
    visit.press(".find button")


def back_from_what_was_found(visit: Visit) -> None:
    found_in_the_directory(visit)
    visit.press(".service__name")


def service_refused(visit: Visit) -> None:
    page = visit.go(f"{whole_service()}change/")
    page.fill("#name", "")
    page.fill("#id_phones-2-description", "No number")
    page.fill("#id_hours-2-opens", "09:00")
    page.fill("#other_languages", "?")
    visit.press(".entry__end button")


def service_overtaken(visit: Visit) -> None:
    where = whole_service()
    page = visit.go(f"{where}change/")
    Service.objects.update(alert="Changed meanwhile.")
    page.fill("#name", "Mine")
    visit.press(".entry__end button")


def organisation_page(visit: Visit) -> str:
    whole_service()
    return f"/directory/organisations/{Organisation.objects.get().pk}/"


STATES: dict[str, tuple[str, Callable[[Visit], object]]] = {
    "log in": ("", lambda visit: visit.go("/login/")),
    "log in, refused": ("", refused_at_the_door),
    "first account": ("", lambda visit: visit.go(accounts.administrator_path())),
    "first account, refused": ("", first_account_refused),
    "invitation": ("", lambda visit: visit.go(invitations.path_for(somebody(password=None)))),
    "invitation, refused": ("", invitation_refused),
    "invitation, dead": ("", lambda visit: visit.go("/invitation/x/")),
    "accounts": (policy.ADMINISTRATOR, accounts_of_every_kind),
    "account": (policy.ADMINISTRATOR, lambda visit: visit.go(f"/staff/{somebody().pk}/")),
    "account without password": (policy.ADMINISTRATOR, lambda visit: visit.go(f"/staff/{somebody(password=None).pk}/")),
    "account of one's own": (policy.ADMINISTRATOR, lambda visit: visit.go(f"/staff/{User.objects.get().pk}/")),
    "invite": (policy.ADMINISTRATOR, lambda visit: visit.go("/staff/invite/")),
    "invite, refused": (policy.ADMINISTRATOR, lambda visit: (visit.go("/staff/invite/"), visit.press("main button"))),
    "link shown": (policy.ADMINISTRATOR, link_shown),
    "waiting": (policy.COORDINATOR, waiting),
    "waiting, nothing": (policy.COORDINATOR, lambda visit: visit.go("/waiting/")),
    "ask for deletion": (
        policy.COORDINATOR,
        lambda visit: visit.go(f"/contacts/{opened_contact(visit).pk}/delete/"),
    ),
    "import": (policy.COORDINATOR, lambda visit: visit.go("/import/")),
    "import, columns open": (policy.COORDINATOR, columns_of_files),
    "import, nothing chosen": (policy.COORDINATOR, import_refused),
    "import, preview": (policy.COORDINATOR, lambda visit: import_of(visit, "ready")),
    "import, preview of refused rows": (policy.COORDINATOR, lambda visit: import_of(visit, "ready", REFUSED_ROWS)),
    "import, preview of a refused file": (
        policy.COORDINATOR,
        lambda visit: import_of(visit, "ready", IMPORTED.replace("result", "x,result", 1)),
    ),
    "import, waiting": (policy.COORDINATOR, lambda visit: import_of(visit, "waiting")),
    "import, running": (policy.COORDINATOR, lambda visit: import_of(visit, "running")),
    "import, done": (policy.COORDINATOR, lambda visit: import_of(visit, "done")),
    "import, nothing stored": (policy.COORDINATOR, lambda visit: import_of(visit, "refused", REFUSED_ROWS)),
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
    "directory, empty": (policy.HANDLER, lambda visit: visit.go("/directory/")),
    "directory, nothing found": (policy.HANDLER, lambda visit: visit.go("/directory/?place=0180")),
    "directory": (policy.HANDLER, lambda visit: (many_services(), visit.go("/directory/"))),
    "directory of a coordinator": (policy.COORDINATOR, lambda visit: (many_services(), visit.go("/directory/"))),
    "directory, found": (policy.COORDINATOR, found_in_the_directory),
    "service": (policy.HANDLER, lambda visit: visit.go(whole_service())),
    "service of a coordinator": (policy.COORDINATOR, lambda visit: visit.go(whole_service())),
    "service, from a search": (policy.HANDLER, back_from_what_was_found),
    "service with nothing": (policy.HANDLER, lambda visit: visit.go(f"/directory/{listed.service(kind='resurs').pk}/")),
    "service, new": (policy.COORDINATOR, lambda visit: visit.go("/directory/add/")),
    "service, changed": (policy.COORDINATOR, lambda visit: visit.go(f"{whole_service()}change/")),
    "service, refused": (policy.COORDINATOR, service_refused),
    "service, overtaken": (policy.COORDINATOR, service_overtaken),
    "organisation": (policy.COORDINATOR, lambda visit: visit.go(organisation_page(visit))),
    "organisation, refused": (
        policy.COORDINATOR,
        lambda visit: (visit.go("/directory/organisations/add/"), visit.press(".entry button")),
    ),
    "counties": (policy.COORDINATOR, lambda visit: (many_services(), visit.go("/directory/counties/"))),
    "counties, empty": (policy.COORDINATOR, lambda visit: visit.go("/directory/counties/")),
    "the routine": (policy.HANDLER, lambda visit: visit.go("/routine/")),
    "the routine of a day that is none": (policy.COORDINATOR, lambda visit: visit.go("/routine/?day=x")),
    "who may do what": (policy.EVALUATOR, lambda visit: visit.go("/policy/")),
    "record of acts": (policy.COORDINATOR, acts_written_down),
    "record of acts, nothing found": (policy.COORDINATOR, lambda visit: visit.go("/audit/?act=grant.issue")),
    "record of acts, empty": (policy.EVALUATOR, lambda visit: visit.go("/audit/")),
    "grants of an evaluator, none": (policy.EVALUATOR, lambda visit: visit.go("/grants/")),
    "grants of an evaluator": (policy.EVALUATOR, granted),
    "grants of an evaluator, a new token": (policy.EVALUATOR, with_a_new_token),
    "grants of a coordinator": (policy.COORDINATOR, granted),
    "traffic, nothing": (policy.COORDINATOR, lambda visit: visit.go("/traffic/")),
    "traffic": (policy.COORDINATOR, calls_and_opening_hours),
    "hour": (policy.COORDINATOR, lambda visit: visit.go("/traffic/hours/")),
    "hour, refused": (policy.COORDINATOR, refused_on("/traffic/hours/")),
    "opening hours, none": (policy.COORDINATOR, lambda visit: visit.go("/traffic/opening/")),
    "opening hours": (policy.COORDINATOR, opening_hours),
    "removal of opening hours": (policy.COORDINATOR, lambda visit: opening_hours_to_be_removed(visit, 0)),
    "removal of other hours": (policy.COORDINATOR, lambda visit: opening_hours_to_be_removed(visit, 1)),
    "releases, calls missing of the next month": (policy.COORDINATOR, open_month_without_calls),
    "releases, calls missing of a prepared month": (policy.COORDINATOR, prepared_without_calls),
    "releases, calls that stay out": (policy.COORDINATOR, lambda visit: prepared_without_calls(visit, of_a_day=True)),
    "import, preview of a foreign directory": (policy.COORDINATOR, foreign_directory),
    "new opening hours, refused": (policy.COORDINATOR, refused_on("/traffic/opening/hours/")),
    "other hours, refused": (policy.COORDINATOR, refused_on("/traffic/opening/day/")),
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


# --- the menu on a phone ----------------------------------------------------------------------------------------------


def test_on_a_phone_the_menu_is_one_button_that_opens_and_closes_by_keyboard_and_without_a_script(visit):
    page = visit(policy.COORDINATOR, PHONE, "en", script=False).go("/traffic/hours/")
    opener, panel = page.locator(".menu__open"), page.locator("#menu")
    assert opener.inner_text() == "Menu: Traffic" and not panel.is_visible()
    assert page.locator("nav.menu").bounding_box()["height"] < 50
    tab_to(page, ".menu__open")
    page.keyboard.press("Enter")
    assert panel.is_visible()
    tab_to(page, '.menu a[href="/traffic/"]')
    assert page.locator(":focus").get_attribute("aria-current") == "true"
    page.keyboard.press("Escape")
    assert not panel.is_visible()
    opener.click()
    page.locator(".menu__close").click()
    assert not panel.is_visible()
    opener.click()
    with page.expect_navigation():
        page.locator(".menu").get_by_role("link", name="Releases").click()
    assert page.locator("h1").inner_text() == "Releases"


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_open_menu_of_a_phone_is_accessible_and_as_high_as_a_finger(visit, language):
    page = visit(policy.COORDINATOR, PHONE, language).go("/")
    page.click(".menu__open")
    assert faults(page) == [] and too_small_to_touch(page) == [] and overflow(page) <= 0
    assert page.locator(".menu a").filter(visible=True).count() == len(policy.menu(policy.COORDINATOR))


def test_on_a_desk_every_page_of_the_menu_is_in_sight_and_no_button(visit):
    page = visit(policy.COORDINATOR).go("/")
    assert page.locator(".menu a").filter(visible=True).count() == len(policy.menu(policy.COORDINATOR))
    assert not page.locator(".menu button").filter(visible=True).count()


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
    moving = "getComputedStyle(document.querySelector('button[name=add_referral]')).transitionDuration"
    assert page.evaluate(moving) != "0s"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(moving) == "0s"
