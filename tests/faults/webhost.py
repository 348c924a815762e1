"""The application and the server of production in two processes that are forked ahead: one that is killed is replaced
in milliseconds, so that many can be."""

import ctypes
import os
import signal
import socket
import sys

from waitress.server import create_server

from config.wsgi import application

PROCESSES, THREADS = 2, 4
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def serve(listener: socket.socket) -> None:
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    create_server(application, sockets=[listener], threads=THREADS, ident=None).run()


def fork(listener: socket.socket) -> int:
    child = os.fork()
    if not child:
        serve(listener)
        os._exit(0)
    return child


def main() -> None:
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
    for _ in range(PROCESSES):
        fork(listener)
    while True:
        os.wait()
        fork(listener)


if __name__ == "__main__":
    main()
