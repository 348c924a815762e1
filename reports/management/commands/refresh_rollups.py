"""`refresh_rollups [--rebuild]`: bring the live counts up to date, or count every month anew."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from reports import rebuilding, rollups
from reports.demonstration import progress


class Command(BaseCommand):
    help = "Bring the live counts up to date."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="count every month anew, beside any workers")

    def handle(self, *args: Any, rebuild: bool, **options: Any) -> None:
        if not rebuild:
            days = rollups.refresh(seconds=float("inf"))
            self.stdout.write(_("%(days)d days counted.") % {"days": days})
            return
        try:
            months = rebuilding.rebuild(progress(sys.stderr))
        except KeyboardInterrupt:
            raise CommandError(_("Stopped. Workers go on with what is left, and so does the same command.")) from None
        if given_up := [f"{month:%Y-%m}" for month in rebuilding.given_up()]:
            raise CommandError(_("These months could not be counted: %(which)s") % {"which": ", ".join(given_up)})
        self.stdout.write(_("%(months)d months counted.") % {"months": months})
