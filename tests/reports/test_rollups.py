"""From contacts to counts: exact after every order of events."""

import threading
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, ProgrammingError, connection, transaction

from helpline import cases, contacts
from helpline.entries import ReferralEntry, read_entry
from helpline.models import Case, Contact, DayMark, Referral
from reports import live, rebuilding, rollups, tallies, tasks
from reports.models import DayCount, MonthCount
from reports.periods import containing

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
TODAY = date(2026, 3, 31)
DAY, NEXT_DAY = date(2026, 3, 2), date(2026, 3, 3)


def log(day: date, case: Case | None = None, **answers: list[str]) -> Contact:
    call = {"channel": ["telefon"], "result": ["relevant"], "concerns": ["natet", "hot"]} | answers
    entry = read_entry(day, call, [ReferralEntry("social", "hanvisning")])
    return contacts.log_contact(by=None, key=uuid4(), entry=entry, now=NOW, today=TODAY, case=case)


def n(day: date, variable: str, code: str) -> int:
    row = DayCount.objects.filter(day=day, variable=variable, code=code).first()
    return row.n if row else 0


def test_a_sweep_counts_the_marked_days_and_removes_their_marks():
    log(date(2026, 3, 2))
    log(date(2026, 3, 2), concerns=["hot"])
    log(date(2026, 2, 27))
    tasks.sweep.apply()
    assert (n(date(2026, 3, 2), "concerns", "hot"), n(date(2026, 3, 2), "concerns", "natet")) == (2, 1)
    assert n(date(2026, 3, 2), "referral_target", "social") == 2
    assert MonthCount.objects.get(month=date(2026, 2, 1), variable="result", code="relevant").n == 1
    assert not DayMark.objects.exists()
    assert rollups.wrong_days() == rollups.wrong_months() == []


def test_recomputing_twice_changes_nothing():
    log(date(2026, 3, 2))
    rollups.recompute_day(date(2026, 3, 2))
    before = set(DayCount.objects.values_list("day", "variable", "code", "n"))
    rollups.recompute_day(date(2026, 3, 2))
    assert set(DayCount.objects.values_list("day", "variable", "code", "n")) == before


def test_a_day_that_lost_its_contacts_loses_its_counts_and_its_month():
    log(date(2026, 3, 2))
    rollups.refresh(seconds=60)
    Contact.objects.all().delete()
    DayMark.objects.create(day=date(2026, 3, 2))
    rollups.refresh(seconds=60)
    assert not DayCount.objects.exists() and not MonthCount.objects.exists()


def test_a_failing_day_stays_marked_and_holds_up_no_other(monkeypatch, caplog):
    log(date(2026, 3, 2), county=["14"])
    log(date(2026, 3, 3))
    recompute = rollups.recompute_day

    def fail_on_the_second(day: date) -> bool:
        if day == date(2026, 3, 2):
            raise RuntimeError("county 14")
        return recompute(day)

    monkeypatch.setattr(rollups, "recompute_day", fail_on_the_second)
    assert rollups.refresh(seconds=60) == 1
    assert rollups.marked_days() == {date(2026, 3, 2)}
    said = " ".join(caplog.messages)  # a line's number may hold any digits
    assert "RuntimeError" in said and "14" not in said


class Lost(BaseException):
    """The worker is killed here."""


def test_a_day_at_which_every_worker_is_lost_does_not_hold_up_the_others_for_ever(monkeypatch):
    log(DAY)
    log(NEXT_DAY)
    recompute = rollups.recompute_day

    def lost_at_the_first(day: date) -> bool:
        if day == DAY:
            raise Lost
        return recompute(day)

    monkeypatch.setattr(rollups, "recompute_day", lost_at_the_first)
    for _ in range(40):  # all of them begin with that day once in a million million times
        with suppress(Lost):
            rollups.refresh(seconds=60)
    assert rollups.marked_days() == {DAY}


@pytest.mark.parametrize(
    ("fault", "given_up"), [(ProgrammingError, set()), (OperationalError, set()), (KeyError, {DAY})]
)
def test_what_is_the_fault_of_no_day_gives_up_none(monkeypatch, fault, given_up):
    """A worker that is older than the database, or may not read a table, fails at every day alike."""
    log(DAY)

    def fail(days: list[date]) -> None:
        raise fault

    with monkeypatch.context() as broken:
        broken.setattr(tallies, "of_days", fail)
        for _ in range(rollups.ATTEMPTS + 1):
            assert rollups.refresh(seconds=60) == 0
    assert rollups.given_up_days() == given_up
    assert rollups.refresh(seconds=60) == 1 - len(given_up)


