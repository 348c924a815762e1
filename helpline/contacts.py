"""Owns every change of a contact: logged, amended, withdrawn. Form, file and demonstration all pass this door."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from helpline import cases, taxonomy
from helpline.entries import ContactEntry, Finding, Reason, ReferralEntry, Refused
from helpline.models import Case, Contact, DayMark, Draft, Earlier, ImportedKey, Referral, User
from helpline.taxonomy import CODE_LISTS

BATCH = 500  # rows in one statement
RETURNING = "nej"  # of first_contact


class KeyReused(Exception):
    """The submission key stands for another contact already; nothing was stored. `contact` is the one that it made."""

    def __init__(self, contact: Contact | None = None) -> None:
        super().__init__("the submission key stands for another contact")
        self.contact = contact


class Changed(Exception):
    """Somebody changed the contact meanwhile; nothing was stored."""


class NotChangeable(Exception):
    """The contact is withdrawn or its month is frozen; nothing was stored."""


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


def _put_into(case: Case, contact: Contact, referrals: Iterable[Referral], *, today: date) -> None:
    """Let the inserts of a contact and its referrals find their place in the case. Raises cases.NoSuchCase."""
    cases.hold(case, today=today)
    contact.case_id = case.pk
    contact.case_step = cases.next_step(case)
    if contact.first_contact == taxonomy.NOT_ASKED:
        contact.first_contact = cases.if_returning(case, RETURNING, taxonomy.NOT_ASKED)
    for referral in referrals:
        referral.is_repeat = cases.is_repeat(case, contact, referral.target, referral.type)


def _refuse_day_ahead(entry: ContactEntry, today: date) -> None:
    if entry.day > today:
        raise Refused([Finding("day", Reason.DAY_AHEAD)])


@transaction.atomic
def log_contact(
    *, by: User | None, key: UUID, entry: ContactEntry, now: datetime, today: date, case: Case | None = None
) -> Contact:
    """Record one contact, mark its day and drop the draft it was; the same key again gives the contact it made.

    `now` and `by` are kept for the amend window only; `by` is nobody for a file and for the demonstration. A case that
    has contacts makes the caller a returning one.
    A case that comes with the key again is given to the contact that has none.
    Raises Refused for a day ahead, KeyReused for a key that stands for other content or another case and
    cases.NoSuchCase for a case that was forgotten meanwhile; stores nothing then.
    """
    _refuse_day_ahead(entry, today)
    contact = _contact(entry, key=key, by=by, now=now)
    referrals = _referrals(contact, entry)
    if case is not None:
        _put_into(case, contact, referrals, today=today)
    # Not get_or_create: a duplicate key then raises nothing, and the database writes no failing row into its log.
    Contact.objects.bulk_create([contact], ignore_conflicts=True)
    stored = Contact.objects.get(submission_key=key)
    if stored.submission_digest != contact.submission_digest:
        raise KeyReused(stored)
    if stored.pk == contact.pk:
        Referral.objects.bulk_create(referrals)
        _mark({entry.day})
    elif case is not None and stored.case_id != case.pk:
        stored = _added_to(case, stored, by=by)
    if by is not None:
        Draft.objects.filter(pk=key, owner=by).delete()
    return stored


def _added_to(case: Case, stored: Contact, *, by: User | None) -> Contact:
    """A contact that is saved already, put into a held case as its last. Raises KeyReused if that cannot be."""
    said = {"case": case.pk, "case_step": cases.next_step(case)}
    if stored.first_contact == taxonomy.NOT_ASKED:
        said["first_contact"] = cases.if_returning(case, RETURNING, taxonomy.NOT_ASKED)
    # A version of its own: who amends it at this moment knows nothing of the case.
    same = Contact.objects.changeable().filter(pk=stored.pk, version=stored.version, case=None, logged_by=by)
    if not same.update(version=stored.version + 1, **said):
        raise KeyReused(stored)
    _mark({stored.day} | cases.settle(case))
    return Contact.objects.get(pk=stored.pk)


def _mark(days: Iterable[date]) -> None:
    DayMark.objects.bulk_create(DayMark(day=day) for day in sorted(days))


def entry_of(contact: Contact) -> ContactEntry:
    """What a stored contact says."""
    answers = {
        q: v if CODE_LISTS[q].multiple else frozenset({v}) for q in taxonomy.QUESTIONS if (v := getattr(contact, q))
    }
    rows = sorted(contact.referrals.all(), key=lambda row: (row.target, row.type))
    referrals = tuple(ReferralEntry(row.target, row.type, row.outcome, row.consent) for row in rows)
    return ContactEntry(contact.day, answers, referrals)


def own_changeable(by: User, *, now: datetime, amend_hours: int) -> QuerySet[Contact]:
    """What `by` logged within the amend window and can still change, the newest first."""
    since = now - timedelta(hours=amend_hours)
    return Contact.objects.changeable().filter(logged_by=by, logged_at__gt=since).order_by("-logged_at", "pk")


@transaction.atomic
def amend_contact(contact: Contact, *, version: int, entry: ContactEntry, today: date) -> Contact:
    """Let a contact say something else, keep what it said, and mark both its days.

    Raises Refused for a day ahead, Changed when `version` is not the newest, NotChangeable; stores nothing then.
    """
    _refuse_day_ahead(entry, today)
    case = cases.hold_case_of(contact)  # before the contact, as a save does
    before = _take(contact, version, day=entry.day, **_columns(entry))
    contact.referrals.all().delete()
    Referral.objects.bulk_create(_referrals(contact, entry))
    _mark({before.day, entry.day} | (cases.settle(case) if case else set()))
    return Contact.objects.get(pk=contact.pk)


@transaction.atomic
def withdraw_contact(contact: Contact, *, version: int, today: date) -> None:
    """Take a contact out of every count, instead of deleting it, and mark its day. Raises Changed and NotChangeable."""
    case = cases.hold_case_of(contact)
    before = _take(contact, version, is_withdrawn=True)
    _mark({before.day} | (cases.settle(case) if case else set()))


def _take(contact: Contact, version: int, **columns: object) -> ContactEntry:
    """Change a contact whose version is still `version`, and keep and return what it said before."""
    before = Contact.objects.prefetch_related("referrals").get(pk=contact.pk)
    at_version = Contact.objects.changeable().filter(pk=contact.pk, version=version)
    if not at_version.update(version=version + 1, **columns):
        raise Changed if Contact.objects.changeable().filter(pk=contact.pk).exists() else NotChangeable
    said = entry_of(before)
    Earlier.objects.create(contact=contact, version=version, content=said.as_text())
    return said


def imported_key(key: str, entry: ContactEntry) -> ImportedKey:
    """What is remembered of a file's row: digests under the installation's secret, so that nobody can try keys out."""
    digest = salted_hmac("helpline.imported_key", key, algorithm="sha256").hexdigest()
    content = salted_hmac("helpline.imported_content", entry.digest(), algorithm="sha256").hexdigest()
    return ImportedKey(digest=digest, content=content, day=entry.day)


@transaction.atomic
def log_imported(
    *, key: str, entry: ContactEntry, now: datetime, today: date, case: Case | None = None
) -> Contact | None:
    """Record the contact of a row, or nothing (None) when the row was imported before, however long ago.

    Raises KeyReused when the key was imported with other content, and IntegrityError when another import of the same
    row runs at this moment: nothing is stored then.
    """
    row = imported_key(key, entry)
    if before := ImportedKey.objects.filter(digest=row.digest).first():
        if before.content != row.content:
            raise KeyReused
        return None
    row.save(force_insert=True)
    return log_contact(by=None, key=uuid4(), entry=entry, now=now, today=today, case=case)


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
        _mark({contact.day for contact in contacts})
    return len(contacts)


def erase_expired(*, now: datetime, amend_hours: int) -> int:
    """Erase clock, handler and submission key of contacts logged `amend_hours` ago or more, and what contacts of frozen
    months said before they were changed; how many contacts."""
    expired = Contact.objects.filter(logged_at__lte=now - timedelta(hours=amend_hours))
    erased = expired.update(logged_at=None, logged_by=None, submission_key=None, submission_digest=None)
    Earlier.objects.filter(contact__is_frozen=True).delete()
    _erase_from_the_log_of_sqlite()
    return erased


def _erase_from_the_log_of_sqlite() -> None:
    """What was overwritten in the database still stands in its write-ahead log until that is emptied; a reader at this
    moment puts it off to the next run."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
