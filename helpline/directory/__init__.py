"""Owns every change of the directory, of organisations and of services with all that belongs to them: one door for
pages and files, one set of rules for what they say.

What another coordinator changed meanwhile is never overwritten unseen: a change by hand says which state it was made
from.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import Model, QuerySet

from helpline import audit
from helpline.directory.entries import (
    OF_ORGANISATION,
    OF_SERVICE,
    PARTS,
    Entry,
    organisation_entry,
    organisation_row,
    part_rows,
    service_entry,
    service_row,
    state,
)
from helpline.listings import OrganisationEntry, ServiceEntry
from helpline.listings.values import refuse_impossible
from helpline.models import Organisation, Service, User

ACT = "directory.edit"
BATCH = 500

Pair = tuple[UUID, ServiceEntry]  # the organisation's id, and what its service says


class NotThere(LookupError):
    """There is no such organisation or service; nothing was changed."""


class NameTaken(Exception):
    """Another organisation, or another service of the same one, has the name; nothing was changed."""


class Overtaken(Exception):
    """Somebody else changed the entry since it was read; nothing was changed."""


# --- the door --------------------------------------------------------------------------------------------------------


def put_organisations(*, new: Collection[OrganisationEntry] = (), changed: Collection[OrganisationEntry] = ()) -> None:
    """Store organisations without their services, each with the id that it has or is to have, by few statements, in
    the caller's transaction. Raises Wrong for what breaks a rule and IntegrityError for a name that is taken."""
    _refuse_impossible((*new, *changed))
    _free_names(Organisation, changed)
    Organisation.objects.bulk_create(map(organisation_row, new), BATCH)
    Organisation.objects.bulk_update(map(organisation_row, changed), OF_ORGANISATION, BATCH)


def put_services(*, new: Collection[Pair] = (), changed: Collection[Pair] = ()) -> None:
    """The same for services, with all that belongs to them."""
    entries = [entry for _, entry in (*new, *changed)]
    _refuse_impossible(entries)
    _free_names(Service, [entry for _, entry in changed])
    Service.objects.bulk_create((service_row(entry, of=of) for of, entry in new), BATCH)
    rows = [service_row(entry, of=of) for of, entry in changed]
    Service.objects.bulk_update(rows, ["organisation", *OF_SERVICE], BATCH)
    parts = [part for entry in entries for part in part_rows(entry)]
    for kind in PARTS.values():
        stored = kind._default_manager
        for start in range(0, len(rows), BATCH):
            stored.filter(service__in=rows[start : start + BATCH]).delete()
        stored.bulk_create([part for part in parts if isinstance(part, kind)], BATCH)


def _refuse_impossible(entries: Iterable[Entry]) -> None:
    for entry in entries:
        refuse_impossible(entry)


def _free_names(model: type[Model], changed: Iterable[Entry]) -> None:
    """Names that move from one entry to another would meet on the way."""
    model._default_manager.bulk_update([model(id=each.id, name=str(each.id)) for each in changed], ["name"], BATCH)


# --- by hand ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def save_organisation(entry: OrganisationEntry, *, seen: str = "", by: User, now: datetime) -> UUID:
    """Add an organisation, or change the one of the entry's id, which was in the state `seen`; its id.

    Raises NotThere, Overtaken, NameTaken and Wrong.
    """
    if entry.id and state(organisation_entry(_hold(Organisation.objects.all(), entry.id))) != seen:
        raise Overtaken
    key = entry.id or uuid4()
    with _name_taken(Organisation.objects.filter(name=entry.name).exclude(pk=key)):
        put_organisations(**{"changed" if entry.id else "new": [replace(entry, id=key)]})
    audit.record(by=by, act=ACT, now=now)
    return key


@transaction.atomic
def save_service(
    entry: ServiceEntry, *, of: UUID, seen: str = "", assured_on: date | None = None, by: User, now: datetime
) -> UUID:
    """Add a service of the organisation `of`, or change the one of the entry's id, which was in the state `seen`; its
    id. `assured_on`: made sure of then. Whether it is open, and when it was made sure of before, stays as it is.

    Raises NotThere (of the organisation too), Overtaken, NameTaken and Wrong.
    """
    key, said = entry.id or uuid4(), replace(entry, is_active=True, assured_on=assured_on)
    if entry.id:
        row = _hold(Service.objects.all(), entry.id)
        if state(service_entry(row), of=row.organisation_id) != seen:
            raise Overtaken
        said = replace(entry, is_active=row.is_active, assured_on=assured_on or row.assured_on)
    _hold(Organisation.objects.all(), of)
    with _name_taken(Service.objects.filter(organisation=of, name=entry.name).exclude(pk=key)):
        put_services(**{"changed" if entry.id else "new": [(of, replace(said, id=key))]})
    audit.record(by=by, act=ACT, now=now)
    return key


@transaction.atomic
def verify_service(pk: UUID, *, by: User, today: date, now: datetime) -> None:
    """Note that somebody made sure today that what a service says is true. Raises NotThere."""
    _change_services(Service.objects.filter(pk=pk), by=by, now=now, assured_on=today)


@transaction.atomic
def close_service(pk: UUID, *, by: User, now: datetime) -> None:
    """Refer nobody to a service any more; what it said is kept. Raises NotThere."""
    _change_services(Service.objects.filter(pk=pk), by=by, now=now, is_active=False)


@transaction.atomic
def reopen_service(pk: UUID, *, by: User, now: datetime) -> None:
    """Refer to a closed service again. Raises NotThere."""
    _change_services(Service.objects.filter(pk=pk), by=by, now=now, is_active=True)


@transaction.atomic
def close_organisation(pk: UUID, *, by: User, now: datetime) -> None:
    """Refer nobody to any service of an organisation any more. Raises NotThere for one without open services."""
    _change_services(Service.objects.filter(organisation=pk, is_active=True), by=by, now=now, is_active=False)


def _change_services(services: QuerySet[Service], *, by: User, now: datetime, **columns: object) -> None:
    if not services.update(**columns):
        raise NotThere
    audit.record(by=by, act=ACT, now=now)


Row = TypeVar("Row", bound=Model)


def _hold(rows: QuerySet[Row], pk: UUID) -> Row:
    row = rows.select_for_update().filter(pk=pk).first()
    if row is None:
        raise NotThere
    return row


@contextmanager
def _name_taken(others: QuerySet[Row]) -> Iterator[None]:
    """Raises NameTaken; another coordinator may take the name in the same moment, which the database refuses."""
    if others.exists():
        raise NameTaken
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        if others.exists():
            raise NameTaken from None
        raise
