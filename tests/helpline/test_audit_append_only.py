"""The record of acts only grows, and loses what is 24 months old: both databases refuse anything else."""

# ruff: noqa: S608 - statements are what is tested here

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from helpline import audit, policy
from helpline.models import AuditEvent, User
from reports.tasks import erase_expired
from tests.lifted import lifted

pytestmark = pytest.mark.django_db

TABLE, COLUMNS = "helpline_auditevent", "id, hour, actor_id, reason, about_id, act"
NOW = datetime(2026, 3, 1, 14, 37, 12, 345678, tzinfo=UTC)
YOUNG, OLD = timedelta(days=729), timedelta(days=733)  # two years are 730 or 731 days


def insert(verb: str, conflict: str = "") -> str:
    """What is written there already, once more as another act."""
    others = COLUMNS.removesuffix(", act")
    return f"{verb} INTO {TABLE} ({COLUMNS}) SELECT {others}, 'other' FROM {TABLE} WHERE true {conflict}"


CHANGES = [
    f"UPDATE {TABLE} SET act = 'other'",
    f"UPDATE {TABLE} SET actor_id = NULL WHERE actor_id IS NOT NULL",
    f"DELETE FROM {TABLE}",
    insert("INSERT", "ON CONFLICT (id) DO UPDATE SET act = 'other'"),
]
OF_SQLITE = [
    insert("REPLACE"),
    insert("INSERT OR REPLACE"),
    f"UPDATE OR REPLACE {TABLE} SET id = id + 1, act = 'other'",
]
OF_POSTGRESQL = [f"TRUNCATE {TABLE}", f"TRUNCATE {TABLE}, helpline_user CASCADE"]
CHANGES += OF_POSTGRESQL if connection.vendor == "postgresql" else OF_SQLITE


@pytest.fixture
def two_lines() -> None:
    user, now = User.objects.create_user("coordinator", None, role=policy.COORDINATOR), timezone.now()
    audit.record(by=user, act="session.begin", now=now - YOUNG)
    audit.record(by=user, act="contact.open", reason="rattelse", now=now)
    connection.check_constraints()  # PostgreSQL truncates no table while a check of it waits for the end


def stored() -> list[tuple]:
    return list(AuditEvent.objects.order_by("pk").values_list())


@pytest.mark.parametrize("change", CHANGES)
def test_the_database_refuses_to_change_the_record(two_lines, change):
    before = stored()
    with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
        connection.cursor().execute(change)
    assert stored() == before and len(before) == 2


@pytest.mark.parametrize("change", CHANGES)
def test_without_the_triggers_each_of_these_changes_would_be_made(two_lines, change):
    before = stored()
    with lifted(), transaction.atomic():
        connection.cursor().execute(change)
        assert stored() != before
        transaction.set_rollback(True)


def test_a_line_changed_or_deleted_by_the_program_is_refused_too(two_lines):
    line = AuditEvent.objects.last()
    line.reason = "kvalitet"
    for change in (line.save, line.delete, AuditEvent.objects.all().delete):
        with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
            change()


def test_a_line_is_added_after_the_triggers_were_lifted_and_put_back(two_lines):
    with lifted():
        AuditEvent.objects.all().delete()
    audit.record(by=None, act="session.begin", now=timezone.now())
    with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
        AuditEvent.objects.all().delete()
    assert AuditEvent.objects.count() == 1


# --- for 24 months ----------------------------------------------------------------------------------------------------


def test_a_line_can_be_deleted_once_it_is_24_months_old_and_not_before(two_lines):
    audit.record(by=None, act="account.first", now=timezone.now() - OLD)
    with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
        connection.cursor().execute(f"DELETE FROM {TABLE}")
    young = connection.cursor()
    with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
        young.execute(f"DELETE FROM {TABLE} WHERE act = 'session.begin'")
    connection.cursor().execute(f"DELETE FROM {TABLE} WHERE act = 'account.first'")
    assert list(AuditEvent.objects.order_by("pk").values_list("act", flat=True)) == ["session.begin", "contact.open"]


@pytest.mark.parametrize("change", [change for change in CHANGES if not change.startswith("DELETE")])
def test_an_old_line_is_no_more_changed_or_replaced_than_a_young_one(change):
    user = User.objects.create_user("coordinator", None, role=policy.COORDINATOR)
    audit.record(by=user, act="session.begin", now=timezone.now() - OLD)
    before = stored()
    connection.check_constraints()
    with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
        connection.cursor().execute(change)
    assert stored() == before


