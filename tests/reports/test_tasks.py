"""The doorbells over a real Redis, heard by a real worker process."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from config.celery import app
from helpline import contacts
from helpline.entries import read_entry
from helpline.models import Demonstration
from reports import rebuilding, rollups, tasks
from reports.models import DayCount, PublishedCell, Release, StatRecord

ROOT = Path(__file__).parent.parent.parent
WAIT = 40


def environment() -> dict[str, str]:
    """That of a production worker on the test's own database and Redis."""
    database = connection.settings_dict
    url = f"sqlite:///{database['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    broker = os.environ["TEST_REDIS_URL"]
    return os.environ | {"DATABASE_URL": url, "CELERY_BROKER_URL": broker, "SECRET_KEY": settings.SECRET_KEY}


def celery(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "config", *arguments]


def started(*arguments: str) -> "subprocess.Popen[bytes]":
    command = celery(*arguments, "--loglevel", "WARNING")
    return subprocess.Popen(command, cwd=ROOT, env=environment(), start_new_session=True)


def worker_of(*queues: str) -> "subprocess.Popen[bytes]":
    name = f"{'-'.join(queues)}-{uuid.uuid4().hex[:6]}@localhost"
    return started("worker", "--concurrency", "1", "--queues", ",".join(queues), "--hostname", name)


def stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(WAIT) == 0


@pytest.fixture
def worker(transactional_db) -> Iterator["subprocess.Popen[bytes]"]:
    process = worker_of("live", "batch")
    yield process
    stop(process)


def log_one(day: date) -> None:
    entry = read_entry(day, {"channel": ["telefon"], "result": ["relevant"]})
    contacts.log_contact(by=None, key=uuid.uuid4(), entry=entry, now=datetime(2026, 3, 2, tzinfo=UTC), today=day)


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.django_db(transaction=True)
def test_a_worker_of_its_own_counts_what_the_web_process_saved(worker):
    log_one(date(2026, 3, 2))
    subprocess.run(celery("call", "reports.tasks.sweep"), cwd=ROOT, env=environment(), check=True, timeout=WAIT)
    wait_until(lambda: not rollups.marked_days())
    assert rollups.wrong_days() == []


@pytest.mark.django_db(transaction=True)
def test_workers_and_beat_rebuild_what_a_row_asks_for_though_one_is_killed(tmp_path):
    for month in range(1, 13):
        log_one(date(2025, month, 5))
    rollups.refresh(seconds=60)
    right = set(DayCount.objects.values_list("day", "variable", "code", "n"))
    DayCount.objects.update(n=7)
    rebuilding.ask()
    workers = [worker_of("batch") for _ in range(2)]
    beat = started("beat", "--schedule", str(tmp_path / "beat"))
    try:
        wait_until(lambda: rebuilding.left() < 12)
        os.killpg(workers[0].pid, signal.SIGKILL)
        rebuilding.ask()
        wait_until(lambda: rebuilding.left() == 0)
    finally:
        beat.terminate()
        beat.wait(WAIT)
        workers[0].wait(WAIT)
        stop(workers[1])
    assert set(DayCount.objects.values_list("day", "variable", "code", "n")) == right
    assert rollups.wrong_days() == rollups.wrong_months() == []


