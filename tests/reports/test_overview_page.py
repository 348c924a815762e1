"""The overview as its reader meets it: who gets it, what it says, what it refuses, and what it costs."""

import csv
import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from html.parser import HTMLParser
from uuid import uuid4
from xml.etree import ElementTree

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpline import policy
from helpline.contacts import log_contact
from helpline.entries import ContactEntry, ReferralEntry
from helpline.models import User
from reports import rollups
from reports.models import FailedDay
from reports.periods import containing
from tests import oracle

pytestmark = pytest.mark.django_db

SVG = "{http://www.w3.org/2000/svg}"
BREAKDOWNS = ("result", "caller-role", "concerns", "referral-target")
QUARTER = oracle.within(oracle.rows_of(), date(2016, 1, 1), date(2016, 4, 1))


@pytest.fixture
def coordinator(db) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("coordinator", None, role=policy.COORDINATOR))
    return client


@pytest.fixture
def quarter(db, tmp_path) -> None:
    """The first quarter of 2016 from the pilot year, its counts brought up to date."""
    file = tmp_path / "quarter.csv"
    with file.open("w", encoding="utf-8", newline="") as text:
        rows = csv.DictWriter(text, QUARTER[0])
        rows.writeheader()
        rows.writerows(QUARTER)
    call_command("import_contacts", str(file))
    rollups.refresh(seconds=600)


def log(day: date | None = None, *, referrals=(), **answers: str) -> None:
    """One contact through the door; relevant and by telephone unless told otherwise, codes parted by blanks."""
    given = {"channel": "telefon", "result": "relevant"} | answers
    entry = ContactEntry(
        day=day or timezone.localdate(),
        answers={question: frozenset(codes.split()) for question, codes in given.items()},
        referrals=tuple(ReferralEntry(target, "hanvisning") for target in referrals),
    )
    log_contact(by=None, key=uuid4(), entry=entry, now=timezone.now(), today=timezone.localdate())


class Page(HTMLParser):
    """What a reader sees of the overview: headline figures, tables by their section, texts, links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.text = " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())
        self.headlines = [number(n) for n in re.findall(r"<strong>([^<]*)</strong>", html)]
        self.sections = dict(
            re.findall(r'<section class="figure" aria-labelledby="([a-z-]+)">(.*?)</section>', html, re.S)
        )
        self.periods = re.findall(r'href="\?period=([^"]+)"', html)

    def table(self, section: str) -> list[list[str]]:
        rows = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", self.sections[section], re.S)
        return [
            [unescape(re.sub(r"<[^>]*>", "", c)) for c in re.split(r"</t[hd]>\s*<t[hd][^>]*>", row)] for row in rows
        ]

    def counts(self, section: str) -> dict[str, int]:
        return {row[0]: number(row[1]) for row in self.table(section)}

    def drawn(self, section: str) -> list[str]:
        """The texts of the section's drawings."""
        drawings = re.findall(r"<svg.*?</svg>", self.sections[section], re.S)
        return [t.text or "" for d in drawings for t in ElementTree.fromstring(d).iter(f"{SVG}text")]  # noqa: S314


def number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def read(client: Client, query: str = "", status: int = 200, language: str = "en") -> Page:
    response = client.get(f"/overview/{query}", headers={"accept-language": language})
    assert response.status_code == status
    return Page(response.content.decode())


# --- who gets it -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", sorted(policy.ROLES))
def test_only_the_coordinator_gets_the_overview(client, role):
    client.force_login(User.objects.create_user("someone", None, role=role))
    assert client.get("/overview/").status_code == (200 if role == policy.COORDINATOR else 403)


def test_a_visitor_is_sent_to_the_log_in(client):
    assert client.get("/overview/").headers["Location"].startswith("/login/")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_overview_can_only_be_read(coordinator, method):
    assert getattr(coordinator, method)("/overview/").status_code == 405


def test_the_overview_says_that_it_is_internal_and_what_it_counts(coordinator):
    text = read(coordinator).text
    assert "Internal – not for publication" in text
    assert "They count contacts, not people" in text


# --- what it says ----------------------------------------------------------------------------------------------------


def test_a_saved_contact_shows_at_the_next_load(coordinator):
    log(caller_role="yrkes", concerns="dras_in", referrals=["social", "skola"])
    before = read(coordinator)
    log(caller_role="yrkes", concerns="dras_in natet", referrals=["skola"])
    log(result="tyst")
    after = read(coordinator)
    assert before.headlines == [1, 1, 2]
    assert after.headlines == [3, 2, 3]
    assert after.counts("concerns")["Hateful or violent messages online"] == 1
    assert after.counts("referral-target")["School, pupil health"] == 2
    assert after.table("weeks")[-1][1:] == ["3", "2"]


