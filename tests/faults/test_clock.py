"""Clocks that go wrong, and nights on which they are changed: each contact is in exactly one day, none ahead."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from celery.beat import Scheduler
from celery.schedules import schedule
from django.conf import settings
from django.test import Client
from django.utils import timezone
from kombu.utils.imports import symbol_by_name

from config.celery import Rings, app
from helpline import policy
from helpline.models import Contact, User
from reports import live, tasks
from reports.models import DayCount
from reports.periods import containing
from tests.faults.invariants import Found
from tests.faults.ledger import Ledger
from tests.faults.scope import Figures

NOON = datetime(2026, 11, 11, 11, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HALF_HOURS = [n * HOUR / 2 for n in range(-8, 9)]


def around(middle: datetime) -> list[datetime]:
    return [middle + by for by in HALF_HOURS]


# The change comes at 01:00 UTC.
AUTUMN, SPRING = datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2027, 3, 28, 1, tzinfo=UTC)
CLOCKS: dict[str, list[datetime]] = {
    "an hour ahead and back": [NOON, NOON + HOUR, NOON],
    "an hour behind and back": [NOON, NOON - HOUR, NOON],
    "an hour ahead over midnight and back": [NOON + 11.5 * HOUR, NOON + 12.5 * HOUR, NOON + 11.5 * HOUR],
    "a day ahead and back": [NOON, NOON + DAY, NOON, NOON + HOUR],
    "a day behind and back": [NOON, NOON - DAY, NOON],
    "backwards all the time": [NOON - n * 5 * HOUR for n in range(10)],
    "night with 25 hours": around(datetime(2026, 10, 24, 22, tzinfo=UTC)) + around(AUTUMN),
    "night with 23 hours": around(datetime(2027, 3, 27, 23, tzinfo=UTC)) + around(SPRING),
    "year end": around(datetime(2026, 12, 31, 23, tzinfo=UTC)),
}


def day_in_sweden(moment: datetime) -> date:
    """By the law on summer time, without a database of time zones."""
    is_summer = moment < AUTUMN or moment >= SPRING
    return (moment + timedelta(hours=2 if is_summer else 1)).date()


@pytest.fixture
def desk(client: Client, db) -> Callable[[date], int]:
    """Save a contact of a day by the form; the status of the answer."""
    handler = User.objects.create_user("handler", None, role=policy.HANDLER)

    def save(day: date) -> int:
        client.force_login(handler)  # sessions end when the clock jumps, as they should
        form = {"key": str(uuid4()), "day": day.isoformat(), "channel": "telefon", "result": "tyst", "length": "u5"}
        return client.post("/contacts/new/", form, headers={"accept": "application/json"}).status_code

    return save


@pytest.mark.parametrize("clock", CLOCKS)
def test_each_contact_is_in_one_day_and_none_ahead(desk, clock, monkeypatch, figures: Figures):
    expected: Counter[date] = Counter()
    for moment in CLOCKS[clock]:
        monkeypatch.setattr(timezone, "now", lambda moment=moment: moment)
        today = day_in_sweden(moment)
        assert desk(today) == 201
        assert desk(today + DAY) == 422
        expected[today] += 1
        tasks.sweep.apply(throw=True)
        figures.faults += 1
    counts = DayCount.objects.filter(variable="result", code="tyst").values_list("day", "n")
    assert dict(counts) == expected
    assert Contact.objects.count() == sum(expected.values()) == len(CLOCKS[clock])
    ledger = Ledger()
    ledger.erased = 0
    found = ledger.settle()
    found.duplicates = []  # saved by a form, unknown to the ledger
    assert found == Found()


def test_the_nights_hold_what_they_are_here_for():
    days = {name: {day_in_sweden(moment) for moment in moments} for name, moments in CLOCKS.items()}
    assert days["year end"] == {date(2026, 12, 31), date(2027, 1, 1)}
    assert days["night with 25 hours"] == {date(2026, 10, 24), date(2026, 10, 25)}
    assert days["night with 23 hours"] == {date(2027, 3, 27), date(2027, 3, 28)}
    assert len(days["an hour ahead over midnight and back"]) == 2


# --- beat -------------------------------------------------------------------------------------------------------------


def test_while_no_beat_rings_for_an_hour_ready_turns_red_and_the_overview_stays_right(
    desk, monkeypatch, figures: Figures
):
    def at(minute: int) -> None:
        monkeypatch.setattr(timezone, "now", lambda: NOON + minute * HOUR / 60)

    def ready() -> int:
        return Client().get("/health/ready").status_code

    at(0)
    tasks.sweep.apply(throw=True)
    told, saved = {}, 0
    for minute in range(0, 61, 4):
        at(minute)
        assert desk(NOON.date()) == 201
        saved += 1
        told[minute] = ready()
        assert live.overview(containing("week", NOON.date())).contacts == saved
    assert {minute for minute, status in told.items() if status == 503} == set(range(16, 61, 4))
    assert set(told.values()) == {200, 503}
    figures.faults += 1
    tasks.sweep.apply(throw=True)
    assert ready() == 200 and live.overview(containing("week", NOON.date())).contacts == saved


def test_beat_goes_by_plain_intervals_and_no_local_clock():
    every = [entry["schedule"] for entry in settings.CELERY_BEAT_SCHEDULE.values()]
    assert all(isinstance(seconds, float | int) for seconds in every)
    assert settings.CELERY_TIMEZONE == "UTC"


@pytest.mark.parametrize("night", [AUTUMN, SPRING], ids=["25 hours", "23 hours"])
def test_beat_rings_every_minute_of_a_night_on_which_the_clock_is_changed(night):
    now = [night - 3 * HOUR]
    every = schedule(60.0, nowfun=lambda: now[0], app=app)
    last, rings = now[0], 0
    while now[0] < night + 3 * HOUR:
        now[0] += timedelta(seconds=1)
        if every.is_due(last).is_due:
            last, rings = now[0], rings + 1
    assert rings == 6 * 60


@pytest.mark.parametrize("back", [HOUR, DAY, 400 * DAY], ids=str)
def test_beat_rings_on_when_the_clock_was_set_back(tmp_path, monkeypatch, back):
    """Also after a restart, from what it wrote down when the clock was ahead."""
    now, rung = [NOON], Counter()
    monkeypatch.setattr(app, "now", lambda: now[0])

    def beat() -> Scheduler:
        scheduler = symbol_by_name(app.conf.beat_scheduler)(app=app, schedule_filename=str(tmp_path / "schedule"))
        monkeypatch.setattr(scheduler, "apply_entry", lambda entry, producer=None: rung.update([entry.name]))
        monkeypatch.setattr(type(scheduler), "producer", None)
        return scheduler

    def let_pass(scheduler: Scheduler, minutes: int) -> Counter[str]:
        rung.clear()
        for _ in range(minutes * 60):
            scheduler.tick()
            now[0] += timedelta(seconds=1)
        return rung

    first = beat()
    assert type(first) is Rings, "the embedded host names it itself"
    assert let_pass(first, 61)["sweep"] >= 60
    now[0] -= back
    rung_after = let_pass(first, 61)
    assert rung_after["sweep"] >= 60 and set(rung_after) == set(settings.CELERY_BEAT_SCHEDULE)
    first.close()
    now[0] -= back
    again = beat()
    rung_after = let_pass(again, 61)
    again.close()
    assert rung_after["sweep"] >= 60 and set(rung_after) == set(settings.CELERY_BEAT_SCHEDULE)
