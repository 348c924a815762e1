"""No path leads from an hour in which somebody called to a contact, nor back: two worlds that differ only in that look
the same to everybody.

In both worlds the same contacts are logged on the same days, and as many calls come on each day. What differs is the
hour in which each call came. Whoever could tell an hour's contact could tell the worlds apart.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, models, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpline import contacts, openings, policy, privacy, traffic
from helpline.entries import read_entry
from helpline.imports import jobs, kinds
from helpline.models import (
    AuditEvent,
    Contact,
    Earlier,
    ImportJob,
    Referral,
    TrafficDay,
    TrafficGrid,
    TrafficHour,
    User,
)
from helpline.opening import Exceptional, Span, WeeklyHours
from helpline.traffic_file import COUNTS, Calls, ClockHour, Reading
from reports import calls, freeze, rebuilding, rollups
from reports.models import DayCount, MonthCount, StatRecord, StatReferral
from reports.periods import containing
from tests.test_access import PAGES, ROLES, Somebody, ask, cookies

pytestmark = pytest.mark.django_db
__all__ = ["cookies"]  # the fixture

NOW = timezone.now()
TODAY = timezone.localdate(NOW)
THIS, PAST = containing("month", TODAY), containing("month", TODAY).previous()
MONDAY = next(day for day in PAST.days() if day.weekday() == 0)
NEXT_MONDAY = MONDAY + timedelta(days=7)
ONE = Calls(1, 1, 0, 0, 0, 0)
World = dict[date, int]  # the hour of the one call of a day
MORNING: World = {MONDAY: 9, NEXT_MONDAY: 14, TODAY: 9}
AFTERNOON: World = {MONDAY: 14, NEXT_MONDAY: 9, TODAY: 14}

CONTENT = (Contact, Referral, Earlier, DayCount, MonthCount, StatRecord, StatReferral)
TRAFFIC = (TrafficHour, TrafficDay, TrafficGrid)
# What differs from one look to the next in any case.
CHANCE = re.compile(rb'name="csrfmiddlewaretoken" value="\w+"|<p class="freshness">.*?</p>', re.S)


@pytest.fixture(autouse=True)
def the_clock_stands_still(monkeypatch):
    """Both looks fall into one hour, which the record of acts writes down, and into one day."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def logged(db) -> dict[date, Contact]:
    """One contact on each of the days, each of its own kind, by the handler; everything counted."""
    handler = User.objects.create_user("anna", None, role=policy.HANDLER)
    made = {}
    for day, result in ((MONDAY, "relevant"), (NEXT_MONDAY, "info"), (TODAY, "bus")):
        entry = read_entry(day, {"channel": ["telefon"], "result": [result], "length": ["u5"]})
        made[day] = contacts.log_contact(by=handler, key=uuid4(), entry=entry, now=timezone.now(), today=TODAY)
    openings.set_hours(WeeklyHours(MONDAY, ((Span(540, 960),),) * 7), by=None, now=timezone.now())
    # Else the open hours of today would grow from one look to the next.
    openings.set_exception(Exceptional(TODAY, (), "other"), by=None, now=timezone.now())
    rollups.refresh(seconds=60)
    return made


def let_them_call(world: World) -> None:
    TrafficHour.objects.all().delete()
    traffic.record_hours([ClockHour(day, hour, "Main", ONE) for day, hour in world.items()])


# --- what can be seen -------------------------------------------------------------------------------------------------


def asked_by(role: str) -> list[str]:
    """Every page that a role may open (tests/test_access.py holds them to it), by every period and day it can be asked
    for."""
    found = [where for where, pattern in PAGES if may_open(role, pattern.callback.policy_action)]
    periods = sorted({containing(kind, day).code for kind in ("week", "month", "quarter") for day in MORNING})
    found += [f"{page}?period={code}" for page in ("/traffic/", "/overview/") if page in found for code in periods]
    days = ("/contacts/", "/traffic/hours/")
    return found + [f"{page}?day={day}" for page in days if page in found for day in MORNING]


def may_open(role: str, action: str) -> bool:
    return action == policy.OPEN or (bool(role) and policy.may(role, action))


