"""Contacts from a file: the pilot's year as it was kept, a broken copy of it, and each rule of the import by itself."""

import csv
import io
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from helpline import contacts, entries
from helpline.entries import Reason
from helpline.imports.contacts import (
    COLUMNS,
    Outcome,
    Reading,
    RowFinding,
    RowReason,
    explain_file,
    explain_row,
    import_contacts,
    read_contacts,
)
from helpline.models import Contact, DayMark, DaySeal, ImportedKey, Referral
from helpline.spreadsheet import Fault, Unreadable
from helpline.taxonomy import CODE_LISTS

FILES = Path(__file__).parents[2] / "data"
YEAR = (FILES / "pilot-year.csv").read_bytes()
BROKEN = (FILES / "pilot-year-broken.csv").read_bytes()
TODAY = date(2026, 3, 4)
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)

# What the broken file holds that no refusal may repeat.
CELLS = ("Kalle", "070", "Ljusdal", "ringde", "radikal", "HYPERLINK", "17 år", "anteckning", "16/11/2015", "2015-13-02")


def read(content: bytes) -> Reading:
    return read_contacts(content, today=TODAY)


def bring(content: bytes, **options: Any) -> Outcome:
    return import_contacts(read(content), now=NOW, today=TODAY, **options)


def table(*rows: dict[str, str], columns: tuple[str, ...] = ()) -> bytes:
    """A CSV of relevant phone calls on one day, each changed as told."""
    full = [
        {"key": f"row-{n}", "day": "2016-01-04", "channel": "telefon", "result": "relevant"} | r
        for n, r in enumerate(rows)
    ]
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, columns or tuple(dict.fromkeys(name for row in full for name in row)), restval="")
    writer.writeheader()
    writer.writerows(full)
    return stream.getvalue().encode()


def refusals(**cells: str) -> list[tuple[str, Reason | RowReason, str]]:
    """Why one row with these cells is refused: column, reason, hint."""
    return [(f.column, f.reason, f.hint) for f in read(table(cells)).findings]


def first_rows(count: int) -> bytes:
    """The pilot's year cut off after so many contacts."""
    return b"\n".join(YEAR.split(b"\n")[: 1 + count])


def stored_everything() -> list[list[tuple[Any, ...]]]:
    return [sorted(model.objects.values_list(), key=str) for model in (Contact, Referral, DayMark, ImportedKey)]


# --- the pilot's year ------------------------------------------------------------------------------------------------


def would_have_been_asked(column: str, row: dict[str, str]) -> bool:
    """The form's questions in plain words, written apart from the relevance table that the import uses."""
    if column in ("channel", "result", "length"):
        return True
    if row["result"] not in ("relevant", "info"):
        return False
    if column == "sector":
        return row["caller_role"] == "yrkes"
    if column in "caller_role caller_gender caller_adult actions awareness language language_support urgency".split():
        return True
    if row["result"] != "relevant":
        return False
    if column in ("age", "gender"):
        return row["relation"] != "ingen"
    if column in ("needs", "motivation", "plan"):
        return any(concern in row["concerns"].split("|") for concern in ("vill_ut", "aterfall", "dras_in", "aktiv"))
    return True


def dumb_reading(content: bytes) -> Counter[tuple[Any, ...]]:
    expected = []
    for row in csv.DictReader(io.StringIO(content.decode())):
        answers = []
        for column in COLUMNS[2:-1]:
            codes = row[column].split("|")
            if codes in ([""], ["ej_fragat"]):
                codes = ["ej_fragat" if would_have_been_asked(column, row) else "ej_till"]
            answers.append(frozenset(codes))
        referrals = set()
        for referral in filter(None, row["referrals"].split("|")):
            target, kind, outcome = referral.split(":")
            referrals.add((target, kind, outcome, kind == "formedling"))
        expected.append((row["day"], *answers, frozenset(referrals)))
    return Counter(expected)


def stored_contacts() -> Counter[tuple[Any, ...]]:
    found = []
    for contact in Contact.objects.all():
        answers = [getattr(contact, column) for column in COLUMNS[2:-1]]
        sets = [frozenset([answer]) if isinstance(answer, str) else answer for answer in answers]
        referrals = contact.referrals.values_list("target", "type", "outcome", "consent")
        found.append((contact.day.isoformat(), *sets, frozenset(referrals)))
    return Counter(found)


