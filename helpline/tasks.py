"""The helpline's doorbells."""

from celery import shared_task
from django.utils import timezone

from helpline.imports import jobs


@shared_task(soft_time_limit=jobs.TASK_SECONDS - 10, time_limit=jobs.TASK_SECONDS)
def run_imports() -> None:
    """Throw away the files that were kept too long, and store the next one that a coordinator wants loaded."""
    jobs.expire(now=timezone.now())
    jobs.run_next(now=timezone.now())
