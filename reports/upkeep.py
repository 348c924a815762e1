"""Owns whether the counts are kept as they should be: the sweep's round, the nightly verification, what probes learn.

Probes ask without an account, so nothing here may move when a contact is saved: not how many days are marked, nor
since when, but when a sweep last left nothing waiting, which it does every minute whether somebody called or not.
"""

import logging
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from reports import rebuilding, rollups, verification
from reports.claims import VERIFYING, claim
from reports.models import Upkeep

log = logging.getLogger(__name__)

NIGHT = time(1)  # local; the verification is due from then on, once a day
TOO_LATE = timedelta(minutes=15)
# What is younger is told as nothing: a sweep that a save has held up for a moment must not show.
UNTOLD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Verification:
    """How many days were compared with a recount, and what differs or cannot be recounted: days, months, published
    (period, table)."""

    compared: int
    days: tuple[date, ...]
    months: tuple[date, ...]
    tables: tuple[tuple[str, str], ...]

    @property
    def mismatches(self) -> int:
        return len(self.days) + len(self.months) + len(self.tables)


@dataclass(frozen=True, slots=True)
class Standing:
    """How the counts stand, for probes. What the last verification found is None before the first one.

    `given_up_days` is of that night too: at once it would tell that a contact was saved which spoils its day.
    """

    behind: timedelta
    given_up_days: int | None
    months_to_rebuild: int
    given_up_months: int
    verified_on: date | None
    mismatches: int | None

    @property
    def is_late(self) -> bool:
        """Whether the figures are right only because pages count them live; no sweep comes to its end."""
        return self.behind > TOO_LATE


def keep_up(*, seconds: float, now: datetime) -> None:
    """Sweep for at most about `seconds`, and note when that left nothing waiting that was there before."""
    newest = rollups.newest_mark()
    rollups.refresh(seconds=seconds)
    if not rollups.is_waiting(newest):
        _note(caught_up_at=now)


def is_due(now: datetime) -> bool:
    """Whether the night's verification is still to be done; `now` is local. A day ahead is one of a clock that was."""
    row = Upkeep.objects.first()
    return now.time() >= NIGHT and (row is None or row.verified_on != now.date())


def verify_due(*, now: datetime) -> None:
    """The night's verification, unless another worker is at it, which is rung for again before it ends."""
    with claim(VERIFYING) as is_mine:
        if is_mine and is_due(now):
            verify(today=now.date())


def verify(*, today: date) -> Verification:
    """Recount every day, month by month, and hash every published table; keep how many figures differ, never which, and
    how many days sweeps have given up."""
    compared, wrong_days, wrong_months = 0, [], []
    for month in rollups.months():
        of_month, wrong = rollups.compare(month)
        compared += of_month
        wrong_days += wrong
        if not rollups.is_folded(month):
            wrong_months.append(month)
    found = Verification(compared, tuple(wrong_days), tuple(wrong_months), tuple(verification.wrong_tables()))
    given_up = len(rollups.given_up_days())
    _note(verified_on=today, compared=compared, mismatches=found.mismatches, given_up_days=given_up)
    if found.mismatches:
        log.error("verification found %d mismatches: bin/manage verify names them", found.mismatches)
    return found


def standing(*, now: datetime) -> Standing:
    row = Upkeep.objects.first() or Upkeep()
    is_verified = row.verified_on is not None
    behind = now - row.caught_up_at if row.caught_up_at else timedelta(0)
    return Standing(
        behind=timedelta(0) if behind < UNTOLD else timedelta(minutes=behind // timedelta(minutes=1)),
        given_up_days=row.given_up_days if is_verified else None,
        months_to_rebuild=rebuilding.left(),
        given_up_months=len(rebuilding.given_up()),
        verified_on=row.verified_on,
        mismatches=row.mismatches if is_verified else None,
    )


def _note(**columns: Any) -> None:
    if not Upkeep.objects.update(**columns):
        Upkeep.objects.bulk_create([Upkeep(**columns)], ignore_conflicts=True)
