"""The declared variables of row files: what a contact becomes, and which levels are refused."""

import pytest

from helpline.code_files import NOT_APPLICABLE
from helpline.taxonomy import CODE_LISTS
from reports.catalogue import UNKNOWN
from reports.disclosure import row_variables
from reports.disclosure.row_variables import MAINS, QUASIS, BrokenPolicy, place_of

CONTACT = {
    "caller_role": "yrkes",
    "county_region": "SE11",
    "environment": "hogerext",
    "age": "a15_17",
    "gender": "m",
    "actions": frozenset({"lyssnat", "hanvisat"}),
    "concerns_6": frozenset({"fara", "i_miljon"}),
}


def codes_of(month: int = 3, **changed: str | frozenset[str]) -> list[str]:
    """What a row says of the contact at the finest levels: its main concern and the flag at the end."""
    *places, main, more = place_of(month, *(CONTACT | changed).values())
    finest = [quasi.levels[0].codes[place] for quasi, place in zip(QUASIS, places, strict=True)]
    return [*finest, MAINS[main], "more" if more else "one"]


def test_a_row_says_half_year_role_region_environment_age_gender_and_measures_and_the_main_concern():
    assert codes_of() == ["H1", "yrkes", "SE11", "hogerext", "a15_17", "m", "vidare", "i_miljon", "more"]


@pytest.mark.parametrize(("month", "half"), [(1, "H1"), (6, "H1"), (7, "H2"), (12, "H2")])
def test_a_month_is_known_by_its_half_year_at_most(month, half):
    assert codes_of(month)[0] == half


def test_of_several_measures_and_concerns_the_first_of_the_list_counts_whatever_their_order():
    assert codes_of(actions=frozenset({"formedlat", "akut"}))[6] == "vidare"
    assert codes_of(actions=frozenset({"akut"}))[6] == "samtal"
    assert codes_of(concerns_6=frozenset({"stod_metod"}))[-2:] == ["stod_metod", "one"]


@pytest.mark.parametrize("answer", ["ej_fragat", "vet_ej", "avboj"])
def test_what_was_not_answered_is_no_information_and_what_did_not_apply_says_so(answer):
    assert codes_of(age=answer)[4] == UNKNOWN
    assert codes_of(concerns_6=frozenset({answer}))[-2:] == [UNKNOWN, "one"]
    assert codes_of(age=NOT_APPLICABLE)[4] == NOT_APPLICABLE


def test_no_county_no_month_and_no_set_of_codes_is_in_a_file():
    columns = {level.column for quasi in QUASIS for level in quasi.levels} - {"", row_variables.TIME}
    assert "county" not in columns and not columns & {"needs", "barriers", "concerns", "actions", "month"}
    assert all(CODE_LISTS[column].groups or not CODE_LISTS[column].multiple for column in columns)


def test_each_level_merges_whole_codes_of_the_one_before_and_the_last_leaves_nothing():
    for quasi in QUASIS:
        assert quasi.levels[0].place_of == tuple(range(len(quasi.levels[0].codes)))
        for finer, coarser in zip(quasi.levels, quasi.levels[1:], strict=False):
            pairs = set(zip(finer.place_of, coarser.place_of, strict=True))
            assert len(pairs) == len(set(finer.place_of))
        assert set(quasi.levels[-1].place_of) == {0}


def test_detail_lost_runs_from_nothing_to_all_of_it():
    role = QUASIS[1]
    assert {role.levels[0].detail_lost(place) for place in role.levels[0].place_of} == {0}
    assert role.levels[-1].detail_lost(0) == 1
    others = role.levels[1].codes.index("ovriga")  # four of eight codes
    assert role.levels[1].detail_lost(others) == pytest.approx(3 / 7)


def test_levels_that_cut_across_each_other_are_refused():
    with pytest.raises(BrokenPolicy, match="'county_region'"):
        row_variables._quasi(1, "county_part", "county_region")
    with pytest.raises(BrokenPolicy):
        row_variables._quasi(1, "age", "age_2", "age")


def test_every_column_has_a_name_in_both_languages():
    columns = [level.column for quasi in QUASIS for level in quasi.levels if level.column]
    for language in ("sv", "en"):
        names = row_variables.labels([*columns, row_variables.MAIN, row_variables.MORE], language)
        assert len(set(names.values())) == len(names)
