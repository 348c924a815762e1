"""The page of the calls, the hour that is typed in, and the opening hours: what they say, and what they refuse."""

import re
from datetime import date, timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpline import openings, policy, traffic
from helpline.contacts import log_contact
from helpline.entries import read_entry
from helpline.models import AuditEvent, DaySeal, OpeningException, OpeningHours, TrafficHour, User
from helpline.opening import Span, WeeklyHours
from helpline.traffic_file import COUNTS, Calls, ClockHour
from reports import freeze, published_table
from reports.call_figures import UNITS
from reports.periods import Period, containing, parse
from tests.oracle import DATA

pytestmark = pytest.mark.django_db

TYPED = {"day": "2026-03-02", "hour": "09", "queue": "020-100 200"} | dict.fromkeys(COUNTS, "0")
TYPED |= {"offered": "3", "answered": "1", "closed": "2", "voicemail": "1"}
CALLER = "0701234567"


@pytest.fixture
def coordinator(db) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("coordinator", None, role=policy.COORDINATOR))
    return client


@pytest.fixture
def pilot(db) -> None:
    call_command("import_traffic", DATA / "pilot-traffic.csv")
    call_command("import_contacts", DATA / "pilot-year.csv")
    hours = WeeklyHours(date(2015, 11, 16), ((Span(9 * 60, 15 * 60),),) * 5 + ((), ()))
    openings.set_hours(hours, by=None, now=timezone.now())


def read(client: Client, address: str) -> str:
    response = client.get(address, headers={"accept-language": "en"})
    assert response.status_code == 200
    return response.content.decode()


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def rows(html: str, heading: str) -> dict[str, list[str]]:
    table = re.search(rf'<table[^>]*aria-labelledby="{heading}".*?</table>', html, re.S)[0]
    found = re.findall(r'<tr><th scope="row"[^>]*>(.*?)</th>(.*?)</tr>', table, re.S)
    return {text(label): re.findall(r"<td>(.*?)</td>", cells) for label, cells in found}


# --- the page ---------------------------------------------------------------------------------------------------------


def test_the_page_says_what_the_telephony_counted_beside_what_was_logged(coordinator, pilot):
    page = text(read(coordinator, "/traffic/?period=2016-02"))
    # By hand from the rows of February 2016 in the two files.
    assert "Calls (U1) 52 attempts, 11 of them while closed and 8 abandoned within 10 seconds" in page
    assert "Answered calls (U2) 22" in page
    assert "Answer rate (U2/U1) 66.7% of 33 calls" in page
    assert "Registration rate (U3/U2) 100.0% 22 logged contacts to 22 answered calls" in page


@pytest.mark.parametrize("address", ["/traffic/", "/traffic/?period=2016-02", "/traffic/?period=2017-01"])
def test_the_page_leads_to_where_calls_are_loaded(coordinator, pilot, address):
    assert '<a href="/import/">Load a file' in read(coordinator, address).partition("<main")[2]


def test_a_period_that_is_not_over_says_how_today_counts_as_an_open_day(coordinator):
    said = "Of today, as much is counted as an open day as has passed of its opening hours."
    assert said in text(read(coordinator, "/traffic/"))
    assert said not in text(read(coordinator, "/traffic/?period=2016-02"))


def test_every_unit_is_named_also_when_there_is_nothing(coordinator):
    for address in ("/traffic/", "/overview/", "/overview/unanswered/"):
        page = text(read(coordinator, address))
        for code, unit in UNITS.items():
            assert f"{code} {unit.name} {unit.meaning}" in page


def test_the_page_says_which_contacts_it_lacks(coordinator, uncountable, monkeypatch):
    entry = read_entry(uncountable, {"channel": ["telefon"], "result": ["relevant"]})
    log_contact(by=None, key=uuid4(), entry=entry, now=timezone.now(), today=timezone.localdate())
    address = f"/traffic/?period={containing('week', uncountable).code}"
    assert "The contacts of 1 day could not be counted and are missing" in text(read(coordinator, address))
    monkeypatch.undo()
    assert "could not be counted" not in text(read(coordinator, address))


def test_without_a_count_the_page_says_what_to_do(coordinator):
    page = text(read(coordinator, "/traffic/"))
    assert "No telephony counts yet" in page and "Load a file, or type in an hour" in page and "bin/manage" not in page
    assert "No opening hours are entered" in page
    assert "%" not in page