@pytest.mark.django_db
def test_every_answer_of_the_pilot_year_is_stored_as_the_file_has_it():
    outcome = bring(YEAR)
    assert (outcome.rows, outcome.stored, outcome.already, outcome.refused) == (326, 326, 0, 0)
    expected = dumb_reading(YEAR)
    assert stored_contacts() == expected
    assert sum(expected.values()) == 326
    assert Referral.objects.count() == YEAR.count(b":hanvisning:") + YEAR.count(b":formedling:") == 106
    assert set(DayMark.objects.values_list("day", flat=True)) == set(Contact.objects.values_list("day", flat=True))


@pytest.mark.django_db
def test_the_plain_reading_would_notice_one_changed_code():
    some = first_rows(30)
    bring(some.replace(b",hogerext,", b",vansterext,", 1))
    assert sum((stored_contacts() - dumb_reading(some)).values()) == 1


@pytest.mark.django_db
def test_a_second_import_changes_nothing_at_once_or_a_week_later():
    bring(YEAR)
    before = stored_everything()
    outcome = bring(YEAR)
    assert (outcome.rows, outcome.stored, outcome.already, outcome.refused) == (326, 0, 326, 0)
    assert stored_everything() == before

    later = NOW + timedelta(days=7)
    assert contacts.erase_traces(now=later, amend_hours=24) == 326
    before = stored_everything()
    outcome = import_contacts(read(YEAR), now=later, today=later.date())
    assert (outcome.stored, outcome.already) == (0, 326)
    assert stored_everything() == before


@pytest.mark.django_db
def test_a_second_import_takes_a_handful_of_queries_however_many_rows(django_assert_max_num_queries):
    reading = read(first_rows(100))
    with pytest.raises(pytest.fail.Exception), django_assert_max_num_queries(5):
        import_contacts(reading, now=NOW, today=TODAY)
    with django_assert_max_num_queries(5):
        assert import_contacts(reading, now=NOW, today=TODAY).already == 100


@pytest.mark.django_db
def test_what_came_from_a_file_was_logged_by_nobody():
    bring(first_rows(3))
    assert set(Contact.objects.values_list("logged_by", "logged_at")) == {(None, NOW)}


def as_workbook(content: bytes) -> bytes:
    """The same table as Excel would keep it: days as dates, what looks like a number as a number, counties as text."""
    book = Workbook()
    for row in csv.reader(io.StringIO(content.decode())):
        cells: list[Any] = [int(cell) if cell == "60" else cell or None for cell in row]
        if row[1][:2] == "20":
            cells[1] = date.fromisoformat(row[1])
        book.active.append(cells)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_the_same_year_as_xlsx_is_the_same_contacts():
    from_csv, from_xlsx = read(YEAR), read(as_workbook(YEAR))
    assert len(from_xlsx.good) == 326
    assert [(r.line, r.key, r.entry) for r in from_xlsx.good] == [(r.line, r.key, r.entry) for r in from_csv.good]
    assert from_xlsx.findings == ()


# --- the broken copy -------------------------------------------------------------------------------------------------

# By hand from the file: line, column, letter, reason, hint, earlier line.
REFUSED = [
    (1, "", "AC", RowReason.UNKNOWN_COLUMN, "", 0),  # a column of notes
    (4, "day", "B", Reason.NOT_A_DAY, "", 0),  # month 13
    (6, "day", "B", Reason.DAY_AHEAD, "", 0),  # December 2027
    (8, "concerns", "L", Reason.UNKNOWN, "", 0),  # a word of its own beside dras_in
    (10, "result", "D", Reason.MISSING, "", 0),
    (12, "county", "Q", Reason.UNKNOWN, "01", 0),  # 1
    (18, "key", "A", RowReason.KEY_IN_FILE, "", 17),  # the key of line 17 on another day
    (20, "caller_role", "F", Reason.UNKNOWN, "", 0),  # a name and a number
    (22, "age", "O", Reason.UNKNOWN, "", 0),  # an age in words
    (24, "concerns", "L", Reason.REPEATED, "", 0),  # dras_in twice
    (26, "barriers", "U", Reason.EXCLUSIVE, "", 0),  # inget beside stigma
    (28, "length", "E", Reason.UNKNOWN, "", 0),  # a formula
    (30, "day", "B", Reason.NOT_A_DAY, "", 0),  # day first
]


def without_notes(content: bytes) -> bytes:
    """The broken copy without its column of notes, so that its rows decide."""
    lines = content.decode("cp1252").split("\r\n")
    return "\r\n".join(line.rpartition(";")[0] for line in lines).encode("cp1252")


