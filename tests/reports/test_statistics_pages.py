"""The published statistics as their reader meets them: the same cells as stored, no nought, nothing else asked."""

import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from xml.etree import ElementTree

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from helpline import policy
from helpline.models import User
from reports import published
from reports.catalogue import TABLES
from reports.disclosure.protect import HIDDEN
from reports.models import Grant, PublishedCell, Release
from reports.published_table import PublishedTable
from reports.views import sheets, statistics
from tests.granted import grant
from tests.reports.conftest import QUIET

pytestmark = pytest.mark.django_db

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def evaluator(db) -> Client:
    client = Client(headers={"accept-language": "en"})
    user = User.objects.create_user("evaluator", None, role=policy.EVALUATOR)
    grant(user)
    client.force_login(user)
    return client


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


class Page:
    """What a reader sees of a table's page: its tables as rows of texts, its drawings, its text and its links."""

    def __init__(self, html: str) -> None:
        self.html, self.text = html, words(html)
        self.tables = {
            name: [self._cells(row) for row in re.findall(r"<tr.*?</tr>", body, re.S)]
            for name, body in re.findall(r'<table class="counts[^>]*data-contents="(\w+)".*?>(.*?)</table>', html, re.S)
        }
        drawings = re.findall(r"<svg.*?</svg>", html, re.S)
        self.drawings = [ElementTree.fromstring(drawing) for drawing in drawings]  # noqa: S314
        earlier = re.search(r'<a rel="prev" href="([^"]+)"', html)
        self.earlier = earlier and earlier[1]

    @staticmethod
    def _cells(row: str) -> list[str]:
        return [words(cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)]

    def drawn(self) -> list[str]:
        return [text.text or "" for drawing in self.drawings for text in drawing.iter(f"{SVG}text")]


def read(client: Client, table: str, query: str = "", status: int = 200) -> Page:
    response = client.get(f"/statistics/{table}/{query}")
    assert response.status_code == status
    return Page(response.content.decode())


def pages(client: Client, table: str) -> Iterator[Page]:
    """The page of the latest periods, and every earlier one that it leads to."""
    query: str | None = ""
    while query is not None:
        page = read(client, table, query)
        yield page
        query = page.earlier


def on_page(page: Page, figures: PublishedTable) -> dict[tuple[str, ...], str]:
    """{labels of the variables, contents code, label of the period: text of the cell}."""
    found: dict[tuple[str, ...], str] = {}
    for contents, (heads, *rows) in page.tables.items():
        for label, *cells in rows:
            if not figures.table.variables:
                found |= {(name, label): c for name, c in zip(figures.table.contents, cells, strict=True)}
            elif len(figures.table.variables) == 1:
                assert heads[-1] == "Share"
                found |= {(label, contents, head): c for head, c in zip(heads[1:-1], cells[:-1], strict=True)}
            else:
                period = re.search(r'<h2 id="\w+">[^<]*\), ([^<]*)</h2>', page.html)[1]
                period = sheets.capitalised(period)
                found |= {(label, head, contents, period): c for head, c in zip(heads[1:], cells, strict=True)}
    return found


def stored(figures: PublishedTable) -> dict[tuple[str, ...], str]:
    found = {}
    for codes, value in figures.cells():
        *classes, contents, time = codes
        labels = [figures.label_of(d.id, c, "en") for d, c in zip(figures.dimensions, classes, strict=False)]
        period = sheets.capitalised(figures.label_of("Tid", time, "en"))
        found[(*labels, contents, period)] = ".." if value is HIDDEN else f"{value:,}"
    return found


# --- the same cells --------------------------------------------------------------------------------------------------


def test_every_cell_of_every_table_is_on_its_pages_and_nothing_else_is(evaluator, released):
    for listed in published.tables():
        figures = published.table(listed.table.id)
        found: dict[tuple[str, ...], str] = {}
        for page in pages(evaluator, listed.table.id):
            found |= on_page(page, figures)
        assert found == stored(figures), listed.table.id
        assert set(found.values()) <= {"..", *(str(n) for n in range(5, 1000, 5))}
    assert len(published.tables()) > 100


