"""Fetches everything that an evaluator can: the black box's own words, and no line of the product.

All that is known of a table is what the API says of it.
"""

import csv
import io
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, NamedTuple

from django.test import Client

API = "/api/px/v2/tables"
HIDDEN = None


class Key(NamedTuple):
    """One published number: the table without its period, a code of each variable, what is counted, and when."""

    family: str
    codes: tuple[str, ...]
    contents: str
    time: str


@dataclass
class Crawl:
    """Every number of every table, hidden ones as None; the codes of each family of tables; and the answers as they
    came: {address: (headers, body)}."""

    cells: dict[Key, int | None] = field(default_factory=dict)
    variables: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    answers: dict[str, tuple[Mapping[str, str], bytes]] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    unequal: list[str] = field(default_factory=list)  # cells that two formats do not agree on

    def families(self) -> set[str]:
        return {key.family for key in self.cells}


def family_of(table: str) -> str:
    return table.rpartition("-")[0]


def everything(client: Client, *, csv_too: bool = True) -> Crawl:
    """All tables with all their cells, as JSON-stat and, to compare, as CSV."""
    crawl = Crawl()
    listing = fetch(client, crawl, f"{API}?pageSize=1000")
    crawl.tables = [entry["id"] for entry in json.loads(listing)["tables"]]
    for address in ("/api/px/v2/config", "/api/v1/files/"):
        fetch(client, crawl, address)
    for table in crawl.tables[::10]:
        fetch(client, crawl, f"{API}/{table}")
        fetch(client, crawl, f"{API}/{table}/defaultselection")
    for table in crawl.tables:
        metadata = json.loads(fetch(client, crawl, f"{API}/{table}/metadata"))
        query = "&".join(f"valueCodes[{name}]=*" for name in metadata["id"])
        cells = cells_of_jsonstat(json.loads(fetch(client, crawl, f"{API}/{table}/data?{query}")))
        names = [name for name in metadata["id"] if name not in ("ContentsCode", "Tid")]
        codes = {name: tuple(metadata["dimension"][name]["category"]["index"]) for name in names}
        crawl.variables.setdefault(family_of(table), codes)
        for place, value in cells.items():
            *of_cell, contents, period = place
            crawl.cells[Key(family_of(table), tuple(of_cell), contents, period)] = value
        if csv_too:
            text = fetch(client, crawl, f"{API}/{table}/data?{query}&outputFormat=csv").decode()
            if list(cells_of_csv(text)) != list(cells.values()):
                crawl.unequal.append(table)
    return crawl


def fetch(client: Client, crawl: Crawl, address: str) -> bytes:
    response = answer(client, address)
    assert response.status_code == 200, (address, response.content)
    crawl.answers[address] = (dict(response.headers), response.content)
    return response.content


def answer(client: Client, address: str, **rest: Any) -> Any:
    """The answer to a GET; one who is told to wait waits."""
    while True:
        response = client.get(address, **rest)
        if response.status_code != 429:
            return response
        time.sleep(1)


def cells_of_jsonstat(dataset: Mapping[str, Any]) -> dict[tuple[str, ...], int | None]:
    """By its definition: row-major over `id`, codes in the order of their index; in the order of variables, contents,
    time, as the API lays out a table that nobody asked to be turned."""
    axes = []
    for name in dataset["id"]:
        index = dataset["dimension"][name]["category"]["index"]
        axes.append(sorted(index, key=index.get))
    if dataset["id"][0] == "ContentsCode":  # a table without variables
        assert dataset["id"] == ["ContentsCode", "Tid"]
    places = product(*axes)
    return dict(zip(places, dataset["value"], strict=True))


def cells_of_csv(text: str) -> Iterator[int | None]:
    header, *lines = csv.reader(io.StringIO(text, newline=""))
    figures = sum(1 for title in header if " " in title) or len(header) - 1
    for line in lines:
        yield from (None if figure == ".." else int(figure) for figure in line[-figures:])
