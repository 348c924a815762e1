"""Organisations and services of a directory, made through the one door."""

from datetime import date
from itertools import count
from typing import Any

from django.utils import timezone

from helpline import directory
from helpline.listings import RECEIVER, RESOURCE, OrganisationEntry, ServiceEntry
from helpline.models import Organisation, Service, User

_NUMBERS = count(1)


def coordinator() -> User:
    return User.objects.filter(role="coordinator").first() or User.objects.create_user("lead", None, role="coordinator")


def organisation(name: str = "", **said: Any) -> Organisation:
    entry = OrganisationEntry(None, name or f"Organisation {next(_NUMBERS)}", **said)
    return Organisation.objects.get(pk=directory.save_organisation(entry, by=coordinator(), now=timezone.now()))


def entry_of(name: str, *areas: str, **said: Any) -> ServiceEntry:
    kind = said.pop("kind", RECEIVER)
    plain = {} if kind == RESOURCE else {"target": "social", "dimension": "praktisk"}
    return ServiceEntry(None, name, kind, **{"areas": areas} | plain | said)


def service(
    name: str = "", *areas: str, of: Organisation | None = None, on: date | None = None, **said: Any
) -> Service:
    """A service for `areas`, made sure of `on`."""
    entry = entry_of(name or f"Service {next(_NUMBERS)}", *areas, **said)
    how = {"of": (of or organisation()).pk, "assured_on": on, "by": coordinator(), "now": timezone.now()}
    return Service.objects.get(pk=directory.save_service(entry, **how))
