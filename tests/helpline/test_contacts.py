"""The one door: what it stores, what it refuses, what it forgets."""

import hashlib
import threading
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from helpline import contacts
from helpline.contacts import KeyReused
from helpline.entries import ContactEntry, ReferralEntry, Refused, read_entry
from helpline.models import Contact, DayMark, ImportedKey, Referral, User

TODAY = date(2026, 3, 4)
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
CALL = {"channel": ["telefon"], "result": ["relevant"], "concerns": ["natet", "hot"], "county": ["14"]}
ARRANGED = ReferralEntry("social", "formedling", consent=True)

pytestmark = pytest.mark.django_db


def entry(*referrals: ReferralEntry, day: date = TODAY, **answers: list[str]) -> ContactEntry:
    return read_entry(day, CALL | answers, referrals)


def log(what: ContactEntry | None = None, key: UUID | None = None, by: User | None = None) -> Contact:
    return contacts.log_contact(by=by, key=key or uuid4(), entry=what or entry(), now=NOW, today=TODAY)


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


def test_a_day_ahead_is_refused_and_stores_nothing():
    with pytest.raises(Refused):
        log(entry(day=TODAY + timedelta(days=1)))
    assert not Contact.objects.exists() and not DayMark.objects.exists()


def test_an_error_in_the_middle_stores_neither_contact_nor_mark(monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(DayMark.objects, "create", fail)
    with pytest.raises(RuntimeError):
        log(entry(ARRANGED))
    assert (Contact.objects.count(), Referral.objects.count(), DayMark.objects.count()) == (0, 0, 0)


def test_a_save_costs_few_queries_whatever_it_says(handler, django_assert_max_num_queries):
    with django_assert_max_num_queries(6):
        log(entry(ARRANGED, ReferralEntry("skola", "hanvisning")), by=handler)


def test_the_key_is_random_and_says_nothing_of_the_order():
    assert {log().pk.version for _ in range(3)} == {4}


# --- what is forgotten --------------------------------------------------------------------------------------------


def test_who_logged_when_is_erased_with_the_amend_window_and_the_answers_stay(handler):
    log(by=handler)
    assert contacts.erase_expired(now=NOW + timedelta(hours=23, minutes=59), amend_hours=24) == 0
    assert Contact.objects.get().logged_by == handler
    assert contacts.erase_expired(now=NOW + timedelta(hours=24), amend_hours=24) == 1
    stored = Contact.objects.get()
    trace = (stored.logged_at, stored.logged_by, stored.submission_key, stored.submission_digest)
    assert trace == (None, None, None, None)
    assert stored.concerns == {"natet", "hot"}
    assert contacts.erase_expired(now=NOW + timedelta(hours=25), amend_hours=24) == 0


# --- rows of a file -----------------------------------------------------------------------------------------------


def imported(what: ContactEntry, key: str = "row-1") -> Contact | None:
    return contacts.log_imported(key=key, entry=what, now=NOW, today=TODAY)


def test_a_row_imported_before_is_no_second_contact_also_after_a_week():
    assert imported(entry()) is not None
    assert imported(entry()) is None
    contacts.erase_expired(now=NOW + timedelta(days=7), amend_hours=24)
    assert imported(entry()) is None
    assert Contact.objects.count() == 1


def test_a_row_imported_before_with_other_content_is_refused():
    imported(entry())
    with pytest.raises(KeyReused):
        imported(entry(ARRANGED))
    assert Contact.objects.count() == 1


def test_what_is_remembered_of_a_row_is_neither_its_key_nor_a_link():
    contact = imported(entry(), key="kalles rad")
    remembered = ImportedKey.objects.get()
    plain = {hashlib.sha256(b"kalles rad").hexdigest(), entry().digest(), contact.pk.hex, contact.submission_key.hex}
    assert not plain & {remembered.digest, remembered.content}
    assert {field.name for field in ImportedKey._meta.fields} == {"digest", "content", "day"}


def test_the_digests_depend_on_the_installations_secret(settings):
    one = contacts.imported_key("row-1", entry()).digest
    settings.SECRET_KEY = "another"
    assert contacts.imported_key("row-1", entry()).digest != one


def test_the_rows_of_a_file_are_stored_all_or_none():
    first, second = entry(), entry(ARRANGED)
    assert contacts.log_all_imported([("a", first), ("b", second)], now=NOW, today=TODAY) == 2
    assert (Contact.objects.count(), Referral.objects.count(), ImportedKey.objects.count()) == (2, 1, 2)
    assert list(DayMark.objects.values_list("day", flat=True)) == [TODAY]
    with pytest.raises(IntegrityError), transaction.atomic():
        contacts.log_all_imported([("c", first), ("b", second)], now=NOW, today=TODAY)
    with pytest.raises(Refused):
        contacts.log_all_imported([("d", first), ("e", entry(day=TODAY + timedelta(days=1)))], now=NOW, today=TODAY)
    assert (Contact.objects.count(), ImportedKey.objects.count()) == (2, 2)


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
