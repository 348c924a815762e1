"""Owns the embedded host: web server, Celery workers and beat as threads of one process, the broker in its memory."""

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

from config.celery import Rings, app, make_app
from reports.rounds import BATCH, LIVE

WEB_THREADS, STOP_SECONDS = 8, 10
WORKER_THREADS = {LIVE: 2, BATCH: 1}
ALONE = dict.fromkeys(("without_gossip", "without_mingle", "without_heartbeat", "quiet"), True)  # nobody else is there
MOST_BODY = 32 * 2**20  # three times a file, so that most that are too large are answered by a page


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
    # What is sent stays in memory: beyond a limit the server would write it, in clear, into a file of its own.
    size = {"inbuf_overflow": MOST_BODY, "max_request_body_size": MOST_BODY}
    server = create_server(get_wsgi_application(), sockets=[opened], threads=WEB_THREADS, ident=None, **size)
    stopping = threading.Event()
    workers = [make_worker(queue) for queue in WORKER_THREADS]
    beat = EmbeddedService(app, thread=True, schedule_filename=beat_schedule, scheduler_cls=Rings)
    threads: list[Any] = [
        *(threading.Thread(target=worker.start, name="worker", daemon=True) for worker in workers),
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
        for worker in workers:
            worker.stop()
        for thread in threads[:-1]:
            thread.join(STOP_SECONDS)


def make_worker(queue: str) -> WorkController:
    """A worker of one queue whose `start` blocks and whose `stop` lets the running tasks finish."""
    # An app of its own: which queues a worker listens to is kept by the app.
    return make_app(set_as_current=False).WorkController(
        pool="threads",
        concurrency=WORKER_THREADS[queue],
        queues=[queue],
        hostname=f"{queue}@localhost",
        **ALONE,
    )


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
