"""Owns what falls due: months to freeze on the freeze day, and the periods that are then whole, to prepare.

One that waits is prepared anew when calls of it come late.
"""

import logging
from datetime import date

from reports import freeze
from reports.catalogue import PERIODS
from reports.claims import FREEZING, claim, preparing
from reports.models import Release
from reports.periods import PILOT, Period, containing
from reports.release import CannotRelease, Rule, lacks_calls, prepare

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
                # Where contacts wait in one of its months, it is prepared when that one is frozen.
                if error.reason != CannotRelease.NOT_FROZEN:
                    log.error("%s (%s)", error, error.__cause__)
    return prepared


def renew_due(*, today: date, rule: Rule) -> list[Release]:
    """Prepare anew what is prepared, lacks calls that were loaded since, and no other worker is at; which."""
    renewed = []
    for release in Release.objects.filter(published_on=None, edition=1).order_by("end", "start"):
        if not lacks_calls(release):
            continue
        with preparing(release.period) as is_mine:
            if not is_mine:
                continue
            try:
                renewed.append(prepare(release.period, today=today, rule=rule))
            except CannotRelease as error:
                log.error("%s (%s)", error, error.__cause__)
    return renewed


def _whole_periods(pilot: Period | None) -> set[Period]:
    months = freeze.frozen_months()
    ends = {month.end for month in months}
    kinds = [kind for kind in PERIODS if kind != PILOT]
    periods = {containing(kind, month.start) for month in months for kind in kinds}
    return {period for period in periods | ({pilot} if pilot else set()) if period.end in ends}
