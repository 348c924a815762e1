"""`verify` finds whatever was changed past the triggers, and names it without a value."""

import json
from datetime import date

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from django.utils import translation

from reports import release, verification
from reports.models import PublishedCell, Release
from tests.lifted import lifted

pytestmark = pytest.mark.django_db


def year() -> Release:
    return Release.objects.get(kind="year", start=date(2016, 1, 1))


def cells_of(table: str) -> "object":
    return PublishedCell.objects.filter(release=year(), table=table)


def refused() -> str:
    with translation.override("en"), pytest.raises(CommandError) as caught:
        call_command("verify")
    assert caught.value.returncode == 1
    return str(caught.value)


def test_what_is_published_and_untouched_is_right(released, capsys):
    assert verification.wrong_tables() == []
    with translation.override("en"):
        call_command("verify")
    assert "every published table its manifest" in capsys.readouterr().out


def test_what_is_only_prepared_has_nothing_to_compare(prepared):
    assert verification.wrong_tables() == []


def test_one_changed_cell_is_found_and_named_without_its_value(released):
    with lifted():
        cells_of("gender-year").filter(coordinates="_T").update(value=98765)
    assert verification.wrong_tables() == [("2016", "gender-year")]
    assert refused() == "These are not as they were published: 2016 gender-year"


def test_a_cell_that_is_gone_hidden_or_added_is_found(released):
    with lifted():
        cells_of("gender-year").filter(coordinates="_T").delete()
        cells_of("age-year").filter(value__isnull=False).update(value=None)
        added = cells_of("county-year").first()
        added.pk, added.coordinates = None, "x"
        added.save(force_insert=True)
    assert verification.wrong_tables() == [("2016", "age-year"), ("2016", "county-year"), ("2016", "gender-year")]


def test_a_table_that_the_manifest_does_not_admit_or_know_is_found(released):
    stranger = {"release": year(), "period": "2016", "edition": 1, "contents": "kontakter", "value": 5}
    PublishedCell.objects.create(table="one-more-year", coordinates="", **stranger)
    refused_table = next(t for t, said in json.loads(year().manifest)["tables"].items() if not said["admitted"])
    PublishedCell.objects.create(table=refused_table, coordinates="", **stranger)
    assert verification.wrong_tables() == sorted([("2016", "one-more-year"), ("2016", refused_table)])


@pytest.mark.parametrize("moved", [{"edition": F("edition") + 1}, {"period": "2017"}])
def test_a_cell_that_was_moved_to_another_period_or_edition_is_found(released, moved):
    with lifted():
        cells_of("gender-year").update(**moved)
    assert verification.wrong_tables() == [("2016", "gender-year")]


def test_cells_of_a_release_that_is_not_published_are_found(released):
    with lifted():
        Release.objects.filter(pk=year().pk).update(published_on=None)
    tables = json.loads(year().candidate)
    assert verification.wrong_tables() == [("2016", table) for table in sorted(tables) if tables[table]]


def test_a_changed_manifest_is_found_also_where_only_its_spelling_changed(released):
    said = json.loads(year().manifest)
    said["gate"] = "passed"
    for text in (release.canonical(said), json.dumps(json.loads(year().manifest), indent=1), "{}"):
        with lifted():
            Release.objects.filter(pk=year().pk).update(manifest=text)
        assert verification.wrong_tables() == [("2016", "manifest")]
    with lifted():
        Release.objects.filter(pk=year().pk).update(manifest=release.canonical(said), sha256=release.sha256(said))
    assert verification.wrong_tables() == []  # whoever writes both is found by those who kept the published SHA-256


def test_counts_and_published_tables_are_told_together(released):
    from reports.models import DayCount

    DayCount.objects.create(day=date(2026, 3, 2), variable="result", code="relevant", n=3)
    with lifted():
        cells_of("gender-year").filter(coordinates="_T").update(value=98765)
    said = refused()
    assert "2026-03-02" in said and "2016 gender-year" in said and "98765" not in said
