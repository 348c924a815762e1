"""Owns what beat rings, how often, and which queue hears it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

# What may take long has a queue, and workers, of its own: the live counts never wait for it.
LIVE, BATCH = "live", "batch"


@dataclass(frozen=True, slots=True)
class Round:
    """A task that is rung every `seconds`; nobody hears a ring of before the last one, or that is half a minute old: so
    much may the clocks of two machines differ.

    A plain interval, never a local crontab: that skips or repeats an hour at the change to and from summer time. Where
    the day matters, the task decides.
    """

    task: str
    seconds: float
    queue: str

    @property
    def expires(self) -> int:
        return int(max(30, self.seconds - min(5, self.seconds // 10)))


ROUNDS: Mapping[str, Round] = MappingProxyType(
    {
        "sweep": Round("reports.tasks.sweep", 60, LIVE),
        "imports": Round("helpline.tasks.run_imports", 3, LIVE),
        "rebuild": Round("reports.tasks.rebuild", 5, BATCH),
        "freeze": Round("reports.tasks.freeze_and_prepare", 300, BATCH),
        "verify": Round("reports.tasks.verify", 900, BATCH),
        "erase-expired": Round("reports.tasks.erase_expired", 3600, BATCH),
    }
)
