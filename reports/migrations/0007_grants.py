import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

PROTECT, ACCOUNT = django.db.models.deletion.PROTECT, settings.AUTH_USER_MODEL


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0006_case_step"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Grant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("issued_on", models.DateField()),
                ("until", models.DateField()),
                ("ended_on", models.DateField(null=True)),
                ("evaluator", models.ForeignKey(related_name="grants", on_delete=PROTECT, to=ACCOUNT)),
                ("requested_by", models.ForeignKey(related_name="+", on_delete=PROTECT, to=ACCOUNT)),
                ("approved_by", models.ForeignKey(related_name="+", on_delete=PROTECT, to=ACCOUNT)),
                ("ended_by", models.ForeignKey(null=True, related_name="+", on_delete=PROTECT, to=ACCOUNT)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("approved_by", models.F("requested_by")), _negated=True),
                        name="grant_by_two_people",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("until__gte", models.F("issued_on"))),
                        name="grant_until_a_later_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_by__isnull", True), ("ended_on__isnull", True)),
                            models.Q(
                                ("ended_by__isnull", False),
                                ("ended_on__gte", models.F("issued_on")),
                                ("ended_on__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="grant_ended_by_somebody",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ended_on__isnull", True)),
                        fields=("evaluator",),
                        name="grant_one_at_a_time",
                    ),
                ],
            },
        ),
    ]
