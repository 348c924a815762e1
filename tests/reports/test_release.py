"""From frozen records to published cells, written once."""

import json
import threading
import time
from contextlib import AbstractContextManager
from dataclasses import replace as replaced
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from helpline import contacts
from helpline.entries import read_entry
from helpline.models import AuditEvent, User
from reports import freeze, gating, keys, published, release, schedule
from reports.disclosure.protect import HIDDEN, Parameters
from reports.forms import explain
from reports.models import PublishedCell, Release, ReleaseKey, StatRecord
from reports.periods import PILOT, Period, parse
from reports.release import CannotRelease, Rule
from tests.at_once import at_once

pytestmark = pytest.mark.django_db

TODAY = date(2026, 5, 20)
NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
MARCH = parse("2026-03")


@pytest.fixture
def rule(tmp_path: Path) -> Rule:
    return Rule(Parameters(), tmp_path / "keys", embedded=True)


def log(day: date, times: int = 1, **answers: list[str]) -> None:
    call = {"channel": ["telefon"], "result": ["relevant"], "first_contact": ["ja"]} | answers
    for _ in range(times):
        entry = read_entry(day, call)
        contacts.log_contact(by=None, key=uuid4(), entry=entry, now=NOW, today=TODAY)


@pytest.fixture
def march(rule) -> Release:
    """21 relevant contacts: 13 women, 5 men, 3 others; prepared."""
    log(date(2026, 3, 2), 13, gender=["k"])
    log(date(2026, 3, 3), 5, gender=["m"])
    log(date(2026, 3, 4), 3, gender=["a"])
    freeze.freeze_month(MARCH, today=TODAY)
    return release.prepare(MARCH, today=TODAY, rule=rule)


def test_what_is_prepared_is_read_by_nobody_until_a_person_publishes_it(march):
    assert not PublishedCell.objects.exists() and published.tables() == []
    release.publish(march, by=None, now=NOW)
    assert "total-month" in [listed.table.id for listed in published.tables()]


def test_a_published_table_shows_what_the_rule_allows(rule):
    log(date(2026, 3, 2), 40, gender=["k"])
    log(date(2026, 3, 3), 4, gender=["m"])
    log(date(2026, 3, 3), 10, gender=["vet_ej"], first_contact=["nej"])
    freeze.freeze_month(MARCH, today=TODAY)
    freeze.freeze_empty_months(parse("2026-Q1"), today=TODAY)
    release.publish(release.prepare(parse("2026-Q1"), today=TODAY, rule=rule), by=None, now=NOW)
    table = published.table("gender-quarter")
    at = {"ContentsCode": "kontakter", "Tid": "2026K1"}
    assert table.value(gender="k", **at) == 40
    assert table.value(gender="_T", **at) in (50, 55)
    assert table.value(gender="m", **at) is HIDDEN  # four contacts
    assert table.value(gender="a", **at) is HIDDEN  # none: a zero is never printed
    assert table.value(gender="_U", **at) is HIDDEN  # ten contacts, none of them a first one


def test_the_candidate_is_made_once_and_the_same_from_the_same_records_and_key(march, rule):
    first = march.candidate
    assert release.prepare(MARCH, today=TODAY, rule=rule) == march
    Release.objects.all().delete()
    again = release.prepare(MARCH, today=TODAY, rule=rule)
    assert (again.candidate, again.manifest, again.sha256) == (first, march.manifest, march.sha256)


@pytest.mark.parametrize(("byte", "total"), [(1, 20), (3, 25)])
def test_another_key_rounds_the_same_records_otherwise(march, tmp_path, byte, total):
    records = list(StatRecord.objects.all())
    StatRecord.objects.all().delete()
    for number, record in enumerate(records):  # 21 records with the keys 0 to 20, and a key that is no secret
        record.key = number
    StatRecord.objects.bulk_create(records)
    Release.objects.all().delete()
    ReleaseKey.objects.all().delete()
    (tmp_path / "2026-1.key").write_text(bytes([byte] * 32).hex())
    (tmp_path / "2026-1.key").chmod(0o600)
    prepared = release.prepare(MARCH, today=TODAY, rule=Rule(Parameters(), tmp_path, embedded=True))
    assert json.loads(prepared.candidate)["total-month"][""]["kontakter"] == total


