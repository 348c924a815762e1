"""Makes what is attacked: contacts whose truth is known, brought in by a file, frozen, published by every period."""

import csv
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from unittest.mock import patch

from django.core.management import call_command
from django.db import models
from django.utils import timezone

from helpline import synthetic
from helpline.entries import ContactEntry
from helpline.models import DaySeal
from reports import freeze, release, row_files
from reports.disclosure.microdata import Limits
from reports.disclosure.protect import Parameters
from reports.models import PublishedCell, PublishedFile, Release, StatRecord, StatReferral
from reports.periods import PILOT, Period, containing
from tests.oracle import Row

YEAR = 2019
KINDS = "month quarter half-year year"
NOT_ASKED_OF = "ej_till"
COLUMNS = (
    *("key", "day", "channel", "result", "length", "caller_role", "sector", "relation", "caller_gender"),
    *("caller_adult", "first_contact", "concerns", "environment", "gang_overlap", "age", "gender", "county"),
    *("needs", "motivation", "plan", "barriers", "actions", "reports_made", "referrals"),
    *("awareness", "language", "language_support", "urgency"),
)


@dataclass(frozen=True)
class World:
    """Contacts as rows of an import file, the months that they lie in, the kinds of periods that are published of them,
    and the pilot, where they have one."""

    name: str
    rows: tuple[Row, ...]
    months: tuple[Period, ...]
    kinds: str = KINDS
    pilot: Period | None = None

    @property
    def relevant(self) -> list[Row]:
        return [row for row in self.rows if row["result"] == "relevant"]

    @property
    def periods(self) -> list[Period]:
        """Every month, quarter, half-year and year that lies in the months whole, the longer after what they hold; the
        pilot last."""
        start, end, kinds = self.months[0].start, self.months[-1].end, self.kinds.split()
        found = {containing(kind, month.start): kind for month in self.months for kind in kinds}
        whole = [period for period in found if start <= period.start and period.end <= end]
        calendar = sorted(whole, key=lambda period: (period.end, kinds.index(period.kind)))
        return [*calendar, self.pilot] if self.pilot else calendar


def months_of(number: int, year: int = YEAR) -> tuple[Period, ...]:
    return containing("year", date(year, 1, 1)).months()[:number]


def row_of(key: str, entry: ContactEntry) -> Row:
    """The row of an import file that makes this contact."""
    answers = {question: "|".join(sorted(codes)) for question, codes in entry.answers.items()}
    plain = {question: "" if text == NOT_ASKED_OF else text for question, text in answers.items()}
    referrals = "|".join(f"{one.target}:{one.type}:{one.outcome}" for one in entry.referrals)
    row = {"key": key, "day": entry.day.isoformat(), "referrals": referrals} | plain
    return {column: row.get(column, "") for column in COLUMNS}


def drawn(relevant: int, months: int, seed: int, of_pilot: int = 0, kinds: str = KINDS) -> World:
    """Made-up contacts, so many of them relevant, spread over so many months: an even sample of a larger crowd. The
    last `of_pilot` of the months are the pilot; periods of these `kinds` are published."""
    rng, span = Random(f"attacks {relevant} {months} {seed}"), months_of(months)
    rows = [row_of(key, entry) for key, entry in _crowd(relevant, months, seed)]
    rng.shuffle(rows)
    kept, left = [], relevant
    for row in rows:
        if row["result"] == "relevant" and left == 0:
            break
        left -= row["result"] == "relevant"
        kept.append(row)
    kept.sort(key=lambda row: (row["day"], row["key"]))
    pilot = Period(PILOT, span[-of_pilot].start, span[-1].end) if of_pilot else None
    name = (
        f"{relevant}/{months}, seed {seed}"
        + (", pilot" if pilot else "")
        + (f", {kinds} alone" if kinds != KINDS else "")
    )
    return World(name, tuple(kept), span, kinds, pilot)


