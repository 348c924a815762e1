"""A small independent reader of what the API writes, and the rules that its clients depend on.

On purpose it shares nothing with the writers, not even the names of the dimensions.
"""

import csv
import io
from itertools import product
from math import prod
from typing import Any

Cells = dict[frozenset[tuple[str, str]], int | str]  # {(dimension, code) of each dimension}: number, or ".." if hidden


def cells_of_jsonstat(dataset: dict[str, Any]) -> Cells:
    """The cells of a dataset, read as a client does: codes in the order of their keys, values row-major over `id`."""
    axes = [[(name, code) for code in dataset["dimension"][name]["category"]["index"]] for name in dataset["id"]]
    places = list(product(*axes))
    assert len(places) == len(dataset["value"]) == prod(dataset["size"])
    cells: Cells = {}
    for number, place in enumerate(places):
        value, status = dataset["value"][number], dataset.get("status", {}).get(str(number))
        assert (value is None) == (status is not None), "a status stands on a cell without figure, and on no other"
        assert value is None or type(value) is int
        cells[frozenset(place)] = status if value is None else value
    return cells


def cells_of_csv(text: str, stub: list[str], heading: list[str], separator: str = ",") -> Cells:
    """The cells of a CSV with codes, whose rows and columns are these dimensions."""
    assert text.endswith("\r\n") and not text.startswith("\ufeff")
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    header, rows = lines[0], lines[1:]
    assert header[: len(stub)] == stub
    cells: Cells = {}
    for row in rows:
        assert len(row) == len(header)
        for title, figure in zip(header[len(stub) :], row[len(stub) :], strict=True):
            place = [*zip(stub, row, strict=False), *zip(heading, title.split(), strict=True)]
            cells[frozenset(place)] = figure if figure == ".." else int(figure)
    return cells


def broken_rules(dataset: dict[str, Any], *, with_figures: bool) -> list[str]:
    """What of the rules for a dataset does not hold; nothing for a good one."""
    broken = [f"no {name}" for name in ("label", "source", "updated", "note") if not dataset.get(name)]
    if (dataset.get("version"), dataset.get("class")) != ("2.0", "dataset"):
        broken.append("version and class")
    ids, dimensions = dataset["id"], dataset["dimension"]
    if list(dimensions) != ids:
        broken.append("the keys of dimension stand in the order of id")
    if dataset["size"] != [len(dimensions[name]["category"]["index"]) for name in ids]:
        broken.append("size")
    if len(dataset["value"]) != (prod(dataset["size"]) if with_figures else 0):
        broken.append("as many values as cells")
    if "status" in dataset and not (with_figures and dataset["status"] and isinstance(dataset["status"], dict)):
        broken.append("status is left out when it is empty")
    if dataset["role"].get("time") != ["Tid"] or dataset["role"].get("metric") != ["ContentsCode"]:
        broken.append("role")
    if not {"Tid", "ContentsCode"} <= set(ids):
        broken.append("time and contents are in every answer")
    labels = [dimensions[name]["label"] for name in ids]
    if len(set(labels)) < len(labels) or "value" in labels:
        broken.append("labels of dimensions are unique and none is 'value'")
    if not dataset["updated"].endswith("Z") or "child" in str(list(dataset)):
        broken.append("updated in UTC")
    for name in ids:
        broken += [f"{name}: {rule}" for rule in _broken_rules_of_dimension(name, dimensions[name])]
    return broken + _broken_rules_of_extension(dataset)


def _broken_rules_of_dimension(name: str, dimension: dict[str, Any]) -> list[str]:
    category, extension = dimension["category"], dimension["extension"]
    broken = []
    if name.isdigit():
        broken.append("an id is never all digits")
    if list(category["index"].values()) != list(range(len(category["index"]))) or not category["index"]:
        broken.append("index counts from 0 in the order of its keys")
    if list(category["label"]) != list(category["index"]):
        broken.append("labels have the keys of index")
    labels = list(category["label"].values())
    if len(set(labels)) < len(labels) or any('"' in label for label in labels):
        broken.append("labels are unique and free of quotes")
    if extension["show"] not in ("value", "code", "code_value"):
        broken.append("show")
    if extension["codelists"] != extension["codeLists"]:
        broken.append("both spellings of the code lists")
    if extension["elimination"] is not (name not in ("Tid", "ContentsCode")):
        broken.append("elimination")
    if extension.get("eliminationValueCode", "_T") != "_T" or (name == "Tid" and "eliminationValueCode" in extension):
        broken.append("eliminationValueCode")
    if name == "Tid" and list(category["index"]) != sorted(category["index"]):
        broken.append("time ascends")
    if name == "ContentsCode":
        keyed = ("refperiod", "measuringType", "priceType", "adjustment")
        if any(list(extension[key]) != list(category["index"]) for key in keyed):
            broken.append("every measure has its extension")
        if any(unit.get("decimals") != 0 or not unit.get("base") for unit in category["unit"].values()):
            broken.append("every measure has its unit")
    if any(set(code) & set(',()[]*?" ') for code in [name, *category["index"]]):
        broken.append("codes are free of what an expression is made of")
    return broken


def _broken_rules_of_extension(dataset: dict[str, Any]) -> list[str]:
    extension, px = dataset["extension"], dataset["extension"]["px"]
    broken = []
    if extension["noteMandatory"].get("0") is not True or "5" not in dataset["note"][0]:
        broken.append("the first note says how it was rounded and is mandatory")
    if any(dataset["note"][0].startswith(sign) for sign in ("..", "-", "*")) or "(" in dataset["note"][0]:
        broken.append("the rounding note is no explanation of a symbol")
    if px["stub"] + px["heading"] != dataset["id"]:
        broken.append("stub and heading are the order of id")
    if px["aggregallowed"] is not False or px["official-statistics"] is not False or px["decimals"] != 0:
        broken.append("px")
    if not all(px.get(name) for name in ("tableid", "matrix", "language", "contents", "subject-code", "subject-area")):
        broken.append("px texts")
    return broken
