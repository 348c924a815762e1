"""Owns the demonstration: its row, its accounts, and its made-up contacts, made month by month through the one door.

A database that holds anything real never becomes one.
"""

import secrets
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import cycle, groupby, islice
from pathlib import Path
from random import Random
from time import sleep
from types import MappingProxyType
from typing import TextIO

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from helpline import cases, openings, policy, synthetic, synthetic_calls, traffic
from helpline.directory import files
from helpline.entries import FIRST_DAY, ContactEntry
from helpline.imports import keys
from helpline.models import Case, Contact, Demonstration, ImportedKey, User
from helpline.models.directory import Organisation
from reports import grants, release, retention, row_files, schedule, tokens
from reports.forms import optional_pilot, row_limits, rule
from reports.models import Release
from reports.periods import Period, containing

ACCOUNTS: Mapping[str, str] = MappingProxyType(
    {
        "handler": policy.HANDLER,
        "handler2": policy.HANDLER,
        "coordinator": policy.COORDINATOR,
        "coordinator2": policy.COORDINATOR,
        "evaluator": policy.EVALUATOR,
        "administrator": policy.ADMINISTRATOR,
    }
)
SEED, CONTACTS_A_MONTH = 1, 100
BATCH = 25  # contacts in one transaction
PAUSE = 0.01  # seconds between two: on SQLite a page that is up meanwhile would else wait seconds for its turn to save
TOKEN_DAYS = 365
WITH_NUMBER = {"ja": 0.3, "nej": 0.6}  # share of first and of returning callers who are given or quote a case number
CASE_MEMORY = timedelta(days=60)
NOON = time(12)  # when a made-up coordinator publishes
BAR = 40  # characters
RECEIVERS = Path(files.__file__).parents[1] / "data" / "receivers.json"
ASSURED_BEFORE = (20, None, 75, 240, 130)  # days; made up, so that some entries are due to be looked at again

ALERTED = "Stödlinjen för barn och unga"  # which has a number and hours too, so that its card shows all there is
ALERT = "Demonstration: så här syns det som en inringare måste veta först."  # says nothing of whoever runs it

Report = Callable[[int, int], None]


class DemonstrationRefused(Exception):
    """No demonstration can be made here, or not this one; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts just made, their one password and the evaluator's token, which are stored nowhere in clear."""

    names: tuple[str, ...]
    password: str = field(repr=False)
    token: str = field(repr=False)


@transaction.atomic
def prepare(
    *, today: date, seed: int | None = None, since: date | None = None, contacts_a_month: int | None = None
) -> Accounts | None:
    """Make the demonstration's row and accounts, so that one can log in before the first contact exists.

    None if they were made before. What is not given is 1, 1 January of last year and 100. Raises DemonstrationRefused,
    and changes nothing, in a database with real contacts or accounts and when another demonstration is there already.
    """
    first_day = since or date(today.year - 1, 1, 1)
    if not FIRST_DAY <= first_day <= today:
        span = {"first": FIRST_DAY.isoformat(), "today": today.isoformat()}
        raise DemonstrationRefused(_("The first day must lie between %(first)s and %(today)s.") % span)
    given = {"seed": seed, "since": since, "contacts_a_month": contacts_a_month}
    wanted = {name: value for name, value in given.items() if value is not None}
    plan = {"seed": SEED, "since": first_day, "contacts_a_month": CONTACTS_A_MONTH, "planned": 0} | wanted
    row, is_new = Demonstration.objects.get_or_create(id=1, defaults=plan)
    if is_new:
        _refuse_real_database()
        _fill_directory(today)
        _plan(today)
        return _make_accounts(today)
    if any(getattr(row, name) != value for name, value in wanted.items()):
        raise DemonstrationRefused(_("This database holds a demonstration of another seed, first day or volume."))
    _take_password_of_settings()
    return None


