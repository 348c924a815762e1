"""Which tables the gate looks at together."""

from itertools import combinations

from reports.catalogue import TABLES, TWO_WAY
from reports.disclosure.families import families
from reports.disclosure.patterns import WHOLES, Pattern, pattern_of
from reports.disclosure.tabulate import coordinates_of
from tests.reports.disclosure.worlds import AXES

ALL = families(frozenset(AXES))


def test_every_cell_of_the_catalogue_lies_in_a_family():
    patterns = {
        pattern_of(table, codes, contents)
        for table in TABLES.values()
        if not table.counts_calls
        for codes in coordinates_of(table)
        for contents in table.contents
    }
    assert patterns - WHOLES <= set().union(*(family.patterns for family in ALL))
    some = families(frozenset(axes for axes in AXES if axes[0].id != "county"))
    assert not patterns - WHOLES <= set().union(*(family.patterns for family in some))


def test_variables_that_say_something_of_one_another_are_looked_at_together():
    together = [{axes[0].id for axes in family.axes} for family in ALL if all(len(axes) == 1 for axes in family.axes)]
    assert {"county", "county_part", "county_region"} in together
    assert {"channel", "length", "result"} in together
    assert any({"relation", "age", "age_2", "gender"} <= names for names in together)
    assert any(
        {"concerns", "concerns_6", "needs", "needs_2", "motivation", "plan", "balance"} <= names for names in together
    )
    assert {"urgency"} in together


def test_each_three_of_which_every_two_share_a_table_is_a_family():
    sides = {frozenset(names.split("-")) for names in TWO_WAY}
    variables = sorted(set().union(*sides))
    threes = [
        three for three in combinations(variables, 3) if all(frozenset(two) in sides for two in combinations(three, 2))
    ]
    found = [
        {v.id for axes in family.axes for v in axes} for family in ALL if any(len(axes) == 2 for axes in family.axes)
    ]
    assert threes and all(set(three) in found for three in threes)


def test_an_option_of_several_has_a_complement_and_one_of_a_single_choice_has_not():
    complements = {pair for family in ALL for pair in family.complements}
    concern = Pattern("U4", (("concerns", "natet"),))
    assert (Pattern("U4", ()), concern) in complements
    assert not any(option == Pattern("U4", (("gender", "k"),)) for _, option in complements)
