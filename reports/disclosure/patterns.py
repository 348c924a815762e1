"""Owns which set of contacts a published number counts, and how these sets lie in one another.

Pure. That is what every reader knows beforehand, from the code book alone. Numbers of the same set have one pattern,
whatever tables they stand in.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import NamedTuple

from helpline.taxonomy import ASKED_WHEN, CODE_LISTS, When
from reports.catalogue import TOTAL, UNKNOWN, VARIABLES, Table, Variable
from reports.counting import CONTACTS, RELEVANT, U3, U4
from reports.disclosure.tabulate import Coordinates

U6 = "U6"  # referrals
ANY_REFERRAL = ("referral", TOTAL)

Part = tuple[str, str]


class Pattern(NamedTuple):
    """A set of contacts (U3, U4) or referrals (U6): those of which every part, a variable with a code, is true.

    The code TOTAL says that the question was asked at all; where it always is, there is no such part.
    """

    unit: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """The sum of `terms` (factor, pattern) is at most 0, or exactly 0 with `is_equal`, in every period.

    `is_usual`: the form makes it so, but an import may keep an answer that the form would not have asked for.
    """

    terms: tuple[tuple[int, Pattern], ...]
    is_equal: bool = False
    is_usual: bool = False


U3_ALL, U4_ALL = Pattern(U3, ()), Pattern(U4, ())
WHOLES = frozenset({U3_ALL, U4_ALL})
FIRST = Pattern(U4, (("first_contact", "ja"),))


def whole_of(pattern: Pattern) -> Pattern:
    """All contacts of the base that a pattern belongs to."""
    return U3_ALL if pattern.unit == U3 else U4_ALL


def pattern_of(table: Table, coordinates: Coordinates, contents: str) -> Pattern:
    """The pattern of a table's cell. A table of calls counts nobody and has none."""
    parts = {part for v, code in zip(table.variables, coordinates, strict=True) if (part := _part(v, code))}
    if any(name.startswith("referral_") for name, _ in parts):
        parts.discard(ANY_REFERRAL)
    unit = table.base
    if contents != CONTACTS:
        unit = U6
        parts = parts if any(name.startswith("referral") for name, _ in parts) else parts | {ANY_REFERRAL}
    return U4_ALL if (unit, parts) == (U3, {("result", RELEVANT)}) else Pattern(unit, tuple(sorted(parts)))


def _part(variable: Variable, code: str) -> Part | None:
    """The same part for the same set: a group of one code is that code, and groups share their source's non-answers."""
    if code == TOTAL:
        if variable.of_referral:
            return ANY_REFERRAL
        return None if variable.is_asked_of_all else (variable.source, TOTAL)
    if code == UNKNOWN:
        return (variable.source, UNKNOWN)
    members = _members(variable, code)
    return (variable.source, next(iter(members))) if len(members) == 1 else (variable.id, code)


def _members(variable: Variable, code: str) -> frozenset[str]:
    """The codes of the source that a code of a variable sums up; the code itself if it is no group."""
    return frozenset(CODE_LISTS[variable.id].codes[code].members) or frozenset({code})


def _conditions(question: str) -> tuple[When, ...]:
    """When a question is asked of a relevant contact."""
    return tuple(when for when in ASKED_WHEN.get(question, ()) if when.question != "result")


# --- how they lie in one another --------------------------------------------------------------------------------------


def relations_among(tables: Collection[tuple[Variable, ...]]) -> list[Relation]:
    """What holds among the cells of tables, each given by its variables, with one-way tables of all of these."""
    single = [variables[0] for variables in tables if len(variables) == 1]
    found: list[Relation] = []
    for variables in tables:
        found += _splits(variables)
    for finer, coarser in permutations(single, 2):
        if finer.source == coarser.source and finer.base == coarser.base:
            found += _groups(finer, coarser)
    found += _usual(single)
    return list(dict.fromkeys(found))


def cell(*places: tuple[Variable, str], unit: str = "") -> Pattern:
    variables, codes = zip(*places, strict=True)
    table = Table(variables[0].base, variables, "year")
    return pattern_of(table, codes, "" if unit == U6 else CONTACTS)


def _units(variables: tuple[Variable, ...]) -> tuple[str, ...]:
    return (variables[0].base, U6) if any(variable.of_referral for variable in variables) else (variables[0].base,)


def _splits(variables: tuple[Variable, ...]) -> Iterator[Relation]:
    """Each variable splits each row of the other one, its total included; a table of one variable is one row."""
    for variable in variables:
        (*others,) = (other for other in variables if other is not variable)
        rows = [[(other, code)] for other in others for code in (TOTAL, *other.codes)] or [[]]
        for unit in _units(variables):
            for row in rows:
                yield from _split(variable, row, unit)


