"""Owns every change of a contact: logged, amended, withdrawn, deleted. Form, file, demonstration all pass this door."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from helpline import case_history, cases, insertion, taxonomy
from helpline.entries import NOT_FOLLOWED_UP, ContactEntry, Finding, FollowUp, Reason, ReferralEntry, Refused, told_by
from helpline.models import Case, Contact, DayMark, DaySeal, Earlier, ImportedKey, Referral, User
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
    """The contact is withdrawn or gone, or its month is frozen; nothing was stored."""


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


def _put_into(
    case: Case, contact: Contact, entry: ContactEntry, said: Sequence[FollowUp], *, today: date
) -> list[Referral]:
    """Let the inserts of a contact and its referrals, with what its case knows of them, find their place in it."""
    cases.hold(case, today=today)
    referrals = _referrals(contact, entry.with_outcomes({(f.target, f.type): f.outcome for f in said}))
    contact.case_id = case.pk
    contact.case_step = case_history.next_step(case)
    if contact.first_contact == taxonomy.NOT_ASKED:
        contact.first_contact = case_history.if_returning(case, RETURNING, taxonomy.NOT_ASKED)
    for referral in referrals:
        referral.is_repeat = case_history.is_repeat(case, contact, referral.target, referral.type)
        if referral.outcome == NOT_FOLLOWED_UP:
            referral.outcome = case_history.known_outcome(case, contact, referral)
    return referrals


def _refuse_day_ahead(entry: ContactEntry, today: date) -> None:
    if entry.day > today:
        raise Refused([Finding("day", Reason.DAY_AHEAD)])


@transaction.atomic
def log_contact(
    *,
    by: User | None,
    key: UUID,
    entry: ContactEntry,
    now: datetime,
    today: date,
    case: Case | None = None,
    follow_ups: Sequence[FollowUp] = (),
) -> Contact:
    """Record one contact, mark its day and drop the draft it was; the same key again gives the contact it made.

    The contact of the one save that stored it is `is_new`.
    `now` and `by` are kept for the amend window only; `by` is nobody for a file and for the demonstration. A case that
    has contacts makes the caller a returning one; one that comes with the key again is given to the contact that has
    none. `follow_ups` say what came of referrals that the case had before.
    Raises Refused for a day ahead, KeyReused for a key that stands for other content or another case, Overtaken for a
    follow-up and cases.NoSuchCase for a case that was forgotten meanwhile; stores nothing then.
    """
    _refuse_day_ahead(entry, today)
    contact = _contact(entry, key=key, by=by, now=now)
    referrals, new = _referrals(contact, entry), entry.referrals
    if case is not None:
        referrals = _put_into(case, contact, entry, follow_ups, today=today)
    stored = insertion.insert(contact, referrals, by=by)
    if stored.submission_digest != contact.submission_digest:
        raise KeyReused(stored)
    if not stored.is_new:
        new = ()
        if case is not None and stored.case_id != case.pk:
            stored = _added_to(case, stored, by=by)
            new = entry_of(stored).referrals
    elif case is not None:
        _mark(case_history.settle_new(case, day=entry.day, today=today))
    if case is not None:
        _tell_case(case, stored, told_by(new, follow_ups))
    return stored


def _added_to(case: Case, stored: Contact, *, by: User | None) -> Contact:
    """A contact that is saved already, put into a held case as its last. Raises KeyReused if that cannot be."""
    cases.hold_contacts(Contact.objects.filter(Q(case=case) | Q(pk=stored.pk)))
    said = {"case": case.pk, "case_step": case_history.next_step(case)}
    if stored.first_contact == taxonomy.NOT_ASKED:
        said["first_contact"] = case_history.if_returning(case, RETURNING, taxonomy.NOT_ASKED)
    # A version of its own: who amends it at this moment knows nothing of the case.
    same = Contact.objects.changeable().filter(pk=stored.pk, version=stored.version, case=None, logged_by=by)
    if not same.update(version=stored.version + 1, **said):
        raise KeyReused(stored)
    _mark({stored.day} | case_history.settle(case))
    stored = Contact.objects.get(pk=stored.pk)
    if known := case_history.known_outcomes(case, stored, entry_of(stored)):
        _set_outcomes(stored, stored.version, known)
    return stored


def _tell_case(case: Case, contact: Contact, said: Sequence[FollowUp]) -> bool:
    """Let every contact of a held case that has these referrals say what came of them; False when one that another
    contact counts keeps what it said. Raises case_history.Overtaken."""
    if not said:
        return True
    changes, reached = case_history.to_tell(case, contact, said)
    for earlier, outcomes in changes.items():
        _set_outcomes(earlier, earlier.version, outcomes)
    return reached


def _set_outcomes(contact: Contact, version: int, outcomes: Mapping[tuple[str, str], str]) -> None:
    """Raises Changed, NotChangeable, and Refused for an outcome that does not hold on the contact's day."""
    before = _take(contact, version)
    if not outcomes.keys() <= {(r.target, r.type) for r in before.referrals}:
        raise Changed
    before.with_outcomes(outcomes)  # refuses what could not have been said on that day
    for (target, kind), outcome in outcomes.items():
        Referral.objects.filter(contact=contact, target=target, type=kind).update(outcome=outcome)
    _mark({before.day})


