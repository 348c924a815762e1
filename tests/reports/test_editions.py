"""A new edition of a published year: two people want it, and the worker prepares it."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import translation

from helpline import approvals
from helpline.models import Approval, AuditEvent, User
from reports import editions, keys, published, release, tasks, verification
from reports.claims import preparing
from reports.disclosure.protect import Parameters
from reports.forms import explain
from reports.models import PublishedCell, Release
from reports.release import CannotRelease, Rule
from tests.at_once import at_once
from tests.granted import coordinator
from tests.lifted import lifted, unchecked

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ungated")]

TODAY, NOW = date(2017, 2, 1), datetime(2017, 2, 1, 12, tzinfo=UTC)


@pytest.fixture
def asking() -> User:
    return coordinator("asking")


@pytest.fixture
def agreeing() -> User:
    return coordinator("agreeing")


@pytest.fixture
def rule(tmp_path: Path) -> Rule:
    return Rule(Parameters(), tmp_path / "keys", embedded=True)


@pytest.fixture
def year(released) -> Release:
    return Release.objects.get(kind="year", start=date(2016, 1, 1))


def ask(year: Release, by: User) -> Approval:
    return editions.ask(year, by=by, now=NOW)


def decide(asked: Approval, by: User, agrees: bool = True) -> None:
    approvals.decide(asked.pk, by=by, agrees=agrees, now=NOW)


@pytest.fixture
def second(year, asking, agreeing, rule) -> Release:
    """Prepared, by the road itself."""
    decide(ask(year, asking), agreeing)
    (made,) = editions.prepare_agreed(today=TODAY, rule=rule)
    return made


# --- who wants it ----------------------------------------------------------------------------------------------------


def test_what_two_people_want_is_prepared_by_the_next_run_and_once(year, asking, agreeing, rule):
    asked = ask(year, asking)
    assert editions.prepare_agreed(today=TODAY, rule=rule) == []
    decide(asked, agreeing)
    assert not Release.objects.filter(edition=2).exists()
    (made,) = editions.prepare_agreed(today=TODAY, rule=rule)
    assert (made.period, made.edition, made.published_on) == (year.period, 2, None)
    assert (made.requested_by, made.approved_by, made.prepared_on) == (asking, agreeing, TODAY)
    assert editions.prepare_agreed(today=TODAY, rule=rule) == []


@pytest.mark.django_db(transaction=True)
def test_an_edition_that_another_worker_is_at_is_left_to_it(year, asking, agreeing, rule):
    decide(ask(year, asking), agreeing)

    def prepare() -> list[Release]:
        return editions.prepare_agreed(today=TODAY, rule=rule)

    if connection.vendor == "postgresql":
        with preparing(year.period):
            assert at_once(prepare) == [[]]
    (made,) = at_once(prepare)
    assert [release.edition for release in made] == [2]


def test_the_hourly_run_prepares_it(year, asking, agreeing, settings, tmp_path):
    settings.REPORTS_RELEASE_KEYS = tmp_path / "keys"
    decide(ask(year, asking), agreeing)
    tasks.freeze_and_prepare()
    assert Release.objects.filter(kind="year", start=year.start, edition=2).exists()


def test_agreeing_needs_no_key_and_draws_none(year, asking, agreeing, rule):
    decide(ask(year, asking), agreeing)
    assert not rule.keys.exists()


def test_nobody_agrees_to_what_they_asked_for_and_what_is_refused_is_not_prepared(year, asking, agreeing, rule):
    asked = ask(year, asking)
    with pytest.raises(approvals.NotYours):
        decide(asked, asking)
    decide(asked, agreeing, agrees=False)
    assert editions.prepare_agreed(today=TODAY, rule=rule) == []
    assert editions.may_follow(year)  # it can be asked for once more


def test_only_a_published_year_has_a_new_edition(year, asking):
    for other in ("month", "quarter", "half-year", "pilot"):
        with pytest.raises(CannotRelease) as refused:
            ask(Release.objects.filter(kind=other).latest("start"), asking)
        assert refused.value.reason == CannotRelease.NO_EDITION
    assert not Approval.objects.exists()


def test_a_year_that_is_only_prepared_has_none(prepared, asking):
    with pytest.raises(CannotRelease):
        ask(Release.objects.get(kind="year"), asking)


def test_one_new_edition_is_on_its_way_at_a_time(year, asking, agreeing, rule):
    def refused() -> bool:
        with pytest.raises(CannotRelease) as error:
            ask(year, agreeing)
        return error.value.reason == CannotRelease.NO_EDITION

    asked = ask(year, asking)
    assert refused()
    decide(asked, agreeing)
    assert refused()
    (made,) = editions.prepare_agreed(today=TODAY, rule=rule)
    assert refused()
    with pytest.raises(CannotRelease):
        ask(made, asking)  # which is not published


def test_what_was_agreed_to_is_overtaken_by_an_edition_that_is_there(year, second, asking, agreeing):
    late = approvals.ask(by=asking, act=editions.ACT, subject="2016", detail="2", now=NOW)
    with pytest.raises(approvals.Overtaken):
        decide(late, agreeing)


def test_asking_and_agreeing_are_written_down(second, asking, agreeing):
    written = AuditEvent.objects.filter(act="release.edition").order_by("pk")
    assert list(written.values_list("reason", "actor")) == [("asked", asking.pk), ("", agreeing.pk)]


# --- what it is ------------------------------------------------------------------------------------------------------


def test_it_is_made_of_the_same_records_under_a_key_of_its_own(year, second, rule):
    first, said = json.loads(year.manifest), json.loads(second.manifest)
    assert (said["edition"], said["gate"]) == (2, release.GATE_PASSED)
    assert said["key_fingerprint"] == keys.fingerprint(keys.release_key(rule.keys, "2016", 2))
    assert said["key_fingerprint"] != first["key_fingerprint"]
    assert set(said["tables"]) == set(first["tables"]) and second.candidate != year.candidate
    once, again = json.loads(year.candidate), json.loads(second.candidate)
    assert again["all-total-year"].keys() == once["all-total-year"].keys()


def test_an_edition_follows_a_published_one_and_leaves_none_out(year, asking, agreeing, rule):
    people = {"requested_by": asking, "approved_by": agreeing}
    with pytest.raises(CannotRelease):
        release.prepare_edition(year.period, 3, today=TODAY, rule=rule, **people)


def test_it_is_not_published_unless_the_gate_has_passed_it(second, asking):
    before = PublishedCell.objects.count()
    said = json.loads(second.manifest) | {"gate": "not run"}
    second.manifest, second.sha256 = release.canonical(said), release.sha256(said)
    second.save()
    with pytest.raises(CannotRelease) as refused:
        release.publish(second, by=asking, now=NOW)
    assert refused.value.reason == CannotRelease.NO_GATE
    with translation.override("en"):
        assert explain(refused.value) == "2016 has not passed the gate: it is not published as it is."
    second.refresh_from_db()
    assert second.published_on is None and PublishedCell.objects.count() == before


def test_the_demonstration_publishes_no_second_edition(second):
    from reports import demonstration

    demonstration._let_pass(until=TODAY)
    second.refresh_from_db()
    assert second.published_on is None


# --- what readers see ------------------------------------------------------------------------------------------------


def cells(table: str) -> dict:
    return dict(published.table(table).cells())


def test_readers_see_the_newest_edition_alone_and_the_old_one_stays_as_it_was(year, second, asking):
    before = PublishedCell.objects.filter(release=year).count()
    release.publish(second, by=asking, now=NOW)
    shown = json.loads(second.candidate)["gender-year"]
    for (code, contents, _time), value in cells("gender-year").items():
        assert shown[code][contents] == (value if isinstance(value, int) else None)
    (edition,) = [one for one in published.editions("year") if one.period == year.period]
    assert (edition.number, edition.sha256) == (2, second.sha256)
    assert PublishedCell.objects.filter(release=year).count() == before
    assert verification.wrong_tables() == []
    with lifted():
        PublishedCell.objects.filter(release=year, table="gender-year").delete()
    assert verification.wrong_tables() == [("2016", "gender-year")]


def test_what_the_newest_edition_does_not_show_is_not_read_from_the_old_one(year, second, asking):
    said, candidate = json.loads(second.manifest), json.loads(second.candidate)
    candidate["gender-year"] = None
    said["tables"]["gender-year"] = {"admitted": False, "cells": 0, "shown": 0, "sha256": release.sha256(None)}
    second.candidate, second.manifest = release.canonical(candidate), release.canonical(said)
    second.sha256 = release.sha256(said)
    second.save()
    assert cells("gender-year")
    release.publish(second, by=asking, now=NOW)
    with pytest.raises(published.NotPublished):
        published.table("gender-year")


# --- the database says no --------------------------------------------------------------------------------------------

REFUSED = [
    "approved_by_id = requested_by_id",
    "approved_by_id = NULL",
    "requested_by_id = NULL",
    "requested_by_id = NULL, approved_by_id = NULL",
]


def update(where: Release, change: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE reports_release SET {change} WHERE id = {where.pk}")  # noqa: S608 - what is tested


@pytest.mark.parametrize("change", REFUSED)
def test_the_database_refuses_a_later_edition_of_fewer_than_two_people(second, change):
    with pytest.raises(IntegrityError, match="release_edition_by_two_people"):
        update(second, change)


@pytest.mark.parametrize("change", ["edition = 2", "edition = 0", "edition = 2, requested_by_id = published_by_id"])
def test_the_database_refuses_to_make_a_first_edition_a_later_one(prepared, change):
    with pytest.raises(IntegrityError, match="release_edition_by_two_people"):
        update(Release.objects.get(kind="year"), change)


def test_the_database_takes_two_people_and_asks_none_for_a_first_edition(second, prepared_quarter):
    update(second, "requested_by_id = approved_by_id, approved_by_id = requested_by_id")
    update(prepared_quarter, "requested_by_id = NULL, approved_by_id = NULL")


@pytest.fixture
def prepared_quarter(released) -> Release:
    with lifted():
        quarter = Release.objects.filter(kind="quarter").latest("start")
        PublishedCell.objects.filter(release=quarter).delete()
        Release.objects.filter(pk=quarter.pk).update(published_on=None)
    return quarter


@pytest.mark.parametrize("change", REFUSED)
def test_without_the_constraint_each_of_these_would_be_taken(second, change):
    before = Release.objects.values_list().get(pk=second.pk)
    with unchecked("reports_release", "release_edition_by_two_people"):
        update(second, change)
        assert Release.objects.values_list().get(pk=second.pk) != before