def test_a_worker_of_its_own_is_refused_where_the_broker_lives_in_memory():
    refused = subprocess.run(
        celery("worker"),
        cwd=ROOT,
        env=os.environ | {"CELERY_BROKER_URL": "memory://"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert refused.returncode == 1
    assert "start with bin/run" in refused.stderr and "Traceback" not in refused.stderr


def test_a_web_server_of_many_processes_is_refused_where_the_broker_lives_in_memory():
    refused = subprocess.run(
        [sys.executable, "-c", "import config.wsgi"],
        cwd=ROOT,
        env=os.environ | {"CELERY_BROKER_URL": "memory://"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert refused.returncode == 1 and "start with bin/run" in refused.stderr


def test_the_tasks_settings_are_those_of_the_recipe():
    assert settings.CELERY_BEAT_SCHEDULE["sweep"]["schedule"] == 60
    assert settings.CELERY_BEAT_SCHEDULE["sweep"]["options"] == {"expires": 55}
    assert settings.CELERY_TASK_ACKS_LATE and settings.CELERY_TASK_REJECT_ON_WORKER_LOST
    assert settings.CELERY_TASK_IGNORE_RESULT and settings.CELERY_ACCEPT_CONTENT == ["json"]
    assert settings.CELERY_BROKER_TRANSPORT_OPTIONS == {"polling_interval": 0.05}


# What a worker that is lost leaves is delivered anew after two minutes, and Redis that hangs is noticed within seconds.
OVER_REDIS = {
    "CELERY_BROKER_TRANSPORT_OPTIONS": {
        **{"visibility_timeout": 120, "unacked_restore_interval": 5, "unacked_restore_throttle": 1},
        **{"socket_timeout": 10, "socket_connect_timeout": 2, "socket_keepalive": True, "health_check_interval": 10},
    },
    "CELERY_WORKER_PREFETCH_MULTIPLIER": 1,
    "CELERY_WORKER_MAX_TASKS_PER_CHILD": 500,
    "CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT": 20,
    "CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE": True,
    "CELERY_BROKER_CONNECTION_MAX_RETRIES": None,
}


def test_over_redis_they_are_those_of_the_recipe_too():
    code = f"import json, django; django.setup(); from django.conf import settings as s; names = {[*OVER_REDIS]}; "
    code += "print(json.dumps({name: getattr(s, name) for name in names}))"
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(said.stdout) == OVER_REDIS


def queue_of(task: str) -> str:
    return app.amqp.router.route({}, task)["queue"].name


def documented() -> dict[str, tuple[str, str, str]]:
    """task -> its queue, soft and hard limit, as the README says."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.]+)` \| `(\w+)` \| (\d+) s \| (\d+) s \|", readme, re.MULTILINE)
    return {task: (queue, soft, hard) for task, queue, soft, hard in rows}


def test_every_task_has_the_queue_and_the_limits_that_the_readme_says():
    app.loader.import_default_modules()
    tasks_of_ours = {name: task for name, task in app.tasks.items() if name.startswith(("reports.", "helpline."))}
    default = settings.CELERY_TASK_SOFT_TIME_LIMIT, settings.CELERY_TASK_TIME_LIMIT
    said = {
        name: (queue_of(name), str(task.soft_time_limit or default[0]), str(task.time_limit or default[1]))
        for name, task in tasks_of_ours.items()
    }
    assert said == documented()
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} == set(said)


def test_what_may_run_longer_than_redis_waits_is_acknowledged_at_once():
    app.loader.import_default_modules()
    for name in documented():
        task = app.tasks[name]
        is_short = (task.time_limit or settings.CELERY_TASK_TIME_LIMIT) <= settings.CELERY_VISIBILITY_TIMEOUT
        assert task.acks_late == is_short, name


@pytest.mark.django_db
def test_beat_freezes_and_prepares_and_leaves_publishing_to_a_person(settings, tmp_path, monkeypatch):
    settings.REPORTS_RELEASE_KEYS = tmp_path / "keys"
    now = datetime(2026, 3, 2, tzinfo=UTC)
    for _ in range(20):
        call = {"channel": ["telefon"], "result": ["relevant"], "first_contact": ["ja"]}
        entry = read_entry(date(2026, 3, 2), call)
        contacts.log_contact(by=None, key=uuid.uuid4(), entry=entry, now=now, today=date(2026, 3, 2))
    monkeypatch.setattr(tasks.timezone, "localdate", lambda: date(2026, 4, 14))
    tasks.freeze_and_prepare()
    assert not Release.objects.exists()
    monkeypatch.setattr(tasks.timezone, "localdate", lambda: date(2026, 4, 15))
    tasks.freeze_and_prepare()
    assert {release.period.code for release in Release.objects.all()} == {"2026-03", "2026-Q1"}
    assert not PublishedCell.objects.exists() and not Release.objects.exclude(published_on=None).exists()
    # A month without contacts is released as well: left out, it would say that it had none.
    monkeypatch.setattr(tasks.timezone, "localdate", lambda: date(2026, 5, 15))
    tasks.freeze_and_prepare()
    assert "2026-04" in {release.period.code for release in Release.objects.all()}


@pytest.mark.django_db
def test_no_month_is_frozen_while_its_made_up_contacts_are_still_to_come(settings, monkeypatch):
    Demonstration.objects.create(seed=1, since=date(2026, 1, 1), contacts_a_month=9, planned=9, made=8)
    log_one = read_entry(date(2026, 3, 2), {"channel": ["telefon"], "result": ["tyst"]})
    now = datetime(2026, 3, 2, tzinfo=UTC)
    contacts.log_contact(by=None, key=uuid.uuid4(), entry=log_one, now=now, today=date(2026, 3, 2))
    monkeypatch.setattr(tasks.timezone, "localdate", lambda: date(2026, 4, 15))
    tasks.freeze_and_prepare()
    assert not StatRecord.objects.exists()
    Demonstration.objects.update(made=9)
    tasks.freeze_and_prepare()
    assert StatRecord.objects.count() == 1


def start_of_production(**changed: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "import config.wsgi"]
    return subprocess.run(command, cwd=ROOT, env=environment() | changed, capture_output=True, text=True, timeout=60)


@pytest.mark.django_db(transaction=True)
def test_production_starts_on_a_real_database_and_never_on_a_demonstration():
    assert start_of_production().returncode == 0
    Demonstration.objects.create(seed=1, since=date(2026, 1, 1), contacts_a_month=1, planned=0)
    refused = start_of_production()
    assert refused.returncode == 1 and "holds a demonstration" in refused.stderr


@pytest.mark.django_db(transaction=True)
def test_production_does_not_start_without_a_secret():
    for secret in ("", "short"):
        refused = start_of_production(SECRET_KEY=secret)
        assert refused.returncode == 1 and "SECRET_KEY is needed" in refused.stderr


@pytest.mark.django_db(transaction=True)
def test_a_web_process_that_is_told_where_the_keys_lie_does_not_start(tmp_path):
    """T11: it has no folder by itself, and will not be given one."""
    refused = start_of_production(REPORTS_RELEASE_KEYS=str(tmp_path))
    assert refused.returncode == 1 and "REPORTS_RELEASE_KEYS is for the release worker alone" in refused.stderr
    said = start_of_production_and("from reports.forms import rule; print(rule().keys)")
    assert said.stdout.strip() == "None", said.stderr


def start_of_production_and(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", f"import config.wsgi; {code}"]
    return subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60)
