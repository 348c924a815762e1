"""When a service is open: hours of the wall clock, across midnight, weeks and the two nights when clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.listings import WEEKDAYS, Hours
from helpline.listings.hours import AHEAD, STOCKHOLM, Openness, open_periods, openness

DAYTIME = [Hours("MO,TU,WE,TH,FR", time(8), time(16, 30))]
ALWAYS = [Hours(",".join(WEEKDAYS), time(0), time(23, 59, 59))]
NIGHT = [Hours("FR", time(20), time(23, 59, 59)), Hours("SA", time(0), time(3))]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=STOCKHOLM)


@pytest.mark.parametrize(
    ("moment", "is_open", "changes"),
    [
        ("2026-06-01 07:59", False, "2026-06-01 08:00"),  # a Monday
        ("2026-06-01 08:00", True, "2026-06-01 16:30"),
        ("2026-06-01 16:29", True, "2026-06-01 16:30"),
        ("2026-06-01 16:30", False, "2026-06-02 08:00"),
        ("2026-06-05 17:00", False, "2026-06-08 08:00"),
    ],
)
def test_office_hours_begin_with_their_first_minute_and_end_before_their_last(moment, is_open, changes):
    assert openness(DAYTIME, at(moment)) == Openness(is_open, at(changes).astimezone(UTC))


def test_the_moment_may_be_told_in_any_zone():
    assert openness(DAYTIME, datetime(2026, 6, 1, 6, tzinfo=UTC)).is_open
    assert not openness(DAYTIME, datetime(2026, 1, 5, 6, 59, tzinfo=UTC)).is_open
    assert openness(DAYTIME, datetime(2026, 1, 5, 7, tzinfo=UTC)).is_open


def test_a_service_without_a_schedule_has_unknown_hours_and_not_closed_ones():
    assert openness([], at("2026-06-01 12:00")) == Openness(None)
    assert open_periods([], at("2026-06-01 12:00"), at("2026-06-08 12:00")) is None


@pytest.mark.parametrize("moment", ["2026-03-29 02:30", "2026-10-25 02:30", "2026-06-07 23:59:59", "2026-06-08 00:00"])
def test_a_service_of_24_hours_has_no_gap_and_no_change(moment):
    assert openness(ALWAYS, at(moment)) == Openness(True)


def test_a_night_across_midnight_is_one_period():
    assert openness(NIGHT, at("2026-06-05 21:00")) == Openness(True, at("2026-06-06 03:00").astimezone(UTC))
    assert openness(NIGHT, at("2026-06-06 02:59")).is_open
    assert openness(NIGHT, at("2026-06-06 03:00")) == Openness(False, at("2026-06-12 20:00").astimezone(UTC))


def test_both_days_of_validity_belong_to_a_schedule():
    summer = [Hours("MO,TU", time(9), time(12), date(2026, 6, 2), date(2026, 6, 8))]
    assert openness(summer, at("2026-06-01 10:00")) == Openness(False, at("2026-06-02 09:00").astimezone(UTC))
    assert openness(summer, at("2026-06-02 10:00")).is_open
    assert openness(summer, at("2026-06-08 10:00")).is_open
    assert openness(summer, at("2026-06-08 12:00")) == Openness(False)


def test_hours_that_nobody_has_given_for_these_days_are_unknown():
    summer = [Hours("MO,TU", time(9), time(12), date(2026, 6, 2), date(2026, 6, 8))]
    assert openness(summer, at("2026-06-09 10:00")) == Openness(None)
    assert openness(summer, at("2026-05-01 10:00")) == Openness(None)


def test_a_weekday_is_never_part_of_another_word():
    assert not openness([Hours("TU", time(9), time(12))], at("2026-06-01 10:00")).is_open


def test_the_hours_of_the_wall_clock_hold_on_the_nights_when_it_changes():
    early = [Hours("SU", time(1), time(4))]
    spring = open_periods(early, at("2026-03-29 00:30"), at("2026-03-29 12:00")) or []
    autumn = open_periods(early, at("2026-10-25 00:30"), at("2026-10-25 12:00")) or []
    assert [closes - opens for opens, closes in (*spring, *autumn)] == [timedelta(hours=2), timedelta(hours=4)]


def test_an_opening_that_the_clock_skips_is_when_the_clock_has_passed_it():
    (period,) = open_periods([Hours("SU", time(2, 30), time(3, 15))], at("2026-03-29 00:30"), at("2026-03-29 12:00"))
    assert period == (at("2026-03-29 03:00"), at("2026-03-29 03:15"))
    assert open_periods([Hours("SU", time(2, 15), time(2, 45))], at("2026-03-29 00:30"), at("2026-03-30 00:00")) == []


def test_schedules_that_overlap_or_touch_are_one_period():
    twice = [Hours("MO", time(9), time(12)), Hours("MO", time(12), time(15)), Hours("MO", time(10), time(11))]
    assert openness(twice, at("2026-06-01 09:30")) == Openness(True, at("2026-06-01 15:00").astimezone(UTC))


SCHEDULES = st.lists(
    st.builds(
        lambda days, a, b: Hours(",".join(sorted(days)), min(a, b), max(a, b)),
        st.sets(st.sampled_from(WEEKDAYS), min_size=1),
        st.times().map(lambda t: t.replace(second=0, microsecond=0)),
        st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    ).filter(lambda hours: hours.opens < hours.closes),
    min_size=1,
    max_size=4,
)
OUTSIDE_SHIFTS = st.datetimes(datetime(2026, 4, 10), datetime(2026, 10, 10), timezones=st.just(STOCKHOLM))


@given(SCHEDULES, OUTSIDE_SHIFTS)
def test_open_is_what_the_wall_clock_says(schedules, moment):
    wall, day = moment.time(), WEEKDAYS[moment.weekday()]
    said = any(
        day in hours.weekdays.split(",")
        and hours.opens <= wall
        and (wall < hours.closes or hours.closes >= time(23, 59))
        for hours in schedules
    )
    assert openness(schedules, moment).is_open is said


@given(SCHEDULES, OUTSIDE_SHIFTS)
def test_at_the_change_it_is_the_other_way_and_until_then_as_it_was(schedules, moment):
    now = openness(schedules, moment)
    if now.changes_at is None:
        return
    assert moment < now.changes_at <= moment + AHEAD
    assert openness(schedules, now.changes_at).is_open is not now.is_open
    assert openness(schedules, now.changes_at - timedelta(microseconds=1)).is_open is now.is_open


@given(SCHEDULES, OUTSIDE_SHIFTS)
def test_periods_come_in_order_and_apart(schedules, moment):
    periods = open_periods(schedules, moment, moment + AHEAD) or []
    assert all(opens < closes for opens, closes in periods)
    assert all(one[1] < other[0] for one, other in pairwise(periods))
