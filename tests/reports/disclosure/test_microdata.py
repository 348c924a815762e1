"""The search for a row file: it finds the best there is, and what it finds keeps every promise of T8."""

import time
from collections import Counter
from collections.abc import Iterator
from itertools import product

import pandas
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pycanon import anonymity

from reports.disclosure import microdata
from reports.disclosure.microdata import TOO_COARSE, TOO_FEW, Limits, NoFile, Solution, search, tally
from reports.disclosure.row_file import file_of
from reports.disclosure.row_variables import MAIN, MAINS, MORE, QUASIS, Level, Quasi
from tests.reports.disclosure.made_rows import YEAR, skewed, year_of

LIMITS = Limits()


# --- the best there is: a slow, obvious second search ----------------------------------------------------------------

SMALL = (
    Quasi(
        3, (Level("a", ("1", "2", "3"), (0, 1, 2)), Level("a2", ("1", "23"), (0, 1, 1)), Level("", ("_T",), (0,) * 3))
    ),
    Quasi(1, (Level("b", ("1", "2"), (0, 1)), Level("", ("_T",), (0, 0)))),
    Quasi(2, (Level("c", ("1", "2", "3"), (0, 1, 2)), Level("", ("_T",), (0, 0, 0)))),
)
SMALL_MAINS = 4  # the last is no information
ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 2), st.integers(0, 3), st.integers(0, 1)), min_size=1
)


def exhaustive(rows: list[tuple[int, ...]], limits: Limits) -> float | None:
    """The least loss of every node that keeps the limits; None if none does. Row by row, without a shortcut."""
    if len(rows) < limits.fewest_rows:
        return None
    losses = []
    for node in product(*(range(len(quasi.levels)) for quasi in SMALL)):
        kept = classes_left(rows, node, limits)
        n_kept = sum(len(members) for members in kept)
        enough = n_kept >= limits.fewest_rows and n_kept >= limits.average * len(kept)
        if enough and (len(rows) - n_kept) * 100 <= limits.suppressed_percent * len(rows):
            detail = sum(lost(row, node) for members in kept for row in members)
            losses.append((detail + len(rows) - n_kept) / len(rows))
    best = min(losses, default=1)
    return best if losses and best <= limits.loss_percent / 100 else None


def classes_left(rows: list[tuple[int, ...]], node: tuple[int, ...], limits: Limits) -> list[list[tuple[int, ...]]]:
    """Rows are left out until none stands out, neither in its class nor beside its main concern."""
    while True:
        classes: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
        for row in rows:
            alike = tuple(q.levels[at].place_of[row[n]] for n, (q, at) in enumerate(zip(SMALL, node, strict=True)))
            classes.setdefault(alike, []).append(row)
        kept = [members for members in classes.values() if is_safe(members, limits)]
        rows = [row for members in kept for row in members]
        small = [row for row in rows if proves_a_small_number(row, rows, node, limits.cell)]
        if not small:
            return kept
        rows = [row for row in rows if row not in small]


def proves_a_small_number(row: tuple[int, ...], rows: list[tuple[int, ...]], node: tuple[int, ...], least: int) -> bool:
    for n, quasi in enumerate(SMALL):
        if n and node[n] == len(quasi.levels) - 1:
            continue
        time, of = SMALL[0].levels[node[0]].place_of, quasi.levels[-2].place_of
        same = [r for r in rows if time[r[0]] == time[row[0]] and (n == 0 or of[r[n]] == of[row[n]])]
        if sum(r[3] == row[3] for r in same) < least:
            return True
        for concern in range(SMALL_MAINS - 1):
            if lacks(row, concern) and sum(lacks(r, concern) for r in same) < least:
                return True
    return False


def lacks(row: tuple[int, ...], concern: int) -> bool:
    """Whether it is certain from the file that a contact has not this concern."""
    *_quasis, main, more = row
    return main > concern or (main < concern and not more)


def is_safe(members: list[tuple[int, ...]], limits: Limits) -> bool:
    mains = Counter(row[3] for row in members)
    concerns = set(mains) - {SMALL_MAINS - 1}
    top = max(mains.values())
    return len(members) >= limits.k and len(concerns) >= limits.l and top * 100 <= limits.top_percent * len(members)


