"""One process: web, worker and beat over a broker in memory."""

import threading
import time
import uuid
from datetime import UTC, date, datetime

import pytest
from django.db import connection

from config import embedded
from helpline import contacts
from helpline.entries import read_entry
from reports import rollups, tasks


@pytest.mark.django_db(transaction=True)
def test_the_embedded_worker_hears_a_doorbell_and_counts():
    entry = read_entry(date(2026, 3, 2), {"channel": ["telefon"], "result": ["relevant"]})
    contacts.log_contact(
        by=None, key=uuid.uuid4(), entry=entry, now=datetime(2026, 3, 2, tzinfo=UTC), today=date(2026, 3, 2)
    )
    worker = embedded.make_worker()
    thread = threading.Thread(target=worker.start, daemon=True)
    thread.start()
    try:
        tasks.sweep.delay()
        until = time.monotonic() + 20
        while rollups.marked_days() and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        worker.stop()
        thread.join(10)
    assert rollups.marked_days() == set()
    assert rollups.wrong_days() == []
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
