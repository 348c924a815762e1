"""The made-up contacts: the same every time, plausible, and never an answer that the form would not have asked for."""

import shutil
from collections import Counter
from datetime import date

import pytest

from helpline import code_files, synthetic, taxonomy
from helpline import entries as helpline_entries
from helpline.entries import ContactEntry
from helpline.taxonomy import CODE_LISTS, NOT_APPLICABLE, QUESTIONS

SINCE, UNTIL = date(2025, 1, 1), date(2026, 12, 1)


def made(since: date = SINCE, until: date = UNTIL, *, seed: int = 1, contacts_a_month: int = 100, skip: int = 0):
    pilot = {"seed": seed, "since": since, "until": until, "contacts_a_month": contacts_a_month}
    return list(synthetic.entries(**pilot, skip=skip))


@pytest.fixture(scope="module")
def pilot() -> list[ContactEntry]:
    return [entry for _, entry in made()]


@pytest.fixture(scope="module")
def many() -> list[ContactEntry]:
    return [entry for _, entry in made(until=date(2025, 2, 1), contacts_a_month=9000)]


def share(entries: list[ContactEntry], question: str, *codes: str) -> float:
    """Of those who were asked, how many gave one of the codes."""
    asked = [entry for entry in entries if entry.answers[question] != {NOT_APPLICABLE}]
    return sum(bool(entry.answers[question] & set(codes)) for entry in asked) / len(asked)


def of_result(entries: list[ContactEntry], result: str) -> list[ContactEntry]:
    return [entry for entry in entries if entry.code("result") == result]


# --- the same every time ---------------------------------------------------------------------------------------------


def test_the_same_seed_start_and_volume_give_the_same_contacts():
    assert made(until=date(2025, 2, 1)) == made(until=date(2025, 2, 1))


def test_another_seed_gives_other_days_and_other_answers():
    one, other = dict(made(until=date(2025, 3, 1))), dict(made(until=date(2025, 3, 1), seed=2))
    assert set(one) != set(other)
    assert sum(one[key] == other[key] for key in set(one) & set(other)) < len(one) / 10


def test_a_later_end_only_adds_to_the_contacts_of_an_earlier_end():
    earlier, later = made(until=date(2025, 3, 12)), made(until=date(2025, 6, 1))
    assert later[: len(earlier)] == earlier
    assert len(later) > len(earlier)


@pytest.mark.parametrize("skip", [0, 1, 7, 95, 10_000])
def test_going_on_after_some_contacts_gives_the_rest(skip):
    assert made(until=date(2025, 3, 1), skip=skip) == made(until=date(2025, 3, 1))[skip:]


def test_no_two_contacts_have_the_same_key():
    keys = [key for key, _ in made(until=date(2025, 7, 1))]
    assert len(set(keys)) == len(keys)


def test_the_count_is_the_number_of_contacts(pilot):
    assert synthetic.count(seed=1, since=SINCE, until=UNTIL, contacts_a_month=100) == len(pilot)


def test_no_contact_lies_outside_the_span():
    days = [entry.day for _, entry in made(date(2025, 5, 5), date(2025, 5, 7), contacts_a_month=1000)]
    assert set(days) == {date(2025, 5, 5), date(2025, 5, 6)}
    assert days == sorted(days)


# --- when people call ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 11, 22), "a Sunday"),
        (date(2026, 1, 6), "Epiphany"),
        (date(2026, 4, 3), "Good Friday"),
        (date(2026, 4, 6), "Easter Monday"),
        (date(2024, 4, 1), "Easter Monday of a leap year"),
        (date(2025, 5, 29), "Ascension Day"),
        (date(2025, 6, 6), "the National Day"),
        (date(2026, 6, 19), "Midsummer Eve"),
        (date(2026, 12, 24), "Christmas Eve"),
    ],
)
def test_offices_are_closed_on(day, name):
    assert not synthetic.is_office_day(day), name


