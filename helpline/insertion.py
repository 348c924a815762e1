"""Owns how a contact comes into the database: with its referrals and its mark, its draft gone, once for each key."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connection, models

from helpline.models import Contact, DayMark, Draft, Referral, User

_OF_CONTACT = Contact._meta.concrete_fields
_OF_REFERRAL = [field for field in Referral._meta.concrete_fields if field.name != "contact"]


def insert(contact: Contact, referrals: Sequence[Referral], *, by: User | None) -> Contact:
    """The contact, stored now and so `is_new`, or the one that its submission key made before; `by` had the draft.

    Within a transaction of the caller.
    """
    key = str(contact.submission_key)
    if connection.vendor == "postgresql" and _is_plain(contact):
        if _insert_at_once(contact, referrals, by):
            contact.is_new, contact._state.adding, contact._state.db = True, False, connection.alias
            return contact
        return Contact.objects.get(submission_key=key)
    # Not get_or_create: a duplicate key then raises nothing, and the database writes no failing row into its log.
    Contact.objects.bulk_create([contact], ignore_conflicts=True)
    stored = Contact.objects.get(submission_key=key)
    if stored.pk == contact.pk:
        stored.is_new = True
        Referral.objects.bulk_create(referrals)
        DayMark.objects.create(day=stored.day)
    if by is not None:
        Draft.objects.filter(pk=key, owner=by).delete()
    return stored


def _is_plain(contact: Contact) -> bool:
    """What its case says of a contact are expressions, which the database must be asked for."""
    return contact.case_id is None


# --- by one statement, on PostgreSQL ----------------------------------------------------------------------------------

# The names in the statement are columns of ours; what a contact says stands beside it.
MARK = f"mark AS (INSERT INTO {DayMark._meta.db_table} (day) SELECT day FROM contact)"  # noqa: S608


@cache
def _statement() -> str:
    """The same as above: five statements of the ORM are half of what a save costs the web process."""
    contact, referral, draft = (model._meta.db_table for model in (Contact, Referral, Draft))
    columns = ", ".join(str(field.column) for field in _OF_CONTACT)
    of_referral = ", ".join(str(field.column) for field in _OF_REFERRAL)
    values = ", ".join(["%s"] * len(_OF_CONTACT))
    # Without its length: a cast to varchar(12) cuts, where an insert refuses.
    arrays = ", ".join(f"%s::{str(field.db_type(connection)).partition('(')[0]}[]" for field in _OF_REFERRAL)
    return (
        f"WITH contact AS (INSERT INTO {contact} ({columns}) VALUES ({values})"  # noqa: S608
        " ON CONFLICT DO NOTHING RETURNING id AS contact_id, day),"
        f" referral AS (INSERT INTO {referral} (contact_id, {of_referral})"
        f" SELECT contact_id, said.* FROM contact, unnest({arrays}) said),"
        f" {MARK}, draft AS (DELETE FROM {draft} WHERE id = %s AND owner_id = %s)"
        " SELECT count(*) FROM contact"
    )


def _insert_at_once(contact: Contact, referrals: Sequence[Referral], by: User | None) -> bool:
    values: list[Any] = [_value(field, contact) for field in _OF_CONTACT]
    values += [[_value(field, referral) for referral in referrals] for field in _OF_REFERRAL]
    values += [contact.submission_key, by and by.pk]
    with connection.cursor() as cursor:
        cursor.execute(_statement(), values)
        return bool(cursor.fetchone()[0])


def _value(field: models.Field, row: models.Model) -> object:
    return field.get_db_prep_save(getattr(row, field.attname), connection)