def test_out_of_time_leaves_the_rest_for_the_next_sweep():
    log(date(2026, 3, 2))
    assert rollups.refresh(seconds=-1) == 0
    assert rollups.marked_days() == {date(2026, 3, 2)}


def test_verify_finds_a_wrong_day_and_a_wrong_month_and_rebuild_mends_them(capsys):
    log(date(2026, 3, 2))
    rollups.refresh(seconds=60)
    call_command("verify")
    DayCount.objects.filter(variable="concerns", code="hot").update(n=7)
    with pytest.raises(CommandError, match="2026-03-02, 2026-03"):
        call_command("verify")
    call_command("refresh_rollups", rebuild=True)
    MonthCount.objects.filter(variable="concerns", code="hot").update(n=7)
    with pytest.raises(CommandError, match="2026-03$"):
        call_command("verify")
    call_command("refresh_rollups", rebuild=True)
    call_command("verify")


def test_rebuild_removes_counts_of_days_without_contacts():
    DayCount.objects.create(day=date(2026, 1, 5), variable="result", code="relevant", n=3)
    rebuilding.rebuild()
    assert not DayCount.objects.exists()


# --- what counts nowhere --------------------------------------------------------------------------------------------


def days_counted() -> tuple[set[tuple[str, str, int]], set[tuple[str, str, int]]]:
    """(variable, code, n) by day, and by month: one day, in one month."""
    return (
        set(DayCount.objects.values_list("variable", "code", "n")),
        set(MonthCount.objects.values_list("variable", "code", "n")),
    )


def test_a_withdrawn_contact_counts_nowhere_nor_do_its_referrals():
    log(DAY)
    rollups.refresh(seconds=60)
    before = days_counted()
    wrong = log(DAY, county=["14"])
    rollups.refresh(seconds=60)
    assert n(DAY, "county", "14") == 1 and n(DAY, "referral_target", "social") == 2
    contacts.withdraw_contact(wrong, version=1)
    assert live.overview(containing("month", DAY)).contacts == 1
    rollups.refresh(seconds=60)
    assert days_counted() == before
    assert rollups.wrong_days() == rollups.wrong_months() == []
    rebuilding.rebuild()
    assert days_counted() == before


def test_verify_finds_a_day_that_still_counts_a_withdrawn_contact():
    wrong = log(DAY)
    log(DAY)
    rollups.refresh(seconds=60)
    assert rollups.wrong_days() == []
    Contact.objects.filter(pk=wrong.pk).update(is_withdrawn=True)  # past the door, so that no mark is left
    assert rollups.wrong_days() == [DAY]
    rebuilding.rebuild()
    assert rollups.wrong_days() == [] and n(DAY, "result", "relevant") == 1


def test_a_day_whose_only_contact_is_withdrawn_has_no_counts():
    contacts.withdraw_contact(log(DAY), version=1)
    rollups.refresh(seconds=60)
    assert not DayCount.objects.exists() and not MonthCount.objects.exists()
    assert rollups.wrong_days() == []


def test_a_referral_repeated_in_a_case_counts_once_and_its_contact_twice():
    case, _ = cases.open_case(today=TODAY)
    for day in (DAY, NEXT_DAY):
        log(day, case=case)
    rollups.refresh(seconds=60)
    assert (n(DAY, "referral_target", "social"), n(NEXT_DAY, "referral_target", "social")) == (1, 0)
    assert (n(NEXT_DAY, "referral_type", "hanvisning"), n(NEXT_DAY, "referral_outcome", "ej_uppf")) == (0, 0)
    assert n(DAY, "result", "relevant") == n(NEXT_DAY, "result", "relevant") == 1
    assert live.overview(containing("month", DAY)).referrals == 1
    assert rollups.wrong_days() == rollups.wrong_months() == []


def test_the_same_referral_of_two_callers_counts_twice():
    for day in (DAY, NEXT_DAY):
        log(day, case=cases.open_case(today=TODAY)[0])
    rollups.refresh(seconds=60)
    assert (n(DAY, "referral_target", "social"), n(NEXT_DAY, "referral_target", "social")) == (1, 1)


def test_a_repeated_referral_counts_again_when_the_first_is_withdrawn():
    case, _ = cases.open_case(today=TODAY)
    first, _second = log(DAY, case=case), log(NEXT_DAY, case=case)
    rollups.refresh(seconds=60)
    contacts.withdraw_contact(first, version=1)
    assert rollups.marked_days() == {DAY, NEXT_DAY}
    assert live.overview(containing("month", DAY)).referrals == 1
    rollups.refresh(seconds=60)
    assert (n(DAY, "referral_target", "social"), n(NEXT_DAY, "referral_target", "social")) == (0, 1)
    assert rollups.wrong_days() == rollups.wrong_months() == []


