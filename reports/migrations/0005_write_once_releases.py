"""The database refuses to change, remove or replace a published release, and on SQLite to replace a published cell.

SQLite fires no DELETE trigger for a row that REPLACE removes, so what REPLACE would meet is refused before the INSERT
or UPDATE. On PostgreSQL an upsert is an UPDATE, which the triggers see. Publishing, the one change of a release that is
left, sets `published_on` of a row that has none.

On SQLite a later migration that alters either model makes its table anew and drops the triggers: create them again in
that migration.
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

CELL, RELEASE = "reports_publishedcell", "reports_release"
CELL_KEY = ("table", "period", "edition", "coordinates", "contents")
RELEASE_KEY = ("kind", "start", "edition")
IS_OUT = "published_on IS NOT NULL"
WAS_OUT = f"OLD.{IS_OUT}"


def _meets(table: str, key: tuple[str, ...], condition: str = "1") -> str:
    """That another row of `table` has the id or the key of the new one."""
    same = " AND ".join(f'"{column}" = NEW."{column}"' for column in key)
    return f"EXISTS (SELECT 1 FROM {table} WHERE (id = NEW.id OR ({same})) AND {condition})"  # noqa: S608


def _sqlite(name: str, event: str, table: str, condition: str) -> str:
    refuse = f"SELECT RAISE(ABORT, '{name}_write_once')"
    trigger = f"{name}_write_once_{event.lower()}"
    return f"CREATE TRIGGER {trigger} BEFORE {event} ON {table} WHEN {condition} BEGIN {refuse}; END"


SQLITE = [
    _sqlite("published_cell", "INSERT", CELL, _meets(CELL, CELL_KEY)),
    _sqlite("release", "INSERT", RELEASE, _meets(RELEASE, RELEASE_KEY, IS_OUT)),
    _sqlite("release", "UPDATE", RELEASE, f"{WAS_OUT} OR {_meets(RELEASE, RELEASE_KEY, IS_OUT)}"),
    _sqlite("release", "DELETE", RELEASE, WAS_OUT),
]
UNDO_SQLITE = [
    "DROP TRIGGER published_cell_write_once_insert",
    *(f"DROP TRIGGER release_write_once_{event}" for event in ("insert", "update", "delete")),
]
POSTGRESQL = [
    "CREATE FUNCTION release_write_once() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'release_write_once' USING ERRCODE = 'restrict_violation'; END $$",
    f"CREATE TRIGGER release_write_once BEFORE UPDATE OR DELETE ON {RELEASE} "
    f"FOR EACH ROW WHEN ({WAS_OUT}) EXECUTE FUNCTION release_write_once()",
    f"CREATE TRIGGER release_write_once_truncate BEFORE TRUNCATE ON {RELEASE} "
    "FOR EACH STATEMENT EXECUTE FUNCTION release_write_once()",
]
UNDO_POSTGRESQL = [
    f"DROP TRIGGER release_write_once_truncate ON {RELEASE}",
    f"DROP TRIGGER release_write_once ON {RELEASE}",
    "DROP FUNCTION release_write_once()",
]


def _run(editor: BaseDatabaseSchemaEditor, postgresql: list[str], sqlite: list[str]) -> None:
    for statement in postgresql if editor.connection.vendor == "postgresql" else sqlite:
        editor.execute(statement)


def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    _run(editor, POSTGRESQL, SQLITE)


def backwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    _run(editor, UNDO_POSTGRESQL, UNDO_SQLITE)


class Migration(migrations.Migration):
    dependencies = [("reports", "0004_token")]
    operations = [migrations.RunPython(forwards, backwards)]
