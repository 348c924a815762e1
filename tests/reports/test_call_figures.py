"""The figures of the calls, against a hand calculation from the rows of the pilot's file."""

import csv
from datetime import date, datetime
from fractions import Fraction

import pytest
from django.core.management import call_command
from django.utils import timezone

from helpline import openings
from helpline.opening import STOCKHOLM, Span, WeeklyHours
from helpline.traffic_file import Calls
from reports import call_figures, calls, freeze
from reports.periods import containing, parse
from tests.oracle import DATA, rows_of, within

TODAY = date(2017, 2, 1)
NOW = datetime(2017, 2, 1, 12, tzinfo=STOCKHOLM)


def pilot_rows(start: date, end: date) -> list[dict[str, str]]:
    with (DATA / "pilot-traffic.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if start.isoformat() <= row["day"] < end.isoformat()]


def total(rows: list[dict[str, str]], column: str) -> int:
    return sum(int(row[column]) for row in rows)


@pytest.fixture
def pilot(db) -> None:
    call_command("import_traffic", DATA / "pilot-traffic.csv")
    call_command("import_contacts", DATA / "pilot-year.csv")
    openings.set_hours(
        WeeklyHours(date(2015, 11, 16), ((Span(9 * 60, 15 * 60),),) * 5 + ((), ())), by=None, now=timezone.now()
    )


def test_the_answer_rate_of_the_pilot_is_that_of_a_hand_calculation():
    """663 attempts, 110 of them when closed and 63 abandoned within 10 seconds: 326 of 490 were answered, 66.5 %."""
    rows = pilot_rows(date(2015, 1, 1), date(2017, 1, 1))
    counts = Calls(*(total(rows, name) for name in Calls.__slots__))
    assert counts == Calls(663, 326, 63, 164, 110, 36)
    rate = call_figures.answer_rate(counts)
    assert (rate.part, rate.whole, rate.value) == (326, 490, Fraction(326, 490))
    assert round(float(rate.value), 3) == 0.665


@pytest.mark.parametrize("code", ["2015-11", "2016-02", "2016-Q1", "2016-W10", "2016-11"])
@pytest.mark.parametrize("is_frozen", [False, True], ids=["open", "frozen"])
def test_every_figure_of_a_period_is_that_of_a_recount_of_the_files(pilot, code, is_frozen):
    period = parse(code)
    if is_frozen:
        month = freeze.first_open_month()
        while month.start <= period.start:
            freeze.freeze_month(month, today=TODAY)
            month = freeze.first_open_month()
    page, rows = calls.read_calls(period, now=NOW), pilot_rows(period.start, period.end)
    contacts = within(rows_of(), period.start, period.end)
    in_vain = total(rows, "abandoned")
    assert (page.calls.offered, page.calls.closed) == (total(rows, "offered"), total(rows, "closed"))
    rate = call_figures.answer_rate(page.calls)
    assert (rate.part, rate.whole) == (total(rows, "answered"), total(rows, "answered") + in_vain)
    registration = call_figures.registration_rate(page.calls, page.contacts)
    assert (registration.part, registration.whole) == (len(contacts), total(rows, "answered"))
    assert page.relevant == sum(row["result"] == "relevant" for row in contacts)
    if page.grid is not None:
        by_hand: dict[tuple[int, int], int] = {}
        for row in rows:
            at = date.fromisoformat(row["day"]).weekday(), int(row["hour"])
            by_hand[at] = by_hand.get(at, 0) + int(row["closed"])
        assert {at: counts.closed for at, counts in page.grid.items()} == by_hand


def test_weeks_and_months_hold_their_own_calls_also_where_a_frozen_month_ends_within_a_week(pilot):
    freeze.freeze_month(parse("2015-11"), today=TODAY)
    page = calls.read_calls(parse("2015-12"), now=NOW)
    by_week = {one.period.code: one.calls.offered for one in page.weeks}
    week = containing("week", date(2015, 12, 1))
    assert week.start == date(2015, 11, 30)
    assert by_week[week.code] == total(pilot_rows(week.start, week.end), "offered")
    assert {one.period.code: one.calls.offered for one in page.months if one.calls.offered} == {
        code: total(pilot_rows(parse(code).start, parse(code).end), "offered") for code in ("2015-11", "2015-12")
    }


def test_open_days_and_hours_are_those_of_the_calendar_by_hand(pilot):
    """March 2016 has 23 weekdays, of which Good Friday and Easter Monday are holidays: 21 days of 6 hours."""
    page = calls.read_calls(parse("2016-03"), now=NOW)
    assert (page.open_days, page.open_minutes) == (21, 21 * 6 * 60)
    a_day = call_figures.per_open_day(page.relevant, page.open_days)
    an_hour = call_figures.per_open_hour(page.relevant, page.open_minutes)
    assert a_day.value == 6 * an_hour.value == Fraction(page.relevant, 21)


@pytest.mark.parametrize(
    ("hour", "days", "minutes"),
    [(0, 1, 360), (8, 1, 360), (10, 1 + Fraction(1, 6), 420), (12, Fraction(3, 2), 540), (18, 2, 720)],
)
def test_a_period_that_is_not_over_counts_of_today_what_has_passed_of_its_opening_hours(pilot, hour, days, minutes):
    """The second of March 2016 is open from nine to three, as the first was."""
    page = calls.read_calls(parse("2016-03"), now=datetime(2016, 3, 2, hour, tzinfo=STOCKHOLM))
    assert (page.open_days, page.open_minutes) == (days, minutes)
    assert call_figures.per_open_day(6, page.open_days).value == Fraction(6) / days


def test_a_grid_is_made_of_whole_months_that_are_over(pilot):
    assert calls.read_calls(parse("2016-W10"), now=NOW).grid is None
    assert calls.read_calls(parse("2016-03"), now=datetime(2016, 3, 31, 12, tzinfo=STOCKHOLM)).grid is None
    in_march = calls.read_calls(parse("2016-Q1"), now=datetime(2016, 3, 31, 12, tzinfo=STOCKHOLM)).grid
    rows = pilot_rows(date(2016, 1, 1), date(2016, 3, 1))
    assert sum(counts.offered for counts in in_march.values()) == total(rows, "offered")


def test_open_days_of_which_the_telephony_says_nothing_are_counted(pilot):
    page, rows = calls.read_calls(parse("2016-03"), now=NOW), pilot_rows(date(2016, 3, 1), date(2016, 4, 1))
    assert page.silent_days == 21 - len({row["day"] for row in rows if date.fromisoformat(row["day"]).weekday() < 5})


def test_a_rate_of_nothing_has_no_value():
    nobody = Calls(2, 0, 1, 0, 1, 0)
    assert call_figures.answer_rate(nobody).value is None
    assert call_figures.registration_rate(nobody, 3).value is None
    assert call_figures.per_open_day(3, 0).value is call_figures.per_open_hour(3, 0).value is None


def test_the_six_counting_units_have_names():
    assert list(call_figures.UNITS) == ["U1", "U2", "U3", "U4", "U5", "U6"]
