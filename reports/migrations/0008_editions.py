"""A later edition of a release needs two people.

On SQLite the table is made anew, which drops its triggers: they are taken away before and put back after.
"""

from importlib import import_module

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

PROTECT, ACCOUNT = django.db.models.deletion.PROTECT, settings.AUTH_USER_MODEL
triggers = import_module("reports.migrations.0005_write_once_releases")


class Migration(migrations.Migration):
    dependencies = [("reports", "0007_grants")]

    operations = [
        migrations.RunPython(triggers.backwards, triggers.forwards),
        migrations.AddField(
            "release", "requested_by", models.ForeignKey(related_name="+", null=True, on_delete=PROTECT, to=ACCOUNT)
        ),
        migrations.AddField(
            "release", "approved_by", models.ForeignKey(related_name="+", null=True, on_delete=PROTECT, to=ACCOUNT)
        ),
        migrations.AddConstraint(
            model_name="release",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("edition", 1),
                    models.Q(
                        ("approved_by__isnull", False),
                        ("requested_by__isnull", False),
                        models.Q(("approved_by", models.F("requested_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="release_edition_by_two_people",
            ),
        ),
        migrations.RunPython(triggers.forwards, triggers.backwards),
    ]
