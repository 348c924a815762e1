"""PostgreSQL keeps samples of a column's values for planning, also once the table is empty: none of what soon goes."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# Whole tables, which are often empty; and columns that are only ever looked up one by one.
TABLES = ("helpline.Draft", "helpline.Earlier", "helpline.ImportJob", "sessions.Session")
COLUMNS = {
    "helpline_contact": ("submission_key", "submission_digest"),
    "helpline_case": ("digest",),
    "helpline_importedkey": ("digest", "content"),
}


def keep_none(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor != "postgresql":
        return
    models = [apps.get_model(name)._meta for name in TABLES]
    whole = {model.db_table: tuple(field.column for field in model.concrete_fields) for model in models}
    for table, columns in {**COLUMNS, **whole}.items():
        altered = ", ".join(f"ALTER COLUMN {column} SET STATISTICS 0" for column in columns)
        editor.execute(f"ALTER TABLE {table} {altered}")


class Migration(migrations.Migration):
    dependencies = [("helpline", "0011_import_job_target"), ("sessions", "0001_initial")]

    operations = [migrations.RunPython(keep_none, migrations.RunPython.noop)]
