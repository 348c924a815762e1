"""Owns the way from contacts to frozen records: a month is copied once, and its statistics never move again.

With rollups and tallies, the only module of the reports that reads contacts.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TypeVar

from django.db import connection, transaction
from django.db.models import QuerySet, Sum

from helpline import cases, traffic
from helpline.code_files import NOT_APPLICABLE
from helpline.models import Contact, DaySeal, Referral, TrafficDay
from helpline.taxonomy import CODE_LISTS, QUESTIONS
from reports import counting, rollups
from reports.disclosure.tabulate import KEY_BITS
from reports.models import StatRecord, StatReferral
from reports.periods import Period, containing

T = TypeVar("T")

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


def calls_in(period: Period) -> dict[str, int]:
    """The calls of the frozen months of `period`, by what became of them: the columns of the telephony's counts."""
    days = TrafficDay.objects.filter(day__gte=period.start, day__lt=period.end)
    sums = days.aggregate(**{column: Sum(column) for column in counting.CALLS.values()})
    return {column: n or 0 for column, n in sums.items()}


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
    """Copy the month's contacts, and late ones of months already frozen, into records; how many. Fold its calls.

    One transaction: records, seals, counts and calls change together or not at all. Raises CannotFreeze.
    """
    _lock()
    _refuse_too_early(month, today)
    contacts = _hold(Contact.objects.filter(day__lt=month.end, is_frozen=False))
    # A withdrawn contact is frozen with the others, so that it can be erased, but counts nowhere.
    counted = [contact for contact in contacts if not contact.is_withdrawn]
    _copy(counted, month)
    by_day: dict[date, list[Contact]] = {}
    for contact in counted:
        by_day.setdefault(contact.day, []).append(contact)
    for day, of_day in by_day.items():
        rollups.seal_day(day, _cells(of_day))
    # By their keys, never by the condition again: a contact saved meanwhile waits for the next month.
    for some in _batches([contact.pk for contact in contacts]):
        Contact.objects.filter(pk__in=some).update(is_frozen=True)
    traffic.fold_month(end=month.end)
    DaySeal.objects.bulk_create(DaySeal(day=day) for day in month.days())
    return len(counted)


def _lock() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s::int, 0)", [FREEZE_LOCK])


def _hold(contacts: QuerySet[Contact]) -> list[Contact]:
    """The contacts with their referrals, held until the transaction ends.

    Held by their keys and then read in batches: a statement takes only so many keys, and PostgreSQL ends a transaction
    in which no statement comes while a whole month is turned into objects.
    """
    held: list[Contact] = []
    for some in _batches([contact.pk for contact in cases.hold_contacts(contacts.only("pk"))]):
        held += Contact.objects.filter(pk__in=some).prefetch_related("referrals")
    return held


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


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
    # In the order of their random keys: where a row lies says nothing of when it was saved.
    keyed = sorted(((secrets.randbits(KEY_BITS), contact) for contact in contacts), key=lambda pair: pair[0])
    for some in _batches(keyed):
        records = [_copy_contact(contact, key, month) for key, contact in some]
        StatRecord.objects.bulk_create(records)
        referrals = [
            _copy_referral(record, referral)
            for record, (_, contact) in zip(records, some, strict=True)
            for referral in _counted_referrals(contact)
        ]
        StatReferral.objects.bulk_create(referrals, batch_size=BATCH)


def _copy_contact(contact: Contact, key: int, month: Period) -> StatRecord:
    codes = {question: getattr(contact, question) for question in (*QUESTIONS, "case_step")}
    for group, source in GROUPS.items():
        codes[group] = _group(group, codes[source])
    return StatRecord(key=key, month=month.start, balance=_balance(contact), **codes)


def _counted_referrals(contact: Contact) -> list[Referral]:
    """Those of a relevant contact, and of them those that no other one of the case counts."""
    return [r for r in contact.referrals.all() if not r.is_repeat] if contact.result == counting.RELEVANT else []


def _balance(contact: Contact) -> str:
    """Repeated referrals of the case say where the person was referred, too."""
    if contact.result != counting.RELEVANT:
        return NOT_APPLICABLE
    return counting.balance(vars(contact)["needs"], [referral.target for referral in contact.referrals.all()])


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
    return counting.count_contacts(vars(contact) for contact in contacts) + counting.count_referrals(
        vars(referral) for contact in contacts for referral in _counted_referrals(contact)
    )
