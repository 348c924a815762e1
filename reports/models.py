"""Owns the stored nouns of the reports. So far the live counts, a cache that can be recomputed at any time."""

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
    """How often a code was given on one day. A code without row was given 0 times."""

    day = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="day_count_once", fields=["day", "variable", "code"]),
            models.CheckConstraint(name="day_count_above_zero", condition=Q(n__gt=0)),
        ]


class MonthCount(CountColumns):
    """The sum of a month's DayCount rows; `month` is its first day."""

    month = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="month_count_once", fields=["month", "variable", "code"]),
            models.CheckConstraint(name="month_count_above_zero", condition=Q(n__gt=0)),
        ]