def seen(cookies: dict[Somebody, str], only: str = "") -> dict[tuple[str, str], tuple[int, bytes]]:
    """What each role and a visitor is answered by every address that begins with `only`, and by the one export."""
    answers = {}
    for who in (Somebody(), *(Somebody(role) for role in ROLES)):
        for where in asked_by(who.role):
            if where.startswith(only):
                way = "post" if where == "/audit/export.csv" else "get"
                response = ask(cookies[who], way, where)
                answers[who.role, where] = response.status_code, CHANCE.sub(b"", response.content)
    return answers


def told_apart(
    cookies: dict[Somebody, str], one: World = MORNING, other: World = AFTERNOON, only: str = ""
) -> set[tuple[str, str]]:
    """By whom and where two worlds can be told apart."""
    let_them_call(one)
    before = seen(cookies, only)
    let_them_call(other)
    return {at for at, answer in seen(cookies, only).items() if answer != before[at]}


# Pages with a random key or the present minute, which differ from one look to the next.
BY_CHANCE = {"/session/", "/contacts/new/", "/account/app/", "/account/passkeys/add/", "/directory/receivers.json"}


def test_nobody_sees_or_exports_anything_by_which_the_worlds_could_be_told_apart(logged, cookies):
    assert {where for _, where in told_apart(cookies)} <= BY_CHANCE


def test_an_hour_that_strikes_between_the_looks_would_be_taken_for_a_difference(logged, cookies, monkeypatch):
    """The control of the clock that stands still: the record is fetched with the hour in which it was."""
    before = seen(cookies, "/audit/export")
    monkeypatch.setattr(timezone, "now", lambda: NOW + timedelta(hours=1))
    after = seen(cookies, "/audit/export")
    assert {at for at, answer in after.items() if answer != before[at]} == {
        (policy.COORDINATOR, "/audit/export.csv"),
        (policy.ADMINISTRATOR, "/audit/export.csv"),
    }


def test_pages_that_differ_by_chance_never_read_a_call(logged, cookies):
    let_them_call(MORNING)
    for where in BY_CHANCE | {"/traffic/"}:
        with CaptureQueriesContext(connection) as queries:
            ask(cookies[Somebody(policy.COORDINATOR)], "get", where)
        reads = any('FROM "helpline_traffic' in query["sql"] for query in queries)
        assert reads == (where == "/traffic/"), where


def test_the_crawl_sees_calls_and_contacts(logged, cookies):
    """The control: another number of calls, or another contact, is seen at once."""
    fewer = {day: hour for day, hour in MORNING.items() if day != MONDAY}
    assert ("coordinator", f"/traffic/?period={PAST.code}") in told_apart(cookies, MORNING, fewer, "/traffic/")
    before = seen(cookies, "/contacts/?")
    Contact.objects.filter(pk=logged[MONDAY].pk).update(result="info")
    assert {at for at, answer in seen(cookies, "/contacts/?").items() if answer != before[at]} == {
        ("coordinator", f"/contacts/?day={MONDAY}")
    }


def test_hours_of_a_week_or_of_the_running_month_would_tell_the_worlds_apart(logged, cookies, monkeypatch):
    """The control: with a grid of whatever is asked for, the hour of a day could be read."""

    def of_anything(period, today):
        return traffic.by_weekday_and_hour(period.start, period.end)

    monkeypatch.setattr(calls, "_grid", of_anything)
    found = told_apart(cookies, only="/traffic/")
    assert {role for role, _ in found} == {"coordinator"}
    assert ("coordinator", f"/traffic/?period={containing('week', MONDAY).code}") in found
    assert ("coordinator", f"/traffic/?period={THIS.code}") in found


def test_the_page_of_the_calls_says_no_more_of_contacts_than_sums_of_a_week(logged, cookies):
    """Two contacts of one week that change their days change nothing on it."""
    let_them_call(MORNING)
    other = logged[MONDAY]
    moved = Contact.objects.get(pk=logged[NEXT_MONDAY].pk)
    Contact.objects.filter(pk=moved.pk).update(day=MONDAY + timedelta(days=1))
    rebuilding.rebuild()
    before = seen(cookies, "/traffic/")
    Contact.objects.filter(pk=other.pk).update(day=MONDAY + timedelta(days=1))
    Contact.objects.filter(pk=moved.pk).update(day=MONDAY)
    rebuilding.rebuild()
    after = seen(cookies, "/traffic/")
    assert before == after and any(answer[0] == 200 for answer in after.values())


# --- what a trial tells ----------------------------------------------------------------------------------------------

