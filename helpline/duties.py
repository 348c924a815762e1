"""Owns what a reader sees of the routines for duties to report on a day: words alone, the same for everybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from types import MappingProxyType

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from helpline.routine_files import ROUTINES, Law, Routine
from helpline.taxonomy import CODE_LISTS

WHOSE_WORDS: Mapping[str, Promise] = MappingProxyType(
    {
        "caller": gettext_lazy("The caller"),
        "licensed": gettext_lazy("A licensed handler"),
        "none": gettext_lazy("Another handler"),
    }
)


@dataclass(frozen=True, slots=True)
class ShownLaw:
    """One text of law: its source, what it says in plain words, since and until when, what is still to be settled."""

    source: str
    text: str
    since: date
    until: date | None
    settle: str


@dataclass(frozen=True, slots=True)
class ShownRoutine:
    """One routine on one day, in one language; `duty` is who and whose duty it is, `codes` what is then chosen."""

    id: str
    title: str
    about: str
    version: int
    since: date
    duty: tuple[tuple[Promise, str], ...]
    steps: tuple[str, ...]
    laws: tuple[ShownLaw, ...]
    codes: tuple[tuple[str, str], ...]


@lru_cache(maxsize=128)
def routines_on(day: date, language: str) -> tuple[ShownRoutine, ...]:
    """The routines in force on `day`, from entries.FIRST_DAY on, in their order."""
    return tuple(_shown(routine, day, language) for routine in ROUTINES)


def _shown(routine: Routine, day: date, language: str) -> ShownRoutine:
    version, listed = routine.version_on(day), CODE_LISTS["reports_made"].codes
    return ShownRoutine(
        id=routine.id,
        title=routine.title.label(language),
        about=routine.about.label(language),
        version=version.version,
        since=version.valid_from,
        duty=tuple((word, routine.duty[who].label(language)) for who, word in WHOSE_WORDS.items()),
        steps=tuple(step.label(language) for step in version.steps),
        laws=tuple(_law(law, language) for law in routine.laws_on(day)),
        codes=tuple((listed[code].label(language), listed[code].definition(language)) for code in routine.codes),
    )


def _law(law: Law, language: str) -> ShownLaw:
    until = None if law.valid_to == date.max else law.valid_to
    return ShownLaw(law.source, law.text.label(language), law.valid_from, until, law.settle.label(language))
