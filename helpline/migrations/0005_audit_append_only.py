"""The database keeps the record of acts: to the hour, and a line that is written is never changed, removed or replaced.

SQLite fires no DELETE trigger for a row that REPLACE removes, so an INSERT that would meet a line is refused before. On
PostgreSQL an upsert is an UPDATE, which the trigger sees.

On SQLite a later migration that alters AuditEvent makes its table anew and drops the triggers: create them again in
that migration.
"""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.functions import Cast, Substr
from django.db.models.lookups import In

TABLE = "helpline_auditevent"


def _sqlite(event: str, condition: str = "1") -> str:
    refuse = "SELECT RAISE(ABORT, 'audit_event_append_only')"
    name = f"audit_event_append_only_{event.lower()}"
    return f"CREATE TRIGGER {name} BEFORE {event} ON {TABLE} WHEN {condition} BEGIN {refuse}; END"


SQLITE = [
    _sqlite("INSERT", f"EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id)"),  # noqa: S608
    _sqlite("UPDATE"),
    _sqlite("DELETE"),
]
UNDO_SQLITE = [f"DROP TRIGGER audit_event_append_only_{event}" for event in ("insert", "update", "delete")]
POSTGRESQL = [
    "CREATE FUNCTION audit_event_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'audit_event_append_only' USING ERRCODE = 'restrict_violation'; END $$",
    f"CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE} "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_event_append_only()",
]
UNDO_POSTGRESQL = [f"DROP TRIGGER audit_event_append_only ON {TABLE}", "DROP FUNCTION audit_event_append_only()"]


def _run(editor: BaseDatabaseSchemaEditor, postgresql: list[str], sqlite: list[str]) -> None:
    for statement in postgresql if editor.connection.vendor == "postgresql" else sqlite:
        editor.execute(statement)


def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    _run(editor, POSTGRESQL, SQLITE)


def backwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    _run(editor, UNDO_POSTGRESQL, UNDO_SQLITE)


class Migration(migrations.Migration):
    dependencies = [("helpline", "0004_accounts_approvals")]
    operations = [
        migrations.AddConstraint(
            model_name="auditevent",
            constraint=models.CheckConstraint(
                name="audit_event_has_no_clock_finer_than_the_hour",
                condition=In(Substr(Cast("hour", models.CharField()), 14, 7), [":00:00", ":00:00+", ":00:00-"]),
            ),
        ),
        migrations.RunPython(forwards, backwards),  # last: SQLite makes a table anew to give it a constraint
    ]
