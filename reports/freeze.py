"""Owns the way from contacts to frozen records: a month is copied once, and its statistics never move again.

With rollups, the only module of the reports that reads contacts.
"""

import secrets
from collections.abc import Iterable
from datetime import date

from django.db import connection, transaction
from django.db.models import QuerySet, prefetch_related_objects

from helpline.models import Contact, DaySeal, Referral
from helpline.taxonomy import CODE_LISTS, QUESTIONS
from reports import counting, rollups
from reports.disclosure.tabulate import KEY_BITS
from reports.models import StatRecord, StatReferral
from reports.periods import Period, containing

FREEZE_LOCK = 3
BATCH = 500
GROUPS = {
    field.name: source
    for field in StatRecord._meta.fields
    if field.name in CODE_LISTS and (source := CODE_LISTS[field.name].groups)
}


class CannotFreeze(Exception):
    """The month cannot be frozen yet; `reason` is one of the constants below."""

    NOT_OVER, FROZEN, EARLIER = "not over", "frozen already", "an earlier month is open"

    def __init__(self, reason: str, month: Period) -> None:
        super().__init__(f"{month.code}: {reason}")
        self.reason, self.month = reason, month


def is_frozen(month: Period) -> bool:
    return DaySeal.objects.filter(day=month.start).exists()


def frozen_months() -> list[Period]:
    """Every frozen month, in order."""
    days = DaySeal.objects.filter(day__day=1).order_by("day").values_list("day", flat=True)
    return [containing("month", day) for day in days]


def records_in(period: Period) -> QuerySet[StatRecord]:
    """The frozen records that count in `period`."""
    return StatRecord.objects.filter(month__gte=period.start, month__lt=period.end)


def freeze_empty_months(period: Period, *, today: date) -> bool:
    """Freeze the months of `period` that are over and in or before which no contact waits; whether all are frozen then.

    So a year in which the line opened late or closed early can be released: nothing can be added to it afterwards.
    """
    for month in period.months():
        if not is_frozen(month):
            if month.end > today or Contact.objects.filter(day__lt=month.end, is_frozen=False).exists():
                return False
            try:
                freeze_month(month, today=today)
            except CannotFreeze as error:
                if error.reason != CannotFreeze.FROZEN:  # else another worker was quicker
                    return False
    return True


@transaction.atomic
def freeze_month(month: Period, *, today: date) -> int:
    """Copy the month's contacts, and late ones of months already frozen, into records; how many.

    One transaction: records, seals and counts change together or not at all. Raises CannotFreeze.
    """
    _lock()
    _refuse_too_early(month, today)
    waiting = Contact.objects.filter(day__lt=month.end, is_frozen=False).select_for_update()
    contacts = list(waiting)
    # In batches, since a statement holds each contact's key and takes only so many.
    for start in range(0, len(contacts), BATCH):
        prefetch_related_objects(contacts[start : start + BATCH], "referrals")
    # A withdrawn contact is frozen with the others, so that it can be erased, but counts nowhere.
    counted = [contact for contact in contacts if not contact.is_withdrawn]
    _copy(counted, month)
    by_day: dict[date, list[Contact]] = {}
    for contact in counted:
        by_day.setdefault(contact.day, []).append(contact)
    for day, of_day in by_day.items():
        rollups.seal_day(day, _cells(of_day))
    # By their keys, never by the condition again: a contact saved meanwhile waits for the next month.
    keys = [contact.pk for contact in contacts]
    for start in range(0, len(keys), BATCH):
        Contact.objects.filter(pk__in=keys[start : start + BATCH]).update(is_frozen=True)
    DaySeal.objects.bulk_create(DaySeal(day=day) for day in month.days())
    return len(counted)


def _lock() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s::int, 0)", [FREEZE_LOCK])


def _refuse_too_early(month: Period, today: date) -> None:
    if month.end > today:
        raise CannotFreeze(CannotFreeze.NOT_OVER, month)
    if is_frozen(month):
        raise CannotFreeze(CannotFreeze.FROZEN, month)
    if (earliest := first_open_month()) is not None and earliest.start < month.start:
        raise CannotFreeze(CannotFreeze.EARLIER, earliest)


def first_open_month() -> Period | None:
    """The first month that is not frozen and has contacts, or follows the last frozen one; None before any contact."""
    if last := DaySeal.objects.order_by("-day").first():
        return containing("month", last.day).next()
    first = Contact.objects.filter(is_frozen=False).order_by("day").first()
    return containing("month", first.day) if first else None


def _copy(contacts: Iterable[Contact], month: Period) -> None:
    records, referrals = [], []
    for contact in contacts:
        codes = {question: getattr(contact, question) for question in (*QUESTIONS, "case_step")}
        for group, source in GROUPS.items():
            codes[group] = _group(group, codes[source])
        record = StatRecord(key=secrets.randbits(KEY_BITS), month=month.start, **codes)
        records.append(record)
        for referral in _counted_referrals(contact):
            referrals.append(_copy_referral(record, referral))
    # In the order of their random keys: where a row lies says nothing of when it was saved.
    StatRecord.objects.bulk_create(sorted(records, key=lambda record: record.key), batch_size=BATCH)
    StatReferral.objects.bulk_create(sorted(referrals, key=lambda referral: referral.record_id), batch_size=BATCH)


def _counted_referrals(contact: Contact) -> list[Referral]:
    """Those that no earlier contact of the case has too."""
    return [referral for referral in contact.referrals.all() if not referral.is_repeat]


def _group(group: str, codes: str | frozenset[str]) -> str | frozenset[str]:
    groups = CODE_LISTS[group].group_of(frozenset({codes}) if isinstance(codes, str) else codes)
    return next(iter(groups)) if isinstance(codes, str) else groups


def _copy_referral(record: StatRecord, referral: Referral) -> StatReferral:
    (group,) = CODE_LISTS["referral_target_6"].group_of(frozenset({referral.target}))
    return StatReferral(
        record=record,
        referral_target=referral.target,
        referral_target_6=group,
        referral_type=referral.type,
        referral_outcome=referral.outcome,
    )


def _cells(contacts: Iterable[Contact]) -> counting.Cells:
    contacts = list(contacts)
    referrals = [r for c in contacts if c.result == counting.RELEVANT for r in _counted_referrals(c)]
    return counting.count_contacts(vars(contact) for contact in contacts) + counting.count_referrals(
        vars(referral) for referral in referrals
    )
