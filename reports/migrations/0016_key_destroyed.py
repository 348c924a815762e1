from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reports", "0015_row_files")]

    operations = [migrations.AddField("releasekey", "destroyed_on", models.DateField(null=True))]
