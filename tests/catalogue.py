"""Owns how the tests read the catalogue of the database: what columns there really are, whatever the models say."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import connection

from helpline import privacy as of_helpline
from helpline.privacy import privacy_class
from reports import privacy as of_reports

MOMENTS = ("timestamp", "datetime", "date", "time", "interval")
TEXTS = ("text", "json", "bytea", "blob", "xml", "ARRAY", "tsvector", "hstore")
ADDRESSES = ("inet", "cidr", "macaddr")
CLASSES = {"helpline": of_helpline.PRIVACY, "reports": of_reports.PRIVACY}


@dataclass(frozen=True)
class Column:
    """One column as the database has it. `length` is that of a varchar; 0 where it has none."""

    table: str
    name: str
    kind: str
    length: int
    is_sequence: bool

    def __str__(self) -> str:
        return f"{self.table}.{self.name}"

    @property
    def is_moment(self) -> bool:
        return self.kind.startswith(MOMENTS)

    @property
    def is_clock(self) -> bool:
        return self.is_moment and self.kind != "date"

    @property
    def is_text(self) -> bool:
        return self.kind.startswith(TEXTS) or (self.kind.startswith(("char", "varchar")) and not 0 < self.length <= 64)


def columns() -> list[Column]:
    """Every column of every table, by the database's own catalogue."""
    return list(_of_postgresql() if connection.vendor == "postgresql" else _of_sqlite())


def _of_postgresql() -> Iterator[Column]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type, coalesce(character_maximum_length, 0),"
            " is_identity = 'YES' OR column_default LIKE 'nextval(%%' FROM information_schema.columns"
            " WHERE table_schema NOT IN ('information_schema', 'pg_catalog') ORDER BY 1, 2",
            [],
        )
        for table, name, kind, length, is_sequence in cursor.fetchall():
            yield Column(table, name, kind, length, bool(is_sequence))


def _of_sqlite() -> Iterator[Column]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"
        )
        for table, statement in cursor.fetchall():
            cursor.execute(f'PRAGMA table_info("{table}")')
            for _, name, kind, _, _, is_key in cursor.fetchall():
                length = kind.partition("(")[2].rstrip(")")
                is_sequence = bool(is_key) and "AUTOINCREMENT" in statement.upper()
                yield Column(table, name, kind.lower(), int(length or 0), is_sequence)


def classes() -> dict[str, str]:
    """The privacy class of each column of ours that somebody has thought about, as "table.column"."""
    found = {}
    for app, named in CLASSES.items():
        for model in apps.get_app_config(app).get_models():
            for field in model._meta.concrete_fields:
                found[f"{model._meta.db_table}.{field.column}"] = privacy_class(field, named)
    return found
