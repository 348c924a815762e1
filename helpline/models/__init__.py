"""Owns the stored nouns of the helpline and their named constraints; privacy.py sorts every column."""

from helpline.models.contacts import (
    Case,
    Contact,
    Contacts,
    DayMark,
    DaySeal,
    Demonstration,
    Draft,
    Earlier,
    ImportedKey,
    Referral,
)
from helpline.models.directory import (
    Location,
    Organisation,
    Phone,
    Schedule,
    Service,
    ServiceArea,
    ServiceUse,
    SpokenLanguage,
)
from helpline.models.imports import ImportJob
from helpline.models.staff import Approval, AuditEvent, User, Users
from helpline.models.traffic import OpeningException, OpeningHours, TrafficDay, TrafficGrid, TrafficHour

__all__ = [
    "Approval",
    "AuditEvent",
    "Case",
    "Contact",
    "Contacts",
    "DayMark",
    "DaySeal",
    "Demonstration",
    "Draft",
    "Earlier",
    "ImportJob",
    "ImportedKey",
    "Location",
    "OpeningException",
    "OpeningHours",
    "Organisation",
    "Phone",
    "Referral",
    "Schedule",
    "Service",
    "ServiceArea",
    "ServiceUse",
    "SpokenLanguage",
    "TrafficDay",
    "TrafficGrid",
    "TrafficHour",
    "User",
    "Users",
]
