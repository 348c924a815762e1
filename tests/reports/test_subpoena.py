"""What can be demanded is a short list that is always the same, and nothing that is stored is left out of it."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone, translation

from helpline import audit, contacts, drafts, policy, traffic
from helpline.entries import read_entry
from helpline.imports import jobs, keys
from helpline.models import Draft, ImportJob, TrafficGrid, User
from helpline.traffic_file import Calls, ClockHour
from reports import rollups, subpoena
from reports.models import Upkeep
from reports.periods import containing
from tests.catalogue import Column, classes, columns

pytestmark = pytest.mark.django_db

DAY = date(2026, 9, 30)  # a Wednesday
NOW = datetime(2026, 9, 30, 12, 10, 30, tzinfo=UTC)  # 14.10 in Stockholm
CALL = {"channel": ["telefon"], "result": ["relevant"], "caller_role": ["narstaende"], "concerns": ["natet", "hot"]}


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def the_clock_stands_at_ten_past_two(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def lines(hour: int, day: date = DAY) -> list[str]:
    return subpoena.lines(subpoena.Hour(day, hour))


# --- it is complete ---------------------------------------------------------------------------------------------------

NAMED = {column for source in subpoena.SOURCES for column in source.columns}
OF_TIME = ("hour", "day", "weekday", "month", "minute", "second", "clock")


def tells_time(column: Column, known: dict[str, str]) -> bool:
    """Whether a column holds a moment, by its type, its name or its privacy class."""
    words = {*column.name.split("_"), known.get(str(column), "").partition(" ")[0]}
    is_number = "int" in column.kind or column.kind.startswith("bool")
    return column.is_moment or (is_number and bool(words & set(OF_TIME)))


def left_out() -> set[str]:
    """What the catalogue has of clocks, hours and days that the list neither answers for nor is silent about."""
    known = classes()
    found = {str(column) for column in columns() if tells_time(column, known)}
    silent = {column for column in found if known.get(column) in subpoena.SILENT}
    return found - NAMED - silent - subpoena.EMPTY


def test_every_clock_hour_and_day_of_the_database_is_answered_for():
    assert left_out() == set()
    assert {str(column) for column in columns()} >= NAMED | subpoena.EMPTY  # and nothing is named that is not there


@pytest.mark.parametrize(
    ("table", "column", "kind"),
    [
        ("helpline_contact", "rang_at", "timestamp"),
        ("helpline_referral", "told", "time"),
        ("reports_statrecord", "week", "date"),
        ("helpline_traffichour", "minute", "smallint"),
        ("mfa_authenticator", "seen", "timestamp"),
    ],
)
def test_a_planted_column_of_time_is_missed(table, column, kind):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    assert left_out() == {f"{table}.{column}"}


def test_a_planted_table_is_missed_too():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE log (hour smallint, at timestamp)")
    assert left_out() == {"log.hour", "log.at"}


def test_the_classes_about_which_it_is_silent_say_nothing_of_an_hour_or_a_clock():
    assert not {word for silent in subpoena.SILENT for word in silent.split() if word in ("hour", "clock", "day,")}
    assert all("day" not in silent or "machine" in silent for silent in subpoena.SILENT)


# --- it is always the same --------------------------------------------------------------------------------------------


def headings(hour: int, day: date = DAY) -> list[str]:
    return [line.split(": ")[0] for line in lines(hour, day)]


@pytest.fixture
def handler() -> User:
    return User.objects.create_user("anna", None, role=policy.HANDLER)


@pytest.fixture
def a_busy_hour(handler) -> User:
    """One of everything between two and three."""
    entry = read_entry(DAY, CALL)
    contacts.log_contact(by=handler, key=uuid.uuid4(), entry=entry, now=NOW, today=DAY)
    keys.log_imported(key="a row", entry=entry, now=NOW, today=DAY)
    Draft.objects.create(id=uuid.uuid4(), owner=handler, content="{}", opened_at=NOW, changed_at=NOW)
    traffic.record_hours([ClockHour(DAY, 14, "Main", Calls(3, 2, 0, 1, 0, 0))])
    audit.record(by=handler, act="contact.open", now=NOW)
    Authenticator.objects.create(user=handler, type="totp", data={"step": int(NOW.timestamp()) // 30}, created_at=NOW)
    Client().force_login(handler)
    User.objects.filter(pk=handler.pk).update(logged_in_on=DAY)
    ImportJob.objects.create(kind="traffic", by=handler, content="x", day=DAY, expires_at=NOW + jobs.KEPT)
    Upkeep.objects.update_or_create(id=1, defaults={"caught_up_at": NOW})
    rollups.refresh(seconds=60)
    return handler


def test_it_has_one_line_for_each_source_whatever_happened(a_busy_hour):
    assert headings(14) == headings(3) == headings(0, date(2015, 1, 1))
    assert len(headings(14)) == len(subpoena.SOURCES)


def test_everything_of_a_busy_hour_is_told_and_of_the_next_what_has_no_hour(a_busy_hour):
    busy, next_one = lines(14), lines(15)
    told = [line.split(": ", 1)[1] for line in busy]
    assert told == [
        "Main: offered 3, answered 2, abandoned_short 0, abandoned 1, closed 0, voicemail 0",
        "0",
        "0",
        *("2", "2 (anna, –)", "1 (anna)", "0", "1"),
        str(len(subpoena.DayCount.objects.filter(day=DAY))),
        "Open somebody else’s contact, with a reason (anna)",
        *("0", "1 (anna)", "1 (anna)", "1 (anna)", "1 (anna)", "1"),
    ]
    of_an_hour = [place for place, line in enumerate(busy) if line != next_one[place]]
    assert [next_one[place].rsplit(": ", 1)[1] for place in of_an_hour] == ["0"] * 7
    assert [place for place, line in enumerate(busy) if " that hour" in line] == sorted({*of_an_hour, 2, 14})


def test_it_tells_nothing_that_a_contact_says(a_busy_hour):
    said = "\n".join(lines(14))
    assert not [code for code in ("telefon", "relevant", "narstaende", "natet", "hot") if code in said]


def test_what_is_erased_is_not_told_any_more(a_busy_hour):
    contacts.erase_traces(now=NOW + timedelta(hours=25), amend_hours=24)
    drafts.erase_expired(now=NOW + timedelta(hours=25), hours=12)
    assert lines(14)[4].endswith(": 0") and lines(14)[5].endswith(": 0") and lines(14)[3].endswith(": 2")


def test_the_hour_of_a_call_is_gone_when_its_month_is_frozen(handler):
    traffic.record_hours([ClockHour(DAY, 14, "Main", Calls(3, 2, 0, 1, 0, 0))])
    traffic.fold_month(end=containing("month", DAY).end)
    hour, day, grid, *_ = [line.split(": ", 1)[1] for line in lines(14)]
    assert hour == "0" and "offered 3" in day and "offered 3" in grid
    assert TrafficGrid.objects.get().weekday == 2
    hour, day, grid, *_ = [line.split(": ", 1)[1] for line in lines(13)]
    assert (hour, grid) == ("0", "0") and "offered 3" in day


def test_the_long_hour_is_both_of_them_and_one_that_there_is_not_is_empty():
    long, none = subpoena.Hour(date(2026, 10, 25), 2), subpoena.Hour(date(2026, 3, 29), 2)
    assert long.ends.timestamp() - long.begins.timestamp() == 7200
    assert none.ends.timestamp() - none.begins.timestamp() <= 0
    usual = subpoena.Hour(DAY, 23)
    assert usual.ends.timestamp() - usual.begins.timestamp() == 3600


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_prints_the_list_between_a_heading_and_what_it_does_not_hold(a_busy_hour, capsys):
    call_command("subpoena", "2026-09-30", "14")
    first, *rest, last = capsys.readouterr().out.splitlines()
    assert first == "Everything that this system can say about 2026-09-30 from 14.00 to 15.00:"
    assert rest == [f"- {line}" for line in lines(14)]
    assert last.startswith("No other day or clock time that is stored tells when somebody called.")


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "2014-12-31", "2026-10-01", "9999-12-31", ""])
def test_a_day_that_cannot_be_is_refused_with_a_sentence(day):
    with pytest.raises(CommandError, match="as 2016-06-30"):
        call_command("subpoena", day, "14")


@pytest.mark.parametrize("hour", ["24", "-1", "14.5", "two", "", "٣"])
def test_an_hour_that_cannot_be_is_refused_with_a_sentence(hour):
    with pytest.raises(CommandError, match="from 0 to 23"):
        call_command("subpoena", "--", "2026-09-30", hour)