def test_a_nought_cannot_come_from_what_is_published(evaluator, released):
    """The control of the test above: of a value that is not a published one it would find the cell."""
    figures = published.table("gender-year")
    page = read(evaluator, "gender-year")
    changed = Page(page.html.replace("<td>", "<td>0", 1))
    assert on_page(page, figures).items() <= stored(figures).items()
    assert not on_page(changed, figures).items() <= stored(figures).items()


def test_the_drawing_shows_the_figures_of_the_table_and_marks_what_is_hidden(evaluator, released):
    for table in ("concerns-year", "county-year", "all-result-quarter", "total-month"):
        page = read(evaluator, table)
        heads, *rows = page.tables["kontakter"]
        column = 1 if table == "total-month" else len(heads) - 2
        values = {row[0]: row[column] for row in rows if row[0] != "Total"}
        shown = {label: value for label, value in values.items() if value != ".."}
        hidden = {label: value for label, value in values.items() if value == ".."}
        assert page.drawn() == [*values, *shown.values(), *hidden.values()]
        bars = [p for p in page.drawings[0].iter(f"{SVG}path") if re.match(r"M0,[\d.]+h[\d.]+v", p.attrib["d"])]
        assert len(bars) == len(shown), table
    assert ".." in read(evaluator, "county-year").drawn()


def test_the_drawings_of_a_two_way_table_share_one_scale(evaluator, released):
    page = read(evaluator, "caller_role_3-age_2-year")
    rows = page.tables["kontakter"][2:]
    lengths: dict[str, set[float]] = {}
    for drawing, row in zip(page.drawings, rows, strict=True):
        bars = [re.match(r"M0,[\d.]+h([\d.]+)v", p.attrib["d"]) for p in drawing.iter(f"{SVG}path")]
        for bar, value in zip([b for b in bars if b], [v for v in row[2:] if v != ".."], strict=True):
            lengths.setdefault(value, set()).add(float(bar[1]))
    assert lengths and all(len(same) == 1 for same in lengths.values())
    longest = max(lengths, key=int)
    for value, (length,) in lengths.items():
        assert length == pytest.approx(next(iter(lengths[longest])) * int(value) / int(longest), abs=0.2)


def test_a_share_is_of_published_values_and_hidden_where_one_of_them_is(evaluator, released):
    _, total, *rows = read(evaluator, "concerns-year").tables["kontakter"]
    assert total[-1] == "100%"
    for *_, value, share in rows:
        assert share == (".." if value == ".." else f"{round(100 * int(value) / int(total[-2]) + 1e-9)}%")
    assert any(row[-1] == ".." for row in rows)


@pytest.mark.parametrize(
    ("part", "whole", "written"),
    [(5, 10, "50%"), (5, 15, "33%"), (10, 15, "67%"), (25, 20, "100%"), (HIDDEN, 20, ".."), (5, HIDDEN, "..")],
)
def test_a_share_is_never_more_than_all_and_never_tells_a_hidden_value(part, whole, written):
    assert sheets.share(part, whole) == written


# --- which period ----------------------------------------------------------------------------------------------------


def test_a_period_without_figures_stands_between_the_others_and_says_so(evaluator, released):
    page = read(evaluator, "total-month")
    march = next(row for row in page.tables["kontakter"] if row[0] == "March 2016")
    assert march[1:] == ["..", ".."] and QUIET == "2016-03"
    assert "No figures for March 2016" in page.text
    assert "No figures" not in read(evaluator, "all-total-quarter").text


def test_a_chosen_period_is_the_last_one_shown(evaluator, released):
    page = read(evaluator, "gender-quarter", "?tid=2016K2")
    assert page.tables["kontakter"][0][-2] == "Quarter 2, 2016"
    assert "Quarter 3, 2016" not in page.tables["kontakter"][0]
    assert '<option value="2016K2" selected>' in page.html
    assert 'rel="next" href="?tid=2016K4"' in page.html
    assert 'rel="next"' not in read(evaluator, "gender-quarter").html


def test_a_two_way_table_shows_one_period(evaluator, released):
    publish_the_year_once_more_as(2015)
    latest = read(evaluator, "caller_role_3-age_2-year")
    earlier = read(evaluator, "caller_role_3-age_2-year", "?tid=2015")
    assert "(U4), 2016" in latest.text and "(U4), 2015" in earlier.text


