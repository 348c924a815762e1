"""Owns which kinds of files the page of imports takes: how each is read, tried, stored and put into words.

A new kind is one entry. Nothing here repeats the text of a cell that was refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.utils.translation import get_language, gettext, gettext_noop

from helpline import taxonomy
from helpline.directory import files, wording
from helpline.imports import columns, contacts, traffic
from helpline.imports.columns import Column
from helpline.imports.contacts import RowFinding, RowReason
from helpline.listings import Fault
from helpline.listings import Finding as Listed
from helpline.listings import Reading as DirectoryReading
from helpline.models import ImportJob
from helpline.spreadsheet import Unreadable
from helpline.taxonomy import CODE_LISTS
from helpline.traffic_file import Reading as TrafficReading
from helpline.traffic_file import TrafficFinding

SHOWN_ROWS = 10
SHOWN_QUESTIONS = ("channel", "result", "length", "caller_role", "concerns", "county")


class Unusable(ValueError):
    """A file that cannot be read; the message is one sentence, in the reader's language, that says what to do."""


@dataclass(frozen=True, slots=True)
class Run:
    """When and how a file is stored, or tried. `progress` hears how many of how many rows are stored; `beside` writes
    in the transaction that stores them, and may end it by an exception."""

    now: datetime
    today: date
    skips_refused: bool = False
    is_trial: bool = False
    progress: Callable[[int, int], None] = lambda done, of: None
    beside: Callable[["Result"], None] = lambda result: None


@dataclass(frozen=True, slots=True)
class Complaint:
    """One refusal: where it is, empty for the file itself, and what to do."""

    place: str
    why: str


@dataclass(frozen=True, slots=True)
class Result:
    """What was stored, or would be: numbers by the names of ImportJob.COUNTS, and every refusal, each put into words
    when it is asked for. `is_whole`: the file is refused, and nothing is stored."""

    counts: Mapping[str, int]
    is_whole: bool
    complaints: tuple[Callable[[], Complaint], ...] = field(default=(), repr=False)
    left_out: tuple[str, ...] = ()  # names of fields that are not read
    lacks_targets: bool = False  # a service names no kind of receiver, and none was chosen for such ones


@dataclass(frozen=True, slots=True)
class Sample:
    """The first rows as they were understood, in the reader's language."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file. `read` takes the referral target of services that name none, and raises Unusable; `store` is
    one transaction, with `beside` in it. `columns`: those that are read, and `about`: what else is to be known before a
    file is made. `note`: what is said beside the counts of each file that can be stored."""

    name: str
    hint: str
    read: Callable[[bytes, date, str], Any]
    store: Callable[[Any, Run], Result]
    sample: Callable[[Any], Sample]
    columns: Callable[[], tuple[Column, ...]]
    about: str
    can_skip: bool = False
    note: str = ""


def _or_unusable(read: Callable[..., Any], explain: Callable[[Unreadable], str], content: bytes, today: date) -> Any:
    why = ""
    try:
        return read(content, today=today)
    except Unreadable as error:
        why = explain(error)
    raise Unusable(why)  # out here, so that no chained exception comes along


def _place(finding: RowFinding | TrafficFinding) -> str:
    column = finding.column or finding.position + 1
    place = {"line": finding.line, "column": column, "letters": finding.letters}
    return gettext("Line %(line)d, column %(column)s (%(letters)s)") % place


# --- contacts --------------------------------------------------------------------------------------------------------


def _read_contacts(content: bytes, today: date, target: str) -> contacts.Reading:
    return _or_unusable(contacts.read_contacts, contacts.explain_file, content, today)


def _store_contacts(reading: contacts.Reading, run: Run) -> Result:
    outcome = contacts.import_contacts(
        reading,
        now=run.now,
        today=run.today,
        skip_refused=run.skips_refused,
        dry_run=run.is_trial,
        progress=run.progress,
        beside=lambda outcome: run.beside(_result_of_contacts(outcome)),
    )
    return _result_of_contacts(outcome)


def _result_of_contacts(outcome: contacts.Outcome) -> Result:
    counts = {name: getattr(outcome, name) for name in ("rows", "stored", "already", "refused", "late")}
    # Of a file that is refused as a whole each cause is shown, of the column too that no row is to blame for.
    findings = sorted(outcome.findings, key=lambda f: f.reason is not RowReason.UNKNOWN_COLUMN)
    return Result(counts, outcome.whole, tuple(_said(finding) for finding in findings))


def _said(finding: RowFinding) -> Callable[[], Complaint]:
    return lambda: Complaint(_place(finding), contacts.explain_row(finding))


def _sample_contacts(reading: contacts.Reading) -> Sample:
    language = get_language() or ""
    heads = [CODE_LISTS[question].label(language) for question in SHOWN_QUESTIONS]
    columns = (gettext("Line"), gettext("Day"), *heads, gettext("Referrals"))
    return Sample(
        columns,
        tuple(
            (
                str(row.line),
                row.entry.day.isoformat(),
                *(_labels(question, row.entry.answers[question], language) for question in SHOWN_QUESTIONS),
                str(len(row.entry.referrals) or ""),
            )
            for row in islice(reading.good, SHOWN_ROWS)
        ),
    )


