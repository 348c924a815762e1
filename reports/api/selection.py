"""Owns what a request selects of a table: the codes of each dimension and their placement in rows and columns. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeVar

from reports.api import expressions, refusals
from reports.api.query import Query
from reports.api.refusals import Refused
from reports.formats.layout import Layout, usual_layout
from reports.published_table import CONTENTS_CODE, TIME, Dimension

MOST_CELLS = 100_000
LATEST = 13  # periods of a default selection
TIME_ALIAS = "time"

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for, as it was written: items by variable, the variables with a code list, the placement."""

    items: Mapping[str, Sequence[str]] = field(default_factory=dict)
    with_codelist: Sequence[str] = ()
    stub: Sequence[str] = ()
    heading: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """Codes by dimension in table order, a dimension that is not there being read at its total; and the layout."""

    codes: Mapping[str, tuple[str, ...]]
    layout: Layout


# --- from the request ---------------------------------------------------------------------------------------------


def read_query(query: Query) -> Asked:
    """What the query of a GET asks for. Raises Refused."""
    items: dict[str, list[str]] = {}
    for variable, of_variable in query.keyed("valuecodes"):
        items.setdefault(variable, []).extend(of_variable)
    return Asked(items, with_codelists(query), query.names("stub"), query.names("heading"))


def with_codelists(query: Query) -> list[str]:
    """The variables that the query names a code list for."""
    return [variable for variable, lists in query.keyed("codelist") if lists]


def read_body(body: Any, query: Query) -> Asked:
    """What the JSON body of a POST asks for, and the code lists of its query. Raises Refused."""
    body = _of_type(dict, body)
    items: dict[str, list[str]] = {}
    with_codelist = with_codelists(query)
    for entry in _of_type(list, body.get("selection")):
        entry = _of_type(dict, entry)
        variable = _of_type(str, entry.get("variableCode"))
        items.setdefault(variable, []).extend(_texts(entry.get("valueCodes")))
        if _of_type(str, entry.get("codelist")):
            with_codelist.append(variable)
    placement = _of_type(dict, body.get("placement"))
    return Asked(items, with_codelist, _texts(placement.get("stub")), _texts(placement.get("heading")))


def _of_type(kind: type[Kind], value: Any) -> Kind:
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise Refused(
            refusals.ILLEGAL_BODY,
            'Write {"selection": [{"variableCode": "…", "valueCodes": ["…"]}],'
            ' "placement": {"stub": ["…"], "heading": ["…"]}}.',
        )
    return value


def _texts(value: Any) -> list[str]:
    return [_of_type(str, text) for text in _of_type(list, value)]


# --- against the table --------------------------------------------------------------------------------------------


def select(asked: Asked, dimensions: Sequence[Dimension], *, most_cells: int = MOST_CELLS) -> Selection:
    """What a request selects of a table with these dimensions; without any item, the default selection.

    Raises Refused.
    """
    by_name = {dimension.id.casefold(): dimension for dimension in dimensions} | {TIME_ALIAS: dimensions[-1]}
    if asked.with_codelist:
        for variable in asked.with_codelist:
            _find(variable, by_name)
        raise refusals.no_codelist()
    codes = _expanded(asked, by_name, dimensions) if asked.items else default_codes(dimensions)
    if prod(len(of_dimension) for of_dimension in codes.values()) > most_cells:
        raise Refused(refusals.TOO_MANY_CELLS, f"At most {most_cells} cells can be fetched at a time; select fewer.")
    return Selection(codes, _placed(asked, by_name, tuple(codes)))


def default_codes(dimensions: Sequence[Dimension]) -> dict[str, tuple[str, ...]]:
    """The default selection: every class variable whole; the latest 13 periods, or the latest one where the table has
    two class variables, or one with several contents; the first contents where it has two class variables."""
    classes = len(dimensions) - 2
    codes = {dimension.id: dimension.codes for dimension in dimensions}
    if classes > 1:
        codes[CONTENTS_CODE] = codes[CONTENTS_CODE][:1]
    is_small = classes == 0 or (classes == 1 and len(codes[CONTENTS_CODE]) == 1)
    codes[TIME] = codes[TIME][-LATEST if is_small else -1 :]
    return codes


def _find(name: str, by_name: Mapping[str, Dimension]) -> Dimension:
    dimension = by_name.get(name.strip().casefold())
    if dimension is None:
        raise Refused(refusals.NO_VARIABLE, "A variable is none of the table's; /tables/{id}/metadata lists them.")
    return dimension


def _expanded(
    asked: Asked, by_name: Mapping[str, Dimension], dimensions: Sequence[Dimension]
) -> dict[str, tuple[str, ...]]:
    chosen: dict[str, set[str]] = {}
    for variable, items in asked.items.items():
        dimension = _find(variable, by_name)
        of_dimension = chosen.setdefault(dimension.id, set())
        for item in items:
            of_dimension.update(expressions.expand(item, dimension.codes, is_time=dimension.id == TIME))
    missing = [name for name in (CONTENTS_CODE, TIME) if not chosen.get(name)]
    if missing:
        raise Refused(
            refusals.MISSING_SELECTION, f"Select at least one code of {' and of '.join(missing)}: they have no total."
        )
    return {
        dimension.id: tuple(code for code in dimension.codes if code in chosen[dimension.id])
        for dimension in dimensions
        if chosen.get(dimension.id)
    }


def _placed(asked: Asked, by_name: Mapping[str, Dimension], ids: tuple[str, ...]) -> Layout:
    if not asked.stub and not asked.heading:
        return usual_layout(ids)
    # A name that is no variable of the table stays as it is, and then is none of the selected ones.
    known = {name: dimension.id for name, dimension in by_name.items()}
    stub, heading = (
        tuple(known.get(name.strip().casefold(), name) for name in names) for names in (asked.stub, asked.heading)
    )
    rest = tuple(name for name in ids if name not in stub and name not in heading)
    if not stub:
        stub, rest = rest, ()
    elif not heading:
        heading, rest = rest, ()
    if sorted(stub + heading) != sorted(ids) or rest:
        raise Refused(
            refusals.ILLEGAL_PLACEMENT, "Stub and heading together must name each selected variable exactly once."
        )
    return Layout(stub, heading)
