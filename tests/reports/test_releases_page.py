"""The page on which a coordinator reads what is prepared, publishes it, and sees what is frozen, late and out."""

import hashlib
import json
import re
from datetime import UTC, date, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpline import approvals, policy
from helpline.models import Approval, DaySeal, User
from reports import editions
from reports.disclosure.protect import Parameters
from reports.models import GateRun, PublishedCell, Release, ReleaseKey
from reports.periods import containing
from reports.release import Rule
from reports.views import releases
from tests.granted import coordinator as coordinator_named
from tests.reports.test_statistics_pages import Page, words

pytestmark = pytest.mark.django_db

NOW = datetime(2017, 2, 1, 12, tzinfo=UTC)


@pytest.fixture
def coordinator(db) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_user("coordinator", None, role=policy.COORDINATOR))
    return client


def text_of(client: Client, path: str = "/releases/", status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status
    return words(response.content.decode())


def year() -> Release:
    return Release.objects.get(kind="year", start=date(2016, 1, 1), edition=1)


# --- what is frozen, and what is late --------------------------------------------------------------------------------


def test_without_contacts_nothing_is_frozen_due_or_waiting(coordinator):
    text = text_of(coordinator)
    assert "No month is frozen yet. The first month is frozen when there are contacts." in text
    assert "Nothing waits." in text and "Nothing is published yet." in text
    assert "Late" not in text


def test_the_next_month_and_its_freeze_day_are_named_with_what_is_whole_then(coordinator, prepared):
    month = containing("month", timezone.localdate())
    text = text_of(coordinator)
    assert f"Frozen up to and including {month.previous().label('en')}." in text
    assert f"Next is {month.label('en')}, on 15 {month.next().label('en')}." in text
    assert "was to be frozen" not in text


def test_the_last_month_of_a_year_completes_quarter_half_year_and_year():
    december = containing("month", date(2016, 12, 1))
    assert [period.code for period in releases._ending_with(december)] == ["2016-12", "2016-Q4", "2016-H2", "2016"]


def test_a_month_whose_freeze_day_has_passed_is_shown_as_late(coordinator, prepared):
    DaySeal.objects.filter(day__gte=date(2017, 1, 1)).delete()
    assert "Late: January 2017 was to be frozen on 15 February 2017." in text_of(coordinator)


def test_a_run_of_the_gate_is_followed_until_its_end_also_where_a_release_is_made_anew(coordinator, prepared):
    run, _ = GateRun.objects.update_or_create({"done": 3, "of": 17}, kind="year", start=date(2016, 1, 1), edition=1)
    text = text_of(coordinator)
    assert "The audit of 2016 is at 3 of 17 groups of tables." in text and text.count("groups of tables") == 1
    GateRun.objects.filter(pk=run.pk).update(done=17)
    assert "groups of tables" not in text_of(coordinator)


def test_a_period_that_is_whole_and_has_no_release_is_shown_as_late(coordinator, prepared):
    DaySeal.objects.filter(day__gte=date(2017, 1, 1)).delete()
    assert "Late: not prepared yet: December 2016." in text_of(coordinator)
    Release.objects.filter(kind="half-year", start=date(2016, 7, 1)).delete()
    assert "Late: not prepared yet: December 2016, half-year 2, 2016." in text_of(coordinator)


# --- what waits to be read -------------------------------------------------------------------------------------------


def test_each_prepared_release_says_how_much_it_shows_and_how_it_was_made(coordinator, prepared):
    html = coordinator.get("/releases/").content.decode()
    for release in Release.objects.all():
        tables = json.loads(release.manifest)["tables"].values()
        admitted, shown = sum(t["admitted"] for t in tables), sum(t["shown"] for t in tables)
        said = f"{admitted} of {len(tables)} tables, with {shown} of {sum(t['cells'] for t in tables)} figures shown."
        line = re.search(rf'<li>(?:(?!<li>).)*href="/releases/{release.pk}/".*?</li>', html, re.S)[0]
        assert said in words(line) and release.sha256 in line
        assert "Passed: nothing that is published gives a small number away." in line
        assert "Fewest contacts in a shown cell 5" in words(line)


def test_months_are_read_before_the_quarter_that_is_made_of_them(coordinator, prepared):
    html = coordinator.get("/releases/").content.decode()
    names = re.findall(r"<h3>(.*?)</h3>", html)
    assert names.index("October 2016") < names.index("November 2016") < names.index("Quarter 4, 2016")
    assert names[-3:] == ["Quarter 4, 2016", "Half-year 2, 2016", "2016"]


def test_the_candidate_is_read_before_it_is_published_and_says_what_it_is(coordinator, prepared):
    release = year()
    candidate = json.loads(release.candidate)
    admitted = [name for name, cells in candidate.items() if cells is not None]
    for name in admitted:
        response = coordinator.get(f"/releases/{release.pk}/?table={name}")
        page = Page(response.content.decode())
        assert "Prepared – not published" in page.text and "Not published" in page.text
        values = [".." if v is None else str(v) for of in candidate[name].values() for v in of.values()]
        cells = [
            cell
            for heads, *rows in page.tables.values()
            for row in rows
            for cell in (row[1:-1] if heads[-1] == "Share" else row[1:])
        ]
        assert sorted(cells) == sorted(values), name
        assert "0" not in cells
    assert len(admitted) > 40


def test_tables_with_too_few_contacts_are_named_and_their_values_are_not_to_be_had(coordinator, prepared):
    release = Release.objects.get(kind="month", start=date(2016, 3, 1))
    text = text_of(coordinator, f"/releases/{release.pk}/?table=total-month")
    assert "tables with too few contacts" in text
    assert "Operationally relevant contacts by month" not in text


# --- publishing ------------------------------------------------------------------------------------------------------


def publish(client: Client, release: Release, **read: str) -> tuple[int, str]:
    response = client.post(f"/releases/{release.pk}/publish/", read, follow=True)
    return response.status_code, words(response.content.decode())


def test_what_was_read_is_published_and_the_history_says_who_and_when(coordinator, prepared):
    release = year()
    status, text = publish(coordinator, release, read=release.sha256)
    cells = [v for of in json.loads(release.candidate).values() for c in (of or {}).values() for v in c.values()]
    assert status == 200 and f"2016 is published: {len(cells)} cells" in text
    release.refresh_from_db()
    assert (release.published_by.username, release.published_on) == ("coordinator", timezone.localdate())
    assert PublishedCell.objects.count() == len(cells)
    assert f"2016 {timezone.localdate().isoformat()} coordinator" in text
    assert "by coordinator" in text_of(coordinator, f"/releases/{release.pk}/")


def test_nothing_is_published_without_the_word_that_it_was_read(coordinator, prepared):
    status, text = publish(coordinator, year())
    assert status == 400 and "Nothing is published" in text
    assert year().published_on is None and not PublishedCell.objects.exists()


def test_what_was_prepared_anew_since_it_was_read_is_not_published(coordinator, prepared):
    read = year().sha256
    Release.objects.filter(pk=year().pk).update(sha256="f" * 64)
    for stale in (read, "on"):
        status, text = publish(coordinator, year(), read=stale)
        assert status == 400 and "Nothing is published" in text
    assert year().published_on is None and not PublishedCell.objects.exists()


def test_publishing_twice_is_said_and_changes_nothing(coordinator, prepared):
    release = year()
    publish(coordinator, release, read=release.sha256)
    before = list(PublishedCell.objects.values_list().order_by("pk"))
    other = Client(headers={"accept-language": "en"})
    other.force_login(User.objects.create_user("second", None, role=policy.COORDINATOR))
    status, text = publish(other, release, read=release.sha256)
    assert status == 200 and "2016 is published already" in text
    assert list(PublishedCell.objects.values_list().order_by("pk")) == before
    assert year().published_by.username == "coordinator"


def test_a_form_of_another_site_publishes_nothing(prepared):
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_user("coordinator", None, role=policy.COORDINATOR))
    assert client.post(f"/releases/{year().pk}/publish/", {"read": "on"}).status_code == 403
    assert year().published_on is None


