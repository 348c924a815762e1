"""Owns how published or prepared values become what a page shows: rows of texts, and drawings of the same values.

A hidden value is written `..` and drawn as a gap; shares are computed from shown values only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from reports import charts
from reports.catalogue import TOTAL, UNKNOWN, Table, Variable
from reports.counting import REFERRALS
from reports.disclosure.protect import HIDDEN, Value
from reports.periods import Period
from reports.published_table import CONTENTS_CODE, TIME, code_label, dimension_label

ValueAt = Callable[[tuple[str, ...], str, Period], Value]  # codes of the variables, contents code, period


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its label, its cells as text, and what it is of: a period, the total, the non-answers or a code."""

    label: str
    cells: tuple[str, ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table as a page shows it. `drawings` are (heading, SVG), not of referrals; none where all values are hidden.

    `share` says that the last column is a share of the first row, in the last period; `rate`, that it is the share of
    calls that were answered, of each period.
    """

    id: str
    unit: str
    corner: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    drawings: tuple[tuple[str, str], ...]
    share: bool = False
    rate: bool = False
    crossed: bool = False

    @property
    def is_wholly_hidden(self) -> bool:
        return all(cell == HIDDEN.value for row in self.rows for cell in row.cells)


def sheets(table: Table, periods: Sequence[Period], value: ValueAt) -> list[Sheet]:
    """What to show of a table: a two-way table has its last period only, the others every one of `periods`."""
    if not table.variables:
        return [_totals(table, periods, value)]
    make = _crossed if len(table.variables) > 1 else _by_period
    return [make(table, contents, periods, value) for contents in table.contents]


def number(n: int) -> str:
    return str(number_format(n, force_grouping=True))


def text(value: Value) -> str:
    return HIDDEN.value if value is HIDDEN else number(value)


def language() -> str:
    return get_language() or ""


def capitalised(label: str) -> str:
    return label[:1].upper() + label[1:]


def _totals(table: Table, periods: Sequence[Period], value: ValueAt) -> Sheet:
    rows = tuple(
        Row(
            capitalised(period.label(language())),
            _total_cells(table, period, value),
            "by-period",
        )
        for period in periods
    )
    heads = tuple(code_label(table, CONTENTS_CODE, name, language()) for name in table.contents)
    if table.counts_calls:
        heads += (gettext("Answer rate"),)
    first = table.contents[0]
    drawn = [(row.label, value((), first, period), False) for row, period in zip(rows, periods, strict=True)]
    return Sheet(
        id=first,
        unit=heads[0],
        corner=capitalised(dimension_label(table, TIME, language())),
        heads=heads,
        rows=rows,
        drawings=_drawings([("", drawn)], first, heads[0]),
        rate=table.counts_calls,
    )


def _total_cells(table: Table, period: Period, value: ValueAt) -> tuple[str, ...]:
    cells = tuple(text(value((), name, period)) for name in table.contents)
    if not table.counts_calls:
        return cells
    answered, unanswered = value((), "besvarade", period), value((), "avbrutna", period)
    while_open = HIDDEN if answered is HIDDEN or unanswered is HIDDEN else answered + unanswered
    return (*cells, share(answered, while_open))


def _by_period(table: Table, contents: str, periods: Sequence[Period], value: ValueAt) -> Sheet:
    (variable,) = table.variables
    last, codes = periods[-1], (TOTAL, *variable.codes)
    total = value((TOTAL,), contents, last)
    rows = tuple(
        Row(
            _label(table, variable, code),
            (
                *(text(value((code,), contents, period)) for period in periods),
                share(value((code,), contents, last), total),
            ),
            _place(code),
        )
        for code in codes
    )
    unit = code_label(table, CONTENTS_CODE, contents, language())
    drawn = [(_label(table, variable, c), value((c,), contents, last), c == UNKNOWN) for c in variable.codes]
    return Sheet(
        id=contents,
        unit=unit,
        corner=capitalised(dimension_label(table, variable.id, language())),
        heads=(*(capitalised(period.label(language())) for period in periods), gettext("Share")),
        rows=rows,
        drawings=_drawings([(capitalised(last.label(language())), drawn)], contents, unit),
        share=True,
    )


def _crossed(table: Table, contents: str, periods: Sequence[Period], value: ValueAt) -> Sheet:
    down, across = table.variables
    last, columns = periods[-1], (TOTAL, *across.codes)
    rows = tuple(
        Row(
            _label(table, down, code),
            tuple(text(value((code, column), contents, last)) for column in columns),
            _place(code),
        )
        for code in (TOTAL, *down.codes)
    )
    groups = [
        (
            _label(table, down, code),
            [(_label(table, across, c), value((code, c), contents, last), c == UNKNOWN) for c in across.codes],
        )
        for code in down.codes
    ]
    unit = f"{code_label(table, CONTENTS_CODE, contents, language())}, {last.label(language())}"
    return Sheet(
        id=contents,
        unit=unit,
        corner=capitalised(dimension_label(table, down.id, language())),
        heads=tuple(_label(table, across, column) for column in columns),
        rows=rows,
        drawings=_drawings(groups, contents, unit),
        crossed=True,
    )


def _label(table: Table, variable: Variable, code: str) -> str:
    return code_label(table, variable.id, code, language())


def _place(code: str) -> str:
    return {TOTAL: "total", UNKNOWN: "unknown"}.get(code, "")


def share(part: Value, whole: Value) -> str:
    """A share of published values in whole per cent, at most 100: each value is rounded on its own, so that a part may
    be written larger than its whole. Hidden where one of them is."""
    if part is HIDDEN or whole is HIDDEN:
        return HIDDEN.value
    return gettext("%(number)s%%") % {"number": number(min(100, (200 * part + whole) // (2 * whole)))}


Drawn = tuple[str, Value, bool]  # label, value, whether it is drawn in grey


def _drawings(groups: Sequence[tuple[str, Sequence[Drawn]]], name: str, title: str) -> tuple[tuple[str, str], ...]:
    """(heading, SVG) of each group, all on one scale; nothing where nothing is shown, and none of referrals, whose
    number looks much the same as that of the contacts."""
    shown = [value for _heading, drawn in groups for _label, value, _quiet in drawn if value is not HIDDEN]
    if not shown or name == REFERRALS:
        return ()
    width = charts.PANEL if len(groups) > 1 else charts.WIDTH
    return tuple(
        (heading, _bars(f"{name}-{n}", f"{title}, {heading}" if heading else title, drawn, max(shown), width))
        for n, (heading, drawn) in enumerate(groups)
    )


def _bars(name: str, title: str, drawn: Sequence[Drawn], longest: int, width: int) -> str:
    shown = [(value, label) for label, value, _quiet in drawn if value is not HIDDEN]
    said = {"shown": number(len(shown)), "all": number(len(drawn))}
    description = gettext("Bar chart: %(shown)s of %(all)s values are shown.") % said
    if shown:
        value, label = max(shown, key=lambda pair: pair[0])
        highest = gettext("Most: %(label)s, %(count)s.") % {"label": label, "count": number(value)}
        description = f"{description} {highest}"
    rows = tuple(
        charts.Bar(label, None if value is HIDDEN else value, text(value), quiet) for label, value, quiet in drawn
    )
    drawing = charts.bars(name=name, title=title, description=description, rows=rows, longest=longest, width=width)
    return SafeString(drawing)
