"""Measures the counting: a day's recount, and all days' recount against the raw GROUP BYs of the same counts."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

from django.db import connection

from helpline import contacts
from helpline.entries import ReferralEntry, read_entry
from helpline.models import DayMark
from reports import rebuilding, rollups
from tests.bench import truth
from tests.bench.limits import BrokenMeasure, ratio
from tests.bench.stage import BIG, BOTH, SMALL, Clock, Stage

TIMES = 7


def recompute(stage: Stage) -> dict[str, float]:
    """One new contact on a day that has the same contacts in both databases; then the recount of that day."""
    day = stage.probe_months()[-1].start
    took: dict[str, list[float]] = {database: [] for database in BOTH}
    for _ in range(TIMES * stage.scope.rounds // 3 + 1):
        for database in BOTH:
            with stage.on(database):
                _log_one(stage, day)
                with Clock() as clock:
                    if not rollups.recompute_day(day):
                        raise BrokenMeasure("the day was not recounted")
                took[database].append(clock.seconds)
                if DayMark.objects.filter(day=day).exists():
                    raise BrokenMeasure("the day is still marked")
                truth.check_counts(day, day + timedelta(days=1))
    return {"recompute.day": ratio(took[BIG], took[SMALL])}


def rebuild(stage: Stage) -> dict[str, float]:
    """All days' recount, begun with no counts at all, in turn with one GROUP BY by day for each variable it counts."""
    took: dict[str, list[float]] = {"rebuild": [], "raw": []}
    with stage.on(BIG):
        for _ in range(stage.scope.rounds):
            _forget_counts()
            with Clock() as clock:
                rebuilding.rebuild()
            took["rebuild"].append(clock.seconds)
            took["raw"].append(_raw())
        truth.check_counts()
    return {"rebuild.groupby": ratio(took["rebuild"], took["raw"])}


def _forget_counts() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM reports_daycount WHERE NOT is_sealed")
        cursor.execute("DELETE FROM reports_monthcount")
        cursor.execute("VACUUM ANALYZE reports_daycount, reports_monthcount")


def _raw() -> float:
    """Seconds of the raw statements, their rows fetched."""
    with connection.cursor() as cursor, Clock() as clock:
        for statement in truth.statements().values():
            cursor.execute(statement, {"since": date.min, "until": date.max})
            if not cursor.fetchall():
                raise BrokenMeasure("a raw GROUP BY found nothing")
    return clock.seconds


def _log_one(stage: Stage, day: date) -> None:
    answers = {"channel": ["telefon"], "result": ["relevant"], "concerns": ["aktiv", "hot"], "county": ["14"]}
    entry = read_entry(day, answers, [ReferralEntry("social", "hanvisning")])
    contacts.log_contact(by=None, key=uuid4(), entry=entry, now=datetime.now(UTC), today=stage.today)
