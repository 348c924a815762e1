"""Owns the way of an entry between its rows and its value, and how it is told apart from what it said before."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, replace
from typing import TypeVar
from uuid import UUID

from django.db.models import Model

from helpline.listings import Hours, OrganisationEntry, Phone, Place, ServiceEntry
from helpline.models import Location, Organisation, Schedule, Service, ServiceArea, SpokenLanguage
from helpline.models import Phone as PhoneRow

# By the field of an entry, the rows that belong to a service.
PARTS: Mapping[str, type[Model]] = {
    "places": Location,
    "phones": PhoneRow,
    "hours": Schedule,
    "languages": SpokenLanguage,
    "areas": ServiceArea,
}
OF_SERVICE = [field.name for field in fields(ServiceEntry) if field.name not in {"id", *PARTS}]
OF_ORGANISATION = [field.name for field in fields(OrganisationEntry) if field.name not in {"id", "services"}]

Entry = OrganisationEntry | ServiceEntry
Part = TypeVar("Part", Place, Phone, Hours)


def entries(*, hold: bool = False) -> tuple[OrganisationEntry, ...]:
    """The whole directory, by names. Seven queries. `hold`: until the transaction ends, nobody else changes it."""
    services: dict[UUID, list[ServiceEntry]] = {}
    listed, organisations = Service.objects.order_by("name"), Organisation.objects.order_by("name")
    if hold:  # services before organisations, as a change by hand does
        listed, organisations = listed.select_for_update(), organisations.select_for_update()
    for row in listed.prefetch_related("locations", "phones", "schedules", "languages", "areas"):
        services.setdefault(row.organisation_id, []).append(service_entry(row))
    return tuple(replace(organisation_entry(row), services=tuple(services.get(row.pk, ()))) for row in organisations)


def organisation_entry(row: Organisation) -> OrganisationEntry:
    """What an organisation says, without its services."""
    return OrganisationEntry(row.pk, **{name: getattr(row, name) for name in OF_ORGANISATION})


def service_entry(row: Service) -> ServiceEntry:
    """What a service says, with all that belongs to it."""
    phones = sorted(row.phones.all(), key=lambda each: (each.position, each.pk))
    return ServiceEntry(
        row.pk,
        **{name: getattr(row, name) for name in OF_SERVICE},
        places=tuple(part(Place, each) for each in row.locations.all()),
        phones=tuple(part(Phone, each) for each in phones),
        hours=tuple(part(Hours, each) for each in row.schedules.all()),
        languages=tuple(each.code for each in row.languages.all()),
        areas=tuple(each.code for each in row.areas.all()),
    )


def part(kind: type[Part], row: Model) -> Part:
    """What a row that belongs to a service says."""
    return kind(**{field.name: getattr(row, field.name) for field in fields(kind)})


def organisation_row(entry: OrganisationEntry) -> Organisation:
    return Organisation(id=entry.id, **{name: getattr(entry, name) for name in OF_ORGANISATION})


def service_row(entry: ServiceEntry, *, of: UUID) -> Service:
    return Service(id=entry.id, organisation_id=of, **{name: getattr(entry, name) for name in OF_SERVICE})


def part_rows(entry: ServiceEntry) -> Iterator[Model]:
    """The rows that belong to a service, of all kinds."""
    of = {"service_id": entry.id}
    yield from (Location(**of, **asdict(each)) for each in entry.places)
    yield from (PhoneRow(**of, position=number, **asdict(each)) for number, each in enumerate(entry.phones))
    yield from (Schedule(**of, **asdict(each)) for each in entry.hours)
    yield from (SpokenLanguage(**of, code=each) for each in entry.languages)
    yield from (ServiceArea(**of, code=each) for each in entry.areas)


def state(entry: Entry, *, of: UUID | None = None) -> str:
    """A fingerprint of what an entry says (of a service also whose it is), to tell later whether it still says so.

    Whether a service is open and when somebody made sure of it is no part of it: those are changes of their own.
    """
    said = replace(entry, is_active=True, assured_on=None) if isinstance(entry, ServiceEntry) else entry
    return hashlib.sha256(repr((of, said)).encode()).hexdigest()
