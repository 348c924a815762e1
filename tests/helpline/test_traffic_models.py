"""The database itself refuses counters that cannot be, and no table of the telephony leads to another."""

from datetime import date

import pytest
from django.apps import apps
from django.db import models

from helpline.models import OpeningException, OpeningHours, TrafficDay, TrafficGrid, TrafficHour
from tests.helpline.test_models import refused_by

pytestmark = pytest.mark.django_db

DAY, LONG_DAY = date(2026, 3, 2), date(2026, 10, 25)
CALLS = {"offered": 5, "answered": 2, "abandoned_short": 1, "abandoned": 1, "closed": 1, "voicemail": 2}
WHERE = {
    "traffic_hour": (TrafficHour, {"day": DAY, "hour": 9, "queue": "Main"}),
    "traffic_day": (TrafficDay, {"day": DAY, "queue": "Main"}),
    "traffic_grid": (TrafficGrid, {"month": DAY.replace(day=1), "weekday": 0, "hour": 9}),
}


def counted(name: str, **changed) -> models.Model:
    model, where = WHERE[name]
    return model(**where | CALLS | changed)


def refused_as_repeated(constraint: str, thing: models.Model) -> bool:
    """SQLite names the columns instead of the constraint."""
    return refused_by(constraint, thing) or refused_by(f"UNIQUE constraint failed: {thing._meta.db_table}", thing)


@pytest.mark.parametrize("name", WHERE)
def test_counts_that_add_up_are_taken_once(name):
    counted(name).save()
    assert refused_as_repeated(f"{name}_once", counted(name))


@pytest.mark.parametrize("name", WHERE)
@pytest.mark.parametrize("changed", [{"offered": 6}, {"answered": 3}, {"voicemail": 3}, {"voicemail": -1}])
def test_counts_that_do_not_add_up_are_refused(name, changed):
    assert refused_by(f"{name}_calls_add_up", counted(name, **changed))


@pytest.mark.parametrize("name", WHERE)
def test_a_negative_count_that_adds_up_is_refused(name):
    assert refused_by(f"{name}_calls_add_up", counted(name, offered=2, answered=-1))


@pytest.mark.parametrize("name", ["traffic_hour", "traffic_grid"])
@pytest.mark.parametrize("hour", [-1, 24])
def test_an_hour_is_one_of_the_clock(name, hour):
    assert refused_by(
        f"{name}_hour_is_of_the_clock" if name == "traffic_grid" else f"{name}_is_of_the_clock",
        counted(name, hour=hour),
    )


def test_only_the_hour_from_two_is_there_twice():
    counted("traffic_hour", day=LONG_DAY, hour=2).save()
    counted("traffic_hour", day=LONG_DAY, hour=2, is_second=True).save()
    assert refused_by("traffic_hour_second_only_at_two", counted("traffic_hour", day=LONG_DAY, is_second=True))


@pytest.mark.parametrize("name", ["traffic_hour", "traffic_day"])
def test_a_day_before_the_code_lists_and_a_queue_without_a_name_are_refused(name):
    assert refused_by(f"{name}_within_code_lists", counted(name, day=date(2014, 12, 31)))
    assert refused_by(f"{name}_queue_is_named", counted(name, queue=""))


@pytest.mark.parametrize("weekday", [-1, 7])
def test_a_weekday_is_one_of_the_week(weekday):
    assert refused_by("traffic_grid_weekday_is_of_the_week", counted("traffic_grid", weekday=weekday))
    hours = OpeningHours(valid_from=DAY, weekday=weekday, opens=540, closes=900)
    assert refused_by("opening_hours_weekday_is_of_the_week", hours)


@pytest.mark.parametrize(("opens", "closes"), [(900, 540), (540, 540), (-1, 540), (540, 1441)])
def test_a_span_goes_forward_within_its_day(opens, closes):
    hours = OpeningHours(valid_from=DAY, weekday=0, opens=opens, closes=closes)
    assert refused_by("opening_hours_span_is_forward", hours)
    exception = OpeningException(day=DAY, opens=opens, closes=closes, reason="staff")
    assert refused_by("opening_exception_span_is_forward", exception)


@pytest.mark.parametrize(("opens", "closes"), [(0, 0), (0, 1440), (540, 900)])
def test_closed_a_whole_day_and_part_of_it_are_spans(opens, closes):
    OpeningHours(valid_from=DAY, weekday=0, opens=opens, closes=closes).save()
    OpeningException(day=DAY, opens=opens, closes=closes, reason="staff").save()


def test_an_exception_has_a_reason_of_the_list():
    exception = OpeningException(day=DAY, opens=0, closes=0, reason="a name")
    assert refused_by("opening_exception_reason_is_known", exception)


def test_the_same_span_stands_once():
    hours = {"valid_from": DAY, "weekday": 0, "opens": 540, "closes": 900}
    OpeningHours(**hours).save()
    assert refused_as_repeated("opening_hours_once", OpeningHours(**hours))
    exception = {"day": DAY, "opens": 540, "closes": 900, "reason": "other"}
    OpeningException(**exception).save()
    assert refused_as_repeated("opening_exception_once", OpeningException(**exception))


TELEPHONY = {TrafficHour, TrafficDay, TrafficGrid, OpeningHours, OpeningException}


def links(some: set[type[models.Model]]) -> list[str]:
    """The columns by which one of `some` leads to a table, or a table to one of them."""
    of_all = [field for model in apps.get_models() for field in model._meta.get_fields() if field.is_relation]
    return [str(field) for field in of_all if field.model in some or field.related_model in some]


def test_no_table_of_the_telephony_leads_to_another_or_is_led_to():
    assert links(TELEPHONY) == []


def test_a_table_that_leads_to_another_would_be_found():
    from helpline.models import Referral

    assert links({Referral})
