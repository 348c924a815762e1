"""Owns a file between its upload and its end: kept sealed for less than an hour, stored by a worker, all or nothing.

The page writes rows and never rings a bell; workers look for rows. How far a worker has come cannot stand in the
database before its one transaction ends, so it stands in the cache, which may be lost: the row says the rest.
"""

import logging
import zlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from helpline import audit, sealing
from helpline.imports.kinds import KINDS, Result, Run, Sample, Unusable
from helpline.models import ImportJob, User

logger = logging.getLogger(__name__)

ACT = "import.run"
PURPOSE = "file to import"
TASK_SECONDS = 120  # after which a worker's task is ended
HELD = timedelta(seconds=TASK_SECONDS + 30)
KEPT = timedelta(minutes=57)  # with HELD less than an hour: what is begun at the last moment ends within it
ATTEMPTS = 3
READ, STORED = 20, 95  # per cent of the way


class NotYours(LookupError):
    """The import is somebody else's, or there is none: both are answered alike."""


class Busy(Exception):
    """The coordinator has an import on its way, `job`; nothing was kept of another one."""

    def __init__(self, job: ImportJob) -> None:
        super().__init__("an import is on its way")
        self.job = job


class TakenOver(Exception):
    """Another worker has the job, because this one took too long; it stores nothing."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be stored, and the first rows."""

    result: Result
    sample: Sample


# --- the coordinator -------------------------------------------------------------------------------------------------


def put(kind: str, content: bytes, *, by: User, now: datetime) -> ImportJob:
    """Keep a file that can be read, in place of one that `by` has not decided about. Raises Unusable and Busy."""
    KINDS[kind].read(content, timezone.localdate(now), "")
    said = {"kind": kind, "by": by, "day": timezone.localdate(now)}
    said["content"] = sealing.seal(zlib.compress(content), purpose=PURPOSE)
    try:
        with transaction.atomic():
            _overdue(now).filter(by=by).update(**_ended(ImportJob.EXPIRED))
            before = ImportJob.objects.select_for_update().filter(by=by, state__in=ImportJob.OPEN).first()
            if before is not None and before.state != ImportJob.READY:
                raise Busy(before)
            if before is not None:
                _close(before, ImportJob.CANCELLED)
            # To the minute: nobody needs to know it better.
            return ImportJob.objects.create(**said, expires_at=now.replace(second=0, microsecond=0) + KEPT)
    except IntegrityError:  # two uploads at the same moment
        raise Busy(ImportJob.objects.filter(by=by).order_by("-expires_at")[0]) from None


def own(by: User, key: UUID, *, now: datetime) -> ImportJob:
    """One's own import, without its content; at an end if it was kept too long. Raises NotYours."""
    if (job := ImportJob.objects.defer("content").filter(pk=key, by=by).first()) is None:
        raise NotYours
    if _is_too_old(job, now) and _overdue(now).filter(pk=job.pk).update(**_ended(ImportJob.EXPIRED)):
        job.refresh_from_db()
    return job


def open_of(by: User, *, now: datetime) -> ImportJob | None:
    """The import of `by` that has not come to its end."""
    job = ImportJob.objects.defer("content").filter(by=by, state__in=ImportJob.OPEN).first()
    return None if job is None or _is_too_old(job, now) else job


def _is_too_old(job: ImportJob, now: datetime) -> bool:
    return job.state != ImportJob.RUNNING and job.expires_at is not None and job.expires_at <= now


def preview(job: ImportJob, *, now: datetime) -> Preview | None:
    """What a kept file would do at this moment; None for one that was kept too long, which is thrown away."""
    kind, today = KINDS[job.kind], timezone.localdate(now)
    ready = ImportJob.objects.filter(pk=job.pk, state=ImportJob.READY)
    kept = ready.filter(expires_at__gt=now).first()
    try:
        reading = kind.read(_content(kept), today, kept.target) if kept else None
    except (Unusable, sealing.Broken):  # read before, under another secret or other code lists
        reading = None
    if reading is None:
        ready.update(**_ended(ImportJob.EXPIRED))
        return None
    trial = kind.store(reading, Run(now, today, skips_refused=kind.can_skip, is_trial=True))
    return Preview(trial, kind.sample(reading))


def aim(job: ImportJob, target: str, *, now: datetime) -> bool:
    """Choose the referral target of a directory's services that name none; whether it still waited for a decision."""
    ready = ImportJob.objects.filter(pk=job.pk, state=ImportJob.READY, expires_at__gt=now)
    return bool(ready.filter(kind=ImportJob.DIRECTORY).update(target=target))


def start(job: ImportJob, *, skips_refused: bool, now: datetime) -> bool:
    """Let a worker store a file that was looked at; whether it still waited for that."""
    ready = ImportJob.objects.filter(pk=job.pk, state=ImportJob.READY, expires_at__gt=now)
    skips = skips_refused and KINDS[job.kind].can_skip
    return bool(ready.update(state=ImportJob.WAITING, skips_refused=skips))


def cancel(job: ImportJob) -> bool:
    """Throw a file away that no worker has begun with; whether there was one."""
    waits = ImportJob.objects.filter(pk=job.pk, state__in=(ImportJob.READY, ImportJob.WAITING))
    return bool(waits.update(**_ended(ImportJob.CANCELLED)))


