"""A file that leaves says what it is for, opens in a spreadsheet program as it was meant, and computes nothing."""

import csv
from pathlib import Path

import pytest

from helpline.exports import PURPOSE, csv_file, harmless


def read_back(content: bytes) -> list[list[str]]:
    return list(csv.reader(content.decode("utf-8-sig").splitlines(), delimiter=";"))


def test_a_file_begins_with_a_byte_order_mark_and_its_purpose():
    content = csv_file("For support.", ["Day", "By"], [["2026-03-01", "Åsa"]])
    assert content.startswith(b"\xef\xbb\xbf# For support.\r\n")
    assert read_back(content) == [["# For support."], ["Day", "By"], ["2026-03-01", "Åsa"]]


@pytest.mark.parametrize("text", ["a;b", 'a"b', "a,b", "'a", "a=b", "–", ""])
def test_harmless_texts_come_back_as_they_were(text):
    assert read_back(csv_file("p", ["h"], [[text, "end"]]))[-1] == [text, "end"]


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", '"=1', "'=1", "＝1", "＠a"])
def test_a_formula_becomes_a_text(formula):
    written = read_back(csv_file("p", ["h"], [[formula, "end"]]))[-1]
    assert written == [harmless(formula), "end"] and written[0].startswith("'")


def test_a_cell_stays_on_its_line():
    assert harmless("one\r\ntwo\u2028three") == "one two three"


def test_the_purpose_is_the_one_at_the_foot_of_every_page():
    foot = Path(__file__).parents[2] / "templates" / "base.html"
    assert f'"{PURPOSE}"' in foot.read_text(encoding="utf-8")
