"""The helpline's doorbells: what is due is erased, and beat rings for it."""

import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from helpline import contacts
from helpline.entries import read_entry
from helpline.models import Contact
from reports.tasks import erase_expired

CALL = {"channel": ["telefon"], "result": ["relevant"]}
KEY = uuid4()


def log(at: datetime) -> None:
    entry = read_entry(date(2026, 3, 2), CALL)
    contacts.log_contact(by=None, key=KEY, entry=entry, now=at, today=date(2026, 3, 2))


@pytest.mark.django_db
def test_the_task_erases_what_is_older_than_the_amend_window_and_nothing_younger():
    log(timezone.now() - timedelta(hours=settings.HELPLINE_AMEND_HOURS - 1))
    erase_expired()
    assert Contact.objects.get().submission_key is not None
    Contact.objects.update(logged_at=timezone.now() - timedelta(hours=settings.HELPLINE_AMEND_HOURS + 1))
    erase_expired()
    assert Contact.objects.get().submission_key is None


@pytest.mark.django_db
def test_the_task_removes_sessions_that_have_ended_and_no_other():
    hour = timedelta(hours=1)
    Session.objects.create(session_key="ended", session_data="", expire_date=timezone.now() - hour)
    Session.objects.create(session_key="open", session_data="", expire_date=timezone.now() + hour)
    erase_expired()
    assert list(Session.objects.values_list("session_key", flat=True)) == ["open"]


def test_beat_rings_for_it_at_least_every_hour():
    entry = settings.CELERY_BEAT_SCHEDULE["erase-expired"]
    assert entry["task"] == erase_expired.name and entry["schedule"] <= 3600


def found_in_files(needle: bytes) -> bool:
    database = Path(connection.settings_dict["NAME"])
    # By another process: closing a file here would let go of the locks that SQLite holds on it for this one.
    files = map(str, database.parent.glob(database.name + "*"))
    return needle in subprocess.run(["cat", *files], capture_output=True, check=True).stdout


@pytest.mark.django_db(transaction=True)
def test_what_is_erased_is_gone_from_the_files_of_sqlite_too():
    log(datetime(2026, 3, 2, tzinfo=UTC))
    digest = Contact.objects.get().submission_digest.encode()
    if connection.vendor == "sqlite":
        assert found_in_files(digest)
    erase_expired()
    assert Contact.objects.get().submission_digest is None
    if connection.vendor == "sqlite":
        assert not found_in_files(digest) and not found_in_files(KEY.hex.encode())
