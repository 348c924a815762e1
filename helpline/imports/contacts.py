"""Owns the import of contacts from a file: rows become entries, every refusal is named by its place, all or nothing.

Command and page make the same two calls: `read_contacts` for what the file says, `import_contacts` to store it.
A refusal never repeats the text of a cell, which may be a name.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum

from django.db import DatabaseError
from django.utils.translation import gettext

from helpline import contacts, entries, spreadsheet, taxonomy
from helpline.entries import ContactEntry, Finding, Reason, ReferralEntry, Refused
from helpline.imports.keys import imported_key, remembered
from helpline.models import DaySeal, ImportedKey
from helpline.spreadsheet import Fault, Row, Table, Unreadable
from helpline.taxonomy import QUESTIONS, REFERRALS
from helpline.wording import explain

COLUMNS = ("key", "day", *QUESTIONS, REFERRALS)
MANDATORY = ("key", "day", *taxonomy.MANDATORY)

ATTEMPTS = 3  # a second import of the same keys at the same moment makes one of the two begin again


class RowReason(Enum):
    """Why a row is refused beyond what its answers say."""

    UNKNOWN_COLUMN = "unknown column"
    NO_COLUMN = "text under no column name"
    KEY_IN_FILE = "key of an earlier row with other content"
    KEY_IMPORTED = "key imported before with other content"


@dataclass(frozen=True, slots=True)
class RowFinding:
    """One refusal: line, column by name ("" where the header gives none that may be repeated) and by position from 0,
    reason, and a code that was perhaps meant or the earlier line that it is about."""

    line: int
    column: str
    position: int
    reason: Reason | RowReason
    hint: str = ""
    earlier_line: int = 0

    @property
    def letters(self) -> str:
        return spreadsheet.letters(self.position)


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row without fault."""

    line: int
    position: int  # of its key
    key: str = field(repr=False)
    entry: ContactEntry = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says, before the database is asked: how many rows, those without fault, each once, how many say the
    same as an earlier row, and every refusal."""

    rows: int
    good: tuple[ReadRow, ...]
    repeated: int
    findings: tuple[RowFinding, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Counts of rows: read, stored (or to be stored, when nothing was to be changed), there already; every refusal.

    `whole` says that the file was refused as a whole, so that nothing of it was stored. `late` of the stored rows lie
    in months that are frozen, whose statistics never move again: they count in the open month for good.
    """

    rows: int
    stored: int
    already: int
    findings: tuple[RowFinding, ...]
    whole: bool
    late: int = 0

    @property
    def refused(self) -> int:
        return len({finding.line for finding in self.findings if finding.reason is not RowReason.UNKNOWN_COLUMN})


# --- from the file ---------------------------------------------------------------------------------------------------


def read_contacts(content: bytes, *, today: date) -> Reading:
    """The contacts of a CSV or XLSX file, checked by the rules of the form. Raises spreadsheet.Unreadable."""
    table = spreadsheet.read(content, accepted=COLUMNS, mandatory=MANDATORY)
    findings = [RowFinding(table.line, "", position, RowReason.UNKNOWN_COLUMN) for position in table.unknown]
    good: list[ReadRow] = []
    repeated = 0
    seen: dict[str, tuple[int, str]] = {}  # line and digest of the first row with a key; no digest for a refused one
    at = table.columns["key"]
    for row in table.rows:
        key = row.text(at).strip().casefold()
        entry, found = _read_row(table, row, today)
        findings += found
        line, digest = seen.setdefault(key, (row.line, entry.digest() if entry else ""))
        if entry is None:
            continue
        if line == row.line:
            good.append(ReadRow(line, at, key, entry))
        elif digest == entry.digest():
            repeated += 1
        else:
            findings.append(RowFinding(row.line, "key", at, RowReason.KEY_IN_FILE, earlier_line=line))
    return Reading(len(table.rows), tuple(good), repeated, tuple(findings))


def _read_row(table: Table, row: Row, today: date) -> tuple[ContactEntry | None, list[RowFinding]]:
    texts = {name: row.text(position) for name, position in table.columns.items()}
    entry, findings = _read_entry(texts, today)
    if not texts["key"].strip():
        findings.append(Finding("key", Reason.MISSING))
    places = [(table.columns[finding.question], finding) for finding in dict.fromkeys(findings)]
    found = [RowFinding(row.line, f.question, position, f.reason, f.hint) for position, f in places]
    if (stray := table.stray(row)) is not None:
        found.append(RowFinding(row.line, "", stray, RowReason.NO_COLUMN))
    return (None if found else entry), sorted(found, key=lambda finding: finding.position)


def _read_entry(texts: dict[str, str], today: date) -> tuple[ContactEntry | None, list[Finding]]:
    """The entry, or every finding: also those of a row whose day cannot be read, as far as they need no day."""
    day, entry = None, None
    referrals, findings = _read_referrals(texts.get(REFERRALS, ""))
    try:
        day = entries.read_day(texts["day"], today=today)
    except Refused as refused:
        findings += refused.findings
    answers = {question: texts[question].split("|") for question in QUESTIONS if question in texts}
    try:
        entry = entries.read_entry(day or today, answers, referrals)
    except Refused as refused:
        findings += [f for f in refused.findings if day or f.reason is not Reason.NOT_VALID_ON_DAY]
    return entry, findings