def _crowd(relevant: int, months: int, seed: int) -> Iterator[tuple[str, ContactEntry]]:
    span = months_of(months)
    a_month = max(10, 3 * relevant // months)
    return synthetic.entries(seed=seed, since=span[0].start, until=span[-1].end, contacts_a_month=a_month)


# --- made by hand ---------------------------------------------------------------------------------------------------


def by_hand() -> World:
    """What a secret is lost by first: an empty region and one with a single contact, cells of one, codes that all of a
    month have, a month of one contact, and two callers of whom one called five times, the other six with rare codes."""
    base = {
        **dict.fromkeys(COLUMNS, ""),
        **dict(channel="telefon", result="relevant", length="15_29", caller_role="narstaende", relation="foralder"),
        **dict(caller_gender="k", caller_adult="vuxen", first_contact="ja", concerns="dras_in", gang_overlap="nej"),
        **dict(environment="islamistisk", age="a15_17", gender="m", county="01", needs="s_familj", motivation="m0"),
        **dict(plan="nej", barriers="sluter", actions="lyssnat", reports_made="ej_akt", awareness="webb"),
        **dict(language="sv", language_support="ej_behov", urgency="lag"),
    }
    rows: list[Row] = []

    def add(number: int, month: int, **codes: str) -> None:
        for _ in range(number):
            place = len(rows)
            rows.append(base | {"key": f"by hand {place}", "day": f"{YEAR}-{month:02}-{1 + place % 28:02}"} | codes)

    for month in (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12):
        add(6, month)
        add(5, month, caller_role="yrkes", sector="skola", relation="yrkesrel", county="14", environment="hogerext")
        add(2, month, result="info", caller_role="yrkes", sector="skola", **NOTHING_ABOUT)
    add(1, 4, county="14")  # a month of one contact
    add(8, 9, gender="m", age="a15_17", environment="islamistisk")  # everybody in the cell has the same
    add(1, 6, gender="a", caller_role="sjalv", relation="sjalv", county="23", environment="flera")  # a cell of one
    five = dict(first_contact="nej", concerns="hot", county="22", urgency="snart", needs="", motivation="", plan="")
    add(5, 10, **five)  # one caller, five times
    add(6, 11, **RETURNING)  # and one who fills cells that nobody else is in
    return World("by hand", tuple(sorted(rows, key=lambda row: row["day"])), months_of(12))


NOTHING_ABOUT = dict.fromkeys(
    ("relation", "first_contact", "concerns", "environment", "gang_overlap", "age", "gender", "county", "needs")
    + ("motivation", "plan", "barriers", "reports_made"),
    "",
)
RETURNING = dict(
    **dict(caller_role="ideell", relation="partner", caller_gender="a", first_contact="nej", concerns="aterfall|resa"),
    **dict(environment="gang", gang_overlap="ja", age="a26", gender="k", county="25", needs="p_bostad|s_barn"),
    **dict(motivation="m4", plan="ja", barriers="finans|obalans", actions="akut|genomgang", urgency="akut"),
    **dict(reports_made="pol_linje", awareness="tryck", language="so", language_support="tolk"),
    **dict(referrals="bostad:formedling:startad"),
)


# --- the road -------------------------------------------------------------------------------------------------------


@contextmanager
def drawn_by(seed: str) -> Iterator[None]:
    """The keys of records and releases come from a seed: the same world is rounded the same way in every run."""
    draw = Random(seed)

    def token_hex(length: int) -> str:
        return draw.randbytes(length).hex()

    with patch.object(secrets, "randbits", draw.getrandbits), patch.object(secrets, "token_hex", token_hex):
        yield


def import_and_freeze(world: World, folder: Path) -> None:
    """Through the one door, by a file, then frozen month by month."""
    bring_in(world.rows, folder)
    for month in world.months:
        if not freeze.is_frozen(month):
            freeze.freeze_month(month, today=timezone.localdate())


def bring_in(rows: Iterable[Row], folder: Path) -> None:
    file = folder / "contacts.csv"
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    call_command("import_contacts", str(file), verbosity=0)


def publish(periods: Iterable[Period], keys: Path, parameters: Parameters | None = None) -> None:
    """Every period prepared and published as the product does it."""
    now = timezone.now()
    rule = release.Rule(parameters or Parameters(), keys, embedded=True)
    for period in periods:
        release.publish(release.prepare(period, today=timezone.localdate(now), rule=rule), by=None, now=now)


def publish_files() -> None:
    """The row file of each year that can have one."""
    now = timezone.now()
    for year in row_files.prepare_due(today=timezone.localdate(now), limits=Limits(), rule=Parameters()):
        if file := row_files.found(year):
            row_files.publish(year, sha256=file.sha256, by=None, now=now)


KEPT = (DaySeal, StatRecord, StatReferral, Release, PublishedCell, PublishedFile)


def kept_rows() -> tuple[models.Model, ...]:
    """What the road left, parents first: seals, frozen records, releases, their cells, and row files."""
    return tuple(row for model in KEPT for row in model._base_manager.order_by("pk"))
