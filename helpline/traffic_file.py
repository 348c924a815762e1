"""Owns what the telephony says of one clock hour, and reading it from a file that takes counts only. Pure.

A telephony export may hold the numbers of callers. So a file with any other column is refused before its rows are
looked at, a queue that could be somebody's number is refused, and no refusal repeats the text of a cell.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from helpline import entries, opening, spreadsheet
from helpline.entries import FIRST_DAY, Reason, Refused
from helpline.spreadsheet import Fault, Row, Table, Unreadable

COUNTS = ("offered", "answered", "abandoned_short", "abandoned", "closed", "voicemail")
COLUMNS = ("day", "hour", "queue", *COUNTS)
SECOND_HOUR = 2  # the one that the last Sunday of October has twice
MOST_CALLS = 9_999  # in an hour: whatever is longer is no count, and may be a number to call
LONGEST_QUEUE = 32
MOST_QUEUES = 20  # ever: more of them are people
MOST_DIGITS = 4

_QUEUE = re.compile(r"[\w /.-]+")
# What nobody calls from: freephone, shared-cost and harmonised numbers, and so only ever the line's own.
_OWN_NUMBER = re.compile(r"(?:020|077|116)\d{3,8}")


class TrafficReason(Enum):
    """Why a row is refused. The wording, in the reader's language, belongs to the edge."""

    NO_COLUMN = "text under no column name"
    NOT_A_DAY = "not an ISO day"
    DAY_AHEAD = "day lies ahead"
    DAY_TOO_EARLY = "day before the code lists"
    NOT_AN_HOUR = "not an hour from 0 to 23"
    NO_SUCH_HOUR = "hour that the day does not have"
    NOT_A_QUEUE = "no name of a queue"
    QUEUE_MAY_BE_A_NUMBER = "queue that may be a caller's number"
    TOO_MANY_QUEUES = "more queues than a line has"
    NOT_A_COUNT = "not a count"
    DO_NOT_ADD_UP = "counts that do not add up"
    TOO_MUCH_VOICEMAIL = "more voicemail than calls that could leave any"
    REPEATED = "hour of an earlier row"
    FROZEN = "month is frozen, its calls are folded"
    PUBLISHED = "month is frozen, and a published period covers it"
    ONLY_A_FILE = "month is frozen without calls, so that it takes one file"


@dataclass(frozen=True, slots=True)
class TrafficFinding:
    """One refusal: line (0 when typed in), column by name, position from 0, reason, the earlier line it is about."""

    line: int
    column: str
    position: int
    reason: TrafficReason
    earlier_line: int = 0

    @property
    def letters(self) -> str:
        return spreadsheet.letters(self.position)


@dataclass(frozen=True, slots=True)
class Calls:
    """Six counts of calls (U1, anrop), zero or more. ValueError with a TrafficReason unless they add up: each call
    offered was answered, abandoned within 10 seconds or later, or met a closed line; voicemail is left by some of those
    who were not answered."""

    offered: int
    answered: int
    abandoned_short: int
    abandoned: int
    closed: int
    voicemail: int

    def __post_init__(self) -> None:
        if self.offered != self.answered + self.abandoned_short + self.abandoned + self.closed:
            raise ValueError(TrafficReason.DO_NOT_ADD_UP)
        if self.voicemail > self.abandoned + self.closed:
            raise ValueError(TrafficReason.TOO_MUCH_VOICEMAIL)

    def __add__(self, other: "Calls") -> "Calls":
        return Calls(*(getattr(self, name) + getattr(other, name) for name in COUNTS))


