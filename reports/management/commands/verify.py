"""`verify`: recount the live counts, hash the published cells, and compare; exit 1 on any difference."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from reports import upkeep


class Command(BaseCommand):
    help = "Compare stored counts with a recount, and published tables with the hashes of their manifests."

    def handle(self, *args: Any, **options: Any) -> None:
        found = upkeep.verify(today=timezone.localdate())
        wrong = [day.isoformat() for day in found.days] + [f"{month:%Y-%m}" for month in found.months]
        told = []
        if wrong:
            which = ", ".join(wrong)
            told.append(_("The stored counts are wrong or cannot be recounted for: %(which)s") % {"which": which})
        if changed := [f"{period} {table}" for period, table in found.tables]:
            told.append(_("These are not as they were published: %(which)s") % {"which": ", ".join(changed)})
        if told:
            raise CommandError("\n".join(told))
        self.stdout.write(_("Every stored count equals its recount, and every published table its manifest."))