def test_a_period_without_calls_has_no_rate(coordinator, pilot):
    html = read(coordinator, "/traffic/?period=2017-01")
    assert "No telephony counts in this period" in text(html)
    assert rows(html, "by-month")["January 2017"] == ["–"] * 7


def test_what_is_not_loaded_is_told_from_nobody_called(coordinator):
    for day, calls in ((date(2026, 1, 15), 2), (date(2026, 2, 16), 0), (date(2026, 4, 15), 1)):
        traffic.record_hours([ClockHour(day, 9, "Main", Calls(calls, calls, 0, 0, 0, 0))])
    html = read(coordinator, "/traffic/?period=2026-05")
    months, weeks = rows(html, "by-month"), rows(html, "by-week")
    assert list(months) == [f"{name} 2026" for name in ("January", "February", "March", "April", "May")]
    assert months["January 2026"][0] == "2" and months["April 2026"][0] == "1"
    assert months["February 2026"] == ["0", "0", "–", "0", "0", "0", "0"]
    assert months["March 2026"] == months["May 2026"] == ["–"] * 7
    assert list(weeks)[0] == Period.label(parse("2026-W03"), "en") and list(weeks.values())[1] == ["–"] * 7
    assert text(html).count("– in a whole row = no counts from the telephony were loaded.") == 2
    nobody = read(coordinator, "/traffic/?period=2026-02")
    assert "No telephony counts in this period" not in text(nobody) and "Calls (U1) 0 attempts" in text(nobody)


def test_where_every_row_is_counted_no_dash_is_explained_and_before_the_first_count_there_is_no_row(coordinator):
    traffic.record_hours([ClockHour(date(2026, 1, 27), 9, "Main", Calls(1, 1, 0, 0, 0, 0))])
    assert "in a whole row" not in text(read(coordinator, "/traffic/?period=2026-01"))
    before = read(coordinator, "/traffic/?period=2025-06")
    assert "counts--crossed" not in before and text(before).count("No counts from the telephony were loaded.") == 2


def test_the_counts_are_named_as_in_the_published_tables(coordinator, pilot):
    html = read(coordinator, "/traffic/?period=2016-02")
    for table in ("by-month", "by-week", "by-hour"):
        heads = re.search(rf'<table[^>]*aria-labelledby="{table}".*?</thead>', html, re.S)[0]
        for name in ("korta", "avbrutna", "stangt"):
            assert f'<th scope="col">{published_table._CALLS[name]["en"]}</th>' in heads


def test_the_calls_of_a_month_are_the_same_before_and_after_its_freeze(coordinator, pilot):
    before = read(coordinator, "/traffic/?period=2015-11").partition("<main")[2]
    assert rows(before, "by-hour")["09–10"] and rows(before, "when-closed")
    freeze.freeze_month(freeze.first_open_month(), today=timezone.localdate())
    assert read(coordinator, "/traffic/?period=2015-11").partition("<main")[2] == before


def test_hours_are_shown_for_whole_months_that_are_over_only(coordinator, pilot):
    yesterday = timezone.localdate() - timedelta(days=1)
    traffic.record_hours([ClockHour(yesterday, 9, "Main", Calls(1, 1, 0, 0, 0, 0))])
    for address in ("/traffic/?period=2016-W06", "/traffic/"):
        html = read(coordinator, address)
        assert "Hours are shown for whole months that are over" in text(html)
        assert "09–10" not in html


def test_days_before_the_first_opening_hours_are_said_to_count_as_closed(coordinator, pilot):
    assert "hold from 16 November 2015; days before then count as closed" in text(
        read(coordinator, "/traffic/?period=2015-11")
    )


@pytest.mark.parametrize("code", ["2016-W54", "2016", "2014-12", "2999-12"])
def test_a_period_that_cannot_be_shown_is_refused(coordinator, code):
    assert coordinator.get("/traffic/", {"period": code}).status_code == 400


@pytest.mark.parametrize("role", sorted(policy.ROLES))
def test_only_the_coordinator_sees_and_changes_calls_and_opening_hours(client, role):
    client.force_login(User.objects.create_user("someone", None, role=role))
    for address in ("/traffic/", "/traffic/hours/", "/traffic/opening/", "/traffic/opening/hours/"):
        assert client.get(address).status_code == (200 if role == policy.COORDINATOR else 403)
    assert ("traffic" in [action.page for action in policy.menu(role)]) == (role == policy.COORDINATOR)


