"""The limit that /config promises is kept: for each account, with the seconds to wait, and not for /config itself."""

import pytest
from django.core.cache import caches
from django.test import Client
from redis.exceptions import ConnectionError

from reports.api import throttling
from reports.api.throttling import CALLS, SECONDS, CallsOfAccount
from tests.granted import token_of
from tests.reports.api.conftest import BASE


def client_of(user) -> Client:
    return Client(headers={"Authorization": f"Bearer {token_of(user)}"})


WHERE = f"{BASE}/tables/total-month"


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The time that the limit goes by, in seconds."""
    now = [1000.0]
    monkeypatch.setattr(CallsOfAccount, "timer", lambda self: now[0])
    return now


@pytest.fixture
def no_tolerance(monkeypatch) -> None:
    monkeypatch.setattr(throttling, "TOLERATED", 1)


def test_a_program_that_runs_wild_is_told_how_long_to_wait(staff, clock, no_tolerance):
    client = client_of(staff["evaluator"])
    assert {client.get(WHERE).status_code for _ in range(CALLS)} == {200}
    clock[0] += 2.5
    response = client.get(WHERE)
    assert response.status_code == 429 and response["Content-Type"] == "application/problem+json"
    assert response.json()["title"] == "Too Many Requests" and response["Retry-After"] == "8"
    assert client.get(f"{BASE}/config").status_code == 200
    clock[0] += int(response["Retry-After"])
    assert client.get(WHERE).status_code == 200


def test_another_token_of_the_account_does_not_help_and_another_account_is_not_hurt(staff, clock, no_tolerance):
    for _ in range(CALLS):
        client_of(staff["evaluator"]).get(WHERE)
    assert client_of(staff["evaluator"]).get(WHERE).status_code == 429
    assert client_of(staff["coordinator"]).get(WHERE).status_code == 200


def test_a_client_that_keeps_to_the_limit_is_never_refused_whatever_its_cache_sends_beside(staff, clock):
    """pxwebpy counts two calls for a table that it sends three for, and more when it is asked the same again."""
    client = client_of(staff["evaluator"])
    for _window in range(3):
        for _call in range(CALLS):
            assert {client.get(WHERE).status_code for _again in range(3)} == {200}
        clock[0] += SECONDS - 0.5


def test_what_config_says_is_what_clients_are_held_to(staff, clock):
    config = client_of(staff["evaluator"]).get(f"{BASE}/config").json()
    assert (config["maxCallsPerTimeWindow"], config["timeWindow"]) == (CALLS, SECONDS)
    assert CallsOfAccount().num_requests >= CALLS and CallsOfAccount().duration <= SECONDS


def test_calls_that_are_refused_for_another_reason_are_not_counted(staff, clock, no_tolerance):
    for _ in range(CALLS + 5):
        assert Client().get(WHERE).status_code == 401
        assert client_of(staff["handler"]).get(WHERE).status_code == 403


def test_without_a_cache_the_statistics_are_read_all_the_same(staff, settings, caplog):
    client = client_of(staff["evaluator"])
    redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
    settings.CACHES = {"default": redis}
    with pytest.raises(ConnectionError):
        caches["default"].get("x")
    assert client.get(WHERE).status_code == 200
    assert "The cache does not answer" in caplog.text