def lost(row: tuple[int, ...], node: tuple[int, ...]) -> float:
    total = 0.0
    for n, (quasi, at) in enumerate(zip(SMALL, node, strict=True)):
        places = quasi.levels[at].place_of
        alike = [leaf for leaf in range(len(places)) if places[leaf] == places[row[n]]]
        total += quasi.weight * (len(alike) - 1) / (len(places) - 1)
    return total / sum(quasi.weight for quasi in SMALL)


@given(
    rows=ROWS,
    k=st.integers(1, 4),
    l=st.integers(1, 3),
    cell=st.integers(1, 3),
    average=st.integers(1, 6),
    suppressed=st.sampled_from([0, 5, 20, 60]),
    loss=st.sampled_from([30, 65, 100]),
)
@example(rows=[(0, 0, 0, 0, 0), (0, 0, 0, 1, 0)] * 3, k=2, l=2, cell=1, average=1, suppressed=0, loss=65)
def test_the_search_finds_what_an_exhaustive_one_finds(rows, k, l, cell, average, suppressed, loss):  # noqa: E741
    limits = Limits(
        k=k, l=l, cell=cell, average=average, suppressed_percent=suppressed, fewest_rows=4, loss_percent=loss
    )
    expected = exhaustive(rows, limits)
    if expected is None:
        with pytest.raises(NoFile):
            search(tally(Counter(rows)), SMALL, SMALL_MAINS, limits)
    else:
        assert search(tally(Counter(rows)), SMALL, SMALL_MAINS, limits).loss == pytest.approx(expected)


def test_a_year_of_contacts_gets_the_best_of_all_its_nodes(monkeypatch):
    """Each of the 648 nodes searched alone: the search over all of them, whose bound skips most, is no worse."""
    rows = tally(year_of(200))
    found = search(rows, QUASIS, len(MAINS), LIMITS)
    losses = []
    for node in product(*(range(len(quasi.levels)) for quasi in QUASIS)):
        monkeypatch.setattr(microdata, "_bounds", lambda rows, lost, node=node: [(0.0, node)])
        try:
            losses.append(search(rows, QUASIS, len(MAINS), LIMITS).loss)
        except NoFile:
            continue
    assert len(losses) > 1 and found.loss == pytest.approx(min(losses))


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_a_year_of_less_than_600_rows_has_no_file():
    with pytest.raises(NoFile) as refused:
        search(tally(year_of(100)), QUASIS, len(MAINS), LIMITS)
    assert refused.value.reason == TOO_FEW
    with pytest.raises(NoFile):
        search(tally(Counter()), QUASIS, len(MAINS), LIMITS)


def test_a_year_whose_rows_are_alike_only_without_their_detail_has_no_file():
    with pytest.raises(NoFile) as refused:
        search(skewed(900), QUASIS, len(MAINS), LIMITS)
    assert refused.value.reason == TOO_COARSE
    assert search(skewed(900), QUASIS, len(MAINS), Limits(loss_percent=90)).loss > 0.65


def test_a_year_in_which_nearly_everybody_has_one_concern_has_no_file():
    same = Counter({(*places, 0, more): n for (*places, _main, more), n in year_of(200).items()})
    with pytest.raises(NoFile) as refused:
        search(tally(same), QUASIS, len(MAINS), LIMITS)
    assert refused.value.reason == TOO_COARSE


def test_no_information_is_not_taken_for_a_concern():
    places = (0,) * len(QUASIS)
    unknown = len(MAINS) - 1
    two_and_unknown = tally(Counter({(*places, 0, 0): 300, (*places, 1, 0): 300, (*places, unknown, 0): 300}))
    with pytest.raises(NoFile):
        search(two_and_unknown, QUASIS, len(MAINS), LIMITS)
    three = tally(Counter({(*places, 0, 0): 300, (*places, 1, 0): 300, (*places, 2, 0): 300}))
    assert search(three, QUASIS, len(MAINS), LIMITS).loss == 0


# --- T8: somebody with the file and with everything that was logged --------------------------------------------------


def made(limits: Limits, contacts_a_month: int) -> tuple[Solution, pandas.DataFrame, list[str]]:
    """A file as a data frame, and those of its columns that somebody may know of a person."""
    rows = tally(year_of(contacts_a_month))
    solution = search(rows, QUASIS, len(MAINS), limits)
    file = file_of(rows, solution, QUASIS, YEAR)
    frame = pandas.DataFrame([row for row, n in file.rows.items() for _ in range(n)], columns=list(file.columns))
    return solution, frame, [column for column in file.columns if column not in (MAIN, MORE)]


