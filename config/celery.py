"""The Celery app. Tasks are doorbells: no arguments or ids and dates, safe to ring twice, one call each."""

import os
from typing import Any

from celery import Celery
from celery.beat import PersistentScheduler
from celery.signals import celeryd_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def make_app(**options: Any) -> Celery:
    app = Celery("stodtelefonen", **options)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.autodiscover_tasks(["helpline", "reports"])
    return app


app = make_app()

ONE_PROCESS_ONLY = (
    "The broker memory:// lives inside one process, where another worker would hear nothing: "
    "start with bin/run, or set CELERY_BROKER_URL to a Redis server."
)


@celeryd_init.connect
def refuse_a_worker_of_its_own(conf: Any, **_: Any) -> None:
    if conf.broker_url.startswith("memory://"):
        raise SystemExit(ONE_PROCESS_ONLY)


class Rings(PersistentScheduler):
    """Rings on when the clock was set back, where beat else is silent until the clock has caught up: a day, a year."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        for entry in self.schedule.values():
            if entry.last_run_at and entry.last_run_at > entry.default_now():
                entry.last_run_at, self._heap = entry.default_now(), None
        return super().tick(*args, **kwargs)