@pytest.mark.django_db
@pytest.mark.parametrize("skip_refused", [False, True])
def test_every_bad_row_of_the_broken_copy_is_named_and_nothing_is_stored(skip_refused):
    outcome = bring(BROKEN, skip_refused=skip_refused)
    found = [(f.line, f.column, f.letters, f.reason, f.hint, f.earlier_line) for f in outcome.findings]
    assert found == REFUSED
    assert (outcome.rows, outcome.stored, outcome.already, outcome.refused, outcome.whole) == (40, 0, 0, 12, True)
    assert stored_everything() == [[], [], [], []]


@pytest.mark.django_db
def test_without_the_unknown_column_the_good_rows_are_stored_when_told_to_skip():
    outcome = bring(without_notes(BROKEN))
    assert (outcome.stored, outcome.refused, outcome.whole) == (0, 12, True)
    assert not Contact.objects.exists()
    outcome = bring(without_notes(BROKEN), skip_refused=True)
    assert [finding.line for finding in outcome.findings] == [line for line, *_ in REFUSED[1:]]
    assert (outcome.rows, outcome.stored, outcome.refused, outcome.whole) == (40, 28, 12, False)
    assert Contact.objects.count() == ImportedKey.objects.count() == 28


@pytest.mark.parametrize("language", ["sv", "en"])
def test_no_refusal_repeats_a_cell(language):
    with translation.override(language):
        reading = read(BROKEN)
        told = repr(reading) + "".join(map(explain_row, reading.findings))
    assert [cell for cell in CELLS if cell in told] == []
    assert all(cell in BROKEN.decode("cp1252") for cell in CELLS)


# --- the rules, one by one -------------------------------------------------------------------------------------------


def test_several_codes_are_separated_by_a_bar_and_stray_bars_are_forgiven():
    (row,) = read(table({"concerns": "natet|hot"})).good
    assert row.entry.answers["concerns"] == {"natet", "hot"}
    assert refusals(concerns="|natet||hot|") == []
    assert refusals(concerns="natet,hot") == [("concerns", Reason.UNKNOWN, "")]


def test_blanks_and_letter_case_are_forgiven_but_not_spelling():
    (row,) = read(table({"channel": " TELEFON\u00a0", "day": " 2016-01-04 ", "concerns": "Natet | HOT"})).good
    assert (row.entry.code("channel"), row.entry.answers["concerns"]) == ("telefon", {"natet", "hot"})
    assert refusals(channel="tele fon") == [("channel", Reason.UNKNOWN, "")]


def test_an_empty_cell_is_not_asked_or_not_applicable_as_in_the_form():
    (relevant, silent) = read(table({"county": ""}, {"county": "", "result": "tyst"})).good
    assert (relevant.entry.code("county"), silent.entry.code("county")) == ("ej_fragat", "ej_till")


def test_a_column_that_is_left_out_is_an_empty_one():
    (row,) = read(b"key,day,channel,result\n1,2016-01-04,telefon,relevant\n").good
    assert (row.entry.code("county"), row.entry.answers["needs"]) == ("ej_fragat", {"ej_till"})


def test_an_answer_to_a_question_that_the_form_would_not_have_asked_is_kept():
    (row,) = read(table({"result": "tyst", "county": "01"})).good
    assert row.entry.code("county") == "01"


def test_a_referral_is_target_type_outcome():
    (row,) = read(table({"referrals": "Social:hanvisning:Vantar|polis:formedling:ej_uppf"})).good
    assert {(r.target, r.type, r.outcome) for r in row.entry.referrals} == {
        ("social", "hanvisning", "vantar"),
        ("polis", "formedling", "ej_uppf"),
    }


def test_a_referral_without_outcome_is_not_followed_up():
    read_entries = [
        row.entry for row in read(table(*({"referrals": f"polis:hanvisning{end}"} for end in ("", ":")))).good
    ]
    assert [entry.referrals[0].outcome for entry in read_entries] == ["ej_uppf", "ej_uppf"]


def test_arranged_contact_in_a_file_means_that_consent_was_given():
    for kind, consent in (("formedling", True), (" FORMEDLING ", True), ("hanvisning", False)):
        (row,) = read(table({"referrals": f"polis:{kind}"})).good
        assert row.entry.referrals[0].consent is consent


@pytest.mark.parametrize(
    "referral", ["polis", "polis:", ":hanvisning", "polis:hanvisning:vantar:ja", "polis hanvisning"]
)
def test_a_referral_of_another_shape_is_refused(referral):
    assert refusals(referrals=referral) == [("referrals", Reason.REFERRAL_SHAPE, "")]


