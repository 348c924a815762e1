"""Owns which variables a row file has, how coarse each may become, and what its detail is worth. Pure.

This is policy, declared beforehand: the search takes one level of each variable for a whole year, and nothing else is
ever merged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from helpline.code_files import NOT_APPLICABLE
from helpline.taxonomy import CODE_LISTS, NON_ANSWERS
from reports.catalogue import TOTAL, UNKNOWN

MAIN, MORE = "concern_main", "concern_more"  # columns: the main group of concerns, and whether there is another
CONCERNS, ACTIONS = "concerns_6", "actions_3"
TIME = "Tid"
YES, NO = "ja", "nej"
HALVES = ("H1", "H2")


class BrokenPolicy(ValueError):
    """A level does not merge whole codes of the level before it; the message names both."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a variable: the column it makes ("" if it leaves the variable out), its codes, and for each code of
    the finest level the place of the one that stands for it here."""

    column: str
    codes: tuple[str, ...]
    place_of: tuple[int, ...]

    def detail_lost(self, code: int) -> float:
        """NCP of a code: the share of the other finest codes that it might be; 0 at the finest level, 1 at the top."""
        return (self.place_of.count(code) - 1) / (len(self.place_of) - 1)


@dataclass(frozen=True, slots=True)
class Quasi:
    """A variable by which somebody might be recognised: what its detail is worth, and its levels, finest first."""

    weight: int
    levels: tuple[Level, ...]

    @property
    def id(self) -> str:
        return self.levels[0].column


def codes_of(list_id: str) -> tuple[str, ...]:
    """The codes of a column: answers, `_U` for every non-answer but "not applicable", and that."""
    answers = (code for code in CODE_LISTS[list_id].codes if code not in NON_ANSWERS)
    return (*answers, UNKNOWN, NOT_APPLICABLE)


def _quasi(weight: int, *list_ids: str) -> Quasi:
    """A variable whose levels are code lists, finest first, and at last nothing. Raises BrokenPolicy."""
    finest, *groups = list_ids
    leaves = codes_of(finest)
    levels = [Level(finest, leaves, tuple(range(len(leaves))))]
    for group in groups:
        codes = codes_of(group)
        place_of = tuple(codes.index(_group_of(finest, leaf, group)) for leaf in leaves)
        if len(set(zip(levels[-1].place_of, place_of, strict=True))) > len(set(levels[-1].place_of)):
            raise BrokenPolicy(f"'{group}' does not merge whole codes of '{levels[-1].column}'")
        levels.append(Level(group, codes, place_of))
    return Quasi(weight, (*levels, Level("", (TOTAL,), (0,) * len(leaves))))


def _group_of(finest: str, leaf: str, group: str) -> str:
    """The code of `group` in which all of a finest code lies. Raises BrokenPolicy."""
    code = CODE_LISTS[finest].codes.get(leaf)
    members = code.members if code and code.members else (leaf,)
    if leaf in (UNKNOWN, NOT_APPLICABLE):
        return leaf
    found = CODE_LISTS[group].group_of(frozenset(members))
    if len(found) != 1:
        raise BrokenPolicy(f"'{group}' does not merge whole codes of '{finest}'")
    return next(iter(found))


_TIMES = Quasi(1, (Level(TIME, HALVES, (0, 1)), Level(TIME, ("",), (0, 0))))  # half-years, or the year

# What a row says of who called, of whom, from where, when and what was done. Who calls and which environment it is
# about are what an evaluation asks first, so their detail is worth most.
QUASIS: tuple[Quasi, ...] = (
    _TIMES,
    _quasi(3, "caller_role", "caller_role_3"),
    _quasi(2, "county_region", "county_part"),
    _quasi(3, "environment", "environment_3"),
    _quasi(2, "age", "age_2"),
    _quasi(1, "gender"),
    _quasi(1, ACTIONS),
)
MAINS = codes_of(CONCERNS)[:-1]  # every contact in the file was asked for a concern


SOURCES = (*("actions" if quasi.id == ACTIONS else quasi.id for quasi in QUASIS[1:]), CONCERNS)  # of a frozen record


def place_of(month: int, *codes: str | frozenset[str]) -> tuple[int, ...]:
    """Where a contact stands: the place of its code in the finest level of each of QUASIS, then in MAINS, then 1 or 0
    for more than one group of concerns. `month` from 1 to 12; `codes` are those of SOURCES."""
    *of_quasis, of_concerns = codes
    found = (_places(quasi.id, value)[0] for quasi, value in zip(QUASIS[1:], of_quasis, strict=True))
    main, *others = _places(CONCERNS, of_concerns)
    return (int(month > 6), *found, main, int(bool(others)))


@lru_cache(maxsize=100_000)
def _places(list_id: str, value: str | frozenset[str]) -> tuple[int, ...]:
    """The places of an answer in a list, in its order; that of `_U` where the question was not answered."""
    codes = frozenset({value}) if isinstance(value, str) else value
    if list_id == ACTIONS:
        codes = CODE_LISTS[ACTIONS].group_of(codes)
    known = codes_of(list_id)
    return tuple(place for place, code in enumerate(known) if code in codes) or (known.index(UNKNOWN),)


def labels(columns: Sequence[str], language: str) -> dict[str, str]:
    """What each column is called."""
    words = {
        TIME: {"sv": "Halvår eller år", "en": "Half-year or year"},
        MAIN: {"sv": "Huvudsaklig typ av oro", "en": "Main type of concern"},
        MORE: {"sv": "Mer än en typ av oro", "en": "More than one type of concern"},
    }
    return {
        column: words[column][language] if column in words else CODE_LISTS[column].label(language) for column in columns
    }
