"""Owns the counter of how often a service was named to callers in a quarter: detached from every contact.

A counter says "at least": what a crash between a save and its count loses is lost, since nothing that could be counted
from is kept.
"""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from django.db.models import F

from helpline.directory import sheet
from helpline.models import ServiceUse


def quarter_of(day: date) -> date:
    """The first day of the quarter that a day is in."""
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


def count(services: Collection[UUID], *, targets: Collection[str], today: date) -> None:
    """Count one use of each of the services that is an active receiver of one of the targets; others say nothing.

    Not within the transaction that stores a contact, nor one for all: no two rows may bear the same one.
    """
    if not services:
        return
    known = sheet.active().filter(pk__in=services, target__in=targets)
    for service in known.order_by("pk").values_list("pk", flat=True):
        named = ServiceUse.objects.filter(service=service, quarter=quarter_of(today))
        if not named.update(n=F("n") + 1):
            # Somebody else may make the row at this moment: then theirs is counted in.
            ServiceUse.objects.bulk_create(
                [ServiceUse(service_id=service, quarter=quarter_of(today))], ignore_conflicts=True
            )
            named.update(n=F("n") + 1)
