"""`subpoena DAY HOUR`: print everything the system can say about an hour, and nothing else."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from helpline.entries import FIRST_DAY
from reports import subpoena


class Command(BaseCommand):
    help = "Print everything that the system can say about an hour, as in: subpoena 2026-09-30 14"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("day", help="2026-09-30")
        parser.add_argument("hour", help="0 to 23")

    def handle(self, *args: Any, day: str, hour: str, **options: Any) -> None:
        try:
            on = date.fromisoformat(day)
        except ValueError:
            on = date.min
        if on < FIRST_DAY or on > timezone.localdate():
            raise CommandError(_("No day that the system knows: write a day from 2015-01-01 to today, as 2016-06-30."))
        if not (hour.isascii() and hour.isdecimal() and int(hour) < 24):
            raise CommandError(_("This is no hour: write a whole number from 0 to 23, as 14 for 14.00 to 15.00."))
        at = subpoena.Hour(on, int(hour))
        span = {"day": on.isoformat(), "from": f"{at.hour:02}.00", "to": f"{at.hour + 1:02}.00"}
        self.stdout.write(_("Everything that this system can say about %(day)s from %(from)s to %(to)s:") % span)
        for line in subpoena.lines(at):
            self.stdout.write(f"- {line}")
        self.stdout.write(
            _(
                "No other day or clock time that is stored tells when somebody called. Backups, and traces that the"
                " database itself keeps, are told in docs/anonymity.md."
            )
        )
