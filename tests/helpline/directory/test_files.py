"""The door of the directory: what a file changes, what it leaves as it is, and that a refusal changes nothing."""

import json
import unicodedata
from dataclasses import replace
from datetime import time
from pathlib import Path
from threading import Event
from time import sleep
from uuid import UUID

import pytest
from django.db import DatabaseError
from django.utils import timezone, translation

from helpline import directory
from helpline.directory import files
from helpline.directory.entries import entries, service_entry, state
from helpline.directory.files import CSV, JSON, export_directory, import_directory, read_directory
from helpline.directory.wording import explain, explain_place
from helpline.listings import (
    Fault,
    Finding,
    Hours,
    OrganisationEntry,
    Phone,
    Place,
    Reading,
    ServiceEntry,
    aimed,
)
from helpline.models.directory import Organisation, Service, ServiceUse
from helpline.models.directory import Phone as PhoneRow
from helpline.spreadsheet import Fault as TableFault
from tests import listed
from tests.at_once import at_once
from tests.helpline.directory.test_directory import IMPOSSIBLE
from tests.helpline.listings.test_hsds import FOREIGN, faults_of_schema

RECEIVERS = (Path(files.__file__).parents[1] / "data" / "receivers.json").read_bytes()
ONE, TWO, HOME = (UUID(f"00000000-0000-4000-8000-00000000000{number}") for number in (1, 2, 9))

pytestmark = pytest.mark.django_db


def service(id_: UUID | None = ONE, name: str = "Linje", **fields: object) -> ServiceEntry:
    return aimed(ServiceEntry(id=id_, name=name, **fields), "linje")


def home(*services: ServiceEntry, **fields: object) -> OrganisationEntry:
    return OrganisationEntry(**{"id": HOME, "name": "En förening", "services": services} | fields)


def store(*organisations: OrganisationEntry) -> files.Outcome:
    return import_directory(Reading(organisations))


def store_table(text: str) -> files.Outcome:
    return import_directory(read_directory(text.encode()))


def counts(outcome: files.Outcome) -> tuple[int, int, int, int]:
    return outcome.services, outcome.new, outcome.changed, outcome.already


# --- there and back --------------------------------------------------------------------------------------------------


def test_the_start_set_survives_the_database_and_a_second_import_changes_nothing() -> None:
    first = import_directory(read_directory(RECEIVERS))
    n = first.services
    assert 40 <= n and counts(first) == (n, n, 0, 0) and first.left_out == ()
    assert counts(import_directory(read_directory(RECEIVERS))) == (n, 0, 0, n)
    exported = export_directory(JSON)
    assert faults_of_schema(json.loads(exported)) == []
    assert sorted(map(repr, read_directory(exported).organisations)) == sorted(map(repr, entries()))
    before = entries()
    Organisation.objects.all().delete()
    import_directory(read_directory(exported))
    assert entries() == before
    assert export_directory(JSON) == exported


def test_a_table_changes_nothing_where_nothing_was_edited() -> None:
    import_directory(read_directory(RECEIVERS))
    before = entries()
    outcome = import_directory(read_directory(export_directory(CSV)))
    assert counts(outcome) == (outcome.services, 0, 0, outcome.services)
    assert entries() == before


def test_a_foreign_organization_survives_the_database() -> None:
    reading = read_directory(json.dumps(FOREIGN).encode(), target="linje")
    outcome = import_directory(reading)
    assert counts(outcome) == (1, 1, 0, 0) and len(outcome.left_out) > 100
    assert entries() == reading.organisations


# --- what a file changes ---------------------------------------------------------------------------------------------


def test_the_same_id_is_the_same_service_and_what_is_not_in_the_file_stays() -> None:
    store(home(service(ONE, phones=(Phone("1"), Phone("2"))), service(TWO, "Annan")))
    outcome = store(home(service(ONE, "Nytt namn", phones=(Phone("3"),), areas=("18",))))
    assert counts(outcome) == (1, 0, 1, 0)
    assert [(each.name, len(each.phones)) for each in entries()[0].services] == [("Annan", 0), ("Nytt namn", 1)]
    assert PhoneRow.objects.count() == 1


def test_the_counter_of_use_stays_with_a_service_that_is_changed() -> None:
    store(home(service()))
    ServiceUse.objects.create(service_id=ONE, quarter="2026-01-01", n=7)
    store(home(service(name="Nytt namn")))
    assert ServiceUse.objects.get().n == 7


