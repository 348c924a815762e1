"""A line of the record that is 24 months old may be removed; it is never changed, and a younger one stays.

By the database's own clock, whatever the program believes. The names of the triggers are those of 0005.
"""

from importlib import import_module

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

earlier = import_module("helpline.migrations.0005_audit_append_only")

SQLITE = [
    *(statement for statement in earlier.SQLITE if " BEFORE DELETE " not in statement),
    earlier._sqlite("DELETE", "OLD.hour > datetime('now', '-24 months')"),
]
UNDO_SQLITE = earlier.UNDO_SQLITE
POSTGRESQL = [
    *(statement.replace("UPDATE OR DELETE OR TRUNCATE", "UPDATE OR TRUNCATE") for statement in earlier.POSTGRESQL),
    f"CREATE TRIGGER audit_event_append_only_young BEFORE DELETE ON {earlier.TABLE} FOR EACH ROW "
    "WHEN (OLD.hour > now() - interval '24 months') EXECUTE FUNCTION audit_event_append_only()",
]
UNDO_POSTGRESQL = [
    f"DROP TRIGGER audit_event_append_only_young ON {earlier.TABLE}",
    *earlier.UNDO_POSTGRESQL,
]


def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    earlier.backwards(apps, editor)
    earlier._run(editor, POSTGRESQL, SQLITE)


def backwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    earlier._run(editor, UNDO_POSTGRESQL, UNDO_SQLITE)
    earlier.forwards(apps, editor)


class Migration(migrations.Migration):
    dependencies = [("helpline", "0006_approval_lapses")]
    operations = [migrations.RunPython(forwards, backwards)]
