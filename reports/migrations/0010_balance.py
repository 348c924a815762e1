"""The balance of needs and referrals, and the receivers that do not exist locally, also for what was frozen before.

A record says so where it can be known. It holds no repeated referrals of its case, so that a later contact of a case
that does not show both dimensions may have had the other one: "not asked", published as no information.
Sealed counts are made from the frozen contacts themselves, and every counted day is marked for its recount.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import prefetch_related_objects

import helpline.fields
from reports.counting import MISSING, NONE_LOCALLY, RELEVANT, balance

BATCH = 500
NOT_KNOWN, NOT_APPLICABLE, BOTH = "ej_fragat", "ej_till", "bada"
LATER_STEPS = ("andra", "tredje_plus")


def _batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch


def _of_record(record: Any) -> str:
    if record.result != RELEVANT:
        return NOT_APPLICABLE
    shown = balance(record.needs, [referral.referral_target for referral in record.referrals.all()])
    return NOT_KNOWN if record.case_step in LATER_STEPS and shown not in (BOTH, NOT_APPLICABLE) else shown


def fill_records(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    records = apps.get_model("reports", "StatRecord").objects
    for batch in _batches(records.order_by("key").iterator()):
        prefetch_related_objects(batch, "referrals")
        for record in batch:
            record.balance = _of_record(record)
        records.bulk_update(batch, ["balance"])


def fill_sealed_counts(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    contacts, counts = apps.get_model("helpline", "Contact").objects, apps.get_model("reports", "DayCount").objects
    cells: Counter[tuple[date, str, str]] = Counter()
    frozen = contacts.filter(is_frozen=True, is_withdrawn=False, result=RELEVANT).order_by("pk")
    for batch in _batches(frozen.iterator()):
        prefetch_related_objects(batch, "referrals")
        for contact in batch:
            for referral in contact.referrals.all():
                if referral.outcome == NONE_LOCALLY and not referral.is_repeat:
                    cells[contact.day, MISSING, referral.target] += 1
    counts.bulk_create(
        (
            counts.model(day=day, variable=variable, code=code, n=n, is_sealed=True)
            for (day, variable, code), n in sorted(cells.items())
        ),
        batch_size=BATCH,
    )


def mark_days(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    marks, counts = apps.get_model("helpline", "DayMark").objects, apps.get_model("reports", "DayCount").objects
    days = counts.order_by("day").values_list("day", flat=True).distinct()
    marks.bulk_create((marks.model(day=day) for day in days), batch_size=BATCH)


def empty_counts(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    for model in ("DayCount", "MonthCount"):
        apps.get_model("reports", model).objects.filter(variable=MISSING).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0009_token_epoch"),
        ("helpline", "0005_audit_append_only"),
    ]

    operations = [
        migrations.AddField(
            model_name="statrecord",
            name="balance",
            field=helpline.fields.CodeField(default=NOT_KNOWN, max_length=12),
            preserve_default=False,
        ),
        migrations.RunPython(fill_records, migrations.RunPython.noop),
        migrations.RunPython(fill_sealed_counts, empty_counts),
        migrations.RunPython(mark_days, migrations.RunPython.noop),
    ]
