"""What is said of a row file is true, and tells nobody how many rows exactly were left out."""

from collections import Counter

import pytest

from reports.disclosure.microdata import Limits, Solution, Tally, search, tally
from reports.disclosure.row_file import file_of, utility
from reports.disclosure.row_variables import MAIN, MAINS, MORE, QUASIS
from tests.reports.disclosure.made_rows import YEAR, year_of

LIMITS = Limits()


@pytest.fixture(scope="module")
def made() -> tuple[Tally, Solution]:
    rows = tally(year_of(200))
    return rows, search(rows, QUASIS, len(MAINS), LIMITS)


def test_the_file_holds_the_kept_rows_at_the_levels_found(made):
    rows, solution = made
    file = file_of(rows, solution, QUASIS, YEAR)
    expected = Counter[tuple[str, ...]]()
    for ((*places, main, more), n), is_kept in zip(year_of(200).items(), solution.kept, strict=True):
        codes = []
        for quasi, at, place in zip(QUASIS, solution.levels, places, strict=True):
            level = quasi.levels[at]
            if level.column:
                codes.append((str(YEAR) if level.column == "Tid" else "") + level.codes[level.place_of[place]])
        if is_kept:
            expected[(*codes, MAINS[main], "ja" if more else "nej")] += n
    assert Counter(file.rows) == expected
    assert file.columns == ("Tid", "caller_role_3", "county_part", MAIN, MORE)


def test_each_figure_of_the_report_is_what_it_says(made):
    rows, solution = made
    file, said = file_of(rows, solution, QUASIS, YEAR), utility(rows, solution, QUASIS, LIMITS)
    classes = Counter[tuple[str, ...]]()
    for row, n in file.rows.items():
        classes[row[:-2]] += n
    out = said["suppressed"]
    assert said["rows"] == file.n and said["classes"] == len(classes)
    assert said["smallest_class"] == min(classes.values()) >= LIMITS.k
    assert said["average_class_by_k"] == round(file.n / len(classes) / LIMITS.k, 2)
    assert said["discernibility"] == round(sum(n * n for n in classes.values()) / (file.n + out) + out, 1)
    assert abs(out - (rows.total - file.n)) <= 2
    assert said["suppressed_share"] == round(out / (file.n + out), 3)
    assert said["loss"] == pytest.approx(solution.loss, abs=0.002)
    assert said["ncp"]["environment"] == 1 and said["ncp"]["Tid"] == 0


def test_the_bias_is_the_most_by_which_a_share_is_off_rounded_up(made):
    rows, solution = made
    role = QUASIS[1].levels[solution.levels[1]]
    most = 0.0
    for code in range(len(role.codes)):
        logged = sum(n for places, n in year_of(200).items() if role.place_of[places[1]] == code) / rows.total
        kept = sum(
            n
            for (places, n), is_kept in zip(year_of(200).items(), solution.kept, strict=True)
            if is_kept and role.place_of[places[1]] == code
        )
        most = max(most, abs(kept / int(solution.classes.sum()) - logged))
    assert 100 * most <= utility(rows, solution, QUASIS, LIMITS)["largest_bias_percent"] <= 5


@pytest.mark.parametrize(("left_out", "said"), [(0, 5), (1, 5), (2, 5), (7, 5), (8, 10), (12, 10), (13, 15)])
def test_how_many_rows_were_left_out_is_said_in_fives_and_never_as_none(left_out, said):
    places = (0,) * len(QUASIS)
    rows = {(*places, main, 0): 300 for main in range(3)}
    elsewhere = (0, 1, *places[2:], 0, 0)
    counted = tally(Counter(rows | ({elsewhere: left_out} if left_out else {})))
    limits = Limits(k=14, fewest_rows=600)
    solution = search(counted, QUASIS, len(MAINS), limits)
    assert counted.total - solution.classes.sum() == left_out
    report = utility(counted, solution, QUASIS, limits)
    assert report["suppressed"] == said and report["largest_bias_percent"] >= 1
    assert report["suppressed_share"] == round(said / (900 + said), 3)