def test_days_that_are_counted_directly_are_said_until_they_are_brought_up_to_date(coordinator):
    log()
    assert "1 day is counted directly" in read(coordinator).text
    log(timezone.localdate() - timedelta(days=1))
    assert "2 days are counted directly" in read(coordinator).text
    rollups.refresh(seconds=60)
    text = read(coordinator).text
    assert "counted directly" not in text
    assert re.search(r"Updated at \d\d:\d\d\.", text)


def test_days_that_no_sweep_could_count_are_said_and_their_figures_are_right(coordinator):
    log()
    assert "in advance" not in read(coordinator).text
    FailedDay.objects.create(day=timezone.localdate(), attempts=2)  # will be tried again
    assert "in advance" not in read(coordinator).text
    FailedDay.objects.update(attempts=3)
    page = read(coordinator)
    assert "1 day could not be counted in advance: the figures are right" in page.text
    assert page.headlines == [1, 1, 0]


def test_a_day_that_cannot_be_counted_at_all_is_said_to_be_missing(coordinator, uncountable, monkeypatch):
    log(uncountable)
    log()
    page = read(coordinator, f"?period={containing('month', timezone.localdate()).code}")
    assert "1 day of these weeks could not be counted and is missing in the figures" in page.text
    assert page.headlines == [1, 1, 0]
    monkeypatch.undo()
    assert "missing in the figures" not in read(coordinator).text


@pytest.mark.parametrize("query", ["?period=2016-Q1", "?period=2016-02", "?period=2016-W10"])
def test_headlines_tables_and_drawings_say_the_same(coordinator, quarter, query):
    page = read(coordinator, query)
    contacts, relevant, referrals = page.headlines
    assert contacts > relevant > 0
    assert sum(page.counts("result").values()) == contacts
    assert page.counts("result")["Relevant"] == relevant
    assert sum(page.counts("caller-role").values()) == relevant
    assert sum(page.counts("referral-target").values()) == referrals
    for section in BREAKDOWNS:
        given = {label: count for label, count in page.counts(section).items() if count}
        assert page.drawn(section) == [*given, *map(str, given.values())], section


def test_the_figures_are_the_oracles(coordinator, quarter):
    page = read(coordinator, "?period=2016-Q1")
    expected = oracle.recount(QUARTER)
    assert page.headlines[0] == sum(n for (variable, _), n in expected.items() if variable == "result")
    assert page.headlines[1] == expected["result", "relevant"]
    assert page.counts("caller-role")["Professional"] == expected["caller_role", "yrkes"]
    assert page.counts("concerns")["At risk of being drawn in"] == expected["concerns", "dras_in"]
    silent = ("ej_fragat", "vet_ej", "avboj", "ej_till")
    assert page.counts("concerns")["No information"] == sum(expected["concerns", code] for code in silent)


def test_the_weeks_of_the_table_add_up_to_the_headlines_of_their_own_pages(coordinator, quarter):
    weeks = read(coordinator, "?period=2016-Q1").table("weeks")
    assert len(weeks) == 53
    label, contacts, relevant = weeks[-1]
    assert label == "week 13, 2016"
    assert read(coordinator, "?period=2016-W13").headlines[:2] == [int(contacts), int(relevant)]


def test_shares_are_of_what_the_caption_says(coordinator):
    for concerns in ("dras_in natet", "dras_in", "barn"):
        log(concerns=concerns)
    page = read(coordinator)
    assert ["At risk of being drawn in", "2", "66.7%"] in page.table("concerns")
    assert ["Hateful or violent messages online", "1", "33.3%"] in page.table("concerns")
    assert (
        "Share of 3 relevant contacts. Several may be given, so the shares may add up to more than 100 per cent."
        in page.text
    )
    assert "Share of 3 contacts." in page.text
    assert page.text.count("Several may be given") == 1


def test_halves_of_a_tenth_are_rounded_up(coordinator):
    for n in range(16):
        log(caller_role="media" if n == 0 else "yrkes")
    assert ["Media, researcher, student", "1", "6.3%"] in read(coordinator).table("caller-role")


def test_a_share_of_nothing_is_a_dash_and_not_a_nought(coordinator):
    log(result="tyst")
    page = read(coordinator)
    assert {row[2] for row in page.table("caller-role")} == {"–"}
    assert page.drawn("caller-role") == []
    assert ["Silent call", "1", "100.0%"] in page.table("result")


def test_swedish_figures_have_a_decimal_comma_and_a_hard_space(coordinator):
    for concerns in ("dras_in", "dras_in", "barn"):
        log(concerns=concerns)
    page = read(coordinator, language="sv")
    assert ["Riskerar att dras in", "2", "66,7\u00a0%"] in page.table("concerns")
    assert page.table("concerns")[-1][0] == "Uppgift saknas"
    assert "Andel av 3 verksamhetsrelevanta kontakter. Flera kan anges, så summan kan överstiga 100 %." in page.text
    assert "Intern – inte för publicering" in page.text
    assert re.search(r"Uppdaterad kl\. \d\d\.\d\d\.", page.text)


