"""Owns every change and the reading of when the line is open."""

from datetime import date, datetime

from django.db import connection, transaction

from helpline import audit
from helpline.models import OpeningException, OpeningHours, User
from helpline.opening import Exceptional, Opening, Span, Spans, WeeklyHours

OPENING_LOCK = 5
CLOSED = (0, 0)


def opening() -> Opening:
    """All dated sets and exceptions."""
    sets: dict[date, list[list[Span]]] = {}
    for row in OpeningHours.objects.order_by("valid_from", "weekday", "opens"):
        weekdays = sets.setdefault(row.valid_from, [[] for _ in range(7)])
        weekdays[row.weekday] += _spans(row)
    exceptions: dict[date, tuple[list[Span], str]] = {}
    for other in OpeningException.objects.order_by("day", "opens"):
        exceptions.setdefault(other.day, ([], other.reason))[0].extend(_spans(other))
    return Opening(
        tuple(WeeklyHours(first, tuple(map(tuple, weekdays))) for first, weekdays in sets.items()),
        {day: Exceptional(day, tuple(spans), reason) for day, (spans, reason) in exceptions.items()},
    )


def _spans(row: OpeningHours | OpeningException) -> Spans:
    return () if (row.opens, row.closes) == CLOSED else (Span(row.opens, row.closes),)


def _written(spans: Spans) -> list[tuple[int, int]]:
    """What is stored of a day: that it is closed is said by a span of no length."""
    return [(span.opens, span.closes) for span in spans] or [CLOSED]


def _write_down(by: User | None, now: datetime) -> None:
    """Nobody's acts are those of the demonstration, which is no staff."""
    if by is not None:
        audit.record(by=by, act="opening.edit", now=now)


def _lock() -> None:
    """Two changes of the same day wait for each other."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s::int, 0)", [OPENING_LOCK])


@transaction.atomic
def set_hours(hours: WeeklyHours, *, by: User | None, now: datetime) -> None:
    """Store a set of weekly hours, in place of the one that begins on the same day."""
    _lock()
    OpeningHours.objects.filter(valid_from=hours.valid_from).delete()
    OpeningHours.objects.bulk_create(
        OpeningHours(valid_from=hours.valid_from, weekday=weekday, opens=opens, closes=closes)
        for weekday, spans in enumerate(hours.weekdays)
        for opens, closes in _written(spans)
    )
    _write_down(by, now)


@transaction.atomic
def remove_hours(valid_from: date, *, by: User | None, now: datetime) -> bool:
    """Remove the set that begins on a day; whether there was one."""
    removed, _ = OpeningHours.objects.filter(valid_from=valid_from).delete()
    if removed:
        _write_down(by, now)
    return bool(removed)


@transaction.atomic
def set_exception(exception: Exceptional, *, by: User | None, now: datetime) -> None:
    """Store what holds on one day, in place of what was said of it before."""
    _lock()
    OpeningException.objects.filter(day=exception.day).delete()
    OpeningException.objects.bulk_create(
        OpeningException(day=exception.day, opens=opens, closes=closes, reason=exception.reason)
        for opens, closes in _written(exception.spans)
    )
    _write_down(by, now)


@transaction.atomic
def remove_exception(day: date, *, by: User | None, now: datetime) -> bool:
    """Let the weekday and the holidays decide on `day` again; whether something else was said of it."""
    removed, _ = OpeningException.objects.filter(day=day).delete()
    if removed:
        _write_down(by, now)
    return bool(removed)
