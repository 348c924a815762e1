"""The live overview against the oracle: every count of the pilot year, every day, week, month and quarter."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from helpline import contacts
from helpline.entries import read_entry
from helpline.models import Contact, DayMark
from helpline.taxonomy import CODE_LISTS, QUESTIONS
from reports import freeze, live, rollups
from reports.counting import COUNTED
from reports.models import DayCount, MonthCount
from reports.periods import Period, containing
from tests import oracle
from tests.at_once import in_thread

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
            codes = ["ej_fragat", "vet_ej", "avboj"] if row.code == live.NO_INFORMATION else [row.code]
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


# --- questions without an answer ----------------------------------------------------------------------------------


def without_answer(period: Period) -> dict[str, tuple[int, int, int, int]]:
    return {q.question: (q.asked, q.not_asked, q.unknown, q.declined) for q in live.unanswered(period)[0]}


def unanswered_agrees(*kinds: str) -> None:
    for period in periods(*kinds):
        expected_of = oracle.without_answer(oracle.within(ROWS, period.start, period.end))
        if not expected_of:
            expected_of = dict.fromkeys(live.SKIPPABLE, (0, 0, 0, 0))
        assert without_answer(period) == expected_of, period.code


def test_the_questions_without_an_answer_are_the_oracles_on_counted_days(counted):
    unanswered_agrees("week", "month", "quarter", "year")


def test_the_questions_without_an_answer_are_the_oracles_before_any_count(pilot_year):
    unanswered_agrees("month", "quarter")


def test_the_questions_without_an_answer_are_the_oracles_with_some_days_counted(pilot_year):
    for day in sorted(rollups.marked_days())[::3]:
        rollups.recompute_day(day)
    unanswered_agrees("week", "month", "quarter")


def test_the_questions_without_an_answer_are_the_oracles_when_their_months_are_frozen(pilot_year):
    for month in periods("month")[:3]:
        freeze.freeze_month(month, today=date(2017, 1, 1))
    unanswered_agrees("month", "quarter")
    rollups.refresh(seconds=600)
    Contact.objects.filter(is_frozen=True).delete()
    unanswered_agrees("month", "quarter")


def test_the_oracle_tells_a_wrong_count_of_unanswered_questions(counted):
    of = Period("month", date(2016, 2, 1), date(2016, 3, 1))
    right = without_answer(of)
    assert any(sum(silent) for _, *silent in right.values())
    silent = MonthCount.objects.filter(month=of.start, variable__in=live.SKIPPABLE, code="ej_fragat")
    wrong = silent[0].variable
    silent.filter(variable=wrong).update(n=F("n") + 1)
    assert {question for question, found in without_answer(of).items() if found != right[question]} == {wrong}
    with pytest.raises(AssertionError):
        unanswered_agrees("month")


def test_questions_in_conversation_order_and_those_always_answered_are_left_out(pilot_year):
    order = [question.question for question in live.unanswered(containing("month", date(2016, 2, 1)))[0]]
    assert order == [q for q in QUESTIONS if q not in ("channel", "result")]


def test_a_period_without_contacts_asked_nothing(pilot_year):
    assert set(without_answer(containing("month", date(2019, 2, 1))).values()) == {(0, 0, 0, 0)}


def test_questions_without_an_answer_cost_few_queries_clean_or_not(counted, django_assert_max_num_queries):
    wanted = [containing(kind, date(2016, 2, 1)) for kind in ("week", "month", "quarter")]
    for period in wanted:
        with django_assert_max_num_queries(2 + 2):  # and the savepoint of the transaction
            live.unanswered(period)
    DayMark.objects.create(day=date(2016, 2, 3))
    for period in wanted:
        with django_assert_max_num_queries(5 + 2):  # the plans for many are set, and taken back
            live.unanswered(period)


# --- what the overview shows, and what it costs -------------------------------------------------------------------


def test_the_weeks_shown_end_with_the_periods_last_and_follow_without_gap(counted):
    overview = live.overview(containing("quarter", date(2016, 2, 1)))
    assert len(overview.weeks) == 53
    assert overview.weeks[-1].week == containing("week", date(2016, 3, 31))
    assert all(a.week.end == b.week.start for a, b in zip(overview.weeks, overview.weeks[1:], strict=False))


def test_breakdowns_can_be_switched_off(counted):
    overview = live.overview(containing("month", date(2016, 2, 1)), breakdowns=False)
    assert overview.breakdowns == () and overview.contacts > 0


def test_an_overview_is_three_statements_and_one_more_for_all_days_that_are_marked(counted):
    wanted = [containing(kind, date(2016, 2, 1)) for kind in ("week", "month", "quarter", "year")]
    for marked in range(3):
        for period in wanted:
            with CaptureQueriesContext(connection) as asked:
                live.overview(period)
            reads = [q["sql"] for q in asked if q["sql"].startswith(("SELECT", "WITH"))]
            assert len(reads) == 3 + bool(marked), reads
        DayMark.objects.create(day=date(2016, 2, 3 + marked))


# --- beside writers ------------------------------------------------------------------------------------------


def log_one() -> None:
    entry = read_entry(date(2026, 3, 2), {"channel": ["telefon"], "result": ["relevant"]})
    now = datetime(2026, 3, 2, tzinfo=UTC)
    contacts.log_contact(by=None, key=uuid4(), entry=entry, now=now, today=date(2026, 3, 2))


@pytest.mark.django_db(transaction=True)
def test_the_figures_of_an_overview_are_of_one_moment(monkeypatch):
    log_one()
    rollups.refresh(seconds=60)
    marked = live.marked_and_given_up

    def saved_and_counted_meanwhile(*span: date) -> dict[date, bool]:
        days = marked(*span)
        in_thread(lambda: [log_one(), rollups.refresh(seconds=60)]).join()
        return days

    monkeypatch.setattr(live, "marked_and_given_up", saved_and_counted_meanwhile)
    assert live.overview(containing("month", date(2026, 3, 2))).contacts == 1
    monkeypatch.undo()
    assert live.overview(containing("month", date(2026, 3, 2))).contacts == 2


@pytest.mark.django_db(transaction=True)
def test_an_overview_waits_for_no_writer():
    log_one()
    seen: list[int] = []
    with transaction.atomic():
        log_one()
        reader = in_thread(lambda: seen.append(live.overview(containing("month", date(2026, 3, 2))).contacts))
        reader.join(5)
    assert seen == [1]
