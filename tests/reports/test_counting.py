"""What is counted, in which unit, on which base."""

from helpline.taxonomy import CODE_LISTS, QUESTIONS
from reports.counting import COUNTED, count_contacts, count_referrals


def row(**changed):
    blank = {q: frozenset({"ej_till"}) if CODE_LISTS[q].multiple else "ej_till" for q in QUESTIONS}
    return blank | {"channel": "telefon", "result": "relevant"} | changed


def test_a_contact_counts_once_for_each_of_its_codes():
    cells = count_contacts([row(concerns=frozenset({"natet", "hot"})), row(concerns=frozenset({"hot"}))])
    assert (cells["concerns", "natet"], cells["concerns", "hot"], cells["result", "relevant"]) == (1, 2, 2)


def test_a_call_that_is_not_relevant_counts_among_all_contacts_only():
    cells = count_contacts([row(result="info", caller_role="yrkes", length="u5")])
    assert cells == {("channel", "telefon"): 1, ("result", "info"): 1, ("length", "u5"): 1}


def test_a_referral_counts_once_for_target_type_and_outcome():
    cells = count_referrals([{"target": "social", "type": "hanvisning", "outcome": "ej_uppf"}] * 2)
    assert cells["referral_target", "social"] == cells["referral_type", "hanvisning"] == 2
    assert sum(cells.values()) == 6


def test_each_counted_variable_is_a_code_list_with_a_unit_and_a_base():
    assert set(COUNTED) == {*QUESTIONS, "referral_target", "referral_type", "referral_outcome"}
    assert {v for v, counted in COUNTED.items() if counted.base == "U3"} == {"channel", "result", "length"}
    assert {v for v, counted in COUNTED.items() if counted.unit == "hanvisningar"} == {
        v for v in COUNTED if "referral" in v
    }
