"""T6: whether a contact is in a release cannot be told from it, by somebody who knows all its codes."""

from statistics import mean

import pytest

from tests.attacks import parallel, worlds
from tests.attacks.conftest import Stage
from tests.attacks.crawl import Key
from tests.attacks.parallel import HIDDEN, Crowd, Rule, Target
from tests.attacks.scope import WORLDS, Scope, tell

SIZES = (150, 300)
MOST_MEAN, MOST = 0.30, 0.50


@pytest.fixture(scope="module")
def crowd(attacks: Scope) -> Crowd:
    return parallel.crowd_of(worlds.drawn(attacks["contacts of a crowd"], 12, 99).relevant)


def advantages(crowd: Crowd, size: int, attacks: Scope, rule: Rule, number: int | None = None) -> list[float]:
    targets = parallel.targets_of(crowd, number or attacks["targets"], seed=4)
    arms = attacks["worlds with and without"]
    return [parallel.advantage(Target(crowd, target, rule), size, arms, seed=target) for target in targets]


@pytest.mark.parametrize("size", SIZES)
def test_membership_shows_little(request, crowd, attacks, size):
    found = advantages(crowd, size, attacks, Rule())
    tell(request, "T6", f"{size} a year", mean_advantage=mean(found), most=max(found), targets=len(found))
    floor = parallel.targets_of(crowd, 6, seed=4)
    arms = attacks["worlds with and without"]
    null = mean(parallel.advantage(Target(crowd, t, Rule()), size, arms, seed=t, null=True) for t in floor)
    tell(request, "T6", f"{size} a year", floor_by_chance=null)
    assert mean(found) <= MOST_MEAN and max(found) <= MOST


def test_exact_figures_of_every_table_show_it(request, crowd, attacks):
    """Neither threshold nor rounding nor density: the attack is one that works."""
    bare = Rule(k=1, density=0, min_total=0, is_rounded=False)
    found = advantages(crowd, 150, attacks, bare, number=6)
    tell(request, "T6", "150 a year", mean_advantage_without_any_rule=mean(found))
    assert mean(found) > MOST_MEAN


@pytest.mark.django_db
def test_the_rule_written_here_is_that_of_the_product(stages):
    """The published cells of a world, by the counts that this module would round."""
    stage: Stage = stages[WORLDS["short"][0]]
    crowd = parallel.crowd_of(stage.world.relevant)
    target = Target(crowd, 0, Rule())
    n = target.members.sum(0, dtype=int)
    first = target.members[target.first].sum(0, dtype=int)
    seen = 0
    for place, column in enumerate(target.columns):
        table, codes, period = column
        value = published(stage, table, codes, period)
        if value is None:
            continue
        seen += 1
        enough = n[place] >= target.least[place] and first[place] >= target.least_first[place]
        assert enough and value in (n[place] - n[place] % 5, n[place] - n[place] % 5 + 5 * (n[place] % 5 > 0))
    assert seen > 20 and HIDDEN < 0


def published(stage: Stage, table: str, codes: tuple[str, ...], period: int) -> int | None:
    kind = parallel.TABLES[table].period
    of_kind = [p.time_code for p in stage.world.periods if p.kind == kind]
    family = table.rpartition("-")[0]
    return stage.crawl.cells.get(Key(family, codes, "kontakter", of_kind[period]))
