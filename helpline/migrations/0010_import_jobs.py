"""The files that are being imported."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("helpline", "0009_traffic"),
        ("helpline", "0009_traffic"),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportJob",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=16)),
                ("content", models.TextField()),
                ("state", models.CharField(default="ready", max_length=16)),
                ("skips_refused", models.BooleanField(default=False)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("day", models.DateField(db_index=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("held_until", models.DateTimeField(null=True)),
                ("rows", models.PositiveIntegerField(default=0)),
                ("stored", models.PositiveIntegerField(default=0)),
                ("replaced", models.PositiveIntegerField(default=0)),
                ("already", models.PositiveIntegerField(default=0)),
                ("refused", models.PositiveIntegerField(default=0)),
                ("late", models.PositiveIntegerField(default=0)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ("contacts", "traffic", "directory"))),
                        name="import_job_is_of_a_known_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("expires_at__isnull", False),
                                ("state__in", ("ready", "waiting", "running")),
                                models.Q(("content", ""), _negated=True),
                            ),
                            models.Q(
                                ("content", ""),
                                ("expires_at__isnull", True),
                                ("state__in", ("done", "refused", "failed", "cancelled", "expired")),
                            ),
                            _connector="OR",
                        ),
                        name="import_job_holds_its_file_while_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("held_until__isnull", False), ("state", "running")),
                            models.Q(models.Q(("state", "running"), _negated=True), ("held_until__isnull", True)),
                            _connector="OR",
                        ),
                        name="import_job_is_held_while_running",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "done"), models.Q(("late", 0), ("replaced", 0), ("stored", 0)), _connector="OR"
                        ),
                        name="import_job_stores_only_when_done",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("late__lte", models.F("stored")), ("replaced__lte", models.F("stored"))),
                        name="import_job_parts_within_what_was_stored",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "running")), fields=("state",), name="import_job_runs_alone"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("ready", "waiting", "running"))),
                        fields=("by",),
                        name="import_job_one_open_each",
                    ),
                ],
            },
        ),
    ]
