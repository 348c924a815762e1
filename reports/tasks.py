"""The reports' doorbells."""

from celery import shared_task

from reports import rollups

SWEEP_SECONDS = 40  # within the task's soft limit of 50 s


@shared_task
def sweep() -> None:
    """Bring the counts of marked days up to date."""
    rollups.refresh(seconds=SWEEP_SECONDS)
