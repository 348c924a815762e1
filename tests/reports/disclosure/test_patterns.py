"""Which set a number counts, and how the sets lie in one another."""

import pytest

from reports.catalogue import TABLES
from reports.counting import CONTACTS, REFERRALS
from reports.disclosure.patterns import U4_ALL, Pattern, pattern_of, relations_among
from tests.reports.disclosure.worlds import AXES, counts_of, records_by_month


def pattern(table: str, *codes: str, contents: str = CONTACTS) -> Pattern:
    return pattern_of(TABLES[table], codes, contents)


def holds(relation, counts, month: int = 0) -> bool:
    value = sum(factor * counts[one][month] for factor, one in relation.terms)
    return value == 0 if relation.is_equal else value <= 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_relation_holds_of_records_that_the_form_made(seed):
    counts = counts_of(records_by_month(seed, 400, months=1))
    relations = relations_among(AXES)
    assert len(relations) > 600
    assert [relation for relation in relations if not holds(relation, counts)] == []


def test_no_pattern_stands_outside_the_relations_and_a_wrong_number_breaks_one():
    counts = counts_of(records_by_month(1, 400, months=1))
    relations = relations_among(AXES)
    totals = {U4_ALL, Pattern("U3", ()), Pattern("U6", (("referral", "_T"),))}
    for one in counts.keys() - totals:
        mine = [relation for relation in relations if any(one == part for _, part in relation.terms)]
        assert any(not holds(relation, counts | {one: [counts[one][0] + 10_000]}) for relation in mine), one


def test_the_same_contacts_have_one_pattern_in_every_table():
    assert pattern("caller_role_3-year", "yrkes") == pattern("caller_role-year", "yrkes")
    assert pattern("environment_3-gender-year", "_T", "k") == pattern("gender-year", "k")
    assert pattern("age_2-year", "_U") == pattern("age-year", "_U")
    assert (
        pattern("caller_role-year", "_T") == pattern("total-year") == pattern("all-result-year", "relevant") == U4_ALL
    )
    assert pattern("referral_type-year", "_T") == pattern("referral_target-year", "_T")
    assert pattern("total-year", contents=REFERRALS) == pattern("referral_type-year", "_T", contents=REFERRALS)


def test_other_contacts_have_another_pattern():
    assert pattern("caller_role_3-year", "ovriga") != pattern("caller_role-year", "allman")
    assert pattern("gender-year", "_T") not in (U4_ALL, pattern("age-year", "_U"))
    assert pattern("all-total-year") != U4_ALL
    assert pattern("referral_type-year", "formedling") != pattern(
        "referral_type-year", "formedling", contents=REFERRALS
    )


def test_a_group_is_the_sum_of_its_codes_and_overlapping_codes_only_cover_it():
    one_way = {axes[0].id: axes for axes in AXES if len(axes) == 1}
    regions = relations_among([one_way["county"], one_way["county_region"]])
    small = Pattern("U4", (("county_region", "SE22"),))
    assert any(r.is_equal and (1, small) in r.terms and len(r.terms) == 3 for r in regions)
    concerns = relations_among([one_way["concerns"], one_way["concerns_6"]])
    milieu = Pattern("U4", (("concerns_6", "i_miljon"),))
    assert not any(r.is_equal and (1, milieu) in r.terms for r in concerns)
    assert any((1, milieu) in r.terms and len(r.terms) == 3 for r in concerns)
    assert not any(small in dict((p, f) for f, p in r.terms) for r in concerns)
