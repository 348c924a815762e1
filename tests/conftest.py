"""What every test may use: Chromium for pages, and the marker `browser` on the tests that need it."""

import os
from typing import Any

import hypothesis
import pytest

# Playwright's sync API keeps an event loop in this thread, in which Django else refuses the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


# How long a loaded machine takes says nothing of what is tested.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")
LOCK_TIMEOUT = "-c lock_timeout=60s"


def pytest_configure() -> None:
    from django.conf import settings

    database = settings.DATABASES["default"]
    if "postgresql" in database["ENGINE"]:
        database["OPTIONS"]["options"] = LOCK_TIMEOUT


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whatever takes a page, before `-m` chooses."""
    for item in items:
        if "browser_type" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Start the Chromium that bin/_browser found, with nothing that reaches out by itself."""
    chromium = os.environ.get("CHROMIUM")
    if not chromium:
        pytest.fail('Chromium is missing: use bin/test, set CHROMIUM, or choose -m "not browser".', pytrace=False)
    return browser_type_launch_args | {"executable_path": chromium, "args": CHROMIUM_ARGUMENTS}


@pytest.fixture(scope="session", autouse=True)
def static_files_from_their_sources() -> None:
    """Serve static files as they lie in static/; hashed names need collectstatic, which the tests of bin/run do."""
    from django.conf import settings

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True
