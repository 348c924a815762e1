"""Owns the only way to read published figures: `table` gives a PublishedTable, and nothing else makes one."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model, QuerySet

from reports.catalogue import TABLES, TOTAL, Table
from reports.disclosure.protect import HIDDEN, Value
from reports.models import PublishedCell, Release
from reports.periods import Period
from reports.published_table import CONTENTS_CODE, TIME, Dimension, PublishedTable

PUBLISHED = "published"  # the database as a role sees it that may read published rows and nothing else
COLUMNS = ("kind", "start", "end", "edition", "manifest", "sha256", "published_on")
M = TypeVar("M", bound=Model)


class NotPublished(LookupError):
    """The table has no published figures: it is none of the catalogue, or not admitted for any period so far."""


class NoSuchCode(LookupError):
    """A selection names a dimension or a code that the table lacks."""

    def __init__(self, dimension: str, code: str = "") -> None:
        super().__init__(dimension, code)
        self.dimension, self.code = dimension, code


@dataclass(frozen=True, slots=True)
class Edition:
    """What one published release says of itself: its period, its day, its number, its SHA-256, and of each table
    whether it is admitted, its cells and how many of them are shown. `release` is the id of its row."""

    release: int
    period: Period
    published_on: date
    number: int
    sha256: str
    tables: Mapping[str, Mapping[str, int]]

    def admits(self, table: Table) -> bool:
        """Whether the table has figures in it; a table that was declared after it was made has none."""
        return bool(self.tables.get(table.id, {}).get("admitted"))


@dataclass(frozen=True, slots=True)
class Listed:
    """A table with published figures: the editions that have some, every published period from the first of them to
    the last, the day of the last release, and the SHA-256 of the manifests."""

    table: Table
    editions: tuple[Edition, ...]
    periods: tuple[Period, ...]
    updated: date
    release: str


def readable(model: type[M]) -> QuerySet[M]:
    """The rows of a published kind, by the role that may read no others where the settings name one. Whatever an
    evaluator is shown is read by this, columns that are not published left out."""
    return model._default_manager.using(PUBLISHED if PUBLISHED in connections else DEFAULT_DB_ALIAS)


def editions(kind: str = "") -> list[Edition]:
    """The newest published edition of every period, or of those of one kind, in order of time. What an earlier edition
    shows and the newest does not is not shown."""
    releases = readable(Release).exclude(published_on=None).order_by("end", "edition").only(*COLUMNS)
    newest = {release.period: release for release in (releases.filter(kind=kind) if kind else releases)}
    return [
        Edition(release.pk, release.period, release.published_on, release.edition, release.sha256, said["tables"])
        for release in newest.values()
        if release.published_on and (said := json.loads(release.manifest))
    ]


def tables() -> list[Listed]:
    """Every table that has published figures, in the order of the catalogue."""
    of_kind: dict[str, list[Edition]] = {}
    for edition in editions():
        of_kind.setdefault(edition.period.kind, []).append(edition)
    return [found for table in TABLES.values() if (found := _listed(table, of_kind.get(table.period, ())))]


def listed(table_id: str) -> Listed:
    """One table that has published figures. Raises NotPublished."""
    table = TABLES.get(table_id)
    if table is None or (found := _listed(table, editions(table.period))) is None:
        raise NotPublished(table_id)
    return found


def _listed(table: Table, editions: Sequence[Edition]) -> Listed | None:
    """Published periods without figures stand between others with every cell hidden; before the first and after the
    last with figures they are left out. A period that is not published is not there: its figures may still come."""
    admitted = [edition for edition in editions if edition.admits(table)]
    if not admitted:
        return None
    first, last = admitted[0].period, admitted[-1].period
    periods = dict.fromkeys(e.period for e in editions if first.start <= e.period.start <= last.start)
    digest = hashlib.sha256("".join(edition.sha256 for edition in admitted).encode()).hexdigest()
    updated = max(edition.published_on for edition in admitted)
    return Listed(table, tuple(admitted), tuple(periods), updated, digest)


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
    stored = _stored(found, of_class[TIME])
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


def _stored(found: Listed, times: Collection[str]) -> dict[tuple[str, str, str], int | None]:
    """The cells that were published with one of the table's editions."""
    editions = {(e.release, e.period.time_code, e.number) for e in found.editions if e.period.time_code in times}
    cells = readable(PublishedCell).filter(table=found.table.id, period__in=times, release__in=[e[0] for e in editions])
    rows = cells.values_list("release", "period", "edition", "coordinates", "contents", "value")
    return {
        (period, coordinates, contents): value
        for release, period, edition, coordinates, contents, value in rows
        if (release, period, edition) in editions
    }
