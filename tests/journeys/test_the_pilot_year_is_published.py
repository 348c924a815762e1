"""The pilot year from its spreadsheet to the evaluator: imported, frozen, published, read back through the API."""

import base64
import csv
import io
import json
from datetime import date
from html.parser import HTMLParser

import pytest
from django.core.management import call_command
from django.db import models, transaction
from django.test import Client, override_settings

from helpline.models import User
from reports.catalogue import TABLES
from reports.models import GateRun, PublishedCell, Release
from reports.periods import Period, parse
from tests import oracle
from tests.granted import token_of
from tests.rows import put

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("pilot year")]  # one worker makes the road

ROWS = oracle.rows_of()
PILOT = Period("pilot", date(2015, 11, 1), date(2016, 12, 1))
QUARTERS = ("2015-Q4", "2016-Q1", "2016-Q2", "2016-Q3", "2016-Q4")
PERIODS = (*(month.code for month in PILOT.months()), *QUARTERS, "2015-H2", "2016-H1", "2016-H2", "2016", "pilot")
API = "/api/px/v2/tables"


@pytest.fixture(scope="module")
def road(django_db_setup, django_db_blocker, tmp_path_factory) -> tuple[models.Model, ...]:
    """The whole road by its commands, once, and then rolled back: what it published, and what the gate found."""
    keys = tmp_path_factory.mktemp("keys")
    pilot = {"REPORTS_PILOT_START": "2015-11-01", "REPORTS_PILOT_END": "2016-11-30"}
    with django_db_blocker.unblock(), override_settings(REPORTS_RELEASE_KEYS=keys, **pilot), transaction.atomic():
        call_command("import_contacts", str(oracle.DATA / "pilot-year.csv"))
        call_command("import_traffic", str(oracle.DATA / "pilot-traffic.csv"))
        for month in PILOT.months():
            call_command("freeze", month.code)
        for period in PERIODS:
            call_command("publish", period)
        rows = tuple(row for model in (GateRun, Release, PublishedCell) for row in model.objects.order_by("pk"))
        transaction.set_rollback(True)
    return rows


@pytest.fixture
def evaluator(db, settings, road) -> Client:
    """A client that has nothing but the evaluator's token."""
    settings.REPORTS_PILOT_START, settings.REPORTS_PILOT_END = "2015-11-01", "2016-11-30"
    put(road)
    user = User.objects.create_user("evaluator", None, role="evaluator")
    token = token_of(user)
    return Client(headers={"authorization": f"Bearer {token}"})


def listed(evaluator: Client) -> list[str]:
    """The tables that count contacts."""
    return [entry for entry in all_listed(evaluator) if not entry.startswith("traffic-")]


def all_listed(evaluator: Client) -> list[str]:
    return [entry["id"] for entry in evaluator.get(f"{API}?pageSize=1000").json()["tables"]]


def everything(evaluator: Client, table: str, **parameters: str) -> bytes:
    metadata = evaluator.get(f"{API}/{table}/metadata").json()
    selection = [{"variableCode": code, "valueCodes": ["*"]} for code in metadata["id"]]
    query = "&".join(f"{name}={value}" for name, value in parameters.items())
    body = json.dumps({"selection": selection})
    response = evaluator.post(f"{API}/{table}/data?{query}", body, content_type="application/json")
    assert response.status_code == 200, response.content
    return response.content


def cells_of(dataset: dict) -> dict[tuple[str, ...], int | None]:
    """{one code of each dimension: value} of a JSON-stat dataset, read by its definition: row-major over `id`."""
    found: dict[tuple[str, ...], int | None] = {(): 0}
    for name in dataset["id"]:
        codes = dataset["dimension"][name]["category"]["index"]
        found = {(*place, code): 0 for place in found for code in sorted(codes, key=codes.get)}
    for number, place in enumerate(found):
        value = dataset["value"][number]
        assert (value is None) == (dataset.get("status", {}).get(str(number)) == "..")
        found[place] = value
    return found


def rows_in(time: str, rows: list[oracle.Row] = ROWS) -> list[oracle.Row]:
    if time == "2015P":
        return oracle.within(rows, PILOT.start, PILOT.end)
    code = time.replace("M", "-").replace("K", "-Q").replace("H", "-H")
    return oracle.within(rows, parse(code).start, parse(code).end)


def agrees(value: int, n: int) -> bool:
    return value in (n - n % 5, n - n % 5 + (5 if n % 5 else 0))


def test_every_value_that_the_evaluator_reads_is_the_oracles_rounded_and_hidden_below_its_threshold(evaluator):
    """What is large enough and yet hidden is withheld by the gate: as many numbers as its runs say, few of all."""
    shown, withheld, admitted = 0, 0, set(PublishedCell.objects.values_list("table", "period"))
    for table in listed(evaluator):
        own = table.startswith(("all-", "first_contact-", "case_step-"))
        counted: dict[str, dict[tuple[str, ...], oracle.Count]] = {}
        for (*place, contents, time), value in cells_of(json.loads(everything(evaluator, table))).items():
            if time not in counted:
                counted[time] = oracle.cells(rows_in(time), table)
            cell = counted[time].get(tuple(place), oracle.Count())
            n, whose, first = cell.contacts, cell.contacts, cell.first
            if contents == "hanvisningar":
                n, whose, first = cell.referrals, cell.referred, cell.referred_first
            enough = whose >= 10 if own else whose >= 5 and first >= 3
            may_be_shown = enough and (table, time) in admitted
            if value is None:
                withheld += may_be_shown
            else:
                assert may_be_shown, (table, time, place, contents)
                shown += 1
                assert agrees(value, n) and value >= 5, (table, time, place, contents)
    assert shown == PublishedCell.objects.exclude(value=None).exclude(table__startswith="traffic-").count() > 1500
    assert 0 < withheld == sum(GateRun.objects.values_list("withheld", flat=True)) < shown / 10


