"""Owns what a figure is, when its limit is missed, and how the figures are told. Pure."""

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

COMPARE = {"<=": operator.le, ">=": operator.ge}


class BrokenMeasure(Exception):
    """A measure that measured nothing: an error, no saves, or a result that is not the right one."""


@dataclass(frozen=True)
class Figure:
    """One ratio or count. `must` and `aim` are "<= 3" or ">= 0.25", or empty where the figure only informs.

    `how` names the measure, as in `tests.bench.pages:overview`, which may give several figures at once.
    """

    name: str
    must: str
    aim: str
    how: str
    what: str


@dataclass(frozen=True)
class Result:
    """What a figure came to; None where its measure broke, which `why` tells. One that is not required never fails."""

    figure: Figure
    value: float | None
    why: str = ""
    is_required: bool = True

    @property
    def verdict(self) -> str:
        """`BROKEN`, `MISSED` its must, both in small letters where they are not required; `ok`, `aim` where that is
        reached too; empty for a figure that only informs."""
        if self.value is None:
            return "BROKEN" if self.is_required else "broken"
        if not self.figure.must:
            return ""
        if not holds(self.value, self.figure.must):
            return "MISSED" if self.is_required else "missed"
        return "aim" if holds(self.value, self.figure.aim) else "ok"

    @property
    def is_failure(self) -> bool:
        return self.verdict in ("BROKEN", "MISSED")


def holds(value: float, limit: str) -> bool:
    """Whether a value keeps a limit such as "<= 3"."""
    sign, bound = limit.split()
    return COMPARE[sign](value, float(bound))


def ratio(of: Iterable[float], to: Iterable[float]) -> float:
    """The median of the ratios of rounds that ran in turn: what slows the machine for a while slows both sides.

    Raises BrokenMeasure where a round measured nothing.
    """
    pairs = list(zip(of, to, strict=True))
    if not pairs or any(value <= 0 for pair in pairs for value in pair):
        raise BrokenMeasure("a round measured nothing")
    return median(a / b for a, b in pairs)


def rounded(value: float) -> float:
    return round(value, 3 if abs(value) < 10 else 1)


def table(results: Iterable[Result], scope: str) -> str:
    """The figures for a person."""
    rows = [("figure", "value", "must", "aim", "", "what")]
    for result in results:
        value = "-" if result.value is None else f"{rounded(result.value):g}"
        figure = result.figure
        rows.append((figure.name, value, figure.must, figure.aim, result.verdict, result.why or figure.what))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[5]]) for row in rows
    ]
    return "\n".join([f"scope: {scope} (contacts, big : small)", *lines])


def as_json(results: Iterable[Result], scope: str) -> Mapping[str, Any]:
    """The figures for a program; the value of a broken measure is null."""
    return {
        result.figure.name: {
            "value": None if result.value is None else rounded(result.value),
            "must": result.figure.must,
            "aim": result.figure.aim,
            "scope": scope,
        }
        for result in results
    }