def test_an_address_publishes_nothing(coordinator, prepared):
    assert coordinator.get(f"/releases/{year().pk}/publish/?read=on").status_code == 405
    assert year().published_on is None


# --- what is out -----------------------------------------------------------------------------------------------------


def test_a_published_release_leads_to_its_tables_and_cannot_be_published_again(coordinator, released):
    html = coordinator.get(f"/releases/{year().pk}/").content.decode()
    assert 'href="/statistics/gender-year/?tid=2016"' in html
    assert "/publish/" not in html
    assert coordinator.get("/statistics/gender-year/?tid=2016").status_code == 200


def test_the_manifest_can_be_taken_away_and_checked(coordinator, prepared):
    release = year()
    response = coordinator.get(f"/releases/{release.pk}/manifest.json")
    assert hashlib.sha256(response.content).hexdigest() == release.sha256
    assert json.loads(response.content)["parameters"]["k"] == 5
    assert response["Content-Disposition"] == 'attachment; filename="manifest-2016-1.json"'


@pytest.mark.parametrize("path", ["/releases/99999/", "/releases/99999/manifest.json", f"/releases/{2**70}/"])
def test_a_release_that_is_not_there_has_a_page_with_a_way_back(coordinator, path):
    response = coordinator.get(path)
    assert response.status_code == 404 and 'href="/releases/"' in response.content.decode()
    assert coordinator.post("/releases/99999/publish/", {"read": "on"}).status_code == 404