@pytest.mark.parametrize(
    ("referral", "hint"),
    [("Kalle:hanvisning", ""), ("Polis:Hänvisning", "hanvisning"), ("polis:hanvisning:Väntar", "vantar")],
)
def test_an_unknown_code_in_a_referral_is_refused_with_a_hint(referral, hint):
    assert refusals(referrals=referral) == [("referrals", Reason.UNKNOWN, hint)]


def test_the_same_referral_twice_is_refused():
    assert refusals(referrals="polis:hanvisning|polis:hanvisning:vantar") == [
        ("referrals", Reason.REFERRAL_REPEATED, "")
    ]
    assert refusals(referrals="polis:hanvisning|polis:formedling") == []


def test_an_unknown_column_refuses_the_file_and_comes_together_with_the_rows_refusals():
    reading = read(table({"county": "1", "Kalle": "x"}, {"Kalle": "y"}))
    assert [(f.line, f.column, f.letters, f.reason) for f in reading.findings] == [
        (1, "", "F", RowReason.UNKNOWN_COLUMN),
        (2, "county", "E", Reason.UNKNOWN),
    ]


def test_a_cell_under_no_column_name_is_refused():
    header = b"key,day,channel,result\n"
    findings = read(header + b"1,2016-01-04,telefon,relevant,Kalle\n2,2016-01-04,telefon,relevant, \n").findings
    assert [(f.line, f.column, f.letters, f.reason) for f in findings] == [(2, "", "E", RowReason.NO_COLUMN)]


def test_an_unknown_code_is_refused_with_a_hint_where_one_is_meant():
    assert refusals(county="1") == [("county", Reason.UNKNOWN, "01")]
    assert refusals(county="skåne län") == [("county", Reason.UNKNOWN, "12")]
    assert refusals(county="Ljusdal") == [("county", Reason.UNKNOWN, "")]
    assert refusals(county="01") == []


def test_a_repeated_code_is_refused_also_in_another_spelling():
    assert refusals(concerns="natet| NATET ") == [("concerns", Reason.REPEATED, "")]
    assert refusals(concerns="natet|hot") == []


def test_an_exclusive_code_or_a_non_answer_beside_another_is_refused():
    assert refusals(barriers="inget|stigma") == [("barriers", Reason.EXCLUSIVE, "")]
    assert refusals(barriers="vet_ej|stigma") == [("barriers", Reason.EXCLUSIVE, "")]
    assert refusals(barriers="inget") == refusals(barriers="vet_ej") == []


def test_two_codes_where_one_fits_are_refused():
    assert refusals(county="01|03") == [("county", Reason.SINGLE, "")]


@pytest.mark.parametrize(
    "day", ["16/11/2015", "2015-13-02", "2015-02-29", "20151116", "2015-11-16 09:30", "42324", "Kalle"]
)
def test_a_day_that_is_not_iso_is_refused(day):
    assert refusals(day=day) == [("day", Reason.NOT_A_DAY, "")]
    assert refusals(day="2016-02-29") == []


def test_a_day_ahead_is_refused_and_today_is_not():
    assert refusals(day="2026-03-05") == [("day", Reason.DAY_AHEAD, "")]
    assert refusals(day="2026-03-04") == []


def test_a_code_must_hold_on_the_day_and_is_not_judged_by_another_where_the_day_is_unknown(monkeypatch):
    county = CODE_LISTS["county"]
    retired = county.codes | {"09": replace(county.codes["09"], retired_on=date(2020, 1, 1))}
    monkeypatch.setattr(entries, "CODE_LISTS", CODE_LISTS | {"county": replace(county, codes=retired)})
    assert refusals(day="2019-12-31", county="09") == []
    assert refusals(day="2020-01-01", county="09") == [("county", Reason.NOT_VALID_ON_DAY, "")]
    assert refusals(day="i går", county="09") == [("day", Reason.NOT_A_DAY, "")]


def test_any_past_day_is_taken_from_the_first_day_of_the_code_lists():
    assert refusals(day="2015-01-01") == []
    assert refusals(day="2014-12-31") == [("day", Reason.DAY_TOO_EARLY, "")]


@pytest.mark.parametrize("column", ["key", "day", "channel", "result"])
def test_what_every_contact_needs_is_missed_when_it_is_empty(column):
    assert refusals(**{column: "  "}) == [(column, Reason.MISSING, "")]


