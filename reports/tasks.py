"""The reports' doorbells."""

from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from reports import demonstration, editions, rebuilding, retention, row_files, schedule, upkeep
from reports.forms import optional_pilot, row_limits, rule

# Of what has the queue `batch`. Not acknowledged late: what runs longer than Redis waits would be delivered once more,
# and a lost doorbell is rung again by beat.
BATCH_SECONDS = 3600
BATCH: dict[str, Any] = {"acks_late": False, "soft_time_limit": BATCH_SECONDS - 100, "time_limit": BATCH_SECONDS}
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
    """Freeze what is due; prepare what is whole then, what two people want anew, and the row files of closed years;
    destroy the keys whose last release is out. Publishing is a person's act."""
    if demonstration.is_being_made():
        return
    today = timezone.localdate()
    schedule.freeze_due(today=today, freeze_day=settings.REPORTS_FREEZE_DAY)
    schedule.renew_due(today=today, rule=rule())
    schedule.prepare_due(today=today, rule=rule(), pilot=optional_pilot())
    editions.prepare_agreed(today=today, rule=rule())
    schedule.destroy_due(today=today, rule=rule())
    row_files.prepare_due(today=today, limits=row_limits(), rule=rule().parameters)


@shared_task(**BATCH)
def erase_expired() -> None:
    """Erase whatever has been kept for its time; once a night out of the database's files too, with a receipt."""
    retention.erase_due(now=timezone.now())
