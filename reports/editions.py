"""Owns a new edition of a published year: asked for by one coordinator, agreed to by another, prepared by the worker.

A web process never holds the key of a release. So agreeing only settles that there shall be an edition; the next run of
what is due prepares it.
"""

import logging
from datetime import date, datetime

from django.db.models import QuerySet
from django.utils import timezone

from helpline import approvals, audit
from helpline.models import Approval, User
from reports import records
from reports.claims import preparing
from reports.models import Release
from reports.periods import parse
from reports.release import CannotRelease, Rule, prepare_edition

ACT = "release.edition"
YEAR = "year"

log = logging.getLogger(__name__)


def ask(release: Release, *, by: User, now: datetime) -> Approval:
    """Put before a second coordinator that a published year shall have a new edition.

    Raises CannotRelease for what has none, and approvals.WaitsAlready; nothing is stored then.
    """
    if not may_follow(release):
        raise CannotRelease(CannotRelease.NO_EDITION, release.period)
    return approvals.ask(by=by, act=ACT, subject=release.period.code, detail=str(release.edition + 1), now=now)


@approvals.carries_out(ACT)
def agree(asked: Approval, by: User) -> None:
    """Two people want the edition. Raises approvals.Overtaken when it exists already."""
    if _releases_of(asked).exists():
        raise approvals.Overtaken
    audit.record(by=by, act=ACT, now=timezone.now())


def prepare_agreed(*, today: date, rule: Rule) -> list[Release]:
    """Prepare every edition that two people want, that is not made yet, and that no other worker is at; which."""
    prepared = []
    agreed = Approval.objects.filter(act=ACT, outcome=Approval.AGREED).select_related("requested_by", "decided_by")
    for asked in agreed.order_by("pk"):
        if asked.decided_by and not _releases_of(asked).exists():
            people = {"requested_by": asked.requested_by, "approved_by": asked.decided_by}
            with preparing(parse(asked.subject)) as is_mine:
                if not is_mine or _releases_of(asked).exists():
                    continue
                try:
                    release = prepare_edition(parse(asked.subject), int(asked.detail), today=today, rule=rule, **people)
                except CannotRelease as error:
                    log.error("%s (%s)", error, error.__cause__)
                else:
                    prepared.append(release)
    return prepared


def _releases_of(asked: Approval) -> QuerySet[Release]:
    year = parse(asked.subject)
    return Release.objects.filter(kind=year.kind, start=year.start, edition=int(asked.detail))


def may_follow(release: Release) -> bool:
    """Whether a next edition can be asked for: of a published year, after its newest edition, if none is on its way."""
    is_published_year = release.kind == YEAR and release.published_on is not None
    return (
        is_published_year
        and not records.are_erased(release.period)
        and next_of(release) is None
        and asked_after(release) is None
    )


def asked_after(release: Release) -> Approval | None:
    """What was asked for and is not refused: the edition after this one."""
    settled = [Approval.REFUSED, Approval.WITHDRAWN]
    asked = Approval.objects.filter(act=ACT, subject=release.period.code, detail=str(release.edition + 1))
    return asked.exclude(outcome__in=settled).select_related("requested_by", "decided_by").first()


def next_of(release: Release) -> Release | None:
    """The edition after this one, if it is made."""
    later = Release.objects.filter(kind=release.kind, start=release.start, edition=release.edition + 1)
    return later.defer("candidate").first()
