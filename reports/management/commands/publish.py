"""`publish PERIOD`: prepare the release of a frozen period and publish it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from reports import release
from reports.catalogue import PERIODS
from reports.forms import NoPilot, NoSuchPeriod, explain, read_period, rule


class Command(BaseCommand):
    help = "Publish a period, as in: publish 2026-09, 2026-Q3, 2026-H2, 2026 or pilot"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("period", help="2026-09, 2026-Q3, 2026-H2, 2026, pilot")

    def handle(self, *args: Any, period: str, **options: Any) -> None:
        now = timezone.now()
        try:
            prepared = release.prepare(read_period(period, *PERIODS), today=timezone.localdate(now), rule=rule())
            cells = release.publish(prepared, by=None, now=now)
        except (NoPilot, NoSuchPeriod, release.CannotRelease) as error:
            raise CommandError(explain(error)) from None
        self.stdout.write(_("%(period)s is published: %(cells)d cells.") % {"period": period, "cells": cells})
