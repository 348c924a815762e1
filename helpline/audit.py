"""Owns the record of what staff did: the hour, not the minute; codes, never values; nothing about a saved contact."""

from datetime import datetime

from helpline.models import AuditEvent, User


def record(*, by: User, act: str, reason: str = "", now: datetime) -> None:
    """Write down an act of the policy that is worth remembering, and the code of why it was done."""
    AuditEvent.objects.create(hour=now.replace(minute=0, second=0, microsecond=0), actor=by, act=act, reason=reason)
