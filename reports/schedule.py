"""Owns what falls due: months to freeze on the freeze day, and the periods that are then whole, to prepare."""

import logging
from datetime import date

from reports import freeze
from reports.catalogue import PERIODS
from reports.models import Release
from reports.periods import PILOT, Period, containing
from reports.release import CannotRelease, Rule, prepare

log = logging.getLogger(__name__)


def freeze_due(*, today: date, freeze_day: int) -> list[Period]:
    """Freeze every month whose freeze day (of the month after) has come, in order; which."""
    frozen = []
    while (month := freeze.first_open_month()) and month.end.replace(day=freeze_day) <= today:
        try:
            freeze.freeze_month(month, today=today)
        except freeze.CannotFreeze as error:
            if error.reason != freeze.CannotFreeze.FROZEN:
                raise
        else:
            frozen.append(month)  # unless another worker was quicker
    return frozen


def prepare_due(*, today: date, rule: Rule, pilot: Period | None) -> list[Release]:
    """Prepare every period whose last month is frozen and that has no release yet; which.

    Also one without contacts: a period that is missing between two others would say that it had none.
    """
    prepared = []
    for period in sorted(_whole_periods(pilot), key=lambda period: (period.end, PERIODS.index(period.kind))):
        if not Release.objects.filter(kind=period.kind, start=period.start).exists():
            try:
                prepared.append(prepare(period, today=today, rule=rule))
            except CannotRelease as error:
                # Where contacts wait in one of its months, it is prepared when that one is frozen.
                if error.reason != CannotRelease.NOT_FROZEN:
                    log.error("%s (%s)", error, error.__cause__)
    return prepared


def _whole_periods(pilot: Period | None) -> set[Period]:
    months = freeze.frozen_months()
    ends = {month.end for month in months}
    kinds = [kind for kind in PERIODS if kind != PILOT]
    periods = {containing(kind, month.start) for month in months for kind in kinds}
    return {period for period in periods | ({pilot} if pilot else set()) if period.end in ends}
