"""T13: cells that one returning caller fills are not shown, however often that caller calls."""

import pytest

from reports.disclosure import protect
from tests.attacks import crawl, worlds
from tests.attacks.conftest import Stage, token_client
from tests.attacks.crawl import Key
from tests.attacks.scope import BY_HAND, tell
from tests.attacks.worlds import RETURNING
from tests.oracle import Count
from tests.rows import put

K, K_FIRST = 5, 3
CELLS = 20


def filled_by_one(stage: Stage) -> list[Key]:
    """The cells of single codes in which nobody but returning callers is, with enough calls to be shown."""
    return [
        key
        for key, count in stage.counts.items()
        if not is_own(key) and count.contacts >= K and count.first == 0 and "_T" not in key.codes
    ]


def test_no_cell_that_a_returning_caller_fills_is_shown(request, stages):
    stage = stages[BY_HAND]
    cells = filled_by_one(stage)
    codes = {code for key in cells for code in key.codes}
    shown = [key for key in cells if stage.crawl.cells[key] is not None]
    tell(request, "T13", BY_HAND, cells=len(cells), shown=len(shown))
    assert len(cells) >= CELLS and {RETURNING["county"], RETURNING["language"]} <= codes
    assert not shown


@pytest.mark.django_db
@pytest.mark.parametrize("least", ["k", "nothing"])
def test_without_the_threshold_they_are_shown(request, stages, monkeypatch, tmp_path, least):
    """That of first contacts switched off, and that of contacts with it: the year is published, and both are seen."""
    stage = stages[BY_HAND]
    put([row for row in stage.kept if not isinstance(row, worlds.Release | worlds.PublishedCell)])
    below = K if least == "k" else 1
    monkeypatch.setattr("reports.disclosure.protect._is_hidden", lambda contacts, table, rule: contacts.n < below)
    # The database takes no zero: what would be rounded down to it is published as the base.
    rounded = protect.rounded
    monkeypatch.setattr(protect, "rounded", lambda n, keys, key, base: max(base, rounded(n, keys, key, base)))
    # The gate knows the threshold too, and would refuse numbers that no count of five or more fits.
    monkeypatch.setattr("reports.gating.withhold", lambda *_: 0)
    worlds.publish(stage.world.periods[-1:], tmp_path / "keys")
    found = crawl.everything(token_client("crawler"), csv_too=False)
    shown = [key for key in filled_by_one(stage) if found.cells.get(key) is not None]
    few = [key for key, value in found.cells.items() if value is not None and stage.counts[key].contacts < K]
    tell(request, "T13", f"{BY_HAND}, least: {least}", shown=len(shown), shown_below_five=len(few))
    assert len(shown) >= CELLS
    assert bool(few) == (least == "nothing")


@pytest.mark.parametrize("first", [0, 1, 2])
def test_fewer_than_three_first_contacts_never_show_a_cell(stages, first):
    for stage in stages.values():
        some = [key for key, count in stage.counts.items() if is_of(key, count, first)]
        assert not [key for key in some if stage.crawl.cells[key] is not None]


def is_of(key: Key, count: Count, first: int) -> bool:
    return not is_own(key) and count.first == first < K_FIRST


def is_own(key: Key) -> bool:
    """Cells that first contacts do not count out: they have a threshold of ten; and numbers of referrals."""
    return key.contents != "kontakter" or key.family.startswith(("all-", "first_contact", "case_step"))
