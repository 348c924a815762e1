"""JSON-stat 2.0: the whole of a small dataset, and the rules that every one keeps."""

import copy
import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from reports.catalogue import TABLES
from reports.formats import jsonstat
from reports.formats.layout import Layout, usual_layout
from reports.published_table import Dimension, PublishedTable
from tests.reports.formats.conftest import CONTENTS, QUARTERS, TIME, made
from tests.reports.reading import broken_rules, cells_of_jsonstat


def usual(table: PublishedTable) -> Layout:
    return usual_layout([dimension.id for dimension in table.dimensions])


NO_ELIMINATION: dict[str, Any] = {"show": "value", "codelists": [], "codeLists": []}
EXPECTED: dict[str, Any] = {
    "version": "2.0",
    "class": "dataset",
    "label": "Operationally relevant contacts by caller’s role (three groups) and quarter",
    "source": "Stödtelefonen",
    "updated": "2026-10-20T00:00:00Z",
    "note": [
        "Counts are randomly rounded up or down to a multiple of 5. Every total is rounded on its own, so the parts"
        " need not add up to it.",
        "The figures count contacts, not people, and say nothing of how common extremism is in Sweden.",
        "Total counts the contacts that the question belongs to; where it does not apply, none is counted here.",
        ".. = too few contacts to be shown, or hidden to protect another figure.",
    ],
    "role": {"time": ["Tid"], "metric": ["ContentsCode"]},
    "id": ["caller_role_3", "ContentsCode", "Tid"],
    "size": [5, 1, 3],
    "dimension": {
        "caller_role_3": {
            "label": "caller’s role (three groups)",
            "category": {
                "index": {"_T": 0, "anhorig": 1, "yrkes": 2, "ovriga": 3, "_U": 4},
                "label": {
                    "_T": "Total",
                    "anhorig": "Relative or close person",
                    "yrkes": "Professional",
                    "ovriga": "Others",
                    "_U": "No information",
                },
                "note": {"_U": ["Not asked or not apparent, Caller does not know, Declined to answer"]},
            },
            "note": ["The caller’s role in three groups, for tables where a finer split is not safe."],
            "extension": {"elimination": True, "eliminationValueCode": "_T"} | NO_ELIMINATION,
        },
        "ContentsCode": {
            "label": "observations",
            "category": {
                "index": {"kontakter": 0},
                "label": {"kontakter": "Number of operationally relevant contacts (U4)"},
                "unit": {"kontakter": {"base": "number", "decimals": 0}},
            },
            "extension": {
                "elimination": False,
                "refperiod": {"kontakter": "whole period"},
                "measuringType": {"kontakter": "Flow"},
                "priceType": {"kontakter": "NotApplicable"},
                "adjustment": {"kontakter": "None"},
            }
            | NO_ELIMINATION,
        },
        "Tid": {
            "label": "quarter",
            "category": {
                "index": {"2026K1": 0, "2026K2": 1, "2026K3": 2},
                "label": {"2026K1": "quarter 1, 2026", "2026K2": "quarter 2, 2026", "2026K3": "quarter 3, 2026"},
            },
            "extension": {"elimination": False} | NO_ELIMINATION,
        },
    },
    "extension": {
        "noteMandatory": {"0": True},
        "px": {
            "tableid": "caller_role_3-quarter",
            "matrix": "caller_role_3-quarter",
            "language": "en",
            "decimals": 0,
            "contents": "Number of operationally relevant contacts (U4)",
            "aggregallowed": False,
            "official-statistics": False,
            "copyright": False,
            "descriptiondefault": False,
            "subject-code": "U4",
            "subject-area": "Operationally relevant contacts",
            "stub": ["caller_role_3"],
            "heading": ["ContentsCode", "Tid"],
        },
    },
    "value": [410, 365, 440, 255, 230, 285, 120, None, 110, 35, None, 45, 5, 10, 15],
    "status": {"7": "..", "10": ".."},
}


def test_a_small_table_is_written_key_by_key_in_this_order(roles):
    written = jsonstat.dataset(roles, usual(roles), "en")
    assert json.dumps(written, indent=1) == json.dumps(EXPECTED, indent=1)


def test_metadata_is_the_same_without_figures(roles):
    without = {key: value for key, value in EXPECTED.items() if key != "status"} | {"value": []}
    assert json.dumps(jsonstat.metadata(roles, usual(roles), "en")) == json.dumps(without)


def test_in_swedish_only_the_words_differ(roles):
    swedish = jsonstat.dataset(roles, usual(roles), "sv")
    assert swedish["label"] == "Verksamhetsrelevanta kontakter efter inringarens roll (tre grupper) och kvartal"
    assert [d["label"] for d in swedish["dimension"].values()] == [
        *("inringarens roll (tre grupper)", "tabellinnehåll", "kvartal"),
    ]
    assert cells_of_jsonstat(swedish) == cells_of_jsonstat(EXPECTED)


