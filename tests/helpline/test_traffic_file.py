"""What the telephony's file says: counts only, each refusal by its place, and no text of a cell anywhere."""

import csv
from datetime import date
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from helpline.spreadsheet import MOST_BYTES, Fault, Unreadable
from helpline.traffic_file import (
    COLUMNS,
    COUNTS,
    MOST_QUEUES,
    Calls,
    ClockHour,
    TrafficReason,
    queue_key,
    read_traffic,
    refused_queue,
)

TODAY = date(2026, 11, 2)
PILOT = Path(__file__).parent.parent / "data" / "pilot-traffic.csv"
ROW = {"day": "2026-03-02", "hour": "09", "queue": "020-100 200"} | dict.fromkeys(COUNTS, "0")
CALLER = "0701234567"


def written(*rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> bytes:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([(ROW | row).get(name, "") for name in columns] for row in rows)
    return text.getvalue().encode()


def reasons(*rows: dict[str, str]) -> list[tuple[int, str, TrafficReason]]:
    return [(f.line, f.column, f.reason) for f in read_traffic(written(*rows), today=TODAY).findings]


def test_the_pilot_is_read_whole():
    reading = read_traffic(PILOT.read_bytes(), today=TODAY)
    assert reading.rows == len(reading.hours) == 533 and not reading.findings
    assert {hour.queue for _, hour in reading.hours} == {"020-100 200"}
    assert sum(hour.calls.offered for _, hour in reading.hours) == 663


def test_a_spreadsheet_is_read_like_a_csv():
    book = Workbook()
    book.active.append(COLUMNS)
    book.active.append([date(2026, 3, 2), 9, "020-100 200", 3, 1, 0, 1, 1, 1])
    content = BytesIO()
    book.save(content)
    reading = read_traffic(content.getvalue(), today=TODAY)
    assert reading.hours == ((2, ClockHour(date(2026, 3, 2), 9, "020-100 200", Calls(3, 1, 0, 1, 1, 1))),)


@pytest.mark.parametrize("place", range(len(COLUMNS) + 1))
def test_any_other_column_refuses_the_file_before_its_rows_are_looked_at(place):
    columns = (*COLUMNS[:place], f"caller {CALLER}", *COLUMNS[place:])
    broken = written({}, columns=columns) + b'"a quotation mark that never ends'
    with pytest.raises(Unreadable) as refused:
        read_traffic(broken, today=TODAY)
    assert (refused.value.fault, refused.value.positions) == (Fault.COLUMN_UNKNOWN, (place,))
    assert CALLER not in repr(refused.value) + str(vars(refused.value))


def test_text_under_no_column_name_refuses_the_row():
    content = written({}).replace(b"0\r\n", f"0,{CALLER}\r\n".encode())
    reading = read_traffic(content, today=TODAY)
    assert [(f.line, f.position, f.reason) for f in reading.findings] == [(2, 9, TrafficReason.NO_COLUMN)]
    assert not reading.hours and CALLER not in repr(reading)


@pytest.mark.parametrize("missing", COLUMNS)
def test_a_missing_column_is_named(missing):
    with pytest.raises(Unreadable) as refused:
        read_traffic(written({}, columns=tuple(c for c in COLUMNS if c != missing)), today=TODAY)
    assert (refused.value.fault, refused.value.columns) == (Fault.COLUMN_MISSING, (missing,))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", Fault.EMPTY),
        (written(), Fault.EMPTY),
        (b"\x00\x01\x02", Fault.NOT_A_TABLE),
        (written({}) + b'"', Fault.BROKEN_QUOTE),
        (b"a" * (MOST_BYTES + 1), Fault.TOO_LARGE),
        (written(*[{}] * 20_001), Fault.TOO_MANY_ROWS),
        (b"PK\x03\x04 no archive", Fault.NOT_A_TABLE),
    ],
)
def test_empty_huge_and_broken_files_are_refused(content, fault):
    with pytest.raises(Unreadable) as refused:
        read_traffic(content, today=TODAY)
    assert refused.value.fault is fault


