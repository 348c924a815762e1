"""`verify`: recount the live counts, hash the published cells, and compare; exit 1 on any difference."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from reports import rollups, verification


class Command(BaseCommand):
    help = "Compare stored counts with a recount, and published tables with the hashes of their manifests."

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = [day.isoformat() for day in rollups.wrong_days()]
        wrong += [f"{month:%Y-%m}" for month in rollups.wrong_months()]
        told = [_("The stored counts are wrong for: %(which)s") % {"which": ", ".join(wrong)}] if wrong else []
        if changed := [f"{period} {table}" for period, table in verification.wrong_tables()]:
            told.append(_("These are not as they were published: %(which)s") % {"which": ", ".join(changed)})
        if told:
            raise CommandError("\n".join(told))
        self.stdout.write(_("Every stored count equals its recount, and every published table its manifest."))