# --- a new edition of a year -----------------------------------------------------------------------------------------


def ask_edition(client: Client, of: Release) -> str:
    return words(client.post(f"/releases/{of.pk}/edition/", follow=True).content.decode())


def test_a_new_edition_is_asked_for_and_followed_on_the_page_of_a_published_year(
    coordinator, released, tmp_path, ungated
):
    assert "Ask for a new edition" in text_of(coordinator, f"/releases/{year().pk}/")
    said = ask_edition(coordinator, year())
    assert "Asked for. It is prepared when another coordinator has agreed." in said
    assert "Asked for by coordinator on" in said and "another coordinator must agree" in said
    assert "Ask for a new edition" not in said
    again = ask_edition(coordinator, year())
    assert "Only a published year has a new edition, one at a time" in again
    other = User.objects.create_user("second", None, role=policy.COORDINATOR)
    approvals.decide(Approval.objects.get().pk, by=other, agrees=True, now=timezone.now())
    said = text_of(coordinator, f"/releases/{year().pk}/")
    assert "Asked for by coordinator, agreed to by second. It is prepared within the hour." in said
    rule = Rule(Parameters(), tmp_path / "keys", embedded=True)
    (made,) = editions.prepare_agreed(today=timezone.localdate(), rule=rule)
    html = coordinator.get(f"/releases/{year().pk}/").content.decode()
    assert f'href="/releases/{made.pk}/">read the new edition' in html
    said = text_of(coordinator, f"/releases/{made.pk}/")
    assert "2016, edition 2" in said and "Asked for by coordinator, agreed to by second." in said
    assert "I have read the release through" in said
    status, said = publish(coordinator, made, read=made.sha256)
    assert status == 200 and Release.objects.get(pk=made.pk).published_on
    assert "2016 , edition 2" in text_of(coordinator)


def test_the_page_of_an_old_edition_leads_to_the_new_one(coordinator, released):
    first, by = year(), User.objects.get(username="coordinator")
    other = User.objects.create_user("second", None, role=policy.COORDINATOR)
    new = Release(kind=first.kind, start=first.start, end=first.end, edition=2, prepared_on=timezone.localdate())
    new.candidate, new.manifest, new.requested_by, new.approved_by = "{}", first.manifest, by, other
    new.published_on, new.sha256 = timezone.localdate(), first.sha256
    new.save()
    said = text_of(coordinator, f"/releases/{first.pk}/")
    assert "There is a later edition, and the tables show that one" in said and "Ask for a new edition" not in said
    assert "Ask for a new edition" in text_of(coordinator, f"/releases/{new.pk}/")


def test_nothing_else_has_a_new_edition(coordinator, released):
    for kind in ("month", "quarter", "half-year", "pilot"):
        other = Release.objects.filter(kind=kind).latest("start")
        assert "new edition" not in text_of(coordinator, f"/releases/{other.pk}/")
        assert "Only a published year has a new edition" in ask_edition(coordinator, other)
    assert coordinator.post("/releases/99999/edition/").status_code == 404
    assert coordinator.get(f"/releases/{year().pk}/edition/").status_code == 405
    assert not Approval.objects.exists()


def test_asking_for_an_edition_needs_a_proof_that_is_new(coordinator, released):
    session = coordinator.session
    session["account_authentication_methods"][0]["at"] -= policy.STEP_UP_SECONDS + 1
    session.save()
    response = coordinator.post(f"/releases/{year().pk}/edition/")
    assert response.status_code == 403  # an account with nothing to prove it with: told, not led in circles
    assert not Approval.objects.exists()


# --- who gets it, and what it costs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", sorted(policy.ROLES - {policy.COORDINATOR}))
def test_nobody_but_a_coordinator_sees_or_publishes_a_release(client, prepared, role):
    client.force_login(User.objects.create_user("someone", None, role=role))
    pk = year().pk
    for path in (
        "/releases/",
        f"/releases/{pk}/",
        f"/releases/{pk}/?table=gender-year",
        f"/releases/{pk}/manifest.json",
    ):
        assert client.get(path).status_code == 403, path
    assert client.post(f"/releases/{pk}/publish/", {"read": "on"}).status_code == 403
    assert client.post(f"/releases/{pk}/edition/").status_code == 403
    assert year().published_on is None and not Approval.objects.exists()


