"""Owns the stored nouns of the staff: accounts, what waits for a second person, the record of what was done."""

import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import CharField, F, Q
from django.db.models.functions import Cast, Substr
from django.db.models.lookups import In
from django.utils.crypto import salted_hmac

from helpline import policy


class Users(BaseUserManager["User"]):
    """Accounts are made by name and role; there is no superuser."""

    def create_user(self, username: str, password: str | None, *, role: str) -> "User":
        user = self.model(username=username, role=role)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """One member of staff or one evaluator: a name to log in with and exactly one role of the policy."""

    username = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=16)
    is_active = models.BooleanField(default=True)
    has_shortcuts = models.BooleanField(default=True)  # single keys choose answers in the form
    last_login = None  # it would be a clock time; the day is enough
    logged_in_on = models.DateField(null=True, editable=False)
    # Part of every session's hash and of every invitation: a new one ends them all.
    epoch = models.UUIDField(default=uuid.uuid4, editable=False)

    objects = Users()
    USERNAME_FIELD = "username"

    class Meta:
        constraints = [
            models.CheckConstraint(name="user_has_a_role_of_the_policy", condition=Q(role__in=sorted(policy.ROLES)))
        ]

    @property
    def role_name(self) -> str:
        return policy.ROLE_NAMES[self.role]

    def may(self, action: str) -> bool:
        return self.is_active and policy.may(self.role, action)

    def get_session_auth_hash(self) -> str:
        return salted_hmac("helpline.session", f"{self.password}{self.epoch}", algorithm="sha256").hexdigest()


class Approval(models.Model):
    """What one person asked for, and what another one said to it. `act` is of the policy; `subject` names what it is
    about (a key, a period), `detail` what should become of it (a role, a day), `about` the account that it concerns.

    One that lapsed could no longer be done: nobody decided it, but it waits no more.
    """

    WAITING, AGREED, REFUSED, WITHDRAWN, LAPSED = "waiting", "agreed", "refused", "withdrawn", "lapsed"

    act = models.CharField(max_length=32)
    subject = models.CharField(max_length=64)
    detail = models.CharField(max_length=64, blank=True)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    requested_on = models.DateField()
    outcome = models.CharField(max_length=16, default=WAITING)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    decided_on = models.DateField(null=True)
    about = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="approval_by_another_person",
                condition=Q(outcome="withdrawn") | Q(decided_by__isnull=True) | ~Q(decided_by=F("requested_by")),
            ),
            models.CheckConstraint(
                name="approval_about_another_person",
                condition=Q(decided_by__isnull=True) | Q(about__isnull=True) | ~Q(decided_by=F("about")),
            ),
            models.CheckConstraint(
                name="approval_waits_or_is_settled",
                condition=Q(outcome="waiting", decided_by__isnull=True, decided_on__isnull=True)
                | Q(outcome="lapsed", decided_by__isnull=True, decided_on__isnull=False)
                | Q(outcome__in=["agreed", "refused", "withdrawn"], decided_by__isnull=False, decided_on__isnull=False),
            ),
            models.UniqueConstraint(
                name="approval_waits_once", fields=["act", "subject"], condition=Q(outcome="waiting")
            ),
        ]


class AuditEvent(models.Model):
    """An act of staff: who did what in which hour and why, as codes; no values, and nothing of a saved contact.

    `about` is the account that an act on accounts concerned. Written once, to the hour: the database refuses a finer
    clock and any change.
    """

    hour = models.DateTimeField()
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    act = models.CharField(max_length=32)
    reason = models.CharField(max_length=16, blank=True)
    about = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            # Both databases write an hour as `2026-03-01 14:00:00`, PostgreSQL with the zone after it. Looking at the
            # text needs none of the functions that Django adds to SQLite, which a trusted schema must not use.
            models.CheckConstraint(
                name="audit_event_has_no_clock_finer_than_the_hour",
                condition=In(Substr(Cast("hour", CharField()), 14, 7), [":00:00", ":00:00+", ":00:00-"]),
            )
        ]
