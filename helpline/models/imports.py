"""Owns the stored noun of a file that is being imported."""

import uuid

from django.db import models
from django.db.models import F, Q

from helpline.fields import CodeField
from helpline.models.staff import User


class ImportJob(models.Model):
    """A file from its upload until its content is stored or thrown away: its coordinator's alone.

    `content` is sealed and there only while the job is open, at most for an hour; what remains for a day are counts.
    A worker holds a running job until `held_until`; the number of `attempts` tells it whether the job is still its own.
    Of `rows`, so many are `stored`, of which `replaced` stand in place of others and `late` lie in frozen months;
    `already` were there, `refused` were left out or refused the file. Of calls `replaced` is never counted: it would
    tell which hours are stored. `target` is the referral target of a directory's services that name none.
    """

    CONTACTS, TRAFFIC, DIRECTORY = "contacts", "traffic", "directory"
    READY, WAITING, RUNNING = "ready", "waiting", "running"
    DONE, REFUSED, FAILED, CANCELLED, EXPIRED = "done", "refused", "failed", "cancelled", "expired"
    OPEN = (READY, WAITING, RUNNING)
    CLOSED = (DONE, REFUSED, FAILED, CANCELLED, EXPIRED)
    COUNTS = ("rows", "stored", "replaced", "already", "refused", "late")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16)
    by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    content = models.TextField()
    state = models.CharField(max_length=16, default=READY)
    skips_refused = models.BooleanField(default=False)
    target = CodeField(blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    day = models.DateField(db_index=True)
    expires_at = models.DateTimeField(null=True)
    held_until = models.DateTimeField(null=True)
    rows = models.PositiveIntegerField(default=0)
    stored = models.PositiveIntegerField(default=0)
    replaced = models.PositiveIntegerField(default=0)
    already = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    late = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="import_job_is_of_a_known_kind", condition=Q(kind__in=("contacts", "traffic", "directory"))
            ),
            models.CheckConstraint(
                name="import_job_holds_its_file_while_open",
                condition=(Q(state__in=("ready", "waiting", "running"), expires_at__isnull=False) & ~Q(content=""))
                | Q(
                    state__in=("done", "refused", "failed", "cancelled", "expired"),
                    expires_at__isnull=True,
                    content="",
                ),
            ),
            models.CheckConstraint(
                name="import_job_is_held_while_running",
                condition=Q(state="running", held_until__isnull=False)
                | (~Q(state="running") & Q(held_until__isnull=True)),
            ),
            models.CheckConstraint(
                name="import_job_stores_only_when_done",
                condition=Q(state="done") | Q(stored=0, replaced=0, late=0),
            ),
            models.CheckConstraint(
                name="import_job_parts_within_what_was_stored",
                condition=Q(replaced__lte=F("stored"), late__lte=F("stored")),
            ),
            models.CheckConstraint(
                name="import_job_has_a_target_only_of_a_directory", condition=Q(target="") | Q(kind="directory")
            ),
            models.UniqueConstraint(name="import_job_runs_alone", fields=["state"], condition=Q(state="running")),
            models.UniqueConstraint(
                name="import_job_one_open_each", fields=["by"], condition=Q(state__in=("ready", "waiting", "running"))
            ),
        ]
