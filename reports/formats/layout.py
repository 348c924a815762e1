"""Owns how a published table is laid out: which dimensions stand in the rows, which in the columns. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.disclosure.protect import Value
from reports.published_table import CONTENTS_CODE, TIME, PublishedTable


@dataclass(frozen=True, slots=True)
class Layout:
    """The ids of the dimensions in the rows (stub) and in the columns (heading), the outermost first.

    It names every dimension of its table once, and is the order of all that is written of it.
    """

    stub: tuple[str, ...]
    heading: tuple[str, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        return self.stub + self.heading


def usual_layout(ids: Sequence[str]) -> Layout:
    """Class variables in the rows, contents and time in the columns; a table without class variables has its contents
    in the rows, since readers of files and browsers expect both to be there."""
    classes = tuple(name for name in ids if name not in (CONTENTS_CODE, TIME))
    return Layout(classes, (CONTENTS_CODE, TIME)) if classes else Layout((CONTENTS_CODE,), (TIME,))


def values_in(table: PublishedTable, layout: Layout) -> list[Value]:
    """Every value of the table, row-major over the layout's dimensions."""
    places: dict[str, range] = {}  # where the codes of a dimension lie in table.values, relative to its first one
    step = 1
    for dimension in reversed(table.dimensions):
        places[dimension.id] = range(0, step * len(dimension.codes), step)
        step *= len(dimension.codes)
    offsets = [0]
    for name in layout.ids:
        offsets = [offset + place for offset in offsets for place in places[name]]
    return [table.values[offset] for offset in offsets]
