"""The reports' doorbells."""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from helpline.tasks import BATCH
from reports import demonstration, editions, rebuilding, schedule, upkeep
from reports.forms import optional_pilot, rule

SWEEP_SECONDS = 40  # within the task's soft limit of 50 s
REBUILD_SECONDS, REBUILD_LIMIT = 40, 600  # when no other month is begun; when one that was begun is cut off


@shared_task
def sweep() -> None:
    """Bring the counts of marked days up to date."""
    upkeep.keep_up(seconds=SWEEP_SECONDS, now=timezone.now())


@shared_task(acks_late=False, soft_time_limit=REBUILD_LIMIT - 10, time_limit=REBUILD_LIMIT)
def rebuild() -> None:
    """Count months anew of a rebuild that somebody asked for; every free worker takes some."""
    rebuilding.work(seconds=REBUILD_SECONDS)


@shared_task(**BATCH)
def verify() -> None:
    """Once a night, recount everything and keep how many figures differ."""
    upkeep.verify_due(now=timezone.localtime())


@shared_task(**BATCH)
def freeze_and_prepare() -> None:
    """Freeze what is due, prepare what is whole then and what two people want anew; publishing is a person's act."""
    if demonstration.is_being_made():
        return
    today = timezone.localdate()
    schedule.freeze_due(today=today, freeze_day=settings.REPORTS_FREEZE_DAY)
    schedule.renew_due(today=today, rule=rule())
    schedule.prepare_due(today=today, rule=rule(), pilot=optional_pilot())
    editions.prepare_agreed(today=today, rule=rule())
