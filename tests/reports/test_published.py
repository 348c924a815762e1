"""Only what was published is read: cells of published releases, of the periods and tables that these name."""

import json
from datetime import date, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from helpline import contacts, policy
from helpline.entries import read_entry
from helpline.models import User
from reports import freeze, published, release
from reports.catalogue import TABLES
from reports.disclosure.protect import HIDDEN, Parameters
from reports.models import PublishedCell, Release
from reports.periods import parse
from tests.granted import coordinator, grant
from tests.lifted import lifted

pytestmark = pytest.mark.django_db

TODAY = date(2026, 5, 20)
NOW = datetime(2026, 5, 20, 12, tzinfo=ZoneInfo("Europe/Stockholm"))
API = "/api/px/v2/tables"


@pytest.fixture
def evaluator(db) -> Client:
    client = Client(headers={"accept-language": "en"})
    user = User.objects.create_user("evaluator", None, role=policy.EVALUATOR)
    grant(user)
    client.force_login(user)
    return client


@pytest.fixture
def quarter(released) -> Release:
    return Release.objects.get(kind="quarter", start=date(2016, 4, 1))


def figures(table: str) -> list[object]:
    return list(published.table(table).values)


# --- cells by hand ---------------------------------------------------------------------------------------------------


def by_hand(of: Release, **changed: object) -> None:
    """A cell as somebody with the database at hand would slip it in."""
    place = {"table": "total-quarter", "period": "2016K2", "edition": 1, "coordinates": "", "contents": "kontakter"}
    PublishedCell.objects.create(release=of, value=995, **place | changed)


def second_edition(of: Release) -> Release:
    people = {"requested_by": coordinator("one"), "approved_by": coordinator("another")}
    return Release(kind=of.kind, start=of.start, end=of.end, edition=2, prepared_on=TODAY, **people)


def test_a_second_edition_by_hand_is_not_read(quarter):
    before = figures("total-quarter")
    by_hand(quarter, edition=2)
    assert figures("total-quarter") == before and 995 not in before


def test_cells_of_a_release_that_is_not_published_are_not_read(quarter):
    before = figures("total-quarter")
    waiting = second_edition(quarter)
    waiting.candidate, waiting.manifest = quarter.candidate, quarter.manifest
    waiting.save()
    by_hand(waiting, edition=2)
    assert figures("total-quarter") == before


def test_a_cell_that_names_the_period_of_another_release_is_not_read(quarter):
    other = Release.objects.get(kind="quarter", start=date(2016, 7, 1))
    before = figures("total-quarter")
    with lifted():
        PublishedCell.objects.filter(release=quarter, table="total-quarter", contents="kontakter").delete()
    by_hand(other)
    after = figures("total-quarter")
    assert 995 not in after and after.count(HIDDEN) == before.count(HIDDEN) + 1


def test_a_second_edition_that_is_published_is_read_instead(quarter):
    """The control of the tests above: what lies in the tables by the right way is read."""
    first = published.table("total-quarter")
    shown = first.value(ContentsCode="kontakter", Tid="2016K2")
    candidate, manifest = json.loads(quarter.candidate), json.loads(quarter.manifest)
    candidate["total-quarter"][""]["kontakter"] = shown + 5
    manifest |= {"edition": 2, "gate": release.GATE_PASSED}
    manifest["tables"]["total-quarter"]["sha256"] = release.sha256(candidate["total-quarter"])
    again = second_edition(quarter)
    again.candidate, again.manifest = release.canonical(candidate), release.canonical(manifest)
    again.sha256 = release.sha256(manifest)
    again.save()
    release.publish(again, by=None, now=NOW)
    assert published.table("total-quarter").value(ContentsCode="kontakter", Tid="2016K2") == shown + 5


# --- a table that is younger than a release ---------------------------------------------------------------------------


def declared_later(table: str, **releases: object) -> None:
    """Make the manifests of these releases those of a time when the catalogue had no such table."""
    with lifted():
        for one in Release.objects.filter(**releases):
            said = json.loads(one.manifest)
            assert said["tables"].pop(table)["admitted"]
            Release.objects.filter(pk=one.pk).update(manifest=release.canonical(said))


def test_a_release_older_than_a_table_has_no_figures_of_it_and_every_list_still_works(evaluator, quarter):
    declared_later("gender-quarter", pk=quarter.pk)
    table = published.table("gender-quarter")
    assert table.value(gender="_T", ContentsCode="kontakter", Tid="2016K2") is HIDDEN
    assert table.value(gender="_T", ContentsCode="kontakter", Tid="2016K3") is not HIDDEN
    assert "gender-quarter" in [listed.table.id for listed in published.tables()]
    page = evaluator.get("/statistics/gender-quarter/").content.decode()
    assert "No figures for quarter 2, 2016: too few contacts for this table." in page
    for path in ("/statistics/", API, f"{API}/gender-quarter/metadata", f"{API}/gender-quarter/data"):
        assert evaluator.get(path).status_code == 200, path


def test_a_table_younger_than_every_release_is_not_there_and_every_list_still_works(evaluator, released):
    declared_later("gender-year", kind="year")
    assert "gender-year" in TABLES
    assert "gender-year" not in [listed.table.id for listed in published.tables()]
    for path in ("/statistics/", API, "/statistics/gender-quarter/"):
        assert evaluator.get(path).status_code == 200, path
    for path in ("/statistics/gender-year/", f"{API}/gender-year/metadata", f"{API}/gender-year/data"):
        assert evaluator.get(path).status_code == 404, path


# --- a period that is not published -----------------------------------------------------------------------------------


def publish_months(tmp_path, *codes: str) -> None:
    rule = release.Rule(Parameters(), tmp_path / "keys", embedded=True)
    for code in codes:
        release.publish(release.prepare(parse(code), today=TODAY, rule=rule), by=None, now=NOW)


@pytest.fixture
def three_months(db) -> None:
    """Twenty contacts in each of January, February and March, all frozen."""
    for month in (1, 2, 3):
        for _ in range(20):
            call = {"channel": ["telefon"], "result": ["relevant"], "first_contact": ["ja"]}
            entry = read_entry(date(2026, month, 5), call)
            contacts.log_contact(by=None, key=uuid4(), entry=entry, now=NOW, today=TODAY)
        freeze.freeze_month(parse(f"2026-0{month}"), today=TODAY)


def times(client: Client, table: str) -> list[str]:
    metadata = client.get(f"{API}/{table}/metadata").json()
    return list(metadata["dimension"]["Tid"]["category"]["index"])


def test_a_period_that_is_not_published_is_not_called_one_with_too_few_contacts(evaluator, three_months, tmp_path):
    publish_months(tmp_path, "2026-01", "2026-03")
    page = evaluator.get("/statistics/total-month/").content.decode()
    assert "too few contacts for this table" not in page and "February" not in page
    assert times(evaluator, "total-month") == ["2026M01", "2026M03"]
    assert HIDDEN not in figures("all-total-month")
    before = figures("all-total-month")
    publish_months(tmp_path, "2026-02")
    assert times(evaluator, "total-month") == ["2026M01", "2026M02", "2026M03"]
    assert [figures("all-total-month")[0], figures("all-total-month")[2]] == before


def test_a_gap_of_years_ends_no_list(evaluator, three_months, tmp_path):
    publish_months(tmp_path, "2026-01")
    later = parse("2031-01")
    manifest = Release.objects.get().manifest
    Release.objects.create(
        kind="month", start=later.start, end=later.end, manifest=manifest, prepared_on=TODAY, published_on=TODAY
    )
    assert times(evaluator, "total-month") == ["2026M01", "2031M01"]
