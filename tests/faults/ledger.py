"""What was asked of the doors of the helpline in this very process, and whether all that must hold does.

For faults whose moment must be chosen to the statement.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import OperationalError, connection

from helpline import contacts
from helpline.entries import ContactEntry, ReferralEntry, read_entry
from helpline.models import Contact
from reports import rollups
from tests.at_once import in_thread
from tests.faults import invariants
from tests.faults.invariants import Found, Sent

NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)
TODAY = date(2026, 4, 20)
BLOCKED = 0.15  # seconds after which something is taken to wait for a lock


class Crash(BaseException):
    """The process ends here: nothing catches it, and what was not committed never was."""


def entry_of(day: date, *, concerns: tuple[str, ...] = ("natet", "hot"), result: str = "relevant") -> ContactEntry:
    if result != "relevant":
        return read_entry(day, {"channel": ["telefon"], "result": [result]}, [])
    call = {"channel": ["telefon"], "result": [result], "concerns": list(concerns)}
    return read_entry(day, call, [ReferralEntry("social", "hanvisning")])


def as_sent(entry: ContactEntry) -> Sent:
    concerns = invariants.answered(entry.answers["concerns"])
    return Sent(entry.day.isoformat(), entry.code("result"), concerns, len(entry.referrals))


class Ledger:
    def __init__(self) -> None:
        self.sent: dict[UUID, Sent] = {}
        self.acknowledged: set[UUID] = set()
        self.erased = 0
        self.seals: list[str] = []

    def save(self, day: date, *, key: UUID | None = None, **said: Any) -> Contact | None:
        key, entry = key or uuid4(), entry_of(day, **said)
        self.sent[key] = as_sent(entry)
        try:
            contact = contacts.log_contact(by=None, key=key, entry=entry, now=NOW, today=TODAY)
        except OperationalError:
            return None
        self.acknowledged.add(key)
        return contact

    def amend(self, contact: Contact, day: date, **said: Any) -> bool:
        key, entry = contact.submission_key, entry_of(day, **said)
        try:
            contacts.amend_contact(contact, version=contact.version, entry=entry, today=TODAY)
        except OperationalError:
            self.acknowledged.discard(key)  # what was asked is not done
            return False
        if key:
            self.sent[key] = as_sent(entry)
        return True

    def gone(self, contact: Contact) -> None:
        """A contact was deleted by the people who may."""
        if contact.submission_key is None:
            self.erased -= 1
        else:
            del self.sent[contact.submission_key]
            self.acknowledged.discard(contact.submission_key)

    def forgotten(self) -> None:
        """The keys of all contacts were erased."""
        self.erased += len(self.sent)
        self.sent, self.acknowledged = {}, set()

    def look(self) -> Found:
        with connection.cursor() as cursor:
            found = invariants.look(cursor, seals=self.seals)
            invariants.contacts(cursor, self.sent, self.acknowledged, found, erased=self.erased)
            if connection.vendor == "sqlite":
                found.integrity = invariants.integrity(cursor)
            self.seals = invariants.sealed_days(cursor)
        found.unfinished = [str(key) for key in self.sent.keys() - self.acknowledged]
        return found

    def settle(self) -> Found:
        """Look after a sweep, which leaves no day marked."""
        rollups.refresh(seconds=60)
        found = self.look()
        with connection.cursor() as cursor:
            found.unfinished += ["mark"] * invariants.marks(cursor)
        return found

    def check(self) -> None:
        found = self.settle()
        assert found == Found()


# --- moments ----------------------------------------------------------------------------------------------------------


@contextmanager
def after_statement(matches: Callable[[str, int], bool], act: Callable[[], object]) -> Iterator[None]:
    """Do `act` once, right after the first statement of this connection, and its number from 1, that matches."""
    count, is_done = 0, False

    def run(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal count, is_done
        result = execute(sql, params, many, context)
        count += 1
        if not is_done and matches(sql, count):
            is_done = True
            act()
        return result

    with connection.execute_wrapper(run):
        yield


@contextmanager
def meanwhile(work: Callable[[], object], *, after: Callable[[str, int], bool]) -> Iterator[None]:
    """Within the block, once the statement was carried out, another process does `work` and is waited for, unless it
    waits for this one; after the block it is done."""
    begun: list[threading.Thread] = []

    def act() -> None:
        begun.append(in_thread(work))
        begun[0].join(BLOCKED)

    with after_statement(after, act):
        yield
    for thread in begun:
        thread.join()


def reads_contacts(sql: str, _: int) -> bool:
    """The first statement that counts the contacts of a day, or reads one to change it."""
    return "helpline_contact" in sql and sql.lstrip().upper().startswith(("SELECT", "WITH", 'INSERT INTO "REPORTS'))


def crash() -> None:
    raise Crash
