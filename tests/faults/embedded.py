"""What bin/run starts: one process with web, worker and beat, on SQLite, in a folder of its own."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.faults import programs
from tests.faults.disk import mounted
from tests.faults.programs import ROOT, Program, until
from tests.faults.stand import HANDLERS, SECRET_KEY, House, by_hand

CODE = ("config", "helpline", "reports", "templates", "static", "locale", "manage.py")


class Embedded(House):
    """`manage.py serve --empty`, its database on a small disk of its own where the machine lets us mount one."""

    is_sqlite = True

    def __init__(self, folder: Path, beat_seconds: float, closing: ExitStack, database: Path | None = None) -> None:
        self.folder = folder
        for name in CODE:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder)
        self.has_own_disk = mounted(folder / "disk", closing)
        self.database = folder / "disk" / "helpline.sqlite3"
        self.port = programs.free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.env = programs.environment(
            PORT=str(self.port),
            SECRET_KEY=SECRET_KEY,
            FAULTS_BEAT_SECONDS=str(beat_seconds),
            DATABASE_URL=f"sqlite:///{self.database}",
        )
        # From the copy, whose modules come first, as in the host itself.
        make = "import sys; sys.path.insert(0, '.'); from tests.faults.accounts import main; main()"
        by_hand(programs.python("-c", make, str(HANDLERS)), self.env, folder)
        command = programs.python("manage.py", "serve", "--empty")
        self.host = Program("host", command, self.env, folder, cwd=folder)
        closing.callback(self.host.kill)
        self._wait()
        self.log_in()

    def _wait(self) -> None:
        until(lambda: programs.is_open(self.port) or not self.host.is_running, says=self.host.said)
        assert self.host.is_running, self.host.said()

    @contextmanager
    def connect(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self.database, timeout=30)
        try:
            database.execute("BEGIN")
            yield database
        finally:
            database.close()

    def mend(self) -> None:
        if not self.host.is_running:
            self.host.start()
        self._wait()

    def logs(self) -> list[Path]:
        return list(self.folder.glob("*.log"))
