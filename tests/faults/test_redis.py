"""Redis stopped, killed, emptied, frozen, lost, slow, full: saves go on as quickly, and the counts follow."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.faults.programs import until
from tests.faults.proxy import BLACK_HOLE, PASS, REFUSE, SLOW
from tests.faults.stand import Scene, Stand

SLOWER = 2.0  # a save may take so many times as long as before the fault, on a machine that others use too
SHORT = 2.0  # seconds of a fault that comes again
ALWAYS = 0.25  # seconds that no save is blamed for; every one of these faults would hold it up for longer


def lasting(scene: Scene, most: float | None = None) -> None:
    """Let the fault last, with saves under way; the first time as long as it may take until somebody notices."""
    longest = scene.scope["seconds of a freeze"] if not scene.figures.faults else SHORT
    time.sleep(min(longest, most or longest))


def stopped(scene: Scene) -> None:
    """Away for a while: nothing answers."""
    stand: Stand = scene.house
    stand.redis.process.send_signal(signal.SIGTERM)
    stand.redis.process.wait(30)
    lasting(scene, 8)
    stand.restart_redis(signal.SIGTERM)


def killed_and_started(scene: Scene) -> None:
    scene.house.restart_redis(signal.SIGKILL)


def emptied(scene: Scene) -> None:
    with scene.house.broker() as broker:
        broker.flushall()


def connections_killed(scene: Scene) -> None:
    with scene.house.broker() as broker:
        broker.client_kill_filter(_type="normal", skipme=True)
        broker.client_kill_filter(_type="pubsub", skipme=True)


def frozen(scene: Scene) -> None:
    process = scene.house.redis.process
    process.send_signal(signal.SIGSTOP)
    try:
        lasting(scene)
    finally:
        process.send_signal(signal.SIGCONT)


def black_hole(scene: Scene) -> None:
    scene.house.to_redis.mode = BLACK_HOLE
    lasting(scene)
    scene.house.to_redis.mode = PASS


def connections_refused_and_cut(scene: Scene) -> None:
    scene.house.to_redis.mode = REFUSE
    scene.house.to_redis.cut_all()
    lasting(scene, 8)
    scene.house.to_redis.mode = PASS


def slow(scene: Scene) -> None:
    scene.house.to_redis.mode = SLOW
    lasting(scene, 8)
    scene.house.to_redis.mode = PASS


def full(scene: Scene) -> None:
    with scene.house.broker() as broker:
        broker.config_set("maxmemory-policy", "noeviction")
        broker.config_set("maxmemory", "1")
        assert is_full(broker)
        lasting(scene, 8)
        broker.config_set("maxmemory", "0")


def is_full(broker: Redis) -> bool:
    try:
        broker.set("anything", "x" * 100)
    except RedisError:
        return True
    return False


FAULTS: tuple[Callable[[Scene], None], ...] = (
    stopped,
    killed_and_started,
    emptied,
    connections_killed,
    frozen,
    black_hole,
    connections_refused_and_cut,
    slow,
    full,
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_save_never_waits_for_redis_and_is_counted_when_it_is_back(stand, fault):
    with stand.saves() as traffic:
        traffic.saved(10)
        before = list(traffic.seconds)
        for _ in range(stand.scope["redis faults, of each kind"]):
            fault(stand)
            stand.figures.faults += 1
        during = traffic.seconds[len(before) :]
        traffic.saved(3)
    assert set(traffic.statuses) == {201}, "a save was not answered at once"
    if len(during) >= 10:
        assert median(during) <= max(SLOWER * median(before), ALWAYS)


def test_the_web_process_knows_no_way_to_redis(stand):
    """The strongest proof that a save does not wait for it: there is no connection to be slow."""
    with stand.saves() as traffic, stand.house.broker() as broker:
        traffic.saved(5)
        theirs = {int(client["addr"].rpartition(":")[2]) for client in broker.client_list()}
        assert theirs
        pids = [stand.house.web.pid, *stand.house.web.children()]
        assert not any(f":{stand.house.to_redis.port:04X}" in connections(pid) for pid in pids)
        assert any(
            f":{stand.house.to_postgres.port:04X}" in connections(pid) for pid in pids
        )  # what is looked at tells


def connections(pid: int) -> str:
    """The far ends of the TCP connections of a process."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    return " ".join(line.split()[2] for line in lines if line.split()[9] in inodes)


def test_the_worker_hears_again_within_seconds_after_redis_was_killed_thrice(stand):
    """Others fell silent here (celery #8030, #10205); the version that does not is pinned in requirements/base.in."""
    for _ in range(3):
        stand.house.restart_redis(signal.SIGKILL)
        stand.figures.faults += 1
    with stand.saves() as traffic:
        traffic.saved(3)
    assert until(lambda: stand.house.marks() == 0, 30) < 30
