"""What the identity provider says of itself is asked for once for many visitors, and a slow one holds one of them."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from allauth.socialaccount.adapter import get_adapter
from django.core.cache import cache
from django.test import Client
from requests import RequestException

from helpline import discovery
from tests.at_once import at_once
from tests.provider.told import BEGIN

pytestmark = pytest.mark.django_db


class Described(ThreadingHTTPServer):
    """A provider that describes itself, as slowly and as little as it is told, and counts how often."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked, self.delay, self.status = 0, 0.0, 200
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        self.said = {"issuer": self.issuer} | {name: f"{self.issuer}/{name}" for name in names}

    def handle_error(self, *args: object) -> None:
        """Whoever was given up on finds nobody to answer."""

    @property
    def address(self) -> str:
        return f"{self.issuer}/.well-known/openid-configuration"


class Answering(BaseHTTPRequestHandler):
    server: Described

    def do_GET(self) -> None:
        self.server.asked += 1
        time.sleep(self.server.delay)
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(json.dumps(self.server.said).encode())

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def described(settings) -> Iterator[Described]:
    server = Described()
    settings.HELPLINE_OIDC_ISSUER, settings.HELPLINE_OIDC_NAME = server.issuer, "Freja"
    settings.HELPLINE_OIDC_CLIENT_ID, settings.HELPLINE_OIDC_CLIENT_SECRET = "helpline", "a secret"
    cache.clear()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def visit() -> int:
    return Client().get(BEGIN).status_code


def fetch(address: str) -> dict:
    with get_adapter().get_requests_session() as session:
        answer = session.get(address)
        answer.raise_for_status()
        return dict(answer.json())


def seconds_of(server: Described) -> tuple[float, str]:
    """How long one visitor waits for the description, and what comes of it."""
    began, outcome = time.monotonic(), "told"
    try:
        discovery.configuration(server.address, fetch)
    except RequestException as error:
        outcome = type(error).__name__
    return time.monotonic() - began, outcome


# --- once for many ----------------------------------------------------------------------------------------------------


def test_ten_visitors_cause_one_fetch(described):
    assert [visit() for _ in range(10)] == [302] * 10 and described.asked == 1


def test_without_what_is_kept_each_of_them_would_cause_one(described, monkeypatch):
    monkeypatch.setattr(discovery, "_awaited", lambda key: None)
    assert [visit() for _ in range(10)] == [302] * 10 and described.asked == 10


def test_ten_visitors_at_once_cause_one_fetch_and_wait_for_it(described, monkeypatch):
    monkeypatch.setattr(discovery, "PATIENCE", 20)  # however slow the machine is
    described.delay = 0.3
    waited = at_once(*[lambda: seconds_of(described)] * 10)
    assert [outcome for _, outcome in waited] == ["told"] * 10 and described.asked == 1


def test_it_is_asked_again_when_what_it_said_has_grown_old(described, monkeypatch):
    monkeypatch.setattr(discovery, "KEPT", 0.1)
    monkeypatch.setattr(discovery, "ASKING", 0.1)
    visit()
    time.sleep(0.15)
    assert visit() == 302 and described.asked == 2


def test_another_provider_is_another_description(described):
    discovery.configuration(described.address, fetch)
    other = described.address.replace("127.0.0.1", "localhost")
    discovery.configuration(other, fetch)
    assert described.asked == 2


# --- slow, silent or wrong --------------------------------------------------------------------------------------------


def test_nothing_is_waited_for_longer_than_five_seconds(settings):
    assert settings.SOCIALACCOUNT_REQUESTS_TIMEOUT == 5
    with get_adapter().get_requests_session() as session:  # of this every question to the provider is asked
        assert session.request.keywords == {"timeout": 5}


@pytest.mark.parametrize(("timeout", "status"), [(0.3, 503), (5, 302)])
def test_a_slow_provider_is_given_up(described, settings, timeout, status):
    """The second is the control: it is the time-out that gives it up."""
    settings.SOCIALACCOUNT_REQUESTS_TIMEOUT, described.delay = timeout, 1.2
    began = time.monotonic()
    assert visit() == status
    assert (time.monotonic() - began < 1.2) == (status == 503)


def test_of_many_visitors_of_a_slow_provider_one_waits_until_it_is_given_up(described, settings, monkeypatch):
    settings.SOCIALACCOUNT_REQUESTS_TIMEOUT, described.delay = 1.5, 3
    monkeypatch.setattr(discovery, "PATIENCE", 0.2)
    waited = sorted(at_once(*[lambda: seconds_of(described)] * 6))
    assert described.asked == 1
    assert [outcome for _, outcome in waited] == ["Silent"] * 5 + ["ReadTimeout"]
    assert max(seconds for seconds, _ in waited[:5]) < 1.2 and waited[5][0] >= 1.5


def test_else_all_of_them_would(described, settings, monkeypatch):
    settings.SOCIALACCOUNT_REQUESTS_TIMEOUT, described.delay = 1.5, 3
    monkeypatch.setattr(discovery, "_awaited", lambda key: None)
    waited = at_once(*[lambda: seconds_of(described)] * 6)
    assert described.asked == 6 and min(seconds for seconds, _ in waited) >= 1.5


def test_a_failure_is_remembered_for_a_few_seconds_and_no_longer(described, monkeypatch):
    assert discovery.FAILURE_KEPT <= 5
    monkeypatch.setattr(discovery, "FAILURE_KEPT", 0.3)
    described.status = 500
    assert [visit() for _ in range(3)] == [503] * 3 and described.asked == 1
    described.status = 200
    time.sleep(0.35)
    assert visit() == 302 and described.asked == 2


@pytest.mark.parametrize("said", [{}, {"issuer": "x"}, [], "no description"])
def test_what_is_no_description_is_not_kept(described, said):
    whole, described.said = described.said, said
    assert visit() == 503
    described.said = whole
    cache.clear()
    assert visit() == 302


def test_without_the_cache_everybody_asks_and_comes_in(described, monkeypatch, caplog):
    class Broken:
        def __getattr__(self, name: str) -> object:
            raise ConnectionError

    monkeypatch.setattr(discovery, "cache", Broken())
    assert [visit(), visit()] == [302, 302] and described.asked == 2
    assert "The cache does not answer" in caplog.text
