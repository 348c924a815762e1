"""The programs of production as processes of their own, that a test may kill, stop and start again."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from tests.testservices import WATCHDOG

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 60
QUEUES = "live,batch"
SETTINGS = "tests.faults.quick"


def until(holds: Callable[[], object], seconds: float = PATIENCE, *, says: Callable[[], str] = str) -> float:
    """Wait until it holds; after how many seconds."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, says() or "it did not come about in time"
        time.sleep(0.02)
    return time.monotonic() - began


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**more: str) -> dict[str, str]:
    """That of a program which is started by hand, and nothing that the tests set for themselves."""
    keep = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    return keep | {"PYTHONUTF8": "1", "DJANGO_SETTINGS_MODULE": SETTINGS, "PYTHONPATH": str(ROOT)} | more


class Program:
    """One process, with what it forked, and its log, to which every start of it adds.

    `is_wanted` from a start until it is killed or stopped here; a supervisor starts it anew when it ends by itself.
    """

    is_wanted = False

    def __init__(
        self,
        name: str,
        command: list[str],
        env: Mapping[str, str],
        folder: Path,
        cwd: Path = ROOT,
        log: Path | None = None,
    ) -> None:
        self.command, self.env, self.cwd = command, dict(env), cwd
        self.log = log or folder / f"{name}-{time.monotonic_ns()}.log"
        self.turn = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.watchdog: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, also again."""
        with self.turn:
            if self.process is not None:
                self._kill()
            self._start()
            self.is_wanted = True

    def _start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.cwd,
                env=self.env,
                start_new_session=True,
            )
        gone = Path(tempfile.gettempdir()) / f"helpline-no-folder-{self.process.pid}"
        watch = ["sh", "-c", WATCHDOG, "watchdog", str(self.process.pid), str(gone)]
        self.watchdog = subprocess.Popen(watch, stdin=subprocess.PIPE, start_new_session=True, cwd="/")

    def revive(self) -> bool:
        """Start it if it ended by itself; whether it had."""
        with self.turn:
            if not self.is_wanted or self.is_running:
                return False
            self._kill()
            self._start()
            return True

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def children(self) -> list[int]:
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """As by `kill -9`, with everything that it forked."""
        with self.turn:
            self.is_wanted = False
            self._kill()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._ended()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.is_wanted = False
        self.process.send_signal(number)
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.kill()

    def _ended(self) -> None:
        assert self.process is not None and self.watchdog is not None
        self.process.wait(PATIENCE)
        self.watchdog.kill()
        self.watchdog.communicate()


class Supervisor:
    """Starts programs anew that ended by themselves, as systemd does with Restart=always; how often that was needed."""

    def __init__(self, programs: list[Program]) -> None:
        self.programs, self.restarts, self.over = programs, 0, threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self) -> None:
        while not self.over.wait(0.5):
            for program in self.programs:
                self.restarts += program.revive()

    def close(self) -> None:
        self.over.set()
        self.thread.join()


def kill_child(program: Program, number: int = 0) -> None:
    """As by `kill -9`, one that the program forked; it forks another."""
    # The next moment there may be none again: one has just ended and another is not there yet.
    while not (children := program.children()):
        until(lambda: program.is_running and program.children(), says=program.said)
    with suppress(ProcessLookupError):
        os.kill(children[number % len(children)], signal.SIGKILL)


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def celery(*arguments: str) -> list[str]:
    return python("-m", "celery", "-A", "config", *arguments)


def web(port: int) -> list[str]:
    return python("-m", "tests.faults.webhost", str(port))


def worker(processes: int = 2) -> list[str]:
    return celery("worker", "--concurrency", str(processes), "-Q", QUEUES, "--loglevel", "WARNING")


def beat(schedule: Path) -> list[str]:
    return celery("beat", "-s", str(schedule), "--pidfile", "", "--loglevel", "WARNING")


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