def percent(job: ImportJob) -> int | None:
    """How far a running import has come, 0 to 99; None where nobody knows."""
    try:
        known = cache.get(_progress_key(job))
    except Exception:
        return None
    return known if isinstance(known, int) else None


def expire(*, now: datetime) -> int:
    """Throw away the files that were kept too long; how many. Asks before it writes, since it is called all the time
    and a write makes others wait."""
    expired = _overdue(now)
    return expired.update(**_ended(ImportJob.EXPIRED)) if expired.exists() else 0


def _overdue(now: datetime) -> "QuerySet[ImportJob]":
    """What was kept too long, and no worker is storing."""
    idle = ~Q(state=ImportJob.RUNNING) | Q(held_until__lte=now)
    return ImportJob.objects.filter(idle, state__in=ImportJob.OPEN, expires_at__lte=now)


def forget(*, today: date) -> int:
    """Remove what remains of the imports of earlier days than yesterday, their counts; of how many."""
    closed = ImportJob.objects.filter(state__in=ImportJob.CLOSED, day__lt=today - timedelta(days=1))
    return closed.delete()[0]


# --- the worker ------------------------------------------------------------------------------------------------------


def run_next(*, now: datetime) -> ImportJob | None:
    """Store the file that waits longest, or one whose worker was lost; None where there is nothing to do.

    Safe to call by several at once. What fails is tried anew at a later call, three times in all.
    """
    if not _waiting(now).exists() or (job := _taken(now)) is None:
        return None
    try:
        _run(job, now)
    except Exception as error:
        # Its message may hold what was to be stored.
        logger.error("An import did not end (%s).", type(error).__name__)
        _holds(job).update(held_until=now)
    return job


def _waiting(now: datetime) -> "QuerySet[ImportJob]":
    return ImportJob.objects.filter(Q(state=ImportJob.WAITING) | Q(state=ImportJob.RUNNING, held_until__lte=now))


def _holds(job: ImportJob) -> "QuerySet[ImportJob]":
    """The row, as long as no other worker took it over."""
    return ImportJob.objects.filter(pk=job.pk, state=ImportJob.RUNNING, attempts=job.attempts)


def _taken(now: datetime) -> ImportJob | None:
    """The job that is to be run now, taken so that nobody else runs it or another one; one that cannot be is closed."""
    try:
        with transaction.atomic():
            # What is locked is being stored at this moment.
            free = _waiting(now).select_for_update(skip_locked=True, of=("self",))
            job = free.order_by("state", "expires_at").first()  # "running" first
            if job is None or ImportJob.objects.filter(state=ImportJob.RUNNING).exclude(pk=job.pk).exists():
                return None
            if (end := _cannot_run(job, now)) is not None:
                _close(job, end)
                return None
            job.state, job.attempts, job.held_until = ImportJob.RUNNING, job.attempts + 1, now + HELD
            job.save(update_fields=["state", "attempts", "held_until"])
            return job
    except IntegrityError:  # another one was taken at the same moment
        return None


def _cannot_run(job: ImportJob, now: datetime) -> str | None:
    if job.attempts >= ATTEMPTS:
        return ImportJob.FAILED
    if job.expires_at is not None and job.expires_at <= now:
        return ImportJob.EXPIRED
    return None if job.by.may(ACT) else ImportJob.CANCELLED


def _run(job: ImportJob, now: datetime) -> None:
    kind, today = KINDS[job.kind], timezone.localdate(now)
    _tell(job, 0)
    try:
        reading = kind.read(_content(job), today, job.target)
    except (Unusable, sealing.Broken):
        _holds(job).update(**_ended(ImportJob.REFUSED))
        return
    _tell(job, READ)

    def beside(result: Result) -> None:
        if (held := _holds(job).select_for_update(of=("self",)).first()) is None:
            raise TakenOver
        audit.record(by=held.by, act=ACT, now=now)
        _close(held, ImportJob.DONE, result)

    run = Run(now, today, job.skips_refused, progress=lambda done, of: _tell_rows(job, done, of), beside=beside)
    with suppress(TakenOver):
        result = kind.store(reading, run)
        if result.is_whole:
            _holds(job).update(**_ended(ImportJob.REFUSED), **_counted(result, ImportJob.REFUSED))


def _content(job: ImportJob) -> bytes:
    return zlib.decompress(sealing.unseal(job.content, purpose=PURPOSE))


def _ended(state: str) -> dict[str, object]:
    return {"state": state, "content": "", "expires_at": None, "held_until": None}


def _close(job: ImportJob, state: str, result: Result | None = None) -> None:
    counts = _counted(result, state) if result else {}
    ImportJob.objects.filter(pk=job.pk).update(**_ended(state), **counts)


def _counted(result: Result, state: str) -> dict[str, int]:
    stored = {} if state == ImportJob.DONE else dict.fromkeys(("stored", "replaced", "late"), 0)
    return dict(result.counts) | stored


# --- how far ---------------------------------------------------------------------------------------------------------


def _progress_key(job: ImportJob) -> str:
    return f"import-{job.pk}-{job.attempts}"


def _tell_rows(job: ImportJob, done: int, of: int) -> None:
    _tell(job, READ + (STORED - READ) * done // max(of, 1))


def _tell(job: ImportJob, share: int) -> None:
    try:
        cache.set(_progress_key(job), share, int(HELD.total_seconds()))
    except Exception:
        logger.warning("The cache does not answer: nobody sees how far an import has come.")
