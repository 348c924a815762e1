"""What every test may use: Chromium for pages, and the marker `browser` on the tests that need it."""

import gc
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.management import CommandError
from django.test import Client, TransactionTestCase

from tests.lifted import lifted
from tests.provider.told import Provider
from tests.sessions_left import end_sessions, sessions_left
from tests.testservices import start_provider

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
SECONDS_TO_GO = 10
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


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database of pytest-django, removed when the last request of a live server has let go of it.

    PostgreSQL refuses to remove it before. A session that does not go within SECONDS_TO_GO, as one that a thread of a
    test left behind, is ended and named on the screen: it says nothing of what the tests found.
    """
    yield
    from django.db import connection

    if connection.vendor != "postgresql":
        return
    gc.collect()  # closes what belongs to no thread any more
    with django_db_blocker.unblock():
        connection.close()  # asked by a new one: whatever ended sessions before may have ended this one too
        if left := sessions_left(seconds=SECONDS_TO_GO):
            print("Ended, still on the test database:", "; ".join(left), file=sys.stderr)
            end_sessions()


@pytest.fixture(scope="session", autouse=True)
def emptying_the_tables_lifts_the_write_once_triggers() -> Iterator[None]:
    """After a test that commits, its rows must go, published ones too; what guards them is lifted for that moment.

    A request whose page was closed may still be under way and hold rows: the tables are emptied when it has ended.
    """
    empty = TransactionTestCase._fixture_teardown

    def lift_and_empty(case: TransactionTestCase) -> None:
        for is_last in (False, False, False, True):
            try:
                with lifted():
                    return empty(case)
            except CommandError:
                if is_last:
                    raise
                time.sleep(1)

    TransactionTestCase._fixture_teardown = lift_and_empty
    yield
    TransactionTestCase._fixture_teardown = empty


@pytest.fixture(scope="session", autouse=True)
def a_forced_log_in_is_whole() -> Iterator[None]:
    """`force_login` passes over the log-in page; it leaves what that leaves behind: a second factor, given just now."""
    force = Client.force_login

    def force_and_prove(client: Client, user: AbstractBaseUser, backend: str | None = None) -> None:
        force(client, user, backend)
        session, now = client.session, int(time.time())
        session["began"] = session["seen"] = now
        session["account_authentication_methods"] = [{"method": "mfa", "type": "totp", "at": now}]
        session["account_authentication_methods_user"] = str(user.pk)
        session.save()

    Client.force_login = force_and_prove  # type: ignore[method-assign]
    yield
    Client.force_login = force  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def logging_in_takes_the_password_alone(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """As in a demonstration, but for the tests that are about second factors: they ask for `in_earnest`."""
    from django.conf import settings

    from helpline import sessions

    begin, wants = sessions.begin, sessions.wants_second_factor

    def begin_without_second_factor(request: object) -> None:
        begin(request)  # type: ignore[arg-type]
        request.session[sessions.EXEMPT] = True  # type: ignore[attr-defined]

    def wants_as_in_a_demonstration(request: object) -> bool:
        is_exempt = request.session.get(sessions.EXEMPT) and not settings.HELPLINE_REQUIRE_MFA  # type: ignore[attr-defined]
        return not is_exempt and wants(request)  # type: ignore[arg-type]

    if "in_earnest" not in request.fixturenames:
        monkeypatch.setattr(sessions, "begin", begin_without_second_factor)
        monkeypatch.setattr(sessions, "wants_second_factor", wants_as_in_a_demonstration)


@pytest.fixture
def in_earnest() -> None:
    """Nothing is open to who has not given a second factor."""


# --- an identity provider ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def running_provider() -> Iterator[Provider]:
    server = start_provider()
    yield Provider(server.url, server.folder)
    server.stop()


@pytest.fixture
def provider(running_provider: Provider, settings: Any) -> Provider:
    """A real OpenID Connect provider, by which the helpline lets people in; it says that Anna has an account."""
    settings.HELPLINE_OIDC_ISSUER, settings.HELPLINE_OIDC_NAME = running_provider.url, "Freja"
    settings.HELPLINE_OIDC_CLIENT_ID, settings.HELPLINE_OIDC_CLIENT_SECRET = "helpline", "the helpline's secret"
    settings.HELPLINE_OIDC_ACR, settings.HELPLINE_OIDC_CLAIM = [Provider.HIGH], "preferred_username"
    running_provider.tell()
    return running_provider
