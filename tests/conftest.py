"""What every test may use: Chromium for pages, and the marker `browser` on the tests that need it."""

import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from django.test import TransactionTestCase

from tests.lifted import lifted

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
def settings_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Serve static files as they lie in static/ (hashed names need collectstatic, which the tests of bin/run do), and
    keep the keys of releases out of the developer's own folder."""
    from django.conf import settings

    settings.REPORTS_RELEASE_KEYS = tmp_path_factory.mktemp("release-keys")
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True


@pytest.fixture(scope="session", autouse=True)
def emptying_the_tables_lifts_the_write_once_triggers() -> Iterator[None]:
    """After a test that commits, its rows must go, published ones too; what guards them is lifted for that moment."""
    empty = TransactionTestCase._fixture_teardown

    def lift_and_empty(case: TransactionTestCase) -> None:
        with lifted():
            empty(case)

    TransactionTestCase._fixture_teardown = lift_and_empty
    yield
    TransactionTestCase._fixture_teardown = empty