def test_an_entry_without_a_known_id_is_that_of_its_name() -> None:
    store(home(service(ONE)))
    outcome = store(home(service(TWO, alert="Ny"), id=TWO))
    assert counts(outcome) == (1, 0, 1, 0)
    assert [(each.id, each.services[0].id) for each in entries()] == [(HOME, ONE)]


def test_a_table_leaves_what_has_no_column_as_it_is() -> None:
    full = service(
        phones=(Phone("1", "7", "Växel"), Phone("2")),
        hours=(Hours("MO", time(9), time(15), description="Sommar"),),
        places=(Place(is_virtual=True), Place(name="Huset", address="Gatan 1")),
        alert="Viktigt",
        is_shared=True,
        is_confidential=True,
    )
    store(home(full, description="Vi", url="https://example.se", agreement="iop"))
    outcome = store_table(
        f"id;organisation;name;target;phones;hours;address\n{ONE};En förening;Linje;linje;3|1;MO 09:00-15:00;Gatan 1\n"
    )
    assert counts(outcome) == (1, 0, 1, 0)
    expected = replace(full, phones=(Phone("3"), Phone("1", "7", "Växel")))
    assert entries() == (home(expected, description="Vi", url="https://example.se", agreement="iop"),)


def test_two_services_can_change_names_with_each_other_and_organisations_too() -> None:
    store(home(service(ONE, "a"), service(TWO, "b")), home(id=TWO, name="Två"))
    store(home(service(ONE, "b"), service(TWO, "a"), name="Två"), home(id=TWO, name="En förening"))
    assert {(each.name, each.id) for each in entries()} == {("Två", HOME), ("En förening", TWO)}
    assert {(each.name, each.id) for _, each in files._pairs(entries())} == {("b", ONE), ("a", TWO)}


def test_a_service_moves_to_another_organisation() -> None:
    store(home(service(ONE)))
    store(home(service(ONE), id=TWO, name="Två"))
    assert Service.objects.get().organisation_id == TWO


def test_a_name_that_another_entry_keeps_is_refused() -> None:
    store(home(service(ONE, "a"), service(TWO, "b")))
    outcome = store(home(service(ONE, "b")))
    assert (outcome.whole, outcome.findings) == (True, (Finding(Fault.NAME_TAKEN, hint="b"),))
    assert {each.name for each in Service.objects.all()} == {"a", "b"}


def test_two_entries_of_a_file_that_are_one_in_the_directory_are_refused() -> None:
    store(home(service(ONE, "a")))
    outcome = store(home(service(ONE, "c"), service(None, "a")))
    assert Finding(Fault.NAME_TAKEN, hint="a") in outcome.findings
    assert Service.objects.get().name == "a"


def test_a_table_and_what_it_leaves_as_it_is_are_no_more_than_a_service_may_have() -> None:
    store(home(service(ONE, places=tuple(Place(name=f"Hus {n}") for n in range(40)))))
    said = f"id;organisation;name;target;address\n{ONE};En förening;Linje;linje;"
    assert counts(store_table(f"{said}\n")) == (1, 0, 0, 1)
    assert store_table(f"{said}Gatan 1\n").findings == (Finding(Fault.TOO_MANY_PARTS, column="places", hint="40"),)


def test_a_name_in_pieces_is_no_second_organisation() -> None:
    store_table("organisation;name;target\nRädda;x;linje\n")
    outcome = store_table(unicodedata.normalize("NFD", "organisation;name;target\nRädda;x;linje\n"))
    assert counts(outcome) == (1, 0, 0, 1) and Organisation.objects.count() == 1


# --- all or nothing --------------------------------------------------------------------------------------------------


def test_a_trial_run_counts_and_changes_nothing() -> None:
    store(home(service(ONE)))
    reading = Reading((home(service(ONE, alert="Ny"), service(TWO, "Annan")),))
    assert counts(import_directory(reading, dry_run=True)) == (2, 1, 1, 0)
    assert entries() == (home(service(ONE)),)
    assert counts(import_directory(reading)) == (2, 1, 1, 0)


