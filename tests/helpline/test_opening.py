"""When the line is open, as the clock of Stockholm and the Swedish calendar say."""

from datetime import date, datetime, timedelta

import pytest

from helpline import opening
from helpline.opening import Exceptional, Opening, Span, WeeklyHours, clock_hours, is_holiday, read_spans

MORNING, OFFICE = Span(9 * 60, 12 * 60), Span(9 * 60, 15 * 60)
PILOT = WeeklyHours(date(2015, 11, 16), ((OFFICE,),) * 5 + ((), ()))
SHORT_DAY, LONG_DAY = date(2026, 3, 29), date(2026, 10, 25)


def hours(opening_hours: Opening, start: date, end: date) -> float:
    return opening_hours.open_minutes(start, end) / 60


def test_a_week_of_the_pilot_is_open_thirty_hours():
    pilot = Opening((PILOT,))
    monday = date(2016, 2, 1)
    assert pilot.open_days(monday, monday + timedelta(7)) == 5
    assert hours(pilot, monday, monday + timedelta(7)) == 30


def test_before_the_first_set_the_line_is_closed():
    pilot = Opening((PILOT,))
    assert pilot.in_force(date(2015, 11, 15)) is None
    assert pilot.open_days(date(2015, 11, 1), date(2015, 12, 1)) == 11


def test_a_new_set_holds_from_its_first_day():
    later = WeeklyHours(date(2016, 2, 3), ((MORNING,),) * 5 + ((), ()))
    changed = Opening((PILOT, later))
    assert changed.spans(date(2016, 2, 2)) == (OFFICE,)
    assert changed.spans(date(2016, 2, 3)) == (MORNING,)
    assert hours(changed, date(2016, 2, 1), date(2016, 2, 8)) == 2 * 6 + 3 * 3


@pytest.mark.parametrize(
    "day",
    [
        *("2026-01-01", "2026-01-06", "2026-04-03", "2026-04-06", "2026-05-01", "2026-05-14", "2026-06-06"),
        *("2026-06-19", "2026-12-24", "2026-12-25", "2026-12-26", "2026-12-31"),
    ],
)
def test_the_line_is_closed_on_holidays_and_on_the_three_eves(day):
    assert is_holiday(date.fromisoformat(day))
    assert Opening((WeeklyHours(date(2015, 1, 1), ((OFFICE,),) * 7),)).spans(date.fromisoformat(day)) == ()


@pytest.mark.parametrize("day", ["2026-01-05", "2026-04-02", "2026-05-15", "2026-11-22", "2026-12-23", "2026-04-30"])
def test_a_sunday_and_a_day_that_banks_close_early_are_no_holidays(day):
    assert not is_holiday(date.fromisoformat(day))


def test_an_exception_decides_over_weekday_and_holiday():
    closed, christmas = date(2016, 2, 2), date(2016, 12, 24)
    said = {closed: Exceptional(closed, (), "staff"), christmas: Exceptional(christmas, (MORNING,), "extended")}
    exceptional = Opening((PILOT,), said)
    assert exceptional.spans(closed) == () and exceptional.spans(christmas) == (MORNING,)


@pytest.mark.parametrize(("day", "count"), [(SHORT_DAY, 23), (LONG_DAY, 25), (date(2026, 3, 28), 24)])
def test_a_day_has_as_many_hours_as_the_clock_goes_through(day, count):
    assert len(clock_hours(day)) == count == len(set(clock_hours(day)))


def test_the_hours_of_the_nights_of_the_change():
    assert (2, False) not in clock_hours(SHORT_DAY) and (3, False) in clock_hours(SHORT_DAY)
    assert clock_hours(LONG_DAY)[2:4] == ((2, False), (2, True))


@pytest.mark.parametrize(("day", "lasts"), [(SHORT_DAY, 23), (LONG_DAY, 25), (date(2026, 3, 28), 24)])
def test_a_line_that_never_closes_is_open_as_long_as_the_day_lasts(day, lasts):
    always = Opening((WeeklyHours(date(2015, 1, 1), ((Span(0, 1440),),) * 7),))
    assert hours(always, day, day + timedelta(1)) == lasts
    assert opening.minutes(day, Span(60, 4 * 60)) == (lasts - 24 + 3) * 60


MARCH, OCTOBER, NOVEMBER = date(2026, 3, 29), date(2026, 10, 25), date(2026, 11, 1)


@pytest.mark.parametrize(
    ("day", "span", "lasts"),
    [
        (MARCH, "02:00-02:30", 0),
        (MARCH, "01:00-02:30", 60),
        (MARCH, "02:30-03:30", 30),
        (MARCH, "02:00-03:00", 0),
        (OCTOBER, "02:00-03:00", 120),
        (OCTOBER, "02:00-02:30", 60),
        (OCTOBER, "02:30-03:00", 60),
        (OCTOBER, "01:00-02:30", 120),
        (NOVEMBER, "01:00-02:30", 90),
    ],
)
def test_an_hour_that_the_clock_skips_is_not_open_and_one_that_comes_twice_is_open_twice(day, span, lasts):
    (of_day,) = read_spans(span)
    assert opening.minutes(day, of_day) == lasts


@pytest.mark.parametrize(
    ("utc", "passed"),
    [("10-24T22:00", 0), ("10-25T00:30", 30), ("10-25T01:10", 70), ("10-25T01:40", 100), ("10-25T02:00", 120)],
)
def test_how_long_the_line_has_been_open_is_as_long_as_time_has_passed(utc, passed):
    """From two to three on the long night, of which the second half hour is the same on the wall as the first."""
    nightly = Opening((WeeklyHours(date(2015, 1, 1), (read_spans("2-3"),) * 7),))
    now = datetime.fromisoformat(f"2026-{utc}+00:00")
    assert nightly.minutes_until(now) == passed


@pytest.mark.parametrize("day", [MARCH, OCTOBER, NOVEMBER])
def test_two_spans_that_meet_last_as_long_as_the_one_that_they_make(day):
    whole = opening.minutes(day, Span(0, 1440))
    for meet in range(1, 1440):
        assert opening.minutes(day, Span(0, meet)) + opening.minutes(day, Span(meet, 1440)) == whole


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("", ()),
        ("9-12", (Span(540, 720),)),
        ("09:00-12:00, 13.00–16.30", (Span(540, 720), Span(780, 990))),
        ("0-24", (Span(0, 1440),)),
    ],
)
def test_spans_are_written_as_people_write_them(text, spans):
    assert read_spans(text) == spans


@pytest.mark.parametrize("text", ["9", "12-9", "9-9", "nine-twelve", "9-25", "9:60-12", "9-12-13", "-", "9:-12", "²-3"])
def test_what_is_no_span_is_refused(text):
    with pytest.raises(ValueError):
        read_spans(text)


@pytest.mark.parametrize("text", ["9-12, 11-13", "13-15, 9-12", "9-12, 12-13", "1-2,3-4,5-6,7-8,9-10"])
def test_spans_that_do_not_follow_each_other_make_no_week(text):
    with pytest.raises(ValueError):
        WeeklyHours(date(2026, 1, 1), (read_spans(text),) + ((),) * 6)


def test_a_week_has_seven_days_and_an_exception_a_known_reason():
    with pytest.raises(ValueError):
        WeeklyHours(date(2026, 1, 1), ((OFFICE,),))
    with pytest.raises(ValueError):
        Exceptional(date(2026, 1, 1), (), "a name")
