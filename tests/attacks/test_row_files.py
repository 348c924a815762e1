"""T8: no row of a row file singles anybody out, and no contact is in two of them."""

from collections import Counter
from random import Random

import pytest

from tests.attacks import row_files
from tests.attacks.conftest import Stage
from tests.attacks.scope import tell
from tests.oracle import Row


def test_no_row_singles_anybody_out(request, stage_with_file: Stage):
    relevant = stage_with_file.world.relevant
    ((year, file),) = stage_with_file.files.items()
    of_year = [row for row in relevant if row["day"].startswith(year)]
    found = row_files.score(file.text, of_year)
    figures = {name: float(getattr(found, name)) for name in ("prosecutor", "marketer", "top_share", "suppressed")}
    tell(
        request, "T8", stage_with_file.world.name, rows=found.rows, k=found.smallest, l=found.fewest_secrets, **figures
    )
    assert not found.broken(), found
    assert found.rows >= 600


def test_no_contact_is_in_a_file_twice_or_in_that_of_another_year(drawn_stage: Stage):
    """No more rows with a half-year and a main concern than contacts of it."""
    for year, file in drawn_stage.files.items():
        of_year = [row for row in drawn_stage.world.relevant if row["day"].startswith(year)]
        assert len(file.text.splitlines()) - 1 <= len(of_year) <= len(file.text.splitlines()) - 1 + file.left_out


def test_a_year_of_few_has_no_file(drawn_stage: Stage):
    assert (len(drawn_stage.world.relevant) >= 600) >= bool(drawn_stage.files)


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
