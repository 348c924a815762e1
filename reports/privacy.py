"""Owns the privacy class of every stored column of the reports: what it could tell, and of whom."""

from typing import Any

from django.db import models

from helpline.fields import CodeField, CodeSetField

# A column that is none of the codes and does not stand here fails a test; docs/anonymity.md promises it.
PRIVACY: dict[str, str] = {
    "DayCount.id": "sequence without link",
    "DayCount.variable": "name of a variable",
    "DayCount.code": "code",
    "DayCount.n": "exact count, internal",
    "DayCount.day": "day",
    "DayCount.is_sealed": "state",
    "MonthCount.id": "sequence without link",
    "MonthCount.variable": "name of a variable",
    "MonthCount.code": "code",
    "MonthCount.n": "exact count, internal",
    "MonthCount.month": "month",
    "StatRecord.key": "random",
    "StatRecord.month": "month",
    "StatReferral.id": "sequence in the order of random keys",
    "StatReferral.record": "random",
    "Release.id": "sequence without link",
    "Release.kind": "period",
    "Release.start": "period",
    "Release.end": "period",
    "Release.edition": "period",
    "Release.candidate": "protected figures, internal until published",
    "Release.manifest": "published",
    "Release.sha256": "published",
    "Release.prepared_on": "day of an act of staff",
    "Release.published_on": "published",
    "Release.published_by": "staff",
    "PublishedCell.id": "sequence without link",
    "PublishedCell.release": "published",
    "PublishedCell.table": "published",
    "PublishedCell.period": "published",
    "PublishedCell.edition": "published",
    "PublishedCell.coordinates": "published",
    "PublishedCell.contents": "published",
    "PublishedCell.value": "published",
    "Token.id": "sequence",
    "Token.user": "staff",
    "Token.digest": "digest of a random token",
    "Token.expires_on": "staff",
}


def privacy_class(field: "models.Field[Any, Any]") -> str:
    """The privacy class of a column. KeyError for one that nobody has thought about."""
    if isinstance(field, CodeField | CodeSetField):
        return "code"
    return PRIVACY[f"{field.model.__name__}.{field.name}"]
