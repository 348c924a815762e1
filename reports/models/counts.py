"""Owns the stored nouns of the live counts: by day and month, what must be counted anew, and how well they are kept."""

from django.db import models
from django.db.models import Q


class CountColumns(models.Model):
    """n units of one code of one variable; one-way on purpose, so that no stored cell is defined by two variables."""

    variable = models.CharField(max_length=20)
    code = models.CharField(max_length=12)
    n = models.PositiveIntegerField()

    class Meta:
        abstract = True


class DayCount(CountColumns):
    """How often a code was given on one day. A code without row was given 0 times.

    Sealed rows count frozen contacts and stay; the others count the rest, and are recomputed whenever it changes.
    """

    day = models.DateField()
    is_sealed = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="day_count_once", fields=["day", "variable", "code", "is_sealed"]),
            models.CheckConstraint(name="day_count_above_zero", condition=Q(n__gt=0)),
        ]
        # A page reads a few variables of many days.
        indexes = [models.Index(name="day_count_of_variable", fields=["variable", "day"])]


class MonthCount(CountColumns):
    """The sum of a month's DayCount rows; `month` is its first day."""

    month = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="month_count_once", fields=["month", "variable", "code"]),
            models.CheckConstraint(name="month_count_above_zero", condition=Q(n__gt=0)),
        ]


class RebuildMonth(models.Model):
    """That a month, by its first day, is to be counted anew; gone when it is. `attempts` failed so far."""

    month = models.DateField(primary_key=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(name="rebuild_month_tried_thrice", condition=Q(attempts__lte=3))]


class FailedDay(models.Model):
    """That the last `attempts` recounts of a day failed; gone with the first that does not. The day is still marked."""

    day = models.DateField(primary_key=True)
    attempts = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="failed_day_tried_thrice", condition=Q(attempts__gte=1, attempts__lte=3))
        ]


class Upkeep(models.Model):
    """The one row that says how the counts are kept: when no mark waited, and what the last verification found.

    Both are told by the machine's own rounds, never by a contact.
    """

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    caught_up_at = models.DateTimeField(null=True)
    verified_on = models.DateField(null=True)
    compared = models.PositiveIntegerField(default=0)  # days
    mismatches = models.PositiveIntegerField(default=0)
    given_up_days = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(name="upkeep_is_one_row", condition=Q(id=1))]
