"""Owns what an entry of the directory says as plain values, and why a file with entries is refused. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import date, time
from enum import Enum
from typing import Any
from uuid import UUID

from helpline.taxonomy import CODE_LISTS

RECEIVER, RESOURCE = "mottagare", "resurs"  # codes of service_kind
UNKNOWN = "okant"  # code of agreement and of covers_exit
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")  # of iCalendar, which HSDS writes its schedules in
MIDNIGHT = time(23, 59, 59)  # how the end of a day is stored, because it has to come after every beginning
MOST_SERVICES = 5_000
MOST_PARTS = 40  # phones, hours or places of one service: as many as its page has rows for
MOST_OTHERS = 600  # of whatever else it has many: there are half as many areas


class Fault(Enum):
    """Why a file or one of its values is refused. The wording, in the reader's language, belongs to the edge."""

    EMPTY = "empty file"
    TOO_LARGE = "too large"
    TOO_MANY = "too many services"
    NOT_READABLE = "neither JSON nor a table"
    FIELD_TWICE = "an object of JSON has a field twice"
    NO_DIRECTORY = "JSON without organizations or services"
    TABLE = "a table that cannot be read"
    UNKNOWN_COLUMN = "unknown column"
    NO_COLUMN = "text under no column name"
    MISSING = "a mandatory value is missing"
    WRONG_TYPE = "another type is expected"
    NOT_TEXT = "characters that are no text"
    INVISIBLE = "characters that cannot be seen"
    TOO_LONG = "too long"
    TOO_MANY_PARTS = "more parts of one kind than a service may have"
    NOT_AN_ID = "no UUID"
    NOT_A_URL = "no web address"
    NOT_A_DAY = "no day"
    NOT_HOURS = "no hours of a week"
    NOT_A_CODE = "no code of the list"
    NOT_AN_AREA = "no area"
    NOT_A_LANGUAGE = "no language code"
    NOT_YES_OR_NO = "neither yes nor no"
    NEEDS_TARGET = "a receiver without a referral target"
    HAS_TARGET = "a knowledge resource with a referral target"
    SINGLE = "more than one where one fits"
    REPEATED = "the same service twice"
    CONTRADICTS = "says something else of an organisation than before"
    NAME_TAKEN = "another entry has that name"


class Wrong(ValueError):
    """A value that is refused: the fault, what would be right, and of an entry the field. It never holds the value."""

    def __init__(self, fault: Fault, hint: str = "", field: str = "") -> None:
        super().__init__(fault.value)
        self.fault, self.hint, self.field = fault, hint, field


@dataclass(frozen=True, slots=True)
class Finding:
    """One refusal and its place: a path in JSON, or a line and a column of a table; neither for the whole file."""

    fault: Fault
    path: str = ""
    line: int = 0
    column: str = ""
    hint: str = ""


# --- entries ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Where a service is, or nowhere but by phone and screen."""

    is_virtual: bool = False
    name: str = ""
    address: str = ""
    postal_code: str = ""
    city: str = ""


