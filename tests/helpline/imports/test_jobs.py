"""A file from its upload to its end: sealed for an hour, run by one worker at a time, stored whole or not at all."""

import logging
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.utils import timezone, translation

from helpline import contacts, policy, tasks
from helpline.imports import jobs
from helpline.imports.jobs import ATTEMPTS, HELD, KEPT, Busy, NotYours
from helpline.models import AuditEvent, Contact, ImportedKey, ImportJob, User
from reports.tasks import erase_expired
from tests.at_once import at_once

pytestmark = pytest.mark.django_db

CONTACTS = ImportJob.CONTACTS
HEADER = "key,day,channel,result\n"
ROWS = HEADER + "a,2016-01-04,telefon,relevant\nb,2016-01-04,telefon,test\n"
WITH_A_NAME = ROWS + "c,2016-01-04,Kalle,relevant\n"
TRAFFIC = Path(__file__).parents[2] / "data" / "pilot-traffic.csv"


@pytest.fixture(autouse=True)
def nothing_known() -> None:
    cache.clear()


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def coordinator(name: str = "coordinator") -> User:
    return User.objects.filter(username=name).first() or User.objects.create_user(name, None, role=policy.COORDINATOR)


def put(text: str = ROWS, *, now: datetime, name: str = "coordinator", kind: str = CONTACTS) -> ImportJob:
    return jobs.put(kind, text.encode(), by=coordinator(name), now=now)


def waiting(text: str = ROWS, *, now: datetime, skips: bool = False, name: str = "coordinator") -> ImportJob:
    job = put(text, now=now, name=name)
    assert jobs.start(job, skips_refused=skips, now=now)
    return job


def state(job: ImportJob) -> str:
    job.refresh_from_db()
    return job.state


# --- what is kept ----------------------------------------------------------------------------------------------------


def test_a_file_is_kept_sealed_and_nothing_of_it_is_stored_before_somebody_says_so(now):
    job = put(WITH_A_NAME, now=now)
    assert "Kalle" not in job.content and "2016" not in job.content
    assert jobs.run_next(now=now) is None
    assert (state(job), Contact.objects.count()) == (ImportJob.READY, 0)


def test_the_clock_of_an_upload_is_kept_to_the_minute(now):
    assert put(now=now).expires_at.second == put(now=now).expires_at.microsecond == 0


def test_the_preview_counts_and_says_what_was_understood_but_repeats_no_refused_cell(now):
    looked = jobs.preview(put(WITH_A_NAME, now=now), now=now)
    assert dict(looked.result.counts) == {"rows": 3, "stored": 2, "already": 0, "refused": 1, "late": 0}
    with translation.override("en"):
        said = [say() for say in looked.result.complaints]
    assert [complaint.place for complaint in said] == ["Line 4, column channel (C)"]
    assert "Kalle" not in str(looked) + str(said)
    assert [row[0] for row in looked.sample.rows] == ["2", "3"]
    assert Contact.objects.count() == ImportedKey.objects.count() == 0


def test_the_preview_of_calls_names_each_count_as_the_published_tables_do(now):
    with translation.override("en"):
        sample = jobs.preview(put(TRAFFIC.read_text(), now=now, kind=ImportJob.TRAFFIC), now=now).sample
    assert sample.columns[-3:] == ("Abandoned within 10 seconds", "Unanswered while open", "While closed")
    assert {len(row) for row in sample.rows} == {len(sample.columns)}


def test_a_second_upload_takes_the_place_of_the_first(now):
    first, second = put(now=now), put(now=now)
    assert (state(first), first.content, state(second)) == (ImportJob.CANCELLED, "", ImportJob.READY)


def test_a_second_upload_waits_for_an_import_on_its_way(now):
    job = waiting(now=now)
    with pytest.raises(Busy) as busy:
        put(now=now)
    assert busy.value.job.pk == job.pk and ImportJob.objects.count() == 1
    put(now=now, name="another")


def test_an_import_is_its_coordinators_alone(now):
    job = put(now=now)
    assert jobs.own(coordinator(), job.pk, now=now) == job
    for by, key in ((coordinator("another"), job.pk), (coordinator(), uuid4())):
        with pytest.raises(NotYours):
            jobs.own(by, key, now=now)


