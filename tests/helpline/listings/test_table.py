"""The directory as a table there and back, and each way in which a hand can write it wrong."""

import csv
from dataclasses import replace
from datetime import date, time
from io import BytesIO, StringIO

import pytest
from hypothesis import given, settings
from openpyxl import Workbook

from helpline.exports import FORMULA
from helpline.listings import MIDNIGHT, Fault, Hours, OrganisationEntry, Phone, Place, Reading, table
from helpline.spreadsheet import Fault as TableFault
from tests.helpline.listings.strategies import directories


def read(*rows: str, header: str = "organisation;name;target", target: str = "") -> Reading:
    return table.read("\n".join([header, *rows]).encode(), target=target)


def refusals(*rows: str, header: str = "organisation;name;target") -> list[tuple[int, str, Fault]]:
    reading = read(*rows, header=header)
    assert bool(reading.findings) == (not reading.organisations)
    return [(finding.line, finding.column, finding.fault) for finding in reading.findings]


def as_in_a_table(organisation: OrganisationEntry) -> OrganisationEntry:
    """Without what has no column."""
    services = tuple(
        replace(
            service,
            places=tuple(Place(False, "", p.address, p.postal_code, p.city) for p in service.places),
            phones=tuple(Phone(phone.number) for phone in service.phones),
            hours=tuple(Hours(each.weekdays, each.opens, each.closes) for each in service.hours),
        )
        for service in organisation.services
    )
    return replace(organisation, id=None, description="", url="", services=services)


@settings(max_examples=40)
@given(directories())
def test_what_has_a_column_comes_back_as_it_was(directory: tuple[OrganisationEntry, ...]) -> None:
    reading = table.read(table.write(directory))
    with_rows = [as_in_a_table(organisation) for organisation in directory if organisation.services]
    assert list(reading.organisations) == with_rows
    assert [finding.fault for finding in reading.findings] == ([] if with_rows else [Fault.EMPTY])


@settings(max_examples=40)
@given(directories())
def test_no_cell_is_a_formula(directory: tuple[OrganisationEntry, ...]) -> None:
    text = StringIO(table.write(directory).decode("utf-8-sig"), newline="")
    cells = [cell for row in csv.reader(text, delimiter=";") for cell in row]
    assert not any(cell.lstrip("\"' ").startswith(FORMULA) and not cell.startswith("'") for cell in cells)
    assert len(cells) == len(table.COLUMNS) * (1 + sum(len(each.services) for each in directory))


def test_a_row_written_by_hand_is_read() -> None:
    header = "Organisation;Name;target;areas;phones;hours;languages;address;is_shared;agreement;agreement_until"
    row = (
        "En förening;Linje;linje;Örebro|12|180;019-1|019-2;mo-fr 9:00–15.30|SA,SU 10:00-24:00;sv|EN;"
        "Gatan 1, 702 10 Örebro;ja;projekt;2027-06-30"
    )
    organisation = read(row, header=header).organisations[0]
    service = organisation.services[0]
    assert (organisation.agreement, organisation.agreement_until) == ("projekt", date(2027, 6, 30))
    assert service.areas == ("0180", "12", "1880")
    assert service.phones == (Phone("019-1"), Phone("019-2"))
    assert service.hours == (Hours("MO,TU,WE,TH,FR", time(9), time(15, 30)), Hours("SA,SU", time(10), MIDNIGHT))
    assert (service.languages, service.is_shared) == (("en", "sv"), True)
    assert service.places == (Place(address="Gatan 1", postal_code="702 10", city="Örebro"),)


def test_a_workbook_is_read_too() -> None:
    book, content = Workbook(), BytesIO()
    book.active.append(["organisation", "name", "target", "areas"])
    book.active.append(["En förening", "Linje", "linje", 180])
    book.save(content)
    assert table.read(content.getvalue()).organisations[0].services[0].areas == ("0180",)


def test_rows_of_one_organisation_are_put_together_also_where_one_is_silent() -> None:
    reading = read("A;x;linje;", "A;y;linje;iop", header="organisation;name;target;agreement")
    assert [(each.agreement, len(each.services)) for each in reading.organisations] == [("iop", 2)]


def test_a_target_for_all_that_have_none() -> None:
    assert read("A;x;", target="polis").organisations[0].services[0].dimension == "praktisk"


