"""A referral of a case counts once, with the outcome that is known, whatever becomes of the contact that counts it."""

from datetime import date, datetime
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from helpline import case_history, cases, contacts
from helpline.case_history import Overtaken
from helpline.contacts import Changed, NotChangeable
from helpline.entries import ContactEntry, FollowUp, ReferralEntry, read_entry
from helpline.models import Case, Contact, DayMark, DaySeal, Earlier, Referral, User
from reports import freeze, live, rebuilding, rollups
from reports.counting import RELEVANT
from reports.models import DayCount, MonthCount, StatRecord, StatReferral
from reports.periods import parse
from tests.at_once import at_once

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 4)
NOW = datetime(2026, 3, 4, 12, tzinfo=timezone.get_default_timezone())
LAST_MONTH, FIRST, SECOND, THIRD = date(2026, 2, 20), date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3)
FEBRUARY, QUARTER = parse("2026-02"), parse("2026-Q1")
SCHOOL, STARTED = ReferralEntry("skola", "hanvisning"), ReferralEntry("skola", "hanvisning", "startad")
BEGUN = FollowUp("skola", "hanvisning", "ej_uppf", "startad")


@pytest.fixture
def case() -> Case:
    return cases.open_case(today=TODAY)[0]


def entry(*referrals: ReferralEntry, day: date = FIRST, result: str = "relevant") -> ContactEntry:
    return read_entry(day, {"channel": ["telefon"], "result": [result]}, referrals)


def log(case: Case | None, what: ContactEntry, *said: FollowUp, by=None, key=None, now=NOW, today=TODAY) -> Contact:
    return contacts.log_contact(by=by, key=key or uuid4(), entry=what, now=now, today=today, case=case, follow_ups=said)


def now_of(contact: Contact) -> Contact:
    return Contact.objects.get(pk=contact.pk)


def amend(contact: Contact, *referrals: ReferralEntry, result: str = "relevant") -> None:
    stored = now_of(contact)
    said = entry(*referrals, day=stored.day, result=result)
    contacts.amend_contact(stored, version=stored.version, entry=said, today=TODAY)


def withdraw(contact: Contact) -> None:
    contacts.withdraw_contact(contact, version=now_of(contact).version)


def delete(contact: Contact) -> None:
    contacts.delete_contact(contact.pk)


def outcome_of(contact: Contact) -> str:
    return Referral.objects.get(contact=contact).outcome


def figures() -> dict[str, int]:
    """What the figures say came of referrals, once everything is counted. All stored counts must be a recount, also
    one from nothing, and every frozen month must hold what was copied of it."""
    rollups.refresh(seconds=60)
    assert rollups.wrong_days() == rollups.wrong_months() == []
    cells = live._stored(QUARTER, set(), ("referral_outcome",))
    rebuilding.rebuild()
    assert live._stored(QUARTER, set(), ("referral_outcome",)) == cells
    assert sum(cells.values()) == live.overview(QUARTER).referrals
    assert not StatReferral.objects.exclude(record__result=RELEVANT).exists()
    if freeze.is_frozen(FEBRUARY):
        of_february = live._stored(FEBRUARY, set(), ("referral_outcome",))
        copied = list(StatReferral.objects.values_list("referral_outcome", flat=True))
        assert {code: n for (_, code), n in of_february.items()} == {code: copied.count(code) for code in copied}
    return {code: n for (_, code), n in cells.items()}


GONE = {
    "withdrawn": withdraw,
    "deleted": delete,
    "amended": amend,
    "made not relevant": lambda c: amend(c, result="info"),
}
gone = pytest.mark.parametrize("take_away", GONE.values(), ids=GONE)


# --- an outcome outlives the contact that counts it -------------------------------------------------------------------


@gone
def test_what_came_of_a_referral_is_known_to_each_contact_that_has_it(case, take_away):
    first, second = log(case, entry(SCHOOL)), log(case, entry(SCHOOL, day=SECOND))
    log(case, entry(day=THIRD), BEGUN)
    assert [outcome_of(first), outcome_of(second), figures()] == ["startad", "startad", {"startad": 1}]
    assert sorted(Earlier.objects.values_list("contact", "version")) == sorted([(first.pk, 1), (second.pk, 1)])
    take_away(first)
    assert figures() == {"startad": 1}


@gone
def test_a_repetition_that_comes_later_knows_it_too(case, take_away):
    first = log(case, entry(SCHOOL))
    log(case, entry(day=SECOND), BEGUN)
    last = log(case, entry(SCHOOL, day=THIRD))
    assert (outcome_of(last), now_of(last).version) == ("startad", 1)
    take_away(first)
    assert figures() == {"startad": 1}


@gone
def test_a_repetition_that_an_amendment_adds_knows_it_too(case, take_away):
    first, second = log(case, entry(STARTED)), log(case, entry(day=SECOND))
    amend(second, SCHOOL)
    assert (outcome_of(second), now_of(second).version) == ("startad", 2)
    take_away(first)
    assert figures() == {"startad": 1}


