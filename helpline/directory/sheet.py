"""Owns what the browser of a handler finds a receiver in: all active ones at once.

What is typed while a call is on, a municipality for instance, then never leaves the browser.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, OuterRef, QuerySet, Subquery

from helpline.listings import RECEIVER, Hours, areas
from helpline.listings.freshness import is_stale
from helpline.listings.hours import AHEAD, STOCKHOLM, Period, open_periods
from helpline.models import Phone, Schedule, Service, ServiceArea, SpokenLanguage
from helpline.taxonomy import CODE_LISTS

Week = tuple[str, time, time, date | None, date | None]  # weekdays, opens, closes, valid from and to
Minutes = tuple[tuple[int, int], ...]


def active() -> QuerySet[Service]:
    """Whom callers can be referred to: no knowledge resources, nothing that is out of use."""
    return Service.objects.filter(kind=RECEIVER, is_active=True)


def told(now: datetime, language: str) -> dict[str, Any]:
    """All active receivers as JSON values, by four queries.

    `now`: Unix time in seconds, to set the browser's clock by. `areas`: name by code of counties and municipalities.
    `hours`: open periods, [from, to] in Unix minutes, of this day and the eight that follow; once for all receivers
    that share them. `receivers`, by name: `id`, `name`, `by` (organisation), `target`, `areas` and, unless empty or
    untrue, `shared`, `secret`, `phone`, `ext`, `alert`, `assured` (day), `due` (nobody made sure within half a year),
    `languages` and `hours` (which of them; absent when hours are not known).
    """
    today = now.astimezone(STOCKHOLM).date()
    midnight = datetime.combine(today, time(), STOCKHOLM)
    areas_of, languages_of, hours_of = _areas(), _languages(language), _hours()
    opening = _Opening(midnight)
    receivers = []
    for service in _services():
        pk = service.pop("pk")
        receiver = _said(pk, service, today) | {"areas": areas_of.get(pk, []), "languages": languages_of.get(pk)}
        receiver = {key: value for key, value in receiver.items() if value or key == "areas"}
        if (number := opening.number(hours_of.get(pk, ()))) is not None:
            receiver["hours"] = number
        receivers.append(receiver)
    names = {code: areas.name(code, language) for code in (*areas.COUNTIES, *areas.MUNICIPALITIES)}
    return {"now": int(now.timestamp()), "areas": names, "hours": list(opening.periods), "receivers": receivers}


def _said(pk: UUID, service: dict[str, Any], today: date) -> dict[str, Any]:
    day = service["assured"]
    return {"id": str(pk)} | service | {"assured": day and day.isoformat(), "due": is_stale(day, today)}


def _services() -> QuerySet[Service, Any]:
    """As JSON calls it, with the number to use: no models, because there may be thousands."""
    first = Phone.objects.filter(service=OuterRef("pk")).order_by("position", "pk")
    numbers = {"phone": Subquery(first.values("number")[:1]), "ext": Subquery(first.values("extension")[:1])}
    renamed = {"by": "organisation__name", "shared": "is_shared", "secret": "is_confidential", "assured": "assured_on"}
    said = {name: F(column) for name, column in renamed.items()}
    return active().order_by("name", "pk").values("pk", "name", "target", "alert", **said, **numbers)


def _by_service(pairs: Iterable[tuple[UUID, Any]]) -> dict[UUID, list[Any]]:
    grouped: dict[UUID, list[Any]] = defaultdict(list)
    for service, value in pairs:
        grouped[service].append(value)
    return grouped


def _areas() -> dict[UUID, list[str]]:
    return _by_service(ServiceArea.objects.order_by("code").values_list("service_id", "code"))


def _languages(language: str) -> dict[UUID, list[str]]:
    """As labels, or as their codes where the code list has none."""
    known = CODE_LISTS["language"].codes
    rows = SpokenLanguage.objects.order_by("code").values_list("service_id", "code")
    return _by_service((pk, known[code].label(language) if code in known else code) for pk, code in rows)


def _hours() -> dict[UUID, list[Week]]:
    order = ("weekdays", "opens", "closes", "valid_from", "valid_to")
    rows = Schedule.objects.order_by(*order).values_list("service_id", *order)
    return _by_service((row[0], row[1:]) for row in rows)


class _Opening:
    """The open periods of all receivers, each once: many have the same hours, and to work them out takes long."""

    def __init__(self, since: datetime) -> None:
        self.since = since
        self.periods: dict[Minutes, int] = {}  # in their order
        self._numbers: dict[tuple[Week, ...], int | None] = {}

    def number(self, schedules: Iterable[Week]) -> int | None:
        """Which of the periods a receiver has, None when its hours are not known."""
        key = tuple(schedules)
        if key not in self._numbers:
            periods = open_periods([Hours(*week) for week in key], self.since, self.since + AHEAD + timedelta(days=1))
            self._numbers[key] = None if periods is None else self._counted(periods)
        return self._numbers[key]

    def _counted(self, periods: list[Period]) -> int:
        minutes = tuple((int(opens.timestamp()) // 60, int(closes.timestamp()) // 60) for opens, closes in periods)
        return self.periods.setdefault(minutes, len(self.periods))
