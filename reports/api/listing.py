"""Owns the list of tables: what is said of each, which ones a search finds, and its pages."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from helpline.taxonomy import CODE_LISTS
from reports.api.query import LANGUAGES, Query
from reports.api.refusals import ILLEGAL_PARAMETER, NO_PAGE, Refused
from reports.catalogue import TABLES
from reports.formats import wording
from reports.published import Listed, dimensions
from reports.published_table import TIME, code_label, dimension_label, title

PAGE_SIZE = 20
TIME_UNITS = {"month": "Monthly", "quarter": "Quarterly", "year": "Annual"}


def entry(listed: Listed, language: str, tables_url: str) -> dict[str, Any]:
    """What the list says of a table. `tables_url` is the absolute address of the list."""
    table, subject = listed.table, wording.subject_of(listed.table)
    return {
        "id": table.id,
        "label": title(table, language),
        "description": _description(listed, language),
        "sortCode": f"{list(TABLES).index(table.id):03}",
        "updated": f"{listed.updated.isoformat()}T00:00:00Z",
        "firstPeriod": listed.periods[0].time_code,
        "lastPeriod": listed.periods[-1].time_code,
        "category": "private",
        "variableNames": [dimension_label(table, dimension.id, language) for dimension in dimensions(listed)],
        "discontinued": False,
        "source": wording.SOURCE[language],
        "subjectCode": subject,
        "timeUnit": TIME_UNITS.get(table.period, "Other"),
        "paths": [[{"id": subject, "label": wording.SUBJECTS[subject][language], "sortCode": subject}]],
        "links": links(f"{tables_url}/{table.id}", language),
    }


def links(table_url: str, language: str) -> list[dict[str, str]]:
    """A table in this language and the others, its metadata and its data."""
    alternates = [link("alternate", table_url, other) for other in LANGUAGES if other != language]
    return [
        link("self", table_url, language),
        *alternates,
        link("metadata", f"{table_url}/metadata", language),
        link("data", f"{table_url}/data", language),
    ]


def link(rel: str, url: str, language: str, **parameters: Any) -> dict[str, str]:
    query = urlencode({"lang": language} | parameters)
    return {"rel": rel, "hreflang": language, "href": f"{url}?{query}"}


def _description(listed: Listed, language: str) -> str:
    return " ".join(CODE_LISTS[variable.id].definition(language) for variable in listed.table.variables)


def found(tables: Sequence[Listed], query: Query, language: str, *, today: date) -> list[Listed]:
    """The tables in which every word of `query` occurs, updated within `pastDays`. Raises Refused."""
    words = query.text("query").casefold().split()
    past_days = query.number("pastDays", 0)
    if query.text("pastDays") and past_days < 1:
        raise Refused(ILLEGAL_PARAMETER, "The parameter pastDays must be 1 or more.")
    since = today - timedelta(days=min(past_days, 36_500)) if past_days else date.min
    recent = [listed for listed in tables if listed.updated >= since]
    return [listed for listed in recent if not words or all(w in _all_words(listed, language) for w in words)]


def _all_words(listed: Listed, language: str) -> str:
    table = listed.table
    words = [table.id, title(table, language), _description(listed, language), wording.SOURCE[language]]
    for dimension in dimensions(listed):
        words += [dimension.id, dimension_label(table, dimension.id, language), *dimension.codes]
        if dimension.id != TIME:
            words += [code_label(table, dimension.id, code, language) for code in dimension.codes]
    words += [period.label(language) for period in listed.periods]
    return "\n".join(words).casefold()


def page(tables: Sequence[Listed], query: Query, language: str, tables_url: str) -> dict[str, Any]:
    """One page of the list. Raises Refused."""
    size = query.number("pageSize", PAGE_SIZE)
    size = size if size > 0 else PAGE_SIZE
    number, last = query.number("pageNumber", 1), max(1, -(-len(tables) // size))
    if not 1 <= number <= last:
        raise Refused(NO_PAGE, "The pages are numbered from 1; totalPages says how many there are.", 404)
    asked = {name: query.text(name) for name in ("query", "pastDays", "includeDiscontinued") if query.text(name)}

    def at(rel: str, place: int) -> dict[str, str]:
        return link(rel, tables_url, language, **asked, pageNumber=place, pageSize=size)

    neighbours = [at("next", number + 1)] * (number < last) + [at("previous", number - 1)] * (number > 1)
    shown = tables[(number - 1) * size : number * size]
    return {
        "language": language,
        "tables": [entry(listed, language, tables_url) for listed in shown],
        "page": {
            "pageNumber": number,
            "pageSize": size,
            "totalElements": len(tables),
            "totalPages": last,
            "links": [*neighbours, at("last", last)],
        },
        "links": [at("self", number)],
    }