@pytest.mark.parametrize("day", [date(2026, 11, 20), date(2026, 4, 2), date(2026, 4, 7), date(2026, 6, 26)])
def test_offices_are_open_on_a_plain_weekday(day):
    assert synthetic.is_office_day(day)


def test_nearly_all_contacts_lie_on_office_days_and_a_few_on_others(pilot):
    others = sum(not synthetic.is_office_day(entry.day) for entry in pilot)
    assert 0 < others < 0.03 * len(pilot)


def test_a_month_holds_about_as_many_contacts_as_asked_for(pilot):
    assert 85 < len(pilot) / 23 < 115


def test_summer_is_quiet_and_autumn_is_busy(pilot):
    months = Counter((entry.day.year, entry.day.month) for entry in pilot)
    for year in (2025, 2026):
        autumn = (months[year, 9] + months[year, 10] + months[year, 11]) / 3
        assert months[year, 7] < 0.75 * autumn
        assert 100 < autumn


# --- what they say ---------------------------------------------------------------------------------------------------


def test_no_question_is_answered_that_the_form_would_not_have_asked(pilot):
    assert not [
        (entry.day, question)
        for entry in pilot
        for question in QUESTIONS
        if taxonomy.is_asked(question, entry.answers) == (entry.answers[question] == {NOT_APPLICABLE})
    ]
    assert all(taxonomy.is_asked("referrals", entry.answers) for entry in pilot if entry.referrals)


def test_the_pilot_has_contacts_to_whom_a_question_was_not_put(pilot):
    """Without this the test above would pass on a pilot in which everybody is asked everything."""
    for question in taxonomy.ASKED_WHEN:
        if question != taxonomy.REFERRALS:
            put = [entry.answers[question] != {NOT_APPLICABLE} for entry in pilot]
            assert any(put) and not all(put), question


def test_about_half_are_relevant_and_a_fifth_wants_information(pilot):
    assert 0.44 < share(pilot, "result", "relevant") < 0.56
    assert 0.15 < share(pilot, "result", "info") < 0.25
    assert 0.2 < share(pilot, "result", "tyst", "avbrutet", "fel", "bus", "test") < 0.4


def test_relevant_contacts_are_the_long_ones(pilot):
    assert share(of_result(pilot, "relevant"), "length", "30_59", "60") > 0.35
    assert share(of_result(pilot, "info"), "length", "30_59", "60") < 0.06
    assert share(of_result(pilot, "tyst"), "length", "u5") > 0.85


def test_professionals_and_relatives_are_most_of_the_callers(pilot):
    relevant = of_result(pilot, "relevant")
    assert 0.3 < share(relevant, "caller_role", "yrkes") < 0.5
    assert 0.28 < share(relevant, "caller_role", "narstaende") < 0.45
    assert 0.02 < share(relevant, "caller_role", "sjalv") < 0.1


def test_the_environment_is_mostly_islamist_then_right_wing(pilot):
    assert 0.35 < share(pilot, "environment", "islamistisk") < 0.55
    assert 0.18 < share(pilot, "environment", "hogerext") < 0.35
    assert share(pilot, "environment", "vansterext") < 0.1


def test_the_big_counties_call_most_and_a_small_one_now_and_then(pilot):
    assert 0.15 < share(pilot, "county", "01") < 0.3
    assert 0.1 < share(pilot, "county", "14") < 0.24
    assert 0 < share(pilot, "county", "09") < 0.03


def test_one_to_three_concerns_are_named(pilot):
    numbers = Counter(len(entry.answers["concerns"]) for entry in of_result(pilot, "relevant"))
    assert set(numbers) == {1, 2, 3}
    assert numbers[1] > numbers[3]


