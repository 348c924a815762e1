"""Real releases for the tests of the pages: made once by the road itself, then put back as rows."""

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.db import connection, models, transaction
from django.utils import timezone

from helpline.models import DaySeal
from reports import freeze, gating, release, tallies
from reports.disclosure.protect import Parameters
from reports.models import PublishedCell, Release, StatRecord, StatReferral
from reports.periods import PILOT, Period, containing, parse
from tests import oracle
from tests.rows import put

QUARTERS = ("2015-Q4", "2016-Q1", "2016-Q2", "2016-Q3", "2016-Q4")
PERIODS = (
    *(month.code for month in Period(PILOT, date(2015, 11, 1), date(2016, 12, 1)).months()),
    *(*QUARTERS, "2015-H2", "2016-H1", "2016-H2", "2016"),
)
QUIET = "2016-03"  # so few contacts are kept of this month that it has no figures, between two that have


@dataclass(frozen=True)
class Road:
    """The rows that the road left: seals and records, the releases as prepared, and as published with their cells."""

    frozen: tuple[models.Model, ...]
    prepared: tuple[Release, ...]
    released: tuple[Release, ...]
    cells: tuple[PublishedCell, ...]


@pytest.fixture(scope="session")
def road(django_db_setup, django_db_blocker, tmp_path_factory) -> Road:
    """The pilot year with a quiet March: imported, frozen, prepared and published, and then rolled back. Its releases
    pass the gate unseen: the journey of the pilot year and the attacks look at gated ones."""
    folder, now = tmp_path_factory.mktemp("road"), timezone.now()
    today = timezone.localdate(now)
    rule = release.Rule(Parameters(), folder / "keys", embedded=True)
    with django_db_blocker.unblock(), patch.object(gating, "withhold", lambda *_: 0), transaction.atomic():
        call_command("import_contacts", str(_with_a_quiet_month(folder)), verbosity=0)
        while (month := freeze.first_open_month()) and month.start < date(2016, 12, 1):
            freeze.freeze_month(month, today=today)
        prepared = [release.prepare(parse(code), today=today, rule=rule) for code in PERIODS]
        pilot = Period(PILOT, date(2015, 11, 1), date(2016, 12, 1))
        prepared.append(release.prepare(pilot, today=today, rule=rule))
        frozen = (*DaySeal.objects.all(), *StatRecord.objects.all(), *StatReferral.objects.all())
        before = tuple(Release.objects.order_by("pk"))
        for one in prepared:
            release.publish(one, by=None, now=now)
        made = Road(frozen, before, tuple(Release.objects.order_by("pk")), tuple(PublishedCell.objects.order_by("pk")))
        transaction.set_rollback(True)
    return made


def _with_a_quiet_month(folder: Path) -> Path:
    rows = [row for row in oracle.rows_of() if not row["day"].startswith(QUIET)]
    rows += [row for row in oracle.rows_of() if row["day"].startswith(QUIET)][:3]
    file = folder / "pilot-year.csv"
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return file


@pytest.fixture
def prepared(db, road: Road) -> Road:
    """Everything is frozen up to last month and prepared; nothing is published."""
    put((*road.frozen, *road.prepared))
    DaySeal.objects.create(day=containing("month", timezone.localdate()).previous().start)
    return road


@pytest.fixture
def released(db, road: Road) -> Road:
    """Everything is published."""
    put((*road.frozen, *road.released, *road.cells))
    return road


@pytest.fixture
def ungated(monkeypatch) -> None:
    """Every release passes the gate, which looks at none: for tests of something else that make many of them."""
    monkeypatch.setattr(gating, "withhold", lambda *_: 0)


@pytest.fixture
def uncountable(monkeypatch) -> date:
    """A day that cannot be counted. In PostgreSQL its statement fails, which spoils the transaction; in SQLite what the
    statement gives cannot be read."""
    yesterday = timezone.localdate() - timedelta(days=1)
    name = "_grouping_sets" if connection.vendor == "postgresql" else "_unions"
    count = getattr(tallies, name)

    def spoiled(sources) -> str:
        statement = count(sources)
        is_of_yesterday = {yesterday, str(yesterday)} & set(sources[0].parameters)
        return "SELECT 1 / 0 FROM (" + statement + ") AS counted" if is_of_yesterday else statement  # noqa: S608

    monkeypatch.setattr(tallies, name, spoiled)
    return yesterday
