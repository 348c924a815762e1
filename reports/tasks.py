"""The reports' doorbells."""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from reports import demonstration, rollups, schedule
from reports.forms import optional_pilot, rule

SWEEP_SECONDS = 40  # within the task's soft limit of 50 s


@shared_task
def sweep() -> None:
    """Bring the counts of marked days up to date."""
    rollups.refresh(seconds=SWEEP_SECONDS)


@shared_task
def freeze_and_prepare() -> None:
    """Freeze what is due and prepare what is whole then; publishing is a person's act."""
    if demonstration.is_being_made():
        return
    today = timezone.localdate()
    schedule.freeze_due(today=today, freeze_day=settings.REPORTS_FREEZE_DAY)
    schedule.prepare_due(today=today, rule=rule(), pilot=optional_pilot())
