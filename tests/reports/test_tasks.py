"""The doorbells over a real Redis, heard by a real worker process."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from helpline import contacts
from helpline.entries import read_entry
from helpline.models import Demonstration
from reports import rollups, tasks
from reports.models import PublishedCell, Release, StatRecord

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


@pytest.fixture
def worker(transactional_db) -> Iterator[subprocess.Popen[bytes]]:
    command = celery("worker", "--pool", "prefork", "--concurrency", "1", "--loglevel", "WARNING")
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), start_new_session=True)
    yield process
    process.send_signal(signal.SIGTERM)
    assert process.wait(WAIT) == 0


@pytest.mark.django_db(transaction=True)
def test_a_worker_of_its_own_counts_what_the_web_process_saved(worker):
    entry = read_entry(date(2026, 3, 2), {"channel": ["telefon"], "result": ["relevant"]})
    now = datetime(2026, 3, 2, tzinfo=UTC)
    contacts.log_contact(by=None, key=uuid.uuid4(), entry=entry, now=now, today=date(2026, 3, 2))
    subprocess.run(celery("call", "reports.tasks.sweep"), cwd=ROOT, env=environment(), check=True, timeout=WAIT)
    until = time.monotonic() + WAIT
    while rollups.marked_days() and time.monotonic() < until:
        time.sleep(0.1)
    assert rollups.marked_days() == set()
    assert rollups.wrong_days() == []


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
