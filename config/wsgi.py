"""The WSGI application of a production server with any number of processes."""

import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from config.celery import ONE_PROCESS_ONLY

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

if settings.EMBEDDED:
    raise ImproperlyConfigured(ONE_PROCESS_ONLY)

application = get_wsgi_application()
