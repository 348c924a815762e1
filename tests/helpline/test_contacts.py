"""The one door: what it stores, what it refuses, what it forgets."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection

from helpline import cases, contacts
from helpline.contacts import Changed, KeyReused, NotChangeable
from helpline.entries import ContactEntry, ReferralEntry, Refused, read_entry
from helpline.models import Case, Contact, DayMark, DaySeal, Earlier, Referral, User
from reports import freeze, rollups, tallies
from reports.models import DayCount, StatRecord, StatReferral
from reports.periods import parse

TODAY = date(2026, 3, 4)
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
CALL = {"channel": ["telefon"], "result": ["relevant"], "concerns": ["natet", "hot"], "county": ["14"]}
ARRANGED = ReferralEntry("social", "formedling", consent=True)

pytestmark = pytest.mark.django_db


def entry(*referrals: ReferralEntry, day: date = TODAY, **answers: list[str]) -> ContactEntry:
    return read_entry(day, CALL | answers, referrals)


def log(
    what: ContactEntry | None = None, key: UUID | None = None, by: User | None = None, case: Case | None = None
) -> Contact:
    return contacts.log_contact(by=by, key=key or uuid4(), entry=what or entry(), now=NOW, today=TODAY, case=case)


@pytest.fixture
def handler() -> User:
    return User.objects.create_user("handler", None, role="handler")


def test_a_contact_is_stored_as_its_codes_with_its_referrals_and_a_mark():
    contact = log(entry(ARRANGED, ReferralEntry("skola", "hanvisning", "vantar")))
    stored = Contact.objects.get()
    assert stored == contact
    assert (stored.day, stored.result, stored.county) == (TODAY, "relevant", "14")
    assert stored.concerns == {"natet", "hot"}
    assert (stored.needs, stored.age, stored.sector) == ({"ej_till"}, "ej_fragat", "ej_till")
    assert set(Referral.objects.values_list("target", "type", "outcome", "consent")) == {
        ("social", "formedling", "ej_uppf", True),
        ("skola", "hanvisning", "vantar", False),
    }
    assert list(DayMark.objects.values_list("day", flat=True)) == [TODAY]


def test_the_same_key_again_is_the_same_contact_and_nothing_more():
    key = uuid4()
    first = log(entry(ARRANGED), key)
    assert log(entry(ARRANGED), key) == first
    assert (Contact.objects.count(), Referral.objects.count(), DayMark.objects.count()) == (1, 1, 1)


def test_the_same_key_with_other_content_is_refused_and_stores_nothing():
    key = uuid4()
    log(entry(), key)
    with pytest.raises(KeyReused):
        log(entry(ARRANGED), key)
    assert (Contact.objects.count(), Referral.objects.count(), DayMark.objects.count()) == (1, 0, 1)


def test_the_same_key_that_brings_a_case_gives_it_to_the_contact_and_another_case_is_refused(handler):
    key, what = uuid4(), entry(ARRANGED)
    case, other = (cases.open_case(today=TODAY)[0] for _ in range(2))
    log(what, case=case)
    first = log(what, key, by=handler)
    DayMark.objects.all().delete()
    for _ in range(2):
        again = log(what, key, by=handler, case=case)
        assert (again.pk, again.case_id, again.case_step) == (first.pk, case.pk, "andra")
        assert (again.first_contact, again.version, again.referrals.get().is_repeat) == ("nej", 2, True)
    assert log(what, key, by=handler).case_id == case.pk
    with pytest.raises(KeyReused):
        log(what, key, by=handler, case=other)
    assert Contact.objects.count() == 2 and set(DayMark.objects.values_list("day", flat=True)) == {TODAY}
    assert not Contact.objects.filter(case=other).exists()


def test_a_case_is_given_to_no_contact_of_another_account_and_to_none_that_cannot_change(handler):
    stranger = User.objects.create_user("stranger", None, role="handler")
    case, _ = cases.open_case(today=TODAY)
    key, gone = uuid4(), uuid4()
    log(key=key, by=handler)
    with pytest.raises(KeyReused):
        log(key=key, by=stranger, case=case)
    withdraw(log(key=gone, by=handler))
    with pytest.raises(KeyReused):
        log(key=gone, by=handler, case=case)
    assert not Contact.objects.filter(case=case).exists()


def test_a_day_ahead_is_refused_and_stores_nothing():
    with pytest.raises(Refused):
        log(entry(day=TODAY + timedelta(days=1)))
    assert not Contact.objects.exists() and not DayMark.objects.exists()


def test_an_error_in_the_middle_stores_neither_contact_nor_mark():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE helpline_daymark RENAME TO lost")
        with pytest.raises(DatabaseError):
            log(entry(ARRANGED))
        cursor.execute("ALTER TABLE lost RENAME TO helpline_daymark")
    assert (Contact.objects.count(), Referral.objects.count(), DayMark.objects.count()) == (0, 0, 0)


def test_a_save_costs_few_queries_whatever_it_says(handler, django_assert_max_num_queries):
    with django_assert_max_num_queries(7):
        log(entry(ARRANGED, ReferralEntry("skola", "hanvisning")), by=handler)


def test_the_key_is_random_and_says_nothing_of_the_order():
    assert {log().pk.version for _ in range(3)} == {4}


# --- what is forgotten --------------------------------------------------------------------------------------------


def test_who_logged_when_is_erased_with_the_amend_window_and_the_answers_stay(handler):
    log(by=handler)
    assert contacts.erase_traces(now=NOW + timedelta(hours=23, minutes=59), amend_hours=24) == 0
    assert Contact.objects.get().logged_by == handler
    assert contacts.erase_traces(now=NOW + timedelta(hours=24), amend_hours=24) == 1
    stored = Contact.objects.get()
    trace = (stored.logged_at, stored.logged_by, stored.submission_key, stored.submission_digest)
    assert trace == (None, None, None, None)
    assert stored.concerns == {"natet", "hot"}
    assert contacts.erase_traces(now=NOW + timedelta(hours=25), amend_hours=24) == 0


# --- changed ----------------------------------------------------------------------------------------------------------

YESTERDAY, LAST_MONTH = TODAY - timedelta(days=1), date(2026, 2, 27)
FEBRUARY = parse("2026-02")
SIGNPOSTED = ReferralEntry("skola", "hanvisning")


def amend(contact: Contact, what: ContactEntry, version: int = 1) -> Contact:
    return contacts.amend_contact(contact, version=version, entry=what, today=TODAY)


def withdraw(contact: Contact, version: int = 1) -> None:
    contacts.withdraw_contact(contact, version=version)


def marked() -> list[date]:
    return sorted(DayMark.objects.values_list("day", flat=True))


def counted(day: date, variable: str, code: str) -> int:
    return tallies.of_days([day])[day][variable, code]


def test_an_amended_contact_says_the_new_answers_and_keeps_the_earlier_ones():
    contact = log(entry(ARRANGED))
    changed = amend(contact, entry(SIGNPOSTED, county=["01"]))
    assert (changed.pk, changed.version, changed.county) == (contact.pk, 2, "01")
    assert contacts.entry_of(Contact.objects.get()) == entry(SIGNPOSTED, county=["01"])
    kept = Earlier.objects.get()
    assert (kept.contact_id, kept.version, kept.content) == (contact.pk, 1, entry(ARRANGED).as_text())


def test_a_contact_moved_to_another_day_marks_both_and_one_that_stays_marks_its_own():
    contact = log()
    DayMark.objects.all().delete()
    amend(contact, entry(day=YESTERDAY))
    assert marked() == [YESTERDAY, TODAY]
    DayMark.objects.all().delete()
    amend(contact, entry(day=YESTERDAY, county=["01"]), version=2)
    assert marked() == [YESTERDAY]


def test_an_amended_contact_counts_by_its_new_answers_on_its_new_day_only():
    contact = log(entry(ARRANGED))
    assert (counted(TODAY, "county", "14"), counted(TODAY, "referral_target", "social")) == (1, 1)
    amend(contact, entry(day=YESTERDAY, county=["01"]))
    assert not tallies.of_days([TODAY])[TODAY]
    assert (counted(YESTERDAY, "county", "01"), counted(YESTERDAY, "referral_target", "social")) == (1, 0)


def test_answers_made_from_an_older_version_are_refused_and_store_nothing():
    contact = log()
    amend(contact, entry(county=["01"]))
    DayMark.objects.all().delete()
    with pytest.raises(Changed):
        amend(contact, entry(ARRANGED, county=["03"]), version=1)
    with pytest.raises(Changed):
        withdraw(contact, version=1)
    stored = Contact.objects.get()
    assert (stored.version, stored.county, stored.is_withdrawn, stored.referrals.count()) == (2, "01", False, 0)
    assert not DayMark.objects.exists() and Earlier.objects.count() == 1


def test_an_amendment_to_a_day_ahead_is_refused_and_stores_nothing():
    contact = log()
    with pytest.raises(Refused):
        amend(contact, entry(day=TODAY + timedelta(days=1)))
    assert Contact.objects.get().version == 1 and not Earlier.objects.exists()


def test_a_withdrawn_contact_counts_nowhere_and_stays_as_it_is():
    contact, other = log(entry(ARRANGED)), log(entry(SIGNPOSTED))
    DayMark.objects.all().delete()
    withdraw(contact)
    assert marked() == [TODAY]
    assert (counted(TODAY, "county", "14"), counted(TODAY, "referral_target", "social")) == (1, 0)
    with pytest.raises(NotChangeable):
        amend(contact, entry(county=["01"]), version=2)
    with pytest.raises(NotChangeable):
        withdraw(contact, version=2)
    withdraw(other)
    assert not tallies.of_days([TODAY])[TODAY]
    assert Contact.objects.filter(is_withdrawn=True, county="14").count() == 2


def test_a_withdrawn_contact_and_a_repeated_referral_are_not_frozen_into_the_statistics():
    case, _ = cases.open_case(today=TODAY)
    withdraw(log(entry(SIGNPOSTED, day=LAST_MONTH)))
    for _ in range(2):
        log(entry(ARRANGED, day=LAST_MONTH), case=case)
    freeze.freeze_month(FEBRUARY, today=TODAY)
    assert (StatRecord.objects.count(), StatReferral.objects.count()) == (2, 1)


def test_a_contact_of_a_frozen_month_can_be_neither_amended_nor_withdrawn():
    contact = log(entry(day=LAST_MONTH))
    amend(contact, entry(day=LAST_MONTH, county=["01"]))
    freeze.freeze_month(FEBRUARY, today=TODAY)
    DayMark.objects.all().delete()
    with pytest.raises(NotChangeable):
        amend(contact, entry(day=LAST_MONTH, county=["03"]), version=2)
    with pytest.raises(NotChangeable):
        withdraw(contact, version=2)
    stored = Contact.objects.get()
    assert (stored.county, stored.version, stored.is_withdrawn) == ("01", 2, False) and not DayMark.objects.exists()


def test_what_a_contact_said_before_is_kept_for_as_long_as_who_logged_it():
    contact = log(entry(day=LAST_MONTH))
    amend(contact, entry(day=LAST_MONTH, county=["01"]))
    contacts.erase_traces(now=NOW + timedelta(hours=23), amend_hours=24)
    assert Earlier.objects.count() == 1
    contacts.erase_traces(now=NOW + timedelta(hours=24), amend_hours=24)
    assert not Earlier.objects.exists() and Contact.objects.get().county == "01"


def of_case(case: Case) -> list[tuple[str, bool]]:
    """Step and repeat of each counted contact's first referral, by day."""
    rows = Referral.objects.filter(contact__case=case, contact__is_withdrawn=False).order_by("contact__day")
    return list(rows.values_list("contact__case_step", "is_repeat"))