@gone
def test_a_contact_that_is_put_into_a_case_later_knows_and_tells_it_too(case, take_away):
    handler, care = User.objects.create_user("handler", None, role="handler"), ReferralEntry("vard", "hanvisning")
    first, key = log(case, entry(STARTED, care)), uuid4()
    sent = entry(SCHOOL, ReferralEntry("vard", "hanvisning", "kontakt"), day=SECOND)
    for known in (None, case):
        last = log(known, sent, by=handler, key=key)
    said = {("skola", "startad"), ("vard", "kontakt")}
    assert set(Referral.objects.filter(contact=last).values_list("target", "outcome")) == said
    take_away(first)
    assert figures() == {"startad": 1, "kontakt": 1}


def test_an_outcome_that_is_set_or_taken_back_reaches_every_contact_that_has_the_referral(case):
    first, second, third = (log(case, entry(SCHOOL, day=day)) for day in (FIRST, SECOND, THIRD))
    other = log(cases.open_case(today=TODAY)[0], entry(SCHOOL))
    contacts.set_outcome(third, version=1, target="skola", kind="hanvisning", outcome="startad")
    assert {outcome_of(one) for one in (first, second, third)} == {"startad"} and outcome_of(other) == "ej_uppf"
    amend(second, SCHOOL)
    assert {outcome_of(one) for one in (first, second, third)} == {"ej_uppf"}
    assert [now_of(one).version for one in (first, second, third)] == [3, 3, 3]
    assert figures() == {"ej_uppf": 2}


def test_what_is_said_of_the_earlier_one_goes_before_what_its_repetition_says_there_too(case):
    first = log(case, entry(SCHOOL))
    second = log(case, entry(ReferralEntry("skola", "hanvisning", "kontakt"), day=SECOND), BEGUN)
    assert (outcome_of(second), now_of(second).version) == ("startad", 1)
    withdraw(first)
    assert figures() == {"startad": 1}


def test_a_form_that_is_sent_twice_changes_nothing_the_second_time(case):
    first, key = log(case, entry(SCHOOL)), uuid4()
    for _ in range(2):
        second = log(case, entry(SCHOOL, day=SECOND), BEGUN, key=key)
    assert [now_of(one).version for one in (first, second)] == [2, 1] and figures() == {"startad": 1}


def test_a_frozen_or_withdrawn_contact_of_the_case_keeps_what_it_says(case):
    frozen, withdrawn = log(case, entry(SCHOOL, day=LAST_MONTH)), log(case, entry(SCHOOL))
    repeat = log(case, entry(SCHOOL, day=SECOND))
    freeze.freeze_month(FEBRUARY, today=TODAY)
    withdraw(withdrawn)
    log(case, entry(STARTED, day=THIRD))
    assert [outcome_of(one) for one in (frozen, withdrawn, repeat)] == ["ej_uppf", "ej_uppf", "startad"]
    assert figures() == {"ej_uppf": 1}


# --- and is not overwritten unseen ------------------------------------------------------------------------------------


def test_who_has_not_seen_the_newer_outcome_is_refused_and_no_longer_asked(case):
    handler, today = User.objects.create_user("handler", None, role="handler"), timezone.localdate()
    for what in (entry(SCHOOL, day=today), entry(SCHOOL, day=today)):
        own = log(case, what, by=handler, now=timezone.now(), today=today)
    client = Client(headers={"accept-language": "en"})
    client.force_login(handler)
    assert client.get("/contacts/").content.decode().count("what came of it?") == 2
    log(case, entry(day=today), BEGUN, now=timezone.now(), today=today)
    assert "what came of it?" not in client.get("/contacts/").content.decode()
    with pytest.raises(Changed):
        contacts.set_outcome(own, version=1, target="skola", kind="hanvisning", outcome="vantar")
    sent = {"version": 1, "referral": "skola:hanvisning", "outcome": "vantar"}
    said = client.post(f"/contacts/{own.pk}/outcome/", sent, follow=True)
    assert "was changed meanwhile" in said.content.decode()
    with pytest.raises(Changed):
        contacts.amend_contact(own, version=1, entry=entry(SCHOOL, day=today), today=today)
    assert set(Referral.objects.values_list("outcome", flat=True)) == {"startad"}


@pytest.mark.django_db(transaction=True)
def test_of_a_follow_up_and_a_choice_in_one_s_list_at_once_one_wins_and_the_other_is_told():
    for _ in range(5):
        begin_anew()
        case, _number = cases.open_case(today=TODAY)
        log(case, entry(SCHOOL))
        second = log(case, entry(SCHOOL, day=SECOND))
        done = at_once(
            lambda case=case: log(case, entry(day=THIRD), BEGUN),
            lambda second=second: contacts.set_outcome(
                second, version=1, target="skola", kind="hanvisning", outcome="vantar"
            ),
        )
        assert [type(one) for one in done] in ([Contact, Changed], [Overtaken, bool]), done
        wins = "startad" if isinstance(done[0], Contact) else "vantar"
        assert set(Referral.objects.values_list("outcome", flat=True)) == {wins} and figures() == {wins: 1}


