"""Owns the import of the telephony's hourly counters: every refusal is named by its place, and one refuses all.

Command and page make the same two calls: `read_traffic` for what the file says, `import_traffic` to store it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext

from helpline import spreadsheet, traffic
from helpline.imports import contacts
from helpline.models import User
from helpline.spreadsheet import Fault, Unreadable
from helpline.traffic_file import COLUMNS, MOST_CALLS, MOST_QUEUES, Reading, TrafficFinding, TrafficReason, read_traffic

SHOWN_PLACES = 6  # of unknown columns; a file of another kind has dozens

__all__ = ["Outcome", "explain_file", "explain_reason", "explain_row", "import_traffic", "read_traffic"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Counts: rows read, hours stored (or to be stored, when nothing was to be changed), of which late, into frozen
    months, which take one file; every refusal, and with one of them nothing is stored."""

    rows: int
    stored: int
    late: int
    findings: tuple[TrafficFinding, ...]

    @property
    def refused(self) -> int:
        return len({finding.line for finding in self.findings})


def import_traffic(
    reading: Reading, *, by: User | None = None, now: datetime | None = None, dry_run: bool = False
) -> Outcome:
    """Store the hours of a file in one transaction, each in place of what was known of it; one refusal refuses all."""
    findings = list(reading.findings)
    hours = [hour for _, hour in reading.hours]
    recorded = traffic.Recorded(0, 0)
    try:
        recorded = traffic.record_hours(hours, by=by, now=now, dry_run=dry_run or bool(findings))
    except traffic.Frozen as frozen:
        findings += _about(reading, "day", frozen.days)
    except traffic.TooManyQueues:
        findings += _about(reading, "queue", {hours[0].day: TrafficReason.TOO_MANY_QUEUES})[:1]
    if findings:
        return Outcome(reading.rows, 0, 0, tuple(sorted(findings, key=lambda f: (f.line, f.position))))
    return Outcome(reading.rows, recorded.stored, recorded.late, ())


def _about(reading: Reading, column: str, days: Mapping[date, TrafficReason]) -> list[TrafficFinding]:
    position = reading.columns[column]
    return [TrafficFinding(line, column, position, days[hour.day]) for line, hour in reading.hours if hour.day in days]


# --- for the reader --------------------------------------------------------------------------------------------------


def explain_row(finding: TrafficFinding) -> str:
    """One sentence, in the reader's language, that says what to do about a row."""
    if finding.reason is TrafficReason.REPEATED:
        return gettext("Line %(line)d has the same day, hour and queue: keep one of the rows.") % {
            "line": finding.earlier_line
        }
    return explain_reason(finding.reason)


def explain_reason(reason: TrafficReason) -> str:
    """One sentence, in the reader's language, that says what to do."""
    wording = {
        TrafficReason.NO_COLUMN: gettext("This cell stands under no column name: empty it."),
        TrafficReason.NOT_A_DAY: gettext("This is no day: write it as year-month-day, as in 2016-06-30."),
        TrafficReason.DAY_AHEAD: gettext("The day lies ahead: choose today or an earlier day."),
        TrafficReason.DAY_TOO_EARLY: gettext("Calls are counted from 2015-01-01: choose that day or a later one."),
        TrafficReason.NOT_AN_HOUR: gettext("This is no hour: write it from 0 to 23, without minutes."),
        TrafficReason.NO_SUCH_HOUR: gettext("The day does not have this hour: the clock was changed over it."),
        TrafficReason.NOT_A_QUEUE: gettext(
            "This is no name of a queue: write a short one of letters, digits and blanks."
        ),
        TrafficReason.QUEUE_MAY_BE_A_NUMBER: gettext(
            "This may be a caller’s number: write the queue’s name, or a number that nobody calls from (020, 077, 116)."
        ),
        TrafficReason.TOO_MANY_QUEUES: gettext(
            "There are more than %(most)d queues in all, so they may be callers: use the names of the line’s queues."
        )
        % {"most": MOST_QUEUES},
        TrafficReason.NOT_A_COUNT: gettext("This is no count: write a whole number from 0 to %(most)d.")
        % {"most": MOST_CALLS},
        TrafficReason.DO_NOT_ADD_UP: gettext(
            "The counts do not add up: offered is answered, abandoned within 10 seconds, abandoned later and closed."
        ),
        TrafficReason.TOO_MUCH_VOICEMAIL: gettext(
            "There is more voicemail than calls that could leave any: those abandoned later and those when closed."
        ),
        TrafficReason.REPEATED: gettext("The same day, hour and queue stands twice: keep one of the rows."),
        TrafficReason.FROZEN: gettext("The month is frozen: its calls are folded and can no longer be changed."),
        TrafficReason.PUBLISHED: gettext(
            "The month is frozen and its figures are published, which never change: its calls can no longer be loaded."
        ),
        TrafficReason.ONLY_A_FILE: gettext(
            "The month is frozen: its calls can only be loaded from one file that holds the whole month."
        ),
    }
    return wording[reason]


def explain_file(error: Unreadable) -> str:
    """One sentence, in the reader's language, that says what to do about a file that cannot be read."""
    if error.fault is Fault.COLUMN_UNKNOWN:
        shown = [f"{position + 1} ({spreadsheet.letters(position)})" for position in error.positions[:SHOWN_PLACES]]
        places = ", ".join(shown + ["…"] * (len(error.positions) > SHOWN_PLACES))
        return gettext(
            "The file was not read, because it may hold numbers of callers: remove every column but %(columns)s."
            " Others stand on line %(line)d in the places %(places)s."
            " If it holds something else than calls, choose that."
        ) % {"columns": ", ".join(COLUMNS), "line": error.line, "places": places}
    if error.fault is Fault.NOT_A_TABLE:
        return gettext(
            "The file is no table of calls: save it as XLSX without a password, or as CSV with comma, semicolon or tab"
            " between the columns and their names on the first line."
        )
    if error.fault is Fault.SEVERAL_SHEETS:
        return gettext("More than one sheet holds text: keep only the one with the calls.")
    return contacts.explain_file(error)
