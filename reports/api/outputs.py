"""Owns which file formats the API writes, and how a request names one. A new format is one entry. Pure."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from reports.api.query import Query
from reports.api.refusals import NO_FORMAT, Refused
from reports.formats import csv, jsonstat
from reports.formats.layout import Layout
from reports.published_table import PublishedTable

JSON = "application/json; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Output:
    """One format: its content type, the ending of its files, the parameters it takes, and its writer."""

    content_type: str
    ending: str
    parameters: tuple[str, ...]
    write: Callable[[PublishedTable, Layout, str, Sequence[str]], str]


def json_text(content: object) -> str:
    """JSON with its keys in the order they have: clients read it."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


OUTPUTS: Mapping[str, Output] = {
    "json-stat2": Output(
        JSON, "json", (), lambda table, layout, language, _: json_text(jsonstat.dataset(table, layout, language))
    ),
    "csv": Output(
        "text/csv; charset=utf-8",
        "csv",
        csv.PARAMETERS,
        lambda table, layout, language, parameters: csv.text(table, layout, language, csv.style_of(parameters)),
    ),
}
DEFAULT = "json-stat2"


def read_output(query: Query) -> tuple[Output, list[str]]:
    """The format that a query asks for, and its parameters. Raises Refused."""
    output = OUTPUTS.get(query.text("outputFormat").casefold() or DEFAULT)
    if output is None:
        raise Refused(NO_FORMAT, f"The parameter outputFormat must be one of {', '.join(OUTPUTS)}.")
    known = {name.casefold(): name for name in output.parameters}
    parameters = [known.get(name.casefold()) for name in query.names("outputFormatParams")]
    if None in parameters:
        allowed = f"only {', '.join(output.parameters)}" if output.parameters else "none"
        raise Refused(NO_FORMAT, f"Of outputFormatParams this format takes {allowed}.")
    return output, [name for name in parameters if name is not None]
