"""The Celery app. Tasks are doorbells: no arguments or ids and dates, safe to ring twice, one call each."""

import os
from typing import Any

from celery import Celery
from celery.signals import celeryd_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("stodtelefonen")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["helpline", "reports"])

ONE_PROCESS_ONLY = (
    "The broker memory:// lives inside one process, where another worker would hear nothing: "
    "start with bin/run, or set CELERY_BROKER_URL to a Redis server."
)


@celeryd_init.connect
def refuse_a_worker_of_its_own(conf: Any, **_: Any) -> None:
    if conf.broker_url.startswith("memory://"):
        raise SystemExit(ONE_PROCESS_ONLY)