def test_the_page_costs_the_same_however_many_calls_there_are(coordinator, pilot):
    counts = []
    for address in ("/traffic/?period=2016-Q1", "/traffic/?period=2016-02", "/traffic/?period=2016-W06"):
        with CaptureQueriesContext(connection) as asked:
            read(coordinator, address)
        counts.append(len([q for q in asked if q["sql"].startswith(("SELECT", "(SELECT"))]))
    assert max(counts) <= 11, counts


# --- an hour typed in -------------------------------------------------------------------------------------------------


def send(client: Client, address: str, **changed: str) -> str:
    response = client.post(address, TYPED | changed, headers={"accept-language": "en"}, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def test_an_hour_that_is_typed_in_is_stored_and_the_next_one_is_asked_for(coordinator):
    html = send(coordinator, "/traffic/hours/")
    assert "The hour is saved." in text(html) and '<option value="10" selected>' in html
    stored = TrafficHour.objects.get()
    assert (stored.day, stored.hour, stored.queue, stored.offered) == (date(2026, 3, 2), 9, "020-100 200", 3)
    assert AuditEvent.objects.get().act == "traffic.edit"


def test_what_is_stored_of_an_hour_is_never_shown_again(coordinator):
    send(coordinator, "/traffic/hours/", offered="41", closed="40")
    assert "41" not in text(read(coordinator, "/traffic/hours/?day=2026-03-02"))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"day": "2999-01-01"}, "Day: The day lies ahead"),
        ({"day": ""}, "Day: This is no day"),
        ({"day": "2026-03-29", "hour": "02"}, "Hour: The day does not have this hour"),
        ({"hour": "02b"}, "Hour: The day does not have this hour"),
        ({"hour": "x"}, "Hour: This is no hour"),
        ({"queue": CALLER}, "Queue: This may be a caller’s number"),
        ({"offered": "4"}, "Calls offered: The counts do not add up"),
        ({"voicemail": "3"}, "Voicemail: There is more voicemail"),
        ({"answered": ""}, "Answered calls: This is no count"),
    ],
)
def test_an_hour_that_cannot_be_is_refused_with_what_to_do(coordinator, changed, why):
    assert why in text(send(coordinator, "/traffic/hours/", **changed))
    assert not TrafficHour.objects.exists() and not AuditEvent.objects.exists()


def test_an_hour_of_a_frozen_month_is_refused_with_what_can_still_be_done(coordinator):
    DaySeal.objects.create(day=date(2026, 3, 2))
    said = text(send(coordinator, "/traffic/hours/"))
    assert "Day: The month is frozen: its calls can only be loaded from one file that holds the whole month." in said
    traffic.record_hours([ClockHour(date(2026, 3, 2), 9, "Main", Calls(1, 1, 0, 0, 0, 0))])
    assert "its calls are folded and can no longer be changed" in text(send(coordinator, "/traffic/hours/"))
    assert not TrafficHour.objects.exists()


def test_both_hours_from_two_of_the_long_day_can_be_typed_in(coordinator):
    for hour in ("02", "02b"):
        send(coordinator, "/traffic/hours/", day="2026-10-25", hour=hour)
    assert sorted(TrafficHour.objects.values_list("hour", "is_second")) == [(2, False), (2, True)]


def test_a_queue_too_many_is_refused(coordinator):
    traffic.record_hours([ClockHour(date(2026, 3, 1), 9, f"Q {n}", Calls(0, 0, 0, 0, 0, 0)) for n in range(20)])
    assert "more than 20 queues" in text(send(coordinator, "/traffic/hours/"))


# --- opening hours ----------------------------------------------------------------------------------------------------

WEEK = {"valid_from": "2026-01-01"} | {f"weekday_{n}": "9–12, 13–16.30" for n in range(5)}


def test_opening_hours_are_entered_shown_and_removed(coordinator):
    page = text(send(coordinator, "/traffic/opening/hours/", **WEEK))
    assert "The opening hours are saved." in page and "Monday 09:00–12:00, 13:00–16:30" in page
    assert "Sunday closed" in page
    assert openings.opening().open_minutes(date(2026, 1, 12), date(2026, 1, 19)) == 5 * (3 * 60 + 210)
    assert 'value="09:00-12:00, 13:00-16:30"' in read(coordinator, "/traffic/opening/hours/")
    assert "are removed" in text(send(coordinator, "/traffic/opening/remove/", valid_from="2026-01-01", sure="1"))
    assert "removed already" in text(send(coordinator, "/traffic/opening/remove/", valid_from="2026-01-01", sure="1"))
    assert list(AuditEvent.objects.values_list("act", flat=True)) == ["opening.edit"] * 2


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"valid_from": ""}, "Holds from: This is no day"),
        ({"valid_from": "2014-12-31"}, "Holds from: Opening hours are kept from 2015-01-01"),
        ({"weekday_2": "nine"}, "Wednesday: These are no opening hours"),
        ({"weekday_0": "9-12, 11-13"}, "Monday: These are no opening hours"),
    ],
)
def test_opening_hours_that_cannot_be_are_refused_with_what_to_do(coordinator, changed, why):
    assert why in text(send(coordinator, "/traffic/opening/hours/", **WEEK | changed))
    assert not OpeningHours.objects.exists()


