"""Owns what each object of HSDS 3.0 becomes in an entry of the directory, and each refusal's path. Pure.

Hours that would be wrong here (every other week, the first Saturday of a month, the clock of another country, past
midnight) are left out whole rather than read in part.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, time
from typing import TypeVar

from helpline.code_files import DIMENSIONS
from helpline.listings import (
    MOST_OTHERS,
    MOST_PARTS,
    MOST_SERVICES,
    RECEIVER,
    RESOURCE,
    UNKNOWN,
    Fault,
    Finding,
    Hours,
    OrganisationEntry,
    Phone,
    Place,
    ServiceEntry,
    Wrong,
    aimed,
    areas,
    hsds,
    values,
)
from helpline.listings.hsds import Json
from helpline.listings.values import clock, code, day, identifier, line, one_of, paragraphs, url

OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)$", re.IGNORECASE)
OF_SWEDEN = re.compile(r"\+0[12]:?00$")  # in winter and in summer
NUMBERED_DAY = re.compile(r"\d")
NOT_EVERY_WEEK = ("byweekno", "bymonthday", "byyearday", "count", "until")
STATES = ("active", "inactive", "defunct", "temporarily closed")
LOCATION_TYPES = ("physical", "postal", "virtual")
READ = {
    hsds.TARGET: code("referral_target"),
    hsds.KIND: one_of(RECEIVER, RESOURCE),
    hsds.AGREEMENT: code("agreement"),
    hsds.COVERS_EXIT: code("covers_exit"),
    hsds.TURN: one_of(*DIMENSIONS),
    hsds.SHARED: one_of("ja", "nej"),
    hsds.CONFIDENTIAL: one_of("ja", "nej"),
    hsds.EXTENSION: one_of(hsds.EXTENSION),
}
MOST = {"services": MOST_SERVICES, **dict.fromkeys(("phones", "schedules", "service_at_locations"), MOST_PARTS)}
T = TypeVar("T")


class Node:
    """An object of the document, its path, and the list that its refusals go to."""

    def __init__(self, value: Json, path: str, findings: list[Finding]) -> None:
        self.value, self.path, self.findings = value, path, findings

    def get(self, name: str, read: Callable[[object], T], default: T) -> T:
        given = self.value.get(name)
        if given is None or given == "":
            return default
        try:
            return read(given)
        except Wrong as wrong:
            self.refuse(name, wrong.fault, wrong.hint)
            return default

    def need(self, name: str, read: Callable[[object], T], default: T) -> T:
        given = self.value.get(name)
        if given is None or (isinstance(given, str) and not given.strip()):
            self.refuse(name, Fault.MISSING)
        return self.get(name, read, default)

    def refuse(self, name: str, fault: Fault, hint: str = "") -> None:
        self.findings.append(Finding(fault, path=f"{self.path}.{name}" if name else self.path, hint=hint))

    def children(self, name: str) -> Iterator["Node"]:
        listed = self.value.get(name)
        if listed is not None and not isinstance(listed, list):
            self.refuse(name, Fault.WRONG_TYPE, "list")
            return
        if len(listed or []) > (most := MOST.get(name, MOST_OTHERS)):
            self.refuse(name, Fault.TOO_MANY_PARTS, str(most))
            return
        for number, each in enumerate(listed or []):
            if isinstance(each, dict):
                yield Node(each, f"{self.path}.{name}[{number}]", self.findings)
            else:
                self.refuse(f"{name}[{number}]", Fault.WRONG_TYPE, "object")

    def child(self, name: str) -> "Node | None":
        value = self.value.get(name)
        if isinstance(value, dict):
            return Node(value, f"{self.path}.{name}", self.findings)
        if value is not None:
            self.refuse(name, Fault.WRONG_TYPE, "object")
        return None


# --- organization and service ----------------------------------------------------------------------------------------


def organisation(node: Node) -> OrganisationEntry:
    """The organisation without its services."""
    agreement, until = terms(node).get(hsds.AGREEMENT, (UNKNOWN, None))
    return OrganisationEntry(
        id=node.need("id", identifier, None),
        name=node.need("name", line(200), ""),
        description=node.get("description", paragraphs, ""),
        url=node.get("website", url, ""),
        agreement=agreement,
        agreement_until=until.get("value", day, None) if until else None,
    )


def service(node: Node, target: str) -> ServiceEntry:
    codes = {taxonomy: code for taxonomy, (code, _) in terms(node).items()}
    entry = ServiceEntry(
        id=node.need("id", identifier, None),
        name=node.need("name", line(200), ""),
        kind=codes.get(hsds.KIND, RECEIVER),
        target=codes.get(hsds.TARGET, ""),
        dimension=codes.get(hsds.TURN, ""),
        description=node.get("description", paragraphs, ""),
        url=node.get("url", url, ""),
        alert=node.get("alert", line(300), ""),
        covers_exit=codes.get(hsds.COVERS_EXIT, UNKNOWN),
        is_shared=codes.get(hsds.SHARED) == "ja",
        is_confidential=codes.get(hsds.CONFIDENTIAL) == "ja",
        is_active=node.need("status", one_of(*STATES), "") == "active",
        assured_on=node.get("assured_date", day, None),
        places=_found(map(_place, node.children("service_at_locations"))),
        phones=tuple(map(_phone, node.children("phones"))),
        hours=_found(map(_hours, node.children("schedules"))),
        languages=_found(each.get("code", values.language, None) for each in node.children("languages")),
        areas=_found(map(_area, node.children("service_areas"))),
    )
    try:
        return aimed(entry, target)
    except Wrong as wrong:
        node.refuse("", wrong.fault)
        return entry


def _found(parts: Iterator[T | None]) -> tuple[T, ...]:
    return tuple(each for each in parts if each is not None)


def terms(node: Node) -> dict[str, tuple[str, Node]]:
    """The code that the object has of each taxonomy of ours, with the attribute that says so."""
    found: dict[str, tuple[str, Node]] = {}
    for attribute in node.children("attributes"):
        term = attribute.child("taxonomy_term")
        taxonomy = term.value.get("taxonomy") if term else None
        if term is None or not isinstance(taxonomy, str) or taxonomy not in READ:
            continue
        if taxonomy in found:
            term.refuse("taxonomy", Fault.SINGLE)
        if code_ := term.need("code", READ[taxonomy], ""):
            found[taxonomy] = code_, attribute
    return found


# --- parts -----------------------------------------------------------------------------------------------------------


def _phone(node: Node) -> Phone:
    _, attribute = terms(node).get(hsds.EXTENSION, ("", None))
    extension = node.get("extension", _extension, "")
    return Phone(
        number=node.need("number", line(40), ""),
        extension=attribute.get("value", line(10), "") if attribute else extension,
        description=node.get("description", line(200), ""),
    )


def _extension(value: object) -> str:
    """A number by the specification, in many files a text."""
    if isinstance(value, float) and value.is_integer() or isinstance(value, int) and not isinstance(value, bool):
        value = str(int(value))
    return line(10)(value)


def _area(node: Node) -> str | None:
    """The area that `extent` gives as text, or that is called so; a shape on a map is left out."""
    if node.value.get("extent_type") == "text":
        return node.need("extent", values.area, None)
    return areas.code_of(node.get("name", paragraphs, "")) or None


def _place(node: Node) -> Place | None:
    location = node.child("location")
    if location is None:
        return None
    addresses = list(location.children("addresses"))
    addresses.sort(key=lambda each: each.value.get("address_type") != "physical")
    address = addresses[0] if addresses else Node({}, "", [])
    return Place(
        is_virtual=location.need("location_type", one_of(*LOCATION_TYPES), "") == "virtual",
        name=location.get("name", line(200), ""),
        address=address.get("address_1", line(200), ""),
        postal_code=address.get("postal_code", line(10), ""),
        city=address.get("city", line(100), ""),
    )


def _hours(node: Node) -> Hours | None:
    if not _is_every_week(node.value):
        return None
    weekdays = node.get("byday", values.weekdays, "")
    opens = node.get("opens_at", local_time, None)
    closes = node.get("closes_at", local_time, None)
    if not weekdays or opens is None or closes is None:
        return None
    try:
        opens, closes = values.span(opens, closes)
    except Wrong:
        return None
    begins: date | None = node.get("dtstart", day, None)
    hours = Hours(
        weekdays=weekdays,
        opens=opens,
        closes=closes,
        valid_from=node.get("valid_from", day, begins),
        valid_to=node.get("valid_to", day, None),
        description=node.get("description", line(200), ""),
    )
    return hours if values.is_possible(hours) else None


def _is_every_week(schedule: Json) -> bool:
    """Whether the schedule says the same of each week, by the clock of Sweden."""
    times = [schedule.get(name) for name in ("opens_at", "closes_at")]
    foreign = any(isinstance(each, str) and OFFSET.search(each) and not OF_SWEDEN.search(each) for each in times)
    return (
        schedule.get("freq") in (None, "", "WEEKLY")
        and schedule.get("interval") in (None, 1)
        and schedule.get("timezone") in (None, 1, 2)
        and not any(schedule.get(name) for name in NOT_EVERY_WEEK)
        and not NUMBERED_DAY.search(str(schedule.get("byday", "")))
        and not foreign
    )


def local_time(value: object) -> time:
    return clock(OF_SWEDEN.sub("", value.strip()) if isinstance(value, str) else value)
