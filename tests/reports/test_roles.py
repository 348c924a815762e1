"""PostgreSQL itself keeps evaluators from contacts and web processes from frozen records, whatever a view does."""

import json
import re
from datetime import UTC, date, datetime
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpline import contacts, policy
from helpline.entries import read_entry
from helpline.models import Contact, User
from reports import published, published_files, release, roles, rollups, schedule
from reports.disclosure.protect import Parameters
from reports.disclosure.row_variables import QUASIS
from reports.models import DayCount, PublishedCell, PublishedFile, Release, StatRecord
from reports.published import PUBLISHED
from reports.roles import CannotMakeRoles, excess
from tests.granted import token_of
from tests.in_roles import acting_as, on_postgresql, published_by, roles_that_log_in
from tests.test_access import PAGES, ROLES

SECRETS = ("helpline_contact", "helpline_referral", "helpline_draft", "helpline_user", "helpline_traffichour")
SECRETS += ("reports_statrecord", "reports_statreferral", "reports_daycount", "reports_releasekey", "reports_token")
SECRETS += ("django_session", "helpline_case", "helpline_importedkey", "helpline_earlier")
# Who asks is found by the first connection; nothing else is.
OF_WHO_ASKS = {"django_session", "helpline_user", "helpline_demonstration", "reports_grant", "reports_token"}
OF_WHO_ASKS |= {"mfa_authenticator"}
CHANCE = re.compile(rb'name="csrfmiddlewaretoken" value="\w+"')
TABLES = re.compile(r'(?:FROM|JOIN|INTO|UPDATE) "(\w+)"')


def refused(cursor, statement: str) -> bool:
    """Whether PostgreSQL denies it for want of a right."""
    try:
        with transaction.atomic():
            cursor.execute(statement)
    except ProgrammingError as error:
        return isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege)
    return False


# --- what each role may -----------------------------------------------------------------------------------------------


@pytest.fixture
def made(db) -> dict[str, str]:
    """The roles, in the test's own transaction and so gone with it."""
    return roles.make()


@on_postgresql
@pytest.mark.parametrize("table", SECRETS)
def test_the_role_of_evaluators_reads_no_row_of_anything_else(made, table):
    with acting_as(roles.EVALUATOR), connection.cursor() as cursor:
        assert refused(cursor, f"SELECT 1 FROM {table}")  # noqa: S608


@on_postgresql
def test_postgresql_itself_says_that_the_role_of_evaluators_may_read_what_is_published_and_nothing_else(made):
    with acting_as(roles.EVALUATOR):
        assert excess(connection) == []
        assert {model for model in roles.published_columns()} >= {Release, PublishedCell}
        with connection.cursor() as cursor:
            for change in ("INSERT INTO {} DEFAULT VALUES", "DELETE FROM {}", "TRUNCATE {}"):
                assert refused(cursor, change.format("reports_publishedcell"))
            assert refused(cursor, "SELECT candidate FROM reports_release")
            assert refused(cursor, "SELECT published_by_id FROM reports_release")
            assert refused(cursor, "CREATE TABLE mine (n int)") and refused(cursor, "CREATE TEMP TABLE mine (n int)")


@on_postgresql
@pytest.mark.parametrize(
    ("grant", "found"),
    [
        ("SELECT ON helpline_contact", "helpline_contact.day"),
        ("SELECT (day) ON helpline_contact", "helpline_contact.day"),
        ("SELECT (candidate) ON reports_release", "reports_release.candidate"),
        ("INSERT ON reports_publishedcell", "may change.reports_publishedcell"),
        ("SELECT ON django_migrations", "django_migrations.applied"),
    ],
)
def test_a_right_too_many_is_found(made, grant, found):
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT {grant} TO {connection.ops.quote_name(roles.role_name(roles.EVALUATOR))}")
    with acting_as(roles.EVALUATOR):
        assert found in excess(connection)
    roles.make()
    with acting_as(roles.EVALUATOR):
        assert excess(connection) == [] or grant.endswith("migrations")


@on_postgresql
def test_whoever_may_do_everything_may_do_too_much(made):
    assert "may pass.row level security" in excess(connection)


@on_postgresql
def test_a_table_that_is_new_is_open_to_nobody(made):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE brand_new (n int)")
    for kind in roles.KINDS:
        with acting_as(kind), connection.cursor() as cursor:
            assert refused(cursor, "SELECT 1 FROM brand_new")


@on_postgresql
def test_a_release_that_waits_is_not_there_for_evaluators(made, prepared):
    assert Release.objects.exists() and not Release.objects.exclude(published_on=None).exists()
    with acting_as(roles.EVALUATOR):
        assert Release.objects.values_list("sha256", flat=True).count() == 0 == len(published.tables())
    with acting_as(roles.WEB):
        assert Release.objects.count() > 0
    connection.check_constraints()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE reports_release DISABLE ROW LEVEL SECURITY")
    with acting_as(roles.EVALUATOR):  # the control
        assert Release.objects.values_list("sha256", flat=True).count() > 0


