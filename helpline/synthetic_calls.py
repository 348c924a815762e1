"""Owns the made-up calls of the demonstration: hourly counters that fit its contacts by the day, never one by one.

Pure. At first fewer than half are answered, as the pilot was blamed for; then it becomes better.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from random import Random

from helpline import synthetic
from helpline.opening import Span, WeeklyHours, clock_hours
from helpline.traffic_file import Calls, ClockHour

QUEUE = "020-100 200"
OPENS, CLOSES = 9, 15
# Most call in the morning; the other hours are those in which the line is closed.
WHEN_OPEN = {9: 135, 10: 82, 11: 50, 12: 38, 13: 41, 14: 30}
WHEN_CLOSED = {7: 6, 8: 24, 15: 26, 16: 28, 17: 28, 18: 18, 19: 12, 20: 9, 21: 6, 22: 3, 23: 2, 0: 1, 1: 1, 2: 1}
TELEPHONE, NOT_LOGGED = 0.88, 0.06  # shares of a day's contacts: came by telephone; answered, but never logged
FIRST_RATE, LAST_RATE, LEARNING_DAYS = 0.44, 0.72, 540
SHORT, CLOSED, VOICEMAIL = 0.25, 0.45, 0.3  # of the unanswered; of the answered, on any day; of those when closed


def opening_hours(since: date) -> WeeklyHours:
    office = (Span(OPENS * 60, CLOSES * 60),)
    return WeeklyHours(since, (office,) * 5 + ((), ()))


def hours(*, seed: int, since: date, start: date, until: date, contacts_a_month: int) -> Iterator[ClockHour]:
    """The counters of the days from `start` up to but not including `until`, hours without a call left out. The same
    for the same seed, since and contacts a month."""
    for day, contacts in synthetic.by_day(seed, since, until, contacts_a_month):
        if day >= start:
            rng = Random(f"calls {seed} {day.isoformat()}")  # noqa: S311 (made up)
            yield from _day(rng, day, contacts, contacts_a_month / 21, (day - since).days)


def _day(rng: Random, day: date, contacts: int, usual: float, age: int) -> Iterator[ClockHour]:
    open_at, closed_at = (WHEN_OPEN, WHEN_CLOSED) if synthetic.is_office_day(day) else ({}, WHEN_CLOSED | WHEN_OPEN)
    answered = sum(rng.random() < TELEPHONE + NOT_LOGGED for _ in range(contacts)) if open_at else 0
    rate = FIRST_RATE + (LAST_RATE - FIRST_RATE) * min(1, age / LEARNING_DAYS)
    missed = synthetic.poisson(rng, usual * (1 - rate) / rate) if open_at else 0
    closed = synthetic.poisson(rng, usual * CLOSED)
    counts: dict[int, Counter[str]] = {}
    for name, number, hours_of in (
        ("answered", answered, open_at),
        ("missed", missed, open_at),
        ("closed", closed, closed_at),
    ):
        for hour in rng.choices(list(hours_of), list(hours_of.values()), k=number) if number else ():
            kind = "abandoned_short" if name == "missed" and rng.random() < SHORT else name
            counts.setdefault(hour, Counter())["abandoned" if kind == "missed" else kind] += 1
            counts[hour]["voicemail"] += kind == "closed" and rng.random() < VOICEMAIL
    there = {hour for hour, _ in clock_hours(day)}
    for hour, of_hour in sorted(counts.items()):
        if hour in there:
            yield ClockHour(day, hour, QUEUE, _calls(of_hour))


def _calls(of_hour: Counter[str]) -> Calls:
    voicemail = of_hour.pop("voicemail", 0)
    ends = (of_hour["answered"], of_hour["abandoned_short"], of_hour["abandoned"], of_hour["closed"])
    return Calls(of_hour.total(), *ends, voicemail)
