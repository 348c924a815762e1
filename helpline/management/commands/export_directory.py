"""Owns `export_directory`: the directory as a file of HSDS 3.0 or CSV, by the ending of its name."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext

from helpline.directory import files
from helpline.directory.files import CSV, JSON


class Command(BaseCommand):
    help = "Export the directory to a file: HSDS 3.0 where its name ends in .json, a table where it ends in .csv."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="NAME.json or NAME.csv")
        parser.add_argument("--with-confidential", action="store_true", help="also the confidential services")

    def handle(self, *, file: Path, with_confidential: bool, **options: Any) -> None:
        kind = file.suffix.removeprefix(".").casefold()
        if kind not in (JSON, CSV):
            raise CommandError(gettext("Give the file a name that ends in .json or .csv."))
        content = files.export_directory(kind, include_confidential=with_confidential)
        reason = ""
        try:
            file.write_bytes(content)
        except OSError as error:
            reason = error.strerror or ""
        if reason:  # raised out here, so that no chained exception comes along
            raise CommandError(gettext("The file cannot be written: %(why)s") % {"why": reason})
