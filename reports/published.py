"""Owns the only way to read published figures: `table` gives a PublishedTable, and nothing else makes one."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product

from reports.catalogue import TABLES, TOTAL, Table
from reports.disclosure.protect import HIDDEN, Value
from reports.models import PublishedCell, Release
from reports.periods import PILOT, Period
from reports.published_table import CONTENTS_CODE, TIME, Dimension, PublishedTable


class NotPublished(LookupError):
    """The table has no published figures: it is none of the catalogue, or not admitted for any period so far."""


class NoSuchCode(LookupError):
    """A selection names a dimension or a code that the table lacks."""

    def __init__(self, dimension: str, code: str = "") -> None:
        super().__init__(dimension, code)
        self.dimension, self.code = dimension, code


@dataclass(frozen=True, slots=True)
class Listed:
    """A table with published figures: the periods from its first to its last without a gap, and the last release."""

    table: Table
    periods: tuple[Period, ...]
    updated: date
    release: str


def tables() -> list[Listed]:
    """Every table that has published figures, in the order of the catalogue."""
    releases = list(Release.objects.exclude(published_on=None).order_by("start", "edition").defer("candidate"))
    return [listed for table in TABLES.values() if (listed := _listed(table, releases))]


def listed(table_id: str) -> Listed:
    """One table that has published figures. Raises NotPublished."""
    table = TABLES.get(table_id)
    if table is None:
        raise NotPublished(table_id)
    releases = Release.objects.exclude(published_on=None).filter(kind=table.period).order_by("start", "edition")
    if (found := _listed(table, releases.defer("candidate"))) is None:
        raise NotPublished(table_id)
    return found


def _listed(table: Table, releases: Iterable[Release]) -> Listed | None:
    """Periods without figures stand between others with every cell hidden; before the first they are left out."""
    admitted = [
        r for r in releases if r.kind == table.period and json.loads(r.manifest)["tables"][table.id]["admitted"]
    ]
    if not admitted:
        return None
    periods = [admitted[0].period]
    while table.period != PILOT and periods[-1].start < admitted[-1].start:
        periods.append(periods[-1].next())
    digest = hashlib.sha256("".join(release.sha256 for release in admitted).encode()).hexdigest()
    return Listed(table, tuple(periods), max(r.published_on for r in admitted if r.published_on), digest)


def table(table_id: str, selection: Mapping[str, Sequence[str]] | None = None) -> PublishedTable:
    """The published figures of a table. `selection` gives the codes wanted of each dimension; of a class variable that
    it leaves out the published total is read, and the dimension is gone; no selection means everything.

    Raises NotPublished and NoSuchCode.
    """
    return read(listed(table_id), selection)


def read(found: Listed, selection: Mapping[str, Sequence[str]] | None = None) -> PublishedTable:
    """`table`, for a table that is listed already."""
    whole = dimensions(found)
    chosen = whole if selection is None else _chosen(whole, selection)
    of_class = {dimension.id: dimension.codes for dimension in chosen}
    axes = [of_class.get(variable.id, (TOTAL,)) for variable in found.table.variables]
    stored = _stored(found.table, of_class[TIME])
    values: list[Value] = []
    for place in product(*axes, of_class[CONTENTS_CODE], of_class[TIME]):
        *codes, contents, time = place
        value = stored.get((time, "|".join(codes), contents))
        values.append(HIDDEN if value is None else value)
    periods = {period.time_code: period for period in found.periods}
    return PublishedTable(found.table, chosen, tuple(values), periods, found.updated, found.release)


def dimensions(found: Listed) -> tuple[Dimension, ...]:
    """All dimensions of a table with all their codes: class variables, ContentsCode, Tid."""
    classes = [Dimension(variable.id, (TOTAL, *variable.codes)) for variable in found.table.variables]
    contents = Dimension(CONTENTS_CODE, found.table.contents)
    return (*classes, contents, Dimension(TIME, tuple(period.time_code for period in found.periods)))


def _chosen(whole: Sequence[Dimension], selection: Mapping[str, Sequence[str]]) -> tuple[Dimension, ...]:
    names = {dimension.id for dimension in whole}
    if unknown := [name for name in selection if name not in names]:
        raise NoSuchCode(unknown[0])
    chosen = []
    for dimension in whole:
        wanted = selection.get(dimension.id)
        if wanted is None and dimension.id not in (CONTENTS_CODE, TIME):
            continue
        if wanted is not None and (unknown := [code for code in wanted if code not in dimension.codes]):
            raise NoSuchCode(dimension.id, unknown[0])
        kept = dimension.codes if wanted is None else tuple(code for code in dimension.codes if code in set(wanted))
        chosen.append(Dimension(dimension.id, kept))
    return tuple(chosen)


def _stored(of: Table, times: Iterable[str]) -> dict[tuple[str, str, str], int | None]:
    cells = PublishedCell.objects.filter(table=of.id, period__in=list(times)).order_by("edition")
    rows = cells.values_list("period", "coordinates", "contents", "value")
    return {(period, coordinates, contents): value for period, coordinates, contents, value in rows}
