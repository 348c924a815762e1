"""What one contact may say before it is stored."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.entries import (
    ContactEntry,
    Finding,
    Reason,
    ReferralEntry,
    Refused,
    UnknownCode,
    read_day,
    read_entry,
)

DAY = date(2026, 3, 2)
CALL = {"channel": ["telefon"], "result": ["relevant"]}


def findings(**answers: list[str]) -> set[tuple[str, Reason, str]]:
    with pytest.raises(Refused) as refused:
        read_entry(DAY, CALL | answers)
    return {(f.question, f.reason, f.hint) for f in refused.value.findings}


def test_blanks_and_letter_case_are_forgiven():
    entry = read_entry(DAY, {"channel": [" Telefon "], "result": ["RELEVANT"], "county": ["utl"]})
    assert (entry.code("channel"), entry.code("result"), entry.code("county")) == ("telefon", "relevant", "UTL")


def test_only_channel_and_result_are_mandatory():
    entry = read_entry(DAY, CALL)
    assert entry.code("caller_role") == "ej_fragat"
    with pytest.raises(Refused) as refused:
        read_entry(DAY, {"county": ["01"]})
    assert {(f.question, f.reason) for f in refused.value.findings} == {
        ("channel", Reason.MISSING),
        ("result", Reason.MISSING),
    }


def test_an_unknown_code_is_refused_with_a_hint_and_never_repeated():
    with pytest.raises(UnknownCode) as refused:
        read_entry(DAY, CALL | {"county": ["1"], "age": ["Kalle, 17 år"]})
    assert set(refused.value.findings) == {
        Finding("county", Reason.UNKNOWN, "01"),
        Finding("age", Reason.UNKNOWN, ""),
    }
    assert "Kalle" not in str(refused.value)


def test_a_label_is_hinted_at_by_its_code():
    assert findings(caller_role=["Professional"]) == {("caller_role", Reason.UNKNOWN, "yrkes")}


def test_a_code_twice_is_refused():
    assert findings(concerns=["natet", "NATET "]) == {("concerns", Reason.REPEATED, "")}


@pytest.mark.parametrize(("question", "codes"), [("barriers", ["inget", "stigma"]), ("needs", ["vet_ej", "p_arbete"])])
def test_an_exclusive_code_stands_alone(question, codes):
    assert findings(**{question: codes}) == {(question, Reason.EXCLUSIVE, "")}


def test_a_question_of_single_choice_takes_one_code():
    assert findings(county=["01", "03"]) == {("county", Reason.SINGLE, "")}


def test_all_findings_come_at_once():
    assert len(findings(county=["1"], concerns=["natet", "natet"], barriers=["inget", "stigma"])) == 3


def test_a_contact_without_valid_codes_cannot_be_made_at_all():
    with pytest.raises(UnknownCode):
        ContactEntry(DAY, {"channel": frozenset({"telefon"}), "result": frozenset({"bra"})})
    with pytest.raises(UnknownCode):
        ContactEntry(DAY, {"name": frozenset({"x"})})


def test_a_day_before_the_code_lists_is_refused():
    with pytest.raises(Refused) as refused:
        read_entry(date(2014, 12, 31), CALL)
    assert refused.value.findings == (Finding("day", Reason.DAY_TOO_EARLY),)
    assert read_entry(date(2015, 1, 1), CALL).day == date(2015, 1, 1)


@pytest.mark.parametrize(
    "text", ["2026-13-02", "16/11/2015", "2026-3-2", "20260302", "2026-W10-1", "i går", "٢٠٢٦-03-02"]
)
def test_a_day_must_be_written_as_iso_says(text):
    with pytest.raises(Refused) as refused:
        read_day(text, today=date(2026, 11, 22))
    assert refused.value.findings == (Finding("day", Reason.NOT_A_DAY),)


def test_a_day_ahead_is_refused_and_today_is_not():
    assert read_day(" 2026-11-22 ", today=date(2026, 11, 22)) == date(2026, 11, 22)
    with pytest.raises(Refused) as refused:
        read_day("2026-11-23", today=date(2026, 11, 22))
    assert refused.value.findings == (Finding("day", Reason.DAY_AHEAD),)


@pytest.mark.parametrize(
    ("referral", "reason"),
    [
        (ReferralEntry("social", "formedling", consent=False), Reason.CONSENT),
        (ReferralEntry("social", "hanvisning", consent=True), Reason.CONSENT),
        (ReferralEntry("kyrkan", "hanvisning"), Reason.UNKNOWN),
        (ReferralEntry("social", "tips"), Reason.UNKNOWN),
        (ReferralEntry("social", "hanvisning", "klart"), Reason.UNKNOWN),
    ],
)
def test_a_referral_is_codes_and_arranged_only_with_consent(referral, reason):
    with pytest.raises(Refused) as refused:
        read_entry(DAY, CALL, [referral])
    assert {f.reason for f in refused.value.findings} == {reason}


def test_the_same_receiver_can_be_both_named_and_arranged_but_not_named_twice():
    both = [ReferralEntry("social", "hanvisning"), ReferralEntry("social", "formedling", consent=True)]
    assert len(read_entry(DAY, CALL, both).referrals) == 2
    with pytest.raises(Refused) as refused:
        read_entry(DAY, CALL, [both[0], ReferralEntry("social", "hanvisning", "kontakt")])
    assert refused.value.findings == (Finding("referrals", Reason.REFERRAL_REPEATED),)


def test_the_digest_knows_content_and_no_order():
    referrals = [ReferralEntry("social", "hanvisning"), ReferralEntry("skola", "hanvisning")]
    one = read_entry(DAY, CALL | {"concerns": ["natet", "hot"]}, referrals)
    other = read_entry(DAY, CALL | {"concerns": ["hot", "natet"]}, referrals[::-1])
    assert one.digest() == other.digest()
    assert one.digest() != read_entry(DAY, CALL | {"concerns": ["hot"]}, referrals).digest()
    assert one.digest() != read_entry(date(2026, 3, 3), CALL | {"concerns": ["hot", "natet"]}, referrals).digest()


@given(st.text(), st.sampled_from(["county", "concerns", "length", "result"]))
def test_no_text_whatever_gets_in_but_codes(text, question):
    try:
        entry = read_entry(DAY, CALL | {question: [text]})
    except Refused as refused:
        assert text.strip() == "" or len(text) < 4 or text not in str(refused)
    else:
        for codes in entry.answers.values():
            assert all(len(code) <= 12 and code.isascii() for code in codes)