def continue_making(
    *, now: datetime, today: date, report: Report = lambda made, planned: None, stop: Callable[[], bool] = lambda: False
) -> int:
    """Make the contacts that are still missing up to and including `today`, in batches; how many there are then.

    Safe to kill and start again. `report` hears after each batch how many of how many are made; `stop` is asked before
    each. Needs `prepare` before.
    """
    try:
        return _make(now, today, report, stop)
    finally:
        # A thread's connection dies with the thread only when it is closed there.
        if threading.current_thread() is not threading.main_thread():
            connection.close()


def _make(now: datetime, today: date, report: Report, stop: Callable[[], bool]) -> int:
    row = _plan(today)
    made = row.made
    _open_line(row, now)
    for month, of_month in groupby(_missing(row, today), key=lambda keyed: containing("month", keyed[1].day)):
        _count_calls(row, month, today)
        while batch := list(islice(of_month, BATCH)):
            if stop():
                return made
            made += len(batch)
            _log(batch, made, now=now, today=today)
            report(made, row.planned)
            sleep(PAUSE)
        _let_pass(until=min(today, month.end.replace(day=settings.REPORTS_FREEZE_DAY)))
    _let_pass(until=today)
    return made


def _open_line(row: Demonstration, now: datetime) -> None:
    if not openings.opening().sets:
        openings.set_hours(synthetic_calls.opening_hours(row.since), by=None, now=now)


def _count_calls(row: Demonstration, month: Period, today: date) -> None:
    """What the telephony counted up to today in a month that lacks contacts; the same each time it is made."""
    until = min(month.end, today + timedelta(days=1))
    hours = synthetic_calls.hours(
        seed=row.seed, since=row.since, start=month.start, until=until, contacts_a_month=row.contacts_a_month
    )
    with suppress(traffic.Frozen):  # a second maker was quicker
        traffic.record_hours(list(hours))


def _let_pass(*, until: date) -> None:
    """Freeze, publish and erase what fell due up to `until`, as beat and a coordinator would have."""
    schedule.freeze_due(today=until, freeze_day=settings.REPORTS_FREEZE_DAY)
    schedule.prepare_due(today=until, rule=rule(), pilot=optional_pilot())
    # Also what was prepared by a run that was killed before it could publish.
    for prepared in Release.objects.filter(published_on=None, edition=1).order_by("end", "start"):
        with suppress(release.CannotRelease):  # a second maker was quicker
            release.publish(prepared, by=None, now=_noon(prepared.prepared_on))
    row_files.prepare_due(today=until, limits=row_limits(), rule=rule().parameters)
    for file in row_files.waiting():
        with suppress(row_files.CannotPublish):
            row_files.publish(file.year, sha256=file.sha256, by=None, now=_noon(file.prepared_on))
    retention.erase(now=_noon(until))


def _noon(day: date) -> datetime:
    return datetime.combine(day, NOON, timezone.get_current_timezone())


def is_being_made() -> bool:
    """Whether contacts of past months are still to come, so that no month may be frozen yet."""
    row = Demonstration.objects.first()
    return row is not None and row.made < row.planned


def _missing(row: Demonstration, today: date) -> Iterator[tuple[str, ContactEntry]]:
    until = today + timedelta(days=1)
    return synthetic.entries(
        seed=row.seed, since=row.since, until=until, contacts_a_month=row.contacts_a_month, skip=row.made
    )


@transaction.atomic
def _plan(today: date) -> Demonstration:
    row = Demonstration.objects.select_for_update().get()
    until = today + timedelta(days=1)
    planned = synthetic.count(seed=row.seed, since=row.since, until=until, contacts_a_month=row.contacts_a_month)
    row.planned = max(row.made, planned)
    row.save(update_fields=["planned"])
    return row


@transaction.atomic
def _log(batch: Collection[tuple[str, ContactEntry]], made: int, *, now: datetime, today: date) -> None:
    """The contacts and the count of them stand or fall together. A second maker waits for the row, which then says that
    they are made: keys may be erased by then. It opens no case, or a later caller could be given another one than a
    lone maker gives."""
    row = Demonstration.objects.select_for_update().get()
    for key, entry in list(batch)[max(0, len(batch) - (made - row.made)) :]:
        keys.log_imported(key=key, entry=entry, now=now, today=entry.day, case=_case(key, entry))
    row.made = max(row.made, made)
    row.save(update_fields=["made"])


