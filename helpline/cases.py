"""Owns the cases that callers come back with: found by number, held while they change, forgotten after a time."""

import logging
import secrets
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from helpline import case_numbers, sealing
from helpline.models import Case, Contact, User

logger = logging.getLogger(__name__)

TRY_SECONDS = 3600
SALT = "helpline.case"


class NoSuchCase(LookupError):
    """No case has this number, although its check digit fits: never given, or expired."""


class TooManyTries(Exception):
    """This account has given so many numbers that no case has that it must wait."""


def _digest(number: str) -> str:
    secret = salted_hmac(SALT, "case numbers", algorithm="sha256").digest()
    return case_numbers.digest(number, secret)


def open_case(*, today: date, draw: Callable[[int], int] = secrets.randbelow) -> tuple[Case, str]:
    """A new case and its number, which is told to the caller now and cannot be read again."""
    while True:
        number = case_numbers.make(draw)
        case = Case(digest=_digest(number), used_on=today)
        # A number that another case has raises nothing, so that no digest comes into the database's log.
        Case.objects.bulk_create([case], ignore_conflicts=True)
        if Case.objects.filter(pk=case.pk).exists():
            return case, number


def find_case(text: str, *, by: User, today: date) -> Case:
    """The case of a number as it was said. Raises Mistyped, NoSuchCase and TooManyTries.

    Numbers that no case has are counted for an hour and an account, so that nobody can try numbers out.
    """
    number = case_numbers.read(text)
    if _tries(by) >= settings.HELPLINE_CASE_TRIES:
        raise TooManyTries
    alive = today - timedelta(days=settings.HELPLINE_CASE_DAYS)
    if (case := Case.objects.filter(digest=_digest(number), used_on__gte=alive).first()) is None:
        _count_try(by)
        raise NoSuchCase
    return case


def _tries(by: User) -> int:
    """How many tries an account has made; none when the cache does not answer: no call waits for the cache."""
    try:
        return int(cache.get(f"case-tries-{by.pk}", 0))
    except Exception:
        logger.warning("The cache does not answer: tries of case numbers are not counted.")
        return 0


def _count_try(by: User) -> None:
    tries = f"case-tries-{by.pk}"
    try:
        try:
            cache.incr(tries)
        except ValueError:  # the first try of this hour
            cache.set(tries, 1, TRY_SECONDS)
    except Exception:
        logger.warning("The cache does not answer: a try of a case number is not counted.")


def ticket(case: Case, *, by: User) -> str:
    """What a form carries instead of the number: the case, good for this account for as long as a draft.

    Encrypted, not signed only: two pages whose sources show one case would else link two calls.
    """
    return sealing.seal(case.pk.bytes, purpose=f"{SALT}.{by.pk}")


def redeem(text: str, *, by: User) -> Case | None:
    """The case of a ticket, its key alone; None for one that is foreign or too old."""
    try:
        pk = sealing.unseal(text, purpose=f"{SALT}.{by.pk}", seconds=settings.HELPLINE_DRAFT_HOURS * 3600)
    except sealing.Broken:
        return None
    return Case(pk=UUID(bytes=pk))


def hold(case: Case, *, today: date) -> None:
    """Note that the case is used, and hold it until the transaction ends, so that no other contact comes between.
    Raises NoSuchCase for one that was forgotten meanwhile."""
    if not Case.objects.filter(pk=case.pk).update(used_on=today):
        raise NoSuchCase


def hold_case_of(contact: Contact) -> Case | None:
    """The case of a contact and all its contacts, held until the transaction ends, but not used: what is amended makes
    no number live longer. None for a contact without one, also when it was forgotten this moment."""
    of_contact = Contact.objects.filter(pk=contact.pk).values("case_id")
    if case := Case.objects.select_for_update().filter(pk__in=of_contact).first():
        hold_contacts(Contact.objects.filter(case=case))
    return case


def hold_contacts(contacts: QuerySet[Contact]) -> list[Contact]:
    """The contacts, held until the transaction ends; always in one order, so that a freeze and an amendment, each of
    which holds several, never wait on each other."""
    return list(contacts.order_by("pk").select_for_update())


@transaction.atomic
def erase_expired(*, today: date) -> int:
    """Forget the cases that nobody came back with in time; their contacts keep their step. How many."""
    old = Case.objects.filter(used_on__lt=today - timedelta(days=settings.HELPLINE_CASE_DAYS))
    # Held before anything of them is touched: one that is used this moment is no longer among them.
    held = [case.pk for case in old.order_by("pk").select_for_update()]
    return Case.objects.filter(pk__in=held).delete()[1].get("helpline.Case", 0)
