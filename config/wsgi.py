"""The WSGI application of a production server with any number of processes."""

import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.db import connection

from config.celery import ONE_PROCESS_ONLY

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

if settings.EMBEDDED:
    raise ImproperlyConfigured(ONE_PROCESS_ONLY)
if settings.REPORTS_RELEASE_KEYS:
    raise ImproperlyConfigured("REPORTS_RELEASE_KEYS is for the release worker alone: unset it for web processes.")

application = get_wsgi_application()

from helpline.models import Demonstration  # noqa: E402 (models exist once the application does)

if Demonstration.objects.exists():
    raise ImproperlyConfigured("This database holds a demonstration: give DATABASE_URL of a real one.")
connection.close()  # a process that forks later must not share it