def test_without_a_hidden_cell_there_is_no_status(crossed):
    assert "status" not in jsonstat.dataset(crossed, usual(crossed), "sv")


def test_contents_stand_in_the_rows_where_nothing_else_does(total):
    written = jsonstat.dataset(total, usual(total), "sv")
    assert written["value"] == [50, 55, 60, None, 5, 10] and written["status"] == {"3": ".."}
    assert (written["extension"]["px"]["stub"], written["extension"]["px"]["heading"]) == (["ContentsCode"], ["Tid"])
    assert broken_rules(written, with_figures=True) == []


def test_the_layout_is_the_order_of_everything(crossed):
    layout = Layout(("gender", "Tid"), ("ContentsCode", "caller_role_3"))
    written = jsonstat.dataset(crossed, layout, "en")
    assert written["id"] == list(written["dimension"]) == list(layout.ids) and written["size"] == [3, 1, 1, 2]
    assert written["value"] == [5, 20, 10, 25, 15, 30]


def test_places_have_the_role_of_places():
    counties = made("county_part-quarter", (Dimension("county_part", ("_T",)), CONTENTS, TIME), [5, 5, 5])
    written = jsonstat.dataset(counties, usual(counties), "sv")
    assert written["role"] == {"time": ["Tid"], "geo": ["county_part"], "metric": ["ContentsCode"]}


def test_a_selection_without_the_total_names_no_total():
    some = made("gender-quarter", (Dimension("gender", ("k", "m")), CONTENTS, TIME), [5] * 6)
    extension = jsonstat.dataset(some, usual(some), "sv")["dimension"]["gender"]["extension"]
    assert extension["elimination"] is True and "eliminationValueCode" not in extension


@pytest.mark.parametrize("language", ["sv", "en"])
def test_every_table_of_the_catalogue_keeps_the_rules(language):
    for table in TABLES.values():
        dimensions = tuple(Dimension(v.id, ("_T", *v.codes)) for v in table.variables)
        contents = Dimension("ContentsCode", table.contents)
        whole = PublishedTable(table, (*dimensions, contents, TIME), (), QUARTERS, date(2026, 10, 20), "")
        written = jsonstat.metadata(whole, usual(whole), language)
        assert broken_rules(written, with_figures=False) == [], table.id
        assert json.loads(json.dumps(written)) == written


# --- the rules themselves can fail ----------------------------------------------------------------------------------


def _set(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(dataset: dict[str, Any]) -> None:
        for key in path[:-1]:
            dataset = dataset[key]
        dataset[path[-1]] = to

    return change


@pytest.mark.parametrize(
    "change",
    [
        _set("version", to="1.0"),
        _set("source", to=""),
        _set("size", to=[1, 5, 3]),
        _set("value", to=[1]),
        _set("status", to={}),
        _set("status", to=[".."]),
        _set("role", to={"time": ["Tid"]}),
        _set("updated", to="2026-10-20"),
        _set("id", to=["ContentsCode", "caller_role_3", "Tid"]),
        _set("note", 0, to=".. = 5"),
        _set("dimension", "Tid", "label", to="value"),
        _set("dimension", "Tid", "label", to="observations"),
        _set("dimension", "Tid", "category", "index", to={"2026K2": 0, "2026K1": 1, "2026K3": 2}),
        _set("dimension", "Tid", "category", "index", to=["2026K1", "2026K2", "2026K3"]),
        _set("dimension", "Tid", "extension", "elimination", to=True),
        _set("dimension", "caller_role_3", "category", "label", "_U", to="Total"),
        _set("dimension", "caller_role_3", "category", "label", "_U", to='a "quoted" one'),
        _set("dimension", "caller_role_3", "extension", "show", to="value_code"),
        _set("dimension", "caller_role_3", "extension", "codelists", to=["agg_x"]),
        _set("dimension", "caller_role_3", "extension", "eliminationValueCode", to="_U"),
        _set("dimension", "ContentsCode", "category", "unit", "kontakter", "decimals", to=1),
        _set("dimension", "ContentsCode", "extension", "refperiod", to={}),
        _set("extension", "noteMandatory", to={}),
        _set("extension", "px", "stub", to=[]),
        _set("extension", "px", "aggregallowed", to=True),
        _set("extension", "px", "subject-code", to=""),
    ],
)
def test_a_dataset_that_breaks_a_rule_is_seen(change):
    dataset = copy.deepcopy(EXPECTED)
    assert broken_rules(dataset, with_figures=True) == []
    change(dataset)
    try:
        assert broken_rules(dataset, with_figures=True) != []
    except (AttributeError, TypeError):
        pass  # an array in place of an object breaks the reader itself, as it breaks clients