def test_the_pages_ask_the_database_as_often_with_one_release_as_with_all(coordinator, prepared):
    pk = year().pk

    def asked() -> list[int]:
        counts = []
        for path in ("/releases/", f"/releases/{pk}/"):
            with CaptureQueriesContext(connection) as queries:
                assert coordinator.get(path).status_code == 200
            counts.append(len(queries))
        return counts

    text_of(coordinator)
    with_all = asked()
    assert with_all[0] <= 15 and with_all[1] <= 9, with_all  # one for each kind of period that ends with the last month
    Release.objects.exclude(pk=pk).delete()
    assert asked() == with_all


# --- in a browser ----------------------------------------------------------------------------------------------------


@pytest.fixture
def seen(live_server, page, context):
    """Open a page as a coordinator, in a language and a width; gives the page and what the browser refused."""
    client = Client()
    client.force_login(User.objects.create_user("coordinator", None, role=policy.COORDINATOR))
    name = next(iter(client.cookies))
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if "Policy" in said.text else None)

    def open_page(path: str, language: str, width: int):
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(live_server.url + path)
        page.wait_for_load_state("networkidle")
        assert page.locator("html").get_attribute("lang") == language
        return page, refused

    return open_page


def faults(page) -> list[tuple[str, list[str]]]:
    found = Axe().run(page).response["violations"]
    return [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found]


@pytest.mark.parametrize(("language", "width"), [("sv", 1280), ("sv", 390), ("en", 1280), ("en", 390)])
def test_a_release_is_read_and_published_in_the_browser(seen, prepared, language, width):
    path = f"/releases/{year().pk}/"
    for state in ("/releases/", path, f"{path}?table=caller_role_3-age_2-year", "/releases/99999/"):
        page, refused = seen(state, language, width)
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
        assert refused == [] and faults(page) == [], state
        assert page.evaluate("document.documentElement.scrollWidth") <= width, state
    seen(path, language, width)
    page.locator(".publish button").click()
    assert page.url.endswith(path) and year().published_on is None  # the browser asks for the tick itself
    page.locator(".publish").evaluate("form => { form.noValidate = true }")
    page.locator(".publish button").click()
    page.wait_for_selector(".summary")
    assert faults(page) == [] and year().published_on is None
    page.locator("#read").check()
    page.locator(".publish button").click()
    page.wait_for_selector(".saved")
    assert page.url.endswith("/releases/") and "2016" in page.locator(".saved").inner_text()
    assert faults(page) == [] and refused == []
    assert year().published_by.username == "coordinator"
    seen(path, language, width)
    assert faults(page) == [] and page.locator(".publish").count() == 0


@pytest.mark.parametrize(("language", "width"), [("sv", 1280), ("en", 390)])
def test_a_new_edition_is_read_in_the_browser(seen, released, tmp_path, ungated, language, width):
    one, other = coordinator_named("one-who-asks"), coordinator_named("one-who-agrees")
    approvals.decide(editions.ask(year(), by=one, now=NOW).pk, by=other, agrees=True, now=NOW)
    rule = Rule(Parameters(), tmp_path / "keys", embedded=True)
    (made,) = editions.prepare_agreed(today=NOW.date(), rule=rule)
    for release, buttons in ((year(), 0), (made, 1)):
        page, refused = seen(f"/releases/{release.pk}/", language, width)
        assert refused == [] and faults(page) == [] and page.locator(".publish").count() == buttons
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_planted_fault_would_be_found(seen):
    page, refused = seen("/releases/", "sv", 390)
    assert faults(page) == []
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    page.evaluate("document.querySelector('h1').setAttribute('style', 'color: red')")
    assert [rule for rule, _ in faults(page)] == ["image-alt"]
    assert refused


# --- what became of the keys -----------------------------------------------------------------------------------------


def test_the_receipt_of_a_destroyed_key_is_shown_with_its_day_and_fingerprint(coordinator, released):
    assert "Keys of the rounding" not in text_of(coordinator)
    ReleaseKey.objects.create(scope="2015", edition=1, fingerprint="a" * 64, destroyed_on=date(2017, 3, 1))
    ReleaseKey.objects.create(scope="2016", edition=2, fingerprint="b" * 64)
    ReleaseKey.objects.create(scope="pilot", edition=1, fingerprint="c" * 64)
    text = text_of(coordinator)
    assert f"2015 1 2017-03-01 {'a' * 16}" in text and "a" * 17 not in text
    assert f"2016 2 no: releases are still to come {'b' * 16}" in text
    assert f"Pilot 1 not yet: with the next run of the worker that has it {'c' * 16}" in text