CALLS = ("anrop", "besvarade", "korta", "avbrutna", "stangt", "meddelanden")
COLUMNS = ("offered", "answered", "abandoned_short", "abandoned", "closed", "voicemail")


def calls_in(time: str) -> dict[str, int]:
    """A recount straight from the telephony's file."""
    rows = rows_in(time, oracle.rows_of("pilot-traffic.csv"))
    return {c: sum(int(row[column]) for row in rows) for c, column in zip(CALLS, COLUMNS, strict=True)}


def test_calls_are_published_to_the_nearest_five_and_never_as_zero(evaluator):
    tables = [table for table in all_listed(evaluator) if table.startswith("traffic-")]
    assert tables == ["traffic-month", "traffic-quarter", "traffic-halfyear", "traffic-year", "traffic-pilot"]
    seen = 0
    for table in tables:
        for (contents, time), value in cells_of(json.loads(everything(evaluator, table))).items():
            n = calls_in(time)[contents]
            assert value == (5 * round(n / 5) or None), (table, time, contents)
            seen += 1
    assert seen == (13 + 5 + 3 + 1 + 1) * len(CALLS)


def test_the_published_answer_rate_is_that_of_the_published_calls(evaluator):
    calls = calls_in("2015P")
    answered, unanswered = (5 * round(calls[name] / 5) for name in ("besvarade", "avbrutna"))
    reader = Client(headers={"accept-language": "en"})
    reader.force_login(User.objects.get(username="evaluator"))
    page = Cells()
    page.feed(reader.get("/statistics/traffic-pilot/").content.decode())
    assert page.found[-1].strip("\xa0 %") == f"{round(100 * answered / (answered + unanswered))}"


def test_the_number_of_referrals_is_the_same_in_every_table_that_has_their_total(evaluator):
    """They are few in a month, when no table of referrals is admitted: the total must not show what that one hides."""
    totals = PublishedCell.objects.filter(contents="hanvisningar", coordinates__in=["", "_T", "_T|_T"])
    of_period: dict[str, set[int | None]] = {}
    for table, period, value in totals.values_list("table", "period", "value"):
        if all(name.startswith("referral_") or name == "total" for name in table.rsplit("-", 1)[0].split("-")):
            of_period.setdefault(period, set()).add(value)
    assert {len(values) for values in of_period.values()} == {1}
    assert {None} in of_period.values() and len(of_period) >= 20


def test_each_period_shows_the_tables_that_its_volume_admits(evaluator):
    admitted = {
        release.period.code: {name for name, said in json.loads(release.manifest)["tables"].items() if said["admitted"]}
        for release in Release.objects.all()
    }
    assert all("all-total-month" in admitted[month.code] for month in PILOT.months())
    assert {"concerns-halfyear", "caller_role-halfyear", "environment-halfyear"} <= admitted["2016-H1"]
    one_way = {table.id for table in TABLES.values() if table.period == "pilot" and len(table.variables) == 1}
    assert len(one_way & admitted["pilot"]) >= 30
    assert "concerns-quarter" not in admitted["2016-Q1"]  # twelve cells need sixty contacts


class Cells(HTMLParser):
    """The text of every table cell of a page that carries a figure."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside = False

    def handle_starttag(self, tag, attrs):
        if tag == "td":
            self.inside, self.found = True, [*self.found, ""]
        elif tag in ("th", "tr"):
            self.inside = False

    def handle_endtag(self, tag):
        if tag == "td":
            self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.found[-1] += data.strip()


@pytest.mark.parametrize(
    "table", ["concerns-year", "all-result-quarter", "caller_role_3-halfyear", "gender-pilot", "traffic-year"]
)
def test_page_json_and_csv_show_the_same_cells(evaluator, table):
    dataset = cells_of(json.loads(everything(evaluator, table)))
    header, *lines = csv.reader(io.StringIO(everything(evaluator, table, outputFormat="csv").decode()))
    assert len(header) - 1 == len(dataset) / len(lines)
    written = [figure for line in lines for figure in line[1:]]
    assert written == [".." if value is None else str(value) for value in dataset.values()]

    reader = Client()
    reader.force_login(User.objects.get(username="evaluator"))
    page = Cells()
    page.feed(reader.get(f"/statistics/{table}/").content.decode())
    shown = {cell.replace("\xa0", "") for cell in page.found}
    latest = max(time for *_, time in dataset)
    of_latest = {
        value for place, value in dataset.items() if place[-1] == latest and place[-2] in ("kontakter", *CALLS)
    }
    assert {".." if value is None else str(value) for value in of_latest} <= shown
    assert "0" not in shown


def test_the_token_also_opens_as_the_password_of_basic_and_nothing_opens_without(evaluator):
    bearer = evaluator.defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    basic = base64.b64encode(f"anything:{bearer}".encode()).decode()
    assert Client(headers={"authorization": f"Basic {basic}"}).get(API).status_code == 200
    assert Client().get(API).status_code == 401
