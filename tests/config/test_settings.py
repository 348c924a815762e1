"""The settings that a real connection, a real clock and a real log must show."""

import logging
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from helpline.models import Contact

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.django_db
def test_sqlite_syncs_each_commit_and_overwrites_what_is_deleted():
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        said = {}
        for name in ("synchronous", "secure_delete", "foreign_keys", "trusted_schema", "journal_mode"):
            said[name] = cursor.execute(f"PRAGMA {name}").fetchone()[0]
    assert said == {
        "synchronous": 2,
        "secure_delete": 1,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "journal_mode": "wal",
    }


def test_postgresql_gets_values_apart_from_statements_and_waits_for_no_lock_for_long():
    code = "from config.settings import DATABASES; print(DATABASES['default']['OPTIONS'])"
    environment = os.environ | {"DATABASE_URL": "postgres://helpline@127.0.0.1/helpline"}
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert "'server_side_binding': True" in said.stdout
    assert "lock_timeout=2s" in said.stdout and "idle_in_transaction_session_timeout=30s" in said.stdout


def test_a_day_is_a_day_in_stockholm():
    with patch("django.utils.timezone.now", return_value=datetime(2026, 7, 1, 22, 30, tzinfo=UTC)):
        assert timezone.localdate().isoformat() == "2026-07-02"
    with patch("django.utils.timezone.now", return_value=datetime(2026, 12, 31, 22, 30, tzinfo=UTC)):
        assert timezone.localdate().isoformat() == "2026-12-31"


@pytest.mark.django_db
def test_an_error_in_the_log_says_where_and_never_with_which_values():
    formatter = settings.LOGGING["formatters"]["plain"]
    assert formatter["()"] == "config.logs.Discreet"
    from config.logs import Discreet

    try:
        with transaction.atomic():
            Contact(day=datetime(2026, 3, 2), county="kalle berg").save()
    except IntegrityError:
        record = logging.makeLogRecord({"exc_info": sys.exc_info(), "msg": "Internal Server Error"})
    text = Discreet(formatter["format"]).format(record)
    assert "IntegrityError" in text and "test_settings.py" in text
    assert "kalle" not in text and "2026" not in text


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HELPLINE_AMEND_HOURS", "-5", "all other settings HELPLINE_… 1 or more"),
        ("HELPLINE_DRAFT_HOURS", "0", "all other settings HELPLINE_… 1 or more"),
        ("HELPLINE_CASE_DAYS", "0", "all other settings HELPLINE_… 1 or more"),
        ("HELPLINE_CASE_TRIES", "0", "all other settings HELPLINE_… 1 or more"),
        ("HELPLINE_BACKDATE_DAYS", "-1", "HELPLINE_BACKDATE_DAYS must be 0 or more"),
        ("HELPLINE_AMEND_HOURS", "abc", "abc"),
        ("HELPLINE_AUDIT_MONTHS", "23", "HELPLINE_AUDIT_MONTHS must be 24 or more"),
        ("DATABASE_URL", "nonsense", ""),
        ("PUBLISHED_DATABASE_URL", "nonsense", "names no database"),
        ("REPORTS_FREEZE_DAY", "31", "REPORTS_FREEZE_DAY must be 1 to 28"),
        ("REPORTS_FREEZE_DAY", "0", "REPORTS_FREEZE_DAY must be 1 to 28"),
        ("REPORTS_K", "3", "k_own >= k >= base >= 2 and k > k_first >= 1"),
        ("REPORTS_K", "12", "k_own >= k >= base >= 2 and k > k_first >= 1"),
        ("REPORTS_DENSITY", "0", "density >= 1"),
        ("REPORTS_PILOT_START", "2026-09", "first day of a month"),
        ("REPORTS_PILOT_END", "2026-09-30", "first day of a month"),
    ],
)
def test_a_setting_that_cannot_be_stops_the_start_with_a_sentence(name, value, words):
    refused = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=os.environ | {name: value}, capture_output=True, text=True
    )
    assert refused.returncode == 1 and words in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2015-11-01", "2016-11-30", ""),
        ("2016-11-30", "2015-11-01", "first day of a month"),
        ("2026-09-01", "2026-09-30", "at least 12 whole months"),
        ("2026-01-01", "2026-12-31", "no calendar year"),
    ],
)
def test_a_pilot_that_cannot_be_stops_the_start_with_a_sentence(start, end, words):
    pilot = {"REPORTS_PILOT_START": start, "REPORTS_PILOT_END": end}
    started = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=os.environ | pilot, capture_output=True, text=True
    )
    assert started.returncode == bool(words) and words in started.stderr
    assert "Traceback" not in started.stderr


PROVIDER = {
    "HELPLINE_OIDC_ISSUER": "https://identity.example",
    "HELPLINE_OIDC_NAME": "Freja",
    "HELPLINE_OIDC_CLIENT_ID": "helpline",
    "HELPLINE_OIDC_CLIENT_SECRET": "a secret",
    "HELPLINE_OIDC_ACR": "high,higher",
    "HELPLINE_OIDC_CLAIM": "employeeHsaId",
}
REDIS = "rediss://redis.example/0"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        *(
            ({name: ""}, "HELPLINE_OIDC_ISSUER, …NAME, …CLIENT_ID, …CLIENT_SECRET, …ACR and …CLAIM go together.")
            for name in PROVIDER
        ),
        ({"HELPLINE_OIDC_ISSUER": "http://identity.example"}, "HELPLINE_OIDC_ISSUER must begin with https://"),
        ({"HELPLINE_OIDC_ISSUER": "http://127.0.0.1:9000/o"}, ""),
        ({"HELPLINE_OIDC_ISSUER": "http://127.0.0.1:9000/o", "CELERY_BROKER_URL": REDIS}, "must begin with https://"),
    ],
)
def test_an_identity_provider_is_named_whole_and_spoken_to_by_tls(changes, words):
    environment = os.environ | PROVIDER | changes
    code = "import config.settings"
    started = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert started.returncode == bool(words) and words in started.stderr
