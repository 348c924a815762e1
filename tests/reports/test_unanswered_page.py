"""The page of the questions that are seldom answered: what it says, what it keeps to itself, and what it costs."""

import re
from datetime import date, timedelta
from html import unescape
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpline import policy
from helpline.contacts import log_contact
from helpline.entries import ContactEntry
from helpline.models import Contact, User
from helpline.taxonomy import CODE_LISTS
from reports import live, rollups
from reports.periods import containing, parse
from tests import oracle

pytestmark = pytest.mark.django_db

ADDRESS = "/overview/unanswered/"
ENOUGH = 10


@pytest.fixture
def coordinator(db) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("coordinator", None, role=policy.COORDINATOR))
    return client


@pytest.fixture
def pilot_year(db) -> None:
    call_command("import_contacts", str(oracle.DATA / "pilot-year.csv"))
    rollups.refresh(seconds=600)


def log(times: int = 1, day: date | None = None, **answers: str) -> None:
    """Contacts through the door; relevant and by telephone unless told otherwise, codes parted by blanks."""
    given = {"channel": "telefon", "result": "relevant"} | answers
    today = timezone.localdate()
    for _ in range(times):
        entry = ContactEntry(day or today, {question: frozenset(codes.split()) for question, codes in given.items()})
        log_contact(by=None, key=uuid4(), entry=entry, now=timezone.now(), today=today)


def read(client: Client, query: str = "", language: str = "en") -> str:
    response = client.get(ADDRESS + query, headers={"accept-language": language})
    assert response.status_code == 200
    return response.content.decode()


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_a_day_that_cannot_be_counted_is_said_to_be_missing_and_holds_up_no_other(coordinator, uncountable):
    month = f"?period={containing('quarter', uncountable).code}"
    log(day=uncountable)
    assert "The contacts of 1 day could not be counted and are missing in the figures" in text(read(coordinator, month))
    assert "No contacts in this period" not in text(read(coordinator, month))
    log(ENOUGH, day=uncountable - timedelta(days=400))
    old = text(read(coordinator, f"?period={containing('month', uncountable - timedelta(days=400)).code}"))
    assert "could not be counted" not in old and "100.0%" in old


def table(html: str) -> dict[str, list[str]]:
    """{question: its cells}, in the order of the rows."""
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', html, re.S)
    return {unescape(label): re.findall(r"<td[^>]*>(.*?)</td>", cells) for label, cells in rows}


def drawn(html: str) -> dict[str, str]:
    """{question: the figure beside its bar}, in the order of the bars."""
    (drawing,) = re.findall(r"<svg.*?</svg>", html, re.S)
    found = re.findall(r'<text transform="translate\(\d+,(\d+)\)"[^>]*>(.*?)</text>', drawing)
    at = {int(y): unescape(words) for y, words in found}
    return {at[y]: at[y + 18] for y in sorted(at) if y + 18 in at}


# --- what it says ----------------------------------------------------------------------------------------------------


def test_a_row_says_how_many_were_asked_and_what_share_gave_no_answer_and_why(coordinator):
    log(5, caller_role="narstaende", county="01")
    log(3, caller_role="vet_ej")
    log(1, caller_role="avboj")
    log(1)
    rows = table(read(coordinator))
    assert rows["Caller’s role"] == ["10", "10.0%", "30.0%", "10.0%", "50.0%"]
    assert rows["County"] == ["10", "50.0%", "0.0%", "0.0%", "50.0%"]


def test_several_answers_of_one_contact_are_one_answer(coordinator):
    log(7, concerns="natet hot metod")
    log(3, concerns="vet_ej")
    assert table(read(coordinator))["Type of concern"] == ["10", "0.0%", "30.0%", "0.0%", "70.0%"]


def test_a_question_that_did_not_apply_was_not_asked(coordinator):
    log(10, caller_role="yrkes", sector="skola", relation="ingen")
    log(10, caller_role="narstaende")
    rows = table(read(coordinator))
    assert rows["Sector"] == ["10", "0.0%", "0.0%", "0.0%", "100.0%"]
    assert rows["Age of the person concerned"] == ["10", "100.0%", "0.0%", "0.0%", "0.0%"]


def test_only_the_length_is_asked_of_every_contact(coordinator):
    log(6, length="u5")
    log(6, result="info", caller_role="yrkes")
    rows = table(read(coordinator))
    assert rows["Length of contact"] == ["12", "50.0%", "0.0%", "0.0%", "50.0%"]
    assert rows["Caller’s role"] == ["6", "too few"]


