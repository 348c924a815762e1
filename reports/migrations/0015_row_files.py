"""Row files: the database refuses to change, remove or replace a published one, and to move a frozen contact.

A record's month never changes, so that it is in the file of one year at most. As in 0003 and 0005, a later migration
that alters PublishedFile or StatRecord makes the table anew on SQLite and drops these triggers: make them anew.
"""

from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.deletion import PROTECT

FILE, RECORD = "reports_publishedfile", "reports_statrecord"
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
    f"CREATE TRIGGER stat_record_stays_in_month BEFORE UPDATE ON {RECORD} WHEN OLD.month <> NEW.month "
    "BEGIN SELECT RAISE(ABORT, 'stat_record_stays_in_month'); END",
]
UNDO_SQLITE = [
    *(f"DROP TRIGGER published_file_write_once_{event}" for event in ("update", "delete", "insert")),
    "DROP TRIGGER stat_record_stays_in_month",
]
POSTGRESQL = [
    *(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{name}' USING ERRCODE = 'restrict_violation'; END $$"
        for name in ("published_file_write_once", "stat_record_stays_in_month")
    ),
    f"CREATE TRIGGER published_file_write_once BEFORE UPDATE OR DELETE OR TRUNCATE ON {FILE} "
    "FOR EACH STATEMENT EXECUTE FUNCTION published_file_write_once()",
    f"CREATE TRIGGER stat_record_stays_in_month BEFORE UPDATE ON {RECORD} "
    "FOR EACH ROW WHEN (OLD.month <> NEW.month) EXECUTE FUNCTION stat_record_stays_in_month()",
]
UNDO_POSTGRESQL = [
    f"DROP TRIGGER published_file_write_once ON {FILE}",
    f"DROP TRIGGER stat_record_stays_in_month ON {RECORD}",
    "DROP FUNCTION published_file_write_once()",
    "DROP FUNCTION stat_record_stays_in_month()",
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
