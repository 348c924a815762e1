"""Row files: the database refuses to change, remove or replace a published one, and to change a frozen contact.

A record's month never changes either, so that it is in the file of one year at most. As in 0003 and 0005, a later
migration that alters one of these tables makes it anew on SQLite and drops its triggers: make them anew.
"""

from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.deletion import PROTECT

FILE = "reports_publishedfile"
FROZEN = {"stat_record": ("reports_statrecord", "key"), "stat_referral": ("reports_statreferral", "id")}
SQLITE = [
    *(
        f"CREATE TRIGGER published_file_write_once_{event.lower()} BEFORE {event} ON {FILE} "
        "BEGIN SELECT RAISE(ABORT, 'published_file_write_once'); END"
        for event in ("UPDATE", "DELETE")
    ),
    # REPLACE fires no DELETE trigger.
    f"CREATE TRIGGER published_file_write_once_insert BEFORE INSERT ON {FILE} "  # noqa: S608
    f"WHEN EXISTS (SELECT 1 FROM {FILE} WHERE year = NEW.year) "
    "BEGIN SELECT RAISE(ABORT, 'published_file_write_once'); END",
    *(
        f"CREATE TRIGGER {name}_write_once_update BEFORE UPDATE ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{name}_write_once'); END"
        for name, (table, _) in FROZEN.items()
    ),
    *(
        f"CREATE TRIGGER {name}_write_once_insert BEFORE INSERT ON {table} "  # noqa: S608
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) "
        f"BEGIN SELECT RAISE(ABORT, '{name}_write_once'); END"
        for name, (table, key) in FROZEN.items()
    ),
]
UNDO_SQLITE = [
    *(f"DROP TRIGGER published_file_write_once_{event}" for event in ("update", "delete", "insert")),
    *(f"DROP TRIGGER {name}_write_once_{event}" for name in FROZEN for event in ("update", "insert")),
]
POSTGRESQL = [
    *(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{name}' USING ERRCODE = 'restrict_violation'; END $$"
        for name in ("published_file_write_once", *(f"{name}_write_once" for name in FROZEN))
    ),
    f"CREATE TRIGGER published_file_write_once BEFORE UPDATE OR DELETE OR TRUNCATE ON {FILE} "
    "FOR EACH STATEMENT EXECUTE FUNCTION published_file_write_once()",
    *(
        f"CREATE TRIGGER {name}_write_once BEFORE UPDATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {name}_write_once()"
        for name, (table, _) in FROZEN.items()
    ),
]
UNDO_POSTGRESQL = [
    f"DROP TRIGGER published_file_write_once ON {FILE}",
    *(f"DROP TRIGGER {name}_write_once ON {table}" for name, (table, _) in FROZEN.items()),
    "DROP FUNCTION published_file_write_once()",
    *(f"DROP FUNCTION {name}_write_once()" for name in FROZEN),
]


def _run(editor: BaseDatabaseSchemaEditor, postgresql: list[str], sqlite: list[str]) -> None:
    for statement in postgresql if editor.connection.vendor == "postgresql" else sqlite:
        editor.execute(statement)


def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    _run(editor, POSTGRESQL, SQLITE)


def backwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    _run(editor, UNDO_POSTGRESQL, UNDO_SQLITE)


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("reports", "0014_given_up_days_of_the_night"),
    ]

    operations = [
        migrations.CreateModel(
            name="PreparedFile",
            fields=[
                ("year", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("percent", models.PositiveSmallIntegerField(default=0)),
                ("content", models.TextField(default="")),
                ("manifest", models.TextField(default="")),
                ("sha256", models.CharField(default="", max_length=64)),
                ("prepared_on", models.DateField()),
            ],
        ),
        migrations.CreateModel(
            name="PublishedFile",
            fields=[
                ("year", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("content", models.TextField(default="")),
                ("manifest", models.TextField()),
                ("sha256", models.CharField(default="", max_length=64)),
                ("refused", models.CharField(default="", max_length=16)),
                ("published_on", models.DateField()),
                (
                    "published_by",
                    models.ForeignKey(null=True, on_delete=PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("refused", ""), models.Q(("content", ""), _negated=True)),
                            models.Q(models.Q(("refused", ""), _negated=True), ("content", "")),
                            _connector="OR",
                        ),
                        name="published_file_or_refusal",
                    )
                ],
            },
        ),
        migrations.RunPython(forwards, backwards),
    ]
