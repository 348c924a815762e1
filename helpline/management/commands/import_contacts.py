"""Owns `import_contacts`: contacts from a CSV or XLSX file, with a report that names each refused row."""

from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from helpline.imports import contacts
from helpline.imports.contacts import COLUMNS, Outcome, RowFinding, RowReason
from helpline.spreadsheet import MOST_BYTES, Unreadable


class Command(BaseCommand):
    help = "Import contacts from a CSV or XLSX file; one refused row refuses the whole file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="one row per contact, codes as in the code lists")
        parser.add_argument("--dry-run", action="store_true", help="report, but store nothing")
        parser.add_argument("--skip-refused", action="store_true", help="store the other rows")

    def handle(self, *, file: Path, dry_run: bool, skip_refused: bool, **options: Any) -> None:
        content = _content(file)
        refusal = ""
        try:
            outcome = self._import(content, dry_run=dry_run, skip_refused=skip_refused)
        except Unreadable as error:
            refusal = contacts.explain_file(error)
        except DatabaseError as error:
            # Only the first line: those below it repeat what was to be stored.
            why = str(error).partition("\n")[0]
            refusal = gettext("Nothing was stored, the database did not take it: %(why)s") % {"why": why}
        if refusal:  # raised out here, so that no chained exception comes along
            raise CommandError(refusal)
        self._report(outcome, dry_run)

    def _import(self, content: bytes, *, dry_run: bool, skip_refused: bool) -> Outcome:
        now = timezone.now()
        today = timezone.localdate(now)
        return contacts.import_contacts(
            contacts.read_contacts(content, today=today),
            now=now,
            today=today,
            dry_run=dry_run,
            skip_refused=skip_refused,
            progress=self._show_progress,
        )

    def _show_progress(self, done: int, of: int) -> None:
        if self.stderr.isatty() and done * 100 // of > (done - 1) * 100 // of:
            self.stderr.write(f"\r{done * 100 // of} %", ending="\n" if done == of else "")

    def _report(self, outcome: Outcome, dry_run: bool) -> None:
        for finding in outcome.findings:
            self.stdout.write(_line(finding))
        unknown_column = any(finding.reason is RowReason.UNKNOWN_COLUMN for finding in outcome.findings)
        if unknown_column:
            self.stdout.write(gettext("Columns that are read: %(names)s.") % {"names": ", ".join(COLUMNS)})
        if dry_run:
            self.stdout.write(gettext("Trial run, nothing was changed. In earnest it would be:"))
        counts = gettext(
            "%(rows)d rows read, %(stored)d contacts stored, %(already)d there already, %(refused)d refused"
        )
        self.stdout.write(
            counts
            % {
                "rows": outcome.rows,
                "stored": outcome.stored,
                "already": outcome.already,
                "refused": outcome.refused,
            }
        )
        if outcome.late:
            late = ngettext(
                "%(rows)d row lies in a frozen month and counts in the open one.",
                "%(rows)d rows lie in frozen months and count in the open one.",
                outcome.late,
            )
            self.stdout.write(late % {"rows": outcome.late})
        if unknown_column:
            raise CommandError(gettext("Nothing was stored: the file has columns that are unknown."))
        if outcome.whole:
            raise CommandError(
                gettext("Nothing was stored: correct the refused rows, or leave them out with --skip-refused.")
            )


def _content(file: Path) -> bytes:
    with suppress(OSError), file.open("rb") as stream:
        return stream.read(MOST_BYTES + 1)
    raise CommandError(gettext("No file of that name can be read."))


def _line(finding: RowFinding) -> str:
    place = {
        "line": finding.line,
        "column": finding.column or finding.position + 1,
        "letters": finding.letters,
        "why": contacts.explain_row(finding),
    }
    return gettext("line %(line)d, column %(column)s (%(letters)s): %(why)s") % place
