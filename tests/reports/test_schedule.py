"""A key is destroyed when nothing will be made with it any more, and not a release earlier."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from reports import freeze, keys, schedule, tasks
from reports.disclosure.protect import Parameters
from reports.forms import explain
from reports.models import Release, ReleaseKey
from reports.periods import Period, parse
from reports.release import CannotRelease, Rule, prepare, prepare_edition, publish
from tests.granted import coordinator
from tests.lifted import lifted

pytestmark = pytest.mark.django_db

DAY, NOW = date(2017, 3, 1), datetime(2017, 3, 1, 12, tzinfo=UTC)


PILOT = Period("pilot", date(2015, 12, 1), date(2016, 12, 1))


@pytest.fixture
def rule(db, tmp_path) -> Rule:
    """The months from December 2015 to the end of 2016 are frozen, and all that is whole then is prepared."""
    made_with = Rule(Parameters(), tmp_path / "keys", embedded=False)
    for month in (*PILOT.months(), parse("2016-12")):
        freeze.freeze_month(month, today=DAY)
    while schedule.prepare_due(today=DAY, rule=made_with, pilot=PILOT):
        pass  # preparing 2015 freezes its empty months, which are then prepared too
    assert held(made_with) == ["2015-1", "2016-1", "pilot-1"]
    return made_with


def publish_all(**which: object) -> None:
    for one in Release.objects.filter(published_on=None, **which):
        publish(one, by=None, now=NOW)


def held(rule: Rule) -> list[str]:
    assert rule.keys
    return [f"{scope}-{edition}" for scope, edition in keys.held(rule.keys)]


def test_while_anything_waits_to_be_published_its_key_stays(rule):
    publish_all(kind="year")
    assert Release.objects.filter(kind="year").exclude(published_on=None).exists()
    assert schedule.destroy_due(today=DAY, rule=rule) == []
    assert held(rule) == ["2015-1", "2016-1", "pilot-1"]


def test_the_key_of_a_year_goes_with_the_last_release_and_the_pilots_with_the_pilots_own(rule):
    publish_all(start__year=2016)
    assert schedule.destroy_due(today=DAY, rule=rule) == [("2016", 1)]
    assert schedule.destroy_due(today=DAY, rule=rule) == []
    publish_all(kind="pilot")
    assert schedule.destroy_due(today=DAY, rule=rule) == [("pilot", 1)]
    assert held(rule) == ["2015-1"]
    gone = ReleaseKey.objects.exclude(destroyed_on=None).values_list("scope", "destroyed_on")
    assert set(gone) == {("2016", DAY), ("pilot", DAY)}


def test_a_year_that_is_not_out_itself_keeps_its_key_though_nothing_waits(rule):
    Release.objects.filter(kind="year", start__year=2016).delete()
    publish_all(start__year=2016)
    assert ("2016", 1) not in schedule.destroy_due(today=DAY, rule=rule)


def test_a_period_that_is_still_to_be_prepared_keeps_the_key_of_its_year(rule):
    Release.objects.filter(kind="month", start=date(2016, 5, 1)).delete()
    publish_all(start__year=2016)
    assert schedule.destroy_due(today=DAY, rule=rule) == []
    assert [one.period.code for one in schedule.prepare_due(today=DAY, rule=rule, pilot=None)] == ["2016-05"]


def test_what_comes_too_late_is_refused_with_a_sentence_and_no_other_key_is_drawn(rule, caplog):
    publish_all(start__year=2016)
    schedule.destroy_due(today=DAY, rule=rule)
    with lifted():  # as where a table of the catalogue gets a kind of period that was not there
        Release.objects.filter(kind="half-year", start=date(2016, 1, 1)).delete()
    with pytest.raises(CannotRelease) as refused:
        prepare(parse("2016-H1"), today=DAY, rule=rule)
    assert refused.value.reason == CannotRelease.DESTROYED
    with translation.override("en"):
        assert "its key was destroyed" in explain(refused.value) and "new edition" in explain(refused.value)
    assert schedule.prepare_due(today=DAY, rule=rule, pilot=None) == [] and caplog.text == ""
    assert "2016-1" not in held(rule)


def test_a_copy_that_another_worker_has_goes_too(rule, tmp_path):
    publish_all(start__year=2016)
    (tmp_path / "copied").mkdir(mode=0o700)
    copy = tmp_path / "copied" / "2016-1.key"
    copy.write_bytes((tmp_path / "keys" / "2016-1.key").read_bytes())
    schedule.destroy_due(today=DAY, rule=rule)
    assert copy.exists()
    elsewhere = Rule(rule.parameters, tmp_path / "copied", embedded=False)
    assert schedule.destroy_due(today=date(2017, 3, 2), rule=elsewhere) == [("2016", 1)]
    assert not copy.exists() and ReleaseKey.objects.get(scope="2016").destroyed_on == DAY


def test_the_key_of_a_later_edition_goes_with_that_edition(rule, second):
    assert "2016-2" in held(rule)
    assert schedule.destroy_due(today=DAY, rule=rule) == [("2016", 1)]
    Release.objects.filter(pk=second.pk).update(published_on=DAY)
    assert schedule.destroy_due(today=DAY, rule=rule) == [("2016", 2)]


@pytest.fixture
def second(rule) -> Release:
    publish_all(start__year=2016)
    people = {"requested_by": coordinator("asking"), "approved_by": coordinator("agreeing")}
    return prepare_edition(parse("2016"), 2, today=DAY, rule=rule, **people)


def test_the_run_of_every_five_minutes_destroys_what_is_due(rule, settings, monkeypatch):
    publish_all(start__year=2016)
    monkeypatch.setattr(tasks.timezone, "localdate", lambda: date(2017, 1, 20))
    settings.REPORTS_RELEASE_KEYS = str(rule.keys)
    tasks.freeze_and_prepare()
    assert "2016-1" not in held(rule)


def test_a_process_without_keys_prepares_nothing_and_says_where_to_do_it(rule, settings):
    settings.REPORTS_RELEASE_KEYS = ""
    Release.objects.filter(kind="month", start=date(2016, 5, 1)).delete()
    with pytest.raises(CommandError, match="REPORTS_RELEASE_KEYS"):
        call_command("publish", "2016-05")
    assert not Release.objects.filter(kind="month", start=date(2016, 5, 1)).exists()
    assert schedule.destroy_due(today=DAY, rule=Rule(Parameters(), None, embedded=False)) == []


def test_the_folder_may_be_missing(db, tmp_path):
    assert schedule.destroy_due(today=DAY, rule=Rule(Parameters(), Path(tmp_path / "none"), embedded=False)) == []
