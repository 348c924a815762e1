"""Programs killed by `kill -9` while handlers save: nothing acknowledged is lost, nothing counted wrong."""

import os
import signal
import time

import pytest

from reports.rounds import ROUNDS
from tests.faults.programs import kill_child, until


def test_web_processes_killed_under_saves(stand):
    with stand.saves(rate=20) as traffic:
        for number in range(stand.scope["web killed"]):
            traffic.saved(1)
            kill_child(stand.house.web, number)
            stand.figures.faults += 1
    assert traffic.statuses[0] > 0, "no kill hit a save"


def test_a_workers_child_killed_while_it_counts(stand):
    with stand.saves() as traffic:
        for number in range(stand.scope["worker's child killed"]):
            traffic.saved(1)
            kill_child(stand.house.worker, number)
            stand.figures.faults += 1


def test_a_whole_worker_killed(stand):
    worker = stand.house.worker
    with stand.saves() as traffic:
        for _ in range(stand.scope["whole worker killed"]):
            traffic.saved(3)
            worker.kill()
            stand.figures.faults += 1
            worker.start()
            until(worker.children, says=worker.said)
            time.sleep(0.5)  # at its first sweep, or near


def test_a_program_that_ends_by_itself_is_started_anew(stand):
    """As whoever runs it must see to: a worker that loses Redis at a bad moment ends itself (kombu has no answer)."""
    before = stand.house.supervisor.restarts
    with stand.saves() as traffic:
        os.kill(stand.house.worker.pid, signal.SIGKILL)
        stand.figures.faults += 1
        until(lambda: stand.house.supervisor.restarts > before)
        traffic.saved(3)


def test_beat_killed(stand):
    beat = stand.house.beat
    with stand.saves() as traffic:
        for _ in range(stand.scope["beat killed"]):
            traffic.saved(3)
            beat.kill()
            stand.figures.faults += 1
            traffic.saved(3)
            beat.start()


def test_with_the_beat_of_production_all_is_counted_in_time(stand):
    """Only at night, since it waits for a minute; the other tests ring each second."""
    if not stand.scope["waits for production's beat"]:
        pytest.skip("a nightly run waits for production's beat")
    beat = stand.house.beat
    quick = beat.env["FAULTS_BEAT_SECONDS"]
    beat.kill()
    beat.env["FAULTS_BEAT_SECONDS"] = str(ROUNDS["sweep"].seconds)
    try:
        for _ in range(stand.scope["waits for production's beat"]):
            with stand.saves() as traffic:
                traffic.saved(3)
                stand.house.worker.kill()
                stand.figures.faults += 1
                traffic.saved(10)
    finally:
        beat.kill()
        beat.env["FAULTS_BEAT_SECONDS"] = quick


def test_two_and_three_beats_at_once_do_no_harm(stand):
    more = []
    try:
        with stand.saves() as traffic:
            for _ in range(stand.scope["beats at once"] - 1):
                more.append(stand.house.another_beat())
                stand.figures.faults += 1
            traffic.saved(20)
        assert all(beat.is_running for beat in more)
    finally:
        for beat in more:
            beat.kill()


def test_a_contact_counts_at_once_while_no_beat_and_no_worker_run(stand):
    """The marks wait, and clean days stay right; the overview counts marked days itself (tests/reports/test_live)."""
    stand.house.beat.kill()
    stand.house.worker.kill()
    stand.figures.faults += 2
    with stand.saves() as traffic:
        traffic.saved(10)
        assert stand.house.marks() > 0


def test_the_embedded_host_killed_under_saves(host):
    with host.saves(rate=20) as traffic:
        for _ in range(host.scope["embedded host killed"]):
            traffic.saved(5)
            host.house.host.kill()
            host.figures.faults += 1
            host.house.mend()
    assert traffic.statuses[0] > 0, "no kill hit a save"


def test_the_embedded_host_asked_to_stop_under_saves(host):
    with host.saves(rate=20) as traffic:
        traffic.saved(5)
        os.kill(host.house.host.pid, signal.SIGTERM)
        host.figures.faults += 1
        until(lambda: not host.house.host.is_running)
