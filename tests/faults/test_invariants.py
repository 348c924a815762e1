"""What every fault test looks at afterwards does see each kind of damage, planted here one by one."""

import sqlite3
from collections.abc import Callable
from dataclasses import fields
from datetime import date
from uuid import uuid4

import pytest
from django.db.models import F

from helpline import contacts
from helpline.models import Contact, DayMark, DaySeal, Referral
from reports import freeze, rollups
from reports.models import DayCount, MonthCount, StatRecord
from reports.periods import containing
from tests.faults import invariants
from tests.faults.invariants import Found
from tests.faults.ledger import NOW, TODAY, Ledger, entry_of

FROZEN_DAY, DAY = date(2026, 2, 3), date(2026, 3, 2)


@pytest.fixture
def ledger(transactional_db) -> Ledger:
    """Two contacts of a frozen month and two of an open one, all counted."""
    ledger = Ledger()
    for day in (FROZEN_DAY, FROZEN_DAY, DAY, DAY):
        ledger.save(day)
    freeze.freeze_month(containing("month", FROZEN_DAY), today=TODAY)
    ledger.check()
    return ledger


def changed_without_mark() -> None:
    Contact.objects.filter(day=DAY).update(result="tyst")


def lost() -> None:
    Contact.objects.filter(day=DAY).first().delete()
    DayMark.objects.create(day=DAY)


def changed() -> None:
    Contact.objects.filter(day=DAY).update(day=date(2026, 3, 4))
    DayMark.objects.bulk_create([DayMark(day=DAY), DayMark(day=date(2026, 3, 4))])


def concern_forgotten() -> None:
    Contact.objects.filter(day=DAY).update(concerns=frozenset({"natet"}))
    DayMark.objects.create(day=DAY)


def referral_forgotten() -> None:
    Referral.objects.filter(contact__day=DAY).first().delete()
    DayMark.objects.create(day=DAY)


def saved_again_under_another_key() -> None:
    contacts.log_contact(by=None, key=uuid4(), entry=entry_of(DAY), now=NOW, today=TODAY)


def one_too_many() -> None:
    DayCount.objects.filter(day=DAY, variable="result").update(n=F("n") + 1)


def counts_without_contacts() -> None:
    DayCount.objects.create(day=date(2026, 3, 9), variable="result", code="tyst", n=1)


def wrong_month() -> None:
    MonthCount.objects.filter(month=date(2026, 3, 1), variable="result").update(n=7)


def month_without_days() -> None:
    MonthCount.objects.create(month=date(2026, 5, 1), variable="result", code="tyst", n=1)


def seal_removed() -> None:
    DaySeal.objects.filter(day=FROZEN_DAY).delete()


def all_seals_removed() -> None:
    DaySeal.objects.all().delete()


def sealed_counts_changed() -> None:
    DayCount.objects.filter(day=FROZEN_DAY, is_sealed=True, variable="result").update(n=9)


def record_removed() -> None:
    StatRecord.objects.first().delete()


PLANTED: dict[Callable[[], None], str] = {
    lost: "lost",
    changed: "lost",
    concern_forgotten: "lost",
    referral_forgotten: "lost",
    changed_without_mark: "wrong_days",
    saved_again_under_another_key: "duplicates",
    one_too_many: "wrong_days",
    counts_without_contacts: "wrong_days",
    wrong_month: "wrong_months",
    month_without_days: "wrong_months",
    seal_removed: "broken_seals",
    all_seals_removed: "broken_seals",
    sealed_counts_changed: "broken_seals",
    record_removed: "broken_seals",
}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_planted_damage_is_seen(ledger, plant):
    plant()
    assert getattr(ledger.settle(), PLANTED[plant])


def test_a_marked_day_is_nobody_elses_fault_until_it_should_be_counted(ledger):
    ledger.save(DAY)
    assert ledger.look() == Found()
    DayCount.objects.filter(day=DAY).update(n=99)
    assert ledger.look() == Found()
    ledger.check()


def test_a_mark_that_stays_is_seen(ledger, monkeypatch):
    monkeypatch.setattr(rollups, "refresh", lambda **_: 0)
    ledger.save(DAY)
    assert ledger.settle().unfinished == ["mark"]


def test_a_save_that_was_refused_is_seen(ledger):
    ledger.save(DAY)
    ledger.acknowledged.pop()
    assert len(ledger.settle().unfinished) == 1


def test_a_broken_file_is_seen(tmp_path):
    with sqlite3.connect(tmp_path / "file") as database:
        database.execute("CREATE TABLE t (a, b)")
        database.execute("CREATE INDEX i ON t (a)")
        database.executemany("INSERT INTO t VALUES (?, ?)", [(n, "x" * 50) for n in range(500)])
        database.execute("PRAGMA writable_schema = ON")
        database.execute("UPDATE sqlite_master SET sql = 'CREATE INDEX i ON t (b)' WHERE name = 'i'")
    database.close()
    broken = sqlite3.connect(tmp_path / "file")
    assert invariants.integrity(broken.cursor())
    broken.close()


def test_a_leak_into_a_log_is_seen(tmp_path):
    (tmp_path / "web.log").write_text("ERROR duplicate key 0f8fad5b-d9cb-469f-a165-70867728950e")
    logs = list(tmp_path.glob("*.log"))
    assert invariants.leaks(logs, ["d9cb-469f"]) == ["web.log"] and invariants.leaks(logs, ["203.0.113.77"]) == []


def test_every_kind_of_damage_is_planted_somewhere_here():
    elsewhere = {"unfinished", "integrity", "leaks"}
    assert set(PLANTED.values()) | elsewhere == {field.name for field in fields(Found)}