def _case(key: str, entry: ContactEntry) -> Case | None:
    """The case that a made-up caller has: some get a number, and most of those who come back have one that was used
    lately."""
    rng, is_first = Random(key), entry.code("first_contact")  # noqa: S311 (made up)
    if rng.random() > WITH_NUMBER.get(is_first, 0):
        return None
    if is_first == "ja":
        return cases.open_case(today=entry.day, draw=rng.randrange)[0]
    known = list(Case.objects.filter(used_on__range=(entry.day - CASE_MEMORY, entry.day)).order_by("digest"))
    return rng.choice(known) if known else None


def _fill_directory(today: date) -> None:
    """The national receivers and some local ones, which are real; what is made up is when they were last looked at, and
    that one of them has an alert, which says so."""
    reading, days = files.read_directory(RECEIVERS.read_bytes()), cycle(ASSURED_BEFORE)
    organisations = tuple(
        replace(
            organisation,
            services=tuple(
                replace(
                    service,
                    assured_on=None if before is None else today - timedelta(days=before),
                    alert=ALERT if service.name == ALERTED else service.alert,
                )
                for service, before in zip(organisation.services, days, strict=False)
            ),
        )
        for organisation in reading.organisations
    )
    files.import_directory(replace(reading, organisations=organisations))


# --- accounts -----------------------------------------------------------------------------------------------------


def _refuse_real_database() -> None:
    if any(model._default_manager.exists() for model in (Contact, ImportedKey, User, Organisation)):
        raise DemonstrationRefused(
            _("This database holds real contacts or accounts and never becomes a demonstration.")
        )


def _make_accounts(today: date) -> Accounts:
    password = settings.DEMO_PASSWORD or _random_password()
    stored = make_password(password)  # once: the hash is slow on purpose, and all share the password anyway
    User.objects.bulk_create(User(username=name, role=role, password=stored) for name, role in ACCOUNTS.items())
    token = settings.DEMO_TOKEN or secrets.token_urlsafe(32)
    _let_the_evaluator_read(token, today)
    return Accounts(tuple(ACCOUNTS), password, token)


def _let_the_evaluator_read(token: str, today: date) -> None:
    """The token and the grant of two people in which it is good."""
    of = {user.username: user for user in User.objects.filter(username__in=ACCOUNTS)}
    evaluator, until = of["evaluator"], today + timedelta(days=TOKEN_DAYS)
    people = {"requested_by": of["coordinator"], "approved_by": of["coordinator2"]}
    grants.issue(evaluator, until, today=today, **people)
    tokens.accept(token, evaluator, until=until)


def _random_password() -> str:
    """Four times four letters, none of which looks like another: 70 bits."""
    return "-".join("".join(secrets.choice("abcdefghjkmnpqrstuvwxyz") for _ in range(4)) for _ in range(4))


def _take_password_of_settings() -> None:
    """So that whoever lost the random password can set one."""
    accounts = User.objects.filter(username__in=ACCOUNTS)
    first = accounts.first()
    if settings.DEMO_PASSWORD and first is not None and not first.check_password(settings.DEMO_PASSWORD):
        accounts.update(password=make_password(settings.DEMO_PASSWORD))


# --- progress -----------------------------------------------------------------------------------------------------


def progress(stream: TextIO) -> Report:
    """A `report` for people: a bar that grows in its line on a terminal, elsewhere a line for each tenth."""
    tenth = -1

    def report(made: int, planned: int) -> None:
        nonlocal tenth
        share = f"{100 * made // planned:3} %  {made}/{planned}"
        if stream.isatty():
            bar = "#" * (BAR * made // planned)
            stream.write(f"\r[{bar:.<{BAR}}] {share}" + "\n" * (made == planned))
        elif 10 * made // planned > tenth:
            tenth = 10 * made // planned
            stream.write(f"{share}\n")
        stream.flush()

    return report
