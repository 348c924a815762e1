"""Whether the counts are kept: days that fail, the nightly verification, and what a probe learns of it."""

import json
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import Client

from helpline import contacts
from helpline.entries import read_entry
from helpline.models import Contact
from reports import rebuilding, rollups, tallies, tasks, upkeep
from reports.claims import VERIFYING, claim
from reports.counting import Cells
from reports.models import DayCount, FailedDay, MonthCount, RebuildMonth, Upkeep
from tests.at_once import at_once

pytestmark = pytest.mark.django_db

NOW, TODAY = datetime(2026, 3, 31, 12, tzinfo=UTC), date(2026, 3, 31)
DAY, OTHER = date(2026, 3, 2), date(2026, 3, 3)
STOCKHOLM = ZoneInfo("Europe/Stockholm")


def log(day: date = DAY, **answers: list[str]) -> Contact:
    entry = read_entry(day, {"channel": ["telefon"], "result": ["relevant"]} | answers)
    return contacts.log_contact(by=None, key=uuid4(), entry=entry, now=NOW, today=TODAY)


def keep_up(now: datetime = NOW) -> None:
    upkeep.keep_up(seconds=60, now=now)


@pytest.fixture
def poisoned(monkeypatch) -> None:
    """DAY cannot be counted while it is swept."""
    count = tallies.of_days

    def fail(days, *variables):
        if DAY in days:
            raise ValueError("county 14")
        return count(days, *variables)

    monkeypatch.setattr(tallies, "of_days", fail)


# --- a day that fails ---------------------------------------------------------------------------------------------


def test_a_day_that_fails_is_given_up_after_three_times_and_the_others_go_on(poisoned, caplog):
    log()
    for turn in range(5):
        log(OTHER)
        keep_up()
        assert DayCount.objects.get(day=OTHER, variable="result").n == turn + 1
    said = " ".join(caplog.messages)
    assert said.count("ValueError") == 3 and "county" not in said
    assert rollups.given_up_days() == rollups.marked_days() == {DAY}


def test_the_next_success_forgets_the_failures(poisoned, monkeypatch):
    log()
    keep_up()
    keep_up()
    assert FailedDay.objects.get().attempts == 2
    monkeypatch.undo()
    keep_up()
    assert not FailedDay.objects.exists() and not rollups.marked_days()


def test_a_rebuild_counts_what_was_given_up(poisoned, monkeypatch):
    log()
    for _ in range(3):
        keep_up()
    monkeypatch.undo()
    keep_up()
    assert rollups.given_up_days() == {DAY}  # no sweep tries it again
    rebuilding.rebuild()
    assert not FailedDay.objects.exists() and not rollups.marked_days()
    assert DayCount.objects.get(day=DAY, variable="result").n == 1


def test_a_database_that_stands_still_is_no_days_fault(monkeypatch):
    log()

    def lost(*_):
        raise OperationalError("connection lost")

    monkeypatch.setattr(tallies, "of_days", lost)
    for _ in range(4):
        keep_up()
    assert not FailedDay.objects.exists()


@pytest.mark.parametrize("attempts", [0, 4])
def test_a_failed_day_has_failed_once_to_three_times(attempts):
    with pytest.raises(IntegrityError, match="failed_day_tried_thrice"), transaction.atomic():
        FailedDay.objects.create(day=DAY, attempts=attempts)


# --- the verification ---------------------------------------------------------------------------------------------


def test_the_verification_keeps_how_many_figures_differ_and_says_which():
    log()
    log(OTHER)
    log(date(2026, 2, 1))
    keep_up()
    assert upkeep.verify(today=TODAY) == upkeep.Verification(3, (), (), ())
    DayCount.objects.filter(day=DAY, variable="result").update(n=7)
    MonthCount.objects.filter(month=date(2026, 2, 1), variable="result").update(n=7)
    found = upkeep.verify(today=TODAY)
    assert found == upkeep.Verification(3, (DAY,), (date(2026, 2, 1), date(2026, 3, 1)), ())
    row = Upkeep.objects.get()
    assert (row.verified_on, row.compared, row.mismatches) == (TODAY, 3, 3)
    with pytest.raises(CommandError, match="2026-03-02, 2026-02, 2026-03"):
        call_command("verify")


