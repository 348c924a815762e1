"""The published value of a cell."""

from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.catalogue import TABLES
from reports.counting import CALLS
from reports.disclosure.protect import (
    HIDDEN,
    Parameters,
    draw,
    is_admitted,
    protect,
    protect_calls,
    published,
    rounded,
)
from reports.disclosure.tabulate import Cell, Contacts, Tabulated

RULE = Parameters()
KEY = b"k" * 32
RELEVANT, ALL = TABLES["gender-year"], TABLES["all-result-year"]


def value(table, n: int, n_first: int | None = None, keys: int = 1):
    cell = Cell(Contacts(n, n_first=n if n_first is None else n_first, keys=keys))
    return published(cell, table, KEY, RULE)["kontakter"]


@pytest.mark.parametrize("n", range(5))
def test_a_cell_below_the_threshold_is_hidden_also_when_it_is_empty(n):
    assert value(RELEVANT, n) is HIDDEN


def test_a_cell_with_few_first_contacts_is_hidden_since_one_person_may_call_often():
    assert value(RELEVANT, 12, n_first=2) is HIDDEN
    assert value(RELEVANT, 12, n_first=3) is not HIDDEN


def test_all_contacts_and_first_contacts_themselves_have_the_higher_threshold():
    assert value(ALL, 9) is HIDDEN and value(ALL, 10, n_first=0) == 10
    assert value(TABLES["first_contact-year"], 9) is HIDDEN
    assert value(TABLES["first_contact-year"], 10, n_first=0) == 10


@given(n=st.integers(5, 10**9), keys=st.integers(0, 2**62 - 1), key=st.binary(min_size=32, max_size=32))
def test_a_shown_value_is_a_multiple_of_five_at_most_four_away_and_never_below_five(n, keys, key):
    shown = rounded(n, keys, key, 5)
    assert shown % 5 == 0 and abs(shown - n) <= 4 and shown >= 5
    assert shown in (n - n % 5, n - n % 5 + 5) and (n % 5 or shown == n)


@pytest.mark.parametrize("n", [5, 6, 7, 8, 9, 123])
def test_rounding_has_no_bias(n):
    assert mean(rounded(n, keys, KEY, 5) for keys in range(20_000)) == pytest.approx(n, abs=0.06)


def test_the_same_set_is_rounded_the_same_way_for_ever_and_another_key_rounds_otherwise():
    values = [rounded(7, keys, KEY, 5) for keys in range(100)]
    assert values == [rounded(7, keys, KEY, 5) for keys in range(100)]
    assert values != [rounded(7, keys, b"other", 5) for keys in range(100)]


def test_the_draw_is_that_of_hmac_sha256():
    # HMAC-SHA256("k" * 32, 0000000000000001 0000000000000007), first 8 bytes, computed with another tool.
    assert draw(KEY, 1, 7) == pytest.approx(0.3271857044219735, abs=1e-15)


@pytest.mark.parametrize(
    ("referring", "first", "shown"), [(1, 1, HIDDEN), (4, 4, HIDDEN), (5, 2, HIDDEN), (5, 3, 10), (40, 40, 10)]
)
def test_referrals_are_hidden_by_the_contacts_that_have_one_however_many_others_the_cell_counts(
    referring, first, shown
):
    cell = Cell(Contacts(40, 40), Contacts(referring, first), n_referrals=10)
    assert published(cell, TABLES["total-quarter"], KEY, RULE) == {"kontakter": 40, "hanvisningar": shown}


def test_referrals_are_rounded_by_the_contacts_that_have_one():
    def shown(keys: int, referring: int) -> list[int]:
        cells = [Cell(Contacts(9, 9, keys + n), Contacts(7, 7, referring + n), n_referrals=8) for n in range(50)]
        return [published(cell, TABLES["total-year"], KEY, RULE)["hanvisningar"] for cell in cells]

    assert shown(keys=0, referring=0) == shown(keys=1000, referring=0)
    assert shown(keys=0, referring=0) != shown(keys=0, referring=1000)


def test_a_period_with_a_published_total_below_ten_has_no_tables_at_all():
    assert not is_admitted(TABLES["total-year"], HIDDEN, RULE)
    assert not is_admitted(TABLES["total-year"], 5, RULE)
    assert is_admitted(TABLES["total-year"], 10, RULE)


def test_a_table_needs_five_published_contacts_a_cell():
    assert not is_admitted(TABLES["concerns_6-year"], 30, RULE)
    assert is_admitted(TABLES["concerns_6-year"], 35, RULE)
    assert protect(Tabulated(RELEVANT, {("_T",): Cell(Contacts(50, 50))}), 15, KEY, RULE) is None


def test_a_hidden_cell_is_no_number_and_cannot_be_added():
    with pytest.raises(TypeError):
        sum([5, HIDDEN])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        HIDDEN < 5  # type: ignore[operator]  # noqa: B015


@pytest.mark.parametrize(
    "wrong", [{"k": 3}, {"k_first": 5}, {"k_own": 4}, {"base": 1}, {"density": 0}, {"min_total": 2}]
)
def test_parameters_that_protect_nobody_are_refused(wrong):
    with pytest.raises(ValueError, match="must keep"):
        Parameters(**wrong)


@pytest.mark.parametrize(("n", "told"), [(0, HIDDEN), (2, HIDDEN), (3, 5), (7, 5), (8, 10), (52, 50)])
def test_calls_are_told_to_the_nearest_five_and_a_zero_is_never_printed(n, told):
    values = protect_calls({column: 40 for column in CALLS.values()} | {"answered": n}, RULE)
    assert values == {(): dict.fromkeys(CALLS, 40) | {"besvarade": told}}


def test_a_period_without_calls_has_no_table_of_calls():
    assert protect_calls(dict.fromkeys(CALLS.values(), 2), RULE) is None
    assert protect_calls({}, RULE) is None
