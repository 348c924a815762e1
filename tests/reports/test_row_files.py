"""The way from a closed year to its one row file, for good."""

import csv
import hashlib
import io
import json
from collections import Counter
from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import ExtractMonth

from helpline.models import AuditEvent
from reports import demonstration, row_files, tasks, verification
from reports.disclosure.microdata import TOO_FEW, Limits
from reports.disclosure.protect import Parameters
from reports.models import PreparedFile, PublishedFile, Release, StatRecord, StatReferral
from reports.periods import parse
from reports.row_files import CannotPublish
from tests.granted import coordinator
from tests.lifted import lifted, unchecked
from tests.reports.closed_year import YEAR, close

pytestmark = pytest.mark.django_db

TODAY = date(2017, 1, 15)
NOW = datetime(2017, 1, 20, 12, tzinfo=UTC)


def published() -> PublishedFile:
    row_files.publish(YEAR, sha256=PreparedFile.objects.get().sha256, by=coordinator("reader"), now=NOW)
    return PublishedFile.objects.get(year=YEAR)


def rows_in(content: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content)))


# --- preparing --------------------------------------------------------------------------------------------------------


def test_the_file_of_a_closed_year_is_prepared_and_waits_to_be_read():
    close()
    assert row_files.prepare_due(today=TODAY, limits=Limits(), rule=Parameters()) == [YEAR]
    file = PreparedFile.objects.get()
    assert (file.year, file.percent, file.prepared_on) == (YEAR, 100, TODAY)
    said = json.loads(file.manifest)
    assert said["sha256"] == file.sha256 == hashlib.sha256(file.content.encode()).hexdigest()
    assert said["parameters"] == Limits().as_dict()
    assert not PublishedFile.objects.exists()


def test_the_file_has_the_relevant_contacts_of_its_year_and_nothing_but_codes():
    close()
    close(YEAR + 1, contacts_a_month=30)
    row_files.prepare(parse(str(YEAR)), today=TODAY, limits=Limits(), rule=Parameters())
    file = PreparedFile.objects.get()
    said, rows = json.loads(file.manifest), rows_in(file.content)
    relevant = StatRecord.objects.filter(result="relevant", month__year=YEAR)
    assert 0.95 * relevant.count() <= len(rows) == said["utility"]["rows"] <= relevant.count()
    assert list(rows[0]) == said["columns"]
    logged = Counter(relevant.values_list("caller_role_3", flat=True))
    in_file = Counter(row["caller_role_3"] for row in rows)
    assert all(in_file[code] <= logged[code] for code in in_file)


def test_rows_stand_in_an_order_drawn_by_chance_each_time():
    close()
    contents = []
    for _ in range(2):
        row_files.prepare(parse(str(YEAR)), today=TODAY, limits=Limits(), rule=Parameters())
        contents.append(PreparedFile.objects.get().content)
    assert contents[0] != contents[1]
    assert Counter(contents[0].split("\r\n")) == Counter(contents[1].split("\r\n"))


def test_no_file_is_made_of_a_year_that_is_not_closed():
    close(is_published=False)
    Release.objects.all().delete()
    assert row_files.prepare_due(today=TODAY, limits=Limits(), rule=Parameters()) == []
    assert not PreparedFile.objects.exists()


def test_what_is_prepared_is_not_prepared_again_and_what_was_broken_off_is():
    close()
    row_files.prepare_due(today=TODAY, limits=Limits(), rule=Parameters())
    before = PreparedFile.objects.get().content
    assert row_files.prepare_due(today=TODAY, limits=Limits(), rule=Parameters()) == []
    PreparedFile.objects.update(percent=60)
    assert row_files.prepare_due(today=TODAY, limits=Limits(), rule=Parameters()) == [YEAR]
    assert PreparedFile.objects.get().percent == 100 and PreparedFile.objects.get().content != before


def test_how_far_it_is_can_be_seen_while_it_is_made(monkeypatch):
    close()
    seen = []
    monkeypatch.setattr(row_files, "_tell", lambda year, percent: seen.append(percent))
    row_files.prepare_due(today=TODAY, limits=Limits(), rule=Parameters())
    assert seen == [*range(5, 61, 5), 90]


def test_a_year_of_too_few_rows_is_refused_for_good():
    close(contacts_a_month=80)
    row_files.prepare_due(today=TODAY, limits=Limits(), rule=Parameters())
    file = PublishedFile.objects.get()
    assert (file.year, file.refused, file.content) == (YEAR, TOO_FEW, "")
    assert not PreparedFile.objects.exists()
    assert row_files.prepare_due(today=TODAY, limits=Limits(fewest_rows=10), rule=Parameters()) == []


def test_beat_prepares_a_file_and_leaves_publishing_to_a_person_but_the_demonstration_publishes_by_itself(monkeypatch):
    close()
    monkeypatch.setattr(tasks.timezone, "localdate", lambda *_: TODAY)
    tasks.freeze_and_prepare()
    assert PreparedFile.objects.get().prepared_on == TODAY and not PublishedFile.objects.exists()
    demonstration._let_pass(until=TODAY)
    file = PublishedFile.objects.get()
    assert (file.published_on, file.published_by, PreparedFile.objects.count()) == (TODAY, None, 0)


def test_a_file_hides_what_the_tables_of_the_settings_hide(settings, monkeypatch):
    close()
    settings.REPORTS_K = 7
    monkeypatch.setattr(tasks.timezone, "localdate", lambda *_: TODAY)
    tasks.freeze_and_prepare()
    of = PreparedFile.objects.first() or PublishedFile.objects.get()
    assert json.loads(of.manifest)["parameters"]["cell"] == 7


# --- publishing -------------------------------------------------------------------------------------------------------


