"""The database itself proves what is stored of a contact: no free text, nobody's identity, no clock, no order.

Types are read from the catalogue, so that a column counts that no model knows. A table belongs to the contacts unless
it is named as one that does not, so that a new one is looked at.
"""

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

import pytest
from django.db import connection
from django.template import engines
from django.test import Client
from rest_framework import serializers

from helpline import policy
from helpline.listings import table as directory_table
from helpline.models import User
from helpline.taxonomy import CODE_LISTS
from reports.catalogue import TABLES
from reports.published_table import CONTENTS_CODE, TIME
from tests.catalogue import ADDRESSES, Column, classes, columns

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parent.parent
# Of staff, of the machine, of the directory, of the telephony (tests/test_traffic_and_content.py holds these apart).
OF_OTHERS = ("account_", "auth_", "django_", "mfa_", "socialaccount_", "helpline_opening", "helpline_traffic")
OTHERS = {
    f"helpline_{name}" for name in "user auditevent approval importjob demonstration organisation service".split()
}
OTHERS |= {f"helpline_{name}" for name in "location phone schedule spokenlanguage servicearea".split()}
OTHERS |= {f"reports_{name}" for name in "upkeep rebuildmonth failedday releasekey token grant".split()}

NEVER = set("name note comment text phone number address mail email ip place street employer school title".split())
NEVER |= set("municipality remark caller who person voice recording latitude longitude postcode browser agent".split())
# Made of codes alone, by functions with tests of their own: what a form or a contact said, and figures.
CHECKED_TEXTS = {"helpline_draft.content", "helpline_earlier.content"}
CHECKED_TEXTS |= {"reports_release.candidate", "reports_release.manifest", "reports_erasure.kinds"}
CHECKED_TEXTS |= {
    f"reports_{file}file.{text}" for file in ("prepared", "published") for text in ("content", "manifest")
}
OF_RELEASES = {
    "reports_release",
    "reports_preparedfile",
    "reports_publishedfile",
}  # acts of staff: who let it out, when
SHORT = ("code", "published", "period", "constant", "name of a variable", "keyed digest", "digest")
# Of rows that are made in the order of random keys, for whole months or days, or are gone when they are counted.
IN_NO_ORDER = {"sequence without link", "sequence in the order of random keys", "published"}
IN_NO_ORDER |= {"sequence without link, removed by the next recount", "sequence, erased with the clock"}
NO_ORDER_AT_ALL = {"helpline_contact", "helpline_referral", "helpline_draft", "helpline_case", "reports_statrecord"}
NO_ORDER_AT_ALL |= {"helpline_importedkey", "helpline_serviceuse"}


def is_of_contacts(table: str) -> bool:
    return table not in OTHERS and not table.startswith(OF_OTHERS)


