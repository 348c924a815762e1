"""Owns what falls due: months to freeze on the freeze day, the periods that are then whole, to prepare, and keys.

A period that waits is prepared anew when it is outdated; a key is destroyed when its last release is out.
"""

import logging
from datetime import date

from reports import freeze, keys
from reports.catalogue import PERIODS
from reports.claims import FREEZING, claim, preparing
from reports.models import Release
from reports.periods import PILOT, Period, containing, parse
from reports.release import CannotRelease, Rule, is_outdated, prepare, releases_of, renew, scope_of

log = logging.getLogger(__name__)


def freeze_due(*, today: date, freeze_day: int) -> list[Period]:
    """Freeze every month whose freeze day (of the month after) has come, in order; which. None while another worker is
    at it."""
    with claim(FREEZING) as is_mine:
        return _freeze_due(today, freeze_day) if is_mine else []


def _freeze_due(today: date, freeze_day: int) -> list[Period]:
    frozen = []
    while (month := freeze.first_open_month()) and month.end.replace(day=freeze_day) <= today:
        try:
            freeze.freeze_month(month, today=today)
        except freeze.CannotFreeze as error:
            # Else another worker was quicker, or a file brought contacts of an earlier month, which comes first.
            if error.reason == freeze.CannotFreeze.NOT_OVER:
                raise
        else:
            frozen.append(month)
    return frozen


def prepare_due(*, today: date, rule: Rule, pilot: Period | None) -> list[Release]:
    """Prepare every period whose last month is frozen, that has no release yet, and that no other worker is at; which.

    Also one without contacts: a period that is missing between two others would say that it had none.
    """
    prepared = []
    for period in sorted(_whole_periods(pilot), key=lambda period: (period.end, PERIODS.index(period.kind))):
        with preparing(period) as is_mine:
            if not is_mine or Release.objects.filter(kind=period.kind, start=period.start).exists():
                continue
            try:
                prepared.append(prepare(period, today=today, rule=rule))
            except CannotRelease as error:
                # Where contacts wait in one of its months, it is prepared when that one is frozen; without key never.
                if error.reason not in (CannotRelease.NOT_FROZEN, CannotRelease.DESTROYED):
                    log.error("%s (%s)", error, error.__cause__)
    return prepared


def renew_due(*, today: date, rule: Rule) -> list[Release]:
    """Prepare anew what is prepared, is outdated, and no other worker is at; which."""
    renewed = []
    for release in Release.objects.filter(published_on=None).order_by("end", "start", "edition"):
        if not is_outdated(release):
            continue
        with preparing(release.period) as is_mine:
            if not is_mine:
                continue
            try:
                renewed.append(renew(release, today=today, rule=rule))
            except CannotRelease as error:
                log.error("%s (%s)", error, error.__cause__)
    return renewed


def destroy_due(*, today: date, rule: Rule) -> list[tuple[str, int]]:
    """Destroy each key of this process's folder whose last release is out; scope and edition of each."""
    if rule.keys is None:
        return []
    due = [(scope, edition) for scope, edition in keys.held(rule.keys) if is_spent(scope, edition)]
    for scope, edition in due:
        keys.destroy(rule.keys, scope, edition, today=today)
    return due


def is_spent(scope: str, edition: int) -> bool:
    """Whether nothing will be made with a key any more: the year or the pilot itself is out, everything else that was
    prepared with it too, and nothing of the year is still to be prepared."""
    made = releases_of(scope, edition)
    if made.filter(published_on=None).exists():
        return False
    out = {release.period for release in made.only("kind", "start", "end")}
    if scope == PILOT:
        return bool(out)
    due = {period for period in _whole_periods(None) if scope_of(period) == scope} if edition == 1 else set()
    return due | {parse(scope)} <= out


def _whole_periods(pilot: Period | None) -> set[Period]:
    months = freeze.frozen_months()
    ends = {month.end for month in months}
    kinds = [kind for kind in PERIODS if kind != PILOT]
    periods = {containing(kind, month.start) for month in months for kind in kinds}
    return {period for period in periods | ({pilot} if pilot else set()) if period.end in ends}