def test_a_marked_day_is_not_compared():
    log()
    keep_up()
    DayCount.objects.filter(day=DAY, variable="result").update(n=7)
    log()
    assert upkeep.verify(today=TODAY) == upkeep.Verification(0, (), (), ())


@pytest.fixture
def uncountable(monkeypatch) -> None:
    """No range that holds DAY can be counted."""
    count = tallies.of_month

    def fail(since, until):
        if since <= DAY < until:
            raise ValueError("county 14")
        return count(since, until)

    monkeypatch.setattr(tallies, "of_month", fail)


def test_a_day_that_cannot_be_counted_is_a_mismatch_and_hides_no_other(uncountable, caplog):
    for day in (date(2026, 2, 1), DAY, OTHER, TODAY):
        log(day)
    keep_up()
    DayCount.objects.filter(day=OTHER, variable="result").update(n=7)
    assert upkeep.verify(today=TODAY) == upkeep.Verification(4, (DAY, OTHER), (date(2026, 3, 1),), ())
    assert Upkeep.objects.get().mismatches == 3 and Upkeep.objects.get().verified_on == TODAY
    assert "ValueError" in caplog.text and "county" not in caplog.text
    with pytest.raises(CommandError, match="2026-03-02, 2026-03-03, 2026-03"):
        call_command("verify")


def test_a_marked_day_that_cannot_be_counted_is_no_mismatch(uncountable, caplog):
    """It is counted live, or said to be missing."""
    log(OTHER)
    keep_up()
    log(DAY)
    assert upkeep.verify(today=TODAY) == upkeep.Verification(1, (), (), ())
    assert "ValueError" not in caplog.text


def test_a_verification_that_is_told_to_stop_keeps_no_result(monkeypatch):
    log()
    keep_up()

    def stopped(*_):
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(tallies, "of_month", stopped)
    with pytest.raises(SoftTimeLimitExceeded):
        upkeep.verify(today=TODAY)
    assert Upkeep.objects.get().verified_on is None


@pytest.mark.parametrize(
    ("now", "verified_on", "due"),
    [
        (datetime(2026, 3, 31, 0, 59), None, False),
        (datetime(2026, 3, 31, 1, 0), None, True),
        (datetime(2026, 3, 31, 1, 0), date(2026, 3, 30), True),
        (datetime(2026, 3, 31, 23, 0), date(2026, 3, 30), True),  # the machine was off in the night
        (datetime(2026, 3, 31, 1, 0), date(2026, 3, 31), False),
        (datetime(2026, 4, 1, 0, 30), date(2026, 3, 31), False),
        (datetime(2026, 3, 31, 1, 0), date(2027, 3, 31), True),  # the clock was a year ahead
    ],
)
def test_the_verification_is_due_once_a_night(now, verified_on, due):
    upkeep._note(verified_on=verified_on)
    assert upkeep.is_due(now.replace(tzinfo=STOCKHOLM)) == due


def test_a_sweep_that_never_came_to_its_end_is_late_too():
    """As every installation begins: migrated, and no worker that listens."""
    Upkeep.objects.all().delete()
    assert not upkeep.standing(now=NOW).is_late  # nobody can say since when
    import_module("reports.migrations.0019_caught_up_since_installation").forwards(apps, None)
    installed = Upkeep.objects.get().caught_up_at
    assert not upkeep.standing(now=installed + timedelta(minutes=15)).is_late
    assert upkeep.standing(now=installed + timedelta(minutes=16)).is_late


@pytest.mark.parametrize("night", [date(2026, 10, 25), date(2027, 3, 28)])
def test_a_night_in_which_the_clock_is_changed_has_one_verification(night):
    """Rung every hour of the real day, of which there are 25 and 23."""
    upkeep._note(verified_on=night - timedelta(days=1))
    moment = datetime(night.year, night.month, night.day, tzinfo=STOCKHOLM).astimezone(UTC)
    done = 0
    while (local := moment.astimezone(STOCKHOLM)).date() == night:
        if upkeep.is_due(local):
            upkeep.verify(today=local.date())
            done += 1
        moment += timedelta(hours=1)
    assert done == 1


