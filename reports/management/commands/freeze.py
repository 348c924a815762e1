"""`freeze MONTH`: copy a month's contacts into the records that the statistics are made of."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from reports import freeze
from reports.forms import NoSuchPeriod, explain, read_period


class Command(BaseCommand):
    help = "Freeze a month, as in: freeze 2026-09"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", help="2026-09")

    def handle(self, *args: Any, month: str, **options: Any) -> None:
        try:
            records = freeze.freeze_month(read_period(month, "month"), today=timezone.localdate())
        except (NoSuchPeriod, freeze.CannotFreeze) as error:
            raise CommandError(explain(error)) from None
        self.stdout.write(_("%(month)s is frozen: %(records)d contacts.") % {"month": month, "records": records})
