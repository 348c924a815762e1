"""What takes long is done by one worker at a time, and the others do something else."""

import threading

import pytest
from django.db import connection

from helpline import openings, traffic
from reports import claims, freeze, rollups
from reports.claims import PREPARING, claim
from tests.at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def is_free(which: int) -> bool:
    """Whether another worker gets the claim."""

    def ask() -> bool:
        with claim(PREPARING, which) as is_mine:
            return is_mine

    return bool(at_once(ask)[0])


def test_nobody_else_gets_what_is_claimed_until_it_is_let_go():
    shares = connection.vendor == "postgresql"  # SQLite has one batch worker, and gives every claim
    with claim(PREPARING, 7) as is_mine:
        assert is_mine
        assert is_free(7) != shares
        assert is_free(8)
    assert is_free(7)


def test_a_claim_ends_with_what_fails_in_it():
    with pytest.raises(ValueError), claim(PREPARING, 7):
        raise ValueError
    assert is_free(7)


def test_a_claim_ends_with_the_connection_of_a_worker_that_is_lost():
    def vanish() -> None:
        held = claim(PREPARING, 7)
        held.__enter__()
        connection.close()  # as the kernel does for a process that was killed

    thread = threading.Thread(target=vanish)
    thread.start()
    thread.join()
    assert is_free(7)


def test_no_two_locks_of_the_database_share_their_first_key():
    """A freeze that is claimed would else hold up whoever loads calls, for as long as it takes."""
    locks = [rollups.DAY_LOCK, rollups.MONTH_LOCK, freeze.FREEZE_LOCK, traffic.TRAFFIC_LOCK, openings.OPENING_LOCK]
    locks += [claims.FREEZING, claims.PREPARING, claims.VERIFYING]
    assert len(set(locks)) == len(locks)
