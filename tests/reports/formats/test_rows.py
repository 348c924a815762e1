"""The row file as CSV: every row once, in an order that says nothing."""

import csv
import io
import random
import tracemalloc
from collections import Counter

from helpline import taxonomy
from reports.disclosure.microdata import TOO_COARSE, TOO_FEW, Limits, search
from reports.disclosure.row_file import RowFile, file_of
from reports.disclosure.row_variables import MAINS, QUASIS
from reports.formats.rows import KEY_BYTES, REFUSALS, csv_of
from tests.reports.disclosure.made_rows import YEAR, skewed

FILE = RowFile(("Tid", "gender"), {("2016H1", "k"): 700, ("2016H1", "m"): 300, ("2016H2", "k"): 1000})
MEGABYTE = 2**20


def keys(file: RowFile, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(KEY_BYTES * file.n)  # noqa: S311 (the order need not be secret in a test)


def halves(text: str) -> list[str]:
    return [row["Tid"] for row in csv.DictReader(io.StringIO(text))]


def tau(order: list[str]) -> float:
    """Kendall's: pairs of rows whose half-years are in order, less those out of order, as a share of all pairs."""
    firsts = in_order = 0
    for half in order:
        if half.endswith("H1"):
            firsts += 1
        else:
            in_order += firsts
    unequal = firsts * (len(order) - firsts)
    return (2 * in_order - unequal) / (len(order) * (len(order) - 1) / 2)


def test_every_row_stands_in_the_file_as_often_as_it_is_there():
    heads, *rows = csv.reader(io.StringIO(csv_of(FILE, keys(FILE))))
    assert tuple(heads) == FILE.columns
    assert Counter(tuple(row) for row in rows) == Counter(FILE.rows)


def test_no_code_needs_quotes():
    assert all(set(code) & set(',"\r\n') == set() for of in taxonomy.CODE_LISTS.values() for code in of.codes)


def test_the_order_is_that_of_the_keys_and_says_nothing_of_time():
    one, other = csv_of(FILE, keys(FILE)), csv_of(FILE, keys(FILE, seed=2))
    assert one != other and one == csv_of(FILE, keys(FILE))
    assert abs(tau(halves(one))) < 0.05 and abs(tau(halves(other))) < 0.05


def test_in_the_order_in_which_they_were_counted_rows_would_tell_the_time():
    in_order = b"".join(number.to_bytes(KEY_BYTES, "little") for number in range(FILE.n))
    assert tau(halves(csv_of(FILE, in_order))) > 0.4


def test_the_reasons_are_said_in_both_languages_without_a_figure_of_the_year():
    for reason in (TOO_FEW, TOO_COARSE):
        assert set(REFUSALS[reason]) == {"sv", "en"}
        for text in REFUSALS[reason].values():
            figures = {int(word) for word in text.replace(".", " ").split() if word.isdigit()}
            limits = Limits()
            assert figures <= {limits.fewest_rows, limits.loss_percent, limits.suppressed_percent} and figures


def test_a_hundred_thousand_rows_take_less_than_a_hundred_megabytes():
    rows = skewed(100_000)
    tracemalloc.start()
    try:
        file = file_of(rows, search(rows, QUASIS, len(MAINS), Limits()), QUASIS, YEAR)
        text = csv_of(file, keys(file))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert text.count("\r\n") == file.n + 1 >= 95_000
    assert most < 100 * MEGABYTE
