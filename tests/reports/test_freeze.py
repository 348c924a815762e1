"""A month is copied once; its statistics never move again."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from helpline import cases, contacts
from helpline.entries import ReferralEntry, read_entry
from helpline.models import Case, Contact, DaySeal
from helpline.taxonomy import QUESTIONS
from reports import freeze, live, rebuilding, rollups, schedule
from reports.freeze import CannotFreeze
from reports.models import DayCount, StatRecord, StatReferral
from reports.periods import Period, parse
from tests.at_once import at_once

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 20)
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
JANUARY, FEBRUARY, MARCH = parse("2026-01"), parse("2026-02"), parse("2026-03")


def log(day: date, case: Case | None = None, **answers: list[str]) -> Contact:
    call = {"channel": ["telefon"], "result": ["relevant"], "concerns": ["aktiv", "hot"], "county": ["14"]} | answers
    referrals = [ReferralEntry("social", "formedling", "kontakt", consent=True), ReferralEntry("skola", "hanvisning")]
    entry = read_entry(day, call, referrals)
    return contacts.log_contact(by=None, key=uuid4(), entry=entry, now=NOW, today=TODAY, case=case)


def live_relevant(code: str) -> int:
    return live.overview(parse(code)).relevant


def test_a_frozen_record_holds_the_codes_their_groups_and_the_referrals():
    log(date(2026, 1, 5), age=["a15_17"], environment=["hogerext"], caller_role=["vet_ej"])
    assert freeze.freeze_month(JANUARY, today=TODAY) == 1
    record = StatRecord.objects.get()
    assert (record.month, record.result, record.county) == (date(2026, 1, 1), "relevant", "14")
    assert (record.concerns, record.concerns_6) == ({"aktiv", "hot"}, {"i_miljon", "fara"})
    assert (record.age_2, record.environment_3, record.caller_role_3) == ("under18", "annan_vbe", "vet_ej")
    assert (record.county_region, record.county_part, record.needs_2) == ("SE23", "SE2", {"ej_fragat"})
    assert set(StatReferral.objects.values_list("referral_target_6", "referral_type", "referral_outcome")) == {
        ("kommun", "formedling", "kontakt"),
        ("skola_arbete", "hanvisning", "ej_uppf"),
    }


def test_a_record_has_no_clock_no_handler_and_no_way_back_to_its_contact():
    contact = log(date(2026, 1, 5))
    freeze.freeze_month(JANUARY, today=TODAY)
    record = StatRecord.objects.get()
    columns = {field.name for field in StatRecord._meta.fields}
    assert columns - set(QUESTIONS) == {
        *("key", "month", "caller_role_3", "concerns_6", "environment_3", "age_2", "needs_2"),
        *("county_part", "county_region", "case_step", "balance"),
    }
    assert not {field.name for field in StatRecord._meta.fields if field.is_relation}
    assert 0 <= record.key < 2**62 and record.key != contact.pk.int % 2**62
    assert not {f.name for f in Contact._meta.fields} & {"record", "stat_record", "key"}


def as_they_lie(column: str, table: str) -> list[int]:
    """The values in the order in which the rows lie in the database's file."""
    place = "ctid" if connection.vendor == "postgresql" else "rowid"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} ORDER BY {place}")  # noqa: S608
        return [value for (value,) in cursor.fetchall()]


def test_records_and_referrals_lie_in_the_order_of_their_random_keys_not_of_the_calls():
    if connection.vendor == "postgresql":  # a new file, since rows of other tests leave gaps to be filled in any order
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE reports_statrecord, reports_statreferral")
    for day in range(1, 29):
        log(date(2026, 1, day))
    freeze.freeze_month(JANUARY, today=TODAY)
    keys = as_they_lie("key", "reports_statrecord")
    assert keys == sorted(keys) and len(set(keys)) == 28
    assert as_they_lie("record_id", "reports_statreferral") == sorted([*keys, *keys])


def test_a_month_of_any_size_is_read_and_marked_with_statements_of_a_bounded_size(monkeypatch):
    monkeypatch.setattr(freeze, "BATCH", 4)
    for _ in range(30):
        log(date(2026, 1, 5))
    sizes: dict[str, list[int]] = {"SELECT": [], "UPDATE": []}

    def watch(execute: Callable[..., object], sql: str, params: tuple[object, ...], *rest: object) -> object:
        sizes.setdefault(sql.split()[0], []).append(len(params or ()))
        return execute(sql, params, *rest)

    with connection.execute_wrapper(watch):
        assert freeze.freeze_month(JANUARY, today=TODAY) == 30
    assert max(sizes["SELECT"]) <= 4 and max(sizes["UPDATE"]) <= 1 + 4
    assert StatReferral.objects.count() == 60


