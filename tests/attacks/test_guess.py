"""T3: least squares over all that is published hit hidden figures hardly more often than shares alone do."""

from tests.attacks import crossed, guess
from tests.attacks.conftest import Stage
from tests.attacks.crawl import Key
from tests.attacks.scope import tell
from tests.attacks.truth import number
from tests.oracle import Row

MOST = 0.10


def lift_of(stage: Stage, published: dict[Key, int | None]) -> tuple[int, float]:
    n = squares = shares = 0
    for one in crossed.lattices(stage.crawl.variables, triples=False)[1:]:
        rows: tuple[Row, ...] = stage.world.rows
        some = guess.hits(one, stage.world.months, stage.world.periods, published, rows)
        n, squares, shares = n + some[0], squares + some[1], shares + some[2]
    return n, (squares - shares) / max(n, 1)


def test_least_squares_lift_is_small(request, drawn_stage: Stage):
    n, lift = lift_of(drawn_stage, drawn_stage.crawl.cells)
    tell(request, "T3", drawn_stage.world.name, cells=n, lift=lift)
    assert n >= 30
    assert lift <= MOST


def test_without_threshold_and_rounding_least_squares_tell_most_figures(request, drawn_stage: Stage):
    exact = {key: number(key, count) for key, count in drawn_stage.counts.items()}
    n, lift = lift_of(drawn_stage, exact)
    tell(request, "T3", drawn_stage.world.name, lift_without_protection=lift)
    assert lift > 3 * MOST
