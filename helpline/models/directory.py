"""Owns the stored nouns of the directory: who can be referred to, for what, where, when, and how often one was used.

A subset of Open Referral's Human Services Data Specification (HSDS) 3.0, flat: what an organization, service, location,
phone, schedule, language or service area says there, a row says here. Nothing here has a link to a contact, because a
reference to a local service is a municipality.
"""

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.db.models.lookups import Exact, GreaterThan

from helpline.fields import CodeField
from helpline.listings import RECEIVER, RESOURCE, UNKNOWN
from helpline.listings.areas import COUNTRY


class Organisation(models.Model):
    """Who runs services: an agency, a municipality, an association."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=200, unique=True)
    description = models.TextField(blank=True)
    url = models.URLField(blank=True)
    # How it is paid for, and until when: R32 asks how much rests on project money.
    agreement = CodeField(default=UNKNOWN)
    agreement_until = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(name="organisation_has_a_name", condition=GreaterThan(Length("name"), 0))]


class Service(models.Model):
    """One service of an organisation: a receiver of callers with a referral target, or a knowledge resource without.

    `covers_exit`: its guidelines name those who want to leave. `is_shared`: one unit for several municipalities.
    `is_confidential`: told by a handler where it is needed, in no file that leaves the helpline.
    `assured_on`: the day on which somebody last made sure that this is true; `alert`: what a caller must know first.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="services")
    kind = CodeField(default=RECEIVER)
    target = CodeField(blank=True)
    dimension = CodeField(blank=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    url = models.URLField(blank=True)
    alert = models.CharField(max_length=300, blank=True)
    covers_exit = CodeField(default=UNKNOWN)
    is_shared = models.BooleanField(default=False)
    is_confidential = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    assured_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="service_has_a_name", condition=GreaterThan(Length("name"), 0)),
            models.CheckConstraint(
                name="service_receiver_has_a_target",
                condition=Q(kind=RECEIVER) & ~Q(target="") & ~Q(dimension="")
                | Q(kind=RESOURCE, target="", dimension=""),
            ),
            models.UniqueConstraint(name="service_once_per_organisation", fields=["organisation", "name"]),
        ]


class _OfService(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)

    class Meta:
        abstract = True


class Location(_OfService):
    """Where a service is: a street address, or nowhere but by phone and screen (`is_virtual`)."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="locations")
    is_virtual = models.BooleanField(default=False)
    name = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=200, blank=True)
    postal_code = models.CharField(max_length=10, blank=True)
    city = models.CharField(max_length=100, blank=True)


class Phone(_OfService):
    """A number to read out; the first is the one to use."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="phones")
    position = models.PositiveSmallIntegerField(default=0)
    number = models.CharField(max_length=40)
    extension = models.CharField(max_length=10, blank=True)
    description = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(name="phone_has_a_number", condition=GreaterThan(Length("number"), 0))]


class Schedule(_OfService):
    """Hours of a week, local clock: `weekdays` as MO,TU…; `opens` before `closes`, 24 hours as 00:00 to 23:59:59."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="schedules")
    weekdays = models.CharField(max_length=20)
    opens = models.TimeField()
    closes = models.TimeField()
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    description = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="schedule_has_weekdays", condition=GreaterThan(Length("weekdays"), 1)),
            models.CheckConstraint(name="schedule_opens_before_it_closes", condition=Q(opens__lt=F("closes"))),
        ]


class SpokenLanguage(_OfService):
    """A language that the service speaks: a code of the code list, or an ISO 639 code that the list lacks."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="languages")
    code = models.CharField(max_length=12)

    class Meta:
        constraints = [models.UniqueConstraint(name="language_once_per_service", fields=["service", "code"])]


class ServiceArea(_OfService):
    """Whom a service is for: the whole country (`SE`), a county (two digits) or a municipality (four)."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="areas")
    code = models.CharField(max_length=4, db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="service_area_is_an_area",
                condition=Q(code=COUNTRY) | Q(Exact(Length("code"), 2)) | Q(Exact(Length("code"), 4)),
            ),
            models.UniqueConstraint(name="service_area_once_per_service", fields=["service", "code"]),
        ]


class ServiceUse(models.Model):
    """How often a service was named to callers in a quarter (its first day): a bare counter, shown from 5 upward."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="uses")
    quarter = models.DateField()
    n = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(name="service_use_once_per_quarter", fields=["service", "quarter"])]
