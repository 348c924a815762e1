"""Owns what a row file says of the sets of contacts that published numbers count: at least so many, at most so many.

Pure. Whoever has the file can count its rows, and is told in fives how many were left out.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from helpline.code_files import NOT_APPLICABLE
from reports.catalogue import TABLES, TOTAL, UNKNOWN
from reports.counting import CONTACTS, U4
from reports.disclosure.patterns import Pattern, pattern_of
from reports.disclosure.row_file import STEP
from reports.disclosure.row_variables import CONCERNS, HALVES, MAIN, MAINS, MORE, QUASIS, TIME, YES

YEAR = ""
ROUNDED_BY = 2  # rows that were left out may be so many more than is said

Place = tuple[tuple[str, str], ...]  # a cell of a table: its variables, each with a code
Margins = Mapping[Pattern, tuple[int, float]]


def margins(columns: tuple[str, ...], rows: Iterable[tuple[tuple[str, ...], int]], left_out: int) -> dict[str, Margins]:
    """By half-year (if the file tells them apart) and for the year: the least and the most contacts of each pattern.

    `rows` are distinct rows with how often each stands there. Codes are added up to the groups that tables use. Of a
    concern beside the main one nobody is told whether a row with several has it: such rows count for the most alone.
    """
    by_span: dict[str, tuple[Counter[Place], Counter[Place]]] = {}
    for row, n in rows:
        said = _said(dict(zip(columns, row, strict=True)))
        for span in {YEAR, said.get(TIME, YEAR)[4:]}:
            sure, possible = by_span.setdefault(span, (Counter(), Counter()))
            for side in SIDES:
                if all(_column(name) in said for name in side):
                    for place in _places(side, said):
                        sure[place] += n
                    for place in _places(side, said, others=True):
                        possible[place] += n
    return {span: dict(_bounds(*counts, left_out)) for span, counts in by_span.items()}


SIDES = {tuple(v.id for v in table.variables): table for table in TABLES.values() if table.base == U4}
GROUPS = MAINS[: MAINS.index(UNKNOWN)]


def _said(row: dict[str, str]) -> dict[str, str]:
    """What a row says, in every column that its own can be added up to."""
    said = dict(row)
    for quasi in QUASIS:
        finest = next((place for place, level in enumerate(quasi.levels) if level.column in row), None)
        for coarser in quasi.levels[finest + 1 :] if finest is not None else ():
            level = quasi.levels[finest or 0]
            if coarser.column and coarser.column not in said:
                pairs = zip(level.place_of, coarser.place_of, strict=True)
                codes = {level.codes[fine]: coarser.codes[coarse] for fine, coarse in pairs}
                said[coarser.column] = codes[row[level.column]]
    return said


def _column(variable: str) -> str:
    return MAIN if variable == CONCERNS else variable


def _places(side: tuple[str, ...], said: Mapping[str, str], *, others: bool = False) -> Iterator[Place]:
    """The cells of a table in which a row certainly lies; with `others`, those of concerns that it may have besides."""
    codes = [_codes(name, said, others=others and name == CONCERNS) for name in side]
    if not others or CONCERNS in side:
        for some in product(*codes):
            yield tuple(zip(side, some, strict=True))


def _codes(name: str, said: Mapping[str, str], *, others: bool) -> tuple[str, ...]:
    code = said[_column(name)]
    if code == NOT_APPLICABLE:
        return ()
    if not others:
        return (code, TOTAL)
    has_more = said.get(MORE) == YES and code in GROUPS
    return GROUPS[GROUPS.index(code) + 1 :] if has_more else ()


def _bounds(
    sure: Counter[Place], possible: Counter[Place], left_out: int
) -> Iterator[tuple[Pattern, tuple[int, float]]]:
    names = {name for place in sure for name, _ in place}
    for side, table in SIDES.items():
        if set(side) <= names:
            for codes in product(*((TOTAL, *variable.codes) for variable in table.variables)):
                place = tuple(zip(side, codes, strict=True))
                most = sure[place] + possible[place] + left_out + ROUNDED_BY
                # So many were left out at least; 5 is said of fewer too.
                floor = max(0, left_out - ROUNDED_BY) if not side and left_out > STEP else 0
                yield pattern_of(table, codes, CONTACTS), (sure[place] + floor, most)


def months_of(span: str) -> tuple[int, int]:
    """The months of the year that a span of `margins` covers, from 0, up to but not including the second."""
    return {YEAR: (0, 12), HALVES[0]: (0, 6), HALVES[1]: (6, 12)}[span]