@on_postgresql
def test_a_web_process_reads_no_frozen_record(made):
    with acting_as(roles.WEB), connection.cursor() as cursor:
        for table in ("reports_statrecord", "reports_statreferral"):
            assert refused(cursor, f"SELECT 1 FROM {table}")  # noqa: S608
        assert not refused(cursor, "SELECT 1 FROM helpline_contact")


# --- and what each can still do ---------------------------------------------------------------------------------------


@on_postgresql
@pytest.mark.parametrize("role", ROLES)
def test_every_page_is_made_with_the_rights_of_a_web_process(made, prepared, role):
    user, client = User.objects.create_user("somebody", None, role=role), Client()
    client.force_login(user)
    one = Release.objects.order_by("-end").first()
    with acting_as(roles.WEB):
        for where, _pattern in PAGES:
            cache.clear()
            assert client.get(where).status_code < 500, where
        assert client.get(f"/releases/{one.pk}/").status_code == (200 if role == policy.COORDINATOR else 403)


@on_postgresql
def test_a_web_process_logs_and_publishes_and_a_worker_counts_freezes_and_prepares(made, tmp_path):
    handler = User.objects.create_user("handler", None, role=policy.HANDLER)
    rule, march, now = release.Rule(Parameters(), tmp_path, False), date(2026, 3, 2), datetime(2026, 3, 2, tzinfo=UTC)
    call = {"channel": ["telefon"], "result": ["relevant"], "first_contact": ["ja"]}
    with acting_as(roles.WEB):
        for _ in range(20):
            contacts.log_contact(by=handler, key=uuid4(), entry=read_entry(march, call), now=now, today=march)
    with acting_as(roles.WORKER):
        rollups.refresh(seconds=60)
        contacts.erase_traces(now=timezone.now(), amend_hours=24)
        schedule.freeze_due(today=date(2026, 4, 15), freeze_day=15)
        prepared = schedule.prepare_due(today=date(2026, 4, 15), rule=rule, pilot=None)
        assert StatRecord.objects.count() == 20 and prepared
    with acting_as(roles.WEB):
        assert all(release.publish(one, by=None, now=now) for one in prepared)
    with acting_as(roles.EVALUATOR):
        assert published.table("total-month").value(ContentsCode="kontakter", Tid="2026M03") == 20


@on_postgresql
def test_counts_by_partitions_are_read_and_written_when_the_roles_are_made_again(made):
    """A new table has no grants, which the README's line gives it."""
    day = timezone.localdate().replace(day=1)
    call = read_entry(day, {"channel": ["telefon"], "result": ["relevant"]})

    def log_and_count() -> None:
        contacts.log_contact(by=None, key=uuid4(), entry=call, now=timezone.now(), today=day)
        with acting_as(roles.WORKER):
            rollups.refresh(seconds=60)

    log_and_count()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute((settings.BASE_DIR / "docs" / "partitions.sql").read_text(encoding="utf-8"))
        with acting_as(roles.WEB):
            assert refused(cursor, "SELECT 1 FROM reports_daycount")
    roles.make()
    log_and_count()
    with acting_as(roles.WEB):
        assert sum(DayCount.objects.filter(day=day, variable="result").values_list("n", flat=True)) == 2
    assert not rollups.wrong_days() and not rollups.marked_days()


# --- evaluators' requests, by a connection of their own ---------------------------------------------------------------


def addresses() -> list[str]:
    """Everything that an evaluator can read: pages, files, and each address of the API for a table."""
    base = "/api/px/v2"
    found = ["/statistics/", "/statistics/method/", "/statistics/files/", "/api/v1/files/", "/api/v1/files/2016/"]
    found += [f"{base}/config", f"{base}/tables"]
    for table in ("total-month", "caller_role_3-year", "all-result-quarter", "none"):
        found += [f"/statistics/{table}/", f"{base}/tables/{table}", f"{base}/tables/{table}/metadata"]
        found += [f"{base}/tables/{table}/defaultselection", f"{base}/tables/{table}/data?outputFormat=csv"]
    return found


def asked(client: Client) -> dict[str, tuple[int, bytes]]:
    cache.clear()
    answers = {where: client.get(where) for where in addresses()}
    return {where: (answer.status_code, CHANCE.sub(b"", answer.content)) for where, answer in answers.items()}


def tables_of(statements: CaptureQueriesContext) -> set[str]:
    return {table for query in statements for table in TABLES.findall(query["sql"])}


