"""The helpline's doorbells."""

from celery import shared_task
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from helpline import cases, contacts, drafts


@shared_task
def erase_expired() -> None:
    """Erase who logged what when, once it can no longer be amended, drafts, cases and sessions that have ended."""
    SessionStore.clear_expired()
    drafts.erase_expired(now=timezone.now(), hours=settings.HELPLINE_DRAFT_HOURS)
    cases.erase_expired(today=timezone.localdate())
    contacts.erase_expired(now=timezone.now(), amend_hours=settings.HELPLINE_AMEND_HOURS)