def test_no_time_between_two_statements_grows_with_the_month(monkeypatch):
    """PostgreSQL ends a transaction in which no statement comes for a while."""
    monkeypatch.setattr(freeze, "BATCH", 4)
    for day in range(1, 29):
        log(date(2026, 1, day))
    steps: list[int] = [0]  # contacts read whole, or copied, between two statements
    load, copy = Contact.from_db, freeze._balance

    def loaded(db: str, fields: list[str], values: list[object]) -> Contact:
        steps[-1] += len(fields) > 1
        return load(db, fields, values)

    def copied(contact: Contact) -> str:
        steps[-1] += 1
        return copy(contact)

    def watch(execute: Callable[..., object], *statement: object) -> object:
        steps.append(0)
        return execute(*statement)

    monkeypatch.setattr(Contact, "from_db", loaded)
    monkeypatch.setattr(freeze, "_balance", copied)
    with connection.execute_wrapper(watch):
        assert freeze.freeze_month(JANUARY, today=TODAY) == 28
    assert sum(steps) >= 2 * 28 and max(steps) <= 4


def test_freezing_moves_no_live_figure():
    for day in (5, 5, 6):
        log(date(2026, 1, day))
    before = live.overview(parse("2026-Q1"))
    freeze.freeze_month(JANUARY, today=TODAY)
    assert live.overview(parse("2026-Q1")).breakdowns == before.breakdowns
    rollups.refresh(seconds=60)
    after = live.overview(parse("2026-Q1"))
    assert (after.breakdowns, after.weeks, after.pending_days) == (before.breakdowns, before.weeks, 0)
    assert rollups.wrong_days() == rollups.wrong_months() == []


def test_frozen_contacts_can_vanish_and_no_figure_moves():
    log(date(2026, 1, 5))
    freeze.freeze_month(JANUARY, today=TODAY)
    rollups.refresh(seconds=60)
    Contact.objects.all().delete()
    rebuilding.rebuild()
    assert live_relevant("2026-01") == 1
    assert StatRecord.objects.count() == 1
    assert rollups.wrong_days() == rollups.wrong_months() == []


def test_a_late_contact_shows_live_on_its_day_and_counts_in_the_open_month():
    log(date(2026, 1, 5))
    freeze.freeze_month(JANUARY, today=TODAY)
    log(date(2026, 1, 5))
    rollups.refresh(seconds=60)
    assert live_relevant("2026-01") == 2
    assert freeze.freeze_month(FEBRUARY, today=TODAY) == 1
    rollups.refresh(seconds=60)
    assert live_relevant("2026-01") == 2 and live_relevant("2026-02") == 0
    assert sorted(StatRecord.objects.values_list("month", flat=True)) == [date(2026, 1, 1), date(2026, 2, 1)]
    assert DayCount.objects.get(day=date(2026, 1, 5), variable="result").n == 2
    assert rollups.wrong_days() == rollups.wrong_months() == []


def test_every_day_of_the_month_is_sealed():
    log(date(2026, 2, 5))
    freeze.freeze_month(FEBRUARY, today=TODAY)
    assert set(DaySeal.objects.values_list("day", flat=True)) == set(FEBRUARY.days())


@pytest.mark.parametrize(
    ("month", "reason"),
    [(MARCH, CannotFreeze.NOT_OVER), (FEBRUARY, CannotFreeze.EARLIER), (JANUARY, None)],
)
def test_months_are_frozen_in_order_and_when_they_are_over(month, reason):
    log(date(2026, 1, 5))
    if reason is None:
        freeze.freeze_month(month, today=TODAY)
        month, reason = JANUARY, CannotFreeze.FROZEN
    with pytest.raises(CannotFreeze) as refused:
        freeze.freeze_month(month, today=TODAY)
    assert refused.value.reason == reason


def test_what_is_due_is_frozen_on_the_freeze_day_and_not_the_day_before():
    log(date(2026, 1, 5))
    assert schedule.freeze_due(today=date(2026, 2, 14), freeze_day=15) == []
    assert schedule.freeze_due(today=date(2026, 2, 15), freeze_day=15) == [JANUARY]
    assert schedule.freeze_due(today=date(2026, 3, 15), freeze_day=15) == [FEBRUARY]
    assert schedule.freeze_due(today=date(2026, 3, 15), freeze_day=15) == []


def test_an_earlier_month_that_a_file_brings_meanwhile_is_frozen_first(monkeypatch):
    log(date(2026, 2, 2))
    first_open_month = freeze.first_open_month

    def a_file_comes() -> Period | None:
        monkeypatch.setattr(freeze, "first_open_month", first_open_month)
        month = first_open_month()
        log(date(2026, 1, 5))
        return month

    monkeypatch.setattr(freeze, "first_open_month", a_file_comes)
    assert schedule.freeze_due(today=date(2026, 3, 15), freeze_day=15) == [JANUARY, FEBRUARY]


def test_an_error_in_the_middle_freezes_nothing(monkeypatch):
    log(date(2026, 1, 5))

    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(rollups, "seal_day", fail)
    with pytest.raises(RuntimeError):
        freeze.freeze_month(JANUARY, today=TODAY)
    assert not StatRecord.objects.exists() and not DaySeal.objects.exists()
    assert not Contact.objects.filter(is_frozen=True).exists()


