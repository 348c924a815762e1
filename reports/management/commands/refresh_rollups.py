"""`refresh_rollups [--rebuild]`: bring the live counts up to date, or count every day anew."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from reports import rollups


class Command(BaseCommand):
    help = "Bring the live counts up to date."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="count every day anew")

    def handle(self, *args: Any, rebuild: bool, **options: Any) -> None:
        days = rollups.rebuild() if rebuild else rollups.refresh(seconds=float("inf"))
        self.stdout.write(_("%(days)d days counted.") % {"days": days})
