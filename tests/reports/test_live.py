"""The live overview against the oracle: every count of the pilot year, every day, week, month and quarter."""

from collections import Counter
from datetime import date, timedelta

import pytest
from django.core.management import call_command

from helpline.models import Contact, DayMark
from helpline.taxonomy import CODE_LISTS, NON_ANSWERS
from reports import live, rollups
from reports.counting import COUNTED
from reports.models import DayCount, MonthCount
from reports.periods import Period, containing
from tests import oracle

pytestmark = pytest.mark.django_db

ROWS = oracle.rows_of()


@pytest.fixture
def pilot_year(db) -> None:
    call_command("import_contacts", str(oracle.DATA / "pilot-year.csv"))
    assert Contact.objects.count() == len(ROWS) == 326


@pytest.fixture
def counted(pilot_year) -> None:
    rollups.refresh(seconds=600)
    assert not DayMark.objects.exists()


def expected(period: Period) -> Counter[tuple[str, str]]:
    return oracle.recount(oracle.within(ROWS, period.start, period.end))


def periods(*kinds: str) -> list[Period]:
    of_kind = ({containing(kind, day) for day in oracle.days(ROWS)} for kind in kinds)
    return [period for some in of_kind for period in sorted(some, key=lambda period: period.start)]


def test_every_stored_day_count_is_the_oracles(counted):
    stored: dict[date, Counter[tuple[str, str]]] = {}
    for day, variable, code, n in DayCount.objects.values_list("day", "variable", "code", "n"):
        stored.setdefault(day, Counter())[variable, code] = n
    for day in oracle.days(ROWS):
        assert stored.get(day, Counter()) == oracle.recount(oracle.within(ROWS, day, day + timedelta(days=1))), day
    assert {variable for variable, _ in sum(stored.values(), Counter())} == set(COUNTED)


def test_every_stored_month_count_is_the_oracles(counted):
    for month in periods("month"):
        rows = MonthCount.objects.filter(month=month.start).values_list("variable", "code", "n")
        assert Counter({(variable, code): n for variable, code, n in rows}) == expected(month), month.code


def agrees(overview: live.Overview) -> None:
    n = expected(overview.period)
    relevant = n["result", "relevant"]
    assert overview.contacts == sum(n["result", code] for code in CODE_LISTS["result"].codes)
    assert overview.relevant == relevant
    assert overview.referrals == n["referral_type", "hanvisning"] + n["referral_type", "formedling"]
    for breakdown in overview.breakdowns:
        for row in breakdown.rows:
            codes = NON_ANSWERS if row.code == live.NO_INFORMATION else [row.code]
            assert row.n == sum(n[breakdown.variable, code] for code in codes), (overview.period.code, row)
        if not breakdown.several:
            assert sum(row.n for row in breakdown.rows) == breakdown.total
    for week in overview.weeks:
        per_week = expected(week.week)
        assert week.contacts == sum(n for (variable, _), n in per_week.items() if variable == "result")
        assert week.relevant == per_week["result", "relevant"]


def test_every_overview_of_counted_days_is_the_oracles(counted):
    for period in periods("week", "month", "quarter", "half-year", "year"):
        overview = live.overview(period)
        assert overview.pending_days == 0
        agrees(overview)


def test_every_overview_before_any_count_is_the_oracles(pilot_year):
    for period in periods("week", "month", "quarter")[::4]:
        agrees(live.overview(period))


def test_every_overview_with_some_days_counted_is_the_oracles(pilot_year):
    for day in sorted(rollups.marked_days())[::3]:
        rollups.recompute_day(day)
    for period in periods("week", "month", "quarter"):
        agrees(live.overview(period))


def test_the_weeks_shown_end_with_the_periods_last_and_follow_without_gap(counted):
    overview = live.overview(containing("quarter", date(2016, 2, 1)))
    assert len(overview.weeks) == 53
    assert overview.weeks[-1].week == containing("week", date(2016, 3, 31))
    assert all(a.week.end == b.week.start for a, b in zip(overview.weeks, overview.weeks[1:], strict=False))


def test_breakdowns_can_be_switched_off(counted):
    overview = live.overview(containing("month", date(2016, 2, 1)), breakdowns=False)
    assert overview.breakdowns == () and overview.contacts > 0


def test_an_overview_costs_few_queries_clean_or_not(counted, django_assert_max_num_queries):
    wanted = [containing(kind, date(2016, 2, 1)) for kind in ("week", "month", "quarter", "year")]
    for period in wanted:
        with django_assert_max_num_queries(3 + 2):  # and the savepoint of the transaction
            live.overview(period)
    DayMark.objects.create(day=date(2016, 2, 3))
    for period in wanted:
        with django_assert_max_num_queries(5 + 2):
            live.overview(period)
