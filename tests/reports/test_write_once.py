"""What is published never changes: both databases refuse it, by whatever statement somebody tries."""

# ruff: noqa: S608 - statements are what is tested here

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from reports import release
from reports.models import PublishedCell, Release
from tests.granted import coordinator
from tests.lifted import lifted

pytestmark = pytest.mark.django_db

NOW = datetime(2016, 2, 20, 12, tzinfo=UTC)
CELL = 'release_id, "table", period, edition, coordinates, contents'
RELEASE = 'kind, start, "end", edition, candidate, sha256, prepared_on, published_on, published_by_id'

UPDATES_AND_DELETES = [
    "UPDATE reports_publishedcell SET value = 1000",
    "UPDATE reports_publishedcell SET value = NULL WHERE value IS NOT NULL",
    "DELETE FROM reports_publishedcell",
    "UPDATE reports_release SET manifest = '{}', sha256 = 'x', published_on = NULL",
    "UPDATE reports_release SET published_on = prepared_on",
    "DELETE FROM reports_release",
]


def inserts(verb: str, conflict: str = "") -> list[str]:
    """What is there already, once more with other content: by its id and by its key."""
    return [
        f"{verb} INTO reports_publishedcell (id, {CELL}, value) SELECT id, {CELL}, 1000 FROM reports_publishedcell"
        " WHERE true" + conflict.format("id", "value = 1000"),
        f"{verb} INTO reports_publishedcell ({CELL}, value) SELECT {CELL}, 1000 FROM reports_publishedcell"
        " WHERE true" + conflict.format('"table", period, edition, coordinates, contents', "value = 1000"),
        f"{verb} INTO reports_release (id, {RELEASE}, manifest) SELECT id, {RELEASE}, '' FROM reports_release"
        " WHERE published_on IS NOT NULL" + conflict.format("id", "manifest = ''"),
        f"{verb} INTO reports_release ({RELEASE}, manifest) SELECT {RELEASE}, '' FROM reports_release"
        " WHERE published_on IS NOT NULL" + conflict.format("kind, start, edition", "manifest = ''"),
    ]


UPSERTS = inserts("INSERT", " ON CONFLICT ({}) DO UPDATE SET {}")
OF_SQLITE = [
    *inserts("REPLACE"),
    *inserts("INSERT OR REPLACE"),
    "UPDATE OR REPLACE reports_publishedcell SET id = id + 1, value = 1000",
    # What is only prepared takes the place of what is published.
    "UPDATE OR REPLACE reports_release SET start = '2015-11-01' WHERE published_on IS NULL",
    "UPDATE OR REPLACE reports_release SET id = id - 1 WHERE published_on IS NULL",
]
OF_POSTGRESQL = [
    "TRUNCATE reports_publishedcell",
    "TRUNCATE reports_release CASCADE",
    "TRUNCATE reports_publishedcell, reports_release",
]
CHANGES = UPDATES_AND_DELETES + UPSERTS + (OF_POSTGRESQL if connection.vendor == "postgresql" else OF_SQLITE)


@pytest.fixture
def one_of_two(prepared) -> Release:
    """November 2015 is published, December is prepared; there is no other release."""
    first, second = Release.objects.filter(kind="month").order_by("start")[:2]
    Release.objects.exclude(pk__in=[first.pk, second.pk]).delete()
    assert second.pk == first.pk + 1
    release.publish(first, by=None, now=NOW)
    connection.check_constraints()  # PostgreSQL truncates no table while a check of it waits for the end
    return second


def stored() -> list[tuple]:
    return [*Release.objects.order_by("pk").values_list(), *PublishedCell.objects.order_by("pk").values_list()]


@pytest.mark.parametrize("change", CHANGES)
def test_the_database_refuses_to_change_what_is_published(one_of_two, change):
    before = stored()
    with pytest.raises(IntegrityError, match="write_once"), transaction.atomic():
        connection.cursor().execute(change)
    assert stored() == before


@pytest.mark.parametrize("change", CHANGES)
def test_without_the_triggers_each_of_these_changes_would_be_made(one_of_two, change):
    before = stored()
    with lifted(), transaction.atomic():
        connection.cursor().execute(change)
        assert stored() != before
        transaction.set_rollback(True)


def test_what_is_only_prepared_can_be_made_anew_and_published(one_of_two):
    Release.objects.filter(pk=one_of_two.pk).update(prepared_on=F("prepared_on"))
    one_of_two.delete()
    one_of_two.save(force_insert=True)
    assert release.publish(one_of_two, by=None, now=NOW) > 0


def test_a_second_edition_of_a_published_period_can_be_stored(one_of_two):
    first = Release.objects.exclude(published_on=None).get()
    first.pk, first.edition, first.published_on = None, 2, None
    first.requested_by, first.approved_by = coordinator("one"), coordinator("another")
    first.save(force_insert=True)
    assert release.publish(first, by=None, now=NOW) > 0
