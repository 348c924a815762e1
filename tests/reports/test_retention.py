"""Everything that is kept for a time ends on its day and not before; a run leaves a receipt, and a late one is told."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import models
from django.test import Client
from django.utils import timezone

from helpline import case_history, contacts, policy
from helpline.entries import read_entry
from helpline.models import (
    Approval,
    AuditEvent,
    Case,
    Contact,
    DaySeal,
    Draft,
    Earlier,
    ImportedKey,
    ImportJob,
    Referral,
    User,
)
from reports import editions, freeze, rebuilding, records, release, retention, rollups, upkeep, vacuum
from reports.claims import ERASING, claim
from reports.disclosure.protect import Parameters
from reports.models import (
    DayCount,
    ErasedYear,
    Erasure,
    MonthCount,
    PublishedCell,
    PublishedFile,
    Release,
    StatRecord,
    StatReferral,
    Token,
)
from reports.periods import parse, pilot_between
from reports.release import CannotRelease, Rule
from tests.at_once import at_once

pytestmark = pytest.mark.django_db

DAY, NOON = date(2024, 1, 10), datetime(2024, 1, 10, 12, tzinfo=UTC)
SECOND, ONE_DAY, HOUR = timedelta(seconds=1), timedelta(days=1), timedelta(hours=1)
EVERYTHING = (
    *(Approval, AuditEvent, Authenticator, Case, Contact, DayCount, DaySeal, Draft, Earlier, ErasedYear, Erasure),
    *(ImportedKey, ImportJob, MonthCount, PublishedCell, Referral, Release, Session, StatRecord, StatReferral, Token),
)
FIGURES = (DayCount, MonthCount, PublishedCell, Release, StatRecord, StatReferral, DaySeal)


def somebody(name: str = "anna", role: str = policy.COORDINATOR) -> User:
    return User.objects.filter(username=name).first() or User.objects.create_user(name, None, role=role)


def log(day: date = DAY, now: datetime = NOON, **answers: list[str]) -> Contact:
    entry = read_entry(day, {"channel": ["telefon"], "result": ["relevant"]} | answers)
    return contacts.log_contact(by=None, key=uuid4(), entry=entry, now=now, today=max(day, now.date()))


def log_and_freeze(day: date = DAY, **answers: list[str]) -> Contact:
    made = log(day, **answers)
    freeze.freeze_month(parse(f"{day:%Y-%m}"), today=date(2026, 12, 1))
    return made


def freeze_until(day: date) -> None:
    while (month := freeze.first_open_month()) and month.end <= day:
        freeze.freeze_month(month, today=date(2026, 12, 1))


def rows(*models_: type[models.Model]) -> dict[str, list[tuple[object, ...]]]:
    """What the tables hold, as it was fetched."""
    return {model.__name__: sorted(model._default_manager.values_list(), key=repr) for model in models_}


# --- one of each kind -------------------------------------------------------------------------------------------------


def a_session() -> None:
    Session.objects.create(session_key="s", session_data="", expire_date=NOON)


def a_token() -> None:
    Token.objects.create(user=somebody(), digest="d" * 64, expires_on=DAY)


def a_draft() -> None:
    Draft.objects.create(id=uuid4(), owner=somebody(), content="{}", opened_at=NOON, changed_at=NOON)


def a_loaded_file() -> None:
    ImportJob.objects.create(kind="contacts", by=somebody(), content="", state=ImportJob.DONE, day=DAY)


def an_invitation() -> None:
    Approval.objects.create(act="staff.invite_trusted", subject="cesar", requested_by=somebody(), requested_on=DAY)


def a_trace() -> None:
    log()


def a_case() -> None:
    Case.objects.create(digest="d" * 64, used_on=DAY)


def a_contact() -> None:
    log_and_freeze()
    contacts.erase_traces(now=NOON + timedelta(days=2), amend_hours=24)


def a_row_of_a_file() -> None:
    ImportedKey.objects.create(digest="d" * 64, content="c" * 64, day=DAY)


def records_of_a_year() -> None:
    put_record(date(2023, 5, 1))
    put_release("2023", out=DAY)
    refuse_file(2023)


def refuse_file(year: int) -> None:
    """Its row file is settled: it has none."""
    PublishedFile.objects.create(year=year, refused="too-few-rows", manifest="{}", published_on=DAY)


def a_request() -> None:
    decided = {"decided_by": somebody("berit"), "decided_on": DAY, "outcome": Approval.REFUSED}
    Approval.objects.create(act="contact.delete", subject="", requested_by=somebody(), requested_on=DAY, **decided)


def a_line() -> None:
    AuditEvent.objects.create(hour=datetime(2024, 1, 10, 23, tzinfo=UTC), act="session.begin")


def put_record(month: date) -> StatRecord:
    codes = {field.name: "x" for field in StatRecord._meta.fields if type(field).__name__ == "CodeField"}
    sets = {f.name: frozenset() for f in StatRecord._meta.fields if type(f).__name__ == "CodeSetField"}
    record = StatRecord.objects.create(key=uuid4().int % 2**62, month=month, **codes, **sets)
    parts = ("referral_target", "referral_target_6", "referral_type", "referral_outcome")
    StatReferral.objects.create(record=record, **dict.fromkeys(parts, "x"))
    return record


def put_release(code: str, *, out: date | None, edition: int = 1) -> Release:
    period = parse(code) if code != "pilot" else pilot_between("2022-11-01", "2023-11-30")
    said = {"candidate": "{}", "manifest": "{}", "sha256": "", "prepared_on": DAY, "published_on": out}
    if edition > 1:
        said |= {"requested_by": somebody(), "approved_by": somebody("berit")}
    return Release.objects.create(kind=period.kind, start=period.start, end=period.end, edition=edition, **said)


# The kind, one of it, the last moment at which it is kept, the first at which it is erased.
EDGES: list[tuple[str, Callable[[], None], datetime, datetime]] = [
    ("sessions", a_session, NOON, NOON + SECOND),
    ("tokens", a_token, NOON, NOON + ONE_DAY),
    ("drafts", a_draft, NOON + 12 * HOUR, NOON + 12 * HOUR + SECOND),
    ("loaded files", a_loaded_file, NOON + ONE_DAY, NOON + 2 * ONE_DAY),
    ("invitations nobody decided", an_invitation, NOON + 14 * ONE_DAY, NOON + 15 * ONE_DAY),
    ("who logged a contact when", a_trace, NOON + 24 * HOUR - SECOND, NOON + 24 * HOUR),
    ("case numbers", a_case, NOON + 90 * ONE_DAY, NOON + 91 * ONE_DAY),
    ("contacts", a_contact, datetime(2025, 2, 10, 22, 59, tzinfo=UTC), datetime(2025, 2, 10, 23, 0, tzinfo=UTC)),
    (
        "digests of loaded rows",
        a_row_of_a_file,
        datetime(2025, 2, 10, 22, tzinfo=UTC),
        datetime(2025, 2, 11, tzinfo=UTC),
    ),
    (
        "records of statistics",
        records_of_a_year,
        datetime(2025, 1, 10, 22, tzinfo=UTC),
        datetime(2025, 1, 11, tzinfo=UTC),
    ),
    ("settled requests", a_request, datetime(2026, 1, 10, 22, tzinfo=UTC), datetime(2026, 1, 11, tzinfo=UTC)),
    ("lines of the record", a_line, datetime(2026, 1, 10, 23, tzinfo=UTC), datetime(2026, 1, 11, tzinfo=UTC)),
]
WITHOUT_EDGE = {"uses of a second factor", "deletions overtaken"}  # at once, whenever it is


def test_every_kind_has_its_edge():
    assert {name for name, *_ in EDGES} | WITHOUT_EDGE == {kind.name for kind in retention.KINDS}


@pytest.mark.parametrize(("kind", "plant", "last", "first"), EDGES, ids=[name for name, *_ in EDGES])
def test_each_kind_is_kept_to_the_last_moment_of_its_time_and_not_a_moment_longer(kind, plant, last, first):
    plant()
    before = rows(*EVERYTHING)
    assert retention.erase(now=last)[kind] == 0
    assert rows(*EVERYTHING) == before
    assert retention.erase(now=first)[kind] == 1
    assert rows(*EVERYTHING) != before
    assert retention.erase(now=first)[kind] == 0


def test_when_a_second_factor_was_used_is_forgotten_at_once():
    Authenticator.objects.create(user=somebody(), type="totp", data={}, last_used_at=NOON)
    assert retention.erase(now=NOON)["uses of a second factor"] == 1
    assert Authenticator.objects.get().last_used_at is None


# --- contacts, only after the freeze ----------------------------------------------------------------------------------

OLD = datetime(2026, 11, 28, 2, tzinfo=UTC)  # when everything of 2024 is over


def test_a_contact_that_is_not_frozen_is_kept_however_old_it_is():
    log()
    retention.erase(now=OLD)
    assert Contact.objects.exists()
    freeze.freeze_month(parse("2024-01"), today=OLD.date())
    retention.erase(now=OLD)
    assert not Contact.objects.exists()


def test_a_frozen_contact_of_a_day_that_is_not_sealed_is_kept():
    log_and_freeze()
    DaySeal.objects.all().delete()
    retention.erase(now=OLD)
    assert Contact.objects.exists()


def test_one_that_came_late_is_erased_when_it_is_frozen_with_a_later_month_also_from_before_every_seal():
    log_and_freeze(date(2024, 2, 5))
    log()
    log(date(2015, 3, 1))
    retention.erase(now=OLD)
    assert set(Contact.objects.values_list("day", flat=True)) == {DAY, date(2015, 3, 1)}
    freeze.freeze_month(parse("2024-03"), today=OLD.date())
    retention.erase(now=OLD)
    assert not Contact.objects.exists()


def test_a_withdrawn_contact_goes_with_the_others_and_takes_its_referrals_along():
    made = log()
    Referral.objects.create(contact=made, target="skola", type="hanvisning", outcome="ej_uppf", consent=False)
    contacts.withdraw_contact(made, version=1)
    freeze.freeze_month(parse("2024-01"), today=OLD.date())
    retention.erase(now=OLD)
    assert not Contact.objects.exists() and not Referral.objects.exists()


def test_the_digest_of_a_row_stays_until_the_contacts_of_its_day_are_gone():
    log()
    a_row_of_a_file()
    retention.erase(now=OLD)
    assert ImportedKey.objects.exists()
    freeze.freeze_month(parse("2024-01"), today=OLD.date())
    retention.erase(now=OLD)
    assert not ImportedKey.objects.exists()


def test_a_case_whose_first_contacts_are_erased_still_numbers_the_later_ones_as_later():
    case = Case.objects.create(digest="d" * 64, used_on=OLD.date())
    frozen, later = log_and_freeze(), log(date(2026, 11, 2), now=OLD)
    Contact.objects.filter(pk=frozen.pk).update(case=case, case_step="forsta")
    second = log(date(2026, 9, 1), now=OLD)
    freeze_until(date(2026, 10, 1))
    Contact.objects.filter(pk=second.pk).update(case=case, case_step="andra")
    Contact.objects.filter(pk=later.pk).update(case=case, case_step="tredje_plus")
    retention.erase(now=OLD)
    assert not Contact.objects.filter(pk=frozen.pk).exists()
    assert case_history.settle(case) == set()
    assert Contact.objects.get(pk=later.pk).case_step == "tredje_plus"


# --- records, until the last release that needs them ------------------------------------------------------------------


def unpublished_quarter(settings) -> None:
    put_release("2023-Q2", out=None)


def an_edition_that_two_people_want(settings) -> None:
    Approval.objects.create(
        act=editions.ACT,
        subject="2023",
        detail="2",
        requested_by=somebody(),
        requested_on=DAY,
        decided_by=somebody("berit"),
        decided_on=OLD.date(),
        outcome=Approval.AGREED,
    )


def an_edition_that_came_out_later(settings) -> None:
    put_release("2023", out=OLD.date(), edition=2)


def a_pilot_without_release(settings) -> None:
    settings.REPORTS_PILOT_START, settings.REPORTS_PILOT_END = "2022-11-01", "2023-11-30"


@pytest.mark.parametrize(
    "need",
    [
        unpublished_quarter,
        an_edition_that_two_people_want,
        an_edition_that_came_out_later,
        a_pilot_without_release,
    ],
)
def test_records_stay_as_long_as_a_release_needs_them(need, settings):
    records_of_a_year()
    need(settings)
    retention.erase(now=OLD)
    assert StatRecord.objects.exists() and not ErasedYear.objects.exists()


@pytest.mark.parametrize("release_of_the_year", [lambda: None, lambda: put_release("2023", out=None)])
def test_records_of_a_year_that_nobody_published_stay(release_of_the_year):
    put_record(date(2023, 5, 1))
    release_of_the_year()
    retention.erase(now=OLD)
    assert StatRecord.objects.exists()


def test_records_of_a_year_whose_row_file_nobody_has_looked_at_stay():
    put_record(date(2023, 5, 1))
    put_release("2023", out=DAY)
    retention.erase(now=OLD)
    assert StatRecord.objects.exists()
    refuse_file(2023)
    retention.erase(now=OLD)
    assert not StatRecord.objects.exists()


def test_records_stay_for_the_gate_of_a_year_that_the_pilot_joins_to_theirs(settings):
    records_of_a_year()
    a_pilot_without_release(settings)
    put_release("pilot", out=DAY)
    retention.erase(now=OLD)
    assert StatRecord.objects.exists()


def test_records_of_a_year_whose_pilot_is_out_too_go(settings):
    records_of_a_year()
    a_pilot_without_release(settings)
    put_release("pilot", out=DAY)
    put_release("2022", out=DAY)
    retention.erase(now=OLD)
    assert not StatRecord.objects.exists() and not StatReferral.objects.exists()


def test_nothing_is_made_of_a_year_whose_records_are_erased(tmp_path):
    records_of_a_year()
    out = Release.objects.get()
    assert editions.may_follow(out)
    retention.erase(now=OLD)
    assert ErasedYear.objects.get().year == date(2023, 1, 1) and not editions.may_follow(out)
    rule = Rule(Parameters(), tmp_path / "keys", embedded=True)
    DaySeal.objects.bulk_create(DaySeal(day=day) for day in parse("2023-Q1").days())
    with pytest.raises(CannotRelease) as refused:
        release.prepare(parse("2023-Q1"), today=OLD.date(), rule=rule)
    assert refused.value.reason == CannotRelease.ERASED


# --- figures stand still ----------------------------------------------------------------------------------------------


@pytest.fixture
def two_years(settings, tmp_path) -> None:
    """Contacts of 2024 and 2025, frozen; of the first a year is published."""
    settings.REPORTS_RELEASE_KEYS = tmp_path / "keys"
    rule = Rule(Parameters(), tmp_path / "keys", embedded=True)
    for number in range(40):
        day = DAY + timedelta(days=number * 17)
        log(day, now=OLD, county=["01"], caller_role=["narstaende"])
    freeze_until(date(2026, 1, 1))
    rollups.refresh(seconds=60)
    for code in ("2024-01", "2024-Q1", "2024"):
        release.publish(release.prepare(parse(code), today=OLD.date(), rule=rule), by=None, now=OLD)


def test_no_figure_moves_when_contacts_are_erased_nor_when_all_is_counted_anew(two_years):
    before = rows(*FIGURES)
    assert Contact.objects.filter(day__lt=date(2025, 10, 28)).exists()
    retention.erase(now=OLD)
    assert not Contact.objects.filter(day__lt=date(2025, 10, 28)).exists()
    assert rows(*FIGURES) == before
    assert upkeep.verify(today=OLD.date()).mismatches == 0
    rebuilding.rebuild()
    assert rows(*FIGURES) == before
    call_command("verify", stdout=StringIO())


def test_every_page_of_an_old_month_answers_as_before_without_its_contacts(two_years, monkeypatch):
    client = Client()
    client.force_login(somebody("coordinator"))
    paths = [f"/overview/?period={code}" for code in ("2024-01", "2024-Q1", "2025-05")]
    paths += ["/statistics/", "/releases/", "/traffic/", "/overview/unanswered/", "/contacts/?day=2024-01-10"]

    def shown() -> list[tuple[int, int]]:
        return [(client.get(path).status_code, len(client.get(path).content)) for path in paths]

    before = shown()
    assert {status for status, _ in before} == {200}
    retention.erase(now=OLD)
    after = shown()
    assert after[:-1] == before[:-1] and after[-1][0] == 200


# --- a run and its receipt --------------------------------------------------------------------------------------------


@pytest.fixture
def files_emptied(monkeypatch) -> None:
    """A transaction of a test cannot rewrite tables."""
    monkeypatch.setattr(vacuum, "empty_files", lambda: set())


def plant_one_of_each() -> None:
    for _, plant, *_ in EDGES:
        plant()
    freeze.freeze_month(parse("2024-02"), today=OLD.date())


def test_a_run_leaves_a_receipt_that_counts_in_fives(files_emptied):
    for _ in range(7):
        AuditEvent.objects.create(hour=datetime(2024, 1, 10, 23, tzinfo=UTC), act="session.begin")
    a_draft()
    retention.run(now=OLD)
    said = Erasure.objects.get()
    kinds = json.loads(said.kinds)
    assert said.day == OLD.date() and said.left == ""
    assert kinds.keys() == {kind.name for kind in retention.KINDS}
    assert kinds["lines of the record"] == 5 and kinds["drafts"] == 0
    assert all(n % 5 == 0 for n in kinds.values())


def test_a_second_run_of_the_day_adds_to_the_receipt(files_emptied):
    for _ in range(2):
        for _ in range(6):
            a_draft()
        retention.run(now=OLD)
    assert json.loads(Erasure.objects.get().kinds)["drafts"] == 10


def test_one_kind_that_fails_holds_up_no_other_and_leaves_no_receipt(files_emptied, monkeypatch, caplog):
    def fails(now):
        raise ValueError("zq-name")

    first, *others = retention.KINDS
    monkeypatch.setattr(retention, "KINDS", (replace(first, erase=fails), *others))
    a_session()
    a_draft()
    with pytest.raises(retention.Incomplete):
        retention.run(now=OLD)
    assert not Draft.objects.exists() and not Erasure.objects.exists()
    assert "ValueError" in caplog.text and "zq-name" not in caplog.text
    with pytest.raises(CommandError, match="sessions|sessioner"):
        call_command("erase_expired", stdout=StringIO())


@pytest.mark.parametrize("after", range(len(retention.KINDS)))
def test_a_run_that_is_killed_after_any_kind_ends_the_same_when_it_runs_again(after, files_emptied, monkeypatch):
    plant_one_of_each()

    def dies(now):
        raise KeyboardInterrupt

    whole = retention.KINDS
    broken = tuple(replace(kind, erase=dies) if n == after else kind for n, kind in enumerate(whole))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(retention, "KINDS", broken)
        retention.run(now=OLD)
    assert not Erasure.objects.exists()
    retention.run(now=OLD)
    left = {model for model in EVERYTHING if model._default_manager.exists()}
    # What waits is the invitation that lapsed; the contacts are in the records of a year that is not out.
    assert left == {Approval, DayCount, DaySeal, ErasedYear, Erasure, Release, StatRecord}
    assert set(StatRecord.objects.values_list("month__year", flat=True)) == {2024}


def test_records_of_which_half_were_erased_when_a_run_was_killed_are_erased_to_the_end(monkeypatch):
    records_of_a_year()
    put_record(date(2023, 6, 1))
    monkeypatch.setattr(records, "BATCH", 1)
    erase_some, calls = records._erase_some, []

    def dies_at_the_second(rows):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return erase_some(rows)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(records, "_erase_some", dies_at_the_second)
        retention.erase(now=OLD)
    assert StatRecord.objects.count() == 1
    unpublished_quarter(None)  # whatever may say that they are needed
    retention.erase(now=OLD)
    assert not StatRecord.objects.exists()


def test_contacts_of_which_some_were_erased_when_a_run_was_killed_are_erased_by_the_next(monkeypatch):
    for _ in range(3):
        log()
    freeze.freeze_month(parse("2024-01"), today=OLD.date())
    monkeypatch.setattr(contacts, "BATCH", 1)
    erase_some, calls = contacts._erase_some, []

    def dies_at_the_second(rows):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return erase_some(rows)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(contacts, "_erase_some", dies_at_the_second)
        retention.erase(now=OLD)
    assert Contact.objects.count() == 2
    retention.erase(now=OLD)
    assert not Contact.objects.exists()


def test_a_dry_run_says_what_a_run_says_and_changes_nothing(files_emptied, monkeypatch):
    plant_one_of_each()
    for _ in range(6):
        a_draft()
    monkeypatch.setattr(timezone, "now", lambda: OLD)
    before = rows(*EVERYTHING)
    dry, wet, again = StringIO(), StringIO(), StringIO()
    call_command("erase_expired", "--dry-run", stdout=dry)
    assert rows(*EVERYTHING) == before
    call_command("erase_expired", stdout=wet)
    assert rows(*EVERYTHING) != before
    assert dry.getvalue() == wet.getvalue() and len(dry.getvalue().splitlines()) == len(retention.KINDS)
    call_command("erase_expired", "--dry-run", stdout=again)
    assert again.getvalue() != wet.getvalue()


def test_the_first_ring_of_a_day_is_a_whole_run_and_the_others_erase_what_lives_for_hours(files_emptied):
    retention.erase_due(now=OLD)
    receipt = rows(Erasure)
    log(OLD.date(), now=OLD - 24 * HOUR + SECOND)
    retention.erase_due(now=OLD + HOUR)
    assert Contact.objects.get().submission_key is None and rows(Erasure) == receipt
    retention.erase_due(now=OLD + ONE_DAY)
    assert Erasure.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_erases(files_emptied):
    if vacuum.connection.vendor != "postgresql":
        return
    with claim(ERASING) as is_mine:
        assert is_mine
        assert at_once(lambda: retention.erase_due(now=OLD)) == [None]
        assert not Erasure.objects.exists()
    retention.erase_due(now=OLD)
    assert Erasure.objects.exists()


# --- the alarm --------------------------------------------------------------------------------------------------------


def told() -> tuple[str, str]:
    """What Prometheus and the coordinator are told."""
    client = Client(headers={"accept-language": "en"})
    metrics = client.get("/metrics").content.decode()
    client.force_login(somebody("coordinator"))
    return metrics, client.get("/releases/").content.decode()


@pytest.mark.parametrize(("days", "late"), [(0, False), (2, False), (3, True)])
def test_a_run_that_did_not_come_for_two_days_is_told(days, late):
    Erasure.objects.create(day=timezone.localdate() - timedelta(days=days), kinds="{}")
    metrics, page = told()
    assert f"stodtelefonen_erasure_overdue {int(late)}\n" in metrics
    assert ("has not run for two days" in page) == late
    assert Client().get("/health/ready").status_code == 200  # it keeps nobody from working


@pytest.mark.parametrize(("hours", "late"), [(71, False), (73, True)])
def test_where_no_run_ever_came_it_is_late_when_a_trace_is_kept_two_days_too_long(hours, late):
    now = timezone.now()
    log(timezone.localdate(now), now=now - hours * HOUR)
    metrics, page = told()
    assert f"stodtelefonen_erasure_overdue {int(late)}\n" in metrics and "last_erasure" not in metrics
    assert ("has not run for two days" in page) == late


@pytest.mark.parametrize("why", [vacuum.HELD, vacuum.LARGE, vacuum.RIGHTS, vacuum.LOG])
def test_that_bytes_may_be_left_is_told_with_what_to_do(why, monkeypatch, capsys):
    monkeypatch.setattr(vacuum, "empty_files", lambda: {why})
    call_command("erase_expired")
    metrics, page = told()
    assert "stodtelefonen_erased_bytes_left 1\n" in metrics
    assert "may still stand in the files" in page
    assert capsys.readouterr().out.count("\n") == len(retention.KINDS) + 1
    monkeypatch.setattr(vacuum, "empty_files", lambda: set())
    call_command("erase_expired")
    metrics, page = told()
    assert "stodtelefonen_erased_bytes_left 0\n" in metrics and "may still stand" not in page