def _labels(question: str, codes: frozenset[str], language: str) -> str:
    """The labels of an answer in the order of their list, or nothing if it says nothing."""
    if not taxonomy.is_answer(codes):
        return ""
    return ", ".join(code.label(language) for name, code in CODE_LISTS[question].codes.items() if name in codes)


# --- traffic ---------------------------------------------------------------------------------------------------------


def _read_traffic(content: bytes, today: date, target: str) -> TrafficReading:
    return _or_unusable(traffic.read_traffic, traffic.explain_file, content, today)


@transaction.atomic
def _store_traffic(reading: TrafficReading, run: Run) -> Result:
    outcome = traffic.import_traffic(reading, now=run.now, dry_run=run.is_trial)
    counts = {name: getattr(outcome, name) for name in ("rows", "stored", "late", "refused")}
    complaints = tuple(_said_of_traffic(finding) for finding in outcome.findings)
    result = Result(counts, bool(complaints), complaints)
    if not result.is_whole and not run.is_trial:
        run.beside(result)
    return result


def _said_of_traffic(finding: TrafficFinding) -> Callable[[], Complaint]:
    return lambda: Complaint(_place(finding), traffic.explain_row(finding))


def _sample_traffic(reading: TrafficReading) -> Sample:
    heads = (gettext("Line"), gettext("Day"), gettext("Hour"), gettext("Queue"))
    unanswered = (gettext("Abandoned within 10 seconds"), gettext("Unanswered while open"), gettext("While closed"))
    counts = (gettext("Offered"), gettext("Answered calls"), *unanswered)
    return Sample(
        (*heads, *counts),
        tuple(
            (
                str(line),
                hour.day.isoformat(),
                f"{hour.hour:02}",
                hour.queue,
                *(str(n) for n in (hour.calls.offered, hour.calls.answered)),
                *(str(n) for n in (hour.calls.abandoned_short, hour.calls.abandoned, hour.calls.closed)),
            )
            for line, hour in islice(reading.hours, SHOWN_ROWS)
        ),
    )


# --- the directory ---------------------------------------------------------------------------------------------------


def _read_directory(content: bytes, today: date, target: str) -> DirectoryReading:
    reading = files.read_directory(content, target=target)
    if not reading.organisations and len(reading.findings) == 1 and not _place_in_directory(reading.findings[0]):
        raise Unusable(wording.explain(reading.findings[0]))
    return reading


def _place_in_directory(finding: Listed) -> str:
    place = wording.explain_place(finding)
    return place[:1].upper() + place[1:]


@transaction.atomic
def _store_directory(reading: DirectoryReading, run: Run) -> Result:
    outcome = files.import_directory(reading, dry_run=run.is_trial)
    counts = {"rows": outcome.services, "stored": outcome.new + outcome.changed, "replaced": outcome.changed}
    complaints = tuple(_said_of_directory(finding) for finding in outcome.findings)
    left_out = tuple(f"{path} × {times}" for path, times in outcome.left_out)
    lacks = any(finding.fault is Fault.NEEDS_TARGET for finding in outcome.findings)
    result = Result(counts | {"already": outcome.already}, outcome.whole, complaints, left_out, lacks)
    if not result.is_whole and not run.is_trial:
        run.beside(result)
    return result


def _said_of_directory(finding: Listed) -> Callable[[], Complaint]:
    return lambda: Complaint(_place_in_directory(finding), wording.explain(finding))


def _sample_directory(reading: DirectoryReading) -> Sample:
    pairs = ((organisation, service) for organisation in reading.organisations for service in organisation.services)
    targets, language = CODE_LISTS["referral_target"].codes, get_language() or ""
    return Sample(
        (gettext("Service"), gettext("Organisation"), gettext("Receiver")),
        tuple(
            (service.name, organisation.name, targets[service.target].label(language) if service.target else "")
            for organisation, service in islice(pairs, SHOWN_ROWS)
        ),
    )


# --- the table -------------------------------------------------------------------------------------------------------

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        ImportJob.CONTACTS: Kind(
            name=gettext_noop("Contacts"),
            hint=gettext_noop("One row for each contact, codes as in the code lists. CSV or XLSX."),
            read=_read_contacts,
            store=_store_contacts,
            sample=_sample_contacts,
            columns=columns.of_contacts,
            about=gettext_noop("An empty cell says that nobody asked. Any other column refuses the file."),
            can_skip=True,
        ),
        ImportJob.TRAFFIC: Kind(
            name=gettext_noop("Calls"),
            hint=gettext_noop("One row for each day, hour and queue, counts only, no numbers. CSV or XLSX."),
            read=_read_traffic,
            store=_store_traffic,
            sample=_sample_traffic,
            columns=columns.of_traffic,
            about=gettext_noop("Any other column refuses the file before it is read: it may hold numbers of callers."),
            note=gettext_noop("Hours that were loaded before are replaced."),
        ),
        ImportJob.DIRECTORY: Kind(
            name=gettext_noop("Directory"),
            hint=gettext_noop("Receivers and knowledge resources. JSON of HSDS 3.0, CSV or XLSX."),
            read=_read_directory,
            store=_store_directory,
            sample=_sample_directory,
            columns=columns.of_directory,
            about=gettext_noop(
                "JSON of HSDS 3.0 needs an id (a UUID) and a name of each organization and service, a status of each"
                " service, and a number of each phone. In a table any other column refuses the file."
            ),
        ),
    }
)