NO_CALLS = Calls(0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class ClockHour:
    """The calls of one hour by Stockholm's clock to one queue. ValueError for an hour that the day does not have."""

    day: date
    hour: int
    queue: str
    calls: Calls
    is_second: bool = False

    def __post_init__(self) -> None:
        if (self.hour, self.is_second) not in opening.clock_hours(self.day):
            raise ValueError(TrafficReason.NO_SUCH_HOUR)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says, before the database is asked: how many rows, the places of its columns, the hours with their
    lines, and every refusal."""

    rows: int
    columns: Mapping[str, int]
    hours: tuple[tuple[int, ClockHour], ...] = field(repr=False)
    findings: tuple[TrafficFinding, ...]


def read_traffic(content: bytes, *, today: date) -> Reading:
    """The hours of a CSV or XLSX file. Raises Unreadable, also for a column that is not taken."""
    table = spreadsheet.read(content, accepted=COLUMNS, mandatory=COLUMNS, closed=True)
    if not table.rows:
        raise Unreadable(Fault.EMPTY)
    hours: list[tuple[int, ClockHour]] = []
    findings: list[TrafficFinding] = []
    lines: dict[tuple[date, int, str], list[int]] = {}
    names: dict[str, str] = {}
    for row in table.rows:
        texts = {name: row.text(position) for name, position in table.columns.items()}
        hour, reasons = read_hour(texts, today=today)
        found = [TrafficFinding(row.line, column, table.columns[column], reason) for column, reason in reasons]
        if (stray := table.stray(row)) is not None:
            found.append(TrafficFinding(row.line, "", stray, TrafficReason.NO_COLUMN))
        if hour is not None and not found:
            hour, found = _placed(hour, row, table, lines, names)
        if hour is not None and not found:
            hours.append((row.line, hour))
        findings += sorted(found, key=lambda finding: finding.position)
    return Reading(len(table.rows), table.columns, tuple(hours), tuple(findings))


def _placed(
    hour: ClockHour, row: Row, table: Table, lines: dict[tuple[date, int, str], list[int]], names: dict[str, str]
) -> tuple[ClockHour, list[TrafficFinding]]:
    """The hour under the first spelling of its queue, the second of the long day's two where one came before."""
    queue = names.setdefault(queue_key(hour.queue), hour.queue)
    if len(names) > MOST_QUEUES:
        reason = TrafficReason.TOO_MANY_QUEUES
        return hour, [TrafficFinding(row.line, "queue", table.columns["queue"], reason)]
    before = lines.setdefault((hour.day, hour.hour, queue), [])
    is_second = bool(before)
    before.append(row.line)
    if is_second and (len(before) > 2 or (hour.hour, True) not in opening.clock_hours(hour.day)):
        reason = TrafficReason.REPEATED
        return hour, [TrafficFinding(row.line, "hour", table.columns["hour"], reason, earlier_line=before[0])]
    return ClockHour(hour.day, hour.hour, queue, hour.calls, is_second), []


def read_hour(
    texts: Mapping[str, str], *, today: date, is_second: bool = False
) -> tuple[ClockHour | None, Sequence[tuple[str, TrafficReason]]]:
    """The hour that texts by column say, or why not: pairs of column and reason."""
    findings: list[tuple[str, TrafficReason]] = []
    day = _read_day(texts["day"], today, findings)
    hour = read_count(texts["hour"], most=23)
    if hour is None:
        findings.append(("hour", TrafficReason.NOT_AN_HOUR))
    queue = " ".join(texts["queue"].split())
    if (reason := refused_queue(queue)) is not None:
        findings.append(("queue", reason))
    counts = {name: read_count(texts[name]) for name in COUNTS}
    findings += [(name, TrafficReason.NOT_A_COUNT) for name, count in counts.items() if count is None]
    calls = _read_calls(counts, findings)
    if day is not None and hour is not None and (hour, is_second) not in opening.clock_hours(day):
        findings.append(("hour", TrafficReason.NO_SUCH_HOUR))
    if findings or day is None or hour is None or calls is None:
        return None, findings
    return ClockHour(day, hour, queue, calls, is_second), ()


def _read_day(text: str, today: date, findings: list[tuple[str, TrafficReason]]) -> date | None:
    reason = TrafficReason.DAY_TOO_EARLY
    try:
        day = entries.read_day(text, today=today)
    except Refused as refused:
        is_ahead = refused.findings[0].reason is Reason.DAY_AHEAD
        reason, day = TrafficReason.DAY_AHEAD if is_ahead else TrafficReason.NOT_A_DAY, date.min
    if day >= FIRST_DAY:
        return day
    findings.append(("day", reason))
    return None


def _read_calls(counts: Mapping[str, int | None], findings: list[tuple[str, TrafficReason]]) -> Calls | None:
    whole = [count for count in counts.values() if count is not None]
    if len(whole) < len(COUNTS):
        return None
    try:
        return Calls(*whole)
    except ValueError as error:
        reason: TrafficReason = error.args[0]
        findings.append(("voicemail" if reason is TrafficReason.TOO_MUCH_VOICEMAIL else "offered", reason))
        return None


def read_count(text: str, most: int = MOST_CALLS) -> int | None:
    """A whole number from 0 to `most` in plain digits; None for any other text."""
    text = text.strip()
    short = text.isascii() and text.isdecimal() and len(text) <= len(str(most))
    return int(text) if short and int(text) <= most else None


def queue_key(queue: str) -> str:
    """What two spellings of one queue share: letters and digits, in one case."""
    return "".join(filter(str.isalnum, queue)).casefold()


def refused_queue(queue: str) -> TrafficReason | None:
    """Why a text is no name of a queue: too long, other characters, or more digits than a name has, which may be the
    number of a caller. The line's own number is let in where nobody can call from it: 020, 077, 116."""
    if not queue_key(queue) or len(queue) > LONGEST_QUEUE or not _QUEUE.fullmatch(queue):
        return TrafficReason.NOT_A_QUEUE
    digits = "".join(filter(str.isdigit, queue))
    if len(digits) > MOST_DIGITS and not (_OWN_NUMBER.fullmatch(digits) and digits == queue_key(queue)):
        return TrafficReason.QUEUE_MAY_BE_A_NUMBER
    return None