@transaction.atomic
def set_outcome(contact: Contact, *, version: int, target: str, kind: str, outcome: str) -> bool:
    """Say what came of one referral of a contact, also in the other contacts of its case that have it; False when the
    month of the one that counts it is frozen, so that the figures keep what it said.

    Raises Refused, Changed when `version` is not the newest, NotChangeable; stores nothing then.
    """
    said = FollowUp(target, kind, "", outcome)
    case = cases.hold_case_of(contact)  # before the contact, as a save does
    _set_outcomes(contact, version, {(target, kind): outcome})
    return case is None or _tell_case(case, contact, [said])


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
    known = case_history.known_outcomes(case, contact, entry, before) if case else {}
    contact.referrals.all().delete()
    Referral.objects.bulk_create(_referrals(contact, entry.with_outcomes(known)))
    _mark({before.day, entry.day} | (case_history.settle(case) if case else set()))
    if case:
        _tell_case(case, contact, told_by(entry.referrals, before=before.referrals))
    return Contact.objects.get(pk=contact.pk)


@transaction.atomic
def withdraw_contact(contact: Contact, *, version: int) -> None:
    """Take a contact out of every count, instead of deleting it, and mark its day. Raises Changed and NotChangeable."""
    case = cases.hold_case_of(contact)
    before = _take(contact, version, is_withdrawn=True)
    _mark({before.day} | (case_history.settle(case) if case else set()))


@transaction.atomic
def delete_contact(pk: UUID) -> None:
    """Remove a contact for good, a withdrawn one too, with its referrals and what it said before, and mark its day.

    Raises NotChangeable when its month is frozen: the published figures hold it, and erasure takes it in its time.
    """
    case = cases.hold_case_of(Contact(pk=pk))
    contact = Contact.objects.select_for_update().filter(pk=pk, is_frozen=False).first()
    if contact is None:
        raise NotChangeable
    contact.delete()
    _mark({contact.day} | (case_history.settle(case) if case else set()))


def _take(contact: Contact, version: int, **columns: object) -> ContactEntry:
    """Change a contact whose version is still `version`, and keep and return what it said before."""
    before = Contact.objects.prefetch_related("referrals").filter(pk=contact.pk).first()
    if before is None:
        raise NotChangeable
    at_version = Contact.objects.changeable().filter(pk=contact.pk, version=version)
    if not at_version.update(version=version + 1, **columns):
        raise Changed if Contact.objects.changeable().filter(pk=contact.pk).exists() else NotChangeable
    said = entry_of(before)
    Earlier.objects.create(contact=contact, version=version, content=said.as_text())
    return said


def log_all_imported(
    rows: Sequence[tuple[ImportedKey, ContactEntry]],
    *,
    now: datetime,
    today: date,
    progress: Callable[[int, int], None] = lambda done, of: None,
    beside: Callable[[], None] = lambda: None,
) -> int:
    """Record the contacts of a file's rows, all new, by few statements in one short transaction; how many. `progress`
    hears how many of how many are written; `beside` writes in the same transaction, first.

    Raises IntegrityError when one of the keys was imported before, and Refused for a day ahead: nothing is stored then.
    """
    contacts, referrals = [], []
    for _, entry in rows:
        _refuse_day_ahead(entry, today)
        contacts.append(_contact(entry, key=uuid4(), by=None, now=now))
        referrals += _referrals(contacts[-1], entry)
    keys = [key for key, _ in rows]
    with transaction.atomic():
        beside()
        for start in range(0, len(contacts), BATCH):
            ImportedKey.objects.bulk_create(keys[start : start + BATCH])
            Contact.objects.bulk_create(contacts[start : start + BATCH])
            progress(min(start + BATCH, len(contacts)), len(contacts))
        Referral.objects.bulk_create(referrals, batch_size=BATCH)
        _mark({contact.day for contact in contacts})
    return len(contacts)


def disown(by: User) -> None:
    """Let no account amend what `by` logged; a coordinator still can."""
    Contact.objects.filter(logged_by=by).update(logged_by=None)


def erase_traces(*, now: datetime, amend_hours: int) -> int:
    """Erase clock, handler and submission key of contacts logged `amend_hours` ago or more, and what contacts without
    them said before they were changed; of how many contacts."""
    expired = Contact.objects.filter(logged_at__lte=now - timedelta(hours=amend_hours))
    erased = expired.update(logged_at=None, logged_by=None, submission_key=None, submission_digest=None)
    Earlier.objects.filter(contact__logged_at=None).delete()
    return erased


def are_traces_late(*, since: datetime) -> bool:
    """Whether a contact that was logged at `since` or before still says when."""
    return Contact.objects.filter(logged_at__lte=since).exists()


def erase_expired(*, before: date) -> int:
    """Erase the frozen contacts of sealed days before `before`, with their referrals; how many. Others wait."""
    # One that came late is frozen with a later month than its own, which may lie before every sealed day.
    sealed = DaySeal.objects.filter(day__gte=OuterRef("day"))
    expired, erased = Contact.objects.filter(Exists(sealed), day__lt=before, is_frozen=True), 0
    while some := _erase_some(expired):
        erased += some
    return erased


@transaction.atomic
def _erase_some(expired: QuerySet[Contact]) -> int:
    held = list(expired.order_by("pk").select_for_update().values_list("pk", flat=True)[:BATCH])
    return Contact.objects.filter(pk__in=held).delete()[1].get("helpline.Contact", 0)