def test_the_doorbell_verifies_what_is_due(monkeypatch):
    monkeypatch.setattr(tasks.timezone, "localtime", lambda: datetime(2026, 3, 31, 2, tzinfo=STOCKHOLM))
    tasks.verify()
    assert Upkeep.objects.get().verified_on == TODAY


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_are_rung_for_while_one_verifies_none_begins_anew():
    def ring() -> None:
        upkeep.verify_due(now=datetime(2026, 3, 31, 2, tzinfo=STOCKHOLM))

    if connection.vendor == "postgresql":
        with claim(VERIFYING):
            assert at_once(ring) == [None] and not Upkeep.objects.exclude(verified_on=None).exists()
    assert at_once(ring) == [None] and Upkeep.objects.get().verified_on == TODAY


def test_the_standing_is_one_row():
    with pytest.raises(IntegrityError, match="upkeep_is_one_row"), transaction.atomic():
        Upkeep.objects.bulk_create([Upkeep(id=2)])


# --- probes -------------------------------------------------------------------------------------------------------


def standing(after: timedelta = timedelta(0)) -> upkeep.Standing:
    return upkeep.standing(now=NOW + after)


def test_a_sweep_that_leaves_nothing_waiting_has_caught_up():
    log()
    keep_up()
    assert Upkeep.objects.get().caught_up_at == NOW
    assert standing(timedelta(minutes=16)).is_late and not standing(timedelta(minutes=15)).is_late


def test_a_sweep_that_does_not_come_to_its_end_has_not():
    keep_up()
    log()
    upkeep.keep_up(seconds=-1, now=NOW + timedelta(minutes=20))
    assert Upkeep.objects.get().caught_up_at == NOW


def test_a_day_that_was_given_up_holds_up_no_standing_for_ever(poisoned):
    log()
    for _ in range(4):
        keep_up(NOW)
    assert not standing().is_late and standing().given_up_days is None
    upkeep.verify(today=TODAY)
    assert standing().given_up_days == 1


def probe(page: str) -> tuple[int, str]:
    response = Client().get(page)
    return response.status_code, response.content.decode()


def figures() -> dict[str, str]:
    status, text = probe("/metrics")
    assert status == 200
    rows = [line.split(" ") for line in text.splitlines() if not line.startswith("#")]
    assert all(name.startswith("stodtelefonen_") for name, _ in rows)
    return {name.removeprefix("stodtelefonen_"): value for name, value in rows}


@pytest.fixture
def at(monkeypatch):
    from reports.views import health

    def at(moment: datetime) -> None:
        monkeypatch.setattr(health.timezone, "now", lambda: moment)

    at(NOW)
    return at


def test_ready_turns_red_within_a_quarter_of_an_hour_after_the_last_sweep_and_green_again(at):
    keep_up()
    assert probe("/health/ready") == (200, json.dumps({"causes": []}))
    at(NOW + timedelta(minutes=16))
    assert probe("/health/ready") == (503, json.dumps({"causes": ["counts"]}))
    assert probe("/health/live")[0] == 200
    keep_up(NOW + timedelta(minutes=16))
    assert probe("/health/ready")[0] == 200


def test_a_database_that_does_not_answer_is_a_cause_and_the_process_lives(at, monkeypatch):
    def lost(**_):
        raise OperationalError("no route to host db.example")

    monkeypatch.setattr(upkeep, "standing", lost)
    assert probe("/health/ready") == (503, json.dumps({"causes": ["database"]}))
    assert probe("/health/live")[0] == 200
    assert figures() == {"database_up": "0"}


