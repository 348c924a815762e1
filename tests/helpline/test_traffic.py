"""The telephony's counters: an hour is replaced whole, folded when its month is frozen, and never comes back."""

import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from helpline import opening, openings, traffic
from helpline.models import AuditEvent, DaySeal, OpeningHours, TrafficDay, TrafficGrid, TrafficHour, User
from helpline.opening import Exceptional, Span, WeeklyHours
from helpline.traffic import Frozen, Recorded, TooManyQueues
from helpline.traffic_file import COUNTS, NO_CALLS, Calls, ClockHour, TrafficReason
from tests.at_once import at_once

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
PILOT = Path(__file__).parent.parent / "data" / "pilot-traffic.csv"
HEADER = "day,hour,queue," + ",".join(COUNTS) + "\n"
DAY, SHORT_DAY, LONG_DAY = date(2026, 3, 2), date(2026, 3, 29), date(2026, 10, 25)
ONE, TWO = Calls(1, 1, 0, 0, 0, 0), Calls(2, 0, 0, 0, 2, 1)


def hour(day: date = DAY, at: int = 9, calls: Calls = ONE, queue: str = "Main", is_second: bool = False) -> ClockHour:
    return ClockHour(day, at, queue, calls, is_second)


def stored() -> dict[tuple[date, int, bool, str], int]:
    return {(row.day, row.hour, row.is_second, row.queue): row.offered for row in TrafficHour.objects.all()}


def total(calls: dict[object, Calls]) -> Calls:
    return sum(calls.values(), NO_CALLS)


def run(file: Path, **options: object) -> tuple[list[str], str]:
    """The lines of the report, and the refusal, if any."""
    stdout, refusal = io.StringIO(), ""
    with translation.override("en"):
        try:
            call_command("import_traffic", file, stdout=stdout, stderr=io.StringIO(), **options)
        except CommandError as error:
            assert error.__context__ is None and error.__cause__ is None
            refusal = str(error)
    return stdout.getvalue().splitlines(), refusal


# --- storing ----------------------------------------------------------------------------------------------------------


def test_an_hour_that_comes_again_is_replaced_and_others_stay():
    assert traffic.record_hours([hour(), hour(at=10)]) == Recorded(2, 0)
    assert traffic.record_hours([hour(calls=TWO), hour(queue="Other")]) == Recorded(2, 0)
    assert stored() == {
        (DAY, 9, False, "Main"): 2,
        (DAY, 10, False, "Main"): 1,
        (DAY, 9, False, "Other"): 1,
    }


def test_the_two_hours_from_two_are_replaced_together():
    traffic.record_hours([hour(LONG_DAY, 2), hour(LONG_DAY, 2, is_second=True)])
    assert traffic.record_hours([hour(LONG_DAY, 2, TWO)]) == Recorded(1, 0)
    assert stored() == {(LONG_DAY, 2, False, "Main"): 2}


def test_the_hours_from_two_that_are_typed_in_stand_beside_each_other():
    coordinator = User.objects.create_user("coordinator", None, role="coordinator")
    for typed in (hour(LONG_DAY, 2, TWO), hour(LONG_DAY, 2, TWO, is_second=True), hour(LONG_DAY, 2)):
        traffic.record_hour(typed, by=coordinator, now=NOW)
    assert stored() == {(LONG_DAY, 2, False, "Main"): 1, (LONG_DAY, 2, True, "Main"): 2}
    assert AuditEvent.objects.count() == 3


def test_another_spelling_is_the_same_queue():
    traffic.record_hours([hour(queue="020-100 200")])
    assert traffic.record_hours([hour(queue="020 100200", calls=TWO)]) == Recorded(1, 0)
    assert stored() == {(DAY, 9, False, "020-100 200"): 2}


def test_a_line_never_has_more_than_twenty_queues():
    traffic.record_hours([hour(queue=f"Line {number}") for number in range(19)])
    with pytest.raises(TooManyQueues):
        traffic.record_hours([hour(queue="Anna"), hour(queue="Bo")])
    assert len(traffic.queues()) == 19


# --- what comes after the freeze --------------------------------------------------------------------------------------

APRIL = date(2026, 4, 1)


def seal(month: date = date(2026, 3, 1)) -> None:
    end = (month + timedelta(31)).replace(day=1)
    DaySeal.objects.bulk_create(DaySeal(day=month + timedelta(n)) for n in range((end - month).days))


