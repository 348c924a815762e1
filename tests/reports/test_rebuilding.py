"""The rebuild: the same counts whoever does it, however often it is cut off, and nobody waits for it."""

import signal
import threading
import time
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import translation

from helpline import contacts
from helpline.entries import ReferralEntry, read_entry
from helpline.models import Contact, DayMark
from reports import freeze, rebuilding, rollups, tallies
from reports.models import DayCount, FailedDay, MonthCount, RebuildMonth
from reports.periods import parse
from tests.at_once import at_once

pytestmark = pytest.mark.django_db

NOW, TODAY = datetime(2026, 3, 31, 12, tzinfo=UTC), date(2026, 3, 31)
FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)
Rows = set[tuple[object, ...]]


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def log(day: date, **answers: list[str]) -> Contact:
    said = {"channel": ["telefon"], "result": ["relevant"], "concerns": ["natet", "hot"]} | answers
    entry = read_entry(day, said, [ReferralEntry("social", "hanvisning")])
    return contacts.log_contact(by=None, key=uuid4(), entry=entry, now=NOW, today=TODAY)


def stored() -> tuple[Rows, Rows]:
    return (
        set(DayCount.objects.values_list("day", "variable", "code", "n", "is_sealed")),
        set(MonthCount.objects.values_list("month", "variable", "code", "n")),
    )


@pytest.fixture
def three_months(db) -> tuple[Rows, Rows]:
    """Contacts of three months, the first one frozen; gives the right counts."""
    for day in (date(2026, 1, 5), date(2026, 2, 1), date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31)):
        log(day)
        log(day, county=["14"])
    freeze.freeze_month(parse("2026-01"), today=TODAY)
    rollups.refresh(seconds=60)
    assert rollups.wrong_days() == rollups.wrong_months() == []
    return stored()


def spoil() -> None:
    """Wrong counts, counts of nothing, missing ones; the sealed ones are left alone."""
    DayCount.objects.filter(is_sealed=False, variable="result").update(n=7)
    DayCount.objects.filter(day=date(2026, 2, 28)).delete()
    DayCount.objects.create(day=date(2025, 12, 24), variable="result", code="relevant", n=3)
    MonthCount.objects.filter(month=MARCH).delete()


def test_a_rebuild_mends_every_count_and_leaves_the_sealed_ones_alone(three_months):
    spoil()
    assert stored() != three_months
    assert rebuilding.rebuild() == 4  # December, of which only a count was left, to March
    assert stored() == three_months
    assert not RebuildMonth.objects.exists() and not DayMark.objects.exists()


def test_a_rebuild_that_was_cut_off_goes_on_with_what_is_left(three_months):
    spoil()
    rebuilding.ask()
    assert rebuilding.take_one({}) and rebuilding.take_one({})
    assert rebuilding.left() == 2
    rebuilding.work(seconds=60)
    assert stored() == three_months


def test_out_of_time_leaves_the_rest_to_others(three_months):
    rebuilding.ask()
    assert rebuilding.work(seconds=-1) == 0 and rebuilding.left() == 3
    assert rebuilding.work(seconds=60) == 3 and rebuilding.left() == 0
    assert not rebuilding.take_one({})


def test_a_month_that_fails_is_given_up_after_three_times_and_holds_up_no_other(three_months, monkeypatch, caplog):
    spoil()
    rebuild_month = rollups.rebuild_month

    def fail_in_february(month: date) -> None:
        if month == FEBRUARY:
            raise IntegrityError("county 14")
        rebuild_month(month)

    monkeypatch.setattr(rollups, "rebuild_month", fail_in_february)
    with pytest.raises(CommandError, match="These months could not be counted: 2026-02$"):
        call_command("refresh_rollups", rebuild=True)
    said = " ".join(caplog.messages)
    assert said.count("IntegrityError") == 3 and "county" not in said
    assert rollups.wrong_months() == [FEBRUARY]
    monkeypatch.undo()
    call_command("refresh_rollups", rebuild=True)  # asks for all of them anew
    assert stored() == three_months


