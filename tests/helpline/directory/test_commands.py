"""The two commands of the directory as a person meets them."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from helpline.models.directory import Service

DATA = Path(__file__).parents[2] / "data"
FOREIGN = DATA / "hsds-organization-full.json"

pytestmark = pytest.mark.django_db


def run(command: str, file: Path, **options: Any) -> list[str]:
    stdout = io.StringIO()
    with translation.override("en"):
        call_command(command, file, stdout=stdout, **options)
    return stdout.getvalue().splitlines()


def refused(command: str, file: Path, **options: Any) -> tuple[str, list[str]]:
    stdout = io.StringIO()
    with translation.override("en"), pytest.raises(CommandError) as caught:
        call_command(command, file, stdout=stdout, **options)
    assert caught.value.__context__ is None and caught.value.__cause__ is None
    return str(caught.value), stdout.getvalue().splitlines()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "directory.csv"
    path.write_text("organisation;name;target;areas\nEn förening;Linje;linje;SE\nEn förening;Annan;linje;1880\n")
    return path


def test_a_good_file_is_reported_in_one_line_and_a_second_time_as_there_already(table: Path) -> None:
    assert run("import_directory", table) == ["2 services read, 2 new, 0 changed, 0 there already"]
    assert run("import_directory", table) == ["2 services read, 0 new, 0 changed, 2 there already"]


def test_a_trial_run_says_so_and_changes_nothing(table: Path) -> None:
    assert run("import_directory", table, dry_run=True) == [
        "Trial run, nothing was changed. In earnest it would be:",
        "2 services read, 2 new, 0 changed, 0 there already",
    ]
    assert not Service.objects.exists()


def test_each_refusal_is_one_line_with_its_place(table: Path) -> None:
    table.write_text("organisation;name;target;areas\nEn förening;Linje;Kalle;Oslo\n")
    message, report = refused("import_directory", table)
    assert report[0].startswith("line 2, column target: This is no code of the list: choose one of kom_vbe, social")
    assert report[1].startswith("line 2, column areas: This is no area")
    assert message == "Nothing was stored: correct the file and import it again."
    assert "Kalle" not in str(report) and "Oslo" not in str(report)


def test_a_foreign_file_needs_a_target_and_each_field_that_is_left_out_is_named() -> None:
    message, report = refused("import_directory", FOREIGN)
    assert report[0].startswith("$.services[0]: This service has no referral target of ours")
    report = run("import_directory", FOREIGN, target="linje")
    assert report[0] == "Left out, because the directory has no place for it:"
    assert "  organizations[].services[].fees_description × 1" in report
    assert "Ann Persona" not in str(report)
    assert report[-1] == "1 services read, 1 new, 0 changed, 0 there already"


def test_a_target_that_does_not_exist_and_a_file_that_does_not_are_refused(table: Path) -> None:
    message, _ = refused("import_directory", table, target="Kalle")
    assert message.startswith("There is no such referral target; there are kom_vbe") and "Kalle" not in message
    assert refused("import_directory", table.with_name("none"))[0] == "No file of that name can be read."


def test_what_is_exported_can_be_imported_and_confidential_services_are_asked_for(table: Path, tmp_path: Path) -> None:
    run("import_directory", table)
    Service.objects.filter(name="Annan").update(is_confidential=True)
    for name in ("out.json", "out.CSV"):
        assert run("export_directory", tmp_path / name) == []
        assert run("import_directory", tmp_path / name)[-1] == "1 services read, 0 new, 0 changed, 1 there already"
        run("export_directory", tmp_path / name, with_confidential=True)
        assert run("import_directory", tmp_path / name)[-1] == "2 services read, 0 new, 0 changed, 2 there already"
    assert len(json.loads((tmp_path / "out.json").read_bytes())[0]["services"]) == 2


def test_another_ending_and_a_folder_that_is_not_there_are_refused(tmp_path: Path) -> None:
    assert refused("export_directory", tmp_path / "out.xml")[0] == "Give the file a name that ends in .json or .csv."
    assert refused("export_directory", tmp_path / "no" / "out.csv")[0].startswith("The file cannot be written: ")
