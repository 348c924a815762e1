"""Measures what more worker processes bring: a rebuild, and the release of a year, by one, two and four of them."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

from celery import Task

from reports import rebuilding, schedule, tasks
from reports.forms import rule
from reports.models import DayCount, MonthCount, Release
from reports.periods import containing
from reports.rounds import BATCH
from tests.bench import cluster, made, served, truth
from tests.bench.limits import BrokenMeasure, ratio
from tests.bench.stage import BIG, EMPTY, Clock, Stage

NUMBERS = (1, 2, 4)
START_SECONDS, RING_SECONDS, LONGEST = 60, 1, 1800
YEAR = "year"


def rebuild(stage: Stage) -> dict[str, float]:
    """All days of the big database counted anew, begun with no counts."""

    def begin() -> None:
        DayCount.objects.filter(is_sealed=False).delete()
        MonthCount.objects.all().delete()
        rebuilding.ask()

    def is_done() -> bool:
        return rebuilding.left() == 0

    return _speed_up(stage, BIG, "rebuild", tasks.rebuild, begin, is_done, truth.check_counts)


def release(stage: Stage) -> dict[str, float]:
    """Every period of a year, and the months since, prepared from what is frozen; as one process alone prepares it."""
    stage.close()
    cluster.create(stage.server, YEAR, like=EMPTY)
    with stage.on(YEAR):
        year = containing("year", stage.today).previous()
        made.make(made.days_of(stage.scope.small, year.end, (year.end - year.start).days))
        schedule.freeze_due(today=stage.today, freeze_day=1)
        schedule.prepare_due(today=stage.today, rule=rule(), pilot=None)
        right = _candidates()
    if year.code not in right:
        raise BrokenMeasure("the year was not released")

    def begin() -> None:
        Release.objects.all().delete()

    def is_done() -> bool:
        return Release.objects.count() == len(right)

    def check() -> None:
        if _candidates() != right:
            raise BrokenMeasure("what the workers released is not what one process releases")

    return _speed_up(stage, YEAR, "release", tasks.freeze_and_prepare, begin, is_done, check)


def _candidates() -> dict[str, str]:
    return {release.period.code: release.candidate for release in Release.objects.all()}


# --- workers ----------------------------------------------------------------------------------------------------------


def _speed_up(
    stage: Stage,
    database: str,
    name: str,
    task: "Task[..., None]",
    begin: Callable[[], None],
    is_done: Callable[[], bool],
    check: Callable[[], None],
) -> dict[str, float]:
    """How many times as fast two and four workers are as one, each in turn, after `begin` and until `is_done`."""
    took: dict[int, list[float]] = {number: [] for number in NUMBERS}
    for _ in range(stage.scope.rounds):
        for number in NUMBERS:
            with stage.on(database):
                begin()
                with _workers(stage.url(database), number):
                    with Clock() as clock:
                        _ring_until(is_done, task, number)
                    took[number].append(clock.seconds)
                check()
    return {f"workers.{name}_{number}": ratio(took[1], took[number]) for number in NUMBERS[1:]}


def _ring_until(is_done: Callable[[], bool], task: "Task[..., None]", number: int) -> None:
    """Ring as beat does, only more often: a worker ends after a while, and goes on when it is rung again."""
    began, rung = time.monotonic(), 0.0
    while not is_done():
        now = time.monotonic()
        if now - began > LONGEST:
            raise BrokenMeasure("the workers did not end")
        if now - rung > RING_SECONDS:
            for _ in range(number):
                task.apply_async(queue=BATCH, expires=RING_SECONDS)
            rung = now
        time.sleep(0.02)


@contextmanager
def _workers(url: str, number: int) -> Iterator[None]:
    """So many worker processes of the queue `batch`, all of them ready and none with a task."""
    logs = [tempfile.TemporaryFile("w+") for _ in range(number)]
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--queues", BATCH, "--pool", "solo"]
    command += ["--loglevel", "info", "--without-gossip", "--without-mingle", "--hostname"]
    environment = os.environ | {"DATABASE_URL": url}
    processes = [
        subprocess.Popen([*command, f"{n}@localhost"], cwd=served.ROOT, env=environment, stdout=log, stderr=log)
        for n, log in enumerate(logs)
    ]
    try:
        until = time.monotonic() + START_SECONDS
        while not all(_is_ready(log) for log in logs):
            if time.monotonic() > until or any(process.poll() is not None for process in processes):
                raise BrokenMeasure("a worker did not start")
            time.sleep(0.05)
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()


def _is_ready(log: IO[str]) -> bool:
    log.seek(0)
    return " ready." in log.read()