def test_of_fewer_than_ten_no_share_is_shown_neither_written_nor_drawn(coordinator):
    log(ENOUGH - 1, county="01", caller_role="yrkes")
    html = read(coordinator)
    assert set(map(tuple, table(html).values())) == {("9", "too few"), ("0", "too few")}
    assert list(drawn(html).values()) == ["too few"] * len(live.SKIPPABLE)
    log(1, county="01", caller_role="yrkes")
    html = read(coordinator)
    assert table(html)["County"] == ["10", "0.0%", "0.0%", "0.0%", "100.0%"]
    assert (drawn(html)["County"], drawn(html)["Environment"]) == ("0.0%", "100.0%")


def test_the_questions_stand_in_the_order_of_the_conversation(coordinator):
    log(ENOUGH)
    labels = [CODE_LISTS[question].en for question in live.SKIPPABLE]
    html = read(coordinator)
    assert list(table(html)) == labels == list(drawn(html))
    assert not {CODE_LISTS["channel"].en, CODE_LISTS["result"].en} & set(labels)


def test_the_least_answered_stand_first_when_asked_for_and_the_too_few_last(coordinator):
    log(ENOUGH, county="01", caller_role="narstaende", concerns="natet")
    log(ENOUGH // 2, county="01", caller_role="avboj", concerns="natet")
    html = read(coordinator, "?order=share")
    labels = list(table(html))
    shares = [cells[4] for cells in table(html).values() if len(cells) == 5]
    assert labels == list(drawn(html))
    assert labels.index("Environment") < labels.index("Caller’s role") < labels.index("County") < labels.index("Sector")
    assert shares == sorted(shares, key=lambda share: float(share.rstrip("%")))
    assert labels[-1] in {label for label, cells in table(html).items() if cells[-1] == "too few"}
    assert list(table(read(coordinator, "?order=nonsense"))) == [CODE_LISTS[q].en for q in live.SKIPPABLE] != labels


def test_the_order_is_kept_from_period_to_period(coordinator):
    log(ENOUGH)
    month = containing("month", timezone.localdate())
    html = read(coordinator, "?order=share")
    assert f'href="?period={month.previous().code}&amp;order=share"' in html
    assert '<input type="hidden" name="order" value="share">' in html
    assert "order" not in re.findall(r'href="\?period=[^"]*"', read(coordinator))[0]


def test_table_and_drawing_are_the_oracles(coordinator, pilot_year):
    html = read(coordinator, "?period=2016-Q1")
    rows = oracle.within(oracle.rows_of(), date(2016, 1, 1), date(2016, 4, 1))
    for question, (asked, *silent) in oracle.without_answer(rows).items():
        cells = table(html)[CODE_LISTS[question].en]
        assert cells[0] == str(asked)
        if asked < ENOUGH:
            assert cells[1:] == ["too few"]
        else:
            parts = [*silent, asked - sum(silent)]
            assert [float(cell.rstrip("%")) for cell in cells[1:]] == pytest.approx(
                [100 * part / asked for part in parts], abs=0.051
            )
            assert float(drawn(html)[CODE_LISTS[question].en].rstrip("%")) == pytest.approx(
                100 * sum(silent) / asked, abs=0.051
            )


def test_it_says_on_its_face_what_it_counts_and_that_it_is_internal(coordinator):
    log(ENOUGH)
    english, swedish = text(read(coordinator)), text(read(coordinator, language="sv"))
    for said in (
        "Internal – not for publication",
        "They count contacts, not people",
        "the relevant ones it applies to",
        "where fewer than 10 contacts were asked",
    ):
        assert said in english
    for said in (
        "Frågor som sällan får svar",
        "Intern – inte för publicering",
        "De räknar kontakter, inte personer",
        "där frågan gällde färre än 10 kontakter",
        "Ej frågat eller framgick inte",
        "100,0\u00a0%",
    ):
        assert " ".join(said.split()) in swedish


# --- what it does not say --------------------------------------------------------------------------------------------


def test_an_empty_period_has_no_table_and_no_drawing(coordinator):
    log(ENOUGH)
    html = read(coordinator, "?period=2016-06")
    assert "No contacts in this period" in text(html)
    assert "<svg" not in html and "<table" not in html


def test_it_is_switched_off_with_the_breakdowns_and_then_reads_nothing(coordinator, settings, monkeypatch):
    log(ENOUGH)
    assert f'href="{ADDRESS}?period=' in coordinator.get("/overview/").content.decode()
    settings.REPORTS_LIVE_BREAKDOWNS = False
    monkeypatch.setattr(live, "unanswered", None)
    html = read(coordinator)
    assert "breakdowns are switched off" in text(html)
    assert "<svg" not in html and "<table" not in html
    assert ADDRESS not in coordinator.get("/overview/").content.decode()


def test_a_withdrawn_contact_is_asked_nothing(coordinator):
    log(ENOUGH)
    assert table(read(coordinator))["County"][0] == "10"
    Contact.objects.filter(pk=Contact.objects.first().pk).update(is_withdrawn=True)
    assert table(read(coordinator))["County"] == ["9", "too few"]


@pytest.mark.parametrize("code", ["2016-W54", "2016", "2014-12", "2999-12"])
def test_a_period_that_cannot_be_shown_is_refused_with_a_way_back_to_this_page(coordinator, code):
    response = coordinator.get(ADDRESS, {"period": code})
    assert response.status_code == 400
    assert f'<a href="{ADDRESS}">' in response.content.decode()
    assert f'action="{ADDRESS}"' in response.content.decode()


@pytest.mark.parametrize("role", sorted(policy.ROLES))
def test_only_the_coordinator_gets_it_and_no_menu_names_it(client, role):
    client.force_login(User.objects.create_user("someone", None, role=role))
    assert client.get(ADDRESS).status_code == (200 if role == policy.COORDINATOR else 403)
    assert not policy.ACTIONS["overview.unanswered"].page
    assert policy.ACTIONS["overview.unanswered"].roles == policy.ACTIONS["overview.view"].roles


# --- what it costs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?period=2016-Q1", "?period=2016-02", "?period=2016-W10&order=share"])
def test_the_page_asks_the_database_at_most_eight_times(coordinator, pilot_year, query):
    log()
    log(day=date(2016, 2, 3))
    with CaptureQueriesContext(connection) as asked:
        read(coordinator, query)
    tables = [match[1] for q in asked if (match := re.search(r'FROM "(\w+)"', q["sql"]))]
    assert "django_session" in tables and {"reports_daycount", "reports_monthcount"} & set(tables)
    assert len(tables) <= 8, tables


def test_the_page_is_small(coordinator, pilot_year):
    for language in ("sv", "en"):
        assert len(read(coordinator, "?period=2016-Q1", language=language).encode()) <= 40_000


# --- in a browser ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_page_is_accessible_and_fits_the_screen(live_server, page, context, coordinator, language, width):
    log(ENOUGH, day=timezone.localdate() - timedelta(days=1), caller_role="yrkes", county="avboj", environment="vet_ej")
    name = next(iter(coordinator.cookies))
    context.add_cookies([{"name": name, "value": coordinator.cookies[name].value, "url": live_server.url}])
    context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
    page.set_viewport_size({"width": width, "height": 900})
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if message.type in ("error", "warning") else None)
    page.goto(live_server.url + ADDRESS + f"?period={parse('2016-Q1').code}")
    assert Axe().run(page).response["violations"] == []
    day = timezone.localdate() - timedelta(days=1)
    page.goto(live_server.url + ADDRESS + f"?period={containing('week', day).code}&order=share")
    assert page.locator("html").get_attribute("lang") == language
    assert page.locator("svg.chart:visible").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page).response["violations"]
    assert [(violation["id"], [node["html"] for node in violation["nodes"]]) for violation in found] == []
    assert refused == []
    if width == 1280:
        sheet = page.locator(".sheet")
        assert sheet.evaluate("one => one.scrollWidth <= one.clientWidth")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_pages_that_lack_a_day_are_accessible_and_fit_the_screen(
    live_server, page, context, coordinator, uncountable, width
):
    log(ENOUGH, day=uncountable)
    name = next(iter(coordinator.cookies))
    context.add_cookies([{"name": name, "value": coordinator.cookies[name].value, "url": live_server.url}])
    context.add_cookies([{"name": "django_language", "value": "en", "url": live_server.url}])
    page.set_viewport_size({"width": width, "height": 900})
    for address in (ADDRESS, "/traffic/"):
        page.goto(f"{live_server.url}{address}?period={containing('week', uncountable).code}")
        assert "could not be counted and are missing" in page.get_by_role("alert").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert Axe().run(page).response["violations"] == []
