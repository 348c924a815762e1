"""Owns the stored nouns of the telephony: hourly counters, what they fold into, and the opening hours.

No table here has a foreign key, and none knows a contact: traffic and content share no key (domain: two stores).
"""

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThan

from helpline.entries import FIRST_DAY
from helpline.opening import MINUTES_A_DAY, REASONS
from helpline.traffic_file import COUNTS, LONGEST_QUEUE, SECOND_HOUR

WEEKDAYS = Q(weekday__gte=0, weekday__lte=6)
HOURS = Q(hour__gte=0, hour__lte=23)
_NAMED = Q(GreaterThan(Length("queue"), 0))


def _add_up(name: str) -> models.CheckConstraint:
    """Each call offered ended in one of four ways; voicemail is how some that were not answered went on."""
    ends = F("answered") + F("abandoned_short") + F("abandoned") + F("closed")
    none_below_zero = Q(*[(f"{count}__gte", 0) for count in COUNTS])
    condition = none_below_zero & Q(offered=ends) & Q(voicemail__lte=F("abandoned") + F("closed"))
    return models.CheckConstraint(name=f"{name}_calls_add_up", condition=condition)


class SixCounts(models.Model):
    """Six counts of calls, unit U1 (anrop)."""

    offered = models.IntegerField()
    answered = models.IntegerField()
    abandoned_short = models.IntegerField()  # by the caller, within 10 seconds
    abandoned = models.IntegerField()
    closed = models.IntegerField()
    voicemail = models.IntegerField()

    class Meta:
        abstract = True


class TrafficHour(SixCounts):
    """The calls of one clock hour in Stockholm to one queue, until its month is frozen.

    `is_second` is the second of the two hours from 02 to 03 on the day that has 25 hours.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    day = models.DateField(db_index=True)
    hour = models.SmallIntegerField()
    is_second = models.BooleanField(default=False)
    queue = models.CharField(max_length=LONGEST_QUEUE)

    class Meta:
        constraints = [
            models.CheckConstraint(name="traffic_hour_within_code_lists", condition=Q(day__gte=FIRST_DAY)),
            models.CheckConstraint(name="traffic_hour_is_of_the_clock", condition=HOURS),
            models.CheckConstraint(
                name="traffic_hour_second_only_at_two", condition=Q(is_second=False) | Q(hour=SECOND_HOUR)
            ),
            models.CheckConstraint(name="traffic_hour_queue_is_named", condition=_NAMED),
            _add_up("traffic_hour"),
            models.UniqueConstraint(name="traffic_hour_once", fields=["day", "hour", "is_second", "queue"]),
        ]


class TrafficDay(SixCounts):
    """The calls of one day of a frozen month to one queue: the hours are gone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    day = models.DateField(db_index=True)
    queue = models.CharField(max_length=LONGEST_QUEUE)

    class Meta:
        constraints = [
            models.CheckConstraint(name="traffic_day_within_code_lists", condition=Q(day__gte=FIRST_DAY)),
            models.CheckConstraint(name="traffic_day_queue_is_named", condition=_NAMED),
            _add_up("traffic_day"),
            models.UniqueConstraint(name="traffic_day_once", fields=["day", "queue"]),
        ]


class TrafficGrid(SixCounts):
    """The calls of one weekday (Monday is 0) and clock hour in a whole frozen month, all queues together."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    month = models.DateField()  # its first day
    weekday = models.SmallIntegerField()
    hour = models.SmallIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="traffic_grid_weekday_is_of_the_week", condition=WEEKDAYS),
            models.CheckConstraint(name="traffic_grid_hour_is_of_the_clock", condition=HOURS),
            _add_up("traffic_grid"),
            models.UniqueConstraint(name="traffic_grid_once", fields=["month", "weekday", "hour"]),
        ]


def _span(name: str) -> models.CheckConstraint:
    """Minutes after midnight; twice 0 says closed, so that closed is said, never missing."""
    span = Q(opens__gte=0, opens__lt=F("closes"), closes__lte=MINUTES_A_DAY)
    return models.CheckConstraint(name=f"{name}_span_is_forward", condition=span | Q(opens=0, closes=0))


class OpeningHours(models.Model):
    """One span of a weekday in the set of opening hours that holds from `valid_from` until the next set's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    valid_from = models.DateField()
    weekday = models.SmallIntegerField()
    opens = models.SmallIntegerField()
    closes = models.SmallIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="opening_hours_weekday_is_of_the_week", condition=WEEKDAYS),
            _span("opening_hours"),
            models.UniqueConstraint(name="opening_hours_once", fields=["valid_from", "weekday", "opens"]),
        ]


class OpeningException(models.Model):
    """One span of a day on which neither its weekday nor a holiday decides, and why."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    day = models.DateField()
    opens = models.SmallIntegerField()
    closes = models.SmallIntegerField()
    reason = models.CharField(max_length=12)

    class Meta:
        constraints = [
            _span("opening_exception"),
            models.CheckConstraint(name="opening_exception_reason_is_known", condition=Q(reason__in=list(REASONS))),
            models.UniqueConstraint(name="opening_exception_once", fields=["day", "opens"]),
        ]
