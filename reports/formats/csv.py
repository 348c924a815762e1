"""Owns CSV as PxWebApi 2 writes it: a row for each combination of the stub, a column for each of the heading. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from reports.disclosure.protect import HIDDEN
from reports.formats.layout import Layout, values_in
from reports.published_table import PublishedTable, dimension_label, title

NEW_LINE = "\r\n"
SEPARATORS = {"SeparatorTab": "\t", "SeparatorSpace": " ", "SeparatorSemicolon": ";"}
LABELS = ("UseCodes", "UseTexts", "UseCodesAndTexts")
TITLE, ONLY_SHOWN = "IncludeTitle", "ExcludeZerosAndMissingValues"
PARAMETERS = (*LABELS, TITLE, ONLY_SHOWN, *SEPARATORS)


@dataclass(frozen=True, slots=True)
class Style:
    """How a CSV is written: one of LABELS, the separator, whether a title stands above, and whether rows without any
    figure are left out."""

    labels: str = "UseCodes"
    separator: str = ","
    with_title: bool = False
    only_shown: bool = False


def style_of(parameters: Iterable[str]) -> Style:
    """The style that names of PARAMETERS ask for; of two that contradict each other the later holds."""
    style: dict[str, str | bool] = {}
    for name in parameters:
        if name in LABELS:
            style["labels"] = name
        elif name in SEPARATORS:
            style["separator"] = SEPARATORS[name]
        elif name == TITLE:
            style["with_title"] = True
        elif name == ONLY_SHOWN:
            style["only_shown"] = True
        else:
            raise KeyError(name)
    return Style(**style)  # type: ignore[arg-type]


def text(table: PublishedTable, layout: Layout, language: str, style: Style) -> str:
    """The whole file. Labels stand in quotes, figures do not, a hidden figure is `..`."""
    labels = {d.id: [_code_label(table, d.id, code, language, style) for code in d.codes] for d in table.dimensions}
    columns = [" ".join(combination) for combination in product(*(labels[name] for name in layout.heading))]
    header = [_name(table, name, language, style) for name in layout.stub] + columns
    lines = [[_quoted(title(table.table, language))]] if style.with_title else []
    lines.append([_quoted(field) for field in header])
    values = iter(values_in(table, layout))
    for combination in product(*(labels[name] for name in layout.stub)):
        row = [next(values) for _ in columns]
        if style.only_shown and all(value is HIDDEN for value in row):
            continue
        figures = [HIDDEN.value if value is HIDDEN else str(value) for value in row]
        lines.append([_quoted(field) for field in combination] + figures)
    return "".join(style.separator.join(fields) + NEW_LINE for fields in lines)


def _name(table: PublishedTable, dimension: str, language: str, style: Style) -> str:
    return _labelled(dimension, dimension_label(table.table, dimension, language), style)


def _code_label(table: PublishedTable, dimension: str, code: str, language: str, style: Style) -> str:
    return _labelled(code, table.label_of(dimension, code, language), style)


def _labelled(code: str, label: str, style: Style) -> str:
    return {"UseCodes": code, "UseTexts": label, "UseCodesAndTexts": f"{code} - {label}"}[style.labels]


def _quoted(field: str) -> str:
    return '"' + field.replace('"', '""') + '"'