def _split(variable: Variable, row: list[tuple[Variable, str]], unit: str) -> Iterator[Relation]:
    of_code = {code: cell(*row, (variable, code), unit=unit) for code in variable.codes}
    asked = cell(*row, (variable, TOTAL), unit=unit)
    if row and unit != U6:
        whole = cell(*row)
        if asked != whole and not (row[0][0].of_referral and variable.of_referral):
            yield Relation(((1, asked), (-1, whole)))
    elif unit == variable.base and asked != Pattern(unit, ()):
        yield Relation(((1, asked), (-1, Pattern(unit, ()))))
    if variable.of_referral and unit != U6:
        yield from _cover(asked, list(of_code.values()), [])
        for pattern in (asked, *of_code.values()):  # a contact has at least one such referral
            yield Relation(((1, pattern), (-1, Pattern(U6, pattern.parts))))
    elif CODE_LISTS[variable.id].multiple:
        alone = [pattern for code, pattern in of_code.items() if _is_alone(variable, code)]
        yield from _cover(asked, [pattern for pattern in of_code.values() if pattern not in alone], alone)
    else:
        yield _sum(asked, of_code.values())


def _is_alone(variable: Variable, code: str) -> bool:
    return code == UNKNOWN or CODE_LISTS[variable.id].codes[code].exclusive


def _sum(whole: Pattern, parts: Collection[Pattern], *, is_usual: bool = False) -> Relation:
    return Relation(((1, whole), *((-1, part) for part in parts)), is_equal=True, is_usual=is_usual)


def _cover(
    whole: Pattern, parts: Collection[Pattern], alone: Collection[Pattern], *, is_usual: bool = False
) -> Iterator[Relation]:
    """Parts that overlap and fill the whole; those that stand `alone` overlap with none."""
    for part in parts:
        yield Relation(((1, part), *((1, one) for one in alone), (-1, whole)), is_usual=is_usual)
    yield Relation(((1, whole), *((-1, part) for part in (*parts, *alone))), is_usual=is_usual)


def _groups(finer: Variable, coarser: Variable) -> Iterator[Relation]:
    """Each code of the coarser variable is made of codes of the finer one, if that is so for all of them."""
    made = {
        code: [fine for fine in finer.answers if _members(finer, fine) <= _members(coarser, code)]
        for code in coarser.answers
    }
    for code, fines in made.items():
        if frozenset().union(*(_members(finer, fine) for fine in fines)) != _members(coarser, code):
            return
    for code, fines in made.items():
        for unit in _units((finer,)):
            whole, parts = cell((coarser, code), unit=unit), [cell((finer, fine), unit=unit) for fine in fines]
            if parts == [whole]:
                continue
            if unit != U6 and (finer.of_referral or CODE_LISTS[finer.id].multiple):
                yield from _cover(whole, parts, [])
            else:
                yield _sum(whole, parts)


def _usual(single: Collection[Variable]) -> Iterator[Relation]:
    """Of whom a question is asked: the codes of another question say it, where there is a table of that."""
    asked: dict[tuple[When, ...], list[Pattern]] = {}
    for source in dict.fromkeys(variable.source for variable in single if variable.base == U4):
        if conditions := _conditions(source):
            asked.setdefault(conditions, []).append(Pattern(U4, ((source, TOTAL),)))
    for (when, *more), patterns in asked.items():
        assert not more, "a question with two conditions"  # noqa: S101 (a change of the relevance table)
        for one, other in zip(patterns, patterns[1:], strict=False):
            yield _sum(one, [other], is_usual=True)
        for variable in single:
            if variable.source == when.question:
                yield from _told_by(variable, when, patterns[0])
    names = {variable.id for variable in single}
    if {"balance", "needs_2"} <= names:
        # Contacts with needs of both kinds: those of one kind and of the other, less those with any.
        kinds = [(-1, cell((VARIABLES["needs_2"], code))) for code in VARIABLES["needs_2"].answers]
        needs = ((1, Pattern(U4, (("needs", TOTAL),))), (-1, Pattern(U4, (("needs", UNKNOWN),))))
        both = Pattern(U4, (("balance", TOTAL),))
        yield Relation(((1, both), *kinds, *needs), is_equal=True, is_usual=True)


def _told_by(variable: Variable, when: When, asked: Pattern) -> Iterator[Relation]:
    codes = [code for code in variable.answers if _members(variable, code) <= when.codes]
    if frozenset().union(*(_members(variable, code) for code in codes)) != when.codes:
        return
    cells = [cell((variable, code)) for code in codes]
    if when.unless:
        yield _sum(cell((variable, TOTAL)), [asked, *cells], is_usual=True)
    elif CODE_LISTS[variable.id].multiple:
        yield from _cover(asked, cells, [], is_usual=True)
    else:
        yield _sum(asked, cells, is_usual=True)
