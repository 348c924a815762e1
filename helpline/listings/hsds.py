"""Owns the directory as one JSON document of Open Referral's Human Services Data Specification (HSDS) 3.0. Pure.

The document is the list of organizations with their services inside (organization_package). What HSDS has no field for
stands as attributes, each with a term of a taxonomy of ours. The ids of organizations and services are kept; those of
their parts are made from the service's, so that the same directory always gives the same file.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from helpline.listings import Hours, OrganisationEntry, Phone, Place, ServiceEntry, areas
from helpline.taxonomy import CODE_LISTS

TERMS = uuid5(NAMESPACE_URL, "https://docs.openreferral.org/#stodtelefonen-taxonomy-terms")
DIMENSION = {"social": "Social", "praktisk": "Praktisk", "bada": "Social och praktisk"}
YES_NO = {"ja": "Ja", "nej": "Nej"}

# Our taxonomies: those that are code lists bear the list's name.
TARGET, KIND, AGREEMENT, COVERS_EXIT = "referral_target", "service_kind", "agreement", "covers_exit"
TURN, SHARED, CONFIDENTIAL, EXTENSION = "dimension", "service_is_shared", "service_is_confidential", "phone_extension"

Json = dict[str, Any]
T = TypeVar("T")


def write(organisations: Iterable[OrganisationEntry]) -> bytes:
    """The document, in UTF-8. Every organisation and service needs an id."""
    document = [organisation(each) for each in organisations]
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def organisation(entry: OrganisationEntry) -> Json:
    until = entry.agreement_until.isoformat() if entry.agreement_until else ""
    attributes = [_attribute(entry.id, "organization", AGREEMENT, entry.agreement, value=until)]
    return {
        "id": str(entry.id),
        "name": entry.name,
        "description": entry.description,
        **_filled(website=entry.url),
        "services": [service(each) for each in entry.services],
        "attributes": attributes,
    }


def service(entry: ServiceEntry) -> Json:
    parts = {
        "phones": [_phone(*each) for each in _numbered(entry.id, "phone", entry.phones)],
        "schedules": [_schedule(*each) for each in _numbered(entry.id, "schedule", entry.hours)],
        "service_areas": [_area(*each) for each in _numbered(entry.id, "area", entry.areas)],
        "service_at_locations": [_place(*each) for each in _numbered(entry.id, "place", entry.places)],
        "languages": [_language(*each) for each in _numbered(entry.id, "language", entry.languages)],
    }
    return {
        "id": str(entry.id),
        "name": entry.name,
        **_filled(description=entry.description, url=entry.url),
        "status": "active" if entry.is_active else "inactive",
        **_filled(assured_date=entry.assured_on and entry.assured_on.isoformat(), alert=entry.alert),
        **{name: part for name, part in parts.items() if part},
        "attributes": list(_attributes(entry)),
    }


def without_hidden(entries: Iterable[OrganisationEntry]) -> Iterator[OrganisationEntry]:
    """The organisations without their confidential services, and none that would be named for those alone."""
    for entry in entries:
        shown = tuple(each for each in entry.services if not each.is_confidential)
        if shown or not entry.services:
            yield replace(entry, services=shown)


# --- parts -----------------------------------------------------------------------------------------------------------


def _filled(**values: Any) -> Json:
    return {name: value for name, value in values.items() if value}


def part_id(owner: UUID | None, *place: object) -> UUID:
    return uuid5(owner or TERMS, "/".join(map(str, place)))


def _numbered(owner: UUID | None, what: str, parts: Sequence[T]) -> Iterator[tuple[UUID, T]]:
    yield from ((part_id(owner, what, number), part) for number, part in enumerate(parts))


def _phone(id_: UUID, phone: Phone) -> Json:
    """The specification's extension is a number; one that would change by that stands as an attribute."""
    is_number = phone.extension.isascii() and phone.extension.isdigit() and not phone.extension.startswith("0")
    attribute = _attribute(id_, "phone", EXTENSION, EXTENSION, value=phone.extension)
    return {
        "id": str(id_),
        "number": phone.number,
        **_filled(extension=is_number and int(phone.extension), description=phone.description),
        **_filled(attributes=[attribute] if phone.extension and not is_number else None),
    }


def _schedule(id_: UUID, hours: Hours) -> Json:
    return {
        "id": str(id_),
        **_filled(valid_from=hours.valid_from and hours.valid_from.isoformat()),
        **_filled(valid_to=hours.valid_to and hours.valid_to.isoformat()),
        "freq": "WEEKLY",
        "byday": hours.weekdays,
        **_filled(description=hours.description),
        "opens_at": hours.opens.isoformat("auto" if hours.opens.second else "minutes"),
        "closes_at": hours.closes.isoformat("auto" if hours.closes.second else "minutes"),
    }


def _area(id_: UUID, code: str) -> Json:
    return {"id": str(id_), "name": areas.name(code, "sv"), "extent": code, "extent_type": "text"}


def _language(id_: UUID, code: str) -> Json:
    known = CODE_LISTS["language"].codes.get(code)
    return {"id": str(id_), **_filled(name=known and known.sv), "code": code}


def _place(id_: UUID, place: Place) -> Json:
    address = {
        "id": str(part_id(id_, "address")),
        "address_1": place.address,
        "city": place.city,
        "state_province": "",
        "postal_code": place.postal_code,
        "country": areas.COUNTRY,
        "address_type": "physical",
    }
    location = {
        "id": str(part_id(id_, "location")),
        "location_type": "virtual" if place.is_virtual else "physical",
        **_filled(name=place.name),
        **_filled(addresses=[address] if place.address or place.postal_code or place.city else None),
    }
    return {"id": str(id_), "location": location}


# --- attributes ------------------------------------------------------------------------------------------------------


def _attributes(entry: ServiceEntry) -> Iterator[Json]:
    codes = {KIND: entry.kind, TARGET: entry.target, TURN: entry.dimension, COVERS_EXIT: entry.covers_exit}
    flags = {SHARED: entry.is_shared, CONFIDENTIAL: entry.is_confidential}
    for taxonomy, code in (codes | {name: "ja" for name, flag in flags.items() if flag}).items():
        if code:
            yield _attribute(entry.id, "service", taxonomy, code)


def _attribute(owner: UUID | None, entity: str, taxonomy: str, code: str, *, value: str = "") -> Json:
    name, description = _wording(taxonomy, code)
    return {
        "id": str(part_id(owner, "attribute", taxonomy)),
        "link_type": taxonomy,
        "link_entity": entity,
        **_filled(value=value),
        "taxonomy_term": {
            "id": str(part_id(TERMS, taxonomy, code)),
            "code": code,
            "name": name,
            "description": description,
            "taxonomy": taxonomy,
            "language": "sv",
        },
    }


def _wording(taxonomy: str, code: str) -> tuple[str, str]:
    if taxonomy in CODE_LISTS:
        listed = CODE_LISTS[taxonomy].codes[code]
        return listed.sv, listed.definition_sv
    names = {TURN: DIMENSION, EXTENSION: {EXTENSION: "Anknytning"}}.get(taxonomy, YES_NO)
    descriptions = {
        TURN: "Vilken sida av ett utträde verksamheten stödjer.",
        SHARED: "En enhet för flera kommuner.",
        CONFIDENTIAL: "Lämnas ut av samtalsstödjaren vid behov.",
        EXTENSION: "Anknytning som inte är ett tal.",
    }
    return names[code], descriptions[taxonomy]


OWN_TAXONOMIES = (TARGET, KIND, AGREEMENT, COVERS_EXIT, TURN, SHARED, CONFIDENTIAL, EXTENSION)
