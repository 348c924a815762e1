"""When an entry must be made sure of anew, and when an agreement lapses."""

from datetime import date

import pytest

from helpline.listings.freshness import has_lapsed, is_stale, lapses_soon, months_from

TODAY = date(2026, 8, 31)


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2026, 8, 31), -6, date(2026, 2, 28)),
        (date(2028, 8, 31), -6, date(2028, 2, 29)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 3, 9), 0, date(2026, 3, 9)),
    ],
)
def test_months_are_those_of_the_calendar(day, months, then):
    assert months_from(day, months) == then


@pytest.mark.parametrize(
    ("assured_on", "stale"), [(None, True), (date(2026, 2, 27), True), (date(2026, 2, 28), False), (TODAY, False)]
)
def test_an_entry_is_stale_after_more_than_six_months_or_when_nobody_ever_made_sure(assured_on, stale):
    assert is_stale(assured_on, TODAY) is stale


@pytest.mark.parametrize(
    ("until", "lapsed", "soon"),
    [
        (None, False, False),
        (date(2026, 8, 30), True, True),
        (TODAY, False, True),
        (date(2027, 2, 28), False, True),
        (date(2027, 3, 1), False, False),
    ],
)
def test_an_agreement_holds_on_its_last_day(until, lapsed, soon):
    assert (has_lapsed(until, TODAY), lapses_soon(until, TODAY)) == (lapsed, soon)
