"""Owns the deletion of one contact for good: asked for by a coordinator, done when another one agrees."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from helpline import approvals, audit, contacts
from helpline.models import Approval, Contact, User

DELETE = "contact.delete"


def ask(contact: Contact, *, by: User, now: datetime) -> Approval:
    """Put before another coordinator that a contact should be deleted. Raises approvals.WaitsAlready.

    The request names the contact by its random key for as long as it waits, and nothing afterwards. It waits no longer
    than the contact can be deleted: `lapse_overtaken`. A withdrawn one still can.
    """
    return approvals.ask(by=by, act=DELETE, subject=str(contact.pk), now=now)


def lapse_overtaken(*, now: datetime) -> int:
    """Let no request wait for a contact that is frozen or gone, so that its key does not outlive it; how many requests.
    Neither is ever undone, so that nothing need be held meanwhile."""
    asked = Approval.objects.filter(act=DELETE, outcome=Approval.WAITING).values_list("subject", flat=True)
    keys = set(asked)
    left = {str(pk) for pk in Contact.objects.filter(pk__in=keys, is_frozen=False).values_list("pk", flat=True)}
    return approvals.lapse(DELETE, keys - left, now=now)


@approvals.carries_out(DELETE, forgets=True)
def _agreed(asked: Approval, by: User) -> None:
    try:
        contacts.delete_contact(UUID(asked.subject))
    except contacts.NotChangeable:
        raise approvals.Overtaken from None
    audit.record(by=by, act=DELETE, now=timezone.now())