def test_a_contact_of_an_earlier_month_takes_over_the_referral_and_the_later_day_is_counted_anew():
    case, _ = cases.open_case(today=TODAY)
    log(TODAY, case=case)
    rollups.refresh(seconds=60)
    log(date(2026, 2, 27), case=case)
    rollups.refresh(seconds=60)
    assert rollups.wrong_days() == [] == rollups.wrong_months()
    assert (n(date(2026, 2, 27), "referral_target", "social"), n(TODAY, "referral_target", "social")) == (1, 0)


def test_verify_finds_a_day_that_counts_a_repeated_referral():
    log(DAY)
    rollups.refresh(seconds=60)
    assert rollups.wrong_days() == []
    Referral.objects.update(is_repeat=True)
    assert rollups.wrong_days() == [DAY]
    rebuilding.rebuild()
    assert rollups.wrong_days() == [] and n(DAY, "referral_target", "social") == 0


# --- at the same time ---------------------------------------------------------------------------------------------


def in_thread(work) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
def test_writers_and_sweepers_at_once_leave_no_wrong_count():
    days = [date(2026, 3, 2) + timedelta(days=n) for n in range(3)]
    stop = threading.Event()

    def write() -> None:
        for turn in range(12):
            log(days[turn % 3])

    def sweep() -> None:
        while not stop.is_set():
            rollups.refresh(seconds=60)

    sweepers = [in_thread(sweep) for _ in range(2)]
    writers = [in_thread(write) for _ in range(3)]
    for thread in writers:
        thread.join()
    stop.set()
    for thread in sweepers:
        thread.join()
    rollups.refresh(seconds=60)
    assert Contact.objects.count() == 36
    assert not DayMark.objects.exists()
    assert rollups.wrong_days() == rollups.wrong_months() == []
    assert sum(DayCount.objects.filter(variable="result").values_list("n", flat=True)) == 36


@pytest.mark.django_db(transaction=True)
def test_a_contact_saved_while_its_day_is_counted_leaves_its_mark(monkeypatch):
    log(date(2026, 3, 2))
    count = tallies.of_days

    def saved_meanwhile(days):
        monkeypatch.setattr(tallies, "of_days", count)
        cells = count(days)
        if connection.vendor == "postgresql":  # on SQLite the recount holds the only write lock
            in_thread(lambda: log(date(2026, 3, 2))).join()
        return cells

    monkeypatch.setattr(tallies, "of_days", saved_meanwhile)
    rollups.recompute_day(date(2026, 3, 2))
    if connection.vendor == "postgresql":
        assert n(date(2026, 3, 2), "result", "relevant") == 1
        assert rollups.marked_days() == {date(2026, 3, 2)}
        rollups.refresh(seconds=60)
        assert n(date(2026, 3, 2), "result", "relevant") == 2
    assert rollups.wrong_days() == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_count_one_day_at_the_same_time():
    """PostgreSQL leaves the day to the first; SQLite, with its one writer, lets the second wait for the first."""
    log(date(2026, 3, 2))
    outcome: list[bool] = []
    with transaction.atomic():
        assert rollups.recompute_day(date(2026, 3, 2))
        second = in_thread(lambda: outcome.append(rollups.recompute_day(date(2026, 3, 2))))
        second.join(0.5)
        assert outcome == ([False] if connection.vendor == "postgresql" else [])
    second.join()
    assert outcome == [connection.vendor != "postgresql"]


@pytest.mark.django_db(transaction=True)
def test_two_days_of_one_month_counted_at_once_both_reach_the_month():
    log(date(2026, 3, 2))
    log(date(2026, 3, 3))
    with transaction.atomic():
        assert rollups.recompute_day(date(2026, 3, 2))
        other = in_thread(lambda: rollups.recompute_day(date(2026, 3, 3)))
        other.join(0.5)
    other.join()
    assert MonthCount.objects.get(month=date(2026, 3, 1), variable="result").n == 2
    assert rollups.wrong_months() == []


@pytest.mark.django_db(transaction=True)
def test_verify_takes_a_contact_saved_meanwhile_for_no_fault(monkeypatch):
    log(date(2026, 3, 2))
    rollups.refresh(seconds=60)
    marked = rollups.marked_days

    def saved_meanwhile(*span: date) -> set[date]:
        days = marked(*span)
        monkeypatch.setattr(rollups, "marked_days", marked)
        in_thread(lambda: log(date(2026, 3, 2))).join()
        return days

    monkeypatch.setattr(rollups, "marked_days", saved_meanwhile)
    assert rollups.wrong_days() == []