@pytest.mark.parametrize("column", ["key", "day", "channel", "result"])
def test_what_every_contact_needs_must_have_a_column(column):
    with pytest.raises(Unreadable) as caught:
        read(b",".join(name.encode() for name in ("key", "day", "channel", "result", "county") if name != column))
    assert (caught.value.fault, caught.value.columns) == (Fault.COLUMN_MISSING, (column,))


def test_every_refusal_of_a_row_is_told_at_once_in_the_order_of_its_columns():
    assert refusals(day="i går", county="1", concerns="Kalle|hot|Kajsa", barriers="inget|stigma") == [
        ("day", Reason.NOT_A_DAY, ""),
        ("county", Reason.UNKNOWN, "01"),
        ("concerns", Reason.UNKNOWN, ""),
        ("barriers", Reason.EXCLUSIVE, ""),
    ]


def test_a_formula_never_computed_is_refused_as_text_would_be():
    book = Workbook()
    book.active.append(["key", "day", "channel", "result", "county"])
    book.active.append(["1", "2016-01-04", "telefon", "relevant", '=HYPERLINK("x")'])
    stream = io.BytesIO()
    book.save(stream)
    assert [(f.line, f.column, f.reason) for f in read(stream.getvalue()).findings] == [(2, "county", Reason.UNKNOWN)]


def test_every_reason_has_a_sentence_in_both_languages():
    faults = [fault for fault in Fault if fault is not Fault.COLUMN_UNKNOWN]  # of closed tables only
    for language in ("sv", "en"):
        with translation.override(language):
            sentences = [explain_file(Unreadable(fault, line=3, columns=["day"])) for fault in faults]
            findings = [RowFinding(4, "key", 0, reason, earlier_line=3) for reason in RowReason]
            sentences += map(explain_row, [*findings, RowFinding(4, "key", 0, Reason.MISSING)])
        assert len(set(sentences)) == len(faults) + len(RowReason) + 1
        assert all(sentence.endswith(".") and "%(" not in sentence for sentence in sentences)


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_same_row_twice_is_one_contact():
    outcome = bring(table({"key": "a"}, {"key": " A ", "channel": "Telefon"}, {"key": "b"}))
    assert (outcome.rows, outcome.stored, outcome.already, outcome.refused) == (3, 2, 1, 0)
    assert Contact.objects.count() == 2


@pytest.mark.django_db
def test_the_same_key_with_other_content_is_refused_and_names_the_earlier_line():
    content = table({"key": "a"}, {"key": "b"}, {"key": "a", "county": "01"}, {"key": "a"})
    outcome = bring(content, skip_refused=True)
    assert [(f.line, f.column, f.reason, f.earlier_line) for f in outcome.findings] == [
        (4, "key", RowReason.KEY_IN_FILE, 2)
    ]
    assert (outcome.stored, outcome.already, outcome.refused) == (2, 1, 1)


def test_a_key_stays_taken_by_a_row_that_was_refused():
    reading = read(table({"key": "a", "county": "1"}, {"key": "a", "county": "01"}))
    assert [(f.line, f.reason, f.earlier_line) for f in reading.findings] == [
        (2, Reason.UNKNOWN, 0),
        (3, RowReason.KEY_IN_FILE, 2),
    ]


@pytest.mark.django_db
def test_a_key_imported_before_with_other_content_is_refused_and_the_rest_waits():
    bring(table({"key": "a"}))
    changed = table({"key": "b"}, {"key": "a", "county": "01"})
    outcome = bring(changed)
    assert [(f.line, f.column, f.reason) for f in outcome.findings] == [(3, "key", RowReason.KEY_IMPORTED)]
    assert (outcome.stored, outcome.whole, Contact.objects.count()) == (0, True, 1)
    outcome = bring(changed, skip_refused=True)
    assert (outcome.stored, outcome.refused, Contact.objects.count()) == (1, 1, 2)


# --- all or nothing --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_rows_of_frozen_months_are_stored_and_counted_apart():
    DaySeal.objects.bulk_create(DaySeal(day=date(2016, 1, day)) for day in range(1, 32))
    file = table({}, {"day": "2016-01-31"}, {"day": "2016-02-01"}, {"day": "2016-01-31", "county": "14"})
    assert bring(file, dry_run=True).late == 3
    done = bring(file)
    assert (done.stored, done.late) == (4, 3) and Contact.objects.filter(is_frozen=False).count() == 4
    assert bring(file).late == 0  # there already