def _read_referrals(text: str) -> tuple[list[ReferralEntry], list[Finding]]:
    """Referrals written target:type:outcome or target:type; one arranged by the line stands for the caller's consent,
    without which it would not be in the file."""
    referrals, findings = [], []
    for written in filter(str.strip, text.split("|")):
        parts = [part.strip() for part in written.split(":")]
        if len(parts) not in (2, 3) or not all(parts[:2]):
            findings.append(Finding(REFERRALS, Reason.REFERRAL_SHAPE))
            continue
        target, kind, outcome = [*parts, ""][:3]
        kind = entries.read_code("referral_type", kind)
        referrals.append(
            ReferralEntry(
                target=entries.read_code("referral_target", target),
                type=kind,
                outcome=entries.read_code("referral_outcome", outcome or "ej_uppf"),
                consent=kind == "formedling",
            )
        )
    return referrals, findings


# --- to the database -------------------------------------------------------------------------------------------------


def import_contacts(
    reading: Reading,
    *,
    now: datetime,
    today: date,
    skip_refused: bool = False,
    dry_run: bool = False,
    progress: Callable[[int, int], None] = lambda done, of: None,
    beside: Callable[[Outcome], None] = lambda outcome: None,
) -> Outcome:
    """Store the rows that are not there yet, all in one transaction; one refusal refuses all, unless `skip_refused`,
    and an unknown column always does. `progress` hears how many of how many are stored, `beside` writes what belongs
    to it in the same transaction.

    Raises DatabaseError when another import of the same keys does not end; nothing is stored then.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return _import_once(reading, now, today, skip_refused, dry_run, progress, beside)
        except DatabaseError:
            continue  # another import has just stored one of the keys; the next comparison sees it
    return _import_once(reading, now, today, skip_refused, dry_run, progress, beside)


def _import_once(
    reading: Reading,
    now: datetime,
    today: date,
    skip_refused: bool,
    dry_run: bool,
    progress: Callable[[int, int], None],
    beside: Callable[[Outcome], None],
) -> Outcome:
    new, changed = _compare(reading.good)
    there_or_new = reading.repeated + len(reading.good) - len(changed)
    findings = tuple(sorted((*reading.findings, *changed), key=lambda finding: (finding.line, finding.position)))
    unknown_column = any(finding.reason is RowReason.UNKNOWN_COLUMN for finding in findings)
    if unknown_column or (findings and not skip_refused):
        return Outcome(reading.rows, 0, there_or_new - len(new), findings, whole=True)
    late = _in_frozen_months(row for _, row in new)
    outcome = Outcome(reading.rows, len(new), there_or_new - len(new), findings, whole=False, late=late)
    if not dry_run:
        progress(0, len(new))
        rows = [(key, row.entry) for key, row in new]
        contacts.log_all_imported(rows, now=now, today=today, progress=progress, beside=lambda: beside(outcome))
    return outcome


def _in_frozen_months(rows: Iterable[ReadRow]) -> int:
    frozen = frozenset(DaySeal.objects.values_list("day", flat=True))
    return sum(row.entry.day in frozen for row in rows)


def _compare(rows: Collection[ReadRow]) -> tuple[list[tuple[ImportedKey, ReadRow]], list[RowFinding]]:
    """The rows that were never imported, each with what is to be remembered of it, and refusals of those imported with
    other content."""
    keys = [imported_key(row.key, row.entry) for row in rows]
    known = dict(remembered([key.digest for key in keys]))
    new, changed = [], []
    for row, key in zip(rows, keys, strict=True):
        content = known.get(key.digest)
        if content is None:
            new.append((key, row))
        elif content != key.content:
            changed.append(RowFinding(row.line, "key", row.position, RowReason.KEY_IMPORTED))
    return new, changed


# --- for the reader --------------------------------------------------------------------------------------------------


def explain_row(finding: RowFinding) -> str:
    """One sentence, in the reader's language, that says what to do about a row."""
    if isinstance(finding.reason, Reason):
        if finding.column == "key":
            return gettext("A key is needed here: give each contact one of its own.")
        return explain(Finding(finding.column, finding.reason, finding.hint))
    wording = {
        RowReason.UNKNOWN_COLUMN: gettext("This column is unknown: remove or rename it, it refuses the whole file."),
        RowReason.NO_COLUMN: gettext("This cell stands under no column name: move or empty it."),
        RowReason.KEY_IN_FILE: gettext("Line %(line)d has the same key with other content: keep one of the two rows."),
        RowReason.KEY_IMPORTED: gettext("This key was imported before with other content: remove the row."),
    }
    return wording[finding.reason] % {"line": finding.earlier_line}


def explain_file(error: Unreadable) -> str:
    """One sentence, in the reader's language, that says what to do about a file that cannot be read."""
    wording = {
        Fault.EMPTY: gettext("The file is empty."),
        Fault.NOT_A_TABLE: gettext(
            "The file is no table of contacts: save it as XLSX without a password, or as CSV with comma, semicolon"
            " or tab between the columns and their names on the first line."
        ),
        Fault.BROKEN_QUOTE: gettext("A quotation mark on line %(line)d does not end: correct it or remove it."),
        Fault.TOO_LARGE: gettext("The file is too large: divide it, or save only the rows in a new file."),
        Fault.TOO_MANY_ROWS: gettext("The file has more than 20,000 rows: divide it."),
        Fault.SEVERAL_SHEETS: gettext("More than one sheet holds text: keep only the one with the contacts."),
        Fault.COLUMN_TWICE: gettext("Two columns are called %(columns)s: keep one of them."),
        Fault.COLUMN_UNKNOWN: gettext("Columns that are not read stand on line %(line)d: remove them."),
        Fault.COLUMN_MISSING: gettext("These columns are missing on line %(line)d: %(columns)s."),
    }
    return wording[error.fault] % {"line": error.line, "columns": ", ".join(error.columns)}
