"""The application that serves the pages of `naive`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.naive_settings"
application = get_wsgi_application()
