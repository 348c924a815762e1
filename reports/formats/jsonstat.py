"""Owns JSON-stat 2.0 as PxWebApi 2 extends it: a table as one dataset, with its figures or without them. Pure.

The order of keys carries meaning for clients: write the dictionaries as they are, never sorted.
"""

from typing import Any

from helpline.taxonomy import CODE_LISTS
from reports.catalogue import TOTAL, UNKNOWN
from reports.disclosure.protect import HIDDEN
from reports.formats import wording
from reports.formats.layout import Layout, values_in
from reports.published_table import (
    CONTENTS_CODE,
    TIME,
    Dimension,
    PublishedTable,
    dimension_label,
    non_answers,
    notes,
    title,
)

PLACES = ("county", "county_region", "county_part")


def dataset(table: PublishedTable, layout: Layout, language: str) -> dict[str, Any]:
    """The table with its figures: a hidden cell is null, and ".." in `status`."""
    values = values_in(table, layout)
    written = _frame(table, layout, language)
    written["value"] = [None if value is HIDDEN else value for value in values]
    if hidden := {str(place): HIDDEN.value for place, value in enumerate(values) if value is HIDDEN}:
        written["status"] = hidden
    return written


def metadata(table: PublishedTable, layout: Layout, language: str) -> dict[str, Any]:
    """The same without figures."""
    return _frame(table, layout, language) | {"value": []}


def _frame(table: PublishedTable, layout: Layout, language: str) -> dict[str, Any]:
    dimensions = {dimension.id: dimension for dimension in table.dimensions}
    places = [name for name in layout.ids if name in PLACES]
    return {
        "version": "2.0",
        "class": "dataset",
        "label": title(table.table, language),
        "source": wording.SOURCE[language],
        "updated": f"{table.updated.isoformat()}T00:00:00Z",
        "note": notes(table.table, language),
        "role": {"time": [TIME]} | ({"geo": places} if places else {}) | {"metric": [CONTENTS_CODE]},
        "id": list(layout.ids),
        "size": [len(dimensions[name].codes) for name in layout.ids],
        "dimension": {name: _dimension(table, dimensions[name], language) for name in layout.ids},
        "extension": _extension(table, layout, language),
    }


def _dimension(table: PublishedTable, dimension: Dimension, language: str) -> dict[str, Any]:
    category: dict[str, Any] = {
        "index": {code: place for place, code in enumerate(dimension.codes)},
        "label": {code: table.label_of(dimension.id, code, language) for code in dimension.codes},
    }
    extension: dict[str, Any] = {"elimination": False}
    written: dict[str, Any] = {"label": dimension_label(table.table, dimension.id, language), "category": category}
    if dimension.id == CONTENTS_CODE:
        category["unit"] = {code: {"base": wording.UNIT[language], "decimals": 0} for code in dimension.codes}
        for name, value in _measures(language).items():
            extension[name] = dict.fromkeys(dimension.codes, value)
    elif dimension.id != TIME:
        written["note"] = [CODE_LISTS[dimension.id].definition(language)]
        if UNKNOWN in dimension.codes:
            category["note"] = {UNKNOWN: [non_answers(language)]}
        extension["elimination"] = True
        if TOTAL in dimension.codes:
            extension["eliminationValueCode"] = TOTAL
    # Some clients read the one spelling, some the other.
    return written | {"extension": extension | {"show": "value", "codelists": [], "codeLists": []}}


def _measures(language: str) -> dict[str, str]:
    return {
        "refperiod": wording.REFERENCE_PERIOD[language],
        "measuringType": "Flow",
        "priceType": "NotApplicable",
        "adjustment": "None",
    }


def _extension(table: PublishedTable, layout: Layout, language: str) -> dict[str, Any]:
    subject = wording.subject_of(table.table)
    (contents,) = (dimension for dimension in table.dimensions if dimension.id == CONTENTS_CODE)
    return {
        "noteMandatory": {"0": True},  # how the figures were rounded
        "px": {
            "tableid": table.table.id,
            "matrix": table.table.id,
            "language": language,
            "decimals": 0,
            "contents": ", ".join(table.label_of(CONTENTS_CODE, code, language) for code in contents.codes),
            "aggregallowed": False,
            "official-statistics": False,
            "copyright": False,
            "descriptiondefault": False,
            "subject-code": subject,
            "subject-area": wording.SUBJECTS[subject][language],
            "stub": list(layout.stub),
            "heading": list(layout.heading),
        },
    }
