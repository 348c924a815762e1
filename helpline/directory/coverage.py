"""Owns the directory as a whole: what each county has, what is out of date, which agreements lapse."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from helpline.listings import RECEIVER
from helpline.listings.areas import COUNTIES, COUNTRY
from helpline.listings.freshness import is_stale, lapses_soon
from helpline.models import Service


@dataclass(slots=True)
class Cell:
    """How many receivers with one referral target a county has, and how many of them must be made sure of."""

    n: int = 0
    stale: int = 0


@dataclass(slots=True)
class County:
    """What one county has, by referral target: receivers for the county or for a municipality in it.

    `oldest`: the day of the one that was made sure of longest ago, None if one never was or there is none.
    """

    code: str
    cells: dict[str, Cell] = field(default_factory=dict)
    oldest: date | None = None
    n: int = 0
    stale: int = 0


@dataclass(frozen=True, slots=True)
class Coverage:
    """The directory as a whole, closed services left out.

    `counties`: the whole country first, then the 21. `stale`: never made sure of first, then the oldest. `lapsing`: by
    the day. `agreements`: how many receivers by agreement form of their organisation. `entries`, `fresh`: receivers and
    knowledge resources, and those of them that were made sure of within six months.
    """

    counties: list[County]
    stale: list[Service]
    lapsing: list[Service]
    agreements: Counter[str]
    entries: int
    fresh: int
    receivers: int


def coverage(today: date) -> Coverage:
    """What the directory covers today. Two queries."""
    services = list(
        Service.objects.filter(is_active=True)
        .select_related("organisation")
        .prefetch_related("areas")
        .order_by("name", "pk")
    )
    receivers = [service for service in services if service.kind == RECEIVER]
    stale = [service for service in services if is_stale(service.assured_on, today)]
    lapsing = [service for service in services if lapses_soon(service.organisation.agreement_until, today)]
    return Coverage(
        counties=_counties(receivers, today),
        stale=sorted(stale, key=lambda service: service.assured_on or date.min),
        lapsing=sorted(lapsing, key=lambda service: service.organisation.agreement_until or date.min),
        agreements=Counter(service.organisation.agreement for service in receivers),
        entries=len(services),
        fresh=len(services) - len(stale),
        receivers=len(receivers),
    )


def _counties(receivers: list[Service], today: date) -> list[County]:
    rows = {code: County(code) for code in (COUNTRY, *COUNTIES)}
    days: dict[str, list[date]] = {code: [] for code in rows}
    for service in receivers:
        for code in {area.code[:2] for area in service.areas.all()} & rows.keys():
            row, old = rows[code], is_stale(service.assured_on, today)
            cell = row.cells.setdefault(service.target, Cell())
            for counted in (cell, row):
                counted.n, counted.stale = counted.n + 1, counted.stale + old
            days[code].append(service.assured_on or date.min)
    for code, row in rows.items():
        earliest = min(days[code], default=date.min)
        row.oldest = None if earliest == date.min else earliest
    return list(rows.values())
