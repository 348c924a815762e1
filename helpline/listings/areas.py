"""Owns the areas that a service can be for: the whole country, the 21 counties and the 290 municipalities. Pure.

Codes of Statistics Sweden: two digits a county, four a municipality, which begin with those of its county.
"""

import csv
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

COUNTRY = "SE"  # code of ISO 3166
COUNTRY_NAMES = ("Hela landet", "Whole country")


def _read() -> dict[str, tuple[str, str]]:
    """Swedish and English name by code, in the order of the codes."""
    text = files("helpline.listings").joinpath("areas.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row["code"]: (row["sv"], row["en"]) for row in rows}


_NAMES = _read()

COUNTIES: Mapping[str, str] = MappingProxyType({code: sv for code, (sv, _) in _NAMES.items() if len(code) == 2})
MUNICIPALITIES: Mapping[str, str] = MappingProxyType({code: sv for code, (sv, _) in _NAMES.items() if len(code) == 4})


def is_area(code: str) -> bool:
    """Whether `code` is the country, a county or a municipality."""
    return code == COUNTRY or code in _NAMES


def name(code: str, language: str) -> str:
    """Örebro, Örebro län, Hela landet; in English Örebro, Örebro County, Whole country.

    Raises KeyError for what is no area.
    """
    swedish, english = COUNTRY_NAMES if code == COUNTRY else _NAMES[code]
    return english if language == "en" else swedish


def county_of(code: str) -> str:
    """The county's code: of a municipality its own county, of a county itself, of the country none, so "".

    Raises KeyError for what is no area.
    """
    if code == COUNTRY:
        return ""
    _NAMES[code]
    return code[:2]


_CODES = {label.casefold(): code for code, names in _NAMES.items() for label in names} | {
    label.casefold(): COUNTRY for label in COUNTRY_NAMES
}


def code_of(name: str) -> str:
    """The code of the area that is called so, in either language and whatever its capitals; "" for no area."""
    return _CODES.get(name.casefold(), "")