@pytest.fixture
def nothing_is_published(monkeypatch) -> None:
    monkeypatch.setattr(traffic, "_PUBLISHED", [lambda months: set()])


def refused(*hours: ClockHour) -> dict[date, TrafficReason]:
    with pytest.raises(Frozen) as frozen:
        traffic.record_hours(hours)
    return dict(frozen.value.days)


def test_an_hour_of_a_folded_month_is_refused_and_all_others_with_it(nothing_is_published):
    traffic.record_hours([hour(at=15)])
    traffic.fold_month(end=APRIL)
    assert refused(hour(), hour(APRIL)) == {DAY: TrafficReason.FROZEN} and not TrafficHour.objects.exists()


def test_a_month_that_was_frozen_without_any_calls_takes_one_file_that_is_folded_at_once(nothing_is_published):
    seal()
    late = [hour(), hour(calls=TWO, queue="Other"), hour(date(2026, 3, 31), 23)]
    assert traffic.record_hours(late, dry_run=True) == Recorded(3, 3) and not TrafficDay.objects.exists()
    assert traffic.record_hours([*late, hour(APRIL)]) == Recorded(4, 3)
    assert stored() == {(APRIL, 9, False, "Main"): 1}
    assert (
        total(traffic.by_day(DAY, APRIL))
        == total(traffic.by_weekday_and_hour(date(2026, 3, 1), APRIL))
        == sum((row.calls for row in late), NO_CALLS)
    )
    assert TrafficDay.objects.count() == 3 and set(TrafficGrid.objects.values_list("month", flat=True)) == {
        date(2026, 3, 1)
    }
    assert refused(hour(date(2026, 3, 3))) == {date(2026, 3, 3): TrafficReason.FROZEN}, "one file, no second one"


def test_hours_of_an_earlier_month_that_is_open_are_not_folded_with_what_comes_late(nothing_is_published):
    seal()
    traffic.record_hours([hour(date(2026, 2, 2))])
    traffic.record_hours([hour()])
    assert stored() == {(date(2026, 2, 2), 9, False, "Main"): 1}


def test_a_frozen_month_that_is_published_takes_nothing(monkeypatch):
    seal()
    monkeypatch.setattr(traffic, "_PUBLISHED", [lambda months: {month for month in months if month.month == 3}])
    assert refused(hour(), hour(APRIL)) == {DAY: TrafficReason.PUBLISHED}
    seal(APRIL)
    assert traffic.record_hours([hour(APRIL)]) == Recorded(1, 1)


def test_as_long_as_nobody_says_what_is_published_a_frozen_month_takes_nothing(monkeypatch):
    seal()
    monkeypatch.setattr(traffic, "_PUBLISHED", [])
    assert refused(hour()) == {DAY: TrafficReason.PUBLISHED}


def test_an_hour_that_is_typed_in_cannot_stand_for_a_frozen_month(nothing_is_published):
    seal()
    coordinator = User.objects.create_user("coordinator", None, role="coordinator")
    with pytest.raises(Frozen) as frozen:
        traffic.record_hour(hour(), by=coordinator, now=NOW)
    assert frozen.value.days == {DAY: TrafficReason.ONLY_A_FILE} and not TrafficDay.objects.exists()


# --- who did it -------------------------------------------------------------------------------------------------------


def test_who_enters_calls_is_written_down_without_a_value():
    coordinator = User.objects.create_user("coordinator", None, role="coordinator")
    traffic.record_hours([hour()], by=coordinator, now=NOW, dry_run=True)
    assert not AuditEvent.objects.exists() and not TrafficHour.objects.exists()
    traffic.record_hours([hour()], by=coordinator, now=NOW)
    assert list(AuditEvent.objects.values_list("act", "reason", "about")) == [("traffic.edit", "", None)]


# --- folding ----------------------------------------------------------------------------------------------------------


def a_month(start: date, end: date) -> list[ClockHour]:
    """Every hour of every day by the clock, to two queues, with counts that differ."""
    hours, number = [], 0
    for n in range((end - start).days):
        day = start + timedelta(n)
        for at, is_second in opening.clock_hours(day):
            number += 1
            calls = Calls(number % 7, number % 7, 0, 0, 0, 0) + Calls(number % 3, 0, 0, number % 3, 0, number % 3)
            hours.append(ClockHour(day, at, f"Line {number % 2}", calls, is_second))
    return hours


