"""Owns the stored nouns of the reports: live counts, frozen records, releases and their write-once cells, grants."""

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from helpline.fields import CodeField, CodeSetField
from reports.models.counts import DayCount as DayCount
from reports.models.counts import FailedDay as FailedDay
from reports.models.counts import MonthCount as MonthCount
from reports.models.counts import RebuildMonth as RebuildMonth
from reports.models.counts import Upkeep as Upkeep
from reports.models.files import PreparedFile as PreparedFile
from reports.models.files import PublishedFile as PublishedFile
from reports.periods import Period


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


class ErasedYear(models.Model):
    """That no record of a year, by its first day, is needed any more: they are erased, and nothing is made of them."""

    year = models.DateField(primary_key=True)


class Erasure(models.Model):
    """The receipt of a day's erasing: of each kind "at least so many", in fives, as JSON, and why bytes may be left."""

    day = models.DateField(primary_key=True)
    kinds = models.TextField()
    left = models.CharField(max_length=64, blank=True)


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


class GateRun(models.Model):
    """What the gate found in the candidate of a period, and how far it is: `done` of so many families of tables."""

    kind = models.CharField(max_length=9)
    start = models.DateField()
    edition = models.PositiveSmallIntegerField()
    done = models.PositiveSmallIntegerField(default=0)
    of = models.PositiveSmallIntegerField(default=0)
    looked_at = models.PositiveIntegerField(default=0)  # small numbers and complements
    withheld = models.PositiveIntegerField(default=0)  # numbers that would have given one away
    guesses = models.PositiveIntegerField(default=0)  # hidden numbers that only somebody who guesses right could use
    standing = models.PositiveIntegerField(default=0)  # what other releases give away already

    class Meta:
        constraints = [models.UniqueConstraint(name="gate_run_once", fields=["kind", "start", "edition"])]


class ReleaseKey(models.Model):
    """The fingerprint of the one key of a scope ("2016", "pilot") and edition: that of whoever was first. With
    `destroyed_on` it is the receipt that the key is gone, and nothing more can be made with it.

    So workers with two folders of keys never round the same contacts twice.
    """

    scope = models.CharField(max_length=8)
    edition = models.PositiveSmallIntegerField()
    fingerprint = models.CharField(max_length=64)  # HMAC-SHA-256, hexadecimal
    destroyed_on = models.DateField(null=True)

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