# --- only a relevant contact counts one -------------------------------------------------------------------------------


def test_a_contact_that_is_not_relevant_takes_no_referral_out_of_the_figures(case):
    log(case, entry(SCHOOL, result="info"))
    second = log(case, entry(STARTED, day=SECOND))
    assert not Referral.objects.get(contact=second).is_repeat and figures() == {"startad": 1}
    third = log(case, entry(SCHOOL, day=THIRD))
    assert Referral.objects.get(contact=third).is_repeat and figures() == {"startad": 1}
    assert case_history.settle(case) == set() and figures() == {"startad": 1}
    assert case_history.history_of(case).referrals == (("skola", "hanvisning", "startad", False),)


def test_a_frozen_contact_that_is_not_relevant_takes_none_either(case):
    log(case, entry(SCHOOL, day=LAST_MONTH, result="info"))
    log(case, entry(STARTED, day=SECOND))
    freeze.freeze_month(FEBRUARY, today=TODAY)
    assert not StatReferral.objects.exists() and figures() == {"startad": 1}
    assert case_history.settle(case) == set() and figures() == {"startad": 1}


def test_of_a_frozen_month_only_the_relevant_contact_s_referral_is_copied(case):
    log(case, entry(SCHOOL, day=LAST_MONTH, result="info"))
    log(case, entry(STARTED, day=LAST_MONTH))
    log(None, entry(SCHOOL, day=LAST_MONTH, result="info"))
    freeze.freeze_month(FEBRUARY, today=TODAY)
    assert StatReferral.objects.get().referral_outcome == "startad" and figures() == {"startad": 1}


@pytest.mark.parametrize("frozen", [False, True])
def test_a_result_that_is_amended_there_and_back_moves_the_count_and_never_doubles_it(case, frozen):
    first = log(case, entry(STARTED))
    second = log(case, entry(SCHOOL, day=LAST_MONTH if frozen else SECOND))
    assert figures() == {"startad": 1}
    amend(first, SCHOOL, result="info")
    amend(first, STARTED, result="info")
    assert not Referral.objects.get(contact=second).is_repeat and figures() == {"startad": 1}
    if frozen:
        freeze.freeze_month(FEBRUARY, today=TODAY)
    amend(first, STARTED)
    assert Referral.objects.get(contact=first).is_repeat == frozen and figures() == {"startad": 1}
    assert Referral.objects.get(contact=second).is_repeat != frozen


@gone
def test_a_contact_of_an_earlier_month_counts_before_those_that_can_still_be_taken_back(case, take_away):
    """Frozen as a repetition, it would leave the referral, and the case's first step, to nobody."""
    later = log(case, entry(SCHOOL, day=FIRST))
    log(case, entry(SCHOOL, day=date(2026, 2, 28)))
    before = figures()
    assert before == {"ej_uppf": 1}
    freeze.freeze_month(FEBRUARY, today=TODAY)
    assert figures() == before
    take_away(later)
    assert figures() == before
    assert StatReferral.objects.count() == 1 and StatRecord.objects.get().case_step == "forsta"


def test_within_a_month_the_contact_that_was_saved_first_counts_whatever_its_day(case):
    first = log(case, entry(SCHOOL, day=SECOND))
    log(case, entry(SCHOOL, day=FIRST))
    assert list(Referral.objects.filter(is_repeat=False).values_list("contact", flat=True)) == [first.pk]


def test_what_is_said_to_a_contact_that_is_not_relevant_reaches_the_one_that_counts(case):
    silent, counting = log(case, entry(SCHOOL, result="info")), log(case, entry(SCHOOL, day=SECOND))
    assert contacts.set_outcome(silent, version=1, target="skola", kind="hanvisning", outcome="vantar")
    assert (outcome_of(counting), figures()) == ("vantar", {"vantar": 1})


@pytest.mark.django_db(transaction=True)
def test_amendments_of_results_a_follow_up_and_a_freeze_at_once_count_each_referral_once():
    for _ in range(5):
        begin_anew()
        case, _number = cases.open_case(today=TODAY)
        first, second = log(case, entry(SCHOOL, day=LAST_MONTH)), log(case, entry(SCHOOL))
        third = log(case, entry(SCHOOL, day=LAST_MONTH, result="info"))
        done = at_once(
            lambda first=first: amend(first, SCHOOL, result="info"),
            lambda third=third: amend(third, SCHOOL),
            lambda case=case: log(case, entry(STARTED, day=THIRD)),
            lambda second=second: withdraw(second),
            lambda: freeze.freeze_month(FEBRUARY, today=TODAY),
        )
        assert {type(one) for one in done if isinstance(one, Exception)} <= {Changed, NotChangeable}, done
        counted = Referral.objects.filter(contact__is_withdrawn=False, contact__result=RELEVANT, is_repeat=False)
        assert counted.count() == 1 and sum(figures().values()) == 1


def begin_anew() -> None:
    for model in (Contact, StatReferral, StatRecord, DayCount, MonthCount, DaySeal, DayMark):
        model.objects.all().delete()
