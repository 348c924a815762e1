"""Owns the stored nouns of the calls: contact, referral, case, draft, and what tells the counts of their days."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.db.models.lookups import Exact, GreaterThan, LessThan

from helpline.code_files import FIRST_BIT
from helpline.entries import FIRST_DAY
from helpline.fields import CodeField, CodeSetField
from helpline.models.staff import User
from helpline.taxonomy import CODE_LISTS, NOT_ASKED, QUESTIONS, RELEVANT, TO_CLOSE


def _well_formed_set(question: str) -> models.CheckConstraint:
    """At least one code; a non-answer (bits 0-3) stands alone."""
    alone = Q(**{f"{question}__in": [1 << bit for bit in range(FIRST_BIT)]})
    answers = Q(Exact(F(question) % (1 << FIRST_BIT), 0)) & Q(**{f"{question}__gt": 0})
    return models.CheckConstraint(name=f"contact_{question}_well_formed", condition=alone | answers)


def _well_formed_codes(questions: list[str]) -> Q:
    """1 to 12 characters and no blank. No regular expression: SQLite trusts no function of ours in a schema."""
    condition = Q()
    for question in questions:
        condition &= Q(GreaterThan(Length(question), 0)) & Q(LessThan(Length(question), 13))
        condition &= ~Q(**{f"{question}__contains": " "})
    return condition


_SINGLE = [question for question in QUESTIONS if not CODE_LISTS[question].multiple]
_MULTIPLE = [question for question in QUESTIONS if CODE_LISTS[question].multiple]


class Case(models.Model):
    """A matter that a caller comes back with. Whoever has the number finds it; the number itself is stored nowhere."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=64, unique=True)
    used_on = models.DateField()

    class Meta:
        constraints = [models.CheckConstraint(name="case_digest_is_whole", condition=Q(Exact(Length("digest"), 64)))]


class Contacts(models.QuerySet["Contact"]):
    """Adverbs of contacts."""

    def counted(self) -> "Contacts":
        """Those that were not withdrawn."""
        return self.filter(is_withdrawn=False)

    def changeable(self) -> "Contacts":
        """Those whose month is not frozen and that were not withdrawn."""
        return self.counted().filter(is_frozen=False)

    def open(self) -> "Contacts":
        """Those that lack an answer without which a contact is not complete (taxonomy.TO_CLOSE)."""
        lacking = Q()
        for question in TO_CLOSE:
            lacking |= Q(**{question: frozenset({NOT_ASKED}) if CODE_LISTS[question].multiple else NOT_ASKED})
        return self.filter(lacking)