HEADER = "day,hour,queue," + ",".join(COUNTS)
UNLIKE = re.compile(r"/import/[-0-9a-f]{36}/|kept until [0-9:]+")  # from one trial to the next in any case


def coordinators(cookies: dict[Somebody, str]) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.cookies[settings.SESSION_COOKIE_NAME] = cookies[Somebody(policy.COORDINATOR)]
    return client


def tried(client: Client, day: date, hour: int) -> list[str]:
    """What the pages say to somebody who tries out an hour, by a file that is looked at, then loaded, and by typing it
    in; nothing that was done by it remains."""
    row = [day.isoformat(), f"{hour:02}", "Main", "1", "1", "0", "0", "0", "0"]
    file = f"{HEADER}\n{','.join(row)}\n".encode()
    cache.clear()
    with transaction.atomic():
        sent = {"kind": ImportJob.TRAFFIC, "file": SimpleUploadedFile("f.csv", file)}
        answers = [client.post("/import/", sent, follow=True)]
        jobs.start(job := ImportJob.objects.get(), skips_refused=False, now=timezone.now())
        jobs.run_next(now=timezone.now())
        answers += [
            client.get(f"/import/{job.pk}/", headers={"accept": way}) for way in ("text/html", "application/json")
        ]
        transaction.set_rollback(True)
    with transaction.atomic():
        typed = dict(zip(HEADER.split(","), row, strict=True))
        answers.append(client.post("/traffic/hours/", typed))
        transaction.set_rollback(True)
    assert all(answer.status_code == 200 for answer in answers)
    return [UNLIKE.sub("", CHANCE.sub(b"", answer.content).decode()) for answer in answers]


def told_by_trials(client: Client) -> set[tuple[date, int]]:
    """The hours whose trials tell the two worlds apart."""
    said = []
    for world in (MORNING, AFTERNOON):
        let_them_call(world)
        said.append({(day, hour): tried(client, day, hour) for day in world for hour in (8, 9, 14)})
    return {at for at, answers in said[0].items() if said[1][at] != answers}


def test_no_trial_of_an_hour_says_whether_it_is_stored(logged, cookies):
    assert told_by_trials(coordinators(cookies)) == set()
    assert not AuditEvent.objects.filter(act__in=("import.run", "traffic.edit")).exists()


def test_a_count_of_the_hours_that_a_file_replaces_would_tell(logged, cookies, monkeypatch):
    """The control: as little as that is seen, by the file that is only looked at too."""
    honest = kinds.KINDS[ImportJob.TRAFFIC]

    def counts(reading: Reading, run: kinds.Run) -> kinds.Result:
        there = sum(TrafficHour.objects.filter(day=hour.day, hour=hour.hour).count() for _, hour in reading.hours)
        result = honest.store(reading, run)
        return replace(result, counts=dict(result.counts) | {"replaced": there})

    monkeypatch.setattr(jobs, "KINDS", dict(kinds.KINDS) | {ImportJob.TRAFFIC: replace(honest, store=counts)})
    told = told_by_trials(coordinators(cookies))
    assert told == {(day, hour) for day in MORNING for hour in (9, 14)}


def test_no_trial_of_an_hour_of_a_frozen_month_says_more_than_that_it_is_frozen(logged, cookies):
    said = []
    for world in PAST_ONLY:
        with transaction.atomic():
            frozen_world(world)
            client = coordinators(cookies)
            said.append([tried(client, day, hour) for day in world for hour in (8, 9, 14)])
            transaction.set_rollback(True)
    assert said[0] == said[1] and "The month is frozen" in said[0][0][0] and "The month is frozen" in said[0][0][-1]


# --- what is stored ---------------------------------------------------------------------------------------------------


def stored(of: Iterable[type[models.Model]]) -> dict[str, list[tuple[object, ...]]]:
    """Every row without its random keys, in the order in which the database keeps it: order could tell as well."""
    rows = {}
    for model in of:
        names = [f.column for f in model._meta.fields if f.name not in ("id", "key", "record", "contact")]
        place = "ctid" if connection.vendor == "postgresql" else "rowid"
        with connection.cursor() as cursor:
            quoted = ", ".join(f'"{name}"' for name in names)
            cursor.execute(f'SELECT {quoted} FROM "{model._meta.db_table}" ORDER BY {place}')  # noqa: S608
            rows[model.__name__] = cursor.fetchall()
    return rows