def publish_the_year_once_more_as(year: int) -> None:
    of = Release.objects.get(kind="year")
    cells = list(of.cells.all())
    of.pk, of.start, of.end = None, date(year, 1, 1), date(year + 1, 1, 1)
    of.save(force_insert=True)
    for cell in cells:
        cell.pk, cell.release, cell.period = None, of, str(year)
    PublishedCell.objects.bulk_create(cells)


def test_each_table_leads_to_the_same_table_by_other_periods(evaluator, released):
    found = re.findall(r'<li><a href="/statistics/([\w-]+)/"', read(evaluator, "gender-quarter").html)
    assert found == ["gender-quarter", "gender-halfyear", "gender-year", "gender-pilot"]


@pytest.mark.parametrize("table", ["no-such-table", "county-month", "county-region", "..", "gender-quarter%00"])
def test_what_does_not_exist_and_what_is_not_published_look_the_same(evaluator, db, table):
    """The second is a table of the catalogue, without any release."""
    assert "gender-quarter" in TABLES
    unknown = read(evaluator, table, status=404) if table != ".." else read(evaluator, "x", status=404)
    unpublished = read(evaluator, "gender-quarter", status=404)
    without_token = re.compile(r'name="csrfmiddlewaretoken" value="\w+"|name="next" value="[^"]*"')
    assert without_token.sub("", unknown.html) == without_token.sub("", unpublished.html)
    assert "This table is not published" in unknown.text and 'href="/statistics/"' in unknown.html


@pytest.mark.parametrize("tid", ["2016M01", "2014K1", "2016K5", "<script>", "\0", "9" * 5000])
def test_a_period_that_the_table_lacks_is_refused_with_a_way_back(evaluator, released, tid):
    response = evaluator.get("/statistics/gender-quarter/", {"tid": tid})
    html = response.content.decode()
    assert response.status_code == 404 and "<script>" not in html
    assert 'href="/statistics/gender-quarter/"' in html


def test_files_are_offered_to_whom_they_would_be_given(evaluator, released):
    address = re.search(r'href="(/api/px/[^"]+)"', read(evaluator, "gender-year").html)[1].replace("&amp;", "&")
    assert evaluator.get(address).status_code == 200
    Grant.objects.update(until="2026-01-01", issued_on="2026-01-01")
    page = read(evaluator, "gender-year")
    assert "/api/" not in page.html and "To fetch them as files or by program you need a grant" in page.text
    assert evaluator.get(address).status_code == 403


# --- what stands beside the figures ----------------------------------------------------------------------------------


def test_the_page_says_what_it_counts_how_and_where_it_comes_from(evaluator, released):
    page = read(evaluator, "concerns-year")
    release = Release.objects.get(kind="year", start="2016-01-01")
    assert "Number of operationally relevant contacts (U4)" in page.text
    assert page.text.count(".. = too few contacts to be shown, or hidden to protect another figure.") == 1
    assert "randomly rounded" in page.text and "count contacts, not people" in page.text
    assert "A contact can have several answers" in page.text
    belongs = "Total counts the contacts that the question belongs to"
    assert belongs in page.text and belongs not in read(evaluator, "total-year").text
    assert release.sha256 in page.text and "edition 1" in page.text
    for form in ("csv", "json-stat2"):
        assert f'href="/api/px/v2/tables/concerns-year/data?lang=en&amp;outputFormat={form}"' in page.html


def test_the_list_has_every_published_table_once_and_what_its_latest_shows(evaluator, released):
    html = evaluator.get("/statistics/").content.decode()
    found = re.findall(r'href="/statistics/([\w-]+)/"', html)
    assert sorted(found) == sorted(["files", "method", *(listed.table.id for listed in published.tables())])
    cells = PublishedCell.objects.filter(table="gender-year", period="2016")
    shown = cells.exclude(value=None).count()
    line = next(
        line for line in re.findall(r"<li>\s*<span.*?</li>\s*</ul>.*?</li>", html, re.S) if "gender-year" in line
    )
    assert f"Latest: 2016, {shown} of {cells.count()} figures shown" in words(line)


def test_every_table_of_the_catalogue_belongs_to_one_chapter():
    for table in TABLES.values():
        name = table.variables[-1].id if table.variables else ""
        assert sum(name in names for names in statistics.CHAPTERS.values()) == 1, table.id