def stands_still_in(monkeypatch, *months: date) -> None:
    rebuild_month = rollups.rebuild_month

    def lost(month: date) -> None:
        if month in months:
            raise OperationalError("connection lost")
        rebuild_month(month)

    monkeypatch.setattr(rollups, "rebuild_month", lost)


@pytest.mark.parametrize("run", [lambda: rebuilding.work(seconds=60), rebuilding.rebuild])
def test_a_database_that_stands_still_is_no_months_fault_and_holds_up_no_other(three_months, monkeypatch, run):
    spoil()
    rebuilding.ask()
    stands_still_in(monkeypatch, date(2025, 12, 1), FEBRUARY)
    with pytest.raises(OperationalError):
        run()
    assert set(RebuildMonth.objects.values_list("month", "attempts")) == {(date(2025, 12, 1), 0), (FEBRUARY, 0)}
    monkeypatch.undo()
    run()
    assert stored() == three_months


def test_a_database_that_never_answers_is_told_and_blames_nothing(three_months, monkeypatch):
    stands_still_in(monkeypatch, date(2026, 1, 1), FEBRUARY, MARCH)
    rebuilding.ask()
    with pytest.raises(OperationalError):
        rebuilding.work(seconds=60)
    assert list(RebuildMonth.objects.values_list("attempts", flat=True)) == [0, 0, 0]


def test_a_month_at_which_every_worker_is_lost_holds_up_no_other(three_months, monkeypatch):
    """Whoever is killed notes nothing, and takes one month in its life."""
    rebuild_month = rollups.rebuild_month

    def killed(month: date) -> None:
        if month == date(2026, 1, 1):
            raise KeyboardInterrupt
        rebuild_month(month)

    monkeypatch.setattr(rollups, "rebuild_month", killed)
    rebuilding.ask()
    for _ in range(100):
        with suppress(KeyboardInterrupt):
            rebuilding.take_one({})
    assert set(RebuildMonth.objects.values_list("month", "attempts")) == {(date(2026, 1, 1), 0)}


def test_an_empty_line_has_nothing_to_rebuild(capsys):
    call_command("refresh_rollups", rebuild=True)
    assert "0 months" in capsys.readouterr().out


def test_the_command_shows_how_far_it_has_come(three_months, capsys):
    call_command("refresh_rollups", rebuild=True)
    shown = capsys.readouterr()
    assert "3 months" in shown.out and "100 %  3/3" in shown.err


@pytest.mark.parametrize(("model", "of"), [(RebuildMonth, {"month": MARCH}), (FailedDay, {"day": MARCH})])
def test_nothing_is_tried_more_than_three_times(model, of):
    name = "rebuild_month_tried_thrice" if model is RebuildMonth else "failed_day_tried_thrice"
    model.objects.create(**of, attempts=3)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        model.objects.update(attempts=4)


class CutOff(Exception):
    """As Celery raises it at the soft limit, in the midst of whatever is done."""


