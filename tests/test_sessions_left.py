"""The wait before the test database is removed: it notices whoever still talks to it, and no one else."""

import threading
import time

import pytest
from django.db import connection

from tests.sessions_left import end_sessions, sessions_left

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "held by a test"


@pytest.fixture
def held():
    """A second session on the test database."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no sessions")
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute(f"SET application_name = '{NAME}'")
    yield other
    other.close()


def is_left(seconds: float) -> bool:
    return any(said.startswith(NAME) for said in sessions_left(seconds=seconds))


def test_a_session_that_is_held_open_is_noticed_and_named_without_its_statement(held):
    with held.cursor() as cursor:
        cursor.execute("SELECT 'a value'")
    started = time.monotonic()
    left = [said for said in sessions_left(seconds=0.3) if said.startswith(NAME)]
    assert time.monotonic() - started >= 0.3
    assert len(left) == 1 and "idle" in left[0] and "a value" not in left[0]


def test_a_session_that_ends_is_waited_for(held):
    ends = threading.Timer(0.3, held.connection.close)
    ends.start()
    assert is_left(0)
    sessions_left(seconds=20)
    ends.join()
    assert not is_left(0)


def test_a_session_that_does_not_go_can_be_ended(held):
    assert is_left(0)
    end_sessions()
    assert not is_left(0)
