"""From the first moment on it is known since when no sweep has come to its end: one that never runs is late too."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone


def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    upkeep = apps.get_model("reports", "Upkeep")
    upkeep.objects.get_or_create(id=1)
    upkeep.objects.filter(caught_up_at=None).update(caught_up_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("reports", "0018_gate_run")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