def attack(limits: Limits, contacts_a_month: int = 200) -> dict[str, float]:
    """What an attacker counts in a file who knows all variables of every contact of the year."""
    solution, frame, quasi_columns = made(limits, contacts_a_month)
    classes = frame.groupby(quasi_columns)
    sizes = classes.size()
    known = Counter[tuple[str, ...]]()
    for (*places, _main, _more), n in year_of(contacts_a_month).items():
        levels = [quasi.levels[at] for quasi, at in zip(QUASIS, solution.levels, strict=True)]
        codes = zip(levels, places, strict=True)
        row = [(level.column, level.codes[level.place_of[place]]) for level, place in codes if level.column]
        known[tuple(f"{YEAR}{code}" if column == "Tid" else code for column, code in row)] += n
    matches = {target: int(sizes.get(target if len(target) > 1 else target[0], 0)) for target in known}
    return {
        "k": int(sizes.min()),
        "l": int(classes[MAIN].nunique().min()),
        "prosecutor": 1 / sizes.min(),
        "marketer": len(sizes) / len(frame),
        "top": float((classes[MAIN].value_counts() / sizes).max()),
        "suppressed": 1 - len(frame) / year_of(contacts_a_month).total(),
        "smallest": min(smallest(frame, quasi_columns)),
        "matching one row": sum(n for target, n in known.items() if matches[target] == 1),
    }


def smallest(frame: pandas.DataFrame, quasi_columns: list[str]) -> Iterator[int]:
    """The smallest number but 0 of contacts with, or certainly without, a concern beside one code, by period."""
    for column in quasi_columns:
        for _codes, of in frame.groupby(["Tid", column] if column != "Tid" else ["Tid"])[[MAIN, MORE]]:
            place = of[MAIN].map(MAINS.index)
            yield int(of[MAIN].value_counts().min())
            for concern in range(len(MAINS) - 1):
                without = int(((place > concern) | ((place < concern) & (of[MORE] == "nej"))).sum())
                yield without or len(frame)


@pytest.mark.parametrize("contacts_a_month", [150, 300])
def test_the_file_keeps_every_number_of_t8_and_pycanon_agrees(contacts_a_month):
    found = attack(LIMITS, contacts_a_month)
    assert found["k"] >= 10 and found["l"] >= 3
    assert found["prosecutor"] <= 0.10 and found["marketer"] <= 0.05
    assert found["top"] <= 0.80 and found["suppressed"] <= 0.05
    assert found["matching one row"] == 0 and found["smallest"] >= 5
    _solution, frame, quasi_columns = made(LIMITS, contacts_a_month)
    assert anonymity.k_anonymity(frame, quasi_columns) == found["k"]
    assert anonymity.l_diversity(frame, quasi_columns, [MAIN]) == found["l"]


@pytest.mark.parametrize(
    ("switched_off", "what", "holds"),
    [
        (Limits(k=1, l=1, top_percent=100, cell=1, average=1), "k", lambda found: found["k"] >= 10),
        (Limits(k=1, l=1, top_percent=100, cell=1, average=1), "match", lambda found: found["matching one row"] == 0),
        (Limits(k=2, l=1, top_percent=100, cell=1, average=1), "l", lambda found: found["l"] >= 3),
        (Limits(k=2, l=1, top_percent=100, cell=1, average=1), "top", lambda found: found["top"] <= 0.80),
        (Limits(k=2, l=1, top_percent=100, cell=1, average=1), "prosecutor", lambda found: found["prosecutor"] <= 0.10),
        (Limits(k=2, l=1, top_percent=100, cell=1, average=1), "marketer", lambda found: found["marketer"] <= 0.05),
        (Limits(cell=1), "smallest", lambda found: found["smallest"] >= 5),
        (Limits(suppressed_percent=60), "suppressed", lambda found: found["suppressed"] <= 0.05),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_with_its_rule_switched_off_the_number_is_missed(switched_off, what, holds):
    assert not holds(attack(switched_off))


# --- speed ------------------------------------------------------------------------------------------------------------


def test_a_million_rows_are_searched_within_the_time_that_the_whole_file_has():
    rows = skewed(1_000_000)
    began = time.process_time()
    solution = search(rows, QUASIS, len(MAINS), LIMITS)
    assert time.process_time() - began <= 10
    assert solution.classes.sum() >= 950_000
