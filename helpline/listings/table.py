"""Owns the directory as a table, one row a service, for those who work in a spreadsheet program. Pure.

What has no column (an organisation's description and address, a phone's extension and description, the dates and
description of hours, a place's name) stands in HSDS only; a row leaves it as it is stored.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, time
from functools import partial
from io import StringIO
from typing import TypeVar
from uuid import UUID

from helpline import spreadsheet
from helpline.code_files import DIMENSIONS
from helpline.exports import FORMULA
from helpline.listings import (
    MIDNIGHT,
    MOST_OTHERS,
    MOST_PARTS,
    MOST_SERVICES,
    RECEIVER,
    RESOURCE,
    UNKNOWN,
    WEEKDAYS,
    Fault,
    Finding,
    Hours,
    OrganisationEntry,
    Phone,
    Place,
    Reading,
    Record,
    ServiceEntry,
    Wrong,
    aimed,
    joined,
    values,
)
from helpline.listings.values import clock, code, day, identifier, line, one_of, paragraphs, span, url, yes_or_no
from helpline.spreadsheet import Row, Table, Unreadable

COLUMNS = (
    *("organisation", "name", "kind", "target", "dimension", "areas", "phones", "hours", "languages", "url", "address"),
    *("alert", "agreement", "agreement_until", "covers_exit", "is_shared", "is_confidential", "is_active"),
    *("assured_on", "description", "id"),
)
MANDATORY = ("organisation", "name")
# Columns of a service that a file may lack; what it is for stands together.
KEPT = frozenset(COLUMNS[5:12]) | frozenset(COLUMNS[14:20])
POSTAL = re.compile(r"(.+), *(\d{3} ?\d{2}) +(\S.*)")  # as an address is written by hand
T = TypeVar("T")


# --- writing ---------------------------------------------------------------------------------------------------------


def write(organisations: Iterable[OrganisationEntry]) -> bytes:
    """The file as Excel in Swedish opens it: UTF-8 with BOM, `;` between the cells; no cell is a formula."""
    text = StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow(COLUMNS)
    for organisation in organisations:
        for service in organisation.services:
            cells = _cells(organisation, service)
            writer.writerow([_guarded(cells[name]) for name in COLUMNS])
    return text.getvalue().encode("utf-8-sig")


def _cells(organisation: OrganisationEntry, service: ServiceEntry) -> dict[str, str]:
    texts = ("name", "kind", "target", "dimension", "url", "alert", "covers_exit", "description")
    flags = ("is_shared", "is_confidential", "is_active")
    return {
        "organisation": organisation.name,
        **{name: getattr(service, name) for name in texts},
        **{name: "ja" if getattr(service, name) else "nej" for name in flags},
        "areas": _listed(service.areas),
        "phones": _listed(phone.number for phone in service.phones),
        "hours": _listed(map(written_hours, service.hours)),
        "languages": _listed(service.languages),
        "address": _listed(map(written_place, service.places)),
        "agreement": organisation.agreement,
        "agreement_until": organisation.agreement_until.isoformat() if organisation.agreement_until else "",
        "assured_on": service.assured_on.isoformat() if service.assured_on else "",
        "id": str(service.id or ""),
    }


def _listed(parts: Iterable[str]) -> str:
    return "|".join(_escaped(part, "|") for part in parts if part)


def written_hours(hours: Hours) -> str:
    """MO-FR 09:00-15:00; days that do not follow each other as MO,WE."""
    days = hours.weekdays.split(",")
    positions = [WEEKDAYS.index(each) for each in days]
    in_row = len(days) > 2 and positions == list(range(positions[0], positions[-1] + 1))
    closes = "24:00" if hours.closes == MIDNIGHT else _clock(hours.closes)
    return f"{f'{days[0]}-{days[-1]}' if in_row else hours.weekdays} {_clock(hours.opens)}-{closes}"


def _clock(given: time) -> str:
    return given.isoformat("auto" if given.second else "minutes")


def written_place(place: Place) -> str:
    """Address;postal code;city, or the address alone."""
    parts = [_escaped(part, ";") for part in (place.address, place.postal_code, place.city)]
    if any(parts[1:]) or POSTAL.fullmatch(place.address):
        return ";".join(parts)
    return parts[0]


def _escaped(text: str, mark: str) -> str:
    return text.replace("\\", "\\\\").replace(mark, f"\\{mark}")


def _split(text: str, mark: str) -> list[str]:
    """The parts between the marks, of which one behind a backslash is text; no part where there is no text."""
    parts = [""]
    for piece in re.findall(r"\\.|[^\\]|\\$", text, re.DOTALL):
        if piece == mark:
            parts.append("")
        else:
            parts[-1] += piece[1:] if len(piece) > 1 and piece[1] in (mark, "\\") else piece
    return [part.strip() for part in parts]


def _is_formula(cell: str) -> bool:
    return cell.lstrip("\"' \t\n").startswith(FORMULA)


def _guarded(cell: str) -> str:
    """`cell`, behind an apostrophe where a spreadsheet program would compute it."""
    return f"'{cell}" if _is_formula(cell) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _is_formula(cell[1:]) else cell


# --- reading ---------------------------------------------------------------------------------------------------------


def read(content: bytes, *, target: str = "") -> Reading:
    """The entries of a CSV or XLSX file; `target` is the referral target of each receiver that names none."""
    try:
        table = spreadsheet.read(content, accepted=COLUMNS, mandatory=MANDATORY)
    except Unreadable as error:
        columns = ", ".join(error.columns)
        return Reading(findings=(Finding(Fault.TABLE, line=error.line, column=columns, hint=error.fault.name),))
    if len(table.rows) > MOST_SERVICES:
        return Reading(findings=(Finding(Fault.TOO_MANY),))
    findings = [
        Finding(Fault.UNKNOWN_COLUMN, line=table.line, column=spreadsheet.letters(each)) for each in table.unknown
    ]
    records = []
    for row in table.rows:
        record, found = _Cells(table, row).record(target)
        records.append(record)
        findings += found
    if not records:
        findings.append(Finding(Fault.EMPTY))
    organisations, repeated = joined(records) if not findings else ((), ())
    return Reading(organisations, (*findings, *repeated), fields=frozenset(table.columns))


class _Cells:
    """The cells of a row by column, and the refusals of those that were read."""

    def __init__(self, table: Table, row: Row) -> None:
        self.line, self.findings = row.line, list[Finding]()
        self.texts: Mapping[str, str] = {name: _unguarded(row.text(p).strip()) for name, p in table.columns.items()}
        if (stray := table.stray(row)) is not None:
            self._refuse(Fault.NO_COLUMN, spreadsheet.letters(stray))

    def _refuse(self, fault: Fault, column: str, hint: str = "") -> None:
        self.findings.append(Finding(fault, line=self.line, column=column, hint=hint))

    def get(self, column: str, read: Callable[[object], T], default: T) -> T:
        text = self.texts.get(column, "")
        if not text:
            if column in MANDATORY:
                self._refuse(Fault.MISSING, column)
            return default
        try:
            return read(text)
        except Wrong as wrong:
            self._refuse(wrong.fault, column, wrong.hint)
            return default

    def each(self, column: str, read: Callable[[object], T], most: int = MOST_PARTS) -> tuple[T, ...]:
        default: tuple[T, ...] = ()
        return self.get(column, partial(_read_each, read, most), default)

    def record(self, target: str) -> tuple[Record, list[Finding]]:
        organisation = OrganisationEntry(
            id=None,
            name=self.get("organisation", line(200), ""),
            agreement=self.get("agreement", code("agreement"), UNKNOWN),
            agreement_until=self._day("agreement_until"),
        )
        service = self._service()
        try:
            service = aimed(service, target)
        except Wrong as wrong:
            self._refuse(wrong.fault, "target")
        return Record(organisation, service, line=self.line), self.findings

    def _service(self) -> ServiceEntry:
        no_id: UUID | None = None
        return ServiceEntry(
            id=self.get("id", identifier, no_id),
            name=self.get("name", line(200), ""),
            kind=self.get("kind", one_of(RECEIVER, RESOURCE), RECEIVER),
            target=self.get("target", code("referral_target"), ""),
            dimension=self.get("dimension", one_of(*DIMENSIONS), ""),
            description=self.get("description", paragraphs, ""),
            url=self.get("url", url, ""),
            alert=self.get("alert", line(300), ""),
            covers_exit=self.get("covers_exit", code("covers_exit"), UNKNOWN),
            is_shared=self.get("is_shared", yes_or_no, False),
            is_confidential=self.get("is_confidential", yes_or_no, False),
            is_active=self.get("is_active", yes_or_no, True),
            assured_on=self._day("assured_on"),
            places=self.each("address", read_place),
            phones=tuple(Phone(number) for number in self.each("phones", line(40))),
            hours=self.each("hours", read_hours),
            languages=self.each("languages", values.language, MOST_OTHERS),
            areas=self.each("areas", values.area, MOST_OTHERS),
        )

    def _day(self, column: str) -> date | None:
        none: date | None = None
        return self.get(column, day, none)


def _read_each(read: Callable[[object], T], most: int, text: object) -> tuple[T, ...]:
    parts = [part for part in _split(str(text), "|") if part]
    if len(parts) > most:
        raise Wrong(Fault.TOO_MANY_PARTS, str(most))
    return tuple(map(read, parts))


def read_hours(value: object) -> Hours:
    days, _, times = str(value).strip().rpartition(" ")
    opens, dash, closes = times.replace("–", "-").partition("-")
    if not dash:
        raise Wrong(Fault.NOT_HOURS)
    return Hours(values.weekdays(days), *span(clock(opens), clock(closes)))


def read_place(value: object) -> Place:
    text = str(value)
    parts = _split(text, ";")
    if len(parts) == 1 and (by_hand := POSTAL.fullmatch(parts[0])):
        parts = list(by_hand.groups())
    if len(parts) not in (1, 3):
        raise Wrong(Fault.WRONG_TYPE, "address")
    address, postal_code, city = [*parts, "", ""][:3]
    return Place(address=line(200)(address), postal_code=line(10)(postal_code), city=line(100)(city))


def kept(stored: ServiceEntry, read: ServiceEntry, columns: Iterable[str]) -> Iterator[tuple[str, object]]:
    """What of the stored service a row that has these `columns` leaves as it is: by field, the value to keep."""
    silent = set(COLUMNS) - set(columns)
    of_column = {"address": "places"}
    for column in silent & KEPT:
        field = of_column.get(column, column)
        yield field, getattr(stored, field)
    if "dimension" in silent and stored.target == read.target:
        yield "dimension", stored.dimension
    if "phones" not in silent:
        yield "phones", tuple(_kept_parts(stored.phones, read.phones, lambda phone: phone.number))
    if "hours" not in silent:
        yield "hours", tuple(_kept_parts(stored.hours, read.hours, written_hours))
    if "address" not in silent:
        unseen = tuple(place for place in stored.places if not written_place(place))
        yield "places", (*_kept_parts(stored.places, read.places, written_place), *unseen)


def _kept_parts(stored: Iterable[T], read: Iterable[T], written: Callable[[T], str]) -> Iterator[T]:
    """Each part that was read, or the stored ones that are written the same."""
    known: dict[str, list[T]] = {}
    for part in stored:
        known.setdefault(written(part), []).append(part)
    for part in read:
        same = known.get(written(part))
        yield same.pop(0) if same else part
