"""What a handler's browser finds receivers in: all active ones, in few queries and few bytes."""

import gzip
import json
from datetime import UTC, date, datetime, time

import pytest
from django.test import Client

from helpline.directory import sheet
from helpline.listings import areas
from helpline.models import Organisation, Service, User

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 10, tzinfo=UTC)  # a Monday
ADDRESS = "/directory/receivers.json"


@pytest.fixture
def organisation(db) -> Organisation:
    return Organisation.objects.create(name="Säffle kommun")


def service(organisation: Organisation, name: str = "Mottagningen", **said: object) -> Service:
    return Service.objects.create(
        organisation=organisation, name=name, **{"target": "social", "dimension": "bada"} | said
    )


def only(language: str = "sv") -> dict:
    (receiver,) = sheet.told(NOW, language)["receivers"]
    return receiver


def test_a_receiver_without_anything_more_says_only_what_it_must(organisation):
    made = service(organisation)
    assert only() == {
        "id": str(made.pk), "name": "Mottagningen", "by": "Säffle kommun", "target": "social", "areas": [], "due": True
    }  # fmt: skip


def test_a_receiver_says_all_that_the_card_shows(organisation):
    made = service(
        organisation, alert="Ring före tolv", is_shared=True, is_confidential=True, assured_on=date(2026, 5, 1)
    )
    made.phones.create(number="0533-000 02", position=1)
    made.phones.create(number="0533-000 01", extension="5")
    for code in ("1785", "1765"):
        made.areas.create(code=code)
    for code in ("so", "xyz"):
        made.languages.create(code=code)
    made.schedules.create(weekdays="MO", opens=time(8), closes=time(16))
    said = only("en")
    assert (said["phone"], said["ext"], said["alert"]) == ("0533-000 01", "5", "Ring före tolv")
    assert (said["shared"], said["secret"], said["areas"]) == (True, True, ["1765", "1785"])
    assert (said["languages"], said["assured"]) == (["Somali", "xyz"], "2026-05-01") and "due" not in said
    (periods,) = sheet.told(NOW, "en")["hours"]
    opens = int(datetime(2026, 6, 1, 6, tzinfo=UTC).timestamp()) // 60
    assert said["hours"] == 0 and list(periods) == [(opens, opens + 480), (opens + 10080, opens + 10560)]


def test_hours_that_are_not_known_are_absent_and_equal_ones_are_told_once(organisation):
    for name in ("a", "b"):
        service(organisation, name).schedules.create(weekdays="MO", opens=time(8), closes=time(16))
    service(organisation, "c")
    told = sheet.told(NOW, "sv")
    assert [one.get("hours") for one in told["receivers"]] == [0, 0, None] and len(told["hours"]) == 1


def test_hours_that_receivers_share_are_worked_out_once(organisation, monkeypatch):
    worked_out, of = [], sheet.open_periods
    monkeypatch.setattr(sheet, "open_periods", lambda *asked: worked_out.append(1) or of(*asked))
    for number in range(4):
        made = service(organisation, str(number))
        days = ("MO", "TU") if number % 2 else ("TU", "MO")
        for day in days:
            made.schedules.create(weekdays=day, opens=time(8), closes=time(16))
    told = sheet.told(NOW, "sv")
    assert [one["hours"] for one in told["receivers"]] == [0] * 4 and len(worked_out) == 1


@pytest.mark.parametrize(("assured_on", "due"), [(date(2025, 12, 1), False), (date(2025, 11, 30), True)])
def test_what_nobody_made_sure_of_within_half_a_year_is_due(organisation, assured_on, due):
    service(organisation, assured_on=assured_on)
    assert only().get("due", False) is due


def test_neither_a_closed_service_nor_a_resource_is_a_receiver(organisation):
    service(organisation, "closed", is_active=False)
    service(organisation, "resource", kind="resurs", target="", dimension="")
    assert sheet.told(NOW, "sv")["receivers"] == []


def test_all_counties_and_municipalities_have_their_names_in_the_language_of_the_page(organisation):
    assert sheet.told(NOW, "en")["areas"]["17"] == areas.name("17", "en")
    assert len(sheet.told(NOW, "sv")["areas"]) == 21 + 290


# --- the address -----------------------------------------------------------------------------------------------------


@pytest.fixture
def many(organisation) -> None:
    """500 services such as a directory of the country may have; every tenth is shared by ten municipalities."""
    same = {"organisation": organisation, "target": "social", "dimension": "bada", "assured_on": date(2026, 5, 1)}
    name, alert = "Socialtjänstens mottagning för unga och familjer", "Ring växeln först"
    every = [Service(name=f"{name} {n}", alert=alert if n % 5 == 0 else "", **same) for n in range(500)]
    Service.objects.bulk_create(every)
    codes = list(areas.MUNICIPALITIES)
    for n, one in enumerate(every):
        one.phones.create(number=f"0533-000 {n:02}")
        one.schedules.create(weekdays="MO,TU,WE,TH,FR", opens=time(8 + n % 3), closes=time(16, n % 60))
        one.languages.create(code="sv")
        for code in codes[n % 280 : n % 280 + (10 if n % 10 == 0 else 1)]:
            one.areas.create(code=code)


def test_five_hundred_services_are_few_bytes_and_few_queries(many, django_assert_max_num_queries):
    client = Client()
    client.force_login(User.objects.create_user("handler", None, role="handler"))
    client.get(ADDRESS)
    with pytest.raises(pytest.fail.Exception), django_assert_max_num_queries(5):
        client.get(ADDRESS)
    with django_assert_max_num_queries(6):
        response = client.get(ADDRESS)
    assert len(json.loads(response.content)["receivers"]) == 500
    assert len(response.content) <= 150_000 and len(gzip.compress(response.content)) <= 30_000


def test_the_browser_keeps_nothing_of_it_since_it_tells_of_confidential_services(organisation):
    service(organisation, is_confidential=True)
    client = Client()
    client.force_login(User.objects.create_user("handler", None, role="handler"))
    response = client.get(ADDRESS)
    assert response["Cache-Control"] == "no-store" and response["Content-Type"] == "application/json"
