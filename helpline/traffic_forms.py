"""Owns what a coordinator sends on the pages of calls and opening hours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext

from helpline import entries, opening
from helpline.entries import Refused
from helpline.imports.traffic import explain_reason
from helpline.opening import Exceptional, WeeklyHours
from helpline.traffic_file import COLUMNS, ClockHour, read_hour

SECOND = "02b"  # the second hour from two of the long day
HOURS = [f"{hour:02}" for hour in range(24)]


@dataclass(slots=True)
class Form:
    """The texts that were sent, by the name of their field, and what is wrong with which."""

    texts: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)


def names() -> dict[str, str]:
    """What the fields of an hour are called."""
    return {
        "day": gettext("Day"),
        "hour": gettext("Hour"),
        "queue": gettext("Queue"),
        "offered": gettext("Calls offered"),
        "answered": gettext("Answered calls"),
        "abandoned_short": gettext("Abandoned within 10 seconds"),
        "abandoned": gettext("Unanswered while open"),
        "closed": gettext("While closed"),
        "voicemail": gettext("Voicemail"),
    }


def read_typed_hour(sent: Mapping[str, str], *, today: date) -> tuple[Form, ClockHour | None]:
    """The hour that a form says; None with the errors."""
    form = Form({name: sent.get(name, "") for name in COLUMNS})
    is_second = form.texts["hour"] == SECOND
    texts = form.texts | ({"hour": SECOND[:2]} if is_second else {})
    hour, findings = read_hour(texts, today=today, is_second=is_second)
    for column, reason in findings:
        form.errors.setdefault(column, explain_reason(reason))
    return form, hour


def read_weekly_hours(sent: Mapping[str, str]) -> tuple[Form, WeeklyHours | None]:
    """The set of weekly hours that a form says; None with the errors. Its first day may lie ahead."""
    fields = ["valid_from", *(f"weekday_{n}" for n in range(7))]
    form = Form({name: sent.get(name, "") for name in fields})
    first = _read_day(form, "valid_from")
    weekdays = [_read_spans(form, name) for name in fields[1:]]
    if form.errors or first is None:
        return form, None
    return form, WeeklyHours(first, tuple(weekdays))


def read_exceptional(sent: Mapping[str, str]) -> tuple[Form, Exceptional | None]:
    """What a form says of one day; None with the errors."""
    form = Form({name: sent.get(name, "") for name in ("day", "spans", "reason")})
    day, spans = _read_day(form, "day"), _read_spans(form, "spans")
    if form.texts["reason"] not in opening.REASONS:
        form.errors["reason"] = gettext("An answer is needed here: choose one.")
    if form.errors or day is None:
        return form, None
    return form, Exceptional(day, spans, form.texts["reason"])


def _read_day(form: Form, name: str) -> date | None:
    try:
        day = entries.read_day(form.texts[name], today=date.max)
    except Refused:
        form.errors[name] = gettext("This is no day: write it as year-month-day, as in 2016-06-30.")
        return None
    if not entries.FIRST_DAY <= day < date(3000, 1, 1):
        form.errors[name] = gettext("Opening hours are kept from 2015-01-01: choose that day or a later one.")
        return None
    return day


def _read_spans(form: Form, name: str) -> opening.Spans:
    try:
        spans = opening.read_spans(form.texts[name])
        opening.refuse_overlap(spans)
    except ValueError:
        form.errors[name] = gettext("These are no opening hours: write them as 9–12, 13–16.30, or nothing for closed.")
        return ()
    return spans


def weekday_fields() -> list[tuple[str, str]]:
    """The field and the name of each weekday."""
    return [(f"weekday_{n}", str(WEEKDAYS[n]).capitalize()) for n in range(7)]
