"""The number that only the caller holds: said and heard without error, and never told by what is stored."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.case_numbers import DIGITS, Mistyped, digest, make, read, spoken

FIRSTS = st.integers(0, 10 ** (DIGITS - 1) - 1)


def number_of(first: int) -> str:
    return make(lambda below: first % below)


@given(FIRSTS)
def test_a_number_is_read_as_it_was_made_however_it_is_grouped(first):
    number = number_of(first)
    assert len(number) == DIGITS and number.isdigit()
    assert spoken(number) == f"{number[:3]} {number[3:6]} {number[6:]}"
    for written in (
        number,
        spoken(number),
        "-".join(number),
        f" {number[:2]}.{number[2:]}\n",
        f"{number[:4]}–{number[4:]}",
    ):
        assert read(written) == number


@given(FIRSTS)
def test_every_single_wrong_digit_is_mistyped(first):
    number = number_of(first)
    for place, digit in enumerate(number):
        for other in set("0123456789") - {digit}:
            with pytest.raises(Mistyped):
                read(number[:place] + other + number[place + 1 :])


@given(FIRSTS)
def test_every_swap_of_neighbours_is_mistyped(first):
    number = number_of(first)
    for place in range(DIGITS - 1):
        one, two = number[place : place + 2]
        if one != two:
            with pytest.raises(Mistyped):
                read(number[:place] + two + one + number[place + 2 :])


@given(st.integers(0, 10**DIGITS - 1))
def test_one_number_in_ten_fits_so_that_the_guards_above_can_fail(any_nine):
    number = f"{any_nine:0{DIGITS}d}"
    fits = [last for last in "0123456789" if _is_read(number[:-1] + last)]
    assert len(fits) == 1


def _is_read(number: str) -> bool:
    try:
        return read(number) == number
    except Mistyped:
        return False


@pytest.mark.parametrize("text", ["", "1", "12345678", "1234567890", "١٢٣٤٥٦٧٨٩", "²²²²²²²²²", "abcdefghi", "\x00" * 9])
def test_what_has_not_nine_digits_is_mistyped(text):
    with pytest.raises(Mistyped):
        read(text)


@given(st.text())
def test_a_mistyped_number_is_never_repeated_by_its_refusal(text):
    try:
        assert len(read(text)) == DIGITS
    except Mistyped as refused:
        assert str(refused) == "" and refused.args == ()


def test_the_draw_decides_the_number_and_reaches_them_all():
    asked = []
    make(lambda below: asked.append(below) or 0)
    assert asked == [10 ** (DIGITS - 1)] and number_of(0).startswith("00000000")
    assert len({make(secrets.randbelow) for _ in range(200)}) == 200


def test_the_digest_tells_neither_the_number_nor_without_the_secret_whose_it_is():
    number = number_of(48210937)
    assert digest(number, b"one") == digest(number, b"one") != digest(number, b"two")
    assert len(digest(number, b"one")) == 64 and number not in digest(number, b"one")