def test_a_mismatch_is_a_figure_and_shuts_nobody_out(at):
    log()
    keep_up()
    assert "count_mismatches" not in figures()
    DayCount.objects.filter(day=DAY, variable="result").update(n=7)
    upkeep.verify(today=TODAY)
    assert figures() | {"last_verification_timestamp_seconds": ""} == {
        "database_up": "1",
        "counts_behind_seconds": "0",
        "days_given_up": "0",
        "months_to_rebuild": "0",
        "months_given_up": "0",
        "count_mismatches": "2",
        "last_verification_timestamp_seconds": "",
        "erasure_overdue": "0",
        "erased_bytes_left": "0",
    }
    assert datetime.fromtimestamp(int(figures()["last_verification_timestamp_seconds"]), UTC).date() == TODAY
    assert probe("/health/ready")[0] == 200


def test_nothing_that_a_probe_reads_moves_when_a_contact_is_saved(at):
    """Before its sweep, in a sweep that is too slow for it, and after."""
    keep_up()
    pages = ("/health/live", "/health/ready", "/metrics")
    before = [probe(page) for page in pages]
    log()
    assert [probe(page) for page in pages] == before
    upkeep.keep_up(seconds=-1, now=NOW + timedelta(minutes=1))
    at(NOW + timedelta(minutes=4))
    assert [probe(page) for page in pages] == before
    keep_up(NOW + timedelta(minutes=4))
    assert [probe(page) for page in pages] == before
    # The control: what does move is seen.
    RebuildMonth.objects.create(month=date(2026, 3, 1))
    assert [probe(page) for page in pages] != before


@pytest.mark.parametrize("day", [TODAY, DAY], ids=["of today", "of an earlier day"])
def test_probes_cannot_tell_a_world_with_a_contact_that_cannot_be_counted_from_one_without_it(at, monkeypatch, day):
    """Until the next night: that its day is given up would tell within minutes that it was saved."""
    count = tallies.of_days

    def fail(days, *variables):
        if Contact.objects.filter(day__in=days, result="tyst").exists():
            raise ValueError
        return count(days, *variables)

    monkeypatch.setattr(tallies, "of_days", fail)
    log(day)
    keep_up()
    upkeep.verify(today=TODAY - timedelta(days=1))
    quiet = the_next_minutes(at)
    log(day, result=["tyst"])
    assert the_next_minutes(at) == quiet
    assert rollups.given_up_days() == {day}
    upkeep.verify_due(now=(NOW + timedelta(days=1)).astimezone(STOCKHOLM))
    assert figures()["days_given_up"] == "1"


def the_next_minutes(at) -> list[tuple[int, str]]:
    """What the probes say before the next sweep, and after each one until a day that fails is given up."""
    told = []
    for moment in [NOW + timedelta(minutes=minute) for minute in range(6)]:
        at(moment)
        if moment > NOW:
            keep_up(moment)
        told += [probe(page) for page in ("/health/live", "/health/ready", "/metrics")]
    Upkeep.objects.update(caught_up_at=NOW)
    return told


def test_a_month_that_a_rebuild_gave_up_is_told(at):
    RebuildMonth.objects.bulk_create(
        RebuildMonth(month=date(2026, month, 1), attempts=attempts) for month, attempts in ((1, 3), (2, 2), (3, 0))
    )
    assert (figures()["months_given_up"], figures()["months_to_rebuild"]) == ("1", "2")


def test_probes_behind_the_proxy_are_not_sent_to_tls(settings):
    settings.SECURE_SSL_REDIRECT = True
    assert probe("/health/live")[0] == 200 and probe("/metrics")[0] == 200
    assert probe("/")[0] == 301


def test_the_verification_holds_one_month_in_memory(monkeypatch):
    """What is asked of the database is asked for each month by itself."""
    for month in (1, 2, 3):
        log(date(2026, month, 5))
    keep_up()
    asked: list[date] = []
    count = tallies.of_month

    def watched(month: date, until: date) -> dict[date, Cells]:
        asked.append(month)
        assert (until - month).days <= 31
        return count(month, until)

    monkeypatch.setattr(tallies, "of_month", watched)
    upkeep.verify(today=TODAY)
    assert asked == [date(2026, month, 1) for month in (1, 2, 3)]