def test_without_any_release_the_list_says_so(evaluator):
    text = words(evaluator.get("/statistics/").content.decode())
    assert "Nothing is published yet" in text
    assert "No live figure is shown here" in text


def test_what_is_prepared_but_not_published_is_not_there(evaluator, prepared):
    assert "Nothing is published yet" in words(evaluator.get("/statistics/").content.decode())
    read(evaluator, "gender-year", status=404)


def test_swedish_pages_are_swedish(evaluator, released):
    swedish = {"accept-language": "sv"}
    page = Page(evaluator.get("/statistics/gender-year/", headers=swedish).content.decode())
    assert "Verksamhetsrelevanta kontakter efter kön, den oron gäller och år" in page.text
    assert "Uppgift saknas är summan av" in page.text
    assert page.tables["kontakter"][1][0] == "Samtliga" and page.tables["kontakter"][1][-1] == "100 %"
    assert "Den oron gäller" in words(evaluator.get("/statistics/", headers=swedish).content.decode())


# --- who gets it, and what it costs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", sorted(policy.ROLES))
def test_coordinators_and_evaluators_read_the_statistics(client, released, role):
    client.force_login(User.objects.create_user("someone", None, role=role))
    expected = 200 if role in (policy.COORDINATOR, policy.EVALUATOR) else 403
    assert client.get("/statistics/").status_code == expected
    assert client.get("/statistics/gender-year/").status_code == expected


def asked_by(client: Client, path: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return [match[1] for query in queries if (match := re.search(r'FROM "(\w+)"', query["sql"]))]


PUBLISHED_ONLY = {"django_session", "helpline_user", "helpline_demonstration"} | {
    "reports_release",
    "reports_publishedcell",
    "reports_grant",
}


@pytest.mark.parametrize("table", ["", "gender-quarter", "total-month", "caller_role_3-age_2-year", "county-year"])
def test_a_page_asks_for_published_rows_only_and_as_often_whatever_it_shows(evaluator, released, table):
    path = reverse("table", args=[table]) if table else "/statistics/"
    asked = asked_by(evaluator, path)
    assert set(asked) <= PUBLISHED_ONLY
    assert len(asked) == (7 if table else 4), asked


def test_a_page_that_reads_records_would_be_found(evaluator, released):
    evaluator.force_login(User.objects.create_user("coordinator", None, role=policy.COORDINATOR))
    assert not set(asked_by(evaluator, "/releases/")) <= PUBLISHED_ONLY


# --- in a browser ----------------------------------------------------------------------------------------------------


@pytest.fixture
def seen(live_server, page, context):
    """Open a page as an evaluator, in a language and a width; gives the page and what the browser refused."""
    client = Client()
    client.force_login(User.objects.create_user("evaluator", None, role=policy.EVALUATOR))
    name = next(iter(client.cookies))
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: refused.append(str(error)))

    def open_page(path: str, language: str, width: int):
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(live_server.url + path)
        page.wait_for_load_state("networkidle")
        assert page.locator("html").get_attribute("lang") == language
        return page, refused

    return open_page


STATES = [
    "",
    "gender-quarter/",
    "total-month/",
    "caller_role_3-age_2-year/",
    "county-year/",
    "referral_target-year/",
]


@pytest.mark.parametrize(("language", "width"), [("sv", 1280), ("sv", 390), ("en", 1280), ("en", 390)])
def test_the_pages_are_accessible_keep_their_policy_and_fit_the_screen(seen, released, language, width):
    for state in STATES:
        page, refused = seen(f"/statistics/{state}", language, width)
        assert refused == [], state
        assert page.evaluate("document.documentElement.scrollWidth") <= width, state
        found = Axe().run(page).response["violations"]
        assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == [], state


def test_the_empty_list_and_the_missing_table_are_accessible_too(seen):
    for state in ("", "no-such-table/"):
        page, _ = seen(f"/statistics/{state}", "sv", 390)
        assert Axe().run(page).response["violations"] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_another_period_is_chosen_by_hand(seen, released):
    page, _ = seen("/statistics/gender-quarter/", "en", 390)
    page.get_by_label("Last period shown").select_option(label="Quarter 2, 2016")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/statistics/gender-quarter/?tid=2016K2")
    assert page.locator(".counts thead th").nth(-2).inner_text() == "Quarter 2, 2016"
