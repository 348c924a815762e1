"""Which question is asked when."""

import pytest

from helpline import taxonomy
from helpline.taxonomy import CODE_LISTS


def completed(**answers: str) -> dict[str, frozenset[str]]:
    sets = {
        q: frozenset(codes.split()) for q, codes in ({"channel": "telefon", "result": "relevant"} | answers).items()
    }
    return taxonomy.complete(sets)


@pytest.mark.parametrize("result", ["tyst", "bus", "fel", "avbrutet", "test"])
def test_a_short_call_is_asked_nothing_but_channel_result_and_length(result):
    answers = completed(result=result)
    asked = {question for question, codes in answers.items() if codes != {"ej_till"}}
    assert asked == {"channel", "result", "length"}


@pytest.mark.parametrize("concern", ["vill_ut", "aterfall", "dras_in", "aktiv"])
def test_the_way_out_is_asked_about_when_the_concern_opens_it(concern):
    answers = completed(concerns=f"natet {concern}")
    assert [answers[q] for q in ("needs", "motivation", "plan")] == [{"ej_fragat"}] * 3


def test_the_way_out_is_not_asked_about_otherwise():
    answers = completed(concerns="natet metod")
    assert [answers[q] for q in ("needs", "motivation", "plan")] == [{"ej_till"}] * 3


def test_sector_is_a_question_to_professionals_only():
    assert completed(caller_role="yrkes")["sector"] == {"ej_fragat"}
    assert completed(caller_role="narstaende")["sector"] == {"ej_till"}


def test_age_and_gender_are_not_asked_when_the_concern_is_about_nobody_in_particular():
    assert completed(relation="ingen")["age"] == {"ej_till"}
    assert completed(relation="vet_ej")["age"] == {"ej_fragat"}


def test_an_answer_is_kept_although_the_form_would_not_have_asked():
    assert completed(result="tyst", county="01")["county"] == {"01"}
    assert completed(result="tyst", county="vet_ej")["county"] == {"vet_ej"}


def test_not_asked_where_nothing_is_asked_becomes_not_applicable_and_back():
    assert completed(result="tyst", county="ej_fragat")["county"] == {"ej_till"}
    assert completed(result="relevant", county="ej_till")["county"] == {"ej_fragat"}


def test_completing_twice_changes_nothing():
    once = completed(concerns="dras_in", caller_role="yrkes")
    assert taxonomy.complete(once) == once


def test_every_condition_names_questions_and_codes_that_exist():
    for question, conditions in taxonomy.ASKED_WHEN.items():
        assert question in (*taxonomy.QUESTIONS, taxonomy.REFERRALS)
        for condition in conditions:
            assert condition.codes <= set(CODE_LISTS[condition.question].codes)
            before = taxonomy.QUESTIONS.index(condition.question)
            assert question == taxonomy.REFERRALS or before < taxonomy.QUESTIONS.index(question)
