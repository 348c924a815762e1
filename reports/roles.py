"""Owns the roles of the database: what each kind of process may do there, so that a fault in one reaches no further.

What the evaluators' role may read is no list: it is what `privacy` calls published, of rows that are out.
"""

import secrets
from collections.abc import Iterator

from django.apps import apps
from django.db import connection, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from reports.models import StatRecord, StatReferral
from reports.privacy import PRIVACY, PUBLISHED

WEB, WORKER, EVALUATOR = "web", "worker", "published"
KINDS = (WEB, WORKER, EVALUATOR)
# Web processes neither freeze nor round: they never see a frozen record, nor the random key that drives its rounding.
WORKER_ALONE: tuple[type[models.Model], ...] = (StatRecord, StatReferral)
OUT = "published_on"  # a table with this column has rows that are not out yet


class CannotMakeRoles(Exception):
    """The database has no roles, or ours may make none; `reason` is one of the constants below."""

    NO_ROLES, NOT_ALLOWED = "SQLite knows no roles", "the role of DATABASE_URL may make none"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def role_name(kind: str) -> str:
    """What the role of one of KINDS is called: roles belong to the whole cluster, so it bears the database's name."""
    return f"{connection.settings_dict['NAME']}_{kind}"


def published_columns() -> dict[type[models.Model], list[str]]:
    """The columns that an evaluator's request may read, of each table that has any."""
    ours = {model: list(_published(model)) for model in apps.get_app_config("reports").get_models()}
    return {model: columns for model, columns in ours.items() if columns}


def _published(model: type[models.Model]) -> Iterator[str]:
    of_model = model._meta.concrete_fields
    return (str(f.column) for f in of_model if PRIVACY.get(f"{model.__name__}.{f.name}") == PUBLISHED)


@transaction.atomic
def make(*, new_passwords: bool = False) -> dict[str, str]:
    """Make the roles that are missing, and let each of them do what its kind may do now and nothing else.

    The passwords by kind, of roles that are new, or of all: nobody can read them again. To be run again after each
    migration, since a new table is open to nobody. Raises CannotMakeRoles.
    """
    if connection.vendor != "postgresql":
        raise CannotMakeRoles(CannotMakeRoles.NO_ROLES)
    passwords = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
        if not cursor.fetchone()[0]:
            raise CannotMakeRoles(CannotMakeRoles.NOT_ALLOWED)
        for kind in KINDS:
            cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [role_name(kind)])
            if is_new := cursor.fetchone() is None:
                cursor.execute(f"CREATE ROLE {_quoted(role_name(kind))} LOGIN")
            if is_new or new_passwords:
                passwords[kind] = _set_password(cursor, role_name(kind))
            _take_everything(cursor, kind)
        _let(cursor)
        for model in published_columns():
            _hide_what_is_not_out(cursor, model)
    return passwords


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _set_password(cursor: CursorWrapper, role: str) -> str:
    """A new random password, of which the server, and its log, are told a verifier only."""
    password = secrets.token_urlsafe(32)
    said = connection.connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    cursor.execute(f"ALTER ROLE {_quoted(role)} PASSWORD '{said}'")
    return password


def _take_everything(cursor: CursorWrapper, kind: str) -> None:
    role, database = _quoted(role_name(kind)), _quoted(connection.settings_dict["NAME"])
    cursor.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
    cursor.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    for what in ("TABLES", "SEQUENCES"):
        cursor.execute(f"REVOKE ALL ON ALL {what} IN SCHEMA public FROM {role}")
    cursor.execute(f"GRANT CONNECT ON DATABASE {database} TO {role}")
    cursor.execute(f"GRANT USAGE ON SCHEMA public TO {role}")


def _let(cursor: CursorWrapper) -> None:
    web, worker, evaluator = (_quoted(role_name(kind)) for kind in KINDS)
    for model in apps.get_models(include_auto_created=True):
        table = _quoted(model._meta.db_table)
        roles = worker if model in WORKER_ALONE else f"{web}, {worker}"
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {roles}")
    cursor.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {web}, {worker}")
    for model, columns in published_columns().items():
        named = ", ".join(_quoted(column) for column in columns)
        cursor.execute(f"GRANT SELECT ({named}) ON {_quoted(model._meta.db_table)} TO {evaluator}")


def _hide_what_is_not_out(cursor: CursorWrapper, model: type[models.Model]) -> None:
    """Rows of a published kind that wait to be published are not there for the evaluators' role."""
    table = _quoted(model._meta.db_table)
    web, worker, evaluator = (_quoted(role_name(kind)) for kind in KINDS)
    if OUT not in {field.column for field in model._meta.concrete_fields}:
        return
    cursor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    for policy, whom, which in (("all", f"{web}, {worker}", "true"), ("out", evaluator, f"{OUT} IS NOT NULL")):
        name = _quoted(f"{model._meta.db_table}_{policy}")
        cursor.execute(f"DROP POLICY IF EXISTS {name} ON {table}")
        cursor.execute(f"CREATE POLICY {name} ON {table} TO {whom} USING ({which})")


# --- the proof --------------------------------------------------------------------------------------------------------

READABLE = """
SELECT c.relname, a.attname FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE s.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
AND has_schema_privilege(s.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT')
UNION SELECT 'may change', c.relname FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
WHERE s.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
AND (has_table_privilege(c.oid, 'DELETE, TRUNCATE') OR has_any_column_privilege(c.oid, 'INSERT, UPDATE'))
"""


def excess(of: BaseDatabaseWrapper) -> list[str]:
    """What the role of a connection may read or change beyond what is published, as "table.column": of the evaluators'
    role nothing, or a guard of the database is missing. Asked of PostgreSQL itself."""
    allowed = {(model._meta.db_table, column) for model, columns in published_columns().items() for column in columns}
    with of.cursor() as cursor:
        cursor.execute(READABLE)
        found = set(cursor.fetchall())
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone()[0]:
            found.add(("may pass", "row level security"))
    return sorted(f"{table}.{column}" for table, column in found - allowed)
