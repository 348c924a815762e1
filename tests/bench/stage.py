"""Owns what the measures play on: a small and a big database, the people who are logged in, and the days they share."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.management import call_command
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from helpline.models import User
from reports import rebuilding
from reports.periods import Period, containing
from tests.bench import cluster, made, truth
from tests.bench.limits import BrokenMeasure
from tests.testservices import Server

EMPTY, SMALL, BIG = "empty", "small", "big"
BOTH = (SMALL, BIG)
HANDLERS = 8


class Clock:
    """How long a block took, in seconds."""

    def __enter__(self) -> "Clock":
        self.began = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self.began


@dataclass(frozen=True)
class Scope:
    """How many contacts the two databases have, how long and how often a measure runs."""

    name: str
    big: int
    small: int
    seconds: float = 4
    rounds: int = 3
    days: int = made.DAYS
    turns: int = 9  # short rounds of saves, since the machine's other work comes and goes within seconds
    probe_months: int = 9  # same contacts in both databases: eight to freeze, and one of which a day is recounted
    is_gate: bool = False  # what is asked for by `.ci/run`

    def __str__(self) -> str:
        return f"{self.big} : {self.small}"


SCOPES = {
    scope.name: scope
    for scope in (
        Scope("smoke", 2_000, 200, seconds=0.5, rounds=1, days=200, turns=1),
        Scope("ci", 200_000, 2_000, probe_months=17, is_gate=True),  # eight more, to look once more
        Scope("default", 1_000_000, 10_000),
        Scope("full", 10_000_000, 10_000),
    )
}


@dataclass(frozen=True)
class Person:
    """Somebody who is logged in: the cookie, and the token that a form carries."""

    role: str
    session: str
    token: str


class Stage:
    """The databases of one run. `on` says which of them the product sees."""

    def __init__(self, server: Server, scope: Scope, say: Callable[[str], None]) -> None:
        self.server, self.scope, self.say = server, scope, say
        self.today = timezone.localdate()
        self.handlers: list[Person] = []
        self.connections: dict[str, BaseDatabaseWrapper] = {}

    def url(self, database: str) -> str:
        return cluster.address(self.server, database)

    @contextmanager
    def on(self, database: str) -> Iterator[None]:
        """Within the block the product's default connection is one to this database, the same each time."""
        before = connections["default"]
        if database not in self.connections:
            made_now = connections.create_connection("default")
            made_now.settings_dict = made_now.settings_dict | {"NAME": database}  # the old one is that of the settings
            self.connections[database] = made_now
        connections["default"] = self.connections[database]
        try:
            yield
        finally:
            connections["default"] = before

    def close(self) -> None:
        """A database that a connection is open to cannot be copied."""
        for wrapper in self.connections.values():
            wrapper.close()
        self.connections.clear()

    # --- setting it --------------------------------------------------------------------------------------------------

    def set(self) -> None:
        """Make both databases, fill them, count them, and let people log in."""
        cluster.create(self.server, EMPTY)
        with self.on(EMPTY):
            call_command("migrate", verbosity=0)
            self._let_in()
        self.close()
        for database in BOTH:
            cluster.create(self.server, database, like=EMPTY)
        for database, contacts in ((SMALL, self.scope.small), (BIG, self.scope.big)):
            with self.on(database):
                self._fill(database, contacts)

    def _fill(self, database: str, contacts: int) -> None:
        began = time.monotonic()
        made.make(self._probe(), first=made.OF_THE_PROBE)
        made.make(made.days_of(contacts - self.scope.probe_months * self.of_a_probe_month, self.today, self.scope.days))
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE helpline_contact")
            cursor.execute("VACUUM ANALYZE helpline_referral")
            cursor.execute("SELECT count(*) FROM helpline_contact")
            if cursor.fetchone()[0] != contacts:
                raise BrokenMeasure("the database does not hold the contacts that it should")
        loaded = time.monotonic()
        rebuilding.rebuild()
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE reports_daycount")
            cursor.execute("VACUUM ANALYZE reports_monthcount")
        truth.check_counts()
        counted = time.monotonic()
        self.say(f"{database}: {contacts} contacts made in {loaded - began:.0f} s, counted in {counted - loaded:.0f} s")

    # --- what both databases share -----------------------------------------------------------------------------------

    @property
    def of_a_probe_month(self) -> int:
        return self.scope.small // 30

    def probe_months(self) -> Sequence[Period]:
        """The months before the first of the others, hence those that are frozen first."""
        month = containing("month", self.today - timedelta(days=self.scope.days)).previous()
        months = [month]
        while len(months) < self.scope.probe_months:
            months.append(months[-1].previous())
        return months[::-1]

    def _probe(self) -> list[tuple[date, int]]:
        """The contacts of a month lie on its first ten days, so that a day has some."""
        n = self.of_a_probe_month
        return [
            (month.start + timedelta(days=day), n * (day + 1) // 10 - n * day // 10)
            for month in self.probe_months()
            for day in range(10)
        ]

    @property
    def quarter(self) -> Period:
        """The last quarter that is over: whole months of clean days."""
        return containing("quarter", self.today).previous()

    @property
    def week(self) -> Period:
        return containing("week", self.quarter.start + timedelta(days=40))

    # --- who is logged in --------------------------------------------------------------------------------------------

    def _let_in(self) -> None:
        self.handlers = [_logged_in(f"handler{n}", "handler") for n in range(HANDLERS)]
        self.coordinator = _logged_in("coordinator", "coordinator")


def _logged_in(name: str, role: str) -> Person:
    """What a log-in with a second factor leaves behind."""
    user = User.objects.create_user(name, None, role=role)
    now, token = int(time.time()), secrets.token_hex(16)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session["began"] = session["seen"] = now
    session["account_authentication_methods"] = [{"method": "mfa", "type": "totp", "at": now}]
    session["account_authentication_methods_user"] = str(user.pk)
    session["_csrftoken"] = token
    session.create()
    return Person(role, session.session_key, token)
