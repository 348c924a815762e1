"""Owns which tables the gate looks at together: those whose cells lie in one another.

Pure. What a family says of the totals is told to the others; one program over everything takes far longer.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from helpline.taxonomy import CODE_LISTS
from reports.catalogue import TOTAL, Variable
from reports.disclosure.patterns import U3_ALL, U4_ALL, WHOLES, Pattern, Relation, cell, relations_among

Axes = tuple[Variable, ...]  # of a table; one for each combination in the catalogue, whatever the period


@dataclass(frozen=True)
class Family:
    """The axes of some tables, what holds among their patterns, and the pairs of a whole with an option of it whose
    complement must not be found: all that lacks the option. Two totals are such a pair even where nothing is told of
    the contacts between them."""

    axes: tuple[Axes, ...]
    relations: tuple[Relation, ...]
    patterns: frozenset[Pattern]
    complements: tuple[tuple[Pattern, Pattern], ...]


@cache
def families(axes: frozenset[Axes]) -> tuple[Family, ...]:
    """The families of tables with these axes: variables that say something of one another, then each three of which
    every two share a table, then tables of two that are in no such three."""
    named = sorted(axes, key=_name)  # the same order in every process, so that the same numbers are withheld
    groups = [*_related([of[0] for of in named if len(of) == 1]), *_triples([of for of in named if len(of) == 2])]
    return tuple(_family(tuple(sorted(group, key=_name))) for group in groups)


def _name(axes: Axes) -> tuple[int, str]:
    return len(axes), "-".join(variable.id for variable in axes)


def _family(axes: tuple[Axes, ...]) -> Family:
    relations = tuple(relations_among(axes))
    patterns = frozenset(pattern for relation in relations for _, pattern in relation.terms)
    complements = [*_complements(axes), *([(U3_ALL, U4_ALL)] if WHOLES <= patterns else [])]
    return Family(axes, relations, patterns, tuple(dict.fromkeys(complements)))


def _related(variables: Collection[Variable]) -> Iterator[list[Axes]]:
    """Variables of which relations tell something beyond the whole, in groups."""
    left = sorted(variables, key=lambda variable: variable.id)
    alone = {variable: _patterns_of([variable]) for variable in left}
    while left:
        group = [left.pop(0)]
        for variable in group:
            for other in [other for other in left if _are_related(variable, other, alone)]:
                left.remove(other)
                group.append(other)
        yield [(variable,) for variable in group]


def _patterns_of(variables: Collection[Variable]) -> set[Relation]:
    return set(relations_among([(variable,) for variable in variables]))


def _are_related(one: Variable, other: Variable, alone: dict[Variable, set[Relation]]) -> bool:
    if one.base != other.base:
        return False
    shares = one.of_referral and other.of_referral or one.base != "U4"
    return shares or bool(_patterns_of([one, other]) - alone[one] - alone[other])


def _triples(pairs: Collection[Axes]) -> Iterator[list[Axes]]:
    tables = {frozenset(pair): pair for pair in pairs}
    variables = sorted({variable for pair in pairs for variable in pair}, key=lambda variable: variable.id)
    left = dict(tables)
    for three in combinations(variables, 3):
        sides = [frozenset(side) for side in combinations(three, 2)]
        if all(side in tables for side in sides):
            yield [*((variable,) for variable in three), *(tables[side] for side in sides)]
            for side in sides:
                left.pop(side, None)
    for pair in left.values():
        yield [(pair[0],), (pair[1],), pair]


def _complements(axes: Collection[Axes]) -> Iterator[tuple[Pattern, Pattern]]:
    """Whom a question was not put to, or who has no referral; and all that lack one option of several, or one kind of
    referral."""
    for variables in axes:
        for variable in variables:
            others = [other for other in variables if other is not variable]
            for row in [[(other, code)] for other in others for code in (TOTAL, *other.codes)] or [[]]:
                asked = cell(*row, (variable, TOTAL))
                whole = cell(*row) if row else Pattern(variable.base, ())
                if asked != whole and not (variable.of_referral and any(other.of_referral for other in others)):
                    yield whole, asked
                if variable.of_referral or CODE_LISTS[variable.id].multiple:
                    for code in variable.codes:
                        if (option := cell(*row, (variable, code))) != asked:
                            yield asked, option