@pytest.mark.parametrize(
    ("start", "end", "of_day", "count"),
    [
        (date(2026, 3, 1), date(2026, 4, 1), SHORT_DAY, 23),
        (date(2026, 10, 1), date(2026, 11, 1), LONG_DAY, 25),
        (date(2026, 2, 1), date(2026, 3, 1), date(2026, 2, 1), 24),
    ],
)
def test_hours_days_and_grid_add_up_to_the_same_also_when_the_clock_is_changed(start, end, of_day, count):
    hours = a_month(start, end)
    assert sum(hour.day == of_day for hour in hours) == count
    traffic.record_hours(hours)
    everything, of_that_day = sum((h.calls for h in hours), NO_CALLS), traffic.by_day(start, end)[of_day]
    before = traffic.by_day(start, end), traffic.by_weekday_and_hour(start, end)
    traffic.fold_month(end=end)
    assert not TrafficHour.objects.exists()
    assert (traffic.by_day(start, end), traffic.by_weekday_and_hour(start, end)) == before
    assert total(before[0]) == total(before[1]) == everything
    assert sum((h.calls for h in hours if h.day == of_day), NO_CALLS) == of_that_day
    days = TrafficDay.objects.values_list(*COUNTS)
    assert sum((Calls(*row) for row in days), NO_CALLS) == everything
    assert sum((Calls(*row) for row in TrafficGrid.objects.values_list(*COUNTS)), NO_CALLS) == everything


def test_after_the_fold_no_row_says_in_which_hour_of_which_day_somebody_called():
    traffic.record_hours([hour(DAY, 14), hour(DAY + timedelta(7), 14), hour(date(2026, 4, 1), 8)])
    traffic.fold_month(end=date(2026, 4, 1))
    assert stored() == {(date(2026, 4, 1), 8, False, "Main"): 1}
    assert list(TrafficGrid.objects.values_list("month", "weekday", "hour", "offered")) == [
        (date(2026, 3, 1), 0, 14, 2)
    ]
    assert "hour" not in {field.name for field in TrafficDay._meta.fields}
    assert "day" not in {field.name for field in TrafficGrid._meta.fields}


def test_a_fold_takes_earlier_months_along_each_into_its_own_grid():
    traffic.record_hours([hour(date(2026, 1, 5)), hour(DAY)])
    traffic.fold_month(end=date(2026, 4, 1))
    assert set(TrafficGrid.objects.values_list("month", flat=True)) == {date(2026, 1, 1), date(2026, 3, 1)}
    traffic.fold_month(end=date(2026, 4, 1))
    assert TrafficDay.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_an_hour_that_comes_during_the_fold_is_never_lost_beside_it():
    """Whichever is first: the hour is folded, or waits, unfolded, for a month that nobody folded."""
    traffic.record_hours([hour()])

    def record() -> object:
        try:
            return traffic.record_hours([hour(at=10)])
        except Frozen:
            return "refused"

    _, outcome = at_once(lambda: traffic.fold_month(end=date(2026, 4, 1)), record)
    assert not TrafficHour.objects.exists()
    assert total(traffic.by_day(DAY, DAY + timedelta(1))).offered == (1 if outcome == "refused" else 2)


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_pilot_is_imported_and_a_second_time_replaced():
    for _ in range(2):
        assert run(PILOT) == (["533 rows read, 533 hours stored, 0 refused"], "")
    assert total(traffic.by_day(date(2015, 11, 1), date(2016, 12, 1))) == Calls(663, 326, 63, 164, 110, 36)


def test_a_trial_run_stores_nothing():
    lines, refusal = run(PILOT, dry_run=True)
    assert lines[-1].startswith("533 rows read, 533 hours stored") and not refusal
    assert not TrafficHour.objects.exists()


BROKEN = [
    ("", "The file is empty."),
    (HEADER, "The file is empty."),
    ("caller,day\n0701234567,2026-03-02\n", "The file was not read, because it may hold numbers of callers"),
    ("\x00", "The file is no table of calls"),
    (HEADER + '2026-03-02,9,"Main,1,1,0,0,0,0\n', "A quotation mark on line 2 does not end"),
    (HEADER + "2026-03-02,9,Main,1,1,0,0,0,0\n" * 20_001, "The file has more than 20,000 rows: divide it."),
    ("x" * (20 * 2**20 + 1), "The file is too large"),
    (HEADER + "2026-03-02,9,Main,1,1,0,0,0,0\n2026-03-02,9,0701234567,1,1,0,0,0,0\n", "Nothing was stored"),
]


