"""Thirty handlers at work and nothing wrong: nobody waits, nothing fails, no web process grows."""

import time
from pathlib import Path

import pytest

from tests.faults.handlers import Handler, Traffic
from tests.faults.programs import Program, until
from tests.faults.stand import Scene

HANDLERS, RATE = 30, 20.0  # saves a second, of all of them together
# Seconds of the slowest save but one in twenty, and the growth of the web processes' memory. In the default suite other
# tests run beside it, and the first seconds fill what a process keeps.
MOST = {"short": (3.0, 1.5), "nightly": (0.3, 1.1)}


def windows(handlers: list[Handler]) -> list[Handler]:
    """Thirty browsers of these accounts, each with lines of its own."""
    opened = []
    for number in range(HANDLERS):
        account = handlers[number % len(handlers)]
        window = Handler(account.address, number)
        window.http.cookies.update(account.http.cookies)
        window.token = account.token
        opened.append(window)
    return opened


def memory_of(program: Program) -> int:
    """Resident bytes of what the program forked, its workers."""
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in program.children()]
    return sum(pages) * 4096


def complaints(traffic: Traffic, seconds: float, memory: tuple[int, int], most: tuple[float, float]) -> list[str]:
    """What is not as it should be after so many seconds of traffic; `memory` is that before and after."""
    slowest, growth = most
    answered = sorted(traffic.seconds)
    p95 = answered[int(len(answered) * 0.95)]
    wrong = {
        f"answers: {dict(traffic.statuses)}": set(traffic.statuses) != {201},
        f"saves: {len(answered)}": len(answered) < 0.9 * RATE * seconds,
        f"p95 in s: {p95}": p95 > slowest,
        f"memory: {memory}": memory[1] > growth * memory[0],
    }
    return [what for what, is_so in wrong.items() if is_so]


def test_thirty_handlers_save_and_nobody_waits(stand: Scene):
    seconds = stand.scope["seconds of load"]
    stand.traffic = traffic = Traffic(windows(stand.house.handlers), rate=RATE).begin()
    began = time.monotonic()
    try:
        time.sleep(min(60, seconds / 2))  # what a process keeps of the first saves is no growth
        before = memory_of(stand.house.web)
        time.sleep(max(0, seconds - (time.monotonic() - began)))
        after = memory_of(stand.house.web)
        traffic.end()
    finally:
        traffic.stopping.set()
    stand.settle()
    assert complaints(traffic, seconds, (before, after), MOST[stand.scope.name]) == []


@pytest.mark.parametrize(
    ("status", "took", "number", "memory", "complaint"),
    [
        (500, 0.1, 200, (100, 105), "answers: "),
        (201, 0.1, 100, (100, 105), "saves: "),
        (201, 0.4, 200, (100, 105), "p95 in s: "),
        (201, 0.1, 200, (100, 120), "memory: "),
        (201, 0.1, 200, (100, 105), ""),
    ],
    ids=["a failure", "too few", "slow", "growing", "all well"],
)
def test_what_goes_wrong_under_load_would_be_noticed(status, took, number, memory, complaint):
    traffic = Traffic([], rate=RATE)
    traffic.seconds, traffic.statuses[201] = [took] * number, number
    traffic.statuses[status] += 1
    found = complaints(traffic, 10, memory, MOST["nightly"])
    assert [text.startswith(complaint) for text in found] == [True] * bool(complaint)


def test_memory_is_read_of_processes_that_have_some(stand: Scene):
    until(stand.house.web.children)
    assert memory_of(stand.house.web) > 20_000_000
