"""The kind of receiver that is chosen for a directory's services that name none."""

from django.db import migrations, models

import helpline.fields


class Migration(migrations.Migration):
    dependencies = [
        ("helpline", "0010_import_jobs"),
    ]

    operations = [
        migrations.AddField(
            model_name="importjob",
            name="target",
            field=helpline.fields.CodeField(blank=True, default="", max_length=12),
        ),
        migrations.AddConstraint(
            model_name="importjob",
            constraint=models.CheckConstraint(
                condition=models.Q(("target", ""), ("kind", "directory"), _connector="OR"),
                name="import_job_has_a_target_only_of_a_directory",
            ),
        ),
    ]