@pytest.fixture
def own_connection(transactional_db, released):
    with roles_that_log_in() as passwords, published_by(roles.EVALUATOR, passwords) as theirs:
        yield theirs


@pytest.fixture
def reading(released) -> list[Client]:
    """An evaluator in a browser, and one by a program; there is a row file too."""
    counts = ("rows", "suppressed", "classes", "smallest_class", "largest_bias_percent")
    shares = ("suppressed_share", "loss", "average_class_by_k", "discernibility")
    utility = (
        dict.fromkeys(counts, 5) | dict.fromkeys(shares, 0.5) | {"ncp": dict.fromkeys([one.id for one in QUASIS], 0.0)}
    )
    manifest = json.dumps({"columns": ["gender"], "parameters": {}, "utility": utility})
    PublishedFile.objects.create(
        year=2016, content="gender\nk\n", manifest=manifest, sha256="0" * 64, published_on=date(2017, 1, 15)
    )
    evaluator = User.objects.create_user("evaluator", None, role=policy.EVALUATOR)
    program, browser = Client(headers={"Authorization": f"Bearer {token_of(evaluator)}"}), Client()
    browser.force_login(evaluator)
    return [browser, program]


def read_by(theirs: BaseDatabaseWrapper, client: Client) -> tuple[set[str], set[str], dict[str, tuple[int, bytes]]]:
    """The tables that are asked of the first connection and of theirs, and the answers."""
    with CaptureQueriesContext(connection) as first, CaptureQueriesContext(theirs) as second:
        answers = asked(client)
    return tables_of(first), tables_of(second), answers


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_every_figure_of_an_evaluator_is_read_by_the_role_that_reads_nothing_else(own_connection, reading):
    assert excess(own_connection) == []
    for client in reading:
        first, second, answers = read_by(own_connection, client)
        assert first <= OF_WHO_ASKS and second == {"reports_release", "reports_publishedcell", "reports_publishedfile"}
        assert {status for status, _ in answers.values()} <= {200, 302, 401, 404}
        assert answers["/api/px/v2/tables/total-month/data?outputFormat=csv"][0] == 200
        with published_by_the_first():
            assert asked(client) == answers


class published_by_the_first:
    """As where the settings name no role for evaluators."""

    def __enter__(self) -> None:
        self.kept = connections.databases.pop(PUBLISHED)

    def __exit__(self, *_: object) -> None:
        connections.databases[PUBLISHED] = self.kept


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_figure_that_is_read_past_the_role_is_found(own_connection, reading, monkeypatch):
    for reader in (published, published_files):
        monkeypatch.setattr(reader, "readable", lambda model: model.objects.all())
    first, second, _ = read_by(own_connection, reading[1])
    assert "reports_release" in first - OF_WHO_ASKS and second == set()


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_view_that_goes_wrong_gets_an_error_and_no_contact(own_connection):
    """T11, by a real log-in: not even the count."""
    for model in (Contact, StatRecord):
        with pytest.raises(ProgrammingError, match="permission denied"):
            model.objects.using(PUBLISHED).count()
    with pytest.raises(ProgrammingError, match="permission denied"):
        list(Release.objects.using(PUBLISHED).exclude(published_on=None))  # the candidate, and who published
    assert Release.objects.using(PUBLISHED).only("sha256").exists()


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_command_makes_them_and_shows_their_addresses_once(capsys):
    if connection.vendor == "sqlite":
        with pytest.raises(CommandError, match="SQLite"):
            call_command("database_roles")
        return
    call_command("database_roles")
    said = capsys.readouterr().out
    name = connection.settings_dict["NAME"]
    assert re.search(
        rf"^published: PUBLISHED_DATABASE_URL=postgres://{name}_published:[\w-]{{43}}@.+/{name}$", said, re.M
    )
    assert said.count("postgres://") == 3
    call_command("database_roles")
    assert "postgres://" not in capsys.readouterr().out
    call_command("database_roles", new_passwords=True)
    assert capsys.readouterr().out.count("postgres://") == 3


@on_postgresql
def test_a_role_that_may_make_none_is_told_so(made):
    with acting_as(roles.WEB), pytest.raises(CannotMakeRoles, match="may make none"):
        roles.make()
    with acting_as(roles.WEB), pytest.raises(CommandError, match="CREATEROLE"):
        call_command("database_roles")


@on_postgresql
def test_no_statement_and_so_no_log_of_the_server_holds_a_password(db):
    with CaptureQueriesContext(connection) as statements:
        passwords = roles.make()
    said = " ".join(query["sql"] for query in statements)
    assert "SCRAM-SHA-256$" in said and len(passwords) == 3
    assert not [password for password in passwords.values() if password in said]
