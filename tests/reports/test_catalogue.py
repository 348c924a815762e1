"""The declared tables, and the ones that the rules refuse."""

import pytest

from reports import catalogue
from reports.catalogue import PERIODS, TABLES, TWO_WAY, VARIABLES, BrokenCatalogue, Table, Variable, tables_of


def test_there_are_at_least_twenty_one_way_and_eight_two_way_tables():
    families = {(table.base, table.variables) for table in TABLES.values()}
    assert sum(len(variables) == 1 for _, variables in families) >= 20
    assert sum(len(variables) == 2 for _, variables in families) >= 8


def test_every_cross_table_of_the_indicators_that_groups_allow_is_there():
    assert {"caller_role_3-concerns_6", "environment_3-needs_2", "caller_role_3-age_2"} <= set(TWO_WAY)
    assert {"county-year", "awareness-halfyear", "all-result-month", "concerns-quarter", "total-month"} <= set(TABLES)


def test_a_table_exists_for_its_finest_period_and_every_longer_one():
    assert {f"concerns-{period}" for period in ("quarter", "halfyear", "year", "pilot")} <= set(TABLES)
    assert "concerns-month" not in TABLES and "county-quarter" not in TABLES and "concerns_6-age_2-month" not in TABLES


def test_the_id_of_a_table_is_its_variables_and_its_period():
    assert TABLES["caller_role_3-concerns_6-year"].variables == (VARIABLES["caller_role_3"], VARIABLES["concerns_6"])
    assert TABLES["all-total-month"].base == "U3" and TABLES["total-month"].base == "U4"


def test_calls_have_a_table_for_each_period_and_no_variable():
    traffic = [table for table in TABLES.values() if table.counts_calls]
    assert [table.id for table in traffic] == [f"traffic-{period.replace('-', '')}" for period in PERIODS]
    with pytest.raises(BrokenCatalogue, match="nothing of what was said"):
        catalogue._refuse_rule_breakers(Table("U1", (VARIABLES["gender"],), "year"))


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ("caller_role_3-concerns_6-age_2", "at most 2 variables"),
        ("concerns-age_2", "'concerns' has single codes"),
        ("concerns_6-needs", "'needs' has single codes"),
        ("county-gender", "'county' has single codes"),
        ("all_result-gender", "all_result"),
        ("result-gender", "'gender' is known of U4, the table counts U3"),
        ("concerns_6-concerns_6", "cross a variable with itself"),
        ("county_part-county_region", "cross a variable with itself"),
    ],
)
def test_a_table_that_breaks_a_rule_is_refused_when_the_code_loads(names, why):
    with pytest.raises((BrokenCatalogue, KeyError), match=why):
        tables_of([names])


def test_a_table_declared_twice_is_refused():
    with pytest.raises(BrokenCatalogue, match="declared twice"):
        tables_of(["gender", "gender"])


def test_a_variable_finer_than_it_may_be_is_refused():
    table = Table("U4", (Variable("needs", "quarter"),), "month")
    with pytest.raises(BrokenCatalogue, match="'needs' is published by quarter or longer"):
        catalogue._refuse_rule_breakers(table)
    with pytest.raises(BrokenCatalogue, match="by year, one-way"):
        catalogue._refuse_rule_breakers(Table("U4", (Variable("county", "month"),), "quarter"))
    with pytest.raises(BrokenCatalogue, match="none of the nested calendar periods"):
        catalogue._refuse_rule_breakers(Table("U4", (), "week"))


def test_the_periods_are_the_nested_ones_and_no_weeks_or_tertials():
    assert PERIODS == ("month", "quarter", "half-year", "year", "pilot")


def test_no_published_variable_is_a_free_text_a_clock_or_a_handler():
    from helpline.taxonomy import CODE_LISTS

    assert set(VARIABLES) <= set(CODE_LISTS)


def test_density_counts_the_codes_and_no_information_but_not_the_total():
    assert TABLES["concerns_6-year"].size == 7
    assert TABLES["caller_role_3-concerns_6-year"].size == 28
    assert TABLES["referral_target_6-year"].size == 6
    assert TABLES["total-year"].size == 1
