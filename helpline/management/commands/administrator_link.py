"""`administrator_link`: prints a link that makes an administrator; whoever has the server is the second person."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from helpline import accounts


class Command(BaseCommand):
    help = "Print a link that makes an administrator, once and within a day, while fewer than two are active."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--address", default=own_address(), help="where the pages are, as in https://helpline.example"
        )

    def handle(self, *args: Any, address: str, **options: Any) -> None:
        if not accounts.are_administrators_few():
            raise CommandError(_("There are two active administrators or more: let them invite the next one."))
        self.stdout.write(address.rstrip("/") + accounts.administrator_path())


def own_address() -> str:
    """Where the pages are as far as the settings say."""
    if settings.EMBEDDED:
        return f"http://{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
    return f"https://{settings.ALLOWED_HOSTS[0].lstrip('.')}" if settings.ALLOWED_HOSTS else ""
