"""CSV as PxWebApi 2 writes it, byte for byte."""

import csv as reader
import io

import pytest

from reports.disclosure.protect import HIDDEN
from reports.formats import csv
from reports.formats.layout import Layout, usual_layout
from reports.published_table import Dimension, PublishedTable
from tests.reports.formats.conftest import CONTENTS, TIME, made
from tests.reports.reading import cells_of_csv


def written(table: PublishedTable, *parameters: str, layout: Layout | None = None, language: str = "en") -> str:
    layout = layout or usual_layout([dimension.id for dimension in table.dimensions])
    return csv.text(table, layout, language, csv.style_of(parameters))


def lines(*texts: str) -> str:
    return "".join(text + "\r\n" for text in texts)


def test_codes_are_the_default(roles):
    assert (
        written(roles)
        == written(roles, "UseCodes")
        == lines(
            '"caller_role_3","kontakter 2026K1","kontakter 2026K2","kontakter 2026K3"',
            '"_T",410,365,440',
            '"anhorig",255,230,285',
            '"yrkes",120,..,110',
            '"ovriga",35,..,45',
            '"_U",5,10,15',
        )
    )


def test_texts_may_stand_in_their_place(roles):
    contents = "Number of operationally relevant contacts (U4)"
    columns = ",".join(f'"{contents} quarter {n}, 2026"' for n in (1, 2, 3))
    text = written(roles, "UseTexts")
    assert text.split("\r\n")[0] == f'"caller’s role (three groups)",{columns}'
    assert '"Professional",120,..,110\r\n' in text
    assert '"Yrkesverksam' in written(roles, "UseTexts", language="sv")


def test_codes_and_texts_stand_together_with_a_dash(roles):
    assert '"yrkes - Professional",120,..,110\r\n' in written(roles, "UseCodesAndTexts")


def test_a_title_stands_above_alone_and_quoted(roles):
    title = '"Operationally relevant contacts by caller’s role (three groups) and quarter"'
    assert written(roles, "IncludeTitle") == title + "\r\n" + written(roles)


@pytest.mark.parametrize(
    ("name", "separator"), [("SeparatorTab", "\t"), ("SeparatorSpace", " "), ("SeparatorSemicolon", ";")]
)
def test_the_separator_may_be_another(roles, name, separator):
    text = written(roles, name)
    assert f'"yrkes"{separator}120{separator}..{separator}110\r\n' in text
    assert cells_of_csv(text, ["caller_role_3"], ["ContentsCode", "Tid"], separator) == cells_of_csv(
        written(roles), ["caller_role_3"], ["ContentsCode", "Tid"]
    )


def test_rows_without_any_figure_may_be_left_out():
    genders = Dimension("gender", ("k", "m"))
    table = made("gender-quarter", (genders, CONTENTS, TIME), [HIDDEN, HIDDEN, HIDDEN, 5, HIDDEN, HIDDEN])
    assert '"k",..,..,..\r\n' in written(table)
    short = written(table, "ExcludeZerosAndMissingValues")
    assert '"k"' not in short and '"m",5,..,..\r\n' in short


def test_rows_and_columns_are_those_of_the_layout(crossed):
    text = written(crossed, layout=Layout(("Tid", "gender"), ("caller_role_3", "ContentsCode")))
    assert text == lines(
        '"Tid","gender","_T kontakter","yrkes kontakter"',
        '"2026K2","_T",5,20',
        '"2026K2","k",10,25',
        '"2026K2","m",15,30',
    )


def test_everything_may_stand_in_the_rows_or_in_the_columns(crossed):
    ids = tuple(dimension.id for dimension in crossed.dimensions)
    assert written(crossed, layout=Layout((), ids)).count("\r\n") == 2
    assert written(crossed, layout=Layout(ids, ())).count("\r\n") == 7
    for layout in (Layout((), ids), Layout(ids, ())):
        cells = cells_of_csv(written(crossed, layout=layout), list(layout.stub), list(layout.heading))
        assert sorted(cells.values()) == [5, 10, 15, 20, 25, 30]


def test_a_quotation_mark_in_a_label_is_doubled(monkeypatch, roles):
    monkeypatch.setattr(PublishedTable, "label_of", lambda self, dimension, code, language: f'"{code}", so called')
    header, row, *_ = reader.reader(io.StringIO(written(roles, "UseTexts"), newline=""))
    assert row == ['"_T", so called', "410", "365", "440"] and len(header) == 4


def test_of_two_that_contradict_each_other_the_later_holds(roles):
    assert written(roles, "UseTexts", "SeparatorTab", "UseCodes", "SeparatorSemicolon") == written(
        roles, "SeparatorSemicolon"
    )


def test_a_parameter_that_there_is_not_is_refused():
    assert {csv.style_of([name]) for name in csv.PARAMETERS} and csv.style_of([]) == csv.Style()
    with pytest.raises(KeyError):
        csv.style_of(["usetexts"])
