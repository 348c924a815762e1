"""The contact form as it stands between a handler and an entry, and the wording of each refusal."""

import json
import re
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from helpline import taxonomy
from helpline.code_files import NOT_APPLICABLE
from helpline.contact_form import SECTIONS, ContactForm
from helpline.drafts import ROWS
from helpline.entries import Finding, Reason, ReferralEntry, read_entry
from helpline.taxonomy import CODE_LISTS, NON_ANSWERS, QUESTIONS, REFERRALS, When
from helpline.wording import explain

TODAY = date(2026, 3, 4)
KEY = "6f2b0f0e-3a8e-4c54-9d0e-2f6d5d7f1a11"


def posted(**answers: str | list[str]) -> QueryDict:
    """What a browser sends: the least that can be saved, and whatever is given beside or instead of it."""
    query = QueryDict(mutable=True)
    for name, value in (
        {"key": KEY, "day": "2026-03-04", "channel": "telefon", "result": "relevant"} | answers
    ).items():
        query.setlist(name.replace("__", "-"), [value] if isinstance(value, str) else value)
    return query


def form(**answers: str | list[str]) -> ContactForm:
    return ContactForm(today=TODAY, posted=posted(**answers))


def question(shown: ContactForm, name: str) -> dict:
    found = [q for section in shown.sections().values() for q in section["questions"] if q.get("id") == name]
    return found[0]


def chosen(shown: ContactForm, name: str) -> set[str]:
    q = question(shown, name)
    options = [option for _, part in q["parts"] for option in part] + q["silent"]
    return {code for code, _, is_chosen in options if is_chosen}


# --- the wording ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_is_one_sentence_in_each_language(reason):
    texts = set()
    for language in ("sv", "en"):
        with translation.override(language):
            text = explain(Finding("county", reason))
        assert text.count(". ") == 0 and text[-1] in ".?" and ":" in text
        texts.add(text)
    assert len(texts) == 2


def test_a_code_that_was_perhaps_meant_is_named():
    with translation.override("sv"):
        assert "menade du 01?" in explain(Finding("county", Reason.UNKNOWN, "01"))


def test_a_half_filled_referral_is_told_apart_from_a_missing_answer():
    assert explain(Finding(REFERRALS, Reason.MISSING)) != explain(Finding("result", Reason.MISSING))


# --- what the form asks ---------------------------------------------------------------------------------------------


def test_the_sections_ask_every_question_once_and_nothing_else():
    asked = [q for questions in SECTIONS.values() for q in questions]
    assert sorted(asked) == sorted((*QUESTIONS, REFERRALS))


def test_the_milieu_comes_after_the_situation_and_the_needs_begin_with_the_social_ones():
    concern = SECTIONS["concern"]
    assert concern.index("concerns") < concern.index("environment")
    with translation.override("sv"):
        headings = [heading for heading, _ in question(form(), "needs")["parts"]]
    assert len(headings) == 2 and headings[0] == CODE_LISTS["needs_2"].codes["social"].label("sv")


# The lines under the headings say this in words: whoever changes the table reads them again.
LINES = {
    "call": {},
    "caller": {"_SPOKE": {"caller_role", "sector", "caller_gender", "caller_adult"}},
    "concern": {"_SOMEONE": {"age", "gender"}},
    "way_out": {"_EXIT": {"needs", "motivation", "plan"}},
    "done": {"_SPOKE": {"actions", "urgency"}},
    "rest": {"_SPOKE": {"awareness", "language", "language_support"}},
}


@pytest.mark.parametrize("section", SECTIONS)
def test_the_line_under_a_heading_says_what_the_relevance_table_says(section):
    for name in ("_SPOKE", "_SOMEONE", "_EXIT"):
        condition = getattr(taxonomy, name)
        meant = {q for q in SECTIONS[section] if condition in taxonomy.ASKED_WHEN.get(q, ())}
        assert meant == LINES[section].get(name, set()), name


def test_a_fresh_form_holds_today_and_the_telephone_and_asks_nothing_else_for_an_answer():
    fresh = ContactForm(today=TODAY)
    assert fresh.day == TODAY and chosen(fresh, "channel") == {"telefon"}
    assert chosen(fresh, "result") == set()
    for name in set(QUESTIONS) - {"channel", "result"}:
        assert chosen(fresh, name) == (set() if CODE_LISTS[name].multiple else {"ej_fragat"}), name


def test_non_answers_stand_apart_and_where_several_may_be_chosen_none_says_not_asked():
    silent = {name: [code for code, *_ in question(form(), name)["silent"]] for name in ("age", "concerns", "result")}
    assert silent == {"age": ["ej_fragat", "vet_ej", "avboj"], "concerns": ["vet_ej", "avboj"], "result": []}


def test_a_form_offers_the_codes_of_its_day_and_never_not_applicable():
    for name in QUESTIONS:
        q = question(form(), name)
        offered = {code for _, part in q["parts"] for code, *_ in part}
        assert offered == {c.code for c in CODE_LISTS[name].offered_on(TODAY)} - set(NON_ANSWERS)


