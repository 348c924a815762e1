"""Owns what a file may write in each field of an entry of the directory. Pure.

Each reader takes a value of JSON or the text of a cell, and raises Wrong. The limits are those of the columns
(helpline.models.directory), the codes those of the code lists.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import date, time
from unicodedata import category, normalize
from uuid import UUID

from helpline.code_files import DIMENSIONS
from helpline.listings import (
    MIDNIGHT,
    MOST_PARTS,
    RECEIVER,
    RESOURCE,
    WEEKDAYS,
    Fault,
    Hours,
    OrganisationEntry,
    Phone,
    Place,
    ServiceEntry,
    Wrong,
    areas,
)
from helpline.taxonomy import CODE_LISTS, NON_ANSWERS

LONG_TEXT = 10_000
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
INVISIBLE = frozenset({"Cf", "Zl", "Zp"})  # marks of direction, joiners, soft hyphens; separators of lines
# In front of an @, and behind a \, browsers see something else than readers do.
URL = re.compile(r"https?://(?![.$])[^\s<>\"/?#@\\]+([/?#][^\s<>\"]*)?", re.IGNORECASE)
LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})?")
CLOCK = re.compile(r"([01]?\d|2[0-4])[:.]([0-5]\d)(?::([0-5]\d))?")
YES, NO = ("ja", "yes", "true", "1"), ("nej", "no", "false", "0")


def line(most: int) -> Callable[[object], str]:
    """A reader of texts of one line and at most `most` characters."""
    return lambda value: _short(" ".join(composed(value).split()), most)


def paragraphs(value: object) -> str:
    return _short(composed(value).replace("\r\n", "\n").replace("\r", "\n").strip(), LONG_TEXT)


def composed(value: object) -> str:
    """As it is stored: each letter in its one composed form (NFC), so that what looks alike is alike."""
    if not isinstance(value, str):
        raise Wrong(Fault.WRONG_TYPE, "text")
    if CONTROL.search(value):
        raise Wrong(Fault.NOT_TEXT)
    if not value.isascii() and not INVISIBLE.isdisjoint(map(category, set(value))):
        raise Wrong(Fault.INVISIBLE)
    return normalize("NFC", value)


def _short(text: str, most: int) -> str:
    if len(text) > most:
        raise Wrong(Fault.TOO_LONG, str(most))
    return text


def url(value: object) -> str:
    """Only of the web: a page makes a link of it."""
    text = line(200)(value)
    if text and not URL.fullmatch(text):
        raise Wrong(Fault.NOT_A_URL)
    return text


def identifier(value: object) -> UUID:
    try:
        return UUID(composed(value).strip())
    except ValueError as error:
        raise (error if isinstance(error, Wrong) else Wrong(Fault.NOT_AN_ID)) from None


def day(value: object) -> date:
    text = composed(value).strip()
    try:
        if len(text) != 10:
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise Wrong(Fault.NOT_A_DAY) from None


def code(code_list: str) -> Callable[[object], str]:
    """A reader of the codes of one code list, also of codes that are retired."""
    return one_of(*codes(code_list))


def codes(code_list: str) -> tuple[str, ...]:
    return tuple(each for each in CODE_LISTS[code_list].codes if each not in NON_ANSWERS)


def one_of(*codes: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        text = composed(value).strip().casefold()
        if text not in codes:
            raise Wrong(Fault.NOT_A_CODE, ", ".join(codes))
        return text

    return read


def yes_or_no(value: object) -> bool:
    text = composed(value).strip().casefold()
    if text not in YES + NO:
        raise Wrong(Fault.NOT_YES_OR_NO)
    return text in YES


def area(value: object) -> str:
    """The code of an area, given as code or name; a spreadsheet program may have taken the zero in front."""
    text = " ".join(composed(value).split())
    for candidate in (text, text.upper(), f"0{text}", areas.code_of(text)):
        if candidate and areas.is_area(candidate):
            return candidate
    raise Wrong(Fault.NOT_AN_AREA)


def language(value: object) -> str:
    """A code of the code list or of ISO 639."""
    text = composed(value).strip().casefold()
    if not _is_language(text):
        raise Wrong(Fault.NOT_A_LANGUAGE)
    return text


def weekdays(value: object) -> str:
    """MO,TU… in the order of the week, from MO,TU… or MO-FR."""
    days: set[str] = set()
    for part in composed(value).upper().replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
            raise Wrong(Fault.NOT_HOURS)
        span = WEEKDAYS[WEEKDAYS.index(first) : WEEKDAYS.index(last or first) + 1]
        if not span:
            raise Wrong(Fault.NOT_HOURS)
        days.update(span)
    return ",".join(each for each in WEEKDAYS if each in days)


def clock(value: object) -> time:
    """A local time; 24:00 is the end of the day."""
    found = CLOCK.fullmatch(composed(value).strip())
    if found is None:
        raise Wrong(Fault.NOT_HOURS)
    hour, minute, second = (int(part or 0) for part in found.groups())
    if hour == 24:
        if minute or second:
            raise Wrong(Fault.NOT_HOURS)
        return MIDNIGHT
    return time(hour, minute, second)


def span(opens: time, closes: time) -> tuple[time, time]:
    """The two as stored: closing at 00:00 is the end of the day. Raises Wrong where they do not follow each other."""
    closes = MIDNIGHT if closes == time() else closes
    if not opens < closes:
        raise Wrong(Fault.NOT_HOURS)
    return opens, closes


# --- entries ---------------------------------------------------------------------------------------------------------


def refuse_impossible(entry: OrganisationEntry | ServiceEntry) -> None:
    """Raises Wrong with the first field that breaks a rule; the database holds the same rules."""
    _refuse_unless(bool(entry.name), "name", Fault.MISSING)
    for name, text in _texts(entry):
        _refuse_unless(_is_composed(text), name, Fault.INVISIBLE)
    _refuse_unless(not entry.url or URL.fullmatch(entry.url) is not None, "url", Fault.NOT_A_URL)
    if isinstance(entry, OrganisationEntry):
        _refuse_unless(entry.agreement in codes("agreement"), "agreement", Fault.NOT_A_CODE)
        return
    _refuse_unless(entry.kind in (RECEIVER, RESOURCE), "kind", Fault.NOT_A_CODE)
    if entry.kind == RECEIVER:
        _refuse_unless(entry.target in codes("referral_target"), "target", Fault.NEEDS_TARGET)
        _refuse_unless(entry.dimension in DIMENSIONS, "dimension", Fault.NOT_A_CODE)
    else:
        _refuse_unless(not entry.target and not entry.dimension, "target", Fault.HAS_TARGET)
    _refuse_unless(entry.covers_exit in codes("covers_exit"), "covers_exit", Fault.NOT_A_CODE)
    for name in ("phones", "hours", "places"):
        _refuse_unless(len(getattr(entry, name)) <= MOST_PARTS, name, Fault.TOO_MANY_PARTS, str(MOST_PARTS))
    _refuse_unless(all(phone.number for phone in entry.phones), "phones", Fault.MISSING)
    _refuse_unless(all(map(is_possible, entry.hours)), "hours", Fault.NOT_HOURS)
    _refuse_unless(all(map(_is_language, entry.languages)), "languages", Fault.NOT_A_LANGUAGE)
    _refuse_unless(all(map(areas.is_area, entry.areas)), "areas", Fault.NOT_AN_AREA)


def is_possible(hours: Hours) -> bool:
    days = hours.weekdays.split(",")
    is_week = set(days) <= set(WEEKDAYS) and len(set(days)) == len(days)
    return is_week and hours.opens < hours.closes and (hours.valid_from or date.min) <= (hours.valid_to or date.max)


def _is_language(text: str) -> bool:
    known = text in CODE_LISTS["language"].codes or LANGUAGE.fullmatch(text) is not None
    return known and text not in NON_ANSWERS


def _texts(entry: OrganisationEntry | ServiceEntry | Place | Phone | Hours) -> Iterator[tuple[str, str]]:
    """Each text of an entry and of its parts, with the entry's field; not of the services of an organisation."""
    for each in fields(entry):
        value = getattr(entry, each.name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, str):
                yield each.name, part
            elif isinstance(part, Place | Phone | Hours):
                yield from ((each.name, text) for _, text in _texts(part))


def _is_composed(text: str) -> bool:
    try:
        return composed(text) == text
    except Wrong:
        return False


def _refuse_unless(holds: bool, field: str, fault: Fault, hint: str = "") -> None:
    if not holds:
        raise Wrong(fault, hint, field)