def test_about_half_of_the_relevant_contacts_are_referred_and_few_of_the_referrals_followed_up(pilot):
    relevant = of_result(pilot, "relevant")
    referrals = [referral for entry in relevant for referral in entry.referrals]
    assert 0.4 < sum(bool(entry.referrals) for entry in relevant) / len(relevant) < 0.6
    assert 0.7 < sum(referral.outcome == "ej_uppf" for referral in referrals) / len(referrals) < 0.92
    arranged = [referral for referral in referrals if referral.type == "formedling"]
    assert 0.08 < len(arranged) / len(referrals) < 0.35
    assert all(referral.consent for referral in arranged)


def test_a_contact_has_a_referral_exactly_when_its_actions_say_so(pilot):
    for entry in of_result(pilot, "relevant"):
        assert {r.type == "formedling" for r in entry.referrals} == {
            action == "formedlat" for action in entry.answers["actions"] & {"hanvisat", "formedlat"}
        }


def test_most_speak_swedish_and_need_no_language_support(pilot):
    assert 0.82 < share(pilot, "language", "sv") < 0.95
    swedish = [entry for entry in pilot if entry.code("language") == "sv"]
    others = [entry for entry in pilot if entry.answers["language"] & {"ar", "so", "fa", "ku"}]
    assert share(swedish, "language_support", "ej_behov") > 0.95
    assert share(others, "language_support", "ej_behov") < 0.15


def test_a_code_is_not_used_from_the_day_on_which_it_is_retired(tmp_path, monkeypatch):
    folder = shutil.copytree(code_files.FOLDER, tmp_path / "codelists")
    text = (folder / "language.toml").read_text(encoding="utf-8")
    swedish = 'code = "sv"\n'
    (folder / "language.toml").write_text(
        text.replace(swedish, swedish + "retired_on = 2025-03-01\n"), encoding="utf-8"
    )
    lists = code_files.load(folder)
    assert lists["language"].codes["sv"].retired_on == date(2025, 3, 1)
    monkeypatch.setattr(synthetic, "CODE_LISTS", lists)
    monkeypatch.setattr(helpline_entries, "CODE_LISTS", lists)
    days = [entry.day for _, entry in made(until=date(2025, 4, 1)) if entry.code("language") == "sv"]
    assert date(2025, 2, 20) < max(days) < date(2025, 3, 1)


@pytest.mark.parametrize("question", [*QUESTIONS, "referral_target", "referral_type", "referral_outcome"])
def test_every_code_of_every_list_comes_up(many, question):
    if question in QUESTIONS:
        seen = {code for entry in many for code in entry.answers[question]}
    else:
        part = question.removeprefix("referral_")
        seen = {getattr(referral, part) for entry in many for referral in entry.referrals}
    assert seen >= {code.code for code in CODE_LISTS[question].offered_on(UNTIL)}


def test_every_weight_stands_for_a_code_that_its_list_has():
    """A misspelt code would silently get the weight of a rare one."""
    for list_id, table in synthetic.TABLES.items():
        for _when, weights in table:
            assert set(weights) <= set(CODE_LISTS[list_id].codes), list_id
    for question, shares in synthetic.HOW_MANY.items():
        assert CODE_LISTS[question].multiple and sum(shares) == 100


def test_every_question_has_a_table_that_ends_with_a_line_for_everybody():
    for list_id in (*QUESTIONS, "referral_target", "referral_outcome"):
        assert synthetic.TABLES[list_id][-1][0] is synthetic.ELSE, list_id
    assert all(when.question in QUESTIONS for table in synthetic.TABLES.values() for when, _ in table)
    assert all(when.codes <= set(CODE_LISTS[when.question].codes) for t in synthetic.TABLES.values() for when, _ in t)


def test_a_condition_looks_only_at_questions_that_were_asked_before():
    for list_id, table in synthetic.TABLES.items():
        before = QUESTIONS[: QUESTIONS.index(list_id)] if list_id in QUESTIONS else QUESTIONS
        assert all(when is synthetic.ELSE or when.question in before for when, _ in table), list_id
