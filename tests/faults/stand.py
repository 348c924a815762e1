"""Web, worker and beat on PostgreSQL and Redis behind lines that go bad, and the way of every test through a fault."""

import random
import signal
import subprocess
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from redis import Redis

from tests import testservices
from tests.faults import accounts, invariants, programs
from tests.faults.handlers import AGENT, Handler, Traffic
from tests.faults.invariants import Found
from tests.faults.programs import PATIENCE, Program, Supervisor, until
from tests.faults.proxy import PASS, Proxy
from tests.faults.scope import Figures, Scope

HANDLERS = 4
DURABLE = (
    "max_connections=60",
    "log_error_verbosity=terse",
)  # and the rest as PostgreSQL has it: it waits for the disk
SECRET_KEY = "only-for-tests-" + "0123456789abcdef" * 4
TABLES = ("helpline_referral", "helpline_earlier", "helpline_contact")
FEW_KEYS = 50  # of those sent, looked for in every log


class House(ABC):
    """What is common to both profiles: programs, their database and their handlers."""

    folder: Path
    address: str
    handlers: list[Handler]
    is_sqlite = False

    @abstractmethod
    def connect(self) -> Any:
        """A connection of its own to the database, on which one snapshot can be read."""

    @abstractmethod
    def mend(self) -> None:
        """Bring everything up again that a test left down."""

    @abstractmethod
    def logs(self) -> list[Path]: ...

    def log_in(self) -> None:
        self.handlers = [Handler(self.address, number) for number in range(HANDLERS)]
        for handler in self.handlers:
            handler.log_in()

    def marks(self) -> int:
        with self.connect() as database:
            return invariants.marks(database.cursor())

    def empty(self) -> None:
        """Remove all contacts, and let the counts follow."""
        with self.connect() as database:
            cursor = database.cursor()
            cursor.execute("INSERT INTO helpline_daymark (day) SELECT DISTINCT day FROM helpline_contact")
            for table in TABLES:
                cursor.execute(f"DELETE FROM {table}")  # noqa: S608
            database.commit()


class Stand(House):
    """PostgreSQL, Redis, web, worker and beat; web reaches the database, and the worker the broker, through proxies."""

    def __init__(self, folder: Path, beat_seconds: float, closing: ExitStack) -> None:
        self.folder = folder
        self.postgres = testservices.start_postgres(settings=DURABLE)
        closing.callback(lambda: self.postgres.stop())  # the one that runs then
        self.redis = testservices.start_redis()
        closing.callback(lambda: self.redis.stop())
        self.to_postgres, self.to_redis = Proxy(_target(self.postgres.url)), Proxy(_target(self.redis.url))
        closing.callback(self.to_postgres.close)
        closing.callback(self.to_redis.close)
        self.port = programs.free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.env = programs.environment(
            SECRET_KEY=SECRET_KEY,
            SECURE_COOKIES="false",
            FAULTS_BEAT_SECONDS=str(beat_seconds),
            DATABASE_URL=self.postgres.url,
            CELERY_BROKER_URL=f"redis://127.0.0.1:{self.to_redis.port}/0",
        )
        by_hand(programs.python("-m", "tests.faults.accounts", str(HANDLERS)), self.env)
        through = self.env | {"DATABASE_URL": f"postgres://postgres@127.0.0.1:{self.to_postgres.port}/postgres"}
        self.web = Program("web", programs.web(self.port), through, folder)
        closing.callback(self.web.kill)
        self.worker = Program("worker", programs.worker(), self.env, folder)
        closing.callback(self.worker.kill)
        self.beat = self.another_beat()
        closing.callback(self.beat.kill)
        self.supervisor = Supervisor([self.web, self.worker, self.beat])
        closing.callback(self.supervisor.close)
        until(lambda: programs.is_open(self.port), says=self.web.said)
        self.log_in()

    def another_beat(self) -> Program:
        schedule = self.folder / f"schedule-{random.randrange(10**9)}"  # noqa: S311 (no secret)
        return Program("beat", programs.beat(schedule), self.env, self.folder)

    def connect(self) -> psycopg.Connection:
        database = psycopg.connect(self.postgres.url, connect_timeout=5)
        database.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return database

    def broker(self) -> Redis:
        """A connection of the test's own, past the proxy."""
        return Redis.from_url(self.redis.url, socket_timeout=5)

    def restart_postgres(self, number: signal.Signals) -> None:
        self.postgres = self.postgres.restarted(number)

    def restart_redis(self, number: signal.Signals) -> None:
        self.redis = self.redis.restarted(number)

    def mend(self) -> None:
        self.to_postgres.mode = self.to_redis.mode = PASS
        for program in (self.web, self.worker, self.beat):
            if not program.is_running:
                program.start()
        until(lambda: programs.is_open(self.port), says=self.web.said)

    def logs(self) -> list[Path]:
        of_servers = [log for server in (self.postgres, self.redis) for log in server.folder.glob("*.log")]
        return [*of_servers, *self.folder.glob("*.log")]


