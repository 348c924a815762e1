"""What the page says of the columns of a file is what the file's reader takes, column for column and code for code."""

import json
from collections.abc import Iterator
from datetime import date
from uuid import uuid4

import pytest
from django.utils import translation

from helpline import spreadsheet, traffic_file
from helpline.entries import Reason
from helpline.imports import columns, contacts
from helpline.imports.columns import Column
from helpline.imports.kinds import KINDS
from helpline.listings import Fault, hsds_reading, table
from helpline.spreadsheet import Unreadable

TODAY = date(2026, 11, 20)


def file_of(*names: str, **cells: str) -> bytes:
    return f"{';'.join(names)}\n{';'.join(cells.get(name, '') for name in names)}\n".encode()


def faults_of_contacts(content: bytes) -> set[str]:
    try:
        return {finding.reason.name for finding in contacts.read_contacts(content, today=TODAY).findings}
    except Unreadable as error:
        return {error.fault.name}


def faults_of_traffic(content: bytes) -> set[str]:
    try:
        return {finding.reason.name for finding in traffic_file.read_traffic(content, today=TODAY).findings}
    except Unreadable as error:
        return {error.fault.name}


def faults_of_directory(content: bytes) -> set[str]:
    return {finding.hint or finding.fault.name for finding in table.read(content).findings}


READERS = {"contacts": faults_of_contacts, "traffic": faults_of_traffic, "directory": faults_of_directory}
MISSING, UNKNOWN = spreadsheet.Fault.COLUMN_MISSING.name, "UNKNOWN_COLUMN"


@pytest.fixture(autouse=True, params=["sv", "en"])
def language(request) -> Iterator[None]:
    with translation.override(request.param):
        yield


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_that_is_named_is_taken_and_each_has_a_meaning_of_its_own(kind):
    said = KINDS[kind].columns()
    assert not READERS[kind](file_of(*(column.name for column in said))) & {MISSING, UNKNOWN}
    assert len({column.meaning for column in said}) == len(said)
    assert all(column.meaning.endswith(".") for column in said)


@pytest.mark.parametrize("kind", KINDS)
def test_exactly_the_columns_that_are_called_needed_are(kind):
    names = [column.name for column in KINDS[kind].columns()]
    for column in KINDS[kind].columns():
        without = file_of(*(name for name in names if name != column.name))
        assert (MISSING in READERS[kind](without)) == column.is_needed, column.name


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_that_is_not_named_is_refused(kind):
    names = [column.name for column in KINDS[kind].columns()]
    assert READERS[kind](file_of(*names, "note")) & {UNKNOWN, "COLUMN_UNKNOWN"}


def coded(of: tuple[Column, ...]) -> list[tuple[str, str]]:
    return [(column.name, code) for column in of for code in column.codes]


def test_every_code_that_is_named_is_one_of_the_contacts():
    for name, code in coded(columns.of_contacts()):
        content = file_of(*contacts.COLUMNS, **{"key": "a", "day": "2026-11-02", name: code})
        assert Reason.UNKNOWN.name not in faults_of_contacts(content), (name, code)
    wrong = file_of(*contacts.COLUMNS, key="a", day="2026-11-02", county="x")
    assert Reason.UNKNOWN.name in faults_of_contacts(wrong)


def test_every_code_that_is_named_is_one_of_the_directory():
    def faults(name: str, code: str) -> set[Fault]:
        return {finding.fault for finding in table.read(file_of(*table.COLUMNS, **{name: code})).findings}

    for name, code in coded(columns.of_directory()):
        assert not faults(name, code) & {Fault.NOT_A_CODE, Fault.NOT_YES_OR_NO}, (name, code)
    assert Fault.NOT_A_CODE in faults("kind", "x") and Fault.NOT_YES_OR_NO in faults("is_active", "x")


def test_what_is_said_to_be_needed_in_json_is_what_is_refused_without_it():
    service = {"id": str(uuid4()), "name": "a", "status": "active", "phones": [{"number": "112"}]}
    document = {"id": str(uuid4()), "name": "b", "services": [service]}

    def missing() -> list[str]:
        findings = hsds_reading.read(json.dumps([document]).encode(), target="linje").findings
        return [finding.path for finding in findings if finding.fault is Fault.MISSING]

    assert missing() == []
    for of, where, names in (
        (document, "$[0]", ("id", "name")),
        (service, "$[0].services[0]", ("id", "name", "status")),
        (service["phones"][0], "$[0].services[0].phones[0]", ("number",)),
    ):
        for name in names:
            value = of.pop(name)
            assert missing() == [f"{where}.{name}"]
            of[name] = value
