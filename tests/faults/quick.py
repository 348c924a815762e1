"""The settings of production, with a beat that may be quicker, since waiting for a minute proves nothing, and with
static files as they lie."""

import os

from config.settings import *  # noqa: F403
from config.settings import CELERY_BEAT_SCHEDULE, STORAGES

EVERY = float(os.environ["FAULTS_BEAT_SECONDS"])
CELERY_BEAT_SCHEDULE = CELERY_BEAT_SCHEDULE | {
    "sweep": CELERY_BEAT_SCHEDULE["sweep"] | {"schedule": EVERY},
    "imports": CELERY_BEAT_SCHEDULE["imports"] | {"schedule": max(EVERY, 3.0)},
}
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
