"""PostgreSQL restarted, connections and commits cut: what was acknowledged is there, once."""

import signal
import time
from uuid import uuid4

import psycopg
import pytest

from tests.faults.handlers import answers_of, as_sent
from tests.faults.programs import until
from tests.faults.proxy import CUT_AFTER_COMMIT, CUT_BEFORE_COMMIT, PASS

FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT
LONGEST = 1200  # seconds until so many commits were cut
RECOVERS = 5.0  # seconds after which saves are acknowledged again


@pytest.mark.parametrize("how", [FAST, IMMEDIATE], ids=["fast", "immediate"])
def test_a_restart_under_saves(stand, how):
    with stand.saves(rate=20) as traffic:
        for _ in range(stand.scope["postgres restarted"]):
            traffic.saved(5)
            stand.house.restart_postgres(how)
            stand.figures.faults += 1
            began = time.monotonic()
            traffic.saved(1)
            assert time.monotonic() - began < RECOVERS
    assert set(traffic.statuses) <= {0, 201, 503}


def test_connections_terminated_every_tenth_of_a_second(stand):
    with stand.saves(rate=20) as traffic, psycopg.connect(stand.house.postgres.url, autocommit=True) as one:
        for _ in range(stand.scope["connections cut"]):
            one.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
            stand.figures.faults += 1
            time.sleep(0.1)
    assert set(traffic.statuses) <= {0, 201, 503}


def test_one_commit_in_ten_fails(stand):
    proxy = stand.house.to_postgres
    with stand.saves(rate=20) as traffic:
        proxy.cuts, proxy.share, proxy.mode = 0, 0.1, CUT_BEFORE_COMMIT
        until(lambda: proxy.cuts >= stand.scope["commits failed"], LONGEST, says=lambda: str(traffic.statuses))
        proxy.mode = PASS
    stand.figures.faults = proxy.cuts
    assert traffic.statuses[503] >= 1 and set(traffic.statuses) <= {201, 503}


def test_a_commit_whose_answer_is_lost_is_stored_once(stand):
    """Nobody knows whether the contact is stored; the same key again makes it one row in either case."""
    proxy = stand.house.to_postgres
    with stand.saves(rate=20) as traffic:
        proxy.cuts, proxy.share, proxy.mode = 0, 0.3, CUT_AFTER_COMMIT
        until(lambda: proxy.cuts >= stand.scope["commits ambiguous"], LONGEST, says=lambda: str(traffic.statuses))
        proxy.mode = PASS
    stand.figures.faults = proxy.cuts
    assert traffic.statuses[503] >= 1 and set(traffic.statuses) <= {201, 503}


def test_a_cut_after_the_commit_did_store_and_one_before_did_not(stand):
    """The two faults above are what they say."""
    proxy, handler = stand.house.to_postgres, stand.house.handlers[0]
    stored = []
    for mode in (CUT_BEFORE_COMMIT, CUT_AFTER_COMMIT):
        key, answers = uuid4(), answers_of(stand.chance, 1)
        stand.traffic.sent[key] = as_sent(answers)
        proxy.share, proxy.mode = 1.0, mode
        assert handler.save(answers | {"key": str(key)}) == 503
        proxy.mode = PASS
        with stand.house.connect() as database:
            row = database.execute("SELECT count(*) FROM helpline_contact WHERE submission_key = %s", [key]).fetchone()
            stored.append(row[0])
        assert handler.save(answers | {"key": str(key)}) == 201
        stand.traffic.acknowledged.add(key)
    stand.settle()
    assert stored == [0, 1]