def test_the_manifest_says_how_it_was_made_and_can_be_checked(march, rule):
    manifest = json.loads(march.manifest)
    assert manifest["parameters"] == {
        **{"k": 5, "k_first": 3, "k_own": 10, "base": 5, "density": 5, "min_total": 10},
    }
    assert manifest["gate"].startswith("passed") and "embedded" in manifest["key"]
    assert manifest["key_fingerprint"] == keys.fingerprint(keys.release_key(rule.keys, "2026", 1))
    assert release.sha256(manifest) == march.sha256
    candidate = json.loads(march.candidate)
    for table, said in manifest["tables"].items():
        assert said["sha256"] == release.sha256(candidate[table])
        assert said["admitted"] == (candidate[table] is not None)
        shown = [v for values in (candidate[table] or {}).values() for v in values.values() if v is not None]
        assert said["shown"] == len(shown)


def test_a_release_is_published_once(march):
    release.publish(march, by=None, now=NOW)
    with pytest.raises(CannotRelease) as refused:
        release.publish(march, by=None, now=NOW)
    assert refused.value.reason == CannotRelease.PUBLISHED


def test_publishing_is_written_down_with_who_did_it(march):
    by = User.objects.create_user("coordinator", None, role="coordinator")
    release.publish(march, by=by, now=NOW)
    assert list(AuditEvent.objects.values_list("act", "actor", "hour")) == [("release.publish", by.pk, NOW)]
    with pytest.raises(CannotRelease):
        release.publish(march, by=by, now=NOW)
    assert AuditEvent.objects.count() == 1


def test_a_period_with_a_month_that_waits_is_refused(rule):
    log(date(2026, 3, 2), 20)
    with pytest.raises(CannotRelease) as refused:
        release.prepare(MARCH, today=TODAY, rule=rule)
    assert refused.value.reason == CannotRelease.NOT_FROZEN
    with pytest.raises(CannotRelease):
        release.prepare(parse("2026-W10"), today=TODAY, rule=rule)


def test_a_quarter_in_which_the_line_opened_late_is_whole_when_its_other_months_are_empty(rule):
    log(date(2026, 3, 2), 20)
    freeze.freeze_month(MARCH, today=TODAY)
    quarter = release.prepare(parse("2026-Q1"), today=TODAY, rule=rule)
    assert json.loads(quarter.manifest)["tables"]["total-quarter"]["admitted"]
    log(date(2026, 1, 7))  # what comes late can no longer change it
    assert freeze.freeze_month(parse("2026-04"), today=TODAY) == 1
    assert StatRecord.objects.filter(month=date(2026, 1, 1)).count() == 0


def test_the_pilot_has_a_key_of_its_own(rule):
    log(date(2026, 3, 2), 23)
    freeze.freeze_month(MARCH, today=TODAY)
    release.prepare(Period(PILOT, date(2026, 3, 1), date(2026, 4, 1)), today=TODAY, rule=rule)
    release.prepare(MARCH, today=TODAY, rule=rule)
    assert sorted(path.name for path in rule.keys.iterdir()) == ["2026-1.key", "pilot-1.key"]


def test_what_is_due_is_prepared_but_not_published(rule):
    log(date(2026, 3, 2), 30)
    schedule.freeze_due(today=date(2026, 4, 15), freeze_day=15)
    prepared = schedule.prepare_due(today=date(2026, 4, 15), rule=rule, pilot=None)
    assert [p.period.code for p in prepared] == ["2026-03", "2026-Q1"]
    empty = schedule.prepare_due(today=date(2026, 4, 15), rule=rule, pilot=None)
    assert [p.period.code for p in empty] == ["2026-01", "2026-02"]  # which the quarter froze
    assert schedule.prepare_due(today=date(2026, 4, 15), rule=rule, pilot=None) == []
    assert not PublishedCell.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_any_number_of_workers_share_the_periods_that_are_due(rule, monkeypatch):
    log(date(2026, 3, 2), 30)
    schedule.freeze_due(today=date(2026, 4, 15), freeze_day=15)
    made: list[str] = []

    def prepare(period: Period, **how: object) -> Release:
        made.append(period.code)
        time.sleep(0.2)  # long enough for the other worker to come by
        return release.prepare(period, **how)

    monkeypatch.setattr(schedule, "prepare", prepare)

    def work() -> None:
        schedule.prepare_due(today=date(2026, 4, 15), rule=rule, pilot=None)

    assert at_once(work, work) == [None, None]
    assert {one.period.code for one in Release.objects.all()} == set(made) == {"2026-03", "2026-Q1"}
    if connection.vendor == "postgresql":
        assert len(made) == 2


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE reports_publishedcell SET value = 1000",
        "DELETE FROM reports_publishedcell",
        "UPDATE reports_publishedcell SET value = NULL WHERE value IS NOT NULL",
    ],
)
def test_the_database_refuses_to_change_what_is_published(march, change):
    release.publish(march, by=None, now=NOW)
    before = set(PublishedCell.objects.values_list("pk", "value"))
    with pytest.raises(IntegrityError, match="published_cell_write_once"), transaction.atomic():
        connection.cursor().execute(change)
    assert set(PublishedCell.objects.values_list("pk", "value")) == before


