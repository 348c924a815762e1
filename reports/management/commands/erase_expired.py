"""`erase_expired [--dry-run]`: erase whatever has been kept for its time, as beat does each night."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from reports import retention
from reports.forms import explain_left


class Command(BaseCommand):
    help = "Erase whatever has been kept for its time, also out of the files of the database, and leave a receipt."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be erased, and change nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        now = timezone.now()
        if dry_run:
            self.say(retention.would_erase(now=now))
            return
        try:
            receipt = retention.run(now=now)
        except retention.Incomplete as error:
            which = ", ".join(_(kind) for kind in error.kinds)
            message = _("These could not be erased, everything else that is due is: %(which)s. The log says why.")
            raise CommandError(message % {"which": which}) from None
        self.say(receipt.kinds)
        for why in sorted(receipt.left):
            self.stdout.write(explain_left(why))

    def say(self, kinds: Mapping[str, int]) -> None:
        for kind, n in kinds.items():
            said = _("%(n)d or more") % {"n": n} if n else _("fewer than %(n)d") % {"n": retention.STEP}
            self.stdout.write(f"{_(kind)}: {said}")