@pytest.mark.django_db(transaction=True)
def test_a_month_that_is_cut_off_within_a_statement_has_failed_and_the_others_go_on(three_months, monkeypatch, caplog):
    """The connection is then at a statement still, and cannot be asked anything."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is asked within the process, which no signal interrupts")
    spoil()
    rebuilding.ask()
    rebuild_month = rollups.rebuild_month

    def too_long_in_february(month: date) -> None:
        if month != FEBRUARY:
            rebuild_month(month)
            return
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(30)")

    def cut_off(*_: object) -> None:
        raise CutOff

    before = signal.signal(signal.SIGALRM, cut_off)
    monkeypatch.setattr(rollups, "rebuild_month", too_long_in_february)
    began = time.monotonic()
    try:
        rebuilding.work(seconds=60)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - began < 20
    assert rebuilding.given_up() == [FEBRUARY] and rebuilding.left() == 0
    assert " ".join(caplog.messages).count("CutOff") == 3
    assert rollups.wrong_months() == [FEBRUARY]


# --- at the same time ---------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_several_at_once_share_the_months_and_come_to_the_same_counts(three_months):
    spoil()
    rebuilding.ask()
    taken = at_once(*[lambda: rebuilding.work(seconds=60)] * 3)
    assert all(isinstance(n, int) for n in taken), taken
    if connection.vendor == "postgresql":
        assert sum(taken) == 4  # nobody did another one's month again
    assert stored() == three_months


@pytest.mark.django_db(transaction=True)
def test_who_asks_anew_waits_for_no_worker(three_months):
    """What the worker holds is left to it; everything else is asked anew."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no rows that are held")
    rebuilding.ask()
    RebuildMonth.objects.update(attempts=2)
    FailedDay.objects.bulk_create(FailedDay(day=day, attempts=3) for day in (FEBRUARY, MARCH))
    with transaction.atomic():
        RebuildMonth.objects.select_for_update().get(month=MARCH)
        FailedDay.objects.select_for_update().get(day=MARCH)
        (left,) = at_once(impatient)
    assert left == 3
    assert set(RebuildMonth.objects.values_list("month", "attempts")) == {
        (date(2026, 1, 1), 0),
        (FEBRUARY, 0),
        (MARCH, 2),
    }
    assert FailedDay.objects.get().day == MARCH


def impatient() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '1s'")
    return rebuilding.ask()


@pytest.mark.django_db(transaction=True)
def test_a_rebuild_waits_for_the_sweep_that_is_at_one_of_its_days(three_months):
    late = date(2026, 3, 31)
    log(late)
    done: list[bool] = []

    def rebuild() -> None:
        rollups.rebuild_month(MARCH)
        done.append(True)
        connection.close()

    with transaction.atomic():
        assert rollups.recompute_day(late)
        thread = threading.Thread(target=rebuild)
        thread.start()
        thread.join(0.5)
        assert not done
    thread.join()
    assert done and rollups.wrong_days() == rollups.wrong_months() == []


@pytest.mark.django_db(transaction=True)
def test_what_is_saved_while_its_month_is_counted_leaves_its_mark(three_months, monkeypatch):
    """On PostgreSQL; SQLite counts day by day, each with the only write lock, so that a save waits for its turn."""
    is_postgresql = connection.vendor == "postgresql"
    name = "of_month" if is_postgresql else "of_days"
    count, savers = getattr(tallies, name), []

    def saved_meanwhile(*which: object) -> object:
        cells = count(*which)
        if not savers:
            savers.append(threading.Thread(target=lambda: [log(MARCH), connection.close()]))
            savers[0].start()
            savers[0].join(None if is_postgresql else 0.2)
        return cells

    monkeypatch.setattr(tallies, name, saved_meanwhile)
    rollups.rebuild_month(MARCH)
    monkeypatch.undo()
    savers[0].join()
    assert rollups.marked_days() == {MARCH}
    assert DayCount.objects.get(day=MARCH, variable="result").n == 2
    rollups.refresh(seconds=60)
    assert DayCount.objects.get(day=MARCH, variable="result").n == 3
    assert rollups.wrong_days() == []


@pytest.mark.django_db(transaction=True)
def test_handlers_save_beside_a_rebuild_and_none_waits_a_second():
    many = 400
    for n in range(many):
        log(MARCH + timedelta(days=n % 31))
    stop, took = threading.Event(), []

    def save() -> None:
        while not stop.is_set():
            began = time.monotonic()
            log(MARCH + timedelta(days=len(took) % 31))
            took.append(time.monotonic() - began)
            time.sleep(0.01)

    def rebuild() -> None:
        try:
            for _ in range(3):
                rebuilding.rebuild()
        finally:
            stop.set()

    assert at_once(save, rebuild) == [None, None]
    assert len(took) > 5 and max(took) < 1
    rollups.refresh(seconds=60)
    assert rollups.wrong_days() == rollups.wrong_months() == []
    assert sum(DayCount.objects.filter(variable="result").values_list("n", flat=True)) == many + len(took)