def test_the_command_says_what_to_do(capsys):
    log(date(2026, 1, 5))
    call_command("freeze", "2026-01")
    assert "2026-01" in capsys.readouterr().out
    for text in ("2026-01", "2026-13", "january", "2026-Q1"):
        with pytest.raises(CommandError):
            call_command("freeze", text)


def test_the_command_takes_no_other_error_for_a_refusal(monkeypatch):
    def fail(*args, **kwargs):
        raise ValueError("another one")

    monkeypatch.setattr("reports.management.commands.freeze.read_period", fail)
    with pytest.raises(ValueError, match="another one"):
        call_command("freeze", "2026-01")


# --- empty months -------------------------------------------------------------------------------------------------


def test_a_month_behind_an_open_one_is_not_frozen_with_the_empty_ones():
    log(date(2026, 1, 5))
    freeze.freeze_month(JANUARY, today=TODAY)
    assert not freeze.freeze_empty_months(MARCH, today=date(2026, 4, 1))  # February is open
    assert freeze.freeze_empty_months(parse("2026-Q1"), today=date(2026, 4, 1))
    assert freeze.frozen_months() == [JANUARY, FEBRUARY, MARCH]


@pytest.mark.django_db(transaction=True)
def test_an_empty_month_that_another_worker_freezes_first_is_frozen(monkeypatch):
    is_frozen = freeze.is_frozen

    def quicker(month):
        monkeypatch.setattr(freeze, "is_frozen", is_frozen)
        answer = is_frozen(month)
        assert at_once(lambda: freeze.freeze_month(month, today=TODAY)) == [0]
        return answer

    monkeypatch.setattr(freeze, "is_frozen", quicker)
    assert freeze.freeze_empty_months(JANUARY, today=TODAY)
    assert freeze.frozen_months() == [JANUARY]


# --- at the same time ---------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_contact_logged_while_its_month_is_frozen_is_not_lost_and_goes_into_the_next(monkeypatch):
    log(date(2026, 1, 5))
    rollups.refresh(seconds=60)
    copy, saving = freeze._copy, []

    def saved_meanwhile(contacts, month):
        saving.append(threading.Thread(target=at_once, args=(lambda: log(date(2026, 1, 5)),)))
        saving[0].start()
        if connection.vendor == "postgresql":  # on SQLite it waits, since the freeze holds the only write lock
            saving[0].join()
        copy(contacts, month)

    monkeypatch.setattr(freeze, "_copy", saved_meanwhile)
    assert freeze.freeze_month(JANUARY, today=TODAY) == 1
    saving[0].join()
    monkeypatch.setattr(freeze, "_copy", copy)
    assert (StatRecord.objects.count(), Contact.objects.filter(is_frozen=False).count()) == (1, 1)
    rollups.refresh(seconds=60)
    assert live_relevant("2026-01") == 2
    assert freeze.freeze_month(FEBRUARY, today=TODAY) == 1
    rollups.refresh(seconds=60)
    assert live_relevant("2026-01") == 2
    assert rollups.wrong_days() == rollups.wrong_months() == []


@pytest.mark.django_db(transaction=True)
def test_two_that_freeze_a_month_at_once_copy_it_once(monkeypatch):
    for _ in range(5):
        log(date(2026, 1, 5))
    copy = freeze._copy

    def slowly(contacts, month):
        time.sleep(0.3)
        copy(contacts, month)

    monkeypatch.setattr(freeze, "_copy", slowly)
    outcome = at_once(*[lambda: freeze.freeze_month(JANUARY, today=TODAY)] * 2)
    (refused,) = (one for one in outcome if one != 5)
    assert isinstance(refused, CannotFreeze) and refused.reason == CannotFreeze.FROZEN
    assert StatRecord.objects.count() == 5 and StatReferral.objects.count() == 10


@pytest.mark.django_db(transaction=True)
def test_a_freeze_and_an_amendment_within_one_case_never_wait_on_each_other(monkeypatch):
    take, is_under_way = contacts._take, threading.Event()

    def slowly(*arguments, **columns):
        before = take(*arguments, **columns)
        is_under_way.set()
        time.sleep(1)  # long enough for the freeze to reach for the contacts
        return before

    def freeze_meanwhile() -> int:
        assert is_under_way.wait(30)
        return freeze.freeze_month(JANUARY, today=TODAY)

    case, _ = cases.open_case(today=TODAY)
    first, second = log(date(2026, 1, 5), case), log(date(2026, 1, 6), case)
    # Its newest version now lies behind the second contact, which a freeze would meet before it.
    contacts.amend_contact(first, version=1, entry=contacts.entry_of(first), today=TODAY)
    monkeypatch.setattr(contacts, "_take", slowly)
    assert at_once(lambda: contacts.withdraw_contact(first, version=2), freeze_meanwhile) == [None, 1]
    assert StatRecord.objects.get().case_step == "forsta"
    assert [Contact.objects.get(pk=one.pk).is_frozen for one in (first, second)] == [True, True]
