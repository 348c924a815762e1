"""What holds after every fault, looked at with plain SQL that shares no statement with the product."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from helpline.code_files import FIRST_BIT
from helpline.taxonomy import CODE_LISTS, QUESTIONS

OF_ALL_CONTACTS = ("channel", "result", "length")  # the rest is counted of relevant contacts only

Cells = Counter[tuple[str, str]]
By = dict[str, Cells]  # by day (or month) as ISO text


@dataclass(frozen=True)
class Sent:
    """What a client sent under one key."""

    day: str
    result: str
    concerns: frozenset[str] = frozenset()  # without those that are no answer
    referrals: int = 0


@dataclass
class Found:
    """Every list is empty when all is well."""

    lost: list[str] = field(default_factory=list)  # acknowledged keys that are not stored as they were sent
    duplicates: list[str] = field(default_factory=list)  # contacts that nobody sent, or sent once and stored again
    wrong_days: list[str] = field(default_factory=list)
    wrong_months: list[str] = field(default_factory=list)
    broken_seals: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)  # marks that are left, saves that were refused
    integrity: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(vars(self).values())


def look(cursor: Any, *, seals: Iterable[str] = ()) -> Found:
    """Compare counts, months and seals with what lies in the tables, in the transaction of `cursor`."""
    found = Found()
    marked = {str(day) for (day,) in _rows(cursor, "SELECT DISTINCT day FROM helpline_daymark")}
    live, frozen = recount(cursor)
    stored = _stored(cursor, "SELECT day, variable, code, n FROM reports_daycount WHERE NOT is_sealed")
    found.wrong_days = sorted(day for day in {*live, *stored} - marked if live.get(day) != stored.get(day))
    sealed = _stored(cursor, "SELECT day, variable, code, n FROM reports_daycount WHERE is_sealed")
    found.broken_seals = sorted(day for day in {*frozen, *sealed} if frozen.get(day) != sealed.get(day))
    found.broken_seals += _broken_months_of_seals(cursor, before=seals)
    found.wrong_months = _wrong_months(cursor, marked)
    return found


def contacts(
    cursor: Any, sent: Mapping[UUID, Sent], acknowledged: Iterable[UUID], found: Found, *, erased: int = 0
) -> Found:
    """Compare the contacts with what clients sent, into `found`; the keys of `erased` ones are no longer known."""
    stored: dict[UUID, list[Sent]] = {}
    strangers = 0
    of_each = """SELECT submission_key, day, result, concerns,
                        (SELECT count(*) FROM helpline_referral r WHERE r.contact_id = c.id) FROM helpline_contact c"""
    for key, day, result, concerns, referrals in _rows(cursor, of_each):
        if key is None:
            strangers += 1
        else:
            said = answered(_codes("concerns", concerns))
            stored.setdefault(UUID(str(key)), []).append(Sent(str(day), result, said, referrals))
    found.lost = [str(key) for key in acknowledged if sent[key] not in stored.get(key, [])]
    found.duplicates = [str(key) for key, rows in stored.items() if len(rows) > 1 or key not in sent]
    found.duplicates += ["without key"] * (strangers - erased)
    found.lost += ["without key"] * (erased - strangers)
    return found


def answered(concerns: Iterable[str]) -> frozenset[str]:
    """Without the codes that are no answer."""
    return frozenset(code for code in concerns if CODE_LISTS["concerns"].codes[code].bit >= FIRST_BIT)


def marks(cursor: Any) -> int:
    return int(_rows(cursor, "SELECT count(*) FROM helpline_daymark")[0][0])


def sealed_days(cursor: Any) -> list[str]:
    return sorted(str(day) for (day,) in _rows(cursor, "SELECT day FROM helpline_dayseal"))


def integrity(cursor: Any) -> list[str]:
    """What SQLite says of its file."""
    return [said for (said,) in _rows(cursor, "PRAGMA integrity_check") if said != "ok"]


def leaks(logs: Iterable[Path], canaries: Iterable[str]) -> list[str]:
    """The logs in which one of `canaries` stands."""
    wanted = [canary.encode() for canary in canaries]
    return [log.name for log in logs if any(canary in log.read_bytes() for canary in wanted)]


# --- the recount ------------------------------------------------------------------------------------------------------


def recount(cursor: Any) -> tuple[By, By]:
    """The one-way counts of contacts that are not frozen, and of frozen ones, by day."""
    both: dict[bool, By] = {False: {}, True: {}}
    for question in QUESTIONS:
        relevant = "" if question in OF_ALL_CONTACTS else "AND result = 'relevant'"
        of_question = f"""SELECT day, is_frozen, "{question}", count(*) FROM helpline_contact
                          WHERE NOT is_withdrawn {relevant} GROUP BY day, is_frozen, "{question}" """  # noqa: S608
        for day, is_frozen, value, n in _rows(cursor, of_question):
            for code in _codes(question, value):
                both[bool(is_frozen)].setdefault(str(day), Counter())[question, code] += n
    of_referrals = """SELECT c.day, c.is_frozen, r.target, r.type, r.outcome, count(*)
                      FROM helpline_referral r JOIN helpline_contact c ON c.id = r.contact_id
                      WHERE NOT c.is_withdrawn AND NOT r.is_repeat AND c.result = 'relevant'
                      GROUP BY c.day, c.is_frozen, r.target, r.type, r.outcome"""
    for day, is_frozen, target, kind, outcome, n in _rows(cursor, of_referrals):
        cells = both[bool(is_frozen)].setdefault(str(day), Counter())
        cells["referral_target", target] += n
        cells["referral_type", kind] += n
        cells["referral_outcome", outcome] += n
        if outcome == "saknas":
            cells["referral_missing", target] += n
    return both[False], both[True]


def _codes(question: str, value: Any) -> list[str]:
    codes = CODE_LISTS[question]
    if not codes.multiple:
        return [value]
    return [code for code, said in codes.codes.items() if value >> said.bit & 1]


def _stored(cursor: Any, sql: str) -> By:
    stored: By = {}
    for day, variable, code, n in _rows(cursor, sql):
        stored.setdefault(str(day), Counter())[variable, code] += n
    return stored


def _wrong_months(cursor: Any, marked: set[str]) -> list[str]:
    """Months without a marked day whose counts are not the sum of their days'."""
    folded: By = {}
    for day, cells in _stored(cursor, "SELECT day, variable, code, n FROM reports_daycount").items():
        folded[day[:7]] = folded.get(day[:7], Counter()) + cells
    months = _stored(cursor, "SELECT month, variable, code, n FROM reports_monthcount")
    stored = {month[:7]: cells for month, cells in months.items()}
    unsettled = {day[:7] for day in marked}
    return sorted(month for month in {*folded, *stored} - unsettled if folded.get(month) != stored.get(month))


def _broken_months_of_seals(cursor: Any, *, before: Iterable[str]) -> list[str]:
    """A month is sealed whole and for good, and each of its counted contacts has one record in the statistics."""
    sealed = set(sealed_days(cursor))
    broken = sorted(set(before) - sealed)
    for month in {day[:7] for day in sealed}:
        day = date.fromisoformat(f"{month}-01")
        while f"{day:%Y-%m}" == month:
            broken += [] if day.isoformat() in sealed else [day.isoformat()]
            day += timedelta(days=1)
    (frozen,) = _rows(cursor, "SELECT count(*) FROM helpline_contact WHERE is_frozen AND NOT is_withdrawn")
    (records,) = _rows(cursor, "SELECT count(*) FROM reports_statrecord")
    return broken + ([] if frozen == records else [json.dumps({"frozen": frozen[0], "records": records[0]})])


def _rows(cursor: Any, sql: str) -> list[tuple[Any, ...]]:
    cursor.execute(sql)
    return list(cursor.fetchall())