@pytest.mark.parametrize(
    "content", [b"", b"  ", b"{", b"[]", b"Hej", b"organisation;name;target\nA;x;linje\nA;y;okand\n"]
)
def test_a_refused_file_changes_nothing(content: bytes) -> None:
    outcome = import_directory(read_directory(content))
    assert outcome.whole and outcome.findings and counts(outcome) == (0, 0, 0, 0)
    assert not Organisation.objects.exists()


@pytest.mark.parametrize("wrong", IMPOSSIBLE)
def test_what_is_refused_by_hand_is_refused_in_a_file_too(wrong: str) -> None:
    outcome = store(home(replace(service(), **IMPOSSIBLE[wrong])))
    (finding,) = outcome.findings
    assert outcome.whole and wrong.startswith(finding.column) and explain(finding)
    assert not Organisation.objects.exists()


def test_a_failure_of_the_database_takes_everything_back(monkeypatch: pytest.MonkeyPatch) -> None:
    store(home(service(ONE)))
    whole = directory.part_rows

    def broken(entry: ServiceEntry) -> object:
        yield from whole(entry)
        raise DatabaseError

    monkeypatch.setattr(directory, "part_rows", broken)
    with pytest.raises(DatabaseError):
        store(home(service(ONE, "Nytt namn"), description="Ny"))
    assert entries() == (home(service(ONE)),)


@pytest.mark.django_db(transaction=True)
def test_what_is_changed_by_hand_while_a_file_is_stored_is_not_overwritten_unseen(monkeypatch) -> None:
    store(home(service(ONE, alert="before")))
    entry, by = service_entry(Service.objects.get()), listed.coordinator()
    how = {"of": HOME, "seen": state(entry, of=HOME), "by": by, "now": timezone.now()}
    is_read, look = Event(), files._taken_names

    def look_slowly(*known: object) -> object:
        is_read.set()
        sleep(0.5)
        return look(*known)

    def by_hand() -> object:
        is_read.wait(10)
        return directory.save_service(replace(entry, alert="by hand"), **how)

    monkeypatch.setattr(files, "_taken_names", look_slowly)
    outcomes = at_once(lambda: store(home(service(ONE, alert="file"))), by_hand)
    assert {type(outcome) for outcome in outcomes} == {files.Outcome, directory.Overtaken}
    assert Service.objects.get().alert == "file"


# --- what leaves the helpline ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [JSON, CSV])
def test_confidential_services_leave_only_when_asked_for_and_so_does_who_has_no_others(kind: str) -> None:
    secret = home(service(TWO, "Hemlig linje", is_confidential=True), id=TWO, name="Hemligt hus")
    store(home(service(ONE), service(None, "Hemlig sida", is_confidential=True)), secret)
    told = export_directory(kind).decode()
    assert "Linje" in told and "Heml" not in told
    everything = export_directory(kind, include_confidential=True)
    assert all(name in everything.decode() for name in ("Hemlig linje", "Hemlig sida", "Hemligt hus"))
    before = entries()
    import_directory(read_directory(told.encode()))
    assert entries() == before


def test_an_organisation_without_services_is_in_the_document() -> None:
    store(home())
    assert read_directory(export_directory(JSON)).organisations == (home(),)


def test_the_export_takes_as_many_queries_for_many_services_as_for_one(django_assert_num_queries) -> None:
    store(home(service(ONE)))
    with django_assert_num_queries(7):
        export_directory(JSON)
    import_directory(read_directory(RECEIVERS))
    with django_assert_num_queries(7):
        export_directory(JSON)


# --- wording ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.TABLE])
def test_every_refusal_has_a_sentence(fault: Fault) -> None:
    with translation.override("en"):
        assert explain(Finding(fault, hint="social")).endswith((".", "social."))


# No unknown column refuses a table of the directory.
@pytest.mark.parametrize("fault", [fault for fault in TableFault if fault is not TableFault.COLUMN_UNKNOWN])
def test_every_refusal_of_a_table_has_a_sentence(fault: TableFault) -> None:
    assert explain(Finding(Fault.TABLE, line=1, column="name", hint=fault.name))


def test_a_place_is_a_path_or_a_line_and_a_column_or_nothing() -> None:
    with translation.override("en"):
        places = [Finding(Fault.MISSING, path="$[0].name"), Finding(Fault.MISSING, line=2, column="name")]
        assert [explain_place(each) for each in (*places, Finding(Fault.REPEATED, line=3), Finding(Fault.EMPTY))] == [
            *("$[0].name", "line 2, column name"),
            *("line 3", ""),
        ]
