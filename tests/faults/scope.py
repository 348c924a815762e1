"""How much of each fault a run brings about, in one table; and the table of figures that a nightly run ends with.

A pytest plugin, loaded by `-p`: it brings the option `--faults`.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

import pytest

PROPERTY = "faults"

# How often: in the default suite, and in a nightly run, which is to take less than an hour on two shared cores. What
# takes seconds each time, as a program that starts anew, is done as often as there is room for.
COUNTS: dict[str, tuple[int, int]] = {
    "web killed": (12, 1000),
    "worker's child killed": (6, 400),
    "whole worker killed": (2, 60),
    "beat killed": (1, 100),
    "beats at once": (2, 3),
    "waits for production's beat": (0, 1),
    "embedded host killed": (2, 60),
    "redis faults, of each kind": (1, 25),
    "seconds of a freeze": (4, 25),  # the first of its kind; what follows is short
    "postgres restarted": (1, 100),
    "connections cut": (20, 200),
    "commits failed": (4, 200),
    "commits ambiguous": (5, 500),
    "disks filled": (1, 20),
    "disks made read-only": (1, 10),
    "saves with a sync": (4, 40),
    "deliveries of each task": (5, 20),
    "deliveries at once": (8, 8),
    "races": (60, 400),
    "steps of a race": (12, 30),
    "seconds of load": (10, 900),
}
WITHIN = {"short": 60, "nightly": 90}  # seconds after the fault until all is counted
BEAT = 1  # seconds between two sweeps, where a test does not ask for those of production


@dataclass
class Figures:
    """What one test saw. All but the first three must be 0, and the last is in seconds."""

    faults: int = 0
    sent: int = 0
    acknowledged: int = 0
    lost: int = 0
    duplicates: int = 0
    wrong: int = 0
    converged: float = 0.0


@dataclass(frozen=True)
class Scope:
    name: str

    def __getitem__(self, fault: str) -> int:
        return COUNTS[fault][self.name == "nightly"]

    @property
    def within(self) -> int:
        return WITHIN[self.name]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--faults", choices=["short", "nightly"], default="short", help="how many faults tests/faults makes"
    )


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if config.getoption("--faults") != "nightly":
        return
    terminalreporter.section("faults")
    widths = [len(field.name) + 3 for field in fields(Figures)]
    terminalreporter.write_line("".join(f"{f.name:>{w}}" for f, w in zip(fields(Figures), widths, strict=True)))
    for name, figures in sorted(_told(terminalreporter)):
        numbers = (f"{n:.1f}" if isinstance(n, float) else str(n) for n in figures.values())
        line = "".join(f"{number:>{width}}" for number, width in zip(numbers, widths, strict=True))
        terminalreporter.write_line(f"{line}   {name}")
    terminalreporter.write_line("")
    for fault, (_, nightly) in COUNTS.items():
        terminalreporter.write_line(f"{nightly:>6}  {fault}")


def _told(terminalreporter: Any) -> Iterator[tuple[str, dict[str, float]]]:
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, figures in getattr(report, "user_properties", ()):
                if name == PROPERTY and report.when == "teardown":
                    yield report.nodeid.rpartition("::")[2], figures


def tell(request: pytest.FixtureRequest, figures: Figures) -> None:
    request.node.user_properties.append((PROPERTY, asdict(figures)))
