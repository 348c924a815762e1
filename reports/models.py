"""Owns the stored nouns of the reports: live counts, frozen records, releases and their write-once cells."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from helpline.fields import CodeField, CodeSetField
from reports.periods import Period


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


class MonthCount(CountColumns):
    """The sum of a month's DayCount rows; `month` is its first day."""

    month = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="month_count_once", fields=["month", "variable", "code"]),
            models.CheckConstraint(name="month_count_above_zero", condition=Q(n__gt=0)),
        ]


class StatRecord(models.Model):
    """One frozen contact: catalogue codes and groups, the month it counts in, and a random key that links to nothing.

    No clock, no handler, no link to the contact. The 62-bit key drives the rounding and is drawn when freezing.
    """

    key = models.BigIntegerField(primary_key=True)
    month = models.DateField(db_index=True)

    channel = CodeField()
    result = CodeField()
    length = CodeField()
    caller_role = CodeField()
    caller_role_3 = CodeField()
    sector = CodeField()
    relation = CodeField()
    caller_gender = CodeField()
    caller_adult = CodeField()
    first_contact = CodeField()
    case_step = CodeField(default="utan_nummer")
    concerns = CodeSetField()
    concerns_6 = CodeSetField()
    environment = CodeField()
    environment_3 = CodeField()
    gang_overlap = CodeField()
    age = CodeField()
    age_2 = CodeField()
    gender = CodeField()
    county = CodeField()
    county_part = CodeField()
    county_region = CodeField()
    needs = CodeSetField()
    needs_2 = CodeSetField()
    motivation = CodeField()
    plan = CodeField()
    barriers = CodeSetField()
    actions = CodeSetField()
    reports_made = CodeSetField()
    awareness = CodeField()
    language = CodeField()
    language_support = CodeField()
    urgency = CodeField()


class StatReferral(models.Model):
    """One referral of a frozen contact: its target with group, type and outcome."""

    record = models.ForeignKey(StatRecord, on_delete=models.CASCADE, related_name="referrals")
    referral_target = CodeField()
    referral_target_6 = CodeField()
    referral_type = CodeField()
    referral_outcome = CodeField()


class Release(models.Model):
    """What is published of one period: prepared by the freeze run, then published by a person who has read it.

    Until then its cells are `candidate`, which no evaluator's page reads: {table: null (not admitted) or
    {coordinates: {contents: number or null (hidden)}}}. From then on the database refuses any change of the row.
    """

    kind = models.CharField(max_length=9)
    start = models.DateField()
    end = models.DateField()
    edition = models.PositiveSmallIntegerField(default=1)
    candidate = models.TextField()  # canonical JSON, so that a hash of the text is a hash of the figures
    manifest = models.TextField()
    sha256 = models.CharField(max_length=64)
    prepared_on = models.DateField()
    published_on = models.DateField(null=True)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(name="release_once", fields=["kind", "start", "edition"])]

    @property
    def period(self) -> Period:
        return Period(self.kind, self.start, self.end)


class PublishedCell(models.Model):
    """One published number, or a hidden cell (null). Written once: the database refuses any change.

    `period` is a code of the time variable Tid; `coordinates` are the codes of the table's variables, joined by "|".
    """

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="cells")
    table = models.CharField(max_length=64)
    period = models.CharField(max_length=8)
    edition = models.PositiveSmallIntegerField()
    coordinates = models.CharField(max_length=32)
    contents = models.CharField(max_length=16)
    value = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="published_cell_once", fields=["table", "period", "edition", "coordinates", "contents"]
            ),
            models.CheckConstraint(name="published_cell_never_zero", condition=Q(value__isnull=True) | Q(value__gt=0)),
        ]


class Token(models.Model):
    """What lets a program read the API in the name of an account until the end of a day; only its digest is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    digest = models.CharField(max_length=64)  # SHA-256, hexadecimal
    expires_on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(name="token_once", fields=["digest"])]
