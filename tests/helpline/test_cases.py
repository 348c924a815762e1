"""The matters that callers come back with: found by number alone, numbered step by step, forgotten after a time."""

import logging
import threading
from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpline import case_history, case_numbers, cases, contacts
from helpline.case_numbers import Mistyped
from helpline.cases import NoSuchCase, TooManyTries
from helpline.entries import ReferralEntry, read_entry
from helpline.form_values import TICKET
from helpline.models import Case, Contact, Referral, User
from reports.tasks import erase_expired
from tests.at_once import at_once

TODAY = date(2026, 3, 4)
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
CALL = {"channel": ["telefon"], "result": ["relevant"]}
SCHOOL = ReferralEntry("skola", "hanvisning")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_has_tried() -> None:
    cache.clear()


@pytest.fixture
def handler() -> User:
    return User.objects.create_user("handler", None, role="handler")


@pytest.fixture
def other() -> User:
    return User.objects.create_user("other", None, role="handler")


def log(case: Case, *referrals: ReferralEntry, day: date = TODAY, at: datetime = NOW, **answers: list[str]) -> Contact:
    entry = read_entry(day, CALL | answers, referrals)
    return contacts.log_contact(by=None, key=uuid4(), entry=entry, now=at, today=TODAY, case=case)


def steps() -> list[str]:
    return list(Contact.objects.order_by("day", "logged_at").values_list("case_step", flat=True))


# --- the number -------------------------------------------------------------------------------------------------------


def test_a_case_is_found_by_its_number_as_it_is_said(handler):
    case, number = cases.open_case(today=TODAY)
    assert cases.find_case(case_numbers.spoken(number), by=handler, today=TODAY) == case


def test_the_number_is_stored_nowhere(handler):
    with CaptureQueriesContext(connection) as queries:
        _, number = cases.open_case(today=TODAY)
        cases.find_case(number, by=handler, today=TODAY)
    case = Case.objects.get()
    assert number not in "".join(query["sql"] for query in queries)
    assert case.digest in "".join(query["sql"] for query in queries)
    assert number not in case.digest and {f.name for f in Case._meta.fields} == {"id", "digest", "used_on"}


