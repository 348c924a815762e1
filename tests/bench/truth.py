"""Owns what the counts must be: a raw GROUP BY for each variable, which shares no code with the product's counting."""

from collections import Counter
from datetime import date

from django.db import connection

from helpline.taxonomy import CODE_LISTS, QUESTIONS
from reports.periods import Period
from tests.bench.limits import BrokenMeasure

ON_ALL_CONTACTS = ("channel", "result", "length")
COUNTED = "NOT c.is_withdrawn AND NOT c.is_frozen AND c.day >= %(since)s AND c.day < %(until)s"
OF_REFERRALS = (
    "FROM helpline_referral r JOIN helpline_contact c ON c.id = r.contact_id"
    f" WHERE {COUNTED} AND NOT r.is_repeat AND c.result = 'relevant'"
)
Counts = Counter[tuple[date, str, str]]


def statements() -> dict[str, str]:
    """For each counted variable one statement: day, code and number, or day and the number of each code of a set."""
    made = {question: _of_contacts(question) for question in QUESTIONS}
    for part in ("target", "type", "outcome"):
        made[f"referral_{part}"] = f"SELECT c.day, r.{part}, count(*) {OF_REFERRALS} GROUP BY 1, 2"
    missing = f"SELECT c.day, r.target, count(*) {OF_REFERRALS} AND r.outcome = 'saknas' GROUP BY 1, 2"
    return made | {"referral_missing": missing}


def _of_contacts(question: str) -> str:
    base = COUNTED if question in ON_ALL_CONTACTS else f"{COUNTED} AND c.result = 'relevant'"
    if not CODE_LISTS[question].multiple:
        return f"SELECT c.day, c.{question}, count(*) FROM helpline_contact c WHERE {base} GROUP BY 1, 2"
    counts = (f"count(*) FILTER (WHERE c.{question} & {mask} <> 0)" for mask in _masks(question).values())
    return f"SELECT c.day, {', '.join(counts)} FROM helpline_contact c WHERE {base} GROUP BY 1"


def _masks(question: str) -> dict[str, int]:
    return {code.code: 1 << code.bit for code in CODE_LISTS[question].codes.values() if code.bit is not None}


def counts(since: date = date.min, until: date = date.max) -> Counts:
    """How often each code was given on each day of [since, until)."""
    found: Counts = Counter()
    with connection.cursor() as cursor:
        for variable, statement in statements().items():
            cursor.execute(statement, {"since": since, "until": until})
            is_set = variable in CODE_LISTS and CODE_LISTS[variable].multiple
            for day, *rest in cursor.fetchall():
                cells = zip(_masks(variable), rest, strict=True) if is_set else [rest]
                found.update({(day, variable, code): n for code, n in cells if n})
    return found


def stored(since: date = date.min, until: date = date.max) -> Counts:
    """The product's own counts of days."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT day, variable, code, n FROM reports_daycount WHERE NOT is_sealed AND day >= %s AND day < %s",
            [since, until],
        )
        return Counter({(day, variable, code): n for day, variable, code, n in cursor.fetchall()})


def of_period(period: Period) -> Counter[tuple[str, str]]:
    """How often each code was given in a period."""
    found: Counter[tuple[str, str]] = Counter()
    for (_, variable, code), n in counts(period.start, period.end).items():
        found[variable, code] += n
    return found


def check_counts(since: date = date.min, until: date = date.max) -> None:
    """Raises BrokenMeasure unless the product's counts of days are those of the contacts."""
    if (right := counts(since, until)) != (found := stored(since, until)):
        wrong = {day for day, _, _ in (right - found) + (found - right)}
        raise BrokenMeasure(f"the counts of {len(wrong)} days differ from a GROUP BY of their contacts")
    if not right:
        raise BrokenMeasure("there was nothing to count")
