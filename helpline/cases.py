"""Owns the cases that callers come back with: found by number, numbered step by step, forgotten after a time."""

import logging
import secrets
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.db import transaction
from django.db.models import Case as Branch
from django.db.models import CharField, Count, Exists, F, QuerySet, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact
from django.utils.crypto import salted_hmac

from helpline import case_numbers
from helpline.models import Case, Contact, Referral, User

logger = logging.getLogger(__name__)

TRY_SECONDS = 3600
SALT = "helpline.case"
STEPS = ("forsta", "andra", "tredje_plus")
REFERRED = ("pk", "target", "type", "is_repeat")


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
    """What a form carries instead of the number: the case, signed, good for this account for as long as a draft."""
    return signing.dumps(str(case.pk), salt=f"{SALT}.{by.pk}")


def redeem(text: str, *, by: User) -> Case | None:
    """The case of a ticket, its key alone; None for one that is foreign or too old."""
    try:
        pk = signing.loads(text, salt=f"{SALT}.{by.pk}", max_age=settings.HELPLINE_DRAFT_HOURS * 3600)
    except signing.BadSignature:
        return None
    return Case(pk=UUID(pk))


def steps_of(case: Case) -> int:
    """How many contacts the case has."""
    return Contact.objects.counted().filter(case=case).count()


def step_after(steps: int) -> str:
    """The code of the step that comes after so many contacts of a case."""
    return STEPS[min(steps, len(STEPS) - 1)]


def hold(case: Case, *, today: date) -> None:
    """Note that the case is used, and hold it until the transaction ends, so that no other contact comes between.

    Raises NoSuchCase for one that was forgotten meanwhile.
    """
    if not Case.objects.filter(pk=case.pk).update(used_on=today):
        raise NoSuchCase


def hold_case_of(contact: Contact) -> Case | None:
    """The case of a contact, held until the transaction ends, but not used: what is amended makes no number live
    longer. None for a contact without one, also when it was forgotten this moment."""
    of_contact = Contact.objects.filter(pk=contact.pk).values("case_id")
    return Case.objects.select_for_update().filter(pk__in=of_contact).first()


def _steps(case: Case) -> Combinable:
    """How many contacts a held case has, counted by the very statement that inserts the next one."""
    of_case = Contact.objects.counted().filter(case_id=case.pk).order_by().values("case")
    return Coalesce(Subquery(of_case.annotate(steps=Count("pk")).values("steps")), 0)


def next_step(case: Case) -> Combinable:
    """The step of the contact that is inserted into a held case."""
    first, second, later = (Value(step, output_field=CharField()) for step in STEPS)
    return Branch(When(Exact(_steps(case), 0), then=first), When(Exact(_steps(case), 1), then=second), default=later)


def if_returning(case: Case, code: str, otherwise: str) -> Combinable:
    """`code` for the contact that is inserted into a held case that has contacts, else `otherwise`."""
    texts = [Value(text, output_field=CharField()) for text in (otherwise, code)]
    return Branch(When(Exact(_steps(case), 0), then=texts[0]), default=texts[1])


def is_repeat(case: Case, contact: Contact, target: str, kind: str) -> Combinable:
    """Whether another contact of a held case has the referral that is inserted now."""
    others = Referral.objects.filter(contact__case_id=case.pk, contact__is_withdrawn=False, is_repeat=False)
    return Exists(others.filter(target=target, type=kind).exclude(contact_id=contact.pk))


def settle(case: Case) -> set[date]:
    """Number the contacts of a held case anew and mark the referrals that another one of them counts already; the days
    on which something changed. Frozen contacts stay as they are.

    A case's order is that of saving, whatever days its contacts are given, and shows in the steps they have: so an
    amendment swaps nothing. first_contact stays as it is: whether "nej" was said or came from the case is not known,
    and the handler can amend it.
    """
    step = Branch(*(When(case_step=code, then=place) for place, code in enumerate(STEPS)), default=len(STEPS))
    # The clock of the oldest is erased already.
    in_order = (step, F("is_frozen").desc(), F("logged_at").asc(nulls_first=True), "day", "pk")
    rows = (
        Contact.objects.counted()
        .filter(case=case)
        .order_by(*in_order)
        .values_list("pk", "day", "is_frozen", "case_step", *(f"referrals__{part}" for part in REFERRED))
    )
    referred: dict[tuple[UUID, date, bool, str], list[tuple[UUID, str, str, bool]]] = {}
    counted: set[tuple[str, str]] = set()
    for *contact, pk, target, kind, is_repeat in rows:
        of_contact = referred.setdefault((contact[0], contact[1], contact[2], contact[3]), [])
        of_contact += [(pk, target, kind, is_repeat)] if pk else []
        counted |= {(target, kind)} if contact[2] and pk and not is_repeat else set()
    changed: set[date] = set()
    for place, ((contact_pk, day, is_frozen, old_step), referrals) in enumerate(referred.items()):
        if is_frozen:
            continue
        # Frozen at this moment, they stay as they are, too.
        if old_step != step_after(place) and _changeable(contact_pk).update(case_step=step_after(place)):
            changed.add(day)
        for pk, target, kind, is_repeat in referrals:
            if is_repeat != ((target, kind) in counted):
                row = Referral.objects.filter(pk=pk, contact__in=_changeable(contact_pk))
                changed |= {day} if row.update(is_repeat=not is_repeat) else set()
        counted |= {(target, kind) for _, target, kind, _ in referrals}
    return changed


def _changeable(pk: UUID) -> QuerySet[Contact]:
    return Contact.objects.changeable().filter(pk=pk)


@transaction.atomic
def erase_expired(*, today: date) -> int:
    """Forget the cases that nobody came back with in time; their contacts keep their step. How many."""
    old = Case.objects.filter(used_on__lt=today - timedelta(days=settings.HELPLINE_CASE_DAYS))
    # Held before anything of them is touched: one that is used this moment is no longer among them.
    held = [case.pk for case in old.select_for_update()]
    return Case.objects.filter(pk__in=held).delete()[1].get("helpline.Case", 0)
