"""What the tests of the API share: a pilot year that is really frozen and published, and callers of every kind."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from helpline import policy
from helpline.imports.contacts import read_contacts
from helpline.imports.keys import log_imported
from helpline.models import User
from reports import freeze, gating, release, schedule
from reports.disclosure.protect import Parameters
from reports.models import PublishedCell, Release
from reports.periods import PILOT, Period, parse
from tests.granted import grant, token_of
from tests.reports.reading import Cells

PILOT_YEAR = Path(__file__).parent.parent.parent / "data" / "pilot-year.csv"
TODAY, NOW = date(2017, 1, 20), datetime(2017, 1, 20, 12, tzinfo=UTC)
PILOT_PERIOD = Period(PILOT, date(2015, 11, 1), date(2016, 12, 1))
LAST_MONTH = parse("2016-11")
BASE = "/api/px/v2"


def publish_the_pilot_year(keys: Path) -> None:
    """Import, freeze and publish it by the road that a real year takes, but for its last month, which is prepared."""
    rule = release.Rule(Parameters(), keys, embedded=True)
    for row in read_contacts(PILOT_YEAR.read_bytes(), today=TODAY).good:
        log_imported(key=row.key, entry=row.entry, now=NOW, today=TODAY)
    while (month := freeze.first_open_month()) and month.end <= LAST_MONTH.end:
        freeze.freeze_month(month, today=TODAY)
    freeze.freeze_empty_months(parse("2016"), today=TODAY)
    for prepared in schedule.prepare_due(today=TODAY, rule=rule, pilot=PILOT_PERIOD):
        if prepared.period != LAST_MONTH:
            release.publish(prepared, by=None, now=NOW)


@pytest.fixture(scope="session")
def published_year(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> tuple[list[Any], list[Any]]:
    """The rows that the road leaves, made once and rolled back, so that other tests find the database empty. Its
    releases pass the gate unseen: the journey of the pilot year and the attacks look at gated ones."""
    with django_db_blocker.unblock(), patch.object(gating, "withhold", lambda *_: 0), transaction.atomic():
        publish_the_pilot_year(tmp_path_factory.mktemp("keys"))
        rows = list(Release.objects.order_by("pk")), list(PublishedCell.objects.order_by("pk"))
        transaction.set_rollback(True)
    return rows


@pytest.fixture
def year(published_year: tuple[list[Any], list[Any]], db: None) -> None:
    """The published year; what a test changes is rolled back, and no call counts against the limit yet."""
    releases, cells = published_year
    Release.objects.bulk_create(releases)
    PublishedCell.objects.bulk_create(cells, batch_size=1000)
    cache.clear()


@pytest.fixture
def staff(year: None) -> dict[str, User]:
    """An account of each role, and an evaluator whose account is disabled, each of them with a grant."""
    accounts = {role: User.objects.create_user(role, None, role=role) for role in sorted(policy.ROLES)}
    accounts["disabled"] = User.objects.create_user("disabled", None, role=policy.EVALUATOR)
    accounts["disabled"].is_active = False
    accounts["disabled"].save()
    for user in accounts.values():
        grant(user)
    return accounts


class Caller:
    """One who calls the API as a program does, with a token; not counted, so that a test may ask for everything."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.client = Client(headers={"Authorization": f"Bearer {token}"})

    def get(self, where: str, query: Any = (), **rest: Any) -> Any:
        return self._call("get", where, query, **rest)

    def post(self, where: str, body: Any, query: Any = (), **rest: Any) -> Any:
        return self._call("post", where, query, data=body, content_type="application/json", **rest)

    def json(self, where: str, query: Any = ()) -> Any:
        response = self.get(where, query)
        assert response.status_code == 200, response.content
        return response.json()

    def _call(self, method: str, where: str, query: Any, **rest: Any) -> HttpResponse:
        cache.clear()
        address = f"{BASE}{where}" + (f"?{urlencode(query, doseq=True)}" if query else "")
        return getattr(self.client, method)(address, **rest)


@pytest.fixture
def evaluator(staff: dict[str, User]) -> Caller:
    return Caller(token_of(staff["evaluator"]))


def admitted_tables() -> list[str]:
    """Every table with published figures, by the manifests themselves."""
    manifests = [json.loads(out.manifest) for out in Release.objects.exclude(published_on=None)]
    return list(dict.fromkeys(t for m in manifests for t, about in m["tables"].items() if about["admitted"]))


def stored_cells(table_id: str) -> Cells:
    """Every published cell of a table, straight from its rows; ".." for a hidden one."""
    names = table_id.removeprefix("all-").split("-")[:-1]
    variables = [] if names == ["total"] else names
    cells: Cells = {}
    for row in PublishedCell.objects.filter(table=table_id).values():
        codes = row["coordinates"].split("|") if variables else []
        place = dict(zip(variables, codes, strict=True)) | {"ContentsCode": row["contents"], "Tid": row["period"]}
        cells[frozenset(place.items())] = ".." if row["value"] is None else row["value"]
    return cells
