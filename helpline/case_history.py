"""Owns what the contacts of a case know of each other: which step each is, what came of a referral, who counts it.

Of the contacts of a case that of an earlier month goes before, within a month the one saved first: months are frozen in
this order, so that what is frozen is never the repetition of something that can still be taken back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import NamedTuple
from uuid import UUID

from django.db.models import Case as Branch
from django.db.models import CharField, Count, Exists, F, FilteredRelation, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, TruncMonth
from django.db.models.lookups import Exact

from helpline import cases
from helpline.entries import NOT_FOLLOWED_UP, ContactEntry, FollowUp
from helpline.models import Case, Contact, Referral
from helpline.taxonomy import CODE_LISTS, RELEVANT

STEPS = ("forsta", "andra", "tredje_plus")
REFERRED = ("pk", "target", "type", "is_repeat")

Named = tuple[str, str]  # target and type: what names a referral within its case


class Overtaken(Exception):
    """An earlier referral of the case says something else by now, or can no longer be changed."""


@dataclass(frozen=True, slots=True)
class History:
    """How many contacts a case has, and its counted referrals: target, type, outcome, whether the month is frozen."""

    steps: int
    referrals: tuple[tuple[str, str, str, bool], ...]


def history_of(case: Case) -> History:
    of_case = Contact.objects.counted().filter(case=case)
    counted = Q(referrals__is_repeat=False, result=RELEVANT)
    # One row for each such referral, or one alone.
    named = of_case.annotate(its=FilteredRelation("referrals", condition=counted))
    rows = list(named.values_list("pk", "its__target", "its__type", "its__outcome", "is_frozen"))
    return History(len({row[0] for row in rows}), tuple(row[1:] for row in rows if row[1]))


def step_after(steps: int) -> str:
    """The code of the step that comes after so many contacts of a case."""
    return STEPS[min(steps, len(STEPS) - 1)]


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
    """Whether another contact of a held case counts the referral that is inserted now."""
    others = Referral.objects.counted().filter(contact__case_id=case.pk).exclude(contact_id=contact.pk)
    return Exists(others.filter(target=target, type=kind))


def known_outcome(case: Case, contact: Contact, referral: Referral) -> Combinable:
    """What another contact of a held case knows came of a silent referral that is inserted now."""
    known = _known(case, contact, contact.day).filter(target=referral.target, type=referral.type)
    return Coalesce(Subquery(known.order_by("contact__is_frozen").values("outcome")[:1]), Value(NOT_FOLLOWED_UP))


def known_outcomes(
    case: Case, contact: Contact, entry: ContactEntry, before: ContactEntry | None = None
) -> dict[Named, str]:
    """The same of those referrals of a stored contact's entry that say nothing and were not there `before`."""
    silent = {(r.target, r.type) for r in entry.referrals if r.outcome == NOT_FOLLOWED_UP}
    silent -= {(r.target, r.type) for r in before.referrals} if before else set()
    # A frozen one keeps what was known then, so the others go before it.
    rows = _known(case, contact, entry.day).order_by("-contact__is_frozen").values_list("target", "type", "outcome")
    return {(t, k): what for t, k, what in rows if (t, k) in silent} if silent else {}


def _known(case: Case, contact: Contact, day: date) -> QuerySet[Referral]:
    said = [code.code for code in CODE_LISTS["referral_outcome"].offered_on(day) if code.code != NOT_FOLLOWED_UP]
    return _referrals_of(case).exclude(contact_id=contact.pk).filter(outcome__in=said)


def _referrals_of(case: Case) -> QuerySet[Referral]:
    return Referral.objects.filter(contact__case_id=case.pk, contact__is_withdrawn=False)


