"""What bin/run starts, as a process of its own in a fresh folder: up, used, stopped, started again."""

import http.cookiejar
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CODE = ("config", "helpline", "reports", "templates", "static", "locale", "manage.py")
PASSWORD = "en lång lösenfras"
WAIT = 60


class Served:
    """A running `serve`, its output and its address."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        keep = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        self.environment = keep | {"PORT": str(self.port), "PYTHONUTF8": "1"}
        command = [sys.executable, "manage.py", "serve", *arguments]
        self.output = folder / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(command, cwd=folder, env=self.environment, stdout=output, stderr=output)
        self.folder, self.address = folder, f"http://127.0.0.1:{self.port}"
        self.wait_until(lambda: self.address in self.said() or self.process.poll() is not None)
        assert self.process.poll() is None, self.said()

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        until = time.monotonic() + WAIT
        while not is_so():
            assert time.monotonic() < until, self.said()
            time.sleep(0.1)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(WAIT)

    def manage(self, command: str) -> str:
        """What another command says in the same folder."""
        arguments = [sys.executable, "manage.py", command]
        done = subprocess.run(
            arguments, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=True, timeout=WAIT
        )
        return done.stdout.strip()

    def query(self, sql: str) -> int:
        with sqlite3.connect(self.folder / "var" / "helpline.sqlite3") as database:
            return database.execute(sql).fetchone()[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in CODE:
        source = ROOT / name
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, tmp_path / name, ignore=ignore) if source.is_dir() else shutil.copy(source, tmp_path)
    return tmp_path


@pytest.fixture
def serve(folder: Path) -> Iterator[Callable[..., Served]]:
    started: list[Served] = []

    def start(*arguments: str) -> Served:
        started.append(Served(folder, *arguments))
        return started[-1]

    yield start
    for served in started:
        if served.process.poll() is None:
            served.process.kill()
            served.process.wait()


class Visitor:
    """Just enough of a browser: cookies, forms, redirects."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def get(self, path: str) -> str:
        with self.opener.open(urllib.parse.urljoin(self.address, path), timeout=WAIT) as response:
            return response.read().decode()

    def send(self, path: str, **answers: str) -> str:
        page = self.get(path)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        key = re.search(r'name="key" value="([^"]+)"', page)
        answers |= {"csrfmiddlewaretoken": token[1]} | ({"key": key[1]} if key else {})
        data = urllib.parse.urlencode(answers).encode()
        request = urllib.request.Request(urllib.parse.urljoin(self.address, path), data)  # noqa: S310
        with self.opener.open(request, timeout=WAIT) as response:
            return response.read().decode()


def test_a_demonstration_is_up_at_once_made_behind_the_page_and_goes_on_after_a_stop(serve):
    served = serve()
    assert "handler, handler2, coordinator" in served.said()
    (password,) = re.findall(r"\b[a-z]{4}(?:-[a-z]{4}){3}\b", served.said())
    page = Visitor(served.address).get("/login/")
    assert "påhittade" in page
    (style,) = re.findall(r'href="(/static/made/app\.[0-9a-f]+\.css)"', page)
    assert "focus" in Visitor(served.address).get(style)
    served.wait_until(lambda: served.query("SELECT made FROM helpline_demonstration") >= 50)
    assert served.stop() == 0
    made = served.query("SELECT count(*) FROM helpline_contact")
    assert 0 < made < served.query("SELECT planned FROM helpline_demonstration")

    again = serve()
    assert password not in again.said()
    visitor = Visitor(again.address)
    visitor.send("/login/", login="handler", password=password)
    visitor.send("/contacts/new/", day=time.strftime("%Y-%m-%d"), channel="telefon", result="tyst", length="u5")
    again.wait_until(lambda: again.query("SELECT made FROM helpline_demonstration") > made)
    assert again.query("SELECT count(*) FROM helpline_contact WHERE logged_by_id IS NOT NULL") == 1
    assert again.stop(signal.SIGINT) == 0


def test_an_empty_house_offers_one_link_that_makes_the_first_administrator(serve):
    served = serve("--empty")
    (link,) = re.findall(rf"{served.address}(/setup/\S+)", served.said())
    visitor = Visitor(served.address)
    assert "påhittade" not in visitor.get("/login/")
    visitor.send(link, username="chef", password=PASSWORD, again=PASSWORD)
    assert served.query("SELECT count(*) FROM helpline_user WHERE role = 'administrator'") == 1
    second = served.manage("administrator_link")
    Visitor(served.address).send(second, username="kollega", password=PASSWORD, again=PASSWORD)
    assert served.query("SELECT count(*) FROM helpline_user WHERE role = 'administrator'") == 2
    for used in (link, second):
        with pytest.raises(urllib.error.HTTPError) as dead:
            Visitor(served.address).get(used)
        assert dead.value.code == 404
        dead.value.close()
    assert served.query("SELECT count(*) FROM helpline_contact") == 0
    assert served.stop() == 0


def test_a_second_process_in_the_same_folder_is_refused_with_a_sentence(serve, folder):
    served = serve("--empty")
    second = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=folder,
        env=os.environ | {"PORT": "0", "DATABASE_URL": f"sqlite:///{folder}/var/helpline.sqlite3"},
        capture_output=True,
        text=True,
        timeout=WAIT,
    )
    assert second.returncode == 1
    assert "bin/run" in second.stderr and "Traceback" not in second.stderr
    assert served.stop() == 0


def test_a_broken_code_list_stops_the_start_with_its_file_and_line(folder):
    path = folder / "helpline" / "codelists" / "plan.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('code = "ja"', 'code = "j a"'), encoding="utf-8")
    refused = subprocess.run(
        [sys.executable, "manage.py", "serve"], cwd=folder, capture_output=True, text=True, timeout=WAIT
    )
    assert refused.returncode == 1 and "Traceback" not in refused.stderr
    assert re.search(r"codelists/plan\.toml, line \d+: 'code' must be", refused.stderr)
