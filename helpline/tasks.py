"""The helpline's doorbells."""

from typing import Any

from celery import shared_task
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from helpline import approvals, audit, cases, contacts, deletions, drafts, second_factor, staff
from helpline.imports import jobs

# Of what has the queue `batch`. Not acknowledged late: what runs longer than Redis waits would be delivered once more,
# and a lost doorbell is rung again by beat.
BATCH_SECONDS = 3600
BATCH: dict[str, Any] = {"acks_late": False, "soft_time_limit": BATCH_SECONDS - 100, "time_limit": BATCH_SECONDS}


@shared_task(**BATCH)
def erase_expired() -> None:
    """Erase who logged what when, once it can no longer be amended; drafts, cases and sessions that ended; the
    counts of earlier imports; when second factors were used; of which contact a deletion was asked for that can no
    longer be done; for whom an invitation was asked that nobody decided; and the record of acts and the settled
    requests of long ago.
    """
    SessionStore.clear_expired()
    second_factor.forget_when_used()
    drafts.erase_expired(now=timezone.now(), hours=settings.HELPLINE_DRAFT_HOURS)
    jobs.forget(today=timezone.localdate())
    cases.erase_expired(today=timezone.localdate())
    staff.lapse_invitations(now=timezone.now())
    deletions.lapse_overtaken(now=timezone.now())  # before contacts, which at last empty the log of SQLite
    contacts.erase_expired(now=timezone.now(), amend_hours=settings.HELPLINE_AMEND_HOURS)
    # Last, since a database whose clock goes wrong refuses it: that must keep nothing about callers.
    approvals.erase_expired(today=timezone.localdate(), months=settings.HELPLINE_AUDIT_MONTHS)
    audit.erase_expired(now=timezone.now(), months=settings.HELPLINE_AUDIT_MONTHS)


@shared_task(soft_time_limit=jobs.TASK_SECONDS - 10, time_limit=jobs.TASK_SECONDS)
def run_imports() -> None:
    """Throw away the files that were kept too long, and store the next one that a coordinator wants loaded."""
    jobs.expire(now=timezone.now())
    jobs.run_next(now=timezone.now())
