"""Owns how near a service is to a place: its municipality, a unit it shares, its county, the whole country. Pure."""

from collections.abc import Collection
from enum import IntEnum

from helpline.listings.areas import COUNTRY, county_of


class Nearness(IntEnum):
    """What a service serves of a place, the nearest first."""

    MUNICIPALITY = 1
    SHARED = 2
    COUNTY = 3
    PART = 4  # of a county: at least one municipality in it
    COUNTRY = 5
    UNKNOWN = 6  # nobody has said whom the service is for


def nearness(areas: Collection[str], place: str, *, is_shared: bool) -> Nearness | None:
    """How near a service for `areas` is to `place`, a municipality, a county or the whole country; None if not for it.

    `is_shared`: one unit for several municipalities. Raises KeyError for a place that is none.
    """
    county = county_of(place)
    if not areas:
        return Nearness.UNKNOWN
    if place == COUNTRY:
        return Nearness.COUNTRY if COUNTRY in areas else None
    if place in areas and place != county:
        return Nearness.SHARED if is_shared else Nearness.MUNICIPALITY
    if county in areas:
        return Nearness.COUNTY
    if place == county and any(area.startswith(county) for area in areas):
        return Nearness.PART
    return Nearness.COUNTRY if COUNTRY in areas else None