def test_no_log_says_a_number_or_a_digest(handler, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("django.db.backends").setLevel(logging.WARNING)  # shown in DEBUG only, which does not exist
    case, number = cases.open_case(today=TODAY)
    wrong = case_numbers.make(lambda below: (int(number[:8]) + 1) % below)
    for text in (number, wrong, number[::-1], "nine"):
        try:
            cases.find_case(text, by=handler, today=TODAY)
        except (NoSuchCase, Mistyped):
            logging.getLogger("helpline").exception("refused")
    said = caplog.text.replace(" ", "")
    assert "refused" in said and not [text for text in (number, wrong, case.digest) if text in said]


def test_a_number_that_two_cases_draw_is_given_once(monkeypatch):
    draws = iter([7, 7, 8])
    monkeypatch.setattr(cases.secrets, "randbelow", lambda below: next(draws))
    numbers = {cases.open_case(today=TODAY)[1] for _ in range(2)}
    assert len(numbers) == 2 and Case.objects.count() == 2


def test_a_mistyped_number_is_told_apart_from_an_unknown_one(handler):
    _, number = cases.open_case(today=TODAY)
    with pytest.raises(Mistyped):
        cases.find_case(number[:-1] + str((int(number[-1]) + 1) % 10), by=handler, today=TODAY)
    with pytest.raises(NoSuchCase):
        cases.find_case(case_numbers.make(lambda below: 1), by=handler, today=TODAY)


def test_nobody_can_try_numbers_out(handler, other, settings):
    case, number = cases.open_case(today=TODAY)
    unknown = case_numbers.make(lambda below: 1)
    for _ in range(settings.HELPLINE_CASE_TRIES):
        with pytest.raises(NoSuchCase):
            cases.find_case(unknown, by=handler, today=TODAY)
    for text in (unknown, number):
        with pytest.raises(TooManyTries):
            cases.find_case(text, by=handler, today=TODAY)
    assert cases.find_case(number, by=other, today=TODAY) == case


def test_mistyped_and_known_numbers_are_no_tries(handler, settings):
    case, number = cases.open_case(today=TODAY)
    for _ in range(settings.HELPLINE_CASE_TRIES + 5):
        assert cases.find_case(number, by=handler, today=TODAY) == case
        with pytest.raises(Mistyped):
            cases.find_case("1", by=handler, today=TODAY)
    with pytest.raises(NoSuchCase):
        cases.find_case(case_numbers.make(lambda below: 1), by=handler, today=TODAY)


def test_the_count_of_tries_ends_by_itself(handler, settings, monkeypatch):
    settings.HELPLINE_CASE_TRIES = 1
    monkeypatch.setattr(cases, "TRY_SECONDS", 0)
    for _ in range(3):
        with pytest.raises(NoSuchCase):
            cases.find_case(case_numbers.make(lambda below: 1), by=handler, today=TODAY)


def test_without_its_cache_the_tries_are_not_counted_and_a_number_is_found_all_the_same(handler, settings, caplog):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    case, number = cases.open_case(today=TODAY)
    unknown = case_numbers.make(lambda below: 1)
    for _ in range(settings.HELPLINE_CASE_TRIES + 1):
        with pytest.raises(NoSuchCase):
            cases.find_case(unknown, by=handler, today=TODAY)
    assert cases.find_case(number, by=handler, today=TODAY) == case
    assert "The cache does not answer" in caplog.text
    assert not [text for text in (number, unknown, f"case-tries-{handler.pk}") if text in caplog.text]


def test_another_secret_finds_no_case(handler, settings):
    _, number = cases.open_case(today=TODAY)
    settings.SECRET_KEY = "another"
    with pytest.raises(NoSuchCase):
        cases.find_case(number, by=handler, today=TODAY)


# --- the ticket -------------------------------------------------------------------------------------------------------


def test_a_ticket_is_good_for_the_account_that_got_it_and_for_nobody_else(handler, other):
    case, number = cases.open_case(today=TODAY)
    ticket = cases.ticket(case, by=handler)
    assert cases.redeem(ticket, by=handler) == case and cases.redeem(ticket, by=other) is None
    assert number not in ticket and case.digest not in ticket


def test_a_ticket_says_nothing_of_the_case_to_who_reads_the_page(handler):
    case, _ = cases.open_case(today=TODAY)
    first, second = cases.ticket(case, by=handler), cases.ticket(case, by=handler)
    read = urlsafe_b64decode(first)
    assert first != second and TICKET.fullmatch(first)
    for spelled in (case.pk.bytes, case.pk.hex.encode(), str(case.pk).encode()):
        assert spelled not in read


@pytest.mark.parametrize("text", ["", "x", "a:b:c", "\x00", "å" * 50, "\ud800", "x" * 118 + "=="])
def test_what_is_no_ticket_is_none(handler, text):
    assert cases.redeem(text, by=handler) is None


def test_a_ticket_grows_old(handler, settings):
    case, _ = cases.open_case(today=TODAY)
    ticket = cases.ticket(case, by=handler)
    settings.HELPLINE_DRAFT_HOURS = -1
    assert cases.redeem(ticket, by=handler) is None


def test_the_ticket_of_a_forgotten_case_stores_nothing(handler):
    case, _ = cases.open_case(today=TODAY)
    ticket = cases.ticket(case, by=handler)
    case.delete()
    with pytest.raises(NoSuchCase):
        log(cases.redeem(ticket, by=handler))
    assert not Contact.objects.exists()


# --- step by step -----------------------------------------------------------------------------------------------------


def test_the_contacts_of_a_case_are_numbered_and_others_are_without_number():
    case, _ = cases.open_case(today=TODAY)
    for hour in range(4):
        log(case, at=NOW + timedelta(hours=hour))
    assert steps() == ["forsta", "andra", "tredje_plus", "tredje_plus"]
    assert [case_history.step_after(n) for n in (0, 1, 2, 9)] == ["forsta", "andra", "tredje_plus", "tredje_plus"]


def test_a_known_case_makes_the_caller_a_returning_one_unless_the_form_says_otherwise():
    case, _ = cases.open_case(today=TODAY)
    said = [log(case).first_contact, log(case).first_contact, log(case, first_contact=["vet_ej"]).first_contact]
    assert said == ["ej_fragat", "nej", "vet_ej"]
    assert log(case, result=["tyst"]).first_contact == "ej_till"


def test_a_contact_of_a_case_that_is_sent_twice_is_one_contact_and_stays_the_first():
    case, _ = cases.open_case(today=TODAY)
    entry, key = read_entry(TODAY, CALL, [SCHOOL]), uuid4()
    sent = [contacts.log_contact(by=None, key=key, entry=entry, now=NOW, today=TODAY, case=case) for _ in range(2)]
    assert sent[0] == sent[1] and Contact.objects.count() == 1
    stored = Contact.objects.get()
    assert (stored.case_step, stored.first_contact) == ("forsta", "ej_fragat")
    assert not Referral.objects.get().is_repeat


def test_a_referral_that_repeats_an_earlier_one_is_marked_and_another_one_is_not():
    case, _ = cases.open_case(today=TODAY)
    log(case, SCHOOL, day=TODAY - timedelta(days=1))
    log(case, SCHOOL, ReferralEntry("social", "hanvisning"))
    rows = Referral.objects.order_by("contact__day", "target").values_list("target", "is_repeat")
    assert list(rows) == [("skola", False), ("skola", True), ("social", False)]


def test_a_contact_whose_clock_is_erased_stays_before_one_of_the_same_day():
    case, _ = cases.open_case(today=TODAY)
    first = log(case, SCHOOL)
    contacts.erase_traces(now=NOW + timedelta(hours=48), amend_hours=24)
    second = log(case, SCHOOL, at=NOW + timedelta(hours=48))
    stored = {contact.pk: contact.case_step for contact in Contact.objects.all()}
    assert (stored[first.pk], stored[second.pk]) == ("forsta", "andra")


def test_a_frozen_contact_keeps_its_step_and_comes_first():
    case, _ = cases.open_case(today=TODAY)
    late = log(case, SCHOOL)
    Contact.objects.update(is_frozen=True)
    log(case, SCHOOL, day=TODAY - timedelta(days=3))
    assert Contact.objects.get(pk=late.pk).case_step == "forsta"
    assert list(Referral.objects.filter(contact=late).values_list("is_repeat", flat=True)) == [False]
    assert Contact.objects.exclude(pk=late.pk).get().case_step == "andra"


def test_a_contact_of_an_earlier_day_comes_after_those_saved_before_it_whatever_is_changed_later():
    case, _ = cases.open_case(today=TODAY)
    first = log(case, SCHOOL)
    later = log(case, SCHOOL, day=TODAY - timedelta(days=2), at=NOW + timedelta(hours=1))
    said = Contact.objects.order_by("day").values_list("case_step", "first_contact")
    assert list(said) == [("andra", "nej"), ("forsta", "ej_fragat")]
    assert case_history.settle(case) == set() and list(said) == [("andra", "nej"), ("forsta", "ej_fragat")]
    contacts.withdraw_contact(first, version=1)
    later.refresh_from_db()
    assert later.case_step == "forsta" and not later.referrals.get().is_repeat


def test_a_referral_that_a_frozen_contact_counts_is_not_counted_by_the_first_one_too():
    case, _ = cases.open_case(today=TODAY)
    first = log(case)
    frozen = log(case, SCHOOL, day=TODAY - timedelta(days=9))
    # As if it had been frozen before a contact of an earlier month came first.
    Contact.objects.filter(pk=first.pk).update(case_step="forsta")
    Contact.objects.filter(pk=frozen.pk).update(case_step="andra", is_frozen=True)
    contacts.amend_contact(first, version=1, entry=read_entry(TODAY, CALL, [SCHOOL]), today=TODAY)
    first.refresh_from_db()
    assert first.case_step == "forsta" and first.referrals.get().is_repeat
    assert not frozen.referrals.get().is_repeat


def test_settling_a_case_costs_the_same_whatever_lies_in_other_cases():
    case, _ = cases.open_case(today=TODAY)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            case_history.settle(case)
        return len(asked)

    log(case, SCHOOL)
    before = queries()
    for _ in range(20):
        log(cases.open_case(today=TODAY)[0], SCHOOL)
    assert queries() == before == 1


@pytest.mark.django_db(transaction=True)
def test_two_amendments_in_one_case_at_once_both_hold_and_the_case_adds_up():
    for _ in range(5):
        Contact.objects.all().delete()
        case, _number = cases.open_case(today=TODAY)
        first, second, third = (log(case, SCHOOL) for _ in range(3))
        said = read_entry(TODAY, CALL | {"caller_role": ["narstaende"]}, [SCHOOL])
        outcome = at_once(
            lambda first=first: contacts.withdraw_contact(first, version=1),
            lambda third=third, said=said: contacts.amend_contact(third, version=1, entry=said, today=TODAY),
        )
        assert not [one for one in outcome if isinstance(one, Exception)]
        stored = {contact.pk: contact for contact in Contact.objects.prefetch_related("referrals")}
        assert (stored[second.pk].case_step, stored[third.pk].case_step) == ("forsta", "andra")
        assert stored[third.pk].caller_role == "narstaende" and stored[first.pk].is_withdrawn
        assert [stored[one.pk].referrals.get().is_repeat for one in (second, third)] == [False, True]


# --- forgotten --------------------------------------------------------------------------------------------------------


def test_a_case_is_forgotten_when_nobody_came_back_in_time_and_its_contacts_keep_their_step(handler, settings):
    case, number = cases.open_case(today=TODAY)
    log(case)
    last = TODAY + timedelta(days=settings.HELPLINE_CASE_DAYS)
    assert cases.find_case(number, by=handler, today=last) == case
    assert cases.erase_expired(today=last) == 0
    with pytest.raises(NoSuchCase):
        cases.find_case(number, by=handler, today=last + timedelta(days=1))
    assert cases.erase_expired(today=last + timedelta(days=1)) == 1
    stored = Contact.objects.get()
    assert (stored.case, stored.case_step) == (None, "forsta")


def test_a_contact_of_a_case_keeps_it_alive(handler):
    case, number = cases.open_case(today=TODAY - timedelta(days=80))
    log(case)
    assert cases.find_case(number, by=handler, today=TODAY + timedelta(days=80)) == case


def test_what_is_amended_or_withdrawn_makes_no_number_live_longer():
    case, _ = cases.open_case(today=TODAY)
    contact, later = log(case), TODAY + timedelta(days=80)
    contacts.amend_contact(contact, version=1, entry=read_entry(TODAY, CALL, [SCHOOL]), today=later)
    contacts.withdraw_contact(contact, version=2)
    assert Case.objects.get().used_on == TODAY
    log(case, day=TODAY)
    Case.objects.update(used_on=TODAY - timedelta(days=1))
    log(case)
    assert Case.objects.get().used_on == TODAY


def test_a_contact_whose_case_was_forgotten_meanwhile_can_be_changed():
    case, _ = cases.open_case(today=TODAY)
    contact = Contact.objects.select_related("case").get(pk=log(case).pk)
    Case.objects.all().delete()
    contacts.amend_contact(contact, version=1, entry=read_entry(TODAY, CALL, [SCHOOL]), today=TODAY)
    contacts.withdraw_contact(contact, version=2)
    assert Contact.objects.get().is_withdrawn and case_history.settle(case) == set()


@pytest.mark.django_db(transaction=True)
def test_a_case_that_is_used_while_the_old_ones_are_forgotten_keeps_its_contact(settings):
    for _ in range(5):
        case, _ = cases.open_case(today=TODAY - timedelta(days=settings.HELPLINE_CASE_DAYS + 1))
        start, outcomes = threading.Barrier(2), {}

        def run(name: str, act: Callable[[], object], start=start, outcomes=outcomes) -> None:
            try:
                start.wait(30)
                act()
                outcomes[name] = "ok"
            except NoSuchCase:
                outcomes[name] = "forgotten"
            finally:
                connection.close()

        acts = {"use": lambda case=case: log(case), "forget": lambda: cases.erase_expired(today=TODAY)}
        threads = [threading.Thread(target=run, args=act) for act in acts.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes["forget"] == "ok"
        kept = outcomes["use"] == "ok"
        assert Case.objects.filter(pk=case.pk).exists() == Contact.objects.filter(case=case.pk).exists() == kept


def test_the_task_forgets_cases():
    cases.open_case(today=date(2020, 1, 1))
    erase_expired()
    assert not Case.objects.exists()