def test_a_cancelled_file_is_gone_and_not_run(now):
    job = waiting(now=now)
    assert jobs.cancel(job) and not jobs.cancel(job)
    assert jobs.run_next(now=now) is None
    assert (state(job), job.content, Contact.objects.count()) == (ImportJob.CANCELLED, "", 0)


def test_after_an_hour_the_file_is_gone_and_cannot_be_begun(now):
    kept = [put(now=now), waiting(now=now, name="another")]
    later = now + KEPT
    assert not jobs.start(kept[0], skips_refused=False, now=later)
    assert jobs.run_next(now=later) is None
    assert jobs.preview(kept[0], now=later) is None
    assert {state(job) for job in kept} == {ImportJob.EXPIRED} and not any(job.content for job in kept)


def test_no_file_is_kept_for_more_than_an_hour_also_when_it_is_begun_with_at_the_last_moment():
    assert KEPT + HELD <= timedelta(hours=1)


def test_the_ring_of_every_few_seconds_throws_away_what_was_kept_too_long_and_nothing_younger(now):
    kept = [put(now=now - KEPT), waiting(now=now - KEPT, name="waits"), waiting(now=now - KEPT, name="lost")]
    ImportJob.objects.filter(pk=kept[2].pk).update(state=ImportJob.RUNNING, held_until=now, attempts=1)
    young = put(now=now, name="another")
    tasks.run_imports()
    assert {state(job) for job in kept} == {ImportJob.EXPIRED} and not any(job.content for job in kept)
    assert state(young) == ImportJob.READY and Contact.objects.count() == 0


def test_what_a_worker_is_storing_is_not_thrown_away(now):
    job = waiting(now=now - KEPT)
    ImportJob.objects.update(state=ImportJob.RUNNING, held_until=now + HELD, attempts=1)
    tasks.run_imports()
    assert state(job) == ImportJob.RUNNING and jobs.own(coordinator(), job.pk, now=now).state == ImportJob.RUNNING


def test_what_was_kept_too_long_is_refused_before_any_ring(now):
    """The worker may stand still: the pages do not wait for it."""
    job = waiting(now=now)
    later = now + KEPT
    assert jobs.open_of(coordinator(), now=now) == job and jobs.open_of(coordinator(), now=later) is None
    assert jobs.own(coordinator(), job.pk, now=later).state == ImportJob.EXPIRED
    assert (state(job), job.content) == (ImportJob.EXPIRED, "")
    first = waiting(now=now)
    assert put(now=later).state == ImportJob.READY and state(first) == ImportJob.EXPIRED


def test_the_hourly_job_forgets_the_counts_of_earlier_days(now):
    for days, name in ((0, "a"), (1, "b"), (2, "c")):
        job = put(now=now, name=name)
        jobs.cancel(job)
        ImportJob.objects.filter(pk=job.pk).update(day=timezone.localdate(now) - timedelta(days=days))
    erase_expired()
    assert sorted(ImportJob.objects.values_list("by__username", flat=True)) == ["a", "b"]


# --- the worker ------------------------------------------------------------------------------------------------------


def test_a_ring_stores_what_waits_and_a_second_ring_nothing(now):
    job = waiting(now=now)
    tasks.run_imports()
    tasks.run_imports()
    assert (state(job), job.content, job.rows, job.stored) == (ImportJob.DONE, "", 2, 2)
    assert Contact.objects.count() == 2
    assert [event.act for event in AuditEvent.objects.all()] == ["import.run"]


def test_a_refused_row_refuses_the_file_unless_it_is_to_be_left_out(now):
    job = waiting(WITH_A_NAME, now=now)
    jobs.run_next(now=now)
    assert (state(job), job.stored, job.refused, Contact.objects.count()) == (ImportJob.REFUSED, 0, 1, 0)
    assert not AuditEvent.objects.exists()
    job = waiting(WITH_A_NAME, now=now, skips=True)
    jobs.run_next(now=now)
    assert (state(job), job.stored, job.refused, Contact.objects.count()) == (ImportJob.DONE, 2, 1, 2)


