"""`demo [--contacts-a-month N] [--since DAY] [--seed S]`: make the demonstration, or go on where it stopped."""

import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from reports import demonstration

MOST_CONTACTS_A_MONTH = 100_000
LARGEST_SEED = 2**31 - 1  # what the column takes


def _number(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise ArgumentTypeError(_("a whole number from %(low)d to %(high)d is needed") % {"low": low, "high": high})
        return int(text)

    return read


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(_("a day as in 2026-01-31 is needed")) from None


class Command(BaseCommand):
    help = "Make a synthetic pilot in an empty database, or go on where it stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        volume = _number(1, MOST_CONTACTS_A_MONTH)
        parser.add_argument("--contacts-a-month", type=volume, metavar="N", help="100 unless told")
        parser.add_argument("--since", type=_day, metavar="DAY", help="1 January of last year unless told")
        parser.add_argument("--seed", type=_number(0, LARGEST_SEED), metavar="S", help="1 unless told")

    def handle(
        self, *args: Any, contacts_a_month: int | None, since: date | None, seed: int | None, **options: Any
    ) -> None:
        now = timezone.now()
        today = timezone.localdate(now)
        try:
            accounts = demonstration.prepare(today=today, seed=seed, since=since, contacts_a_month=contacts_a_month)
        except demonstration.DemonstrationRefused as refused:
            raise CommandError(str(refused)) from None
        if accounts is not None:
            self.say_accounts(accounts)
        try:
            made = demonstration.continue_making(now=now, today=today, report=demonstration.progress(sys.stderr))
        except KeyboardInterrupt:
            raise CommandError(_("Stopped. The same command goes on from here."), returncode=130) from None
        message = _("%(made)d made-up contacts, up to and including %(day)s.")
        self.stdout.write(message % {"made": made, "day": today.isoformat()})

    def say_accounts(self, accounts: demonstration.Accounts) -> None:
        # A password that somebody chose is not repeated on a screen.
        password = _("the one in DEMO_PASSWORD") if settings.DEMO_PASSWORD else accounts.password
        self.stdout.write(_("Accounts: %(names)s") % {"names": ", ".join(accounts.names)})
        self.stdout.write(_("Password: %(password)s") % {"password": password})
        token = _("the one in DEMO_TOKEN") if settings.DEMO_TOKEN else accounts.token
        self.stdout.write(_("Token of the evaluator: %(token)s") % {"token": token})