def by_hand(command: list[str], env: dict[str, str], cwd: Path = programs.ROOT) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _target(url: str) -> tuple[str, int]:
    address = urlsplit(url)
    return str(address.hostname), int(address.port or 0)


class Scene:
    """One test on a stand: contacts come in, faults happen, and at the end everything is looked at."""

    def __init__(self, house: Any, scope: Scope, figures: Figures) -> None:
        self.house, self.scope, self.figures = house, scope, figures
        house.mend()
        house.empty()
        until(lambda: house.marks() == 0)
        self.traffic = Traffic(house.handlers, rate=1)
        self.wrong_meanwhile: list[str] = []
        self.chance = random.Random(1)  # noqa: S311 (no secret)

    @contextmanager
    def saves(self, rate: float = 10) -> Iterator[Traffic]:
        """Handlers save in the block; what they began is acknowledged, and everything counted, after it.

        All the while the counts of days without a mark are looked at, which must hold at every moment.
        """
        self.traffic = Traffic(self.house.handlers, rate=rate)
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(over,), daemon=True)
        watcher.start()
        self.traffic.begin()
        try:
            yield self.traffic
            self.house.mend()
            self.traffic.end()
        finally:
            self.traffic.stopping.set()
            over.set()
            watcher.join(10)
        self.settle()

    def _watch(self, over: threading.Event) -> None:
        while not over.wait(0.3):
            with suppress(psycopg.OperationalError), self.house.connect() as database:
                found = invariants.look(database.cursor())
                self.wrong_meanwhile += [*found.wrong_days, *found.wrong_months, *found.broken_seals]

    def settle(self) -> None:
        """Wait until no day is marked, and find nothing wrong."""
        self.figures.converged = max(self.figures.converged, self._count_out())
        found = self.look()
        self.figures.sent, self.figures.acknowledged = len(self.traffic.sent), len(self.traffic.acknowledged)
        self.figures.lost += len(found.lost)
        self.figures.duplicates += len(found.duplicates)
        self.figures.wrong += len(found.wrong_days) + len(found.wrong_months) + len(self.wrong_meanwhile)
        assert (found, self.wrong_meanwhile) == (Found(), [])

    def _count_out(self) -> float:
        return until(lambda: self.house.marks() == 0, self.scope.within, says=lambda: "days are still marked")

    def look(self) -> Found:
        with self.house.connect() as database:
            cursor = database.cursor()
            found = invariants.look(cursor)
            invariants.contacts(cursor, self.traffic.sent, self.traffic.acknowledged, found)
            if self.house.is_sqlite:
                found.integrity = invariants.integrity(cursor)
        keys = list(self.traffic.sent)[-FEW_KEYS:]
        spelled = [text for key in keys for text in (str(key), key.hex)]
        found.leaks = invariants.leaks(
            self.house.logs(), [AGENT, "203.0.113.77", accounts.PASSWORD, accounts.SECRET, *spelled]
        )
        found.unfinished = [str(key) for key in self.traffic.sent.keys() - self.traffic.acknowledged]
        return found

    def leave(self) -> None:
        self.traffic.stopping.set()
        self.house.mend()