@dataclass(frozen=True, slots=True)
class Phone:
    """A number to read out."""

    number: str
    extension: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of a week: `weekdays` as MO,TU… in its order; `opens` before `closes`, both local clock; both days of
    validity belong to it."""

    weekdays: str
    opens: time
    closes: time
    valid_from: date | None = None
    valid_to: date | None = None
    description: str = ""

    def is_valid(self, day: date) -> bool:
        return (self.valid_from or date.min) <= day <= (self.valid_to or date.max)

    def is_of(self, day: date) -> bool:
        return self.is_valid(day) and WEEKDAYS[day.weekday()] in self.weekdays.split(",")


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """All that is said of a service, as helpline.models.Service has it; `id` is None for one that is not stored yet.

    Only the phones have an order, so the other parts stand sorted.
    """

    id: UUID | None
    name: str
    kind: str = RECEIVER
    target: str = ""
    dimension: str = ""
    description: str = ""
    url: str = ""
    alert: str = ""
    covers_exit: str = UNKNOWN
    is_shared: bool = False
    is_confidential: bool = False
    is_active: bool = True
    assured_on: date | None = None
    places: tuple[Place, ...] = ()
    phones: tuple[Phone, ...] = ()
    hours: tuple[Hours, ...] = ()
    languages: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", tuple(each for each in self.places if each != Place()))
        for name in ("places", "hours"):
            object.__setattr__(self, name, tuple(sorted(getattr(self, name), key=_in_order)))
        for name in ("languages", "areas"):
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)))))


def _in_order(part: Place | Hours) -> tuple[object, ...]:
    if isinstance(part, Place):
        return part.is_virtual, part.city, part.address, part.postal_code, part.name
    days = [WEEKDAYS.index(day) for day in part.weekdays.split(",") if day in WEEKDAYS]
    span = part.valid_from or date.min, part.valid_to or date.max
    return days, part.opens, part.closes, span, part.description


@dataclass(frozen=True, slots=True)
class OrganisationEntry:
    """All that is said of an organisation; the agreement is a code of its list."""

    id: UUID | None
    name: str
    description: str = ""
    url: str = ""
    agreement: str = UNKNOWN
    agreement_until: date | None = None
    services: tuple[ServiceEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says, before the database is asked: its entries, every refusal, and by path each field that is left
    out with how many values. `fields` are those that the file speaks of; what it is silent on stays as it is stored.
    """

    organisations: tuple[OrganisationEntry, ...] = field(default=(), repr=False)
    findings: tuple[Finding, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()
    fields: frozenset[str] | None = None  # None: all, whole

    @property
    def services(self) -> int:
        return sum(len(organisation.services) for organisation in self.organisations)


# --- from records to organisations -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Record:
    """One service of a file, or an organisation without any, and its place as a finding has it."""

    organisation: OrganisationEntry
    service: ServiceEntry | None
    path: str = ""
    line: int = 0

    def finding(self, fault: Fault, hint: str = "") -> Finding:
        return Finding(fault, self.path, self.line, hint=hint)


def joined(records: Iterable[Record]) -> tuple[tuple[OrganisationEntry, ...], tuple[Finding, ...]]:
    """Each organisation once with its services, or a refusal of each record that repeats or contradicts another."""
    found: dict[object, OrganisationEntry] = {}
    services: dict[object, list[ServiceEntry]] = {}
    seen: set[object] = set()
    findings = []
    for record in records:
        key = record.organisation.id or record.organisation.name
        known = found.setdefault(key, record.organisation)
        if (both := _united(known, record.organisation)) is None:
            findings.append(record.finding(Fault.CONTRADICTS))
        found[key] = both or known
        if record.service is None:
            services.setdefault(key, [])
            continue
        marks = {record.service.id or object(), (key, record.service.name)}
        if marks & seen:
            findings.append(record.finding(Fault.REPEATED))
        seen |= marks
        services.setdefault(key, []).append(record.service)
    if findings:
        return (), tuple(findings)
    return tuple(replace(found[key], services=tuple(services[key])) for key in found), ()


def _united(one: OrganisationEntry, other: OrganisationEntry) -> OrganisationEntry | None:
    """What both say; None where they contradict each other, rather than one being silent."""
    values: dict[str, Any] = {}
    for each in fields(OrganisationEntry):
        silent = (each.default, "", ())
        mine, yours = getattr(one, each.name), getattr(other, each.name)
        if mine not in silent and yours not in silent and mine != yours:
            return None
        values[each.name] = yours if mine in silent else mine
    return OrganisationEntry(**values)


def aimed(service: ServiceEntry, default: str) -> ServiceEntry:
    """`service` with a target, its own or `default`, and with that target's dimension where it names none.

    Raises Wrong for a receiver without a target and for a knowledge resource with one.
    """
    if service.kind == RESOURCE:
        if service.target or service.dimension:
            raise Wrong(Fault.HAS_TARGET)
        return service
    target = service.target or default
    if not target:
        raise Wrong(Fault.NEEDS_TARGET)
    dimension = service.dimension or CODE_LISTS["referral_target"].codes[target].dimension or "bada"
    return replace(service, target=target, dimension=dimension)
