"""A plain, slow recount of every figure, straight from the rows of an import file.

On purpose it shares nothing with the product: no code list, no relevance table, no query. When both agree, two
different readings of the rules agree.
"""

import csv
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

DATA = Path(__file__).parent / "data"
Row = dict[str, str]

SEVERAL = ("concerns", "needs", "barriers", "actions", "reports_made")
OF_ALL_CONTACTS = ("channel", "result", "length")
SPOKEN = ("caller_role", "caller_gender", "caller_adult", "actions", "awareness", "language", "language_support")
ABOUT_SOMEONE = ("age", "gender")
WAY_OUT = ("needs", "motivation", "plan")


def rows_of(name: str = "pilot-year.csv") -> list[Row]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def was_asked(question: str, row: Row) -> bool:
    if question in ("channel", "result", "length"):
        return True
    if row["result"] not in ("relevant", "info"):
        return False
    if question == "sector":
        return row["caller_role"] == "yrkes"
    if question in SPOKEN or question == "urgency":
        return True
    if row["result"] != "relevant":
        return False
    if question in ABOUT_SOMEONE:
        return row["relation"] != "ingen"
    if question in WAY_OUT:
        concerns = row["concerns"].split("|")
        return "vill_ut" in concerns or "aterfall" in concerns or "dras_in" in concerns or "aktiv" in concerns
    return True


def codes_of(question: str, row: Row) -> list[str]:
    if row[question]:
        return row[question].split("|")
    return ["ej_fragat" if was_asked(question, row) else "ej_till"]


def questions(row: Row) -> list[str]:
    return [column for column in row if column not in ("key", "day", "referrals")]


def recount(rows: list[Row]) -> Counter[tuple[str, str]]:
    """(variable, code) -> number of contacts, or of referrals for the referral variables."""
    n: Counter[tuple[str, str]] = Counter()
    for row in rows:
        relevant = row["result"] == "relevant"
        for question in questions(row):
            if relevant or question in OF_ALL_CONTACTS:
                for code in codes_of(question, row):
                    n[question, code] += 1
        if relevant and row["referrals"]:
            for referral in row["referrals"].split("|"):
                target, kind, outcome = referral.split(":")
                n["referral_target", target] += 1
                n["referral_type", kind] += 1
                n["referral_outcome", outcome] += 1
    return n


def within(rows: list[Row], first: date, after: date) -> list[Row]:
    return [row for row in rows if first <= date.fromisoformat(row["day"]) < after]


def days(rows: list[Row]) -> list[date]:
    first, last = min(row["day"] for row in rows), max(row["day"] for row in rows)
    day, all_days = date.fromisoformat(first), []
    while day <= date.fromisoformat(last):
        all_days.append(day)
        day += timedelta(days=1)
    return all_days
