"""Owns `import_directory`: receivers and knowledge resources from a file, and what is refused or left out."""

from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils.translation import gettext

from helpline.directory import files
from helpline.directory.files import Outcome
from helpline.directory.wording import explain, explain_place
from helpline.listings import Wrong
from helpline.listings.values import code
from helpline.spreadsheet import MOST_BYTES


class Command(BaseCommand):
    help = "Import the directory from HSDS 3.0 (JSON), CSV or XLSX; one refusal refuses the whole file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="which kind it is, its content tells")
        parser.add_argument("--dry-run", action="store_true", help="report, but store nothing")
        parser.add_argument("--target", default="", help="referral target of the services that name none of ours")

    def handle(self, *, file: Path, dry_run: bool, target: str, **options: Any) -> None:
        content, refusal = _content(file), ""
        _refuse_unknown(target)
        try:
            reading = files.read_directory(content, target=target)
            outcome = files.import_directory(reading, dry_run=dry_run)
        except DatabaseError as error:
            # Only the first line: those below it repeat what was to be stored.
            why = str(error).partition("\n")[0]
            refusal = gettext("Nothing was stored, the database did not take it: %(why)s") % {"why": why}
        if refusal:  # raised out here, so that no chained exception comes along
            raise CommandError(refusal)
        self._report(outcome, dry_run)

    def _report(self, outcome: Outcome, dry_run: bool) -> None:
        for finding in outcome.findings:
            place = explain_place(finding)
            self.stdout.write(f"{place}: {explain(finding)}" if place else explain(finding))
        if outcome.whole:
            raise CommandError(gettext("Nothing was stored: correct the file and import it again."))
        if outcome.left_out:
            self.stdout.write(gettext("Left out, because the directory has no place for it:"))
        for path, times in outcome.left_out:
            self.stdout.write(f"  {path} × {times}")
        if dry_run:
            self.stdout.write(gettext("Trial run, nothing was changed. In earnest it would be:"))
        counts = gettext("%(read)d services read, %(new)d new, %(changed)d changed, %(already)d there already")
        numbers = {"read": outcome.services, "new": outcome.new}
        self.stdout.write(counts % (numbers | {"changed": outcome.changed, "already": outcome.already}))


def _content(file: Path) -> bytes:
    with suppress(OSError), file.open("rb") as stream:
        return stream.read(MOST_BYTES + 1)
    raise CommandError(gettext("No file of that name can be read."))


def _refuse_unknown(target: str) -> None:
    codes = ""
    try:
        code("referral_target")(target) if target else None
    except Wrong as wrong:
        codes = wrong.hint
    if codes:
        raise CommandError(gettext("There is no such referral target; there are %(codes)s.") % {"codes": codes})
