"""Owns the privacy class of every stored column: what each that is no code can say about whom."""

from typing import Any

from django.db import models

from helpline.fields import CodeField, CodeSetField

# A test fails on a column that is missing here.
PRIVACY: dict[str, str] = {
    "Contact.id": "random",
    "Contact.day": "day",
    "Contact.case": "random link, inside the helpline only, until the case expires",
    "Contact.version": "state",
    "Contact.is_withdrawn": "state",
    "Contact.is_frozen": "state",
    "Contact.submission_key": "random, erased",
    "Contact.submission_digest": "digest of codes, erased",
    "Contact.logged_at": "clock, erased",
    "Contact.logged_by": "staff, erased",
    "Referral.id": "random",
    "Referral.contact": "random",
    "Referral.consent": "code",
    "Referral.is_repeat": "state",
    "Earlier.id": "sequence, erased when the month is frozen",
    "Earlier.contact": "random, erased when the month is frozen",
    "Earlier.version": "state",
    "Earlier.content": "codes and day, erased when the month is frozen",
    "Draft.id": "random, erased",
    "Draft.owner": "staff, erased",
    "Draft.content": "codes and day, erased",
    "Draft.case": "random link, erased",
    "Draft.opened_at": "clock, erased",
    "Draft.changed_at": "clock, erased",
    "Case.id": "random",
    "Case.digest": "keyed digest",
    "Case.used_on": "day",
    "AuditEvent.id": "sequence of acts of staff",
    "AuditEvent.hour": "hour of an act of staff",
    "AuditEvent.actor": "staff",
    "AuditEvent.act": "constant",
    "AuditEvent.reason": "code",
    "DayMark.id": "sequence without link, removed by the next recount",
    "DayMark.day": "day",
    "DaySeal.day": "day",
    "ImportedKey.digest": "keyed digest",
    "ImportedKey.content": "keyed digest",
    "ImportedKey.day": "day",
    "User.id": "staff",
    "User.username": "staff",
    "User.password": "staff, hashed",
    "User.last_login": "staff",
    "User.role": "staff",
    "User.is_active": "staff",
    "User.has_shortcuts": "staff",
    "Demonstration.id": "constant",
    "Demonstration.seed": "constant",
    "Demonstration.since": "constant",
    "Demonstration.contacts_a_month": "constant",
    "Demonstration.planned": "constant",
    "Demonstration.made": "constant",
}


def privacy_class(field: "models.Field[Any, Any]") -> str:
    """The privacy class of a column. KeyError for one that nobody has thought about."""
    if isinstance(field, CodeField | CodeSetField):
        return "code"
    return PRIVACY[f"{field.model.__name__}.{field.name}"]
