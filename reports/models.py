"""Owns the stored nouns of the reports: live counts, frozen records, releases and their write-once cells, grants."""

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q

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

    class Meta:
        constraints = [models.CheckConstraint(name="upkeep_is_one_row", condition=Q(id=1))]


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
    balance = CodeField()
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

    A later edition is asked for by one person and agreed to by another.
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
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="release_once", fields=["kind", "start", "edition"]),
            models.CheckConstraint(
                name="release_edition_by_two_people",
                condition=Q(edition=1)
                | Q(requested_by__isnull=False, approved_by__isnull=False) & ~Q(approved_by=F("requested_by")),
            ),
        ]

    @property
    def period(self) -> Period:
        return Period(self.kind, self.start, self.end)


class ReleaseKey(models.Model):
    """The fingerprint of the one key of a scope ("2016", "pilot") and edition: that of whoever was first.

    So workers with two folders of keys never round the same contacts twice.
    """

    scope = models.CharField(max_length=8)
    edition = models.PositiveSmallIntegerField()
    fingerprint = models.CharField(max_length=64)  # HMAC-SHA-256, hexadecimal

    class Meta:
        constraints = [models.UniqueConstraint(name="release_key_once", fields=["scope", "edition"])]


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


class Tokens(models.QuerySet["Token"]):
    """Tokens by the day on which they are good."""

    def good(self, day: date) -> "Tokens":
        """Those that have not expired, of open accounts whose sessions were not ended since."""
        return self.filter(expires_on__gte=day, user__is_active=True, epoch=F("user__epoch"))


class Token(models.Model):
    """What lets a program read the API in the name of an account until the end of a day; only its digest is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    digest = models.CharField(max_length=64)  # SHA-256, hexadecimal
    expires_on = models.DateField()
    epoch = models.UUIDField(null=True)  # the account's when it was made: a token ends with the account's sessions

    objects = Tokens.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="token_once", fields=["digest"])]


class Grants(models.QuerySet["Grant"]):
    """Grants by the day on which they hold."""

    def live(self, day: date) -> "Grants":
        return self.filter(ended_on=None, issued_on__lte=day, until__gte=day)


class Grant(models.Model):
    """That an evaluator may read by program up to and including a day: asked for by one person, agreed to by another.

    From the day on which somebody ends it, it holds no longer.
    """

    evaluator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="grants")
    issued_on = models.DateField()
    until = models.DateField()
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ended_on = models.DateField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    objects = Grants.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="grant_by_two_people", condition=~Q(approved_by=F("requested_by"))),
            models.CheckConstraint(name="grant_until_a_later_day", condition=Q(until__gte=F("issued_on"))),
            models.CheckConstraint(
                name="grant_ended_by_somebody",
                condition=Q(ended_on__isnull=True, ended_by__isnull=True)
                | Q(ended_on__isnull=False, ended_by__isnull=False, ended_on__gte=F("issued_on")),
            ),
            models.UniqueConstraint(
                name="grant_one_at_a_time", fields=["evaluator"], condition=Q(ended_on__isnull=True)
            ),
        ]

    def is_live(self, day: date) -> bool:
        return self.ended_on is None and self.issued_on <= day <= self.until
