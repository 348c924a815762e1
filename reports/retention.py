"""Owns the end of everything that is kept for a time: what is erased when, the night's run with its receipt, and
whether it is late."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from helpline import approvals, audit, cases, contacts, deletions, drafts, second_factor, sessions, staff
from helpline.imports import jobs, keys
from reports import records, tokens, vacuum
from reports.claims import ERASING, claim
from reports.forms import optional_pilot
from reports.models import Erasure

log = logging.getLogger(__name__)

LATE = timedelta(days=2)
STEP = 5  # of what a receipt says: less would tell of one contact


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that is kept for a time: what it is called, and what erases all of it that is due and says how much."""

    name: str
    erase: Callable[[datetime], int]


def _contact_limit(now: datetime) -> date:
    return audit.months_before(timezone.localdate(now), settings.HELPLINE_CONTACT_MONTHS)


def _erase_records(now: datetime) -> int:
    before = audit.months_before(timezone.localdate(now), settings.REPORTS_RECORD_MONTHS)
    return records.erase_expired(before=before, pilot=optional_pilot())


# In this order: what knows of a contact goes before it, and digests of files when their contacts are gone. Last what a
# database whose clock goes wrong refuses.
KINDS = (
    Kind(gettext_noop("sessions"), lambda now: sessions.erase_expired(now=now)),
    Kind(gettext_noop("uses of a second factor"), lambda now: second_factor.forget_when_used()),
    Kind(gettext_noop("tokens"), lambda now: tokens.erase_expired(today=timezone.localdate(now))),
    Kind(gettext_noop("drafts"), lambda now: drafts.erase_expired(now=now, hours=settings.HELPLINE_DRAFT_HOURS)),
    Kind(gettext_noop("loaded files"), lambda now: jobs.forget(today=timezone.localdate(now))),
    Kind(gettext_noop("invitations nobody decided"), lambda now: staff.lapse_invitations(now=now)),
    Kind(gettext_noop("deletions overtaken"), lambda now: deletions.lapse_overtaken(now=now)),
    Kind(
        gettext_noop("who logged a contact when"),
        lambda now: contacts.erase_traces(now=now, amend_hours=settings.HELPLINE_AMEND_HOURS),
    ),
    Kind(gettext_noop("case numbers"), lambda now: cases.erase_expired(today=timezone.localdate(now))),
    Kind(gettext_noop("contacts"), lambda now: contacts.erase_expired(before=_contact_limit(now))),
    Kind(gettext_noop("digests of loaded rows"), lambda now: keys.erase_expired(before=_contact_limit(now))),
    Kind(gettext_noop("records of statistics"), _erase_records),
    Kind(
        gettext_noop("settled requests"),
        lambda now: approvals.erase_expired(today=timezone.localdate(now), months=settings.HELPLINE_AUDIT_MONTHS),
    ),
    Kind(
        gettext_noop("lines of the record"),
        lambda now: audit.erase_expired(now=now, months=settings.HELPLINE_AUDIT_MONTHS),
    ),
)


class Incomplete(Exception):
    """Something that is due could not be erased; `kinds` names what. Everything else was erased."""

    def __init__(self, kinds: list[str]) -> None:
        super().__init__(", ".join(kinds))
        self.kinds = kinds


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a run erased: of each kind "at least so many", in fives, and why bytes of it may be left in the files."""

    kinds: Mapping[str, int]
    left: frozenset[str]


@dataclass(frozen=True, slots=True)
class Standing:
    """When the last whole run was, whether one is late, and why bytes may be left since the last one."""

    erased_on: date | None
    is_late: bool
    left: frozenset[str]


def erase_due(*, now: datetime) -> None:
    """Erase what is due, unless another worker is at it; the first time of a day as a whole run."""
    with claim(ERASING) as is_mine:
        if not is_mine:
            return
        if not Erasure.objects.filter(day=timezone.localdate(now)).exists():
            run(now=now)
        else:
            _refuse_incomplete(erase(now=now))
            vacuum.empty_log_of_sqlite()


def run(*, now: datetime) -> Receipt:
    """Erase what is due, out of the files of the database too, and leave a receipt. Safe to stop and to call again.

    Raises Incomplete, without a receipt, so that it is done again.
    """
    erased = erase(now=now)
    left = vacuum.empty_files()
    _refuse_incomplete(erased)
    receipt = Receipt(_in_fives(erased), frozenset(left))
    _keep(receipt, timezone.localdate(now))
    if left:
        log.error("erased, but bytes may be left in the files of the database: %s", ", ".join(sorted(left)))
    return receipt


def erase(*, now: datetime) -> dict[str, int | None]:
    """Erase what is due; how much of each kind, None for one that could not be erased and holds up no other."""
    return {kind.name: _erase(kind, now) for kind in KINDS}


def _erase(kind: Kind, now: datetime) -> int | None:
    try:
        return kind.erase(now)
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        log.error("erasing %s failed: %s", kind.name, type(error).__name__)
        return None


@transaction.atomic
def would_erase(*, now: datetime) -> dict[str, int]:
    """What a run would say to have erased, in fives: all of it is done and taken back."""
    erased = {kind.name: kind.erase(now) for kind in KINDS}
    transaction.set_rollback(True)
    return _in_fives(erased)


def _in_fives(erased: Mapping[str, int | None]) -> dict[str, int]:
    return {name: (n or 0) // STEP * STEP for name, n in erased.items()}


def _refuse_incomplete(erased: Mapping[str, int | None]) -> None:
    if failed := [name for name, n in erased.items() if n is None]:
        raise Incomplete(failed)


def _keep(receipt: Receipt, day: date) -> None:
    """A second run of a day adds to its receipt."""
    before = Erasure.objects.filter(day=day).first()
    known = json.loads(before.kinds) if before else {}
    kinds = {name: n + known.get(name, 0) for name, n in receipt.kinds.items()}
    said = {"kinds": json.dumps(kinds), "left": ",".join(sorted(receipt.left))}
    Erasure.objects.update_or_create(day=day, defaults=said)


def standing(*, now: datetime) -> Standing:
    """Late is when no run was whole for two days; where none ever was, when traces are kept two days too long."""
    last = Erasure.objects.order_by("-day").first()
    if last is None:
        kept = timedelta(hours=settings.HELPLINE_AMEND_HOURS) + LATE
        return Standing(None, contacts.are_traces_late(since=now - kept), frozenset())
    left = frozenset(filter(None, last.left.split(",")))
    return Standing(last.day, timezone.localdate(now) - last.day > LATE, left)
