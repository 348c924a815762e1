"""T14: what is published can be used, so that hiding everything would not pass."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tests.attacks import crawl, truth, worlds
from tests.attacks.conftest import Stage, token_client
from tests.attacks.crawl import Key
from tests.attacks.scope import WORLDS, tell
from tests.attacks.truth import number
from tests.oracle import Count
from tests.rows import put

LEAST_SHOWN = {150: 0.55, 600: 0.60, 5000: 0.70}
MOST_ERROR, MOST_OFF, MOST_BIAS = 2.0, 4, 0.2


@dataclass(frozen=True)
class Utility:
    admitted: int
    shown: float  # of all cells of admitted tables, as manifests count them
    inner_shown: float  # of those that are no total
    error: float
    bias: float
    total_off: int


def utility_of(cells: Mapping[Key, int | None], counts: Mapping[Key, Count]) -> Utility:
    """A table is admitted for a period where it shows any figure: its own total is one."""
    admitted = {(key.family, key.time) for key, value in cells.items() if value is not None and key in counts}
    some = [key for key in counts if (key.family, key.time) in admitted]
    inside = [key for key in some if "_T" not in key.codes]
    off = {key: cells[key] - number(key, counts[key]) for key in counts if cells[key] is not None}
    inner = [off[key] for key in inside if key in off]
    totals = [abs(n) for key, n in off.items() if not set(key.codes) - {"_T"}]
    # A set of contacts is rounded once, wherever it stands: the bias is that of sets, not of tables that repeat them.
    once = {(counts[key], cells[key], key.time): n for key, n in off.items()}
    return Utility(
        admitted=len(some),
        shown=len(off) / max(len(some), 1),
        inner_shown=len(inner) / max(len(inside), 1),
        error=sum(map(abs, inner)) / max(len(inner), 1),
        bias=sum(once.values()) / max(len(once), 1),
        total_off=max(totals, default=0),
    )


def test_what_is_published_can_be_used(request, drawn_stage: Stage):
    found = utility_of(drawn_stage.crawl.cells, drawn_stage.counts)
    world = drawn_stage.world
    tell(request, "T14", world.name, admitted=found.admitted, shown=found.shown, mean_error=found.error)
    tell(request, "T14", world.name, shown_of_those_that_are_no_total=found.inner_shown)
    tell(request, "T14", world.name, bias=found.bias, most_that_a_total_is_off=found.total_off)
    assert found.shown >= LEAST_SHOWN[len(world.relevant)]
    assert found.error <= MOST_ERROR and found.total_off <= MOST_OFF and abs(found.bias) < MOST_BIAS


@pytest.mark.django_db
def test_without_the_density_rule_most_of_what_is_admitted_is_hidden(request, stages, monkeypatch, tmp_path):
    """The rule switched off: tables are published in which hardly a cell can be shown."""
    stage = stages[WORLDS["short"][0]]
    periods = stage.world.periods[:7]
    put([row for row in stage.kept if not isinstance(row, worlds.Release | worlds.PublishedCell)])
    monkeypatch.setattr("reports.disclosure.protect.is_admitted", lambda table, total, rule: True)
    worlds.publish(periods, tmp_path / "keys")
    published = crawl.everything(token_client("crawler"), csv_too=False)
    without = utility_of(published.cells, truth.counts(published, stage.world.rows, periods))
    times = {period.time_code for period in periods}
    cells = {key: value for key, value in stage.crawl.cells.items() if key.time in times}
    with_it = utility_of(cells, {key: count for key, count in stage.counts.items() if key.time in times})
    tell(request, "T14", stage.world.name, shown_without_density=without.shown, and_with_it=with_it.shown)
    assert without.shown < LEAST_SHOWN[150] < with_it.shown