@pytest.mark.parametrize(("content", "why"), BROKEN, ids=range(len(BROKEN)))
def test_empty_huge_and_broken_files_give_a_clear_error_and_change_nothing(tmp_path, content, why):
    traffic.record_hours([hour(calls=TWO)])
    file = tmp_path / "calls.csv"
    file.write_text(content, encoding="utf-8")
    lines, refusal = run(file)
    assert refusal.startswith(why)
    assert "0701234567" not in refusal + "".join(lines)
    assert stored() == {(DAY, 9, False, "Main"): 2}


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path):
    assert run(tmp_path / "none.csv") == ([], "No file of that name can be read.")


def test_rows_of_a_frozen_month_are_named_by_their_lines(tmp_path, nothing_is_published):
    traffic.record_hours([hour()])
    traffic.fold_month(end=APRIL)
    file = tmp_path / "calls.csv"
    file.write_text(HEADER + "2026-04-01,9,Main,1,1,0,0,0,0\n2026-03-02,9,Main,1,1,0,0,0,0\n", encoding="utf-8")
    assert run(file) == (
        [
            "line 3, column day (A): The month is frozen: its calls are folded and can no longer be changed.",
            "2 rows read, 0 hours stored, 1 refused",
        ],
        "Nothing was stored: correct the refused rows.",
    )


def test_the_report_says_what_came_late(tmp_path, nothing_is_published):
    seal()
    file = tmp_path / "calls.csv"
    file.write_text(HEADER + "2026-03-02,9,Main,1,1,0,0,0,0\n", encoding="utf-8")
    assert run(file) == (
        [
            "1 rows read, 1 hours stored, 0 refused",
            "1 of them lie in frozen months, which take one file and no second one",
        ],
        "",
    )


# --- opening hours ----------------------------------------------------------------------------------------------------

OFFICE = WeeklyHours(date(2026, 1, 1), ((Span(540, 720), Span(780, 960)),) * 5 + ((), ()))


def test_opening_hours_are_read_as_they_were_set_and_replaced_by_their_day():
    openings.set_hours(OFFICE, by=None, now=NOW)
    later = WeeklyHours(date(2026, 6, 1), ((),) * 7)
    openings.set_hours(later, by=None, now=NOW)
    assert openings.opening().sets == (OFFICE, later)
    changed = WeeklyHours(OFFICE.valid_from, ((Span(0, 1440),),) * 7)
    openings.set_hours(changed, by=None, now=NOW)
    assert openings.opening().sets == (changed, later)
    assert openings.remove_hours(later.valid_from, by=None, now=NOW)
    assert not openings.remove_hours(later.valid_from, by=None, now=NOW)
    assert openings.opening().sets == (changed,)


def test_an_exception_is_read_as_it_was_set_and_replaced_by_its_day():
    closed, longer = Exceptional(DAY, (), "staff"), Exceptional(DAY, (Span(540, 1200),), "extended")
    for exception in (closed, longer):
        openings.set_exception(exception, by=None, now=NOW)
        assert openings.opening().exceptions == {DAY: exception}
    assert openings.remove_exception(DAY, by=None, now=NOW) and not openings.opening().exceptions
    assert not openings.remove_exception(DAY, by=None, now=NOW)


def test_every_change_of_the_opening_hours_is_written_down_once():
    coordinator = User.objects.create_user("coordinator", None, role="coordinator")
    openings.set_hours(OFFICE, by=coordinator, now=NOW)
    openings.set_exception(Exceptional(DAY, (), "staff"), by=coordinator, now=NOW)
    openings.remove_exception(DAY, by=coordinator, now=NOW)
    openings.remove_exception(DAY, by=coordinator, now=NOW)
    openings.remove_hours(OFFICE.valid_from, by=coordinator, now=NOW)
    assert list(AuditEvent.objects.values_list("act", flat=True)) == ["opening.edit"] * 4
    assert not OpeningHours.objects.exists()