def test_a_cell_is_published_once_per_edition(march):
    release.publish(march, by=None, now=NOW)
    cell = PublishedCell.objects.first()
    cell.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        cell.save(force_insert=True)


def test_a_zero_cannot_be_published(march):
    zero = PublishedCell(release=march, table="t", period="2026M03", edition=1, coordinates="", contents="c", value=0)
    with pytest.raises(IntegrityError, match="published_cell_never_zero"), transaction.atomic():
        zero.save()


def test_the_command_publishes_and_says_what_to_do(settings, tmp_path, capsys):
    settings.REPORTS_RELEASE_KEYS = tmp_path / "keys"
    log(date(2026, 3, 2), 20)
    with pytest.raises(CommandError):
        call_command("publish", "2026-03")
    call_command("freeze", "2026-03")
    call_command("publish", "2026-03")
    assert "2026-03" in capsys.readouterr().out
    for text in ("2026-03", "2026-W10", "pilot", "soon"):
        with pytest.raises(CommandError):
            call_command("publish", text)
    settings.REPORTS_K = 2
    with pytest.raises(ValueError, match="must keep"):  # no word of a period that cannot be read
        call_command("publish", "2026-Q1")


def test_the_command_says_so_where_an_earlier_empty_month_is_open(settings, tmp_path):
    settings.REPORTS_RELEASE_KEYS = tmp_path / "keys"
    log(date(2026, 1, 5), 20)
    call_command("freeze", "2026-01")
    with pytest.raises(CommandError, match="2026-03"):
        call_command("publish", "2026-03")


def test_late_contacts_are_in_the_release_of_the_month_that_was_open(rule):
    def total(month: str) -> object:
        time = month.replace("-", "M")
        return published.table("total-month").value(ContentsCode="kontakter", Tid=time)

    for month in ("2026-01", "2026-02"):
        log(parse(month).start, 20)
        if month == "2026-02":
            log(date(2026, 1, 31), 5)  # January is out already
        freeze.freeze_month(parse(month), today=TODAY)
        release.publish(release.prepare(parse(month), today=TODAY, rule=rule), by=None, now=NOW)
    assert (total("2026-01"), total("2026-02")) == (20, 25)
    freeze.freeze_month(MARCH, today=TODAY)
    quarter = json.loads(release.prepare(parse("2026-Q1"), today=TODAY, rule=rule).candidate)
    assert quarter["total-quarter"][""]["kontakter"] == 45


# --- the key ------------------------------------------------------------------------------------------------------


def fingerprint_of(made: Release) -> str:
    return str(json.loads(made.manifest)["key_fingerprint"])


def lose(file: Path) -> None:
    file.unlink()


def empty(file: Path) -> None:
    file.write_text("")


def replace(file: Path) -> None:
    file.write_text("ab" * 32)


@pytest.mark.parametrize("harm", [lose, empty, replace])
def test_nothing_is_prepared_with_another_key_than_that_of_the_years_earlier_releases(march, rule, harm, caplog):
    freeze.freeze_empty_months(parse("2026-Q1"), today=TODAY)
    file = rule.keys / "2026-1.key"
    right = file.read_text()
    harm(file)
    with pytest.raises(CannotRelease) as refused:
        release.prepare(parse("2026-Q1"), today=TODAY, rule=rule)
    assert refused.value.reason == CannotRelease.KEY and "2026-Q1" in explain(refused.value)
    pilot = Period(PILOT, date(2026, 3, 1), date(2026, 4, 1))
    assert [made.kind for made in schedule.prepare_due(today=TODAY, rule=rule, pilot=pilot)] == [PILOT]
    assert "2026-Q1" in caplog.text and "2026-1.key" in caplog.text and right not in caplog.text
    file.write_text(right)
    file.chmod(0o600)
    assert parse("2026-Q1") in [made.period for made in schedule.prepare_due(today=TODAY, rule=rule, pilot=pilot)]


