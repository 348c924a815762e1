"""One process: web, worker and beat over a broker in memory."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

import pytest
from django.db import connection

from config import embedded
from helpline import contacts
from helpline.entries import read_entry
from reports import rebuilding, rollups, tasks


def log_one() -> None:
    entry = read_entry(date(2026, 3, 2), {"channel": ["telefon"], "result": ["relevant"]})
    contacts.log_contact(
        by=None, key=uuid.uuid4(), entry=entry, now=datetime(2026, 3, 2, tzinfo=UTC), today=date(2026, 3, 2)
    )


@contextmanager
def working(*queues: str) -> Iterator[None]:
    workers = [embedded.make_worker(queue) for queue in queues]
    threads = [threading.Thread(target=worker.start, daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()


def wait_until(is_so: Callable[[], bool], seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while not is_so() and time.monotonic() < until:
        time.sleep(0.05)
    return is_so()


@pytest.mark.django_db(transaction=True)
def test_the_embedded_worker_hears_a_doorbell_and_counts():
    log_one()
    with working("live"):
        tasks.sweep.delay()
        assert wait_until(lambda: not rollups.marked_days())
    assert rollups.wrong_days() == []
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_long_batch_task_does_not_delay_the_live_counts(monkeypatch):
    log_one()
    began, may_end = threading.Event(), threading.Event()

    def very_long(*, seconds: float) -> int:
        began.set()
        may_end.wait(30)
        return 0

    monkeypatch.setattr(rebuilding, "work", very_long)
    with working(*embedded.WORKER_THREADS):
        for _ in range(3):
            tasks.rebuild.delay()
        assert began.wait(20)
        tasks.sweep.delay()
        counted = wait_until(lambda: not rollups.marked_days())
        is_running = not may_end.is_set()
        may_end.set()
    assert counted and is_running
    assert rollups.wrong_days() == []
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_the_batch_worker_leaves_the_live_queue_alone(monkeypatch):
    """The control: without a worker of its own, the sweep waits for ever behind what is long."""
    log_one()
    with working("batch"):
        tasks.sweep.delay()
        assert not wait_until(lambda: not rollups.marked_days(), seconds=2)
    with working("live"):
        assert wait_until(lambda: not rollups.marked_days())
    connection.close()


def test_a_folder_serves_one_process_at_a_time(tmp_path):
    with embedded.only_one(tmp_path), pytest.raises(embedded.AlreadyRunning), embedded.only_one(tmp_path):
        pass
    with embedded.only_one(tmp_path):
        pass


def test_a_taken_port_is_refused_before_anything_runs(unused_port_taken):
    host, port = unused_port_taken
    with pytest.raises(embedded.PortTaken):
        embedded.serve(host, port, "unused", up=pytest.fail, beside=pytest.fail)


@pytest.fixture
def unused_port_taken():
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()
