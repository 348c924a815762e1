"""The database refuses to change or remove a published cell, whoever asks.

On SQLite a later migration that alters PublishedCell makes the table anew and drops these triggers and that of 0005:
create them again in that migration.
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLE = "reports_publishedcell"
SQLITE = [
    f"CREATE TRIGGER published_cell_write_once_{event.lower()} BEFORE {event} ON {TABLE} "
    "BEGIN SELECT RAISE(ABORT, 'published_cell_write_once'); END"
    for event in ("UPDATE", "DELETE")
]
POSTGRESQL = [
    "CREATE FUNCTION published_cell_write_once() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'published_cell_write_once' USING ERRCODE = 'restrict_violation'; END $$",
    f"CREATE TRIGGER published_cell_write_once BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE} "
    "FOR EACH STATEMENT EXECUTE FUNCTION published_cell_write_once()",
]
UNDO_SQLITE = [f"DROP TRIGGER published_cell_write_once_{event}" for event in ("update", "delete")]
UNDO_POSTGRESQL = [
    f"DROP TRIGGER published_cell_write_once ON {TABLE}",
    "DROP FUNCTION published_cell_write_once()",
]


def _run(editor: BaseDatabaseSchemaEditor, postgresql: list[str], sqlite: list[str]) -> None:
    for statement in postgresql if editor.connection.vendor == "postgresql" else sqlite:
        editor.execute(statement)


def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    _run(editor, POSTGRESQL, SQLITE)


def backwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    _run(editor, UNDO_POSTGRESQL, UNDO_SQLITE)


class Migration(migrations.Migration):
    dependencies = [("reports", "0002_releases")]
    operations = [migrations.RunPython(forwards, backwards)]
