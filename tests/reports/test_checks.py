"""What is unsafe in an installation is said when a process starts."""

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection, connections

from reports import checks, roles
from reports.keys import release_key
from reports.published import PUBLISHED
from tests.in_roles import on_postgresql, published_by, roles_that_log_in


def said(deploy: bool = False) -> set[str]:
    return {str(message.id) for message in run_checks(include_deployment_checks=deploy) if message.id} & IDS


IDS = {"reports.E001", "reports.E002", "reports.E003", "reports.E005", "reports.W001"}


def test_a_key_that_others_can_read_stops_the_worker(settings, tmp_path):
    settings.REPORTS_RELEASE_KEYS = str(tmp_path / "keys")
    assert said() == set()  # nothing is drawn yet
    release_key(tmp_path / "keys", "2026", 1)
    assert said() == set()
    (tmp_path / "keys" / "2026-1.key").chmod(0o640)
    assert said() == {"reports.E001"}
    with pytest.raises(
        SystemCheckError, match=r"can read a key of the rounding, 2026-1\.key: make it the worker's own"
    ):
        call_command("check")


def test_a_folder_of_keys_that_others_can_enter_stops_it_too(settings, tmp_path):
    settings.REPORTS_RELEASE_KEYS = str(tmp_path)
    tmp_path.chmod(0o755)
    assert said() == {"reports.E001"}


@pytest.mark.parametrize(("name", "value"), [("K_FIRST", 2), ("BASE", 4), ("DENSITY", 4), ("MIN_TOTAL", 9)])
def test_a_rule_that_is_weaker_than_the_one_attacked_stops_everything(settings, name, value):
    settings.REPORTS_K, settings.REPORTS_DENSITY = 6, 9  # stricter than that one
    assert said() == set()
    setattr(settings, f"REPORTS_{name}", value)
    assert said() == {"reports.E005"}


def named(alias: dict[str, object]) -> None:
    connections.databases[PUBLISHED] = connection.settings_dict | alias


@pytest.fixture
def unnamed():
    """The settings that a test names for evaluators are gone after it."""
    yield
    if PUBLISHED in connections.databases:
        del connections[PUBLISHED], connections.databases[PUBLISHED]


def test_evaluators_do_not_read_by_the_role_of_everything_else(unnamed):
    assert said() == set()
    named({})
    assert said() == {"reports.E003" if connection.vendor == "postgresql" else "reports.E002"}
    if connection.vendor == "postgresql":
        connections.databases[PUBLISHED]["USER"] = "another"
        del connections[PUBLISHED]
        assert said() == set()


def test_production_is_told_when_evaluators_have_no_role(settings, unnamed):
    assert "reports.W001" not in said(deploy=True)  # one process has but one role
    settings.EMBEDDED = False
    assert "reports.W001" in said(deploy=True) and "reports.W001" not in said()
    named({"USER": "another"})
    assert "reports.W001" not in said(deploy=True)


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_role_that_reads_too_much_is_found_by_asking_the_database():
    def found() -> list[str]:
        messages = run_checks(tags=[Tags.database], databases=[PUBLISHED])
        return [message.msg for message in messages if message.id == "reports.E004"]

    assert checks.evaluators_role_reads_published_rows_only(databases=[PUBLISHED]) == []  # the settings name none
    with roles_that_log_in() as passwords:
        with published_by(roles.EVALUATOR, passwords):
            assert found() == []
        with published_by(roles.WEB, passwords):
            assert "may do more than read published rows" in found()[0] and "account_" in found()[0]