@pytest.mark.parametrize(
    ("column", "cell", "fault"),
    [
        ("kind", "annan", Fault.NOT_A_CODE),
        ("target", "okand", Fault.NOT_A_CODE),
        ("dimension", "x", Fault.NOT_A_CODE),
        ("areas", "18|Oslo", Fault.NOT_AN_AREA),
        ("hours", "MO-FR", Fault.NOT_HOURS),
        ("hours", "FR-MO 09:00-15:00", Fault.NOT_HOURS),
        ("hours", "MO 22:00-06:00", Fault.NOT_HOURS),
        ("hours", "MO 25:00-26:00", Fault.NOT_HOURS),
        ("hours", "måndag 09:00-15:00", Fault.NOT_HOURS),
        ("languages", "svenska", Fault.NOT_A_LANGUAGE),
        ("url", "example.se", Fault.NOT_A_URL),
        ("url", "javascript:alert(1)", Fault.NOT_A_URL),
        ("alert", "x" * 301, Fault.TOO_LONG),
        ("phones", "1" * 41, Fault.TOO_LONG),
        ("phones", "|".join(["1"] * 41), Fault.TOO_MANY_PARTS),
        ("hours", "|".join(["MO 09:00-15:00"] * 41), Fault.TOO_MANY_PARTS),
        ("phones", "\u202e54321-80", Fault.INVISIBLE),
        ("url", "https://bank.example@evil.example", Fault.NOT_A_URL),
        ("address", "a;b", Fault.WRONG_TYPE),
        ("agreement", "hemlig", Fault.NOT_A_CODE),
        ("agreement_until", "30/6/2027", Fault.NOT_A_DAY),
        ("covers_exit", "kanske", Fault.NOT_A_CODE),
        ("is_active", "kanske", Fault.NOT_YES_OR_NO),
        ("assured_on", "2027-6-30", Fault.NOT_A_DAY),
        ("id", "7", Fault.NOT_AN_ID),
    ],
)
def test_a_refusal_names_line_and_column(column: str, cell: str, fault: Fault) -> None:
    row = {"organisation": "A", "name": "x", "target": "linje"} | {column: f'"{cell}"'}
    assert (2, column, fault) in refusals(";".join(row.values()), header=";".join(row))


def test_what_a_row_lacks_is_refused() -> None:
    assert refusals(";x;linje") == [(2, "organisation", Fault.MISSING)]
    assert refusals("A;;linje") == [(2, "name", Fault.MISSING)]
    assert refusals("A;x;") == [(2, "target", Fault.NEEDS_TARGET)]
    assert refusals("A;x;resurs;linje", header="organisation;name;kind;target") == [(2, "target", Fault.HAS_TARGET)]
    assert refusals("A;x;linje", "A;x;polis") == [(3, "", Fault.REPEATED)]
    assert refusals("A;x;linje;iop", "A;y;linje;avtal", header="organisation;name;target;agreement") == [
        (3, "", Fault.CONTRADICTS)
    ]


def test_what_stands_in_no_known_column_is_refused() -> None:
    assert refusals("A;x;linje;1", header="organisation;name;target;Telefon") == [(1, "D", Fault.UNKNOWN_COLUMN)]
    assert refusals("A;x;linje;1") == [(2, "D", Fault.NO_COLUMN)]


@pytest.mark.parametrize(
    ("content", "fault", "hint"),
    [
        (b"organisation;name\n", Fault.EMPTY, ""),
        (b"Hej", Fault.TABLE, TableFault.NOT_A_TABLE.name),
        (b"name;target\nx;y", Fault.TABLE, TableFault.COLUMN_MISSING.name),
        (b"\x00\x01", Fault.TABLE, TableFault.NOT_A_TABLE.name),
        (b"PK\x03\x04", Fault.TABLE, TableFault.NOT_A_TABLE.name),
        (b"organisation;name\n" + b"a;b\n" * 5_001, Fault.TOO_MANY, ""),
    ],
)
def test_a_file_that_is_no_directory_is_refused_as_a_whole(content: bytes, fault: Fault, hint: str) -> None:
    assert [(finding.fault, finding.hint) for finding in table.read(content).findings] == [(fault, hint)]
