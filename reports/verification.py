"""Owns the proof that what is read is what was published: stored cells against the hashes of their manifest."""

import hashlib
import json
from typing import Any

from reports.models import PublishedCell, PublishedFile, Release
from reports.release import sha256

MANIFEST, ROW_FILE = "manifest", "row file"


def wrong_tables() -> list[tuple[str, str]]:
    """(code of the period, id of the table) of each published table whose cells are not those that the manifest has the
    SHA-256 of, and of cells whose release is not published; MANIFEST stands for a manifest that is not that of its own
    SHA-256, ROW_FILE for the rows of a year that are not those of theirs. Names only, never a value.
    """
    releases = Release.objects.defer("candidate").order_by("end", "start", "edition")
    of_releases = [
        (release.period.code, table)
        for release in releases
        for table in (_wrong_tables(release) if release.published_on else _tables_with_cells(release))
    ]
    return of_releases + [(str(file.year), ROW_FILE) for file in _wrong_files()]


def _wrong_files() -> list[PublishedFile]:
    files = PublishedFile.objects.filter(refused="").order_by("year")
    return [file for file in files.iterator(chunk_size=1) if _digests(file) != {file.sha256}]


def _digests(file: PublishedFile) -> set[str]:
    return {hashlib.sha256(file.content.encode()).hexdigest(), json.loads(file.manifest)["sha256"]}


def _tables_with_cells(release: Release) -> list[str]:
    # Asked once more in the same statement: it may be published at this moment, which is no fault.
    cells = PublishedCell.objects.filter(release=release, release__published_on=None)
    return sorted(cells.values_list("table", flat=True).distinct())


def _wrong_tables(release: Release) -> list[str]:
    if hashlib.sha256(release.manifest.encode()).hexdigest() != release.sha256:
        return [MANIFEST]
    declared = {table: said["sha256"] for table, said in json.loads(release.manifest)["tables"].items()}
    stored: dict[str, dict[str, dict[str, Any]]] = {}
    strays = set()
    rows = PublishedCell.objects.filter(release=release)
    for row in rows.values_list("table", "period", "edition", "coordinates", "contents", "value"):
        table, *of_release, coordinates, contents, value = row
        if of_release != [release.period.time_code, release.edition]:
            strays.add(table)
        stored.setdefault(table, {}).setdefault(coordinates, {})[contents] = value
    changed = {table for table in declared | stored if sha256(stored.get(table)) != declared.get(table)}
    return sorted(changed | strays)
