"""A request that can no longer be done lapses, decided by nobody; and nobody decides what is about themselves.

The names of accounts that were asked for are taken from the requests that are settled already.
"""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F, Q

DECIDED = Q(outcome__in=["agreed", "refused", "withdrawn"], decided_by__isnull=False, decided_on__isnull=False)
WAITS = Q(outcome="waiting", decided_by__isnull=True, decided_on__isnull=True)
LAPSED = Q(outcome="lapsed", decided_by__isnull=True, decided_on__isnull=False)


def forget_names(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    settled = apps.get_model("helpline", "Approval").objects.exclude(outcome="waiting")
    settled.filter(act="staff.invite_trusted").update(subject="")


class Migration(migrations.Migration):
    dependencies = [("helpline", "0005_audit_append_only")]
    operations = [
        migrations.RemoveConstraint("approval", "approval_waits_or_is_decided"),
        migrations.AddConstraint(
            "approval",
            models.CheckConstraint(name="approval_waits_or_is_settled", condition=WAITS | LAPSED | DECIDED),
        ),
        migrations.AddConstraint(
            "approval",
            models.CheckConstraint(
                name="approval_about_another_person",
                condition=Q(decided_by__isnull=True) | Q(about__isnull=True) | ~Q(decided_by=F("about")),
            ),
        ),
        migrations.RunPython(forget_names, migrations.RunPython.noop),
    ]
