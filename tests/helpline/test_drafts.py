"""Forms that are being filled in: codes only, strictly their owner's, gone when saved or left alone."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from helpline import cases, contacts, drafts
from helpline.drafts import Content, NotYours, SavedAlready
from helpline.entries import UnknownCode, read_entry
from helpline.form_rows import sent_rows
from helpline.form_values import again_fields, content_of, fields_of, kept_fields, posted_of
from helpline.models import Case, Contact, Draft, User
from helpline.taxonomy import CODE_LISTS, QUESTIONS
from helpline.views.contact_lists import own_drafts
from reports.tasks import erase_expired

TODAY = date(2026, 3, 4)
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
CALL = {"channel": ["telefon"], "result": ["relevant"]}
TOLD = "told in strict secrecy"
SAID = Content("2026-03-04", {"result": ("relevant",), "concerns": ("hot", "natet")}, ({"target": "social"},))


@pytest.fixture
def handler(db) -> User:
    return User.objects.create_user("handler", None, role="handler")


@pytest.fixture
def other(db) -> User:
    return User.objects.create_user("other", None, role="handler")


def keep(by: User, key: UUID, content: Content = SAID, case: Case | None = None, now: datetime = NOW) -> Draft:
    return drafts.keep_draft(by=by, key=key, content=content, case=case, now=now)


def save(by: User, key: UUID) -> Contact:
    return contacts.log_contact(by=by, key=key, entry=read_entry(TODAY, CALL), now=NOW, today=TODAY)


# --- codes only -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        ("", {"county": (TOLD,)}),
        ("", {"note": ("hot",)}),
        ("", {"concerns": ("hot", TOLD)}),
        ("", {"concerns": ("01",)}),
        ("", {}, ({"target": TOLD},)),
        ("", {}, ({"type": TOLD},)),
        ("", {}, ({"outcome": TOLD},)),
        ("", {}, ({"consent": TOLD},)),
        ("", {}, ({"note": "ja"},)),
        ("", {}, ({},) * 9),
        (TOLD, {}),
        ("2026-13-01", {}),
    ],
)
def test_a_word_is_refused_and_the_refusal_does_not_repeat_it(said):
    with pytest.raises(UnknownCode) as refused:
        Content(*said)
    assert "secrecy" not in str(refused.value) and "secrecy" not in repr(refused.value.findings)


def test_nothing_need_be_complete():
    assert content_of(posted_of([])) == Content("", {}) and Content("", {}, ({"target": "social"},))


CODES = {question: st.sets(st.sampled_from(sorted(CODE_LISTS[question].codes)), max_size=3) for question in QUESTIONS}
ROWS = st.fixed_dictionaries(
    {},
    optional={part: st.sampled_from(sorted(CODE_LISTS[f"referral_{part}"].codes)) for part in drafts.ROW_PARTS[:3]}
    | {"consent": st.just("ja")},
)


@given(
    st.fixed_dictionaries({}, optional=CODES),
    st.lists(ROWS.filter(bool), max_size=8),
    st.sampled_from(["", "2026-03-04"]),
)
def test_a_form_is_the_same_after_it_was_kept(answers, rows, day):
    content = Content(day, {q: tuple(sorted(codes)) for q, codes in answers.items() if codes}, tuple(rows))
    assert content_of(posted_of(fields_of(content))) == content
    assert drafts.content_of(Draft(content=content.as_text())) == content


@given(st.dictionaries(st.sampled_from([*QUESTIONS, "day", "key", "case", "referral-0-target", "note"]), st.text()))
def test_whatever_is_sent_without_a_session_only_codes_of_it_are_carried_through_the_log_in(sent):
    carried = kept_fields(posted_of(sent.items()))
    assert bool(carried) == ("key" in sent)
    content_of(posted_of(carried))
    assert "note" not in dict(carried) and (not carried or UUID(dict(carried)["key"]))


def test_what_is_a_code_is_carried_and_a_word_beside_it_is_not():
    key, ticket = str(uuid4()), "x" * 118 + "=="
    sent = [
        ("key", key),
        ("day", "2026-03-04"),
        ("concerns", "hot"),
        ("concerns", TOLD),
        ("county", "01"),
        ("case", ticket),
    ]
    sent += [("referral-3-target", "social"), ("referral-3-type", TOLD), ("case_number", "482109376"), ("note", TOLD)]
    assert dict(kept_fields(posted_of(sent))) == {
        **{"key": key, "day": "2026-03-04", "concerns": "hot", "county": "01", "case": ticket},
        "referral-0-target": "social",
    }
    assert "case" not in dict(kept_fields(posted_of([("key", key), ("case", TOLD)])))


def test_an_empty_row_of_the_form_is_none_and_a_gap_closes():
    assert sent_rows(posted_of([("referral-2-target", "social"), ("referral-9-target", "skola")])) == [
        {"target": "social", "type": "", "outcome": "", "consent": ""}
    ]


# --- strictly the owner's ---------------------------------------------------------------------------------------------


def test_a_draft_is_kept_with_its_case_and_the_last_word_wins(handler):
    case, _ = cases.open_case(today=TODAY)
    key = uuid4()
    first = keep(handler, key, case=case)
    later = keep(handler, key, Content("", {"result": ("info",)}), now=NOW + timedelta(minutes=5))
    assert Draft.objects.count() == 1 and later.opened_at == first.opened_at == NOW
    assert later.changed_at == NOW + timedelta(minutes=5) and later.case is None
    assert drafts.content_of(later).answers == {"result": ("info",)}


def test_two_accounts_with_the_same_key_have_one_draft_which_is_the_firsts(handler, other):
    key = uuid4()
    keep(handler, key)
    with pytest.raises(NotYours):
        keep(other, key, Content("", {"result": ("test",)}))
    with pytest.raises(NotYours):
        drafts.draft_of(other, key)
    with pytest.raises(NotYours):
        drafts.drop_draft(by=other, key=key)
    kept = Draft.objects.get()
    assert kept.owner == handler and drafts.content_of(kept) == SAID


def test_ones_own_draft_is_opened_until_it_is_too_old_or_saved(handler, settings):
    hours, minute = timedelta(hours=settings.HELPLINE_DRAFT_HOURS), timedelta(minutes=1)
    now = timezone.now()
    young = keep(handler, uuid4(), now=now - hours + minute)
    old, orphan = keep(handler, uuid4(), now=now - hours - minute), uuid4()
    save(handler, orphan)
    # What a first draft and the save of its form leave when neither sees the other.
    said = {"content": SAID.as_text(), "opened_at": now, "changed_at": now}
    Draft.objects.create(id=orphan, owner=handler, **said)
    assert drafts.draft_of(handler, young.pk) == young
    for key in (old.pk, orphan):
        with pytest.raises(NotYours):
            drafts.draft_of(handler, key)
    assert list(drafts.unfinished(handler, now=now, hours=settings.HELPLINE_DRAFT_HOURS)) == [young]
    assert [line.id for line in own_drafts(handler, now=now)] == [young.pk]
    drafts.erase_expired(now=now, hours=settings.HELPLINE_DRAFT_HOURS)
    assert list(Draft.objects.all()) == [young]


def test_a_draft_that_there_is_not_is_answered_like_somebody_elses(handler):
    with pytest.raises(NotYours):
        drafts.draft_of(handler, uuid4())
    drafts.drop_draft(by=handler, key=uuid4())


def test_keeping_a_draft_again_takes_three_queries(handler):
    key = uuid4()
    keep(handler, key)
    with CaptureQueriesContext(connection) as queries:
        keep(handler, key)
    assert len([query for query in queries if "SAVEPOINT" not in query["sql"]]) == 3


# --- gone -------------------------------------------------------------------------------------------------------------


def test_the_draft_is_gone_when_the_form_is_saved_and_no_other(handler, other):
    key, unfinished = uuid4(), uuid4()
    keep(handler, key)
    keep(handler, unfinished)
    keep(other, uuid4())
    save(handler, key)
    assert set(Draft.objects.filter(owner=handler).values_list("pk", flat=True)) == {unfinished}
    assert Draft.objects.filter(owner=other).count() == 1


def test_a_draft_that_comes_after_the_save_is_refused_and_not_kept(handler, other):
    key = uuid4()
    save(handler, key)
    for who in (handler, other):
        with pytest.raises(SavedAlready):
            keep(who, key)
    assert not Draft.objects.exists()


def test_a_draft_thrown_away_is_gone(handler):
    key = uuid4()
    keep(handler, key)
    drafts.drop_draft(by=handler, key=key)
    assert not Draft.objects.exists()


def test_the_task_erases_drafts_that_nobody_touched_for_half_a_day_and_no_younger_one(handler, settings):
    hours = timedelta(hours=settings.HELPLINE_DRAFT_HOURS)
    now, minute = timezone.now(), timedelta(minutes=1)
    keep(handler, uuid4(), now=now - hours - minute)
    young = keep(handler, uuid4(), now=now - hours + minute)
    erase_expired()
    assert list(Draft.objects.all()) == [young]


def test_a_draft_counts_nowhere(handler):
    keep(handler, uuid4())
    assert not Contact.objects.exists()


# --- the same caller again --------------------------------------------------------------------------------------------


def test_of_the_same_caller_again_only_the_caller_and_the_person_are_known(handler):
    said = {"caller_role": ["narstaende"], "county": ["14"], "age": ["a15_17"], "gender": ["vet_ej"]}
    entry = read_entry(TODAY, CALL | said | {"concerns": ["hot"], "language": ["ej_fragat"]})
    contact = contacts.log_contact(by=handler, key=uuid4(), entry=entry, now=NOW, today=TODAY)
    known = {question: code for question, (code,) in said.items()}
    assert dict(again_fields(contact)) == {"first_contact": "nej"} | known