def test_one_day_has_other_hours_until_they_are_removed(coordinator):
    page = text(send(coordinator, "/traffic/opening/day/", day="2026-12-24", spans="10-12", reason="extended"))
    assert "24 December 2026 · 10:00–12:00 Extended hours" in page
    assert "are removed" in text(send(coordinator, "/traffic/opening/remove/", day="2026-12-24", sure="1"))
    assert not OpeningException.objects.exists()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"day": "soon"}, "Day: This is no day"),
        ({"spans": "12-9"}, "Open: These are no opening hours"),
        ({"reason": "Anna is ill"}, "Why: An answer is needed here"),
    ],
)
def test_other_hours_that_cannot_be_are_refused_with_what_to_do(coordinator, changed, why):
    said = {"day": "2026-12-24", "spans": "", "reason": "staff"} | changed
    assert why in text(send(coordinator, "/traffic/opening/day/", **said))
    assert not OpeningException.objects.exists()


def question(client: Client, what: dict[str, str]) -> str:
    return text(client.get("/traffic/opening/remove/", what, headers={"accept-language": "en"}).content.decode())


@pytest.mark.parametrize("sure", [{}, {"sure": ""}, {"sure": "0"}])
def test_hours_are_not_removed_before_somebody_is_sure(coordinator, sure):
    send(coordinator, "/traffic/opening/hours/", **WEEK)
    send(coordinator, "/traffic/opening/day/", day="2026-12-24", spans="10-12", reason="extended")
    before = openings.opening()
    for what in ({"valid_from": "2026-01-01"}, {"day": "2026-12-24"}):
        assert "Remove these opening hours?" in text(send(coordinator, "/traffic/opening/remove/", **what, **sure))
        asked = question(coordinator, what | {"sure": "1"})
        assert "Remove these opening hours?" in asked, "looking removes nothing"
    assert openings.opening() == before


def test_the_question_says_what_is_removed_and_which_figures_that_changes(coordinator):
    for first in ("2026-01-01", "2026-03-01"):
        send(coordinator, "/traffic/opening/hours/", **WEEK | {"valid_from": first})
    send(coordinator, "/traffic/opening/day/", day="2026-12-24", spans="10-12", reason="extended")
    page = question(coordinator, {"valid_from": "2026-01-01"})
    assert "Monday 09:00–12:00, 13:00–16:30" in page and "Sunday closed" in page
    assert "every period with days from 1 January 2026 to 28 February 2026 change." in page
    assert "No earlier hours hold in their place" in page
    page = question(coordinator, {"valid_from": "2026-03-01"})
    assert "Figures per open day of every period from 1 March 2026 on change." in page
    assert "The hours from 1 January 2026 hold in their place." in page
    page = question(coordinator, {"day": "2026-12-24"})
    assert "10:00–12:00 · Extended hours" in page and "The hours of the weekday hold again" in page


def test_the_buttons_of_the_list_lead_to_the_question(coordinator):
    send(coordinator, "/traffic/opening/hours/", **WEEK)
    send(coordinator, "/traffic/opening/day/", day="2026-12-24", spans="", reason="staff")
    page = coordinator.get("/traffic/opening/").content.decode()
    for query in ("valid_from=2026-01-01", "day=2026-12-24"):
        assert f'href="/traffic/opening/remove/?{query}"' in page
    assert 'action="/traffic/opening/remove/"' not in page


@pytest.mark.parametrize(
    "what", [{"valid_from": "x"}, {"day": "x"}, {"valid_from": "2026-01-01", "sure": "1"}, {"day": "x", "sure": "1"}]
)
def test_removing_what_is_no_day_changes_nothing(coordinator, what):
    assert "Nothing was changed" in text(send(coordinator, "/traffic/opening/remove/", **what))
