"""The command as a person meets it: what it prints, what it returns, what it never repeats."""

import io
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone, translation

from helpline.models import Contact, DaySeal

FILES = Path(__file__).parents[2] / "data"
YEAR, BROKEN = FILES / "pilot-year.csv", FILES / "pilot-year-broken.csv"
CELLS = ("Kalle", "070", "Ljusdal", "ringde", "radikal", "HYPERLINK", "17 år", "17 \ufffdr", "anteckning", "16/11/2015")
HEADER = "key,day,channel,result,county\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(file: Path, language: str = "en", stderr: io.StringIO | None = None, **options: Any) -> list[str]:
    """The lines of the report."""
    stdout = io.StringIO()
    with translation.override(language):
        call_command("import_contacts", file, stdout=stdout, stderr=stderr or io.StringIO(), **options)
    return stdout.getvalue().splitlines()


def refused(file: Path, **options: Any) -> tuple[str, list[str]]:
    """The refusal, which brings no other exception along, and the lines of the report before it."""
    stdout = io.StringIO()
    with translation.override("en"), pytest.raises(CommandError) as caught:
        call_command("import_contacts", file, stdout=stdout, stderr=io.StringIO(), **options)
    assert caught.value.__context__ is None and caught.value.__cause__ is None
    assert caught.value.returncode == 1
    return str(caught.value), stdout.getvalue().splitlines()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of one good row and two bad ones."""
    path = tmp_path / "contacts.csv"
    path.write_text(
        HEADER
        + "a,2016-01-04,telefon,relevant,01\n"
        + "b,2016-01-04,telefon,relevant,1\n"
        + "c,2016-01-04,telefon,relevant,Ljusdal\n"
    )
    return path


@pytest.mark.django_db
def test_a_good_file_is_reported_in_one_line_and_a_second_time_as_there_already():
    assert run(YEAR) == ["326 rows read, 326 contacts stored, 0 there already, 0 refused"]
    assert run(YEAR) == ["326 rows read, 0 contacts stored, 326 there already, 0 refused"]
    assert Contact.objects.count() == 326


@pytest.mark.django_db
def test_each_refusal_is_one_line_with_its_place_and_nothing_is_stored(file):
    message, report = refused(file)
    assert report == [
        "line 3, column county (E): This is no code of the list: did you mean 01?",
        "line 4, column county (E): This is no code of the list: choose one of the list’s codes.",
        "3 rows read, 0 contacts stored, 0 there already, 2 refused",
    ]
    assert message == "Nothing was stored: correct the refused rows, or leave them out with --skip-refused."
    assert not Contact.objects.exists()


@pytest.mark.django_db
def test_the_refused_rows_are_left_out_when_told_so_and_still_named(file):
    report = run(file, skip_refused=True)
    assert [line.partition(",")[0] for line in report[:2]] == ["line 3", "line 4"]
    assert report[2] == "3 rows read, 1 contacts stored, 0 there already, 2 refused"
    assert Contact.objects.count() == 1


@pytest.mark.django_db
def test_a_dry_run_says_that_nothing_was_changed_and_changes_nothing(file):
    report = run(file, skip_refused=True, dry_run=True)
    assert report[2:] == [
        "Trial run, nothing was changed. In earnest it would be:",
        "3 rows read, 1 contacts stored, 0 there already, 2 refused",
    ]
    assert refused(file, dry_run=True)[1][2:] == [
        "Trial run, nothing was changed. In earnest it would be:",
        "3 rows read, 0 contacts stored, 0 there already, 2 refused",
    ]
    assert not Contact.objects.exists()


@pytest.mark.django_db
def test_rows_of_frozen_months_are_told_in_one_line_also_in_a_dry_run(file):
    DaySeal.objects.create(day=date(2016, 1, 4))
    late = "1 row lies in a frozen month and counts in the open one."
    assert run(file, skip_refused=True, dry_run=True)[-1] == late
    assert run(file, skip_refused=True)[-1] == late
    assert late not in run(file, skip_refused=True)
    DaySeal.objects.bulk_create(DaySeal(day=date(2016, 6, day)) for day in range(1, 31))
    assert re.fullmatch(r"[0-9]+ rows lie in frozen months and count in the open one\.", run(YEAR)[-1])


@pytest.mark.django_db
def test_the_broken_copy_is_refused_by_place_and_no_cell_is_repeated():
    message, report = refused(BROKEN, skip_refused=True)
    assert message == "Nothing was stored: the file has columns that are unknown."
    # The day of line 6 lies ahead only until it comes.
    ahead = [6] if timezone.localdate().isoformat() < "2027-12-27" else []
    named = [int(found[1]) for line in report if (found := re.match(r"line (\d+), column \w+ \([A-Z]+\): ", line))]
    assert named == [1, 4, *ahead, 8, 10, 12, 18, 20, 22, 24, 26, 28, 30]
    assert report[0].startswith("line 1, column 29 (AC): ")
    assert report[-2].startswith("Columns that are read: key, day, channel,")
    assert report[-1] == f"40 rows read, 0 contacts stored, 0 there already, {len(named) - 1} refused"
    assert [cell for cell in CELLS if cell in message + "".join(report)] == []
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\x89PNG\r\n\x1a\n\0\0", "The file is no table of contacts"),
        (b"key,day,channel\n", "These columns are missing on line 1: result."),
        (b"key,day,channel,result,day\n", "Two columns are called day"),
        (HEADER.encode() + b'a,"Kalle', "A quotation mark on line 2 does not end"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "contacts.csv"
    path.write_bytes(content)
    message, report = refused(path)
    assert message.startswith(sentence)
    assert report == [] and "Kalle" not in message


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    assert refused(tmp_path / "missing.csv") == ("No file of that name can be read.", [])
    assert refused(tmp_path) == ("No file of that name can be read.", [])


@pytest.mark.django_db
def test_progress_is_shown_to_a_terminal_and_to_nobody_else(file):
    screen, pipe = Terminal(), io.StringIO()
    run(file, skip_refused=True, stderr=pipe)
    Contact.objects.all().delete()
    file.write_text(HEADER + "d,2016-01-04,telefon,relevant,01\ne,2016-01-04,telefon,relevant,01\n")
    run(file, stderr=screen)
    assert pipe.getvalue() == ""
    assert screen.getvalue() == "\r0 %\r100 %\n"


@pytest.mark.django_db
def test_the_report_speaks_swedish_unless_told_otherwise(file):
    assert settings.LANGUAGE_CODE == "sv"
    report = run(file, language=settings.LANGUAGE_CODE, skip_refused=True)
    assert report[0].startswith("rad 3, kolumn county (E): ")
    assert report[-1] == "3 rader lästa, 1 kontakter sparade, 0 fanns redan, 2 avvisade"


def test_the_program_ends_with_1_for_a_refused_file_and_0_else_and_never_with_a_traceback(tmp_path):
    environment = os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path}/contacts.sqlite3"}

    def manage(*words: str | Path) -> tuple[int, str]:
        command = [sys.executable, settings.BASE_DIR / "manage.py", *words]
        done = subprocess.run(command, env=environment, capture_output=True, timeout=120)
        return done.returncode, (done.stdout + done.stderr).decode(errors="replace")

    assert manage("migrate", "--verbosity=0")[0] == 0
    code, said = manage("import_contacts", BROKEN)
    assert code == 1
    assert "Traceback" not in said and [cell for cell in CELLS if cell in said] == []
    code, said = manage("import_contacts", YEAR)
    assert (code, said.count("326"), "Traceback" in said) == (0, 2, False)