def test_the_page_is_told_of_every_question_what_the_relevance_table_says():
    said = {q["id"]: json.loads(q["asked_when"]) for part in form().sections().values() for q in part["questions"]}
    assert set(said) == {*QUESTIONS, REFERRALS}
    for name, conditions in said.items():
        read = tuple(When(c["question"], frozenset(c["codes"]), c["unless"]) for c in conditions)
        assert read == taxonomy.ASKED_WHEN.get(name, ())


# --- from answers to an entry ---------------------------------------------------------------------------------------


def test_two_answers_are_enough():
    entry = form().entry()
    assert entry is not None and (entry.day, entry.code("result")) == (TODAY, "relevant")
    assert entry.code("county") == "ej_fragat" and entry.answers["concerns"] == {"ej_fragat"}


def test_everything_that_was_chosen_arrives():
    entry = form(concerns=["aktiv", "hot"], county="01", age="a15_17", caller_role="narstaende").entry()
    assert entry is not None
    assert entry.answers["concerns"] == {"aktiv", "hot"}
    assert (entry.code("county"), entry.code("age"), entry.code("caller_role")) == ("01", "a15_17", "narstaende")


def test_a_missing_result_is_refused_and_what_was_chosen_stays():
    shown = form(result="", concerns=["aktiv"], county="01")
    assert shown.entry() is None and set(shown.errors) == {"result"}
    assert (chosen(shown, "concerns"), chosen(shown, "county")) == ({"aktiv"}, {"01"})
    assert [place for place, _, _ in shown.summary()] == ["result"]


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        ("2026-03-04", None),
        ("2026-02-25", None),
        ("2026-02-24", Reason.DAY_TOO_OLD),
        ("2026-03-05", Reason.DAY_AHEAD),
        ("4 mars", Reason.NOT_A_DAY),
        ("", Reason.MISSING),
        ("2026-03-04\x00", Reason.NOT_A_DAY),
    ],
)
def test_the_day_lies_within_the_last_week(day, reason):
    shown = form(day=day)
    entry = shown.entry()
    assert (entry is None) == (reason is not None)
    assert shown.errors.get("day", []) == ([explain(Finding("day", reason))] if reason else [])


def test_how_far_back_is_a_setting(settings):
    settings.HELPLINE_BACKDATE_DAYS = 0
    assert form(day="2026-03-03").entry() is None and form(day="2026-03-04").entry() is not None


def test_an_answer_that_stands_alone_is_refused_beside_others_in_its_place():
    shown = form(concerns=["aktiv", "avboj"])
    assert shown.entry() is None and list(shown.errors) == ["concerns"]
    assert chosen(shown, "concerns") == {"aktiv", "avboj"}


@pytest.mark.parametrize("key", ["", "1", "6f2b0f0e", "\x00" * 36, "å" * 32])
def test_a_form_without_its_key_gets_a_new_one_and_stores_nothing(key):
    shown = form(key=key)
    assert shown.entry() is None and list(shown.errors) == ["key"] and isinstance(shown.key, UUID)
    again = form(key=str(shown.key))
    assert again.entry() is not None and again.key == shown.key


@pytest.mark.parametrize(
    ("told", "beside", "asked_beside"),
    [
        ({"sector": "skola"}, {"caller_role": "narstaende"}, {"caller_role": "yrkes"}),
        ({"age": "a15_17"}, {"relation": "ingen"}, {"relation": "barn"}),
        ({"needs": ["s_familj"]}, {"concerns": ["hot"]}, {"concerns": ["aktiv"]}),
        ({"needs": ["s_familj"]}, {"concerns": ["aktiv"], "result": "tyst"}, {"concerns": ["aktiv"]}),
        ({"concerns": ["hot"]}, {"result": "info"}, {"result": "relevant"}),
        ({"sector": "skola"}, {"caller_role": "yrkes", "result": "tyst"}, {"caller_role": "yrkes", "result": "info"}),
    ],
)
def test_an_answer_to_what_is_not_asked_is_dropped_and_a_file_keeps_it(told, beside, asked_beside):
    ((name, said),) = told.items()
    codes = frozenset([said] if isinstance(said, str) else said)
    entry, asked = form(**told, **beside).entry(), form(**told, **asked_beside).entry()
    assert entry is not None and entry.answers[name] == {NOT_APPLICABLE}
    assert asked is not None and asked.answers[name] == codes
    least = {"channel": "telefon", "result": "relevant"} | told | beside
    in_file = read_entry(TODAY, {q: [said] if isinstance(said, str) else said for q, said in least.items()})
    assert in_file.answers[name] == codes


def test_what_is_not_asked_refuses_nothing_and_is_still_refused_where_it_is_asked():
    wrong = {"concerns": ["aktiv", "avboj"], "referral__0__target": "social"}
    entry = form(result="tyst", **wrong).entry()
    assert entry is not None and entry.referrals == ()
    shown = form(**wrong)
    assert shown.entry() is None and set(shown.errors) == {"concerns", "referral-0"}


