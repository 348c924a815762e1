"""Owns the way from frozen records to published cells: prepared by the machine, published by a person, written once."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q

from helpline.models import User
from reports import freeze
from reports.catalogue import PERIODS, TABLES, VARIABLES
from reports.counting import CONTACTS, RELEVANT
from reports.disclosure import protect, tabulate
from reports.disclosure.protect import HIDDEN, Parameters, Value
from reports.disclosure.tabulate import Record
from reports.keys import UnusableKey, fingerprint, release_key
from reports.models import PublishedCell, Release
from reports.periods import PILOT, Period

FIRST = "ja"  # of first_contact
NO_GATE = "not run: the interval gate is not part of this version"
EMBEDDED_KEY = "held by the one process of the embedded profile, which cannot hide it from itself"


class CannotRelease(Exception):
    """The period cannot be released; `reason` is one of the constants below."""

    NOT_FROZEN, PUBLISHED, KEY = "a month is not frozen", "published already", "its key is not the right one"

    def __init__(self, reason: str, period: Period) -> None:
        super().__init__(f"{period.code}: {reason}")
        self.reason, self.period = reason, period


@dataclass(frozen=True, slots=True)
class Rule:
    """What a release is made with: the parameters, the folder of the keys, and whether this is the embedded profile."""

    parameters: Parameters
    keys: Path
    embedded: bool


def records_of(period: Period) -> Iterator[Record]:
    """The frozen records that count in `period`."""
    for row in freeze.records_in(period).prefetch_related("referrals").iterator(chunk_size=2000):
        codes = {name: getattr(row, name) for name in VARIABLES if not name.startswith("referral_")}
        yield Record(
            key=row.key,
            is_relevant=row.result == RELEVANT,
            is_first=row.first_contact == FIRST,
            codes={name: frozenset({code}) if isinstance(code, str) else code for name, code in codes.items()},
            referrals=tuple(vars(referral) for referral in row.referrals.all()),
        )


def prepare(period: Period, *, today: date, rule: Rule) -> Release:
    """Make the candidate of a period whose months are all frozen (empty ones are frozen here); the same one if made.

    Raises CannotRelease.
    """
    if period.kind not in PERIODS or not freeze.freeze_empty_months(period, today=today):
        raise CannotRelease(CannotRelease.NOT_FROZEN, period)
    edition = 1
    if release := Release.objects.filter(kind=period.kind, start=period.start, edition=edition).first():
        return release
    key = _key(period, edition, rule.keys)
    candidate = _candidate(period, key, rule.parameters)
    manifest = _manifest(period, edition, candidate, rule) | {"key_fingerprint": fingerprint(key)}
    release, _made = Release.objects.get_or_create(
        kind=period.kind,
        start=period.start,
        edition=edition,
        defaults={
            "end": period.end,
            "candidate": canonical(candidate),
            "manifest": canonical(manifest),
            "sha256": sha256(manifest),
            "prepared_on": today,
        },
    )
    return release


def _key(period: Period, edition: int, folder: Path) -> bytes:
    """The key of the period's year, or of the pilot: with another one, the same contacts would have two figures.

    Raises CannotRelease.
    """
    is_pilot = period.kind == PILOT
    of_scope = Q(kind=PILOT) if is_pilot else Q(start__year=period.year) & ~Q(kind=PILOT)
    manifests = Release.objects.filter(of_scope, edition=edition).values_list("manifest", flat=True)
    # The first releases carried no fingerprint.
    known = {json.loads(manifest).get("key_fingerprint") for manifest in manifests} - {None}
    try:
        return release_key(folder, PILOT if is_pilot else str(period.year), edition, known=known)
    except UnusableKey as error:
        raise CannotRelease(CannotRelease.KEY, period) from error


def _candidate(period: Period, key: bytes, parameters: Parameters) -> dict[str, Any]:
    """{table: None if not admitted, else {coordinates: {contents: number, None if hidden}}}."""
    records = list(records_of(period))
    tables = [table for table in TABLES.values() if table.period == period.kind]
    totals: dict[str, Value] = {}
    for table in tables:
        if not table.variables:
            total = tabulate.tabulate(table, records).cells[()]
            totals[table.base] = protect.published(total, table, key, parameters)[CONTACTS]
    candidate: dict[str, Any] = {}
    for table in tables:
        values = protect.protect(tabulate.tabulate(table, records), totals[table.base], key, parameters)
        candidate[table.id] = values and {
            "|".join(coordinates): {name: None if value is HIDDEN else value for name, value in of_cell.items()}
            for coordinates, of_cell in values.items()
        }
    return candidate


def _manifest(period: Period, edition: int, candidate: dict[str, Any], rule: Rule) -> dict[str, Any]:
    return {
        "period": period.code,
        "edition": edition,
        "parameters": rule.parameters.as_dict(),
        "method": "frozen counts, threshold, first-contact threshold, density, keyed random rounding",
        "gate": NO_GATE,
        "key": EMBEDDED_KEY if rule.embedded else "held by the release worker",
        "tables": {
            table: {
                "admitted": cells is not None,
                "cells": sum(len(values) for values in (cells or {}).values()),
                "shown": sum(v is not None for values in (cells or {}).values() for v in values.values()),
                "sha256": sha256(cells),
            }
            for table, cells in candidate.items()
        },
    }


def sha256(content: Any) -> str:
    """SHA-256 of the canonical JSON in UTF-8, hexadecimal."""
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def canonical(content: Any) -> str:
    """The one JSON text of `content`: sorted keys, no blanks."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@transaction.atomic
def publish(release: Release, *, by: User | None, today: date) -> int:
    """Write the candidate's cells, for good; how many. `by` is nobody when the demonstration publishes by itself.

    Raises CannotRelease for a release that is out already.
    """
    claimed = Release.objects.filter(pk=release.pk, published_on=None).update(published_on=today, published_by=by)
    if not claimed:
        raise CannotRelease(CannotRelease.PUBLISHED, release.period)
    cells = [
        PublishedCell(
            release=release,
            table=table,
            period=release.period.time_code,
            edition=release.edition,
            coordinates=coordinates,
            contents=contents,
            value=value,
        )
        for table, of_table in json.loads(release.candidate).items()
        for coordinates, values in (of_table or {}).items()
        for contents, value in values.items()
    ]
    return len(PublishedCell.objects.bulk_create(cells, batch_size=1000))
