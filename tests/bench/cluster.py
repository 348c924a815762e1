"""Owns the database cluster of a run: a PostgreSQL that keeps every commit, and the databases in it."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.testservices import QUICK, NoServer, Server, start_postgres

BYTES_A_CONTACT = 1_300  # with indexes, referrals, and the write-ahead log of loading
SPARE = 2 << 30
MEMORY_SHARE, MOST_MEMORY = 6, 4 << 30


def settings() -> list[str]:
    """Durable as in production, and as much memory as the machine has to spare."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    megabytes = min(memory // MEMORY_SHARE, MOST_MEMORY) >> 20
    return [
        *("fsync=on", "synchronous_commit=on", "full_page_writes=on"),
        *(f"shared_buffers={megabytes}MB", "work_mem=64MB", "maintenance_work_mem=256MB", "jit=off"),
        *("max_wal_size=8GB", "checkpoint_timeout=15min", "random_page_cost=1.1", "max_connections=60"),
    ]


def refuse_too_small_a_disk(contacts: int) -> None:
    """Raises NoServer where the folder of temporary files has no room for so many contacts."""
    needed = contacts * BYTES_A_CONTACT + SPARE
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < needed:
        raise NoServer(
            f"{contacts} contacts need about {needed / 1e9:.0f} GB in {tempfile.gettempdir()}, where"
            f" {free / 1e9:.0f} GB are free: make room, name another folder with TMPDIR, or take a smaller --scope."
        )


@contextmanager
def running(contacts: int, *, lasts: bool = True) -> Iterator[Server]:
    """The cluster, gone with its folder at the end; one that does not last keeps no commit. Raises NoServer."""
    refuse_too_small_a_disk(contacts)
    server = start_postgres(settings=[*settings(), *(() if lasts else QUICK)])
    try:
        yield server
    finally:
        server.process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
        server.stop()


def address(server: Server, database: str) -> str:
    return server.url.rsplit("/", 1)[0] + f"/{database}"


def create(server: Server, database: str, like: str = "template1") -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{like}"')