def test_the_page_is_told_which_answers_stand_alone_where_several_may_be_chosen():
    page = render_to_string("helpline/_questions.html", {"form": form()})
    told = set(re.findall(r'name="(\w+)" value="(\w+)"[^>]* data-alone', page))
    several = [CODE_LISTS[question] for question in QUESTIONS if CODE_LISTS[question].multiple]
    alone = {(codes.id, c.code) for codes in several for c in codes.offered_on(TODAY) if c.exclusive}
    silent = {(codes.id, code) for codes in several for code in ("vet_ej", "avboj") if code in codes.codes}
    assert told == alone | silent and alone and ("concerns", "hot") not in told


# --- referrals ------------------------------------------------------------------------------------------------------


def row(number: int = 0, **parts: str) -> dict[str, str]:
    return {f"referral__{number}__{part}": text for part, text in parts.items()}


def test_an_empty_row_is_no_referral():
    entry = form(**row(target="", type="", outcome="ej_uppf")).entry()
    assert entry is not None and entry.referrals == ()


@pytest.mark.parametrize(
    "half", [{"target": "social"}, {"type": "hanvisning"}, {"consent": "ja"}, {"outcome": "kontakt"}]
)
def test_half_a_referral_is_refused_in_its_row(half):
    shown = form(**row(0, target="skola", type="hanvisning"), **row(1, **half))
    assert shown.entry() is None and list(shown.errors) == ["referral-1"]
    assert shown.summary()[0][0] == "referral-1-target"


def test_nothing_is_arranged_without_consent():
    shown = form(**row(target="social", type="formedling"))
    assert shown.entry() is None and list(shown.errors) == ["referral-0"]
    entry = form(**row(target="social", type="formedling", consent="ja")).entry()
    assert entry is not None and entry.referrals == (ReferralEntry("social", "formedling", "ej_uppf", True),)


def test_a_consent_beside_a_signposting_says_nothing():
    entry = form(**row(target="social", type="hanvisning", consent="ja", outcome="kontakt")).entry()
    assert entry is not None and entry.referrals == (ReferralEntry("social", "hanvisning", "kontakt", False),)


def test_the_same_referral_twice_is_refused():
    twice = row(0, target="social", type="hanvisning") | row(1, target="social", type="hanvisning")
    shown = form(**twice)
    assert shown.entry() is None and list(shown.errors) == [REFERRALS]


def test_a_row_more_loses_nothing_and_takes_the_cursor():
    shown = form(**row(0, target="social", type="formedling", consent="ja"), result="", concerns=["hot"])
    shown.add_row()
    assert [r.is_new for r in shown.rows] == [False, True] and shown.rows[0].consent
    assert chosen(shown, "concerns") == {"hot"} and not shown.errors


def test_there_are_eight_rows_and_no_more():
    shown = form()
    for _ in range(20):
        shown.add_row()
    assert len(shown.rows) == ROWS == 8
    full = {name: text for n in range(8) for name, text in row(n, target="social", type="hanvisning").items()}
    assert not [q for q in form(**full).sections()["done"]["questions"] if q.get("may_grow")]


def test_rows_sent_with_a_gap_are_all_kept():
    shown = form(**row(2, target="social", type="hanvisning"), **row(7, target="skola", type="hanvisning"))
    assert [(r.number, r.target) for r in shown.rows] == [(0, "social"), (1, "skola")]


# --- what was refused is never shown --------------------------------------------------------------------------------

TOLD = "told in strict confidence to me"


def test_a_refused_text_is_never_repeated():
    everything = {name: TOLD for name in (*QUESTIONS, "key", "day")}
    shown = form(**everything, **row(0, target=TOLD, type=TOLD, outcome=TOLD, consent=TOLD))
    assert shown.entry() is None
    page = render_to_string("helpline/_questions.html", {"form": shown})
    page += render_to_string("_components/errors.html", {"summary": shown.summary()})
    assert len(shown.errors) > len(QUESTIONS) and "strict confidence" not in page


def test_a_label_instead_of_its_code_gets_a_hint():
    shown = form(county="stockholms län")
    assert shown.entry() is None
    assert shown.errors["county"] == [explain(Finding("county", Reason.UNKNOWN, "01"))]


CODES = sorted({code for code_list in CODE_LISTS.values() for code in code_list.codes})
FIELDS = [*QUESTIONS, "key", "day", *(f"referral-{n}-{p}" for n in range(9) for p in ("target", "type", "outcome"))]
TEXTS = st.sampled_from([*CODES, str(uuid4()), *((TODAY - timedelta(days=n)).isoformat() for n in range(-1, 9))])


@given(st.dictionaries(st.sampled_from(FIELDS), st.lists(TEXTS | st.text(max_size=8), max_size=3)))
def test_whatever_is_sent_becomes_an_entry_or_is_refused_with_a_reason(sent):
    query = QueryDict(mutable=True)
    for name, values in sent.items():
        query.setlist(name, values)
    shown = ContactForm(today=TODAY, posted=query)
    entry = shown.entry()
    assert (entry is None) == bool(shown.errors) == bool(shown.summary())
    assert all(shown.errors.values())
