"""What is remembered of the rows of files: enough to know them again, too little to know anything else."""

import hashlib
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from helpline import contacts
from helpline.contacts import KeyReused
from helpline.entries import ContactEntry, ReferralEntry, Refused, read_entry
from helpline.imports import keys
from helpline.models import Contact, DayMark, ImportedKey, Referral

TODAY, NOW = date(2026, 3, 4), datetime(2026, 3, 4, 12, tzinfo=UTC)
CALL = {"channel": ["telefon"], "result": ["relevant"], "concerns": ["natet", "hot"], "county": ["14"]}
ARRANGED = ReferralEntry("social", "formedling", consent=True)

pytestmark = pytest.mark.django_db


def entry(*referrals: ReferralEntry, day: date = TODAY) -> ContactEntry:
    return read_entry(day, CALL, referrals)


def imported(what: ContactEntry, key: str = "row-1") -> Contact | None:
    return keys.log_imported(key=key, entry=what, now=NOW, today=TODAY)


def test_a_row_imported_before_is_no_second_contact_also_after_a_week():
    assert imported(entry()) is not None
    assert imported(entry()) is None
    contacts.erase_traces(now=NOW + timedelta(days=7), amend_hours=24)
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
    one = keys.imported_key("row-1", entry()).digest
    settings.SECRET_KEY = "another"
    assert keys.imported_key("row-1", entry()).digest != one


def store(**rows: ContactEntry) -> int:
    keyed = [(keys.imported_key(key, what), what) for key, what in rows.items()]
    return contacts.log_all_imported(keyed, now=NOW, today=TODAY)


def test_the_rows_of_a_file_are_stored_all_or_none():
    first, second = entry(), entry(ARRANGED)
    assert store(a=first, b=second) == 2
    assert (Contact.objects.count(), Referral.objects.count(), ImportedKey.objects.count()) == (2, 1, 2)
    assert list(DayMark.objects.values_list("day", flat=True)) == [TODAY]
    with pytest.raises(IntegrityError), transaction.atomic():
        store(c=first, b=second)
    with pytest.raises(Refused):
        store(d=first, e=entry(day=TODAY + timedelta(days=1)))
    assert (Contact.objects.count(), ImportedKey.objects.count()) == (2, 2)
