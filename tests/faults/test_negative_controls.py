"""Three plausible designs that are wrong, each in the order of events that shows it: what the suite looks at must fail
on them. What the product does in the same order of events must pass."""

from collections.abc import Iterator
from datetime import date

import pytest
from django.db import connection, transaction

from helpline import insertion
from reports import rollups
from reports.models import DayCount
from tests.faults import invariants
from tests.faults.ledger import Ledger, meanwhile, reads_contacts

pytestmark = pytest.mark.django_db(transaction=True)

DAY = date(2026, 3, 2)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def only_on(vendor: str) -> None:
    if connection.vendor != vendor:
        pytest.skip(f"the fault needs {vendor}")


# --- a flag on the day, instead of marks that are only ever added -----------------------------------------------------


FLAG = """mark AS (INSERT INTO helpline_daymark (day) SELECT day FROM contact
                   WHERE NOT EXISTS (SELECT FROM helpline_daymark before WHERE before.day = contact.day))"""


@pytest.fixture
def flags(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The day is dirty: one row for a day, however many contacts came."""
    monkeypatch.setattr(insertion, "MARK", FLAG)
    insertion._statement.cache_clear()
    yield
    insertion._statement.cache_clear()


def save_while_the_day_is_counted(ledger: Ledger) -> None:
    ledger.save(DAY)
    with meanwhile(lambda: ledger.save(DAY), after=reads_contacts):
        rollups.recompute_day(DAY)


def test_a_flag_is_found_out(ledger, flags):
    only_on("postgresql")
    save_while_the_day_is_counted(ledger)
    found = ledger.settle()
    assert found.wrong_days == [DAY.isoformat()] and len(found.unfinished) == 0
    with pytest.raises(AssertionError):
        ledger.check()


def test_marks_hold_where_a_flag_does_not(ledger):
    save_while_the_day_is_counted(ledger)
    ledger.check()


# --- SKIP LOCKED on the marks, instead of a lock on the day -----------------------------------------------------------

TAKE = (
    "DELETE FROM helpline_daymark WHERE id IN (SELECT id FROM helpline_daymark WHERE day = %s FOR UPDATE SKIP LOCKED)"
)


def recompute_without_lock(day: date) -> bool:
    """Each worker takes marks that no other has, counts, and writes what it counted."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(TAKE, [day])
            if not cursor.rowcount:
                return False
            cells = invariants.recount(cursor)[0][day.isoformat()]
        DayCount.objects.filter(day=day).delete()
        DayCount.objects.bulk_create(DayCount(day=day, variable=v, code=c, n=n) for (v, c), n in cells.items())
    return True


def count_twice_at_once(ledger: Ledger) -> None:
    """The first worker has counted, and before it writes, a contact comes and another worker counts too."""
    ledger.save(DAY)

    def another() -> None:
        ledger.save(DAY)
        rollups.recompute_day(DAY)

    with meanwhile(another, after=lambda sql, _: reads_contacts(sql, _) and "helpline_referral" in sql):
        rollups.recompute_day(DAY)


def test_skipping_locked_marks_is_found_out(ledger, monkeypatch):
    only_on("postgresql")
    monkeypatch.setattr(rollups, "recompute_day", recompute_without_lock)
    count_twice_at_once(ledger)
    found = ledger.settle()
    assert found.wrong_days == [DAY.isoformat()] and len(found.unfinished) == 0
    with pytest.raises(AssertionError):
        ledger.check()


def test_a_lock_on_the_day_holds_where_skipping_does_not(ledger):
    count_twice_at_once(ledger)
    ledger.check()


def rebuild_while_a_sweep_counts(ledger: Ledger) -> None:
    """The rebuild has counted the month, and before it writes, a contact comes and a sweep counts its day."""
    ledger.save(DAY)
    rollups.refresh(seconds=60)

    def another() -> None:
        ledger.save(DAY)
        rollups.refresh(seconds=60)

    with meanwhile(another, after=reads_contacts):
        rollups.rebuild_month(DAY.replace(day=1))


def test_a_rebuild_without_the_locks_of_its_days_is_found_out(ledger, monkeypatch):
    only_on("postgresql")
    monkeypatch.setattr(rollups, "_lock_days", lambda month: None)
    rebuild_while_a_sweep_counts(ledger)
    found = ledger.settle()
    assert found.wrong_days == [DAY.isoformat()] and len(found.unfinished) == 0


def test_a_rebuild_that_locks_its_days_holds(ledger):
    rebuild_while_a_sweep_counts(ledger)
    ledger.check()


# --- deferred transactions on SQLite, instead of immediate ones -------------------------------------------------------


def amend_while_another_saves(ledger: Ledger) -> None:
    contact = ledger.save(DAY)
    with meanwhile(lambda: ledger.save(DAY), after=reads_contacts):
        ledger.amend(contact, date(2026, 3, 3))


@pytest.fixture
def deferred(db) -> Iterator[None]:
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        connection.transaction_mode, mode = None, connection.transaction_mode
    yield
    if connection.vendor == "sqlite":
        connection.transaction_mode = mode


def test_deferred_transactions_are_found_out(ledger, deferred):
    """What read first and writes then is refused at once, whatever the time-out says: an act of a handler is lost."""
    only_on("sqlite")
    amend_while_another_saves(ledger)
    found = ledger.settle()
    assert len(found.unfinished) == 1
    with pytest.raises(AssertionError):
        ledger.check()


def test_immediate_transactions_hold_where_deferred_ones_do_not(ledger):
    amend_while_another_saves(ledger)
    ledger.check()