def test_a_case_is_numbered_anew_when_its_first_contact_is_withdrawn():
    case, _ = cases.open_case(today=TODAY)
    first = log(entry(SIGNPOSTED, day=YESTERDAY), case=case)
    log(entry(SIGNPOSTED), case=case)
    assert of_case(case) == [("forsta", False), ("andra", True)] and counted(TODAY, "referral_target", "skola") == 0
    DayMark.objects.all().delete()
    withdraw(first)
    assert of_case(case) == [("forsta", False)] and counted(TODAY, "referral_target", "skola") == 1
    assert set(marked()) == {YESTERDAY, TODAY}


def test_a_case_is_numbered_anew_when_a_contact_of_it_is_amended():
    case, _ = cases.open_case(today=TODAY)
    first = log(entry(SIGNPOSTED, day=YESTERDAY), case=case)
    second = log(entry(SIGNPOSTED), case=case)
    amend(first, entry(ARRANGED, day=YESTERDAY))
    assert of_case(case) == [("forsta", False), ("andra", False)]
    amend(second, entry(ARRANGED, day=YESTERDAY - timedelta(days=1)))
    assert of_case(case) == [("andra", True), ("forsta", False)]
    assert Contact.objects.get(pk=second.pk).case_step == "andra"


# --- many at once -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_form_sent_eight_times_at_once_is_one_contact():
    key, what, outcomes = uuid4(), entry(ARRANGED), []

    def send() -> None:
        try:
            outcomes.append(log(what, key).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 8 and len(set(outcomes)) == 1
    assert (Contact.objects.count(), Referral.objects.count(), DayMark.objects.count()) == (1, 1, 1)


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Do all at the same moment, each in a thread and connection of its own; "ok" or the name of the error of each."""
    start, outcomes = threading.Barrier(len(acts)), [""] * len(acts)

    def run(number: int, act: Callable[[], object]) -> None:
        try:
            start.wait(30)
            act()
            outcomes[number] = "ok"
        except Exception as error:
            outcomes[number] = type(error).__name__
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=numbered) for numbered in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_of_one_version_at_once_exactly_one_wins():
    for _ in range(5):
        contact = log()
        one, other = entry(ARRANGED, county=["01"]), entry(SIGNPOSTED, county=["03"])
        outcomes = at_once(lambda c=contact, e=one: amend(c, e), lambda c=contact, e=other: amend(c, e))
        assert sorted(outcomes) == ["Changed", "ok"]
        stored = Contact.objects.get(pk=contact.pk)
        assert contacts.entry_of(stored) == (one if outcomes[0] == "ok" else other)
        assert stored.version == 2 and stored.earlier.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_an_amendment_and_a_withdrawal_at_once_exactly_one_wins():
    for _ in range(5):
        contact = log()
        outcomes = at_once(lambda c=contact: amend(c, entry(county=["01"])), lambda c=contact: withdraw(c))
        stored = Contact.objects.get(pk=contact.pk)
        assert outcomes in (["ok", "Changed"], ["NotChangeable", "ok"])
        assert stored.is_withdrawn == (outcomes[1] == "ok") and stored.county == ("01" if outcomes[0] == "ok" else "14")


@pytest.mark.django_db(transaction=True)
def test_the_contacts_of_a_case_are_saved_changed_and_withdrawn_at_once_and_their_steps_have_no_gap():
    for _ in range(5):
        case, _ = cases.open_case(today=TODAY)
        first, second, third = (log(entry(SIGNPOSTED), case=case) for _ in range(3))
        acts = [
            lambda c=case: log(entry(SIGNPOSTED), case=c),
            lambda c=third: amend(c, entry(SIGNPOSTED, county=["01"])),
            lambda c=second: amend(c, entry(ARRANGED)),
            lambda c=first: withdraw(c),
        ]
        assert at_once(*acts) == ["ok"] * 4
        said = list(Contact.objects.counted().filter(case=case).values_list("case_step", flat=True))
        assert sorted(said) == ["andra", "forsta", "tredje_plus"]
        of_school = Referral.objects.filter(contact__in=Contact.objects.counted().filter(case=case), target="skola")
        assert sorted(of_school.values_list("is_repeat", flat=True)) == [False, True]


@pytest.mark.django_db(transaction=True)
def test_what_is_saved_changed_and_withdrawn_while_a_month_is_frozen_is_counted_once_as_it_ended():
    old = [log(entry(SIGNPOSTED, day=LAST_MONTH)) for _ in range(6)]
    rollups.refresh(seconds=60)
    changes = [lambda c=c: amend(c, entry(ARRANGED, day=LAST_MONTH, county=["01"])) for c in old[:2]]
    moves = [lambda: amend(old[2], entry(day=TODAY))]
    withdrawals = [lambda: withdraw(old[3])]
    saves = [lambda: log(entry(day=LAST_MONTH, county=["03"]))]
    acts = [lambda: freeze.freeze_month(FEBRUARY, today=TODAY), *changes, *moves, *withdrawals, *saves]
    outcomes = at_once(*acts)
    assert outcomes[0] == "ok" and set(outcomes) <= {"ok", "NotChangeable"}
    assert DaySeal.objects.filter(day=LAST_MONTH).exists()
    frozen = Contact.objects.counted().filter(is_frozen=True)
    assert sorted(StatRecord.objects.values_list("county", flat=True)) == sorted(
        frozen.values_list("county", flat=True)
    )
    assert StatReferral.objects.count() == Referral.objects.filter(contact__in=frozen).count()
    rollups.refresh(seconds=60)
    assert rollups.wrong_days() == rollups.wrong_months() == []
    everything = sum(DayCount.objects.filter(is_sealed=False, variable="result").values_list("n", flat=True))
    assert everything == Contact.objects.counted().filter(is_frozen=False).count()