def test_weeks_that_have_not_begun_are_not_shown_as_empty(coordinator):
    log()
    weeks = read(coordinator, f"?period={containing('quarter', timezone.localdate()).code}").table("weeks")
    assert weeks[-1][0] == containing("week", timezone.localdate()).label("en")
    assert "The period is not over" in read(coordinator).text


# --- what it does not say --------------------------------------------------------------------------------------------


def test_without_any_contact_the_page_says_so_and_draws_nothing(coordinator):
    page = read(coordinator)
    assert "No contacts in this period or in the year before it" in page.text
    assert page.headlines == [0, 0, 0]
    assert page.sections == {}


def test_an_empty_period_keeps_the_weeks_and_has_no_breakdowns(coordinator):
    log(date(2016, 5, 10))
    page = read(coordinator, "?period=2016-06")
    assert "No contacts in this period" in page.text
    assert "or in the year before it" not in page.text
    assert set(page.sections) == {"weeks"}


def test_breakdowns_that_are_switched_off_are_gone(coordinator, settings):
    log(concerns="dras_in")
    assert set(read(coordinator).sections) == {"weeks", *BREAKDOWNS}
    settings.REPORTS_LIVE_BREAKDOWNS = False
    page = read(coordinator)
    assert set(page.sections) == {"weeks"}
    assert page.headlines == [1, 1, 0]
    assert "breakdowns are switched off" in page.text


def test_no_address_narrows_the_figures_to_a_group(coordinator, quarter):
    plain = read(coordinator, "?period=2016-Q1")
    narrowed = read(coordinator, "?period=2016-Q1&environment=islamistisk&county=01&caller_role=yrkes&day=2016-02-01")
    assert narrowed.headlines == plain.headlines
    assert [narrowed.table(section) for section in BREAKDOWNS] == [plain.table(section) for section in BREAKDOWNS]


# --- which period ----------------------------------------------------------------------------------------------------


def test_the_page_opens_with_the_current_month(coordinator):
    month = containing("month", timezone.localdate())
    assert f"Overview, {month.label('en')}" in read(coordinator).text
    assert f"Overview, {month.label('en')}" in read(coordinator, "?period=").text


def test_each_period_leads_to_its_neighbours_and_to_the_other_kinds(coordinator):
    page = read(coordinator, "?period=2016-05")
    assert {"2016-04", "2016-06", "2016-W22", "2016-Q2"} <= set(page.periods)


def test_the_current_period_leads_no_further_and_the_first_one_no_further_back(coordinator):
    today = timezone.localdate()
    for kind in ("week", "month", "quarter"):
        now = containing(kind, today)
        page = read(coordinator, f"?period={now.code}")
        assert now.previous().code in page.periods
        assert now.next().code not in page.periods
    assert "2014-12" not in read(coordinator, "?period=2015-01").periods


@pytest.mark.parametrize("code", ["2016-q2", " 2016-Q2 ", "%202016-Q2"])
def test_letter_case_and_blanks_in_a_period_are_forgiven(coordinator, code):
    assert "quarter 2, 2016" in read(coordinator, f"?period={code}").text


def tomorrow(kind: str) -> Callable[[], str]:
    return lambda: containing(kind, timezone.localdate()).next().code


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("2016-W54", "That is no period."),
        ("2016-13", "That is no period."),
        ("<script>", "That is no period."),
        ("\0", "That is no period."),
        ("9" * 5000, "That is no period."),
        ("2016-01-01", "That is no period."),
        ("2016", "a week, a month or a quarter"),
        ("2016-H1", "a week, a month or a quarter"),
        ("2014-12", "before the first day"),
        ("1900-01", "before the first day"),
        ("2999-12", "has not begun"),
        (tomorrow("week"), "has not begun"),
        (tomorrow("month"), "has not begun"),
        (tomorrow("quarter"), "has not begun"),
    ],
)
def test_a_wrong_period_is_refused_with_a_reason_and_a_way_back(coordinator, code, why):
    response = coordinator.get(
        "/overview/", {"period": code() if callable(code) else code}, headers={"accept-language": "en"}
    )
    html = response.content.decode()
    assert response.status_code == 400
    assert why in html
    assert '<a href="/overview/">' in html
    assert '<form class="go-to" method="get" action="/overview/">' in html
    assert "<script>" not in html


# --- what it costs ---------------------------------------------------------------------------------------------------


def tables(asked: CaptureQueriesContext) -> list[str]:
    return [match[1] for q in asked if (match := re.search(r'FROM "(\w+)"', q["sql"]))]


