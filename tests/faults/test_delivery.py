"""Every task delivered again, in any order and to many workers at once: as if each had been rung once."""

import inspect
import random
import threading
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from config.celery import app
from helpline import contacts, drafts, policy
from helpline.imports import jobs
from helpline.models import AuditEvent, Contact, DayMark, DaySeal, Draft, ImportJob, User
from reports.models import DayCount, MonthCount, Release, StatRecord
from reports.periods import containing
from tests.at_once import in_thread
from tests.faults import invariants
from tests.faults.invariants import Found
from tests.faults.ledger import entry_of
from tests.faults.scope import Figures, Scope

pytestmark = pytest.mark.django_db(transaction=True)

FILE = "key,day,channel,result\na,{day},telefon,relevant\nb,{day},telefon,test\n"
# What a task is called with that takes anything.
ARGUMENTS: dict[str, Callable[[], tuple[Any, ...]]] = {}


def tasks() -> list[str]:
    app.loader.import_default_modules()
    return sorted(name for name in app.tasks if name.startswith(("helpline.", "reports.", "config.")))


def arguments(name: str) -> tuple[Any, ...]:
    if name in ARGUMENTS:
        return ARGUMENTS[name]()
    takes = [p.name for p in inspect.signature(app.tasks[name].run).parameters.values() if p.default is p.empty]
    assert not takes, f"{name} takes {takes}: say with what it is called, in ARGUMENTS"
    return ()


def deliver(name: str) -> None:
    app.tasks[name].apply(args=arguments(name), throw=True)


def deliver_all() -> None:
    for name in tasks():
        deliver(name)
    deliver("reports.tasks.sweep")


@pytest.fixture
def work(settings, tmp_path) -> Iterator[None]:
    """Something to do for every task: marked days, a month to freeze, a file to load, traces and a draft to erase."""
    settings.REPORTS_RELEASE_KEYS = tmp_path
    cache.clear()
    now, today = timezone.now(), timezone.localdate()
    for day in days_of(today):
        contacts.log_contact(by=None, key=uuid4(), entry=entry_of(day), now=now, today=today)
        contacts.log_contact(by=None, key=uuid4(), entry=entry_of(day), now=long_ago(now), today=today)
    coordinator = User.objects.create_user("coordinator", None, role=policy.COORDINATOR)
    file = FILE.format(day=days_of(today)[0])  # so young that nothing of it is erased
    job = jobs.put(ImportJob.CONTACTS, file.encode(), by=coordinator, now=now)
    assert jobs.start(job, skips_refused=False, now=now)
    empty = drafts.Content("", {})
    drafts.keep_draft(by=coordinator, key=uuid4(), content=empty, case=None, now=long_ago(now))
    drafts.keep_draft(by=coordinator, key=uuid4(), content=empty, case=None, now=now)
    yield


def long_ago(now: datetime) -> datetime:
    return now - timedelta(days=3)


def days_of(today: date) -> list[date]:
    """Of a month to freeze, and of the current one."""
    due = containing("month", today).previous().previous().start
    return [due, due + timedelta(days=1), today]


def state() -> dict[str, object]:
    """All that the tasks change, but for what is drawn at random."""
    return {
        "contacts": sorted((c.day, c.result, c.is_frozen, c.logged_at is None) for c in Contact.objects.all()),
        "days": sorted(DayCount.objects.values_list("day", "variable", "code", "n", "is_sealed")),
        "months": sorted(MonthCount.objects.values_list("month", "variable", "code", "n")),
        "marks": DayMark.objects.count(),
        "seals": sorted(DaySeal.objects.values_list("day", flat=True)),
        "records": sorted(StatRecord.objects.values_list("month", "result")),
        "releases": sorted(Release.objects.values_list("kind", "start", "edition", "published_on")),
        "imports": sorted(ImportJob.objects.values_list("state", "attempts")),
        "acts": sorted(AuditEvent.objects.values_list("act", flat=True)),
        "drafts": Draft.objects.count(),
    }


def look() -> Found:
    with connection.cursor() as cursor:
        return invariants.look(cursor)


def test_there_is_work_for_the_tasks_and_they_do_it(work):
    before = state()
    deliver_all()
    deliver_all()  # what was loaded belongs to a month that is then frozen
    after = state()
    idle = {name for name in after if after[name] == before[name]}
    assert idle == set() and after["marks"] == 0


def shuffled(times: int, seed: int) -> list[str]:
    order = tasks() * times
    random.Random(seed).shuffle(order)  # noqa: S311 (no secret)
    return order


def settled() -> dict[str, object]:
    """What is there when another delivery of every task changes nothing."""
    deliver_all()
    deliver_all()
    there = state()
    deliver_all()
    assert state() == there
    return there


def test_again_and_in_any_order_is_as_once(work, scope: Scope, figures: Figures):
    for name in shuffled(scope["deliveries of each task"], seed=1):
        deliver(name)
        figures.faults += 1
        assert look() == Found()
    expect_each_effect_once(settled())


def expect_each_effect_once(there: dict[str, object]) -> None:
    assert there["imports"] == [(ImportJob.DONE, 1)]
    assert len(there["contacts"]) == 2 * 3 + 2  # type: ignore[arg-type]
    assert there["drafts"] == 1 and there["marks"] == 0
    assert len(there["acts"]) == len([act for act in there["acts"] if "import" in act]) == 1  # type: ignore[union-attr,arg-type]
    releases = [release[:3] for release in there["releases"]]  # type: ignore[attr-defined]
    assert releases and len(set(releases)) == len(releases)


def test_many_workers_at_once_are_as_one(work, scope: Scope, figures: Figures):
    failed: list[str] = []
    gate = threading.Barrier(scope["deliveries at once"])

    def worker(seed: int) -> Callable[[], None]:
        def run() -> None:
            gate.wait()
            for name in shuffled(1, seed):
                try:
                    deliver(name)
                except Exception as error:
                    failed.append(f"{name}: {type(error).__name__}: {error}")

        return run

    threads = [in_thread(worker(seed)) for seed in range(scope["deliveries at once"])]
    for thread in threads:
        thread.join()
    figures.faults = len(threads) * len(tasks())
    assert failed == []
    assert look() == Found()
    expect_each_effect_once(settled())
    assert look() == Found()
