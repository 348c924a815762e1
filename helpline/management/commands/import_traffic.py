"""Owns `import_traffic`: the telephony's hourly counters from a CSV or XLSX file that holds nothing but counts."""

from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext

from helpline.imports import traffic
from helpline.imports.traffic import Outcome
from helpline.spreadsheet import MOST_BYTES, Unreadable


class Command(BaseCommand):
    help = "Import hourly counters of the telephony from a CSV or XLSX file; one refused row refuses the whole file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="one row per day, hour and queue with the six counts")
        parser.add_argument("--dry-run", action="store_true", help="report, but store nothing")

    def handle(self, *, file: Path, dry_run: bool, **options: Any) -> None:
        content, refusal = _content(file), ""
        try:
            reading = traffic.read_traffic(content, today=timezone.localdate())
        except Unreadable as error:
            refusal = traffic.explain_file(error)
        if refusal:  # raised out here, so that no chained exception comes along
            raise CommandError(refusal)
        self._report(traffic.import_traffic(reading, dry_run=dry_run), dry_run)

    def _report(self, outcome: Outcome, dry_run: bool) -> None:
        for finding in outcome.findings:
            place = {"line": finding.line, "column": finding.column or finding.position + 1}
            place |= {"letters": finding.letters, "why": traffic.explain_row(finding)}
            self.stdout.write(gettext("line %(line)d, column %(column)s (%(letters)s): %(why)s") % place)
        if dry_run:
            self.stdout.write(gettext("Trial run, nothing was changed. In earnest it would be:"))
        counts = {"rows": outcome.rows, "stored": outcome.stored}
        said = gettext("%(rows)d rows read, %(stored)d hours stored, %(refused)d refused")
        self.stdout.write(said % (counts | {"refused": outcome.refused}))
        if outcome.late:
            said = gettext("%(late)d of them lie in frozen months, which take one file and no second one")
            self.stdout.write(said % {"late": outcome.late})
        if outcome.findings:
            raise CommandError(gettext("Nothing was stored: correct the refused rows."))


def _content(file: Path) -> bytes:
    with suppress(OSError), file.open("rb") as stream:
        return stream.read(MOST_BYTES + 1)
    raise CommandError(gettext("No file of that name can be read."))
