"""Owns the reading of the directory: whom there is to refer to, the nearest first, and all that an entry says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import overload
from unicodedata import normalize
from uuid import UUID

from django.db.models import CharField, IntegerField, QuerySet, Value
from django.db.models.functions import Cast

from helpline.directory.entries import part
from helpline.listings import RECEIVER, Hours, Phone, Place
from helpline.listings.freshness import has_lapsed, is_stale, lapses_soon, months_from
from helpline.listings.nearness import Nearness, nearness
from helpline.models import Organisation, Service, ServiceArea, ServiceUse, SpokenLanguage

USE_SHOWN_FROM = 5
QUARTERS = 4  # of whose use an entry tells

_SWEDISH = str.maketrans("åäö", "{|}")  # å, ä, ö come after z, in this order


# --- finding ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: a kind, a referral target, a place (county or municipality), words of names.

    `is_stale`: only what must be made sure of; `is_closed`: what nobody is referred to any more.
    """

    kind: str = RECEIVER
    target: str = ""
    place: str = ""
    words: str = ""
    is_stale: bool = False
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """One service of a list, with phones and areas (codes), and what is to be said of it today."""

    service: Service
    areas: tuple[str, ...]
    near: Nearness | None
    is_stale: bool
    has_lapsed: bool


class Matches(Sequence[Found]):
    """Services in their order, of which only those that are looked at are loaded, by two queries."""

    def __init__(self, known: Mapping[UUID, tuple[tuple[str, ...], Nearness | None]], today: date) -> None:
        self._known, self._today = known, today
        self._keys = list(known)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Found]:
        return iter(self[:])

    @overload
    def __getitem__(self, which: int) -> Found: ...
    @overload
    def __getitem__(self, which: slice) -> list[Found]: ...
    def __getitem__(self, which: int | slice) -> Found | list[Found]:
        if isinstance(which, int):
            return self._loaded([self._keys[which]])[0]
        return self._loaded(self._keys[which])

    def _loaded(self, keys: list[UUID]) -> list[Found]:
        rows = Service.objects.select_related("organisation").prefetch_related("phones").in_bulk(keys)
        return [self._found(rows[key]) for key in keys if key in rows]

    def _found(self, service: Service) -> Found:
        return Found(
            service,
            *self._known[service.pk],
            is_stale(service.assured_on, self._today),
            has_lapsed(service.organisation.agreement_until, self._today),
        )


def find(wanted: Wanted, *, today: date) -> Matches:
    """The services that are wanted: those for the place, the nearest first, then by name. One query."""
    services = Service.objects.filter(kind=wanted.kind, is_active=not wanted.is_closed)
    if wanted.target:
        services = services.filter(target=wanted.target)
    # A row for each area of a service: pages have few queries to spend.
    rows = services.values_list("pk", "name", "organisation__name", "is_shared", "assured_on", "areas__code")
    # Names are stored composed (listings.values.composed); some keyboards and systems write letter and mark apart.
    words = normalize("NFC", wanted.words).casefold().split()
    kept: list[tuple[int, str, str]] = []
    known: dict[str, tuple[UUID, tuple[tuple[str, ...], Nearness | None]]] = {}
    for (pk, name, by, is_shared, assured_on), group in groupby(rows.order_by("pk"), key=lambda row: row[:5]):
        if not _is_named(name, by, words) or (wanted.is_stale and not is_stale(assured_on, today)):
            continue
        areas = tuple(sorted(row[5] for row in group if row[5]))
        near = nearness(areas, wanted.place, is_shared=is_shared) if wanted.place else None
        if near or not wanted.place:
            kept.append((near or 0, in_order(name), str(pk)))
            known[str(pk)] = pk, (areas, near)
    return Matches(dict(known[key] for _, _, key in sorted(kept)), today)


def in_order(name: str) -> str:
    """A key by which names stand in Swedish alphabetical order."""
    return name.casefold().translate(_SWEDISH)


def _is_named(name: str, by: str, words: list[str]) -> bool:
    """Whether each of `words` stands in the name of the service or of its organisation."""
    names = f"{name} {by}".casefold()
    return all(word in names for word in words)


# --- one entry --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Detail:
    """Everything of one service. `uses`: how often it was named in each of the last quarters that are over, by their
    first days, the newest first; None for fewer than five, none at all included."""

    service: Service
    phones: list[Phone]
    hours: list[Hours]
    places: list[Place]
    languages: list[str]
    areas: list[str]
    uses: list[tuple[date, int | None]]
    is_stale: bool
    has_lapsed: bool
    lapses_soon: bool


def detail(pk: UUID, *, today: date) -> Detail | None:
    """The service of `pk`, whether it is closed or not, or None. Five queries."""
    service = Service.objects.select_related("organisation").filter(pk=pk).first()
    if service is None:
        return None
    said: dict[str, dict[str, int]] = {"language": {}, "area": {}, "use": {}}
    for what, code, n in _codes(pk):
        said[what][code] = n
    until = service.organisation.agreement_until
    return Detail(
        service=service,
        phones=[part(Phone, row) for row in service.phones.order_by("position", "pk")],
        hours=[part(Hours, row) for row in service.schedules.order_by("valid_from", "opens", "pk")],
        places=[part(Place, row) for row in service.locations.order_by("is_virtual", "city", "address", "name", "pk")],
        languages=sorted(said["language"]),
        areas=sorted(said["area"], key=lambda code: (len(code) == 4, code)),
        uses=[(quarter, shown_use(said["use"].get(quarter.isoformat(), 0))) for quarter in quarters_over(today)],
        is_stale=is_stale(service.assured_on, today),
        has_lapsed=has_lapsed(until, today),
        lapses_soon=lapses_soon(until, today),
    )


def shown_use(n: int) -> int | None:
    """A count of use as it may be shown: None for fewer than five."""
    return n if n >= USE_SHOWN_FROM else None


def quarters_over(today: date) -> list[date]:
    """The first days of the last quarters that are over, the newest first.

    The present one is left out: a count that grows while one looks tells what the newest contact was referred to.
    """
    present = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    return [months_from(present, -3 * n) for n in range(1, QUARTERS + 1)]


def _codes(pk: UUID) -> QuerySet[ServiceUse, tuple[str, str, int]]:
    """Languages, areas and uses of a service in one query: what it is, its code (of a use the quarter), its count."""
    none = Value(0, output_field=IntegerField())
    languages = SpokenLanguage.objects.filter(service=pk).values_list(Value("language"), "code", none)
    areas = ServiceArea.objects.filter(service=pk).values_list(Value("area"), "code", none)
    uses = ServiceUse.objects.filter(service=pk).values_list(Value("use"), Cast("quarter", CharField()), "n")
    return uses.union(languages, areas, all=True)


# --- organisations ----------------------------------------------------------------------------------------------------


def organisations() -> list[Organisation]:
    """All of them, by name."""
    return sorted(Organisation.objects.all(), key=lambda one: in_order(one.name))


def services_of(organisation: UUID) -> list[Service]:
    """The services of an organisation, open ones first."""
    services = Service.objects.filter(organisation=organisation)
    return sorted(services, key=lambda one: (not one.is_active, in_order(one.name)))
