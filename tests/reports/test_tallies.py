"""What the database counts is what is counted row by row, whatever was stored."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from helpline.code_files import FIRST_BIT
from helpline.models import Contact, Referral
from helpline.taxonomy import CODE_LISTS, QUESTIONS
from reports import counting, tallies
from reports.counting import COUNTED, Cells

pytestmark = pytest.mark.django_db

DAYS = [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1)]


def answer(question: str) -> st.SearchStrategy[Any]:
    code_list = CODE_LISTS[question]
    if not code_list.multiple:
        return st.sampled_from(sorted(code_list.codes))
    of_bits = {code.bit: code.code for code in code_list.codes.values() if code.bit is not None}
    alone = st.sampled_from([of_bits[bit] for bit in of_bits if bit < FIRST_BIT]).map(lambda code: frozenset({code}))
    answers = st.frozensets(st.sampled_from([of_bits[bit] for bit in of_bits if bit >= FIRST_BIT]), min_size=1)
    return alone | answers


CONTACT = st.fixed_dictionaries(
    {question: answer(question) for question in QUESTIONS}
    | {"result": st.sampled_from(["relevant", "relevant", *sorted(CODE_LISTS["result"].codes)])}
    | {"day": st.sampled_from(DAYS), "is_withdrawn": st.booleans(), "is_frozen": st.booleans()}
)
REFERRAL = st.fixed_dictionaries(
    {part: st.sampled_from(sorted(CODE_LISTS[f"referral_{part}"].codes)) for part in ("target", "outcome")}
    | {"is_repeat": st.booleans()}
)


def oracle(stored: list[tuple[Mapping[str, Any], list[Mapping[str, Any]]]], day: date) -> Cells:
    """Every row in hand, one after the other."""
    counted = [c for c in stored if c[0]["day"] == day and not c[0]["is_withdrawn"] and not c[0]["is_frozen"]]
    referrals = [r for contact, of in counted if contact["result"] == "relevant" for r in of if not r["is_repeat"]]
    return counting.count_contacts(contact for contact, _ in counted) + counting.count_referrals(referrals)


@settings(max_examples=60)
@given(stored=st.lists(st.tuples(CONTACT, st.lists(REFERRAL, max_size=3, unique_by=lambda r: r["target"])), max_size=8))
def test_the_database_counts_as_one_counts_by_hand(stored):
    stored = [(contact, [r | {"type": "hanvisning"} for r in referrals]) for contact, referrals in stored]
    with transaction.atomic():
        for said, referrals in stored:
            contact = Contact.objects.create(**said)
            Referral.objects.bulk_create(Referral(contact=contact, consent=False, **r) for r in referrals)
        expected = {day: oracle(stored, day) for day in DAYS}
        assert tallies.of_days(DAYS) == expected
        month = {day: cells for day, cells in expected.items() if day.month == 3 and cells}
        assert tallies.of_month(date(2026, 3, 1), date(2026, 4, 1)) == month
        some = ("result", "concerns", "referral_missing")
        assert tallies.of_days(DAYS[:2], some) == {
            day: Cells({cell: n for cell, n in expected[day].items() if cell[0] in some}) for day in DAYS[:2]
        }
        transaction.set_rollback(True)


def contact(day: date = DAYS[0], **said: Any) -> Contact:
    plain = {q: frozenset({"ej_fragat"}) if CODE_LISTS[q].multiple else "ej_fragat" for q in QUESTIONS}
    return Contact.objects.create(day=day, **plain | {"result": "relevant"} | said)


def test_the_comparison_tells_a_code_that_is_counted_once_too_often():
    contact(concerns=frozenset({"hot", "natet"}))
    by_hand = counting.count_contacts(Contact.objects.values(*QUESTIONS))
    assert tallies.of_days(DAYS[:1]) == {DAYS[0]: by_hand}
    assert tallies.of_days(DAYS[:1]) != {DAYS[0]: by_hand + Cells({("concerns", "hot"): 1})}


def test_without_a_day_or_a_variable_nobody_is_asked():
    contact()
    with CaptureQueriesContext(connection) as asked:
        assert tallies.of_days([]) == {}
        assert tallies.of_days(DAYS[:1], ()) == {DAYS[0]: Cells()}
    assert len(asked) == 0


def test_one_statement_counts_everything_whatever_there_is():
    for day in DAYS:
        contact(day)
    with CaptureQueriesContext(connection) as asked:
        tallies.of_days(DAYS)
    assert len(counting_of := [q["sql"] for q in asked if "count(*)" in q["sql"]]) == 1
    # Each source is read once: all contacts, the relevant ones, the referrals.
    assert counting_of[0].count('FROM "helpline_contact"') + counting_of[0].count('FROM "helpline_referral"') == 3


def test_every_variable_is_counted_by_one_of_the_sources():
    for variables in (tuple(COUNTED), ("referral_type",), ("length", "urgency")):
        named = [name for _, names in tallies._sources(variables) for name in names]
        assert sorted(named) == sorted(variables)


def test_the_callers_transaction_keeps_its_own_plans():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no settings of plans")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '5MB'")
        before = settings_of_plans()
        tallies.of_days(DAYS)
        tallies.of_month(DAYS[0], DAYS[-1])
        assert settings_of_plans() == before and before[0] == "5MB"


@pytest.mark.parametrize(("plans", "workers"), [(tallies.PLANS, "2"), (tallies.OF_DAYS, "0")])
def test_while_it_counts_the_plans_are_its_own(plans, workers):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no settings of plans")
    with tallies._planned(plans):
        assert settings_of_plans() == ["64MB", "off", "off"]
        with connection.cursor() as cursor:
            cursor.execute("SHOW max_parallel_workers_per_gather")
            assert cursor.fetchone()[0] == workers


def settings_of_plans() -> list[str]:
    found = []
    with connection.cursor() as cursor:
        for name in ("work_mem", "enable_hashjoin", "enable_mergejoin"):
            cursor.execute(f"SHOW {name}")
            found.append(cursor.fetchone()[0])
    return found