def test_the_job_removes_old_lines_and_leaves_the_young_ones(two_lines, settings):
    before, now = stored(), timezone.now()
    for age in (OLD, timedelta(days=1200)):
        audit.record(by=None, act="session.begin", now=now - age)
    settings.HELPLINE_AUDIT_MONTHS = 36
    erase_expired()
    assert AuditEvent.objects.count() == 3  # the setting keeps what the database would let go
    settings.HELPLINE_AUDIT_MONTHS = 24
    erase_expired()
    assert stored() == before


def test_a_job_that_would_remove_young_lines_is_refused_and_without_the_triggers_is_not(two_lines):
    with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
        audit.erase_expired(now=timezone.now(), months=12)
    assert AuditEvent.objects.count() == 2
    with lifted():
        assert audit.erase_expired(now=timezone.now(), months=12) == 1


def test_the_database_lets_go_what_the_job_takes_at_the_first_moment_of_a_day():
    """The last line that the job would take today, at the very moment at which its day begins to be too old."""
    midnight = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    last = datetime.combine(audit.months_before(midnight.date(), 24), midnight.timetz()) - timedelta(hours=1)
    audit.record(by=None, act="session.begin", now=last)
    audit.record(by=None, act="contact.open", now=last + timedelta(hours=1))
    assert audit.erase_expired(now=midnight, months=24) == 1
    assert AuditEvent.objects.get().act == "contact.open"


@pytest.mark.parametrize(
    ("day", "months", "earlier"),
    [
        (date(2026, 3, 1), 24, date(2024, 3, 1)),
        (date(2026, 1, 31), 11, date(2025, 2, 28)),
        (date(2028, 2, 29), 24, date(2026, 2, 28)),
        (date(2026, 12, 31), 12, date(2025, 12, 31)),
        (date(2026, 1, 1), 1, date(2025, 12, 1)),
    ],
)
def test_months_before_a_day_end_on_the_same_day_or_on_the_last_of_a_shorter_month(day, months, earlier):
    assert audit.months_before(day, months) == earlier


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", ["first", "second"])
def test_the_record_is_empty_again_after_a_test_that_commits(turn):
    assert not AuditEvent.objects.exists()
    audit.record(by=None, act="session.begin", now=NOW)


# --- what a line can say ----------------------------------------------------------------------------------------------


def test_an_act_is_written_down_to_the_hour():
    audit.record(by=None, act="session.begin", now=NOW)
    assert AuditEvent.objects.get().hour == datetime(2026, 3, 1, 14, tzinfo=UTC)


def test_an_act_that_the_policy_does_not_write_down_is_none():
    with pytest.raises(KeyError):
        audit.record(by=None, act="contact.log", now=NOW)


@pytest.mark.parametrize(
    "finer", [timedelta(minutes=30), timedelta(seconds=1), timedelta(milliseconds=1), timedelta(microseconds=1)]
)
def test_the_database_refuses_a_clock_finer_than_the_hour(finer):
    hour = NOW.replace(minute=0, second=0, microsecond=0)
    AuditEvent.objects.create(hour=hour, act="session.begin")
    with pytest.raises(IntegrityError, match="no_clock_finer_than_the_hour"), transaction.atomic():
        AuditEvent.objects.create(hour=hour + finer, act="session.begin")


def test_a_line_has_room_for_an_hour_two_accounts_and_two_codes_and_nothing_else():
    """No address, no browser, no text, no second clock, no key of a contact."""
    kinds = {field.name: type(field) for field in AuditEvent._meta.get_fields()}
    assert kinds == {
        **{"id": models.BigAutoField, "hour": models.DateTimeField},
        **{"actor": models.ForeignKey, "about": models.ForeignKey},
        **{"act": models.CharField, "reason": models.CharField},
    }
    assert {AuditEvent._meta.get_field(name).related_model for name in ("actor", "about")} == {User}
    assert max(len(event) for event in policy.EVENTS) <= AuditEvent._meta.get_field("act").max_length == 32
    assert AuditEvent._meta.get_field("reason").max_length == 16
