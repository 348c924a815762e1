"""Owns the embedded host: web server, Celery worker and beat as threads of one process, the broker in its memory."""

import fcntl
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from celery.beat import EmbeddedService
from celery.worker import WorkController
from django.core.wsgi import get_wsgi_application
from waitress.server import create_server

from config.celery import app

WEB_THREADS, WORKER_THREADS, STOP_SECONDS = 8, 2, 10


class AlreadyRunning(Exception):
    """Another embedded host has this folder."""


class PortTaken(Exception):
    """The port cannot be opened."""


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the kernel lets go of it however the process ends. Raises AlreadyRunning."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "serve.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlreadyRunning from None
        yield


def once_per_state(sources: Iterable[Path], made: Path, make: Callable[[], object]) -> None:
    """Call `make` unless it made `made` from these very files before; compressing them takes seconds."""
    files = sorted(path for source in sources for path in source.rglob("*") if path.is_file())
    state = "".join(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}\n" for path in files)
    stamp = made / ".state"
    if not stamp.exists() or stamp.read_text() != state:
        make()
        stamp.write_text(state)


def serve(
    host: str, port: int, beat_schedule: str, *, up: Callable[[], None], beside: Callable[[threading.Event], None]
) -> None:
    """Serve until SIGINT or SIGTERM, then stop cleanly. Raises PortTaken.

    `up` is called when the port is open; `beside` runs in a thread of its own and should end when its event is set.
    """
    try:
        opened = socket.create_server((host, port))
    except OSError:
        raise PortTaken from None
    server = create_server(get_wsgi_application(), sockets=[opened], threads=WEB_THREADS, ident=None)
    stopping = threading.Event()
    worker = make_worker()
    beat = EmbeddedService(app, thread=True, schedule_filename=beat_schedule)
    threads: list[Any] = [
        threading.Thread(target=worker.start, name="worker", daemon=True),
        threading.Thread(target=beside, args=(stopping,), name="beside", daemon=True),
        beat,
    ]
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        for thread in threads:
            thread.start()
        up()
        server.run()
    except KeyboardInterrupt:
        pass
    finally:
        stopping.set()
        server.close()
        beat.stop()
        worker.stop()
        for thread in threads[:2]:
            thread.join(STOP_SECONDS)


def make_worker() -> WorkController:
    """A worker whose `start` blocks and whose `stop` lets the running tasks finish."""
    return app.WorkController(
        pool="threads",
        concurrency=WORKER_THREADS,
        hostname="embedded@localhost",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
