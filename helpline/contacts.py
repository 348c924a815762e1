"""Owns every change of a contact. Form, file import and demonstration all pass `log_contact`."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from helpline import taxonomy
from helpline.entries import ContactEntry, Finding, Reason, Refused
from helpline.models import Contact, DayMark, ImportedKey, Referral, User
from helpline.taxonomy import CODE_LISTS

BATCH = 500  # rows in one statement


class KeyReused(Exception):
    """The submission key stands for another contact already; nothing was stored."""


def _columns(entry: ContactEntry) -> dict[str, str | frozenset[str]]:
    return {q: entry.answers[q] if CODE_LISTS[q].multiple else entry.code(q) for q in taxonomy.QUESTIONS}


def _contact(entry: ContactEntry, *, key: UUID, by: User | None, now: datetime) -> Contact:
    trace = {"submission_key": key, "submission_digest": entry.digest(), "logged_by": by, "logged_at": now}
    return Contact(day=entry.day, **trace, **_columns(entry))


def _referrals(contact: Contact, entry: ContactEntry) -> list[Referral]:
    return [
        Referral(contact=contact, target=r.target, type=r.type, outcome=r.outcome, consent=r.consent)
        for r in entry.referrals
    ]


def _refuse_day_ahead(entry: ContactEntry, today: date) -> None:
    if entry.day > today:
        raise Refused([Finding("day", Reason.DAY_AHEAD)])


@transaction.atomic
def log_contact(*, by: User | None, key: UUID, entry: ContactEntry, now: datetime, today: date) -> Contact:
    """Record one contact and mark its day; the same key again gives the contact it made.

    `now` and `by` are kept for the amend window only; `by` is nobody for a file and for the demonstration.
    Raises Refused for a day ahead and KeyReused for a key that stands for other content; stores nothing then.
    """
    _refuse_day_ahead(entry, today)
    contact = _contact(entry, key=key, by=by, now=now)
    # Not get_or_create: a duplicate key then raises nothing, and the database writes no failing row into its log.
    Contact.objects.bulk_create([contact], ignore_conflicts=True)
    stored = Contact.objects.get(submission_key=key)
    if stored.submission_digest != contact.submission_digest:
        raise KeyReused
    if stored.pk == contact.pk:
        Referral.objects.bulk_create(_referrals(contact, entry))
        DayMark.objects.create(day=entry.day)
    return stored


def imported_key(key: str, entry: ContactEntry) -> ImportedKey:
    """What is remembered of a file's row: digests under the installation's secret, so that nobody can try keys out."""
    digest = salted_hmac("helpline.imported_key", key, algorithm="sha256").hexdigest()
    content = salted_hmac("helpline.imported_content", entry.digest(), algorithm="sha256").hexdigest()
    return ImportedKey(digest=digest, content=content, day=entry.day)


@transaction.atomic
def log_imported(*, key: str, entry: ContactEntry, now: datetime, today: date) -> Contact | None:
    """Record the contact of a file's row, or nothing (None) when the row was imported before, however long ago.

    Raises KeyReused when the key was imported with other content, and IntegrityError when another import of the same
    row runs at this moment: nothing is stored then.
    """
    row = imported_key(key, entry)
    if before := ImportedKey.objects.filter(digest=row.digest).first():
        if before.content != row.content:
            raise KeyReused
        return None
    row.save(force_insert=True)
    return log_contact(by=None, key=uuid4(), entry=entry, now=now, today=today)


def log_all_imported(rows: Sequence[tuple[str, ContactEntry]], *, now: datetime, today: date) -> int:
    """Record the contacts of a file's rows, all new, by few statements in one short transaction; how many.

    Raises IntegrityError when one of the keys was imported before, and Refused for a day ahead: nothing is stored then.
    """
    keys, contacts, referrals = [], [], []
    for key, entry in rows:
        _refuse_day_ahead(entry, today)
        keys.append(imported_key(key, entry))
        contacts.append(_contact(entry, key=uuid4(), by=None, now=now))
        referrals += _referrals(contacts[-1], entry)
    with transaction.atomic():
        ImportedKey.objects.bulk_create(keys, batch_size=BATCH)
        Contact.objects.bulk_create(contacts, batch_size=BATCH)
        Referral.objects.bulk_create(referrals, batch_size=BATCH)
        DayMark.objects.bulk_create(DayMark(day=day) for day in sorted({contact.day for contact in contacts}))
    return len(contacts)


def erase_expired(*, now: datetime, amend_hours: int) -> int:
    """Erase clock, handler and submission key of contacts logged `amend_hours` ago or more; how many contacts."""
    expired = Contact.objects.filter(logged_at__lte=now - timedelta(hours=amend_hours))
    erased = expired.update(logged_at=None, logged_by=None, submission_key=None, submission_digest=None)
    _erase_from_the_log_of_sqlite()
    return erased


def _erase_from_the_log_of_sqlite() -> None:
    """What was overwritten in the database still stands in its write-ahead log until that is emptied; a reader at this
    moment puts it off to the next run."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