@pytest.mark.django_db
def test_no_row_of_a_refused_file_is_called_late():
    DaySeal.objects.create(day=date(2016, 1, 4))
    assert bring(table({}, {"county": "Ljusdal"})).late == 0
    assert bring(table({}, {"county": "Ljusdal"}), skip_refused=True).late == 1


@pytest.mark.django_db
def test_a_dry_run_tells_the_same_and_stores_nothing():
    outcome = bring(first_rows(30), dry_run=True)
    assert stored_everything() == [[], [], [], []]
    assert outcome == bring(first_rows(30))
    assert Contact.objects.count() == 30


@pytest.mark.django_db
def test_an_error_in_the_middle_stores_nothing(monkeypatch):
    class Torn(Exception):
        pass

    def tear(*args: object) -> None:
        raise Torn

    monkeypatch.setattr(DayMark.objects, "bulk_create", tear)
    with pytest.raises(Torn):
        bring(first_rows(30))
    assert stored_everything() == [[], [], [], []]


@pytest.mark.django_db
def test_progress_is_told_of_what_is_new():
    bring(table({"key": "a"}))
    told: list[tuple[int, int]] = []
    bring(table({"key": "a"}, {"key": "b"}, {"key": "c"}), progress=lambda *step: told.append(step))
    assert told == [(0, 2), (2, 2)]


def bring_at_once(*contents: bytes) -> list[Outcome]:
    """Import the files from threads with connections of their own, begun at the same moment."""
    ready = threading.Barrier(len(contents))

    def bring_when_all_are_ready(content: bytes) -> Outcome:
        try:
            reading = read(content)
            connection.ensure_connection()
            ready.wait(30)
            return import_contacts(reading, now=NOW, today=TODAY)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(contents)) as pool:
        return list(pool.map(bring_when_all_are_ready, contents))


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_file_at_the_same_moment_are_one_set_of_contacts():
    year = first_rows(100)
    outcomes = bring_at_once(year, year)
    assert sorted((outcome.stored, outcome.already) for outcome in outcomes) == [(0, 100), (100, 0)]
    assert (Contact.objects.count(), ImportedKey.objects.count()) == (100, 100)
    days = set(Contact.objects.values_list("day", flat=True))
    assert sorted(DayMark.objects.values_list("day", flat=True)) == sorted(days)


@pytest.mark.django_db(transaction=True)
def test_two_imports_that_share_keys_in_opposite_order_both_end():
    header, *rows = first_rows(60).split(b"\n")
    outcomes = bring_at_once(b"\n".join([header, *rows[:40]]), b"\n".join([header, *reversed(rows[20:])]))
    assert sum(outcome.stored for outcome in outcomes) == Contact.objects.count() == 60
    assert sum(outcome.already for outcome in outcomes) == 20


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_different_files_at_the_same_moment_are_both_stored():
    header, *rows = first_rows(60).split(b"\n")
    outcomes = bring_at_once(b"\n".join([header, *rows[:30]]), b"\n".join([header, *rows[30:]]))
    assert [(outcome.stored, outcome.already) for outcome in outcomes] == [(30, 0), (30, 0)]
    assert Contact.objects.count() == 60


# --- whatever comes --------------------------------------------------------------------------------------------------

CODES = sorted({code for code_list in CODE_LISTS.values() for code in code_list.codes})
CELL = st.one_of(
    st.sampled_from(["", " ", "2016-01-04", "telefon", "relevant", "tyst", "1", "polis:formedling", "natet|hot"]),
    st.sampled_from(CODES),
    st.lists(st.sampled_from(CODES), max_size=3).map("|".join),
    st.text(max_size=10),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(CELL, min_size=4, max_size=len(COLUMNS) + 2), max_size=4))
def test_arbitrary_rows_are_read_or_refused_and_nothing_else(rows):
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([COLUMNS, *rows])
    try:
        reading = read(stream.getvalue().encode(errors="replace"))
    except Unreadable:
        return
    with translation.override("en"):
        sentences = [explain_row(finding) for finding in reading.findings]
    assert len(sentences) == len(reading.findings)
    refused = {finding.line for finding in reading.findings}
    assert len(reading.good) + reading.repeated + len(refused) == reading.rows


@given(st.text(st.characters(codec="utf-8", min_codepoint=0x100), min_size=4, max_size=20), st.sampled_from(COLUMNS))
def test_no_refusal_repeats_the_text_of_any_cell(text, column):
    reading = read(table({column: text, f"{text}s": text}))
    told = repr(reading) + "".join(map(explain_row, reading.findings))
    assert text.strip() not in told or not text.strip()
