"""Owns the only way to read published row files: what each year has, and the rows themselves."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from reports.models import PublishedFile
from reports.published import readable

COLUMNS = ("year", "manifest", "sha256", "refused", "published_on")  # not its rows, and not who published it


class NotPublished(LookupError):
    """The year has no published file; `refused` says why, "" if it was not looked at or is not published yet."""

    def __init__(self, year: int, refused: str = "") -> None:
        super().__init__(year)
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Listed:
    """What is known of one year: its file, or why it has none (`refused`; then only the day and the parameters)."""

    year: int
    published_on: date
    refused: str
    sha256: str
    columns: Sequence[str]
    utility: Mapping[str, Any]
    parameters: Mapping[str, int]


def files() -> list[Listed]:
    """Every year that has a file or is refused one, in order."""
    return [_listed(file) for file in readable(PublishedFile).only(*COLUMNS).order_by("year")]


def listed(year: int) -> Listed:
    """The file of a year, without its rows. Raises NotPublished."""
    file = readable(PublishedFile).only(*COLUMNS).filter(year=year).first()
    if file is None or file.refused:
        raise NotPublished(year, file.refused if file else "")
    return _listed(file)


def content(of: Listed) -> str:
    """Its rows: CSV, byte for byte what its SHA-256 is taken of."""
    return readable(PublishedFile).values_list("content", flat=True).get(year=of.year)


def _listed(file: PublishedFile) -> Listed:
    said = json.loads(file.manifest)
    return Listed(
        year=file.year,
        published_on=file.published_on,
        refused=file.refused,
        sha256=file.sha256,
        columns=said.get("columns", ()),
        utility=said.get("utility", {}),
        parameters=said["parameters"],
    )
