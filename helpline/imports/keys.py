"""Owns what is remembered of the rows of files, so that none makes a second contact, however long ago it came."""

from collections.abc import Collection, Iterator
from datetime import date, datetime
from uuid import uuid4

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.crypto import salted_hmac

from helpline import contacts
from helpline.contacts import KeyReused
from helpline.entries import ContactEntry
from helpline.models import Case, Contact, ImportedKey

KEYS_A_QUERY = 500


def imported_key(key: str, entry: ContactEntry) -> ImportedKey:
    """What is remembered of a file's row: digests under the installation's secret, so that nobody can try keys out."""
    digest = salted_hmac("helpline.imported_key", key, algorithm="sha256").hexdigest()
    content = salted_hmac("helpline.imported_content", entry.digest(), algorithm="sha256").hexdigest()
    return ImportedKey(digest=digest, content=content, day=entry.day)


def remembered(digests: Collection[str]) -> Iterator[tuple[str, str]]:
    """Of those keys that were imported before, the digest and that of the content."""
    listed = list(digests)
    for start in range(0, len(listed), KEYS_A_QUERY):
        keys = ImportedKey.objects.filter(digest__in=listed[start : start + KEYS_A_QUERY])
        yield from keys.values_list("digest", "content")


@transaction.atomic
def log_imported(
    *, key: str, entry: ContactEntry, now: datetime, today: date, case: Case | None = None
) -> Contact | None:
    """Record the contact of a row, or nothing (None) when the row was imported before, however long ago.

    Raises KeyReused when the key was imported with other content, and IntegrityError when another import of the same
    row runs at this moment: nothing is stored then.
    """
    row = imported_key(key, entry)
    if before := ImportedKey.objects.filter(digest=row.digest).first():
        if before.content != row.content:
            raise KeyReused
        return None
    row.save(force_insert=True)
    return contacts.log_contact(by=None, key=uuid4(), entry=entry, now=now, today=today, case=case)


def erase_expired(*, before: date) -> int:
    """Forget the rows of days before `before` whose contacts are erased; how many."""
    contacts_left = Contact.objects.filter(day=OuterRef("day"))
    return ImportedKey.objects.filter(~Exists(contacts_left), day__lt=before).delete()[0]
