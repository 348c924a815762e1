"""Measures the freeze of a month and its tables: a month that has the same contacts in both databases."""

from django.db import connection

from reports import freeze, release
from reports.forms import rule
from tests.bench.limits import BrokenMeasure, ratio
from tests.bench.stage import BIG, BOTH, SMALL, Clock, Stage

MONTHS = 8


def month(stage: Stage) -> dict[str, float]:
    """Freeze and tabulate one month after the other, oldest first, each in both databases in turn."""
    took: dict[str, list[float]] = {database: [] for database in BOTH}
    with stage.on(SMALL):
        months = [period for period in stage.probe_months()[:-1] if _contacts_in(period)][:MONTHS]
    for number, period in enumerate(months):
        for database in BOTH[:: 1 if number % 2 else -1]:
            with stage.on(database):
                contacts = _contacts_in(period)
                with Clock() as clock:
                    frozen = freeze.freeze_month(period, today=stage.today)
                    made = release.prepare(period, today=stage.today, rule=rule())
                took[database].append(clock.seconds)
                if not frozen or frozen != contacts or not made.candidate:
                    raise BrokenMeasure("the frozen month does not hold its contacts")
    return {"freeze.month": ratio(took[BIG][1:], took[SMALL][1:])}  # the first one is slow in both: nothing is read in


def _contacts_in(period) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM helpline_contact WHERE day >= %s AND day < %s AND NOT is_withdrawn AND NOT is_frozen",
            [period.start, period.end],
        )
        return cursor.fetchone()[0]