def to_tell(case: Case, contact: Contact, said: Iterable[FollowUp]) -> tuple[dict[Contact, dict[Named, str]], bool]:
    """The contacts of a held case, held now too, that can change and say another outcome of a referral than is said of
    it, and whether the one that counts it can say it too. Repeated ones are told as well: each may be the one that
    counts it tomorrow.

    An outcome that nobody was shown before is said where it can be; for one that was, and that another contact than
    `contact` does not count so, or can no longer change, this raises Overtaken.
    """
    cases.hold_contacts(Contact.objects.filter(case_id=case.pk))
    rows: dict[Named, list[Referral]] = {}
    for row in _referrals_of(case).select_related("contact"):
        rows.setdefault((row.target, row.type), []).append(row)
    changes: dict[Contact, dict[Named, str]] = {}
    for_all = True
    for one in said:
        name = (one.target, one.type)
        others = (row for row in rows.get(name, ()) if row.contact_id != contact.pk)
        counted = next((row for row in others if not row.is_repeat and row.contact.result == RELEVANT), None)
        stays = counted is not None and counted.contact.is_frozen
        if one.shown and (counted is None or stays or counted.outcome not in (one.shown, one.outcome)):
            raise Overtaken
        for row in rows.get(name, ()):
            if row.outcome != one.outcome:
                for_all = for_all and not (stays and row == counted)
                if not row.contact.is_frozen:
                    changes.setdefault(row.contact, {})[name] = one.outcome
    return changes, for_all


class _Step(NamedTuple):
    """What settling a case looks at in one of its contacts."""

    pk: UUID
    day: date
    is_frozen: bool
    case_step: str
    result: str


def _in_order(case: Case) -> dict[_Step, list[tuple[UUID, str, str, bool]]]:
    """The contacts of a case, the frozen ones first, then by month and within it in the order of saving, each with its
    referrals. The order of saving shows in the steps they have: so an amendment within a month swaps nothing."""
    step = Branch(*(When(case_step=code, then=place) for place, code in enumerate(STEPS)), default=len(STEPS))
    # The clock of the oldest is erased already.
    saved = (step, F("logged_at").asc(nulls_first=True), "day", "pk")
    in_order = (F("is_frozen").desc(), TruncMonth("day"), *saved)
    parts = (*_Step._fields, *(f"referrals__{part}" for part in REFERRED))
    found: dict[_Step, list[tuple[UUID, str, str, bool]]] = {}
    for row in Contact.objects.counted().filter(case=case).order_by(*in_order).values_list(*parts):
        pk, target, kind, is_repeat = row[len(_Step._fields) :]
        referrals = found.setdefault(_Step(*row[: len(_Step._fields)]), [])
        referrals += [(pk, target, kind, is_repeat)] if pk else []
    return found


def settle(case: Case) -> set[date]:
    """Number the contacts of a held case anew and mark the referrals that another one of them counts already; the days
    on which something changed. Frozen contacts stay as they are, and only relevant ones count a referral.

    first_contact stays as it is: whether "nej" was said or came from the case is not known, and the handler can amend
    it.
    """
    of_case = _in_order(case)
    counting = [(one, named) for one, named in of_case.items() if one.result == RELEVANT]
    counted = {name[1:3] for one, named in counting for name in named if one.is_frozen and not name[3]}
    frozen = {one.case_step for one in of_case if one.is_frozen}
    last = max((STEPS.index(step) for step in frozen & set(STEPS)), default=0)
    # A step before a frozen one that no contact has: its contact is erased.
    erased = set(STEPS[:last]) - {one.case_step for one in of_case}
    taken = (frozen | erased) - {STEPS[-1]}
    free = (step for step in map(step_after, count()) if step not in taken)
    changed: set[date] = set()
    for contact, referrals in of_case.items():
        if contact.is_frozen:
            continue
        # Frozen at this moment, they stay as they are, too.
        same, step = _changeable(contact.pk), next(free)
        if contact.case_step != step and same.update(case_step=step):
            changed.add(contact.day)
        for pk, target, kind, is_repeat in referrals:
            if is_repeat != ((target, kind) in counted):
                row = Referral.objects.filter(pk=pk, contact__in=same)
                changed |= {contact.day} if row.update(is_repeat=not is_repeat) else set()
        counted |= {(target, kind) for _, target, kind, _ in referrals if contact.result == RELEVANT}
    return changed


def settle_new(case: Case, *, day: date, today: date) -> set[date]:
    """The same once a contact of `day` is inserted: only one of an earlier month can go before others of the case."""
    if day >= today.replace(day=1):
        return set()
    cases.hold_contacts(Contact.objects.filter(case=case))
    return settle(case)


def _changeable(pk: UUID) -> QuerySet[Contact]:
    return Contact.objects.changeable().filter(pk=pk)