def test_calls_are_never_loaded_in_part(now):
    job = put(TRAFFIC.read_text(), now=now, kind=ImportJob.TRAFFIC)
    assert jobs.start(job, skips_refused=True, now=now)
    assert not ImportJob.objects.get().skips_refused
    jobs.run_next(now=now)
    assert (state(job), job.stored) == (ImportJob.DONE, 533)
    again = put(TRAFFIC.read_text(), now=now, kind=ImportJob.TRAFFIC)
    assert dict(jobs.preview(again, now=now).result.counts) == {"rows": 533, "stored": 533, "late": 0, "refused": 0}


def test_the_same_file_stores_nothing_twice(now):
    for _ in range(2):
        job = waiting(now=now)
        jobs.run_next(now=now)
    assert (state(job), job.stored, job.already, Contact.objects.count()) == (ImportJob.DONE, 0, 2, 2)


def test_whoever_may_no_longer_import_does_not(now):
    job = waiting(now=now)
    User.objects.update(role=policy.HANDLER)
    assert jobs.run_next(now=now) is None
    assert (state(job), Contact.objects.count()) == (ImportJob.CANCELLED, 0)


class Killed(BaseException):
    """What a worker that is killed leaves behind: nothing after it runs."""


def killed(*args: object, **kwargs: object) -> None:
    raise Killed


def test_a_killed_worker_leaves_nothing_stored_and_a_job_that_the_next_one_finds(now, monkeypatch):
    job = waiting(now=now)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(contacts, "_mark", killed)  # the last statement of storing
        jobs.run_next(now=now)
    assert (state(job), Contact.objects.count(), ImportedKey.objects.count()) == (ImportJob.RUNNING, 0, 0)
    assert jobs.run_next(now=now + HELD - timedelta(seconds=1)) is None, "it may still be at work"
    jobs.run_next(now=now + HELD)
    assert (state(job), job.attempts, job.stored, Contact.objects.count()) == (ImportJob.DONE, 2, 2, 2)


def test_a_worker_that_was_given_up_too_early_stores_nothing(now, monkeypatch):
    job, read = waiting(now=now), jobs.KINDS[CONTACTS].read

    def slowly(*args):
        reading = read(*args)
        if ImportJob.objects.get().attempts == 1:
            jobs.run_next(now=now + HELD)  # another worker takes it over meanwhile
        return reading

    kinds = {
        CONTACTS: jobs.KINDS[CONTACTS].__class__(
            **{
                **{name: getattr(jobs.KINDS[CONTACTS], name) for name in jobs.KINDS[CONTACTS].__slots__},
                "read": slowly,
            }
        )
    }
    monkeypatch.setattr(jobs, "KINDS", kinds)
    jobs.run_next(now=now)
    assert (state(job), job.attempts, job.stored, Contact.objects.count()) == (ImportJob.DONE, 2, 2, 2)
    assert AuditEvent.objects.count() == 1


def test_what_fails_three_times_is_given_up_and_no_log_line_says_what_was_in_it(now, monkeypatch, caplog):
    def fail(*args, **kwargs):
        raise IntegrityError("DETAIL: Failing row contains (Kalle)")

    monkeypatch.setattr(contacts, "_mark", fail)
    job = waiting(now=now)
    with caplog.at_level(logging.DEBUG, logger="helpline"):
        for tried in range(1, ATTEMPTS + 1):
            jobs.run_next(now=now)
            assert (state(job), job.attempts) == (ImportJob.RUNNING, tried)
        assert jobs.run_next(now=now) is None
    assert (state(job), job.content, job.attempts) == (ImportJob.FAILED, "", ATTEMPTS)
    assert Contact.objects.count() == ImportedKey.objects.count() == 0
    assert "IntegrityError" in caplog.text and "Kalle" not in caplog.text


def test_nothing_else_runs_while_an_import_runs(now):
    running, other = waiting(now=now), waiting(now=now, name="another")
    ImportJob.objects.filter(pk=running.pk).update(state=ImportJob.RUNNING, held_until=now + HELD, attempts=1)
    assert jobs.run_next(now=now) is None
    assert state(other) == ImportJob.WAITING


