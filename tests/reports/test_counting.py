"""What is counted, in which unit, on which base."""

import pytest

from helpline.taxonomy import CODE_LISTS, QUESTIONS
from reports.counting import COUNTED, balance, count_contacts, count_referrals


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
    of_referrals = {"referral_target", "referral_type", "referral_outcome", "referral_missing"}
    assert set(COUNTED) == {*QUESTIONS, *of_referrals}
    assert {v for v, counted in COUNTED.items() if counted.base == "U3"} == {"channel", "result", "length"}
    assert {v for v, counted in COUNTED.items() if counted.unit == "hanvisningar"} == {
        v for v in COUNTED if "referral" in v
    }


@pytest.mark.parametrize(
    ("needs", "targets", "code"),
    [
        ("s_familj p_arbete", "", "ingen"),
        ("s_familj p_arbete", "civil", "en"),
        ("s_familj p_arbete", "bostad arbstud", "en"),
        ("s_familj p_arbete", "civil bostad", "bada"),
        ("s_familj p_arbete", "social", "bada"),
        ("s_familj s_vanner", "civil bostad", "ej_till"),
        ("p_arbete", "social", "ej_till"),
        ("ej_fragat", "social", "ej_till"),
    ],
)
def test_the_balance_of_a_contact_is_where_it_was_referred_when_it_has_needs_of_both_kinds(needs, targets, code):
    assert balance(frozenset(needs.split()), targets.split()) == code


def test_every_need_and_every_target_has_a_dimension():
    for name in ("needs", "referral_target"):
        without = {c.code for c in CODE_LISTS[name].codes.values() if c.dimension is None}
        assert without == CODE_LISTS[name].codes.keys() & CODE_LISTS["non_answers"].codes.keys()


def test_referrals_without_receiver_locally_are_counted_by_target_on_their_own():
    rows = [{"target": "vard", "type": "hanvisning", "outcome": outcome} for outcome in ("saknas", "saknas", "avvisad")]
    cells = count_referrals(rows)
    assert cells["referral_missing", "vard"] == 2 and cells["referral_target", "vard"] == 3
