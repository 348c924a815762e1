"""Owns the way from frozen records to published cells: prepared by the machine, published by a person, written once."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from helpline import audit, traffic
from helpline.models import User
from reports import freeze, gating
from reports.catalogue import PERIODS, TABLES, VARIABLES
from reports.counting import CONTACTS, RELEVANT
from reports.disclosure import protect, tabulate
from reports.disclosure.protect import HIDDEN, Parameters, Value
from reports.disclosure.tabulate import Record
from reports.keys import KeyDestroyed, UnusableKey, agreed_key, fingerprint
from reports.models import PublishedCell, Release
from reports.periods import PILOT, Period
from reports.records import are_erased

FIRST = "ja"  # of first_contact
METHOD = (
    "frozen counts, threshold, first-contact threshold, density, keyed random rounding, interval gate; calls: nearest"
)
# What a manifest says of the gate; releases made before there was one say something else.
GATE_PASSED = "passed: each small number and complement can be 0 to k - 1, for all that is published together"
GATE_STANDING = "passed; without it, other releases give a small number away"
EMBEDDED_KEY = "held by the one process of the embedded profile, which cannot hide it from itself"


class CannotRelease(Exception):
    """The period cannot be released; `reason` is one of the constants below."""

    NOT_FROZEN, PUBLISHED, KEY = "a month is not frozen", "published already", "its key is not the right one"
    NO_KEYS = "this process has no folder of keys"
    DESTROYED = "its key is destroyed"
    NO_EDITION = "only a published year has a next edition, one at a time"
    NO_GATE = "the gate has not passed it"
    RECORDS = "its records are not those of the releases beside it"
    LACKS_CALLS = "calls were loaded after it was prepared"
    ERASED = "its records are erased"

    def __init__(self, reason: str, period: Period) -> None:
        super().__init__(f"{period.code}: {reason}")
        self.reason, self.period = reason, period


@dataclass(frozen=True, slots=True)
class Rule:
    """What a release is made with: the parameters, the folder of the keys (None where the process has none, as a web
    process), and whether this is the embedded profile."""

    parameters: Parameters
    keys: Path | None
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
    """Make the candidate of a period whose months are all frozen (empty ones are frozen here); the same one if made,
    prepared anew if it lacks calls that came later.

    Raises CannotRelease.
    """
    if period.kind not in PERIODS or not freeze.freeze_empty_months(period, today=today):
        raise CannotRelease(CannotRelease.NOT_FROZEN, period)
    release = _prepared(period, 1, today, rule)
    return renew(release, today=today, rule=rule) if is_outdated(release) else release


def renew(release: Release, *, today: date, rule: Rule) -> Release:
    """Make an outdated candidate anew, unless it is published by now. Raises CannotRelease."""

    def look() -> dict[str, Any]:
        release.refresh_from_db()
        return _made(release.period, release.edition, today, rule) if is_outdated(release) else {}

    def store(made: dict[str, Any]) -> None:
        if made:
            Release.objects.filter(pk=release.pk, published_on=None).update(**made)

    gating.pass_alone(look, store)
    release.refresh_from_db()
    return release


def prepare_edition(
    period: Period, edition: int, *, requested_by: User, approved_by: User, today: date, rule: Rule
) -> Release:
    """Make the candidate of a later edition from the same records, under a new key; the same one if made.

    Raises CannotRelease.
    """
    earlier = Release.objects.filter(kind=period.kind, start=period.start, edition=edition - 1)
    if not earlier.exclude(published_on=None).exists():
        raise CannotRelease(CannotRelease.NO_EDITION, period)
    return _prepared(period, edition, today, rule, requested_by=requested_by, approved_by=approved_by)


def _prepared(period: Period, edition: int, today: date, rule: Rule, **people: User) -> Release:
    if release := Release.objects.filter(kind=period.kind, start=period.start, edition=edition).first():
        return release
    which = {"kind": period.kind, "start": period.start, "edition": edition}

    def look() -> dict[str, Any]:
        if Release.objects.filter(**which).exists():  # another worker was quicker
            return {}
        return {"end": period.end, **_made(period, edition, today, rule), **people}

    return gating.pass_alone(look, lambda made: Release.objects.get_or_create(**which, defaults=made)[0])


def _made(period: Period, edition: int, today: date, rule: Rule) -> dict[str, Any]:
    """What is prepared of a period, as the columns of its release. Raises CannotRelease."""
    if are_erased(period):
        raise CannotRelease(CannotRelease.ERASED, period)
    key = _key(period, edition, rule.keys)
    candidate = _candidate(period, key, rule.parameters)
    try:
        standing = gating.withhold(period, edition, candidate, rule.parameters, records_of)
    except gating.CannotAudit as error:
        raise CannotRelease(CannotRelease.RECORDS, period) from error
    manifest = _manifest(period, edition, candidate, rule) | {
        "key_fingerprint": fingerprint(key),
        "gate": GATE_STANDING if standing else GATE_PASSED,
    }
    return {
        "candidate": canonical(candidate),
        "manifest": canonical(manifest),
        "sha256": sha256(manifest),
        "prepared_on": today,
    }


def scope_of(period: Period) -> str:
    """Whose key a period is rounded with: its year's, or the pilot's."""
    return PILOT if period.kind == PILOT else str(period.year)


def releases_of(scope: str, edition: int) -> QuerySet[Release]:
    """The releases that are made with one key."""
    made_with = Q(kind=PILOT) if scope == PILOT else Q(start__year=int(scope)) & ~Q(kind=PILOT)
    return Release.objects.filter(made_with, edition=edition)


def _key(period: Period, edition: int, folder: Path | None) -> bytes:
    """The key of the period's year, or of the pilot: with another one, the same contacts would have two figures.

    Raises CannotRelease.
    """
    if folder is None:
        raise CannotRelease(CannotRelease.NO_KEYS, period)
    scope = scope_of(period)
    manifests = releases_of(scope, edition).values_list("manifest", flat=True)
    # The first releases carried no fingerprint.
    known = {json.loads(manifest).get("key_fingerprint") for manifest in manifests} - {None}
    try:
        return agreed_key(folder, scope, edition, known=known)
    except KeyDestroyed as error:
        raise CannotRelease(CannotRelease.DESTROYED, period) from error
    except UnusableKey as error:
        raise CannotRelease(CannotRelease.KEY, period) from error


def _candidate(period: Period, key: bytes, parameters: Parameters) -> dict[str, Any]:
    """{table: None if not admitted, else {coordinates: {contents: number, None if hidden}}}."""
    records = list(records_of(period))
    tables = [table for table in TABLES.values() if table.period == period.kind]
    totals: dict[str, Value] = {}
    for table in tables:
        if not table.variables and not table.counts_calls:
            total = tabulate.tabulate(table, records).cells[()]
            totals[table.base] = protect.published(total, table, key, parameters)[CONTACTS]
    candidate: dict[str, Any] = {}
    for table in tables:
        if table.counts_calls:
            values = protect.protect_calls(freeze.calls_in(period), parameters)
        else:
            values = protect.protect(tabulate.tabulate(table, records), totals[table.base], key, parameters)
        candidate[table.id] = _plain(values)
    return candidate


def _plain(values: Mapping[tuple[str, ...], Mapping[str, Value]] | None) -> dict[str, dict[str, int | None]] | None:
    if values is None:
        return None
    return {
        "|".join(coordinates): {name: None if value is HIDDEN else value for name, value in of_cell.items()}
        for coordinates, of_cell in values.items()
    }


def _manifest(period: Period, edition: int, candidate: dict[str, Any], rule: Rule) -> dict[str, Any]:
    return {
        "period": period.code,
        "edition": edition,
        "parameters": rule.parameters.as_dict(),
        "method": METHOD,
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


def lacks_gate(release: Release) -> bool:
    """Whether the gate has not looked at it together with everything that is published or prepared beside it."""
    return release.published_on is None and json.loads(release.manifest)["gate"] not in (GATE_PASSED, GATE_STANDING)


def is_outdated(release: Release) -> bool:
    """Whether it must be prepared anew: calls came later, or it was prepared when there was no gate."""
    return lacks_gate(release) or lacks_calls(release)


def lacks_calls(release: Release) -> bool:
    """Whether calls of its period were loaded after it was prepared: it waits until it is prepared anew."""
    if release.published_on:
        return False
    candidate, manifest = json.loads(release.candidate), json.loads(release.manifest)
    (table,) = (table for table in TABLES.values() if table.counts_calls and table.period == release.kind)
    now = protect.protect_calls(freeze.calls_in(release.period), Parameters(**manifest.get("parameters", {})))
    return bool(candidate.get(table.id) != _plain(now))


@traffic.says_what_is_published
def published_months(months: Collection[date]) -> set[date]:
    """Those of `months`, given by their first days, that a published period covers."""
    spans = list(Release.objects.exclude(published_on=None).values_list("start", "end").distinct())
    return {month for month in months if any(start <= month < end for start, end in spans)}


@transaction.atomic
def publish(release: Release, *, by: User | None, now: datetime) -> int:
    """Write the candidate's cells, for good; how many. `by` is nobody when the demonstration publishes by itself.

    Raises CannotRelease for a release that is out already, or waits for the gate or for its calls.
    """
    traffic.hold()
    if lacks_gate(release):
        raise CannotRelease(CannotRelease.NO_GATE, release.period)
    out = {"published_on": timezone.localdate(now), "published_by": by}
    if lacks_calls(release):
        raise CannotRelease(CannotRelease.LACKS_CALLS, release.period)
    if not Release.objects.filter(pk=release.pk, published_on=None, sha256=release.sha256).update(**out):
        is_out = Release.objects.filter(pk=release.pk).exclude(published_on=None).exists()
        raise CannotRelease(CannotRelease.PUBLISHED if is_out else CannotRelease.LACKS_CALLS, release.period)
    audit.record(by=by, act="release.publish", now=now)
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