@pytest.mark.django_db(transaction=True)
def test_two_workers_store_a_file_once(now):
    for _ in range(5):
        job = waiting(now=now)
        ends = at_once(*[lambda: jobs.run_next(now=now)] * 2)
        assert not [end for end in ends if isinstance(end, Exception)], ends
        assert sum(end is not None for end in ends) == 1
        assert (state(job), job.attempts, job.stored, Contact.objects.count()) == (ImportJob.DONE, 1, 2, 2)
        Contact.objects.all().delete()
        ImportedKey.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_without_the_number_of_attempts_two_workers_would_both_store(now, monkeypatch):
    """The control: what the second one finds stored already is what the guard keeps from it."""
    job = waiting(now=now)
    jobs.run_next(now=now)
    monkeypatch.setattr(jobs, "_holds", lambda job: ImportJob.objects.filter(pk=job.pk))
    late = ImportJob.objects.get()
    late.content = jobs.sealing.seal(jobs.zlib.compress(ROWS.encode()), purpose=jobs.PURPOSE)
    jobs._run(late, now)
    assert state(job) == ImportJob.DONE and job.already == 2 and AuditEvent.objects.count() == 2


# --- how far ---------------------------------------------------------------------------------------------------------


def test_how_far_it_is_can_be_seen_while_the_transaction_runs(now, monkeypatch):
    job, seen = waiting(now=now), []
    mark = contacts._mark

    def look(days):
        mark(days)
        seen.append(jobs.percent(ImportJob.objects.get()))

    monkeypatch.setattr(contacts, "_mark", look)
    jobs.run_next(now=now)
    assert seen == [jobs.STORED]
    assert state(job) == ImportJob.DONE


def test_a_lost_cache_stops_no_import(now, monkeypatch):
    class Gone:
        def get(self, *args):
            raise ConnectionError

        set = get

    monkeypatch.setattr(jobs, "cache", Gone())
    job = waiting(now=now)
    assert jobs.percent(job) is None
    jobs.run_next(now=now)
    assert state(job) == ImportJob.DONE


def test_a_ring_is_cheap_when_nothing_waits_and_writes_nothing(now, django_assert_num_queries):
    put(now=now)
    with django_assert_num_queries(2) as asked:
        tasks.run_imports()
    assert all(query["sql"].startswith("SELECT") for query in asked)


def test_beat_rings_for_it_every_few_seconds(settings):
    entry = settings.CELERY_BEAT_SCHEDULE["imports"]
    assert entry["task"] == tasks.run_imports.name and entry["schedule"] <= 5
    assert entry["options"]["expires"] == 30  # as far as the clocks of two machines may differ


# --- the database says no --------------------------------------------------------------------------------------------

OPEN = {"kind": CONTACTS, "content": "x", "state": ImportJob.READY}
BROKEN = {
    "import_job_is_of_a_known_kind": {"kind": "people"},
    "import_job_has_a_target_only_of_a_directory": {"target": "linje"},
    "import_job_holds_its_file_while_open": {"content": ""},
    "import_job_is_held_while_running": {"state": ImportJob.RUNNING},
    "import_job_stores_only_when_done": {"stored": 1},
    "import_job_parts_within_what_was_stored": {"state": ImportJob.DONE, "content": "", "expires_at": None, "late": 1},
}


def refusal(now: datetime, **changed: object) -> str:
    said = OPEN | {"day": now.date(), "expires_at": now, "by": coordinator()} | changed
    try:
        with transaction.atomic():
            ImportJob.objects.create(**said)
    except IntegrityError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("constraint", BROKEN)
def test_a_job_that_contradicts_itself_is_refused(now, constraint):
    assert constraint in refusal(now, **BROKEN[constraint])


@pytest.mark.parametrize("closed", ImportJob.CLOSED)
def test_a_job_that_has_ended_holds_no_file_and_no_clock(now, closed):
    name = "import_job_holds_its_file_while_open"
    assert name in refusal(now, state=closed) and name in refusal(now, state=closed, content="")
    assert refusal(now, state=closed, content="", expires_at=None) == ""


def test_one_job_runs_and_each_coordinator_has_one_open(now):
    running = {"state": ImportJob.RUNNING, "held_until": now}
    assert refusal(now, **running) == ""
    column = "state" if connection.vendor == "sqlite" else "import_job_runs_alone"
    assert column in refusal(now, **running, by=coordinator("another"))
    column = "by_id" if connection.vendor == "sqlite" else "import_job_one_open_each"
    assert column in refusal(now)
    assert refusal(now, by=coordinator("another")) == ""
