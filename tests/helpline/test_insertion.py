"""How a contact comes into the database: by one statement or by several, it is the same."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from django.db import DataError, connection, transaction

from helpline import contacts, insertion
from helpline.entries import read_entry
from helpline.models import Contact, DayMark, Draft, Referral, User

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
ways = pytest.mark.parametrize("at_once", [True, False], ids=["by one statement", "by several"])


def made() -> Contact:
    said = read_entry(date(2026, 3, 4), {"channel": ["telefon"], "result": ["relevant"], "concerns": ["hot", "natet"]})
    return contacts._contact(said, key=uuid4(), by=None, now=NOW)


def insert(contact: Contact, *referrals: Referral, at_once: bool, monkeypatch, by: User | None = None) -> Contact:
    if not at_once:
        monkeypatch.setattr(insertion, "_is_plain", lambda contact: False)
    with transaction.atomic():
        return insertion.insert(contact, referrals, by=by)


@ways
def test_the_contact_its_referrals_and_its_mark_are_there_and_its_owner_s_draft_is_gone(at_once, monkeypatch):
    owner, other = (User.objects.create_user(name, None, role="handler") for name in ("owner", "other"))
    contact = made()
    for pk, of in ((contact.submission_key, owner), (uuid4(), owner)):
        Draft.objects.create(pk=pk, owner=of, content="{}", opened_at=NOW, changed_at=NOW)
    said = [
        Referral(contact=contact, target=t, type="hanvisning", outcome="vantar", consent=False)
        for t in ("skola", "vard")
    ]
    stored = insert(contact, *said, at_once=at_once, monkeypatch=monkeypatch, by=owner)
    assert stored.is_new and stored == Contact.objects.get()
    assert {field.name: getattr(Contact.objects.get(), field.name) for field in Contact._meta.concrete_fields} == {
        field.name: getattr(contact, field.name) for field in Contact._meta.concrete_fields
    }
    assert sorted(Referral.objects.values_list("pk", "contact", "target", "outcome")) == sorted(
        (one.pk, contact.pk, one.target, "vantar") for one in said
    )
    assert DayMark.objects.get().day == contact.day
    assert list(Draft.objects.values_list("owner__username", flat=True)) == ["owner"]
    assert not Draft.objects.filter(pk=contact.submission_key).exists() and not other.drafts.exists()


@ways
def test_a_key_that_was_used_gives_back_what_it_stored(at_once, monkeypatch):
    first, again = made(), made()
    again.submission_key = first.submission_key
    insert(first, at_once=at_once, monkeypatch=monkeypatch)
    stored = insert(again, at_once=at_once, monkeypatch=monkeypatch)
    assert stored.pk == first.pk and not stored.is_new
    assert (Contact.objects.count(), DayMark.objects.count()) == (1, 1)


@ways
def test_what_comes_back_is_a_stored_contact_which_saved_again_is_changed(at_once, monkeypatch):
    stored = insert(made(), at_once=at_once, monkeypatch=monkeypatch)
    stored.version = 7
    stored.save()
    assert Contact.objects.get().version == 7


@ways
def test_a_code_that_is_too_long_is_refused_and_never_cut(at_once, monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite keeps to no length")
    contact = made()
    long = Referral(contact=contact, target="a" * 13, type="hanvisning", outcome="vantar", consent=False)
    with pytest.raises(DataError):
        insert(contact, long, at_once=at_once, monkeypatch=monkeypatch)
    assert not Contact.objects.exists()