def test_a_key_that_is_taken_is_not_drawn_anew_where_no_release_is_left(march, rule, tmp_path):
    Release.objects.all().delete()
    elsewhere = replaced(rule, keys=tmp_path / "elsewhere")
    with pytest.raises(CannotRelease) as refused:
        release.prepare(MARCH, today=TODAY, rule=elsewhere)
    assert refused.value.reason == CannotRelease.KEY and not elsewhere.keys.exists()
    assert release.prepare(MARCH, today=TODAY, rule=rule)


def test_the_database_takes_one_key_for_each_scope_and_edition(march):
    taken = ReleaseKey.objects.get()
    assert (taken.scope, taken.edition, taken.fingerprint) == ("2026", 1, fingerprint_of(march))
    ReleaseKey.objects.create(scope="2026", edition=2, fingerprint="f" * 64)
    ReleaseKey.objects.create(scope="pilot", edition=1, fingerprint="f" * 64)
    with pytest.raises(IntegrityError), transaction.atomic():
        ReleaseKey.objects.create(scope="2026", edition=1, fingerprint="f" * 64)


def test_releases_that_were_made_before_keys_were_taken_keep_theirs(march, rule, tmp_path):
    ReleaseKey.objects.all().delete()
    freeze.freeze_empty_months(parse("2026-Q1"), today=TODAY)
    with pytest.raises(CannotRelease):
        release.prepare(parse("2026-Q1"), today=TODAY, rule=replaced(rule, keys=tmp_path / "elsewhere"))
    quarter = release.prepare(parse("2026-Q1"), today=TODAY, rule=rule)
    assert fingerprint_of(quarter) == fingerprint_of(march) == ReleaseKey.objects.get().fingerprint


# --- at the same time ---------------------------------------------------------------------------------------------


def come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two come to the gate together, when neither has found a release."""
    gate, both_are_there = gating.at_the_gate, threading.Barrier(2)

    def wait_for_the_other() -> AbstractContextManager[None]:
        both_are_there.wait(30)
        return gate()

    monkeypatch.setattr(gating, "at_the_gate", wait_for_the_other)


@pytest.mark.django_db(transaction=True)
def test_two_that_prepare_a_period_at_once_make_one_release(rule, monkeypatch):
    log(date(2026, 3, 2), 23)
    freeze.freeze_month(MARCH, today=TODAY)
    come_at_once(monkeypatch)
    first, second = at_once(*[lambda: release.prepare(MARCH, today=TODAY, rule=rule)] * 2)
    assert first == second == Release.objects.get()


@pytest.mark.django_db(transaction=True)
def test_of_two_machines_with_folders_of_their_own_one_releases_the_year(rule, tmp_path, monkeypatch):
    log(date(2026, 3, 2), 23)
    freeze.freeze_month(MARCH, today=TODAY)
    freeze.freeze_empty_months(parse("2026-Q1"), today=TODAY)
    computed, candidate = [], release._candidate

    def noted(period: Period, *how: object) -> object:
        computed.append(period)
        return candidate(period, *how)

    come_at_once(monkeypatch)
    monkeypatch.setattr(release, "_candidate", noted)

    def released_by(machine: str, period: Period) -> Release:
        return release.prepare(period, today=TODAY, rule=replaced(rule, keys=tmp_path / machine))

    outcome = at_once(lambda: released_by("one", MARCH), lambda: released_by("two", parse("2026-Q1")))
    (refused,) = (one for one in outcome if isinstance(one, Exception))
    assert isinstance(refused, CannotRelease) and refused.reason == CannotRelease.KEY
    made = Release.objects.get()
    assert made in outcome and computed == [made.period]
    assert fingerprint_of(made) == ReleaseKey.objects.get().fingerprint


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_publish_at_once_one_does(rule):
    log(date(2026, 3, 2), 23)
    freeze.freeze_month(MARCH, today=TODAY)
    prepared = release.prepare(MARCH, today=TODAY, rule=rule)
    people = [User.objects.create_user(name, None, role="coordinator") for name in ("one", "two")]
    outcome = at_once(*[lambda by=by: release.publish(prepared, by=by, now=NOW) for by in people])
    (refused,) = (one for one in outcome if isinstance(one, Exception))
    assert isinstance(refused, CannotRelease) and refused.reason == CannotRelease.PUBLISHED
    assert Release.objects.get().published_by == people[1 - outcome.index(refused)]
    assert PublishedCell.objects.count() == outcome[1 - outcome.index(refused)] > 0
