"""A TCP proxy on loopback whose line goes bad when a test says so."""

import random
import socket
import threading
import time
from contextlib import suppress

PASS, BLACK_HOLE, SLOW, REFUSE = "pass", "black hole", "slow", "refuse"
CUT_BEFORE_COMMIT, CUT_AFTER_COMMIT = "cut before commit", "cut after commit"
DELAY = 2.0  # seconds, of what goes through a slow line
COMMIT = b"COMMIT"


class Proxy:
    """Forwards to `target`. `mode` may be changed at any time, for open connections too.

    The modes that cut act on `share` of the transactions: their COMMIT is either thrown away, or sent and its answer
    waited for and thrown away; then the connection is closed. `cuts` counts them.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.target, self.mode, self.share, self.cuts = target, PASS, 1.0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.lines: set[socket.socket] = set()
        self.is_closed = False
        self.chance = random.Random(1)  # noqa: S311 (no secret)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.is_closed = True
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut_all()

    def cut_all(self) -> None:
        """Close every open connection at both ends."""
        for line in list(self.lines):
            self._cut(line)

    def _cut(self, line: socket.socket) -> None:
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
        line.close()
        self.lines.discard(line)

    def _accept(self) -> None:
        while not self.is_closed:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.mode == REFUSE:
                near.close()
                continue
            self.lines.add(near)
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        while self.mode == BLACK_HOLE and not self.is_closed:
            time.sleep(0.05)
        try:
            far = socket.create_connection(self.target, 5)
        except OSError:
            return self._cut(near)
        far.settimeout(None)
        self.lines.add(far)
        for line in (near, far):
            with suppress(OSError):  # cut already
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self._answers, args=(far, near), daemon=True).start()
        self._questions(near, far)
        return None

    def _hold(self) -> None:
        while self.mode == BLACK_HOLE and not self.is_closed:
            time.sleep(0.05)
        if self.mode == SLOW:
            time.sleep(DELAY)

    def _questions(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while said := near.recv(65536):
                self._hold()
                if COMMIT in said and self._cuts(said, far):
                    break
                far.sendall(said)
        self._cut(near)
        self._cut(far)

    def _cuts(self, said: bytes, far: socket.socket) -> bool:
        if self.mode not in (CUT_BEFORE_COMMIT, CUT_AFTER_COMMIT) or self.chance.random() > self.share:
            return False
        self.cuts += 1
        if self.mode == CUT_AFTER_COMMIT:
            self.lines.discard(far)  # the answer goes nowhere
            far.sendall(said)
            time.sleep(0.05)
        return True

    def _answers(self, far: socket.socket, near: socket.socket) -> None:
        with suppress(OSError):
            while said := far.recv(65536):
                self._hold()
                if far in self.lines:
                    near.sendall(said)
        self._cut(near)
        self._cut(far)