def findings(known: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with which column of a contact or of anything derived from it."""
    rules: dict[str, Callable[[Column, str], bool]] = {
        "nobody has thought about it": lambda column, said: not said,
        "free text": lambda column, said: column.is_text and str(column) not in CHECKED_TEXTS,
        "text that is no code": lambda column, said: (
            "char" in column.kind and not is_key(column) and not said.startswith(SHORT)
        ),
        "an address": lambda column, said: column.kind.startswith(ADDRESSES),
        "named after what is never stored": lambda column, said: (
            bool(NEVER & set(column.name.split("_")))
            and column.name not in CODE_LISTS
            and column.name not in ("caller_gender", "caller_adult")
        ),
        "a clock": lambda column, said: column.is_clock and said != "clock, erased",
        "somebody of the staff": lambda column, said: (
            "staff" in said and "erased" not in said and column.table not in OF_RELEASES
        ),
        "an order": lambda column, said: (
            column.is_sequence and (said not in IN_NO_ORDER or column.table in NO_ORDER_AT_ALL)
        ),
    }
    found = {}
    for column in columns():
        said = known.get(str(column), "")
        broken = [rule for rule, breaks in rules.items() if is_of_contacts(column.table) and breaks(column, said)]
        if broken:
            found[str(column)] = ", ".join(broken)
    return found


def is_key(column: Column) -> bool:
    """A random key, which SQLite keeps as 32 characters."""
    return column.kind.startswith("char") and column.length == 32


def test_no_column_of_a_contact_or_of_anything_derived_from_it_can_find_somebody():
    assert findings(classes()) == {}
    tables = {column.table for column in columns() if is_of_contacts(column.table)}
    assert tables >= {"helpline_contact", "helpline_referral", "reports_statrecord", "reports_publishedcell"}


def test_every_column_that_is_thought_about_is_in_the_catalogue_and_the_other_way_round():
    of_ours = {str(c) for c in columns() if c.table.startswith(("helpline_", "reports_"))}
    assert of_ours == set(classes())


def test_every_table_that_leads_to_a_contact_is_one_of_contacts():
    """By the foreign keys that the database has; nothing that leaves the helpline leads back."""
    with connection.cursor() as cursor:
        tables = {column.table for column in columns()}
        links = {table: connection.introspection.get_relations(cursor, table) for table in tables}
    leads_to = {table: {relation[1] for relation in of.values()} for table, of in links.items()}
    to_contacts = {table for table, targets in leads_to.items() if "helpline_contact" in targets}
    assert to_contacts == {"helpline_referral", "helpline_earlier"}
    assert all(is_of_contacts(table) for table in to_contacts)
    derived = {table for table in tables if table.startswith("reports_") and is_of_contacts(table)}
    assert {target for table in derived for target in leads_to[table]} <= derived | {"helpline_user"}
    assert not leads_to["helpline_contact"] & {"reports_statrecord", "helpline_traffichour", "helpline_service"}


def planted(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("column", "kind", "said", "rule"),
    [
        ("extra", "varchar(12)", "", "nobody has thought about it"),
        ("extra", "text", "code", "free text"),
        ("extra", "varchar(200)", "code", "free text"),
        ("extra", "varchar(40)", "state", "text that is no code"),
        ("caller_name", "varchar(12)", "code", "named after what is never stored"),
        ("phone", "bigint", "random", "named after what is never stored"),
        ("rang_at", "timestamp", "day", "a clock"),
        ("rang", "time", "day", "a clock"),
        ("taken_by", "bigint", "staff", "somebody of the staff"),
    ],
)
@pytest.mark.parametrize("table", ["helpline_contact", "reports_statrecord", "reports_publishedcell"])
def test_a_planted_column_is_found_however_it_is_classed(table, column, kind, said, rule):
    planted(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    assert rule in findings(classes() | ({f"{table}.{column}": said} if said else {}))[f"{table}.{column}"]


def test_a_planted_sequence_or_address_is_found():
    if connection.vendor == "postgresql":
        planted("ALTER TABLE helpline_contact ADD COLUMN turn serial")
        planted("ALTER TABLE helpline_referral ADD COLUMN turn bigint GENERATED ALWAYS AS IDENTITY")
        planted("ALTER TABLE helpline_case ADD COLUMN origin inet")
        found = findings(classes() | {"helpline_contact.turn": "sequence without link", "helpline_case.origin": "code"})
        assert found["helpline_contact.turn"] == "an order" and "an order" in found["helpline_referral.turn"]
        assert found["helpline_case.origin"] == "an address"
    planted("CREATE TABLE copy_of_contacts (turn integer PRIMARY KEY AUTOINCREMENT)" if is_sqlite() else A_COPY)
    assert "an order" in findings(classes())["copy_of_contacts.turn"]


A_COPY = "CREATE TABLE copy_of_contacts (turn bigserial)"


def is_sqlite() -> bool:
    return connection.vendor == "sqlite"


# --- and nothing that shows or sends names one ------------------------------------------------------------------------


@cache
def unspeakable() -> frozenset[str]:
    """The names of columns that no serializer, template or export may name: clocks, people, digests, links, keys. Words
    that are common elsewhere (id, key, day, content, contact …) are looked for by what they would give away instead."""
    common = {"id", "key", "case_id", "contact_id", "record_id", "content", "digest", "owner_id"}
    telling = ("clock", "staff", "random", "keyed digest", "digest of codes", "sequence")
    known = {column: said for column, said in classes().items() if is_of_contacts(column.partition(".")[0])}
    told = {
        column.partition(".")[2].removesuffix("_id")
        for column, said in known.items()
        if said.startswith(telling) and column.partition(".")[2] not in common
    }
    return frozenset(told - {"approved_by", "published_by", "requested_by"})  # of a release: staff, told to staff


OF_A_LOOK_UP = re.compile(r"\.(\w+)")
# The owner's own page, while it can still be changed.
OWN = {
    "helpline/_own.html": {"logged_at"},
    "helpline/_drafts.html": {"opened_at"},
    "helpline/contact_new.html": {"opened_at"},
}


def named_in_template(source: str) -> set[str]:
    """The unspeakable names that a template looks up or prints."""
    inside = " ".join(re.findall(r"\{\{.*?\}\}|\{%.*?%\}", source, re.S))
    return {word for word in re.findall(r"\w+", inside) if word in unspeakable()}


def test_the_names_are_those_that_matter():
    assert unspeakable() >= {"logged_at", "logged_by", "submission_key", "submission_digest", "opened_at", "changed_at"}


def test_no_template_names_one_but_the_owners_own_page():
    found = {}
    for folder in engines["django"].engine.dirs:
        for path in Path(folder).rglob("*"):
            if path.is_file() and (named := named_in_template(path.read_text(encoding="utf-8"))):
                found[path.relative_to(folder).as_posix()] = named
    assert found == OWN


def test_a_template_that_names_one_is_found():
    assert named_in_template("<p>{{ contact.logged_at|date }}</p>") == {"logged_at"}
    assert named_in_template("{% if contact.submission_key %}x{% endif %} logged_by") == {"submission_key"}


def fields_of(found: Iterable[type]) -> dict[str, set[str]]:
    """The fields of each serializer of ours, and of those that inherit from it."""
    told: dict[str, set[str]] = {}
    for kind in found:
        told |= fields_of(kind.__subclasses__())
        if kind.__module__.startswith(("helpline", "reports", "config", "planted")):
            declared = set(getattr(kind, "_declared_fields", ()))
            told[kind.__name__] = declared | set(getattr(getattr(kind, "Meta", None), "fields", ()))
    return told


def test_no_serializer_names_one_nor_takes_all_fields():
    for name, fields in fields_of([serializers.BaseSerializer]).items():
        assert not fields & unspeakable() and "__all__" not in fields, name


def test_a_serializer_that_names_one_is_found():
    class Planted(serializers.Serializer):
        __module__ = "planted"
        logged_at = serializers.DateTimeField()

    assert fields_of([serializers.BaseSerializer])["Planted"] & unspeakable() == {"logged_at"}


# What writes or answers with something that leaves: no module of these names such a column, as attribute or as text.
LEAVES = ("reports/api", "reports/formats", "reports/published.py", "reports/published_table.py", "reports/charts.py")
LEAVES += ("reports/views/statistics.py", "reports/views/sheets.py", "helpline/exports.py", "helpline/listings")
LEAVES += ("helpline/directory/files.py", "helpline/views/audit.py")


def named_in_code(source: str) -> set[str]:
    tree = ast.walk(ast.parse(source))
    names = {getattr(node, "attr", None) or getattr(node, "value", None) or getattr(node, "arg", None) for node in tree}
    return {name for name in names if isinstance(name, str) and name in unspeakable()}


def test_no_module_that_makes_an_export_names_one():
    files = [
        file for place in LEAVES for file in ([ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"))
    ]
    assert len(files) > 20
    assert {str(f): named for f in files if (named := named_in_code(f.read_text(encoding="utf-8")))} == {}


def test_a_module_that_names_one_is_found():
    assert named_in_code("rows.values_list('logged_at')") == named_in_code("row.logged_at") == {"logged_at"}


def test_the_columns_of_every_export_are_variables_codes_or_the_directorys():
    dimensions = {variable.id for table in TABLES.values() for variable in table.variables}
    assert dimensions <= {name for name in CODE_LISTS} and not dimensions & unspeakable()
    assert not unspeakable() & {CONTENTS_CODE, TIME, *directory_table.COLUMNS}


def test_the_export_of_the_record_has_the_hour_of_an_act_and_who_and_no_more():
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_user("anna", None, role=policy.ADMINISTRATOR))
    header = client.post("/audit/export.csv").content.decode("utf-8-sig").splitlines()[1]
    assert header == "Day;Hour;By;Act;Code of the act;Why;Code of why;Account"
