"""`serve [--empty]`: what `bin/run` starts; migrates, then serves web, worker and beat in one process."""

import os
import sys
import threading
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from config import embedded
from helpline import accounts
from helpline.models import Demonstration, User
from reports import demonstration


class Command(BaseCommand):
    help = "Serve web, Celery worker and beat in one process, with a demonstration unless --empty."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--empty", action="store_true", help="without demonstration data")

    def handle(self, *args: Any, empty: bool, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise CommandError(_("CELERY_BROKER_URL names a broker: start a web server, workers and beat instead."))
        host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000")
        if not port.isdecimal():
            raise CommandError(_("PORT must be a number, as in PORT=8001 bin/run"))
        try:
            with embedded.only_one(settings.VAR_DIR):
                self.serve(host, int(port), empty)
        except embedded.AlreadyRunning:
            raise CommandError(_("Another bin/run serves from this folder already: stop it first.")) from None
        except demonstration.DemonstrationRefused as refused:
            raise CommandError(str(refused)) from None
        except embedded.PortTaken:
            message = _("Port %(port)s of %(host)s cannot be opened. Choose another one: PORT=8001 bin/run")
            raise CommandError(message % {"port": port, "host": host}) from None

    def serve(self, host: str, port: int, empty: bool) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        collect = partial(call_command, "collectstatic", verbosity=0, interactive=False)
        embedded.once_per_state(settings.STATICFILES_DIRS, settings.STATIC_ROOT, collect)
        is_demonstration = Demonstration.objects.exists() or not (empty or User.objects.exists())
        made = demonstration.prepare(today=timezone.localdate()) if is_demonstration else None
        address = f"http://{'localhost' if host == '0.0.0.0' else host}:{port}"  # noqa: S104 (named, not bound)

        def up() -> None:
            self.stdout.write(_("Stödtelefonen is up: %(address)s (stop it with Ctrl-C)") % {"address": address})
            if made:
                self.stdout.write(_("Demonstration accounts: %(names)s") % {"names": ", ".join(made.names)})
                if not settings.DEMO_PASSWORD:
                    self.stdout.write(_("Password of all of them, shown this once: %(it)s") % {"it": made.password})
                if not settings.DEMO_TOKEN:
                    self.stdout.write(_("Token of the evaluator, shown this once: %(it)s") % {"it": made.token})
            elif not User.objects.exists():
                path = accounts.administrator_path()
                self.stdout.write(_("Make the first administrator, once, at %(link)s") % {"link": address + path})
            self.stdout.flush()

        def beside(stopping: threading.Event) -> None:
            if is_demonstration:
                report = demonstration.progress(sys.stderr)
                demonstration.continue_making(
                    now=timezone.now(), today=timezone.localdate(), report=report, stop=stopping.is_set
                )

        embedded.serve(host, port, settings.CELERY_BEAT_SCHEDULE_FILENAME, up=up, beside=beside)
