"""The page on which an evaluator sees which years have a row file, how good it is, and why another has none."""

import json
from datetime import date

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.utils import timezone

from helpline import policy
from helpline.models import User
from reports import row_files
from reports.disclosure.microdata import TOO_COARSE, Limits
from reports.disclosure.protect import Parameters
from reports.models import PreparedFile, PublishedFile
from tests.granted import grant
from tests.reports.closed_year import YEAR, close
from tests.reports.test_statistics_pages import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def evaluator(db) -> User:
    return User.objects.create_user("evaluator", None, role=policy.EVALUATOR)


def text_of(user: User, language: str = "en") -> str:
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    return words(client.get("/statistics/files/").content.decode())


@pytest.fixture
def published(db) -> PublishedFile:
    close()
    row_files.prepare_due(today=date(2017, 1, 15), limits=Limits(), rule=Parameters())
    prepared = PreparedFile.objects.get()
    row_files.publish(YEAR, sha256=prepared.sha256, by=None, now=timezone.now())
    return PublishedFile.objects.get()


def test_before_any_year_is_closed_the_page_says_so(evaluator):
    assert "No year is closed yet" in text_of(evaluator)


def test_each_file_stands_with_its_report(evaluator, published):
    text, utility = text_of(evaluator), json.loads(published.manifest)["utility"]
    assert f"Rows {utility['rows']}" in text
    assert (
        f"Rows left out {utility['suppressed']}, rounded to fives ({100 * utility['suppressed_share']:.1f} %)" in text
    )
    assert f"Detail lost, rows left out counted whole {100 * utility['loss']:.1f} %" in text
    assert f"at most {utility['largest_bias_percent']} percentage points" in text
    assert f"Fewest rows of a kind {utility['smallest_class']}" in text
    assert "Region left out 100 %" in text or "left out 100 %" in text
    assert published.sha256 in text


def test_a_file_can_be_fetched_by_whoever_has_a_grant(evaluator, published):
    assert "To fetch row files you need a grant" in text_of(evaluator)
    grant(evaluator)
    client = Client(headers={"accept-language": "en"})
    client.force_login(evaluator)
    html = client.get("/statistics/files/").content.decode()
    assert f'href="/api/v1/files/{YEAR}/"' in html and "you need a" not in html
    assert client.get(f"/api/v1/files/{YEAR}/").content.decode() == published.content


def test_a_year_without_a_file_says_why(evaluator):
    close(contacts_a_month=20)
    row_files.prepare_due(today=date(2017, 1, 15), limits=Limits(), rule=Parameters())
    PublishedFile.objects.create(
        year=2015, refused=TOO_COARSE, manifest='{"parameters":{}}', published_on=date(2016, 1, 15)
    )
    text = text_of(evaluator)
    assert "No row file: the year has fewer than 600 operationally relevant contacts" in text
    assert "more than 65 per cent of the detail would be lost" in text
    assert text.index("2016") < text.index("2015")
    assert "Ingen radfil: året har färre än 600 verksamhetsrelevanta kontakter" in text_of(evaluator, "sv")


def test_what_only_waits_is_not_on_the_page(evaluator):
    close()
    row_files.prepare_due(today=date(2017, 1, 15), limits=Limits(), rule=Parameters())
    assert str(YEAR) not in text_of(evaluator).split("How to read a row file")[0]


def test_the_legend_says_what_files_keep(evaluator):
    limits, text = Limits(), text_of(evaluator)
    assert (limits.k, limits.l, limits.top_percent, limits.cell) == (10, 3, 80, 5)
    assert "at least nine others" in text and "at least three main types of concern" in text
    assert "none of them in more than 80 per cent" in text and "fewer than five contacts with a concern" in text


# --- in the browser ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.django_db(transaction=True)
def test_the_pages_of_row_files_have_no_barriers_and_fit_the_screen(page, context, live_server, language, width):
    close()
    row_files.prepare_due(today=date(2017, 1, 15), limits=Limits(), rule=Parameters())
    waiting = PreparedFile.objects.get()
    PreparedFile.objects.create(year=YEAR + 1, percent=35, prepared_on=date(2017, 1, 15))
    refusal = {"year": YEAR - 1, "refused": TOO_COARSE, "manifest": '{"parameters":{}}'}
    PublishedFile.objects.create(published_on=date(2016, 1, 15), **refusal)
    PublishedFile.objects.create(
        **{name: getattr(waiting, name) for name in ("content", "manifest", "sha256")},
        year=YEAR - 2,
        published_on=date(2017, 1, 20),
    )
    client = Client()
    client.force_login(User.objects.create_user("coordinator", None, role=policy.COORDINATOR))
    cookies = {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}
    cookies["django_language"] = language
    context.add_cookies([{"name": n, "value": v, "url": live_server.url} for n, v in cookies.items()])
    page.set_viewport_size({"width": width, "height": 900})
    for where in ("/statistics/files/", "/releases/", f"/releases/files/{YEAR}/"):
        page.goto(live_server.url + where)
        assert page.locator("html").get_attribute("lang") == language
        found = Axe().run(page).response["violations"]
        assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == [], where
        assert page.evaluate("document.documentElement.scrollWidth") <= width, where