def frozen_world(world: World) -> dict[str, list[tuple[object, ...]]]:
    let_them_call(world)
    freeze.freeze_month(PAST, today=TODAY)
    return stored([TrafficHour, TrafficDay, TrafficGrid, DayCount, MonthCount])


PAST_ONLY = [{day: hour for day, hour in world.items() if day < THIS.start} for world in (MORNING, AFTERNOON)]


def both_frozen() -> list[dict[str, list[tuple[object, ...]]]]:
    worlds = []
    for world in PAST_ONLY:
        with transaction.atomic():
            worlds.append(frozen_world(world))
            transaction.set_rollback(True)
    return worlds


def test_once_the_month_is_frozen_not_even_the_database_tells_the_worlds_apart(logged):
    """So nothing that is ever published or exported of it can."""
    one, other = both_frozen()
    assert one == other and one["TrafficGrid"] and not one["TrafficHour"]


def test_without_the_fold_the_database_would_tell(logged, monkeypatch):
    monkeypatch.setattr(traffic, "fold_month", lambda *, end: None)
    one, other = both_frozen()
    assert one != other


def fields(some: Iterable[type[models.Model]]) -> list[models.Field]:
    return [field for model in some for field in model._meta.fields]


def ties(content: Iterable[models.Field], calls: Iterable[models.Field]) -> set[str]:
    """What a row of content and a row of calls share beyond a day or a month: links to each other, clocks that stay,
    and columns of one name."""
    content, calls = list(content), list(calls)
    found = {str(field) for field in content if field.related_model in TRAFFIC}
    found |= {str(field) for field in calls if field.related_model is not None}
    of_clock = (models.DateTimeField, models.TimeField, models.DurationField)
    erased = {"Contact.logged_at"}
    found |= {str(f) for f in content if isinstance(f, of_clock) and str(f).partition(".")[2] not in erased}
    shared = {field.name for field in content} & {field.name for field in calls}
    return found | (shared - {"id", "day", "month"})


def test_a_contact_and_an_hour_share_a_day_at_most():
    assert ties(fields(CONTENT), fields(TRAFFIC)) == set()
    assert "erased" in privacy.PRIVACY["Contact.logged_at"]


@pytest.mark.parametrize(
    ("name", "planted"),
    [
        ("rang_at", models.DateTimeField()),
        ("rang", models.TimeField()),
        ("hour", models.SmallIntegerField()),
        ("queue", models.CharField(max_length=32)),
        ("call", models.ForeignKey(TrafficHour, on_delete=models.CASCADE)),
    ],
)
def test_a_planted_clock_column_or_link_is_found(name, planted):
    planted.set_attributes_from_name(name)
    assert ties([*fields(CONTENT), planted], fields(TRAFFIC))


def test_every_table_is_content_calls_or_neither():
    """A new table of either kind has to be looked at here."""
    known = {model.__name__ for model in (*CONTENT, *TRAFFIC)}
    neither = {"OpeningHours", "OpeningException", "Release", "PublishedCell", "Grant", "Token", "User", "AuditEvent"}
    neither |= {"Approval", "Case", "DayMark", "DaySeal", "Demonstration", "Draft", "ImportedKey", "ImportJob"}
    # The machine's own rounds: which days and months to count again, when no mark waited, which key a year has,
    # which year's records are gone, what was erased by the night.
    neither |= {"GateRun", "PreparedFile", "PublishedFile"}  # made of frozen records, as releases are
    neither |= {"RebuildMonth", "FailedDay", "Upkeep", "ReleaseKey", "ErasedYear", "Erasure"}
    # Without a link to a contact or a call, and without a day but that of a check (test_models.py).
    neither |= {
        "Organisation",
        "Service",
        "Location",
        "Phone",
        "Schedule",
        "SpokenLanguage",
        "ServiceArea",
        "ServiceUse",
    }
    ours = {m.__name__ for app in ("helpline", "reports") for m in apps.get_app_config(app).get_models()}
    assert ours - known - neither == set()


def test_the_record_of_acts_says_that_calls_were_entered_and_no_more(logged):
    coordinator = User.objects.create_user("karin", None, role=policy.COORDINATOR)
    traffic.record_hours([ClockHour(MONDAY, 9, "Main", ONE)], by=coordinator, now=timezone.now())
    event = AuditEvent.objects.get(act="traffic.edit")
    assert (event.reason, event.about) == ("", None)
