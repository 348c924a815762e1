"""Calls that come after the freeze: taken once, as long as nothing is published, and never beside published figures."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from helpline import contacts, openings, policy, traffic
from helpline.entries import read_entry
from helpline.models import TrafficDay, User
from helpline.opening import Span, WeeklyHours
from helpline.traffic_file import Calls, ClockHour, TrafficReason
from reports import calls, freeze, release, schedule
from reports.claims import preparing
from reports.disclosure.protect import Parameters
from reports.models import PublishedCell, Release
from reports.periods import PILOT, Period, containing, parse
from reports.release import CannotRelease, Rule
from tests.at_once import at_once

pytestmark = pytest.mark.django_db

TODAY = date(2027, 2, 20)
NOW = datetime(2027, 2, 20, 12, tzinfo=UTC)
MARCH = parse("2026-03")
MONDAY = date(2026, 3, 2)
TEN = Calls(10, 10, 0, 0, 0, 0)
LATE = [ClockHour(MONDAY, 9, "Main", TEN)]
COVERING = (*map(parse, ("2026-03", "2026-Q1", "2026-H1", "2026")), Period(PILOT, date(2026, 1, 1), date(2027, 2, 1)))


@pytest.fixture
def rule(tmp_path: Path) -> Rule:
    return Rule(Parameters(), tmp_path / "keys", embedded=True)


@pytest.fixture
def frozen(rule) -> Release:
    """March, frozen with three contacts and without any calls, and prepared."""
    for _ in range(3):
        entry = read_entry(MONDAY, {"channel": ["telefon"], "result": ["relevant"]})
        contacts.log_contact(by=None, key=uuid4(), entry=entry, now=NOW, today=TODAY)
    freeze.freeze_month(MARCH, today=TODAY)
    return release.prepare(MARCH, today=date(2026, 4, 15), rule=rule)


def calls_of(prepared: Release) -> dict[str, int] | None:
    table = json.loads(prepared.candidate)["traffic-month"]
    return table and table[""]


def words(html: bytes) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html.decode())).split())


@pytest.fixture
def coordinator(db) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_user("coordinator", None, role=policy.COORDINATOR))
    return client


# --- what is still taken ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("covering", COVERING, ids=lambda period: period.code)
def test_no_calls_come_into_a_month_that_a_published_period_covers(frozen, rule, covering):
    release.publish(release.prepare(covering, today=TODAY, rule=rule), by=None, now=NOW)
    with pytest.raises(traffic.Frozen) as refused:
        traffic.record_hours(LATE)
    assert refused.value.days == {MONDAY: TrafficReason.PUBLISHED} and not TrafficDay.objects.exists()


@pytest.mark.parametrize("other", ["2026-04", "2026-Q2"])
def test_what_is_published_of_other_months_stands_in_no_ones_way(frozen, rule, other):
    """The control."""
    release.publish(release.prepare(parse(other), today=TODAY, rule=rule), by=None, now=NOW)
    assert traffic.record_hours(LATE).late == 1


# --- what waits to be read --------------------------------------------------------------------------------------------


def test_what_is_prepared_is_not_published_without_calls_that_came_late_but_prepared_anew(frozen, rule):
    assert calls_of(frozen) is None and schedule.renew_due(today=TODAY, rule=rule) == []
    traffic.record_hours(LATE)
    with pytest.raises(CannotRelease) as refused:
        release.publish(frozen, by=None, now=NOW)
    assert refused.value.reason == CannotRelease.LACKS_CALLS and not PublishedCell.objects.exists()
    (anew,) = schedule.renew_due(today=TODAY, rule=rule)
    assert anew.pk == frozen.pk and anew.sha256 != frozen.sha256 and anew.prepared_on == TODAY
    assert calls_of(anew)["anrop"] == 10
    before, after = json.loads(frozen.candidate), json.loads(anew.candidate)
    assert {name for name in after if before[name] != after[name]} == {"traffic-month"}
    with pytest.raises(CannotRelease):
        release.publish(frozen, by=None, now=NOW)  # the one that was read before
    release.publish(anew, by=None, now=NOW)
    assert schedule.renew_due(today=TODAY, rule=rule) == []


@pytest.mark.django_db(transaction=True)
def test_what_another_worker_prepares_anew_is_left_to_it(frozen, rule):
    traffic.record_hours(LATE)

    def renew() -> list[Release]:
        return schedule.renew_due(today=TODAY, rule=rule)

    if connection.vendor == "postgresql":
        with preparing(MARCH):
            assert at_once(renew) == [[]]
    assert at_once(renew) == [[frozen]]


def test_whoever_publishes_by_command_gets_it_prepared_anew(frozen, rule):
    traffic.record_hours(LATE)
    assert calls_of(release.prepare(MARCH, today=TODAY, rule=rule))["anrop"] == 10


@pytest.mark.django_db(transaction=True)
def test_calls_that_come_while_their_month_is_published_are_published_or_refused(frozen):
    def publish() -> object:
        return release.publish(Release.objects.get(), by=None, now=NOW)

    published, loaded = at_once(publish, lambda: traffic.record_hours(LATE))
    assert isinstance(published, CannotRelease) != isinstance(loaded, traffic.Frozen), (published, loaded)
    assert TrafficDay.objects.exists() == isinstance(published, CannotRelease)


def test_a_coordinator_is_told_why_what_was_read_waits(frozen, coordinator):
    address = f"/releases/{frozen.pk}/"
    assert "I have read the release through" in words(coordinator.get(address).content)
    traffic.record_hours(LATE)
    said = words(coordinator.get(address).content)
    assert "Calls of 2026-03 were loaded after it was prepared: it is prepared anew within the hour." in said
    assert "I have read the release through" not in said
    answer = coordinator.post(f"{address}publish/", {"read": frozen.sha256}, follow=True)
    assert "loaded after it was prepared" in words(answer.content) and not PublishedCell.objects.exists()


# --- the warnings -----------------------------------------------------------------------------------------------------


@pytest.fixture
def on_weekdays(db) -> None:
    openings.set_hours(WeeklyHours(date(2015, 1, 1), ((Span(540, 900),),) * 5 + ((), ())), by=None, now=NOW)


def test_before_the_freeze_the_page_warns_of_open_days_without_calls(coordinator, on_weekdays, settings):
    today = timezone.localdate()
    month = containing("month", today).previous()
    settings.REPORTS_FREEZE_DAY = 28
    entry = read_entry(month.start, {"channel": ["telefon"], "result": ["test"]})
    contacts.log_contact(by=None, key=uuid4(), entry=entry, now=timezone.now(), today=today)
    open_days = [day for day in month.days() if openings.opening().spans(day)]
    html = coordinator.get("/releases/").content
    assert (
        f"No telephony counts for {len(open_days)} open days of {month.label('en')}: load them before it is froz"
        in words(html)
    )
    assert b'<a href="/import/">Load a file</a>' in html
    traffic.record_hours([ClockHour(day, 9, "Main", TEN) for day in open_days[1:]])
    assert f"No telephony counts for 1 open day of {month.label('en')}" in words(coordinator.get("/releases/").content)
    traffic.record_hours([ClockHour(open_days[0], 9, "Main", TEN)])
    assert "No telephony counts" not in words(coordinator.get("/releases/").content)


def test_a_month_that_is_not_over_is_no_cause_for_a_warning(coordinator, on_weekdays):
    entry = read_entry(timezone.localdate(), {"channel": ["telefon"], "result": ["test"]})
    contacts.log_contact(by=None, key=uuid4(), entry=entry, now=timezone.now(), today=timezone.localdate())
    assert "telephony" not in words(coordinator.get("/releases/").content)


def test_before_publishing_both_pages_warn_of_open_days_without_calls(frozen, coordinator, on_weekdays):
    for address in ("/releases/", f"/releases/{frozen.pk}/"):
        said = words(coordinator.get(address).content)
        assert "March 2026: no telephony counts for 22 open days. Load them before you publish. Load a file" in said
    traffic.record_hours(LATE)
    for address in ("/releases/", f"/releases/{frozen.pk}/"):
        said = words(coordinator.get(address).content)
        assert "March 2026: no telephony counts for 21 open days. Either nobody called, or they were not loaded" in said


def test_a_period_can_still_be_loaded_as_long_as_one_of_its_silent_months_can(frozen, on_weekdays):
    assert calls.silences([MARCH], today=TODAY) == {MARCH: calls.Silence(22, can_load=True)}
    freeze.freeze_month(parse("2026-04"), today=TODAY)
    traffic.record_hours(LATE)
    of_both = Period(PILOT, MARCH.start, date(2026, 5, 1))
    assert calls.silences([MARCH, of_both], today=TODAY) == {
        MARCH: calls.Silence(21, can_load=False),
        of_both: calls.Silence(21 + 20, can_load=True),
    }
    assert calls.silences([], today=TODAY) == {}
    assert calls.silences([MARCH], today=MARCH.start + timedelta(days=1)) == {}