def test_a_person_publishes_what_they_read_and_it_is_written_down():
    close()
    row_files.prepare_due(today=TODAY, limits=Limits(), rule=Parameters())
    content = PreparedFile.objects.get().content
    file = published()
    assert (file.content, file.published_on, file.published_by.username) == (content, NOW.date(), "reader")
    assert AuditEvent.objects.filter(act="file.publish").count() == 1
    assert not PreparedFile.objects.exists()
    assert row_files.prepare_due(today=TODAY, limits=Limits(), rule=Parameters()) == []


def test_the_release_of_the_year_comes_first():
    close(is_published=False)
    row_files.prepare_due(today=TODAY, limits=Limits(), rule=Parameters())
    with pytest.raises(CannotPublish) as refused:
        published()
    assert refused.value.reason == CannotPublish.YEAR_FIRST
    assert not PublishedFile.objects.exists()


def test_another_file_than_the_one_that_was_read_is_not_published():
    close()
    row_files.prepare_due(today=TODAY, limits=Limits(), rule=Parameters())
    with pytest.raises(CannotPublish) as refused:
        row_files.publish(YEAR, sha256="0" * 64, by=None, now=NOW)
    assert refused.value.reason == CannotPublish.CHANGED


# --- one file at most, ever ------------------------------------------------------------------------------------------


def test_no_contact_is_in_two_files():
    """Each record has one month, each month one year, each year one file: the database keeps the second and third."""
    close()
    row_files.prepare_due(today=TODAY, limits=Limits(), rule=Parameters())
    published()
    again = {"year": YEAR, "content": "Tid\r\n", "manifest": "{}", "sha256": "x", "published_on": TODAY}
    with pytest.raises(IntegrityError), transaction.atomic():
        PublishedFile.objects.create(**again)
    for month in (date(YEAR + 1, 1, 1), date(YEAR, 12, 1)):
        with pytest.raises(IntegrityError), transaction.atomic():
            StatRecord.objects.filter(month=date(YEAR, 1, 1)).update(month=month)


def test_a_frozen_record_and_its_referrals_are_never_changed():
    close(contacts_a_month=10)
    record = StatRecord.objects.first()
    referral = StatReferral.objects.create(
        record=record,
        referral_target="polis",
        referral_target_6="polis",
        referral_type="hanvisning",
        referral_outcome="ej_uppf",
    )
    for change in (
        lambda: StatRecord.objects.filter(pk=record.pk).update(county="01"),
        lambda: StatReferral.objects.filter(pk=referral.pk).update(referral_outcome="saknas"),
        lambda: replace_row(record),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def replace_row(record: StatRecord) -> None:
    """What SQLite does past the trigger of an UPDATE; PostgreSQL has no such statement."""
    fields = StatRecord._meta.concrete_fields
    columns = ", ".join(field.column for field in fields)
    values = [field.get_db_prep_save(getattr(record, field.attname), connection) for field in fields]
    how = "INSERT" if connection.vendor == "postgresql" else "REPLACE"
    with connection.cursor() as cursor:
        cursor.execute(f"{how} INTO reports_statrecord ({columns}) VALUES ({', '.join(['%s'] * len(fields))})", values)


def test_with_the_guard_lifted_a_record_can_be_moved_into_the_file_of_another_year():
    close(contacts_a_month=10)
    with lifted():
        moved = StatRecord.objects.filter(month=date(YEAR, 12, 1)).update(month=date(YEAR + 1, 1, 1))
    assert moved
    assert StatRecord.objects.annotate(of=ExtractMonth("month")).filter(month__year=YEAR + 1).count() == moved


STATEMENTS = [
    "UPDATE reports_publishedfile SET content = 'Tid'",
    "UPDATE reports_publishedfile SET year = 2017",
    "DELETE FROM reports_publishedfile",
]
COLUMNS = "year, content, manifest, sha256, refused, published_on, published_by_id"
AGAIN = f"INTO reports_publishedfile ({COLUMNS}) SELECT {COLUMNS} FROM reports_publishedfile WHERE true"  # noqa: S608
UPSERT = f"INSERT {AGAIN} ON CONFLICT (year) DO UPDATE SET content = 'Tid'"


@pytest.mark.parametrize(
    "statement",
    [
        *STATEMENTS,
        UPSERT,
        *([f"REPLACE {AGAIN}"] if connection.vendor == "sqlite" else ["TRUNCATE reports_publishedfile"]),
    ],
)
def test_a_published_file_is_neither_changed_removed_nor_replaced(statement):
    close()
    row_files.prepare_due(today=TODAY, limits=Limits(), rule=Parameters())
    content = published().content
    connection.check_constraints()  # PostgreSQL empties no table while a check of it waits
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert PublishedFile.objects.get().content == content


def test_with_the_guard_lifted_a_published_file_can_be_changed_and_verification_tells():
    close()
    row_files.prepare_due(today=TODAY, limits=Limits(), rule=Parameters())
    published()
    of_files = [wrong for wrong in verification.wrong_tables() if wrong[1] == verification.ROW_FILE]
    assert of_files == []
    with lifted():
        assert PublishedFile.objects.update(content="Tid\r\n")
    assert (str(YEAR), verification.ROW_FILE) in verification.wrong_tables()


def test_a_file_and_a_refusal_exclude_each_other():
    row = {"year": YEAR, "manifest": "{}", "published_on": TODAY}
    for both in ({"content": "Tid", "refused": TOO_FEW}, {"content": "", "refused": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            PublishedFile.objects.create(**row, **both)
    with unchecked("reports_publishedfile", "published_file_or_refusal"):
        PublishedFile.objects.create(**row, content="Tid", refused=TOO_FEW)