class Contact(models.Model):
    """One contact as codes and a day. No free text, no clock time beyond the amend window, a random key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    day = models.DateField(db_index=True)

    channel = CodeField()
    result = CodeField()
    length = CodeField()
    caller_role = CodeField()
    sector = CodeField()
    relation = CodeField()
    caller_gender = CodeField()
    caller_adult = CodeField()
    first_contact = CodeField()
    concerns = CodeSetField()
    environment = CodeField()
    gang_overlap = CodeField()
    age = CodeField()
    gender = CodeField()
    county = CodeField()
    needs = CodeSetField()
    motivation = CodeField()
    plan = CodeField()
    barriers = CodeSetField()
    actions = CodeSetField()
    reports_made = CodeSetField()
    awareness = CodeField()
    language = CodeField()
    language_support = CodeField()
    urgency = CodeField()

    # The link never leaves the helpline; the statistics take the step alone.
    case = models.ForeignKey(Case, null=True, on_delete=models.SET_NULL, related_name="contacts", editable=False)
    case_step = CodeField(default="utan_nummer", editable=False)

    version = models.PositiveSmallIntegerField(default=1, editable=False)
    # Kept, but counted nowhere.
    is_withdrawn = models.BooleanField(default=False, editable=False)
    # Copied into the statistics: from then on the contact can be erased, but no longer counted anew.
    is_frozen = models.BooleanField(default=False, editable=False)

    # Exist only while a save may be repeated or amended; contacts.erase_traces clears them.
    submission_key = models.UUIDField(null=True, unique=True, editable=False)
    submission_digest = models.CharField(max_length=64, null=True, editable=False)  # noqa: DJ001 (null = erased)
    logged_at = models.DateTimeField(null=True, editable=False)
    logged_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False)

    # No column: whether the save that gave this object made the contact, and did not find it made.
    is_new = False

    objects = Contacts.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="contact_day_within_code_lists", condition=Q(day__gte=FIRST_DAY)),
            models.CheckConstraint(name="contact_codes_well_formed", condition=_well_formed_codes(_SINGLE)),
            *(_well_formed_set(question) for question in _MULTIPLE),
            models.CheckConstraint(
                name="contact_trace_whole_or_erased",
                condition=Q(submission_key__isnull=False, submission_digest__isnull=False, logged_at__isnull=False)
                | Q(
                    submission_key__isnull=True,
                    submission_digest__isnull=True,
                    logged_at__isnull=True,
                    logged_by__isnull=True,
                ),
            ),
        ]
        indexes = [
            models.Index(name="contact_trace", fields=["logged_at"], condition=Q(logged_at__isnull=False)),
            models.Index(name="contact_not_frozen", fields=["day"], condition=Q(is_frozen=False)),
        ]


class Referrals(models.QuerySet["Referral"]):
    """Adverbs of referrals."""

    def counted(self) -> "Referrals":
        """Those of relevant contacts that were not withdrawn, of a case one for each target and type."""
        return self.filter(contact__is_withdrawn=False, contact__result=RELEVANT, is_repeat=False)


class Referral(models.Model):
    """One hänvisning or förmedling of a contact: target, type, the caller's consent, outcome."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="referrals")
    target = CodeField()
    type = CodeField()
    outcome = CodeField()
    consent = models.BooleanField()
    # A relevant contact of the case counts the same target and type already: shown, but not counted again.
    is_repeat = models.BooleanField(default=False, editable=False)

    objects = Referrals.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="referral_codes_well_formed", condition=_well_formed_codes(["target", "type", "outcome"])
            ),
            models.CheckConstraint(
                name="referral_arranged_only_with_consent",
                condition=Q(type="formedling", consent=True) | Q(~Q(type="formedling"), consent=False),
            ),
            models.UniqueConstraint(name="referral_once_per_target_and_type", fields=["contact", "target", "type"]),
        ]


class Earlier(models.Model):
    """What a contact said before a change: its day, codes and referrals as JSON. Kept as long as who logged it."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="earlier")
    version = models.PositiveSmallIntegerField()
    content = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(name="earlier_once_per_version", fields=["contact", "version"])]


class Draft(models.Model):
    """A form that is being filled in: codes only, as JSON, its owner's alone, gone when saved or after 12 hours.

    Its key becomes the contact's submission key.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="drafts")
    content = models.TextField()
    case = models.ForeignKey(Case, null=True, on_delete=models.SET_NULL, related_name="+")
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()


class DayMark(models.Model):
    """Append-only: "this day's counts no longer hold". Written with the contact, removed by a recount."""

    day = models.DateField(db_index=True)


class DaySeal(models.Model):
    """The day's month is frozen: its statistics no longer move, whatever happens to its contacts."""

    day = models.DateField(primary_key=True)


class ImportedKey(models.Model):
    """That a row of a file is already a contact: keyed digests of its key and its content, no link to the contact."""

    digest = models.CharField(primary_key=True, max_length=64)
    content = models.CharField(max_length=64)
    day = models.DateField(db_index=True)


class Demonstration(models.Model):
    """The one row that says: everything here is made up. `made` of `planned` contacts exist so far."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    seed = models.IntegerField()
    since = models.DateField()
    contacts_a_month = models.PositiveIntegerField()
    planned = models.PositiveIntegerField()
    made = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(name="demonstration_is_one_row", condition=Q(id=1))]

    @property
    def percent(self) -> int:
        """How far the making has come, 0 to 100."""
        return 100 * self.made // self.planned if self.planned else 100
