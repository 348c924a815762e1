"""T8: no row of a row file singles anybody out, and no contact is in two of them."""

from collections import Counter
from random import Random

import pytest

from tests.attacks import row_files
from tests.attacks.conftest import Stage
from tests.attacks.scope import tell
from tests.oracle import Row


def test_no_row_singles_anybody_out(request, drawn_stage: Stage):
    """Of every file that can be fetched; below 600 rows there is none."""
    relevant = drawn_stage.world.relevant
    for year, text in drawn_stage.files.items():
        of_year = [row for row in relevant if row["day"].startswith(year)]
        found = row_files.score(text, of_year)
        figures = {name: float(getattr(found, name)) for name in ("prosecutor", "marketer", "top_share", "suppressed")}
        tell(request, "T8", drawn_stage.world.name, k=found.smallest, l=found.fewest_secrets, **figures)
        assert not found.broken(), found
        assert found.rows >= 600
    tell(request, "T8", drawn_stage.world.name, files=len(drawn_stage.files))
    assert len(relevant) >= 600 or not drawn_stage.files


def test_a_contact_is_in_one_file_at_most(drawn_stage: Stage):
    """A year has one file, and a contact one year."""
    years = [year[:4] for year in drawn_stage.files]
    assert len(set(years)) == len(years)
    for text in drawn_stage.files.values():
        rows = text.splitlines()[1:]
        assert len(rows) <= len(drawn_stage.world.relevant)


# --- the attack itself: files that are good, and files that are not ---------------------------------------------------

CONCERNS = ("dras_in", "vill_ut", "natet")
ENVIRONMENTS = ("ingen", "islamistisk")


def made(number: int = 240) -> list[Row]:
    rng, rows = Random(2), []
    for n in range(number):
        row = dict.fromkeys(("result", "caller_role", "relation", "concerns", "environment"), "")
        rows.append(row | {"environment": rng.choice(ENVIRONMENTS), "concerns": CONCERNS[n % 3], "result": "relevant"})
    return rows


def text_of(rows: list[Row], seed: int | None = 1) -> str:
    lines = [f"{row['environment']},{row['concerns']},nej" for row in rows]
    if seed is not None:
        Random(seed).shuffle(lines)
    return "environment,concern_main,concern_more\r\n" + "\r\n".join(lines) + "\r\n"


def test_a_good_file_passes():
    assert row_files.score(text_of(made()), made()).broken() == []


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (lambda rows: [*rows, rows[0] | {"environment": "gang"}], {"k", "prosecutor", "singled out"}),
        (lambda rows: [row | {"concerns": "natet"} for row in rows], {"l", "top share"}),
        (lambda rows: rows[: len(rows) * 9 // 10], {"suppressed"}),
    ],
    ids=["a row of its own", "one secret for all", "too much left out"],
)
def test_a_bad_file_is_found(change, broken):
    rows = change(made())
    contacts = rows if len(rows) >= len(made()) else made()
    assert broken <= set(row_files.score(text_of(rows), contacts).broken())


def test_rows_in_the_order_of_the_calls_are_found():
    rows = sorted(made(), key=lambda row: row["environment"])
    assert "order" in row_files.score(text_of(rows, seed=None), rows).broken()
    assert abs(row_files.tau([1, 2, 3, 4])) == row_files.tau([1.0, 1.5]) == 1
    assert row_files.tau([4, 3, 2, 1]) == -1
    assert Counter([row_files.tau([1, 1, 1])]) == {0.0: 1}
