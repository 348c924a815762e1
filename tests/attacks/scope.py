"""How much of each attack a run makes, in one table; and the table of figures that a run with `--attacks` ends with.

A pytest plugin, loaded by `-p`: it brings the option `--attacks`.
"""

from dataclasses import dataclass
from typing import Any

import pytest

PROPERTY = "attacks"

# The arguments of worlds.drawn. In the default suite one seed.
WORLDS: dict[str, list[tuple[Any, ...]]] = {
    "short": [(150, 12, 1), (150, 6, 1, 4)],
    "all": [
        (*scope[:2], seed, *scope[2:])
        for scope in ((150, 12), (600, 6), (5000, 12), (150, 12, 9))
        for seed in (1, 2, 3)
    ],
}
# A year that has a row file. The more is published beside it, the sooner the gate refuses one.
WITH_FILE: dict[str, list[tuple[Any, ...]]] = {
    "short": [(1500, 12, 1, 0, "year")],
    "all": [(contacts, 12, seed, 0, "year") for contacts in (1500, 5000) for seed in (1, 2, 3)],
}
BY_HAND = "by hand"

COUNTS: dict[str, tuple[int, int]] = {
    "equivalent queries": (200, 1000),
    "queries outside the catalogue": (1000, 5000),
    "contacts of a crowd": (1200, 6000),
    "targets": (20, 60),
    "worlds with and without": (100, 400),
    "pages of tables": (12, 1000),
    "tables before and after": (12, 1000),
}


@dataclass(frozen=True)
class Scope:
    name: str

    def __getitem__(self, what: str) -> int:
        return COUNTS[what][self.name == "all"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--attacks", action="store_true", help="every scope and seed of tests/attacks")


def scope_of(config: pytest.Config) -> Scope:
    return Scope("all" if config.getoption("--attacks") else "short")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if scope_of(config).name != "all":
        return
    terminalreporter.section("attacks")
    told = [
        (test, where, what, value)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "teardown"
        for name, (test, where, figures) in getattr(report, "user_properties", ())
        if name == PROPERTY
        for what, value in figures.items()
    ]
    for test, where, what, value in sorted(told, key=lambda one: (int(one[0][1:]), one[1])):
        number = f"{value:.4g}" if isinstance(value, float) else str(value)
        terminalreporter.write_line(f"{test:>4}  {where:<20} {what:<44} {number}")


def tell(request: pytest.FixtureRequest, test: str, where: str, **figures: float) -> None:
    """Say what an attack found, by the number of its test; keys are words with underscores."""
    plain = {what.replace("_", " "): value for what, value in figures.items()}
    request.node.user_properties.append((PROPERTY, (test, where, plain)))
