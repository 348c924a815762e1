"""Periods: each kind tiles the calendar, codes lead back to their period, and the nesting has no gap."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.periods import KINDS, MONTHS, PILOT, Period, containing, parse, pilot_between

days = st.dates(date(1901, 1, 1), date(2998, 12, 31))
kinds = st.sampled_from(KINDS)
kinds_of_months = st.sampled_from(tuple(MONTHS))


@given(kinds, days)
def test_the_periods_of_a_kind_tile_the_calendar(kind, day):
    period = containing(kind, day)
    assert period.start <= day < period.end
    assert period.previous().end == period.start
    assert period.next().start == period.end
    assert period.next().previous() == period


@given(kinds, days)
def test_a_code_leads_back_to_its_period(kind, day):
    period = containing(kind, day)
    assert parse(period.code) == period


@given(kinds, days)
def test_every_day_of_a_period_leads_to_that_period_and_no_other_day_does(kind, day):
    period = containing(kind, day)
    assert all(containing(kind, inside) == period for inside in period.days())
    assert containing(kind, period.end) != period
    assert containing(kind, period.start - timedelta(days=1)) != period


@given(kinds_of_months, days)
def test_the_months_of_a_period_tile_it(kind, day):
    period = containing(kind, day)
    months = period.months()
    assert len(months) == MONTHS[kind]
    assert [d for month in months for d in month.days()] == list(period.days())


@given(days)
def test_month_quarter_half_year_and_year_are_nested(day):
    month, quarter, half_year, year = (containing(kind, day) for kind in MONTHS)
    assert month in quarter.months()
    assert set(quarter.months()) < set(half_year.months()) < set(year.months())


@pytest.mark.parametrize(
    ("code", "start", "end"),
    [
        ("2026-W47", date(2026, 11, 16), date(2026, 11, 23)),
        ("2026-W53", date(2026, 12, 28), date(2027, 1, 4)),
        ("2027-W01", date(2027, 1, 4), date(2027, 1, 11)),
        ("2020-W53", date(2020, 12, 28), date(2021, 1, 4)),
        ("2025-W01", date(2024, 12, 30), date(2025, 1, 6)),
        ("2026-11", date(2026, 11, 1), date(2026, 12, 1)),
        ("2024-02", date(2024, 2, 1), date(2024, 3, 1)),
        ("2026-Q4", date(2026, 10, 1), date(2027, 1, 1)),
        ("2026-H2", date(2026, 7, 1), date(2027, 1, 1)),
        ("2026", date(2026, 1, 1), date(2027, 1, 1)),
    ],
)
def test_a_code_names_its_days(code, start, end):
    period = parse(code)
    assert (period.start, period.end, period.code) == (start, end, code)


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (date(2021, 1, 3), "2020-W53"),
        (date(2021, 1, 4), "2021-W01"),
        (date(2024, 12, 29), "2024-W52"),
        (date(2024, 12, 30), "2025-W01"),
        (date(2015, 11, 16), "2015-W47"),
    ],
)
def test_a_day_at_the_turn_of_the_year_lies_in_its_iso_week(day, code):
    assert containing("week", day).code == code


@pytest.mark.parametrize(
    "code",
    "2026-W54 2026-W00 2025-W53 2026-13 2026-00 2026-Q0 2026-Q5 2026-H3 2026-H0 2026-W4 2026-1 26-01 2026-w47 "
    "2026-W47x 2026-11\n 2026- 1899 3000 9999-12 0000 ٢٠٢٦ -2026 2026-11-01 pilot".split(" ")
    + [""],
)
def test_anything_else_is_refused_with_a_sentence(code):
    with pytest.raises(ValueError, match="No such period. Write it as 2026-W47"):
        parse(code)


@given(st.text(max_size=12))
def test_no_text_whatever_raises_anything_but_that_sentence(text):
    try:
        assert parse(text).code == text
    except ValueError as refusal:
        assert str(refusal).startswith("No such period.")


@pytest.mark.parametrize(
    ("kind", "start", "end"),
    [
        ("month", date(2026, 11, 2), date(2026, 12, 1)),
        ("month", date(2026, 11, 1), date(2026, 11, 30)),
        ("week", date(2026, 11, 17), date(2026, 11, 24)),
        ("quarter", date(2026, 11, 1), date(2027, 2, 1)),
    ],
)
def test_a_span_that_is_no_whole_period_cannot_be_made(kind, start, end):
    with pytest.raises(ValueError, match="is not a whole"):
        Period(kind, start, end)


def test_a_kind_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="no kind of period"):
        containing("fortnight", date(2026, 11, 1))
    with pytest.raises(ValueError, match="no kind of period"):
        Period("fortnight", date(2026, 11, 1), date(2026, 11, 15))


def test_the_calendar_ends_where_its_codes_end():
    with pytest.raises(ValueError, match="outside the years"):
        parse("2999").next()
    with pytest.raises(ValueError, match="outside the years"):
        parse("1900").previous()


def test_a_week_has_no_months():
    with pytest.raises(ValueError, match="not made of months"):
        parse("2026-W47").months()


@pytest.mark.parametrize(
    ("code", "swedish", "english"),
    [
        ("2026-W07", "v. 7 2026", "week 7, 2026"),
        ("2025-W01", "v. 1 2025", "week 1, 2025"),
        ("2026-11", "november 2026", "November 2026"),
        ("2026-Q4", "kvartal 4 2026", "quarter 4, 2026"),
        ("2026-H2", "halvår 2 2026", "half-year 2, 2026"),
        ("2026", "2026", "2026"),
    ],
)
def test_a_period_has_a_name_in_both_languages(code, swedish, english):
    assert parse(code).label("sv") == swedish
    assert parse(code).label("en") == english


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [("2015-11-01", "2016-11-30", 13), ("2026-02-01", "2027-01-31", 12), ("2026-01-01", "2027-12-31", 24)],
)
def test_a_pilot_is_a_year_or_more_of_whole_months(first, last, months):
    pilot = pilot_between(first, last)
    assert pilot.kind == PILOT and len(pilot.months()) == months
    assert (pilot.start.isoformat(), max(pilot.days()).isoformat()) == (first, last)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-09", "2027-09-30"),
        ("", "2027-09-30"),
        ("2026-09-01", ""),
        ("2026-09-02", "2027-09-30"),
        ("2026-09-01", "2027-09-29"),
        ("2027-09-01", "2026-09-30"),
        ("2026-09-01", "9999-12-31"),
        ("soon", "later"),
    ],
)
def test_a_pilot_of_other_days_is_refused(first, last):
    with pytest.raises(ValueError, match="first day of a month to the last day of one"):
        pilot_between(first, last)


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-09-01", "2026-09-30"), ("2026-02-01", "2026-12-31"), ("2026-01-01", "2026-12-31")],
)
def test_a_pilot_shorter_than_a_year_or_a_calendar_year_is_refused(first, last):
    with pytest.raises(ValueError, match="at least 12 whole months and be no calendar year"):
        pilot_between(first, last)
