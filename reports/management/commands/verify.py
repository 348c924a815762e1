"""`verify`: recount everything and compare; exit 1 on any difference."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from reports import rollups


class Command(BaseCommand):
    help = "Recount every day and month and compare with the stored counts."

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = [day.isoformat() for day in rollups.wrong_days()]
        wrong += [f"{month:%Y-%m}" for month in rollups.wrong_months()]
        if wrong:
            raise CommandError(_("The stored counts are wrong for: %(which)s") % {"which": ", ".join(wrong)})
        self.stdout.write(_("Every stored count equals its recount."))