@pytest.mark.parametrize("query", ["", "?period=2016-Q1", "?period=2016-W10"])
def test_the_page_asks_the_database_at_most_eight_times(coordinator, quarter, query):
    log(concerns="dras_in")
    log(date(2016, 2, 3), concerns="dras_in")
    with CaptureQueriesContext(connection) as asked:
        read(coordinator, query)
    assert {"django_session", "helpline_contact", "reports_daycount"} <= set(tables(asked))
    assert len(tables(asked)) <= 8, tables(asked)


@pytest.mark.parametrize(
    ("query", "counts"),
    [("?period=2016-Q1", "reports_monthcount"), ("?period=2016-W10", "reports_daycount")],
)
def test_figures_of_clean_days_are_three_statements_and_the_page_six_in_all(coordinator, quarter, query, counts):
    """What they are: the marks, the counts of the period, the weeks; and session, account, demonstration."""
    with CaptureQueriesContext(connection) as asked:
        read(coordinator, query)
    figures = [set(re.findall(r'FROM "((?:helpline|reports)_\w+)"', q["sql"])) for q in asked]
    of_people = ({"helpline_user"}, {"helpline_demonstration"}, set())
    assert [tables for tables in figures if tables not in of_people] == [
        {"helpline_daymark", "reports_failedday"},
        {counts},
        {"reports_daycount"},
    ]
    assert sum(q["sql"].startswith("SELECT") for q in asked) <= 6, [q["sql"] for q in asked]


def test_the_fullest_page_is_small(coordinator, quarter):
    for language in ("sv", "en"):
        page = read(coordinator, "?period=2016-Q1", language=language)
        assert set(page.sections) == {"weeks", *BREAKDOWNS}
        assert len(page.html.encode()) <= 40_000


# --- in a browser ----------------------------------------------------------------------------------------------------


@pytest.fixture
def seen(live_server, page, context):
    """Open the overview as its coordinator, in a language and a width; gives the page, its refusals and requests."""
    client = Client()
    client.force_login(User.objects.create_user("coordinator", None, role=policy.COORDINATOR))
    name = next(iter(client.cookies))
    refused: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: refused.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))

    def open_page(query: str, language: str, width: int):
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{live_server.url}/overview/{query}")
        page.wait_for_load_state("networkidle")
        return page, refused, asked

    return open_page


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_page_is_accessible_keeps_its_policy_and_fits_the_screen(seen, quarter, language, width):
    page, refused, asked = seen("?period=2016-Q1", language, width)
    assert page.locator("html").get_attribute("lang") == language
    assert refused == []
    assert all(url.startswith(page.url.split("/overview/")[0]) for url in asked)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("svg.chart:visible").count() == 1 + len(BREAKDOWNS)
    found = Axe().run(page).response["violations"]
    assert [(violation["id"], [node["html"] for node in violation["nodes"]]) for violation in found] == []


def test_the_page_that_lacks_a_day_is_accessible_and_fits_the_screen(seen, uncountable):
    log(uncountable)
    log()
    FailedDay.objects.create(day=timezone.localdate(), attempts=3)
    page, refused, _ = seen("", "en", 390)
    assert "could not be counted and is missing" in page.get_by_role("alert").inner_text()
    assert "could not be counted in advance" in page.locator("main").inner_text()
    assert refused == [] and Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_after_the_log_in_page_the_overview_costs_one_request(seen, quarter, browser):
    """What the log-in page has loaded is kept by the browser: style sheet, typeface and mark, under hashed names."""
    page, _, asked = seen("?period=2016-Q1", "sv", 1280)
    html = len(page.request.get(page.url).body())
    visitor = browser.new_page()
    known: list[str] = []
    visitor.on("request", lambda request: known.append(request.url))
    visitor.goto(page.url.split("/overview/")[0] + "/login/")
    visitor.wait_for_load_state("networkidle")
    visitor.close()
    assert set(asked) - set(known) == {page.url}
    assert html <= 45_000


@pytest.mark.parametrize("query", ["", "?period=2016-W54"])
def test_the_empty_page_and_the_refusal_are_accessible_too(seen, query):
    page, _, _ = seen(query, "sv", 390)
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_measures_of_the_browser_can_fail(seen):
    page, refused, _ = seen("", "en", 390)
    assert refused == []
    page.evaluate("document.querySelector('h1').setAttribute('style', 'color: red')")
    page.wait_for_function("true")
    assert any("Content Security Policy" in text for text in refused)
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    assert [violation["id"] for violation in Axe().run(page).response["violations"]] == ["image-alt"]


def test_another_period_can_be_typed_in(seen, quarter):
    page, _, _ = seen("?period=2016-05", "en", 390)
    page.get_by_label("Go to period").fill("2016-q1")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/overview/?period=2016-q1")
    assert page.get_by_role("heading", level=1).inner_text() == "Overview, quarter 1, 2016"