@pytest.mark.parametrize(
    ("changed", "column", "reason"),
    [
        ({"day": "2 mars"}, "day", TrafficReason.NOT_A_DAY),
        ({"day": ""}, "day", TrafficReason.NOT_A_DAY),
        ({"day": "2026-11-03"}, "day", TrafficReason.DAY_AHEAD),
        ({"day": "2014-12-31"}, "day", TrafficReason.DAY_TOO_EARLY),
        ({"hour": "24"}, "hour", TrafficReason.NOT_AN_HOUR),
        ({"hour": "14:32"}, "hour", TrafficReason.NOT_AN_HOUR),
        ({"hour": "-1"}, "hour", TrafficReason.NOT_AN_HOUR),
        ({"day": "2026-03-29", "hour": "2"}, "hour", TrafficReason.NO_SUCH_HOUR),
        ({"queue": ""}, "queue", TrafficReason.NOT_A_QUEUE),
        ({"queue": "a@b.se"}, "queue", TrafficReason.NOT_A_QUEUE),
        ({"queue": "q" * 33}, "queue", TrafficReason.NOT_A_QUEUE),
        ({"queue": "070-123 45 67"}, "queue", TrafficReason.QUEUE_MAY_BE_A_NUMBER),
        ({"offered": CALLER}, "offered", TrafficReason.NOT_A_COUNT),
        ({"closed": ""}, "closed", TrafficReason.NOT_A_COUNT),
        ({"closed": "-1"}, "closed", TrafficReason.NOT_A_COUNT),
        ({"closed": "1.5"}, "closed", TrafficReason.NOT_A_COUNT),
        ({"offered": "1"}, "offered", TrafficReason.DO_NOT_ADD_UP),
        ({"offered": "1", "answered": "1", "voicemail": "1"}, "voicemail", TrafficReason.TOO_MUCH_VOICEMAIL),
    ],
)
def test_each_fault_of_a_row_is_named_by_line_and_column(changed, column, reason):
    assert reasons({}, changed) == [(3, column, reason)]


def test_an_hour_that_stands_twice_is_refused_naming_both_lines():
    (finding,) = read_traffic(written({}, {"hour": "10"}, {"hour": "9"}), today=TODAY).findings
    assert (finding.line, finding.earlier_line, finding.reason) == (4, 2, TrafficReason.REPEATED)


def test_two_spellings_of_a_queue_are_one_queue():
    assert reasons({}, {"queue": "020 100200"}) == [(3, "hour", TrafficReason.REPEATED)]
    reading = read_traffic(written({}, {"queue": "020 100200", "hour": "10"}), today=TODAY)
    assert {hour.queue for _, hour in reading.hours} == {"020-100 200"}


def test_on_the_long_day_the_second_row_of_the_hour_from_two_is_its_second_hour():
    night = {"day": "2026-10-25", "hour": "02"}
    first, second = night | {"offered": "1", "closed": "1"}, night | {"offered": "2", "closed": "2"}
    reading = read_traffic(written(first, second), today=TODAY)
    assert [(hour.is_second, hour.calls.offered) for _, hour in reading.hours] == [(False, 1), (True, 2)]
    assert reasons(first, second, first) == [(4, "hour", TrafficReason.REPEATED)]
    assert reasons(night | {"hour": "3"}, night | {"hour": "3"}) == [(3, "hour", TrafficReason.REPEATED)]


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-03-02"])
def test_a_file_can_say_every_hour_that_a_day_has(day):
    from helpline.opening import clock_hours

    hours = clock_hours(date.fromisoformat(day))
    reading = read_traffic(written(*({"day": day, "hour": str(hour)} for hour, _ in hours)), today=TODAY)
    assert [(hour.hour, hour.is_second) for _, hour in reading.hours] == list(hours) and not reading.findings


@pytest.mark.parametrize("queue", ["020-100 200", "0771-23 45 67", "116 123", "Arabiska", "Kö 1", "Linje 2 kväll"])
def test_names_and_numbers_that_nobody_calls_from_are_queues(queue):
    assert refused_queue(queue) is None


@pytest.mark.parametrize(
    "queue", [CALLER, "+46701234567", "08-123 456", "46 70 123 45 67", "Anna 0701234567", "12345", "020100200 Anna"]
)
def test_what_may_be_a_callers_number_is_none(queue):
    assert refused_queue(queue) in (TrafficReason.QUEUE_MAY_BE_A_NUMBER, TrafficReason.NOT_A_QUEUE)


def test_more_queues_than_a_line_has_are_refused():
    rows = [{"queue": f"Line {number}"} for number in range(MOST_QUEUES + 1)]
    assert reasons(*rows) == [(MOST_QUEUES + 2, "queue", TrafficReason.TOO_MANY_QUEUES)]
    assert not reasons(*rows[:-1])


def test_queues_share_a_key_when_they_differ_in_case_and_marks_only():
    assert queue_key("Kö-1") == queue_key("kö 1") != queue_key("kö 2")


@pytest.mark.parametrize("counts", [(1, 0, 0, 0, 0, 0), (1, 1, 0, 0, 0, 1), (1, 0, 1, 0, 0, 1)])
def test_calls_that_do_not_add_up_cannot_be_made(counts):
    with pytest.raises(ValueError):
        Calls(*counts)


def test_an_hour_that_a_day_lacks_cannot_be_made():
    with pytest.raises(ValueError):
        ClockHour(date(2026, 3, 29), 2, "Main", Calls(0, 0, 0, 0, 0, 0))


@given(st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20))
def test_no_text_of_a_cell_is_repeated(text):
    secret = f"{text} 0709998877"
    for column in COLUMNS:
        reading = read_traffic(written({column: secret}), today=TODAY)
        assert reading.findings and "0709998877" not in repr(reading)
