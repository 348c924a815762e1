"""Owns the way from a year's frozen records to its one row file: prepared by the machine, published by a person."""

import hashlib
import logging
import secrets
from collections import Counter
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from helpline import audit
from helpline.models import User
from reports import freeze, gating, release
from reports.claims import filing
from reports.counting import RELEVANT
from reports.disclosure.microdata import GIVES_AWAY, Limits, NoFile, Solution, Tally, search, tally
from reports.disclosure.protect import Parameters
from reports.disclosure.row_file import RowFile, file_of, utility
from reports.disclosure.row_variables import MAINS, QUASIS, SOURCES, place_of
from reports.formats.rows import KEY_BYTES, csv_of
from reports.models import PreparedFile, PublishedFile, Release
from reports.periods import Period, containing
from reports.records import are_erased

log = logging.getLogger(__name__)

YEAR = "year"
READ, SEARCHED, DONE = 60, 90, 100  # per cent, when all months are read, when the levels are found, when it is written
METHOD = "optimal full-domain generalisation, k-anonymity with distinct l-diversity, whole rows left out, random order"


class CannotPublish(Exception):
    """The file cannot be published; `reason` is one of the constants below."""

    YEAR_FIRST, CHANGED = "the release of its year is not published", "it is published, or not the one that was read"

    def __init__(self, reason: str, year: int) -> None:
        super().__init__(f"{year}: {reason}")
        self.reason, self.year = reason, year


def prepare_due(*, today: date, limits: Limits, rule: Parameters) -> list[int]:
    """Prepare the file of every closed year that has none, is not refused one, and that no other worker is at; which.

    A year is closed when it has a release: its months are frozen then, and nothing joins it any more.
    """
    prepared = []
    for start in Release.objects.filter(kind=YEAR, edition=1).order_by("start").values_list("start", flat=True):
        with filing(start.year) as is_mine:
            year = containing(YEAR, start)
            if not is_mine or _is_made(start.year) or are_erased(year):
                continue
            try:
                prepare(year, today=today, limits=limits, rule=rule)
            except gating.CannotAudit as error:
                log.error("the row file of %s: %s", start.year, error)
            else:
                prepared.append(start.year)
    return prepared


def _is_made(year: int) -> bool:
    made = PreparedFile.objects.filter(year=year, percent=DONE)
    return made.exists() or PublishedFile.objects.filter(year=year).exists()


def prepare(year: Period, *, today: date, limits: Limits, rule: Parameters) -> None:
    """Make the file of a closed year, which then waits to be read, or write for good that and why it has none."""
    PreparedFile.objects.update_or_create(year=year.year, defaults={"percent": 0, "prepared_on": today})
    rows = _read(year)
    try:
        solution = search(rows, QUASIS, len(MAINS), limits)
    except NoFile as refused:
        _refuse(year.year, refused.reason, today, limits)
        return
    _tell(year.year, SEARCHED)
    file = file_of(rows, solution, QUASIS, year.year)
    said = utility(rows, solution, QUASIS, limits)

    def gives_away() -> bool:
        return gating.gives_away(year, file, int(str(said["suppressed"])), rule, release.records_of)

    def store(is_given_away: bool) -> None:
        if is_given_away:  # beside the tables it would give somebody away
            _refuse(year.year, GIVES_AWAY, today, limits)
        else:
            PreparedFile.objects.filter(year=year.year).update(**_made(year, file, solution, said, limits))

    gating.pass_alone(gives_away, store)


def _made(year: Period, file: RowFile, solution: Solution, said: dict[str, object], limits: Limits) -> dict[str, Any]:
    """The columns of a file that waits to be read."""
    content = csv_of(file, secrets.token_bytes(KEY_BYTES * file.n))
    digest = hashlib.sha256(content.encode()).hexdigest()
    manifest = {
        **_manifest(year.year, limits),
        "columns": file.columns,
        "levels": {quasi.id: level for quasi, level in zip(QUASIS, solution.levels, strict=True)},
        "sha256": digest,
        "utility": said,
    }
    return {"content": content, "manifest": release.canonical(manifest), "sha256": digest, "percent": DONE}


def _read(year: Period) -> Tally:
    """The relevant contacts of a year, counted month by month in the database."""
    counts: Counter[tuple[int, ...]] = Counter()
    months = year.months()
    for done, month in enumerate(months, 1):
        of_month = freeze.records_in(month).filter(result=RELEVANT).values_list(*SOURCES).annotate(n=Count("key"))
        for *codes, n in of_month.order_by().iterator(chunk_size=2000):
            counts[place_of(month.number, *codes)] += n
        _tell(year.year, READ * done // len(months))
    return tally(counts)


def _tell(year: int, percent: int) -> None:
    PreparedFile.objects.filter(year=year).update(percent=percent)


def _manifest(year: int, limits: Limits) -> dict[str, Any]:
    return {"year": year, "method": METHOD, "parameters": limits.as_dict()}


@transaction.atomic
def _refuse(year: int, reason: str, today: date, limits: Limits) -> None:
    """For good, so that no later run with other limits makes a file of what was not safe."""
    manifest = release.canonical(_manifest(year, limits) | {"refused": reason})
    said = {"refused": reason, "manifest": manifest, "published_on": today}
    PublishedFile.objects.get_or_create(year=year, defaults=said)  # another worker may have been quicker
    PreparedFile.objects.filter(year=year).delete()


def waiting() -> list[PreparedFile]:
    """Those that are being made or wait to be read, oldest first, without their rows."""
    return list(PreparedFile.objects.defer("content").order_by("year"))


def found(year: int) -> PreparedFile | None:
    """The file of a year that waits to be read."""
    return PreparedFile.objects.filter(year=year, percent=DONE).first()


@transaction.atomic
def publish(year: int, *, sha256: str, by: User | None, now: datetime) -> None:
    """Write the prepared file with this SHA-256, for good. `by` is nobody when the demonstration publishes by itself.

    Raises CannotPublish.
    """
    if not Release.objects.filter(kind=YEAR, start=date(year, 1, 1)).exclude(published_on=None).exists():
        raise CannotPublish(CannotPublish.YEAR_FIRST, year)
    prepared = PreparedFile.objects.select_for_update().filter(year=year, percent=DONE, sha256=sha256).first()
    if prepared is None:
        raise CannotPublish(CannotPublish.CHANGED, year)
    PublishedFile.objects.create(
        year=year,
        content=prepared.content,
        manifest=prepared.manifest,
        sha256=prepared.sha256,
        published_on=timezone.localdate(now),
        published_by=by,
    )
    prepared.delete()
    audit.record(by=by, act="file.publish", now=now)
