"""Owns the drawings: values and texts become a Vega-Lite spec, and the spec an SVG that a page or a PDF can hold.

Pure: the same values give the same drawing, so each is drawn once. A drawing is never the only place of a figure: the
table stands beside it. Nothing in it needs a style attribute, a script or an address, so the page's policy holds.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

# Each at least 3:1 against white (WCAG 1.4.11); lines differ by dash and width as well, so colour is never alone.
TEXT, STRONG, QUIET, GRID = "#1b1e23", "#4a52b6", "#5f6165", "#ddddde"
PART = (STRONG, "#909094", TEXT)  # neighbours differ in lightness

WIDTH, WIDE = 360, 760  # in units that are about a pixel: a phone's column, a desk's
PANEL = 248  # four of them stand side by side on a desk
ROW, BAR = 38, 14  # height of a bar's row and of the bar itself; the label stands above the bar, however long
LETTERS = 13  # font size
BESIDE_BAR = 72  # room for the figure after the longest bar
PLOT = 180  # height of the field in which lines run
LEFT, RIGHT, BELOW = 40, 36, 26  # room for the scale, for half of the last label, for the labels

TAGS = frozenset({"g", "path", "line", "rect", "text"})
ATTRIBUTES = frozenset(
    {"d", "transform", "x", "y", "x2", "y2", "width", "height", "fill", "stroke", "stroke-width", "stroke-dasharray"}
    | {"text-anchor", "font-size", "font-weight"}
)
DEFAULTS = {("transform", "translate(0,0)"), ("text-anchor", "start")}
DEFAULTS |= {("stroke-width", "1"), ("stroke-dasharray", "1,0"), ("font-size", f"{LETTERS}px")}


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, its value, and the value as the reader's language writes it. `quiet` draws it in grey.

    A value that is hidden is None: no bar, not even one of length zero, and `figure` stands in its gap.
    """

    label: str
    value: int | None
    figure: str
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Parts:
    """One whole as a bar of full length: its label, the parts of it that are drawn, and the figure beside it.

    Where there is no whole to show, `parts` is None: no bar, and `figure` stands in its gap.
    """

    label: str
    parts: tuple[int, ...] | None
    whole: int
    figure: str


@dataclass(frozen=True, slots=True)
class Line:
    """One series, with a value for each label of the axis. `strong` draws it solid and bold, else dashed and grey."""

    label: str
    values: tuple[int, ...]
    strong: bool


@lru_cache(maxsize=256)
def bars(
    *, name: str, title: str, description: str, rows: tuple[Bar, ...], longest: int = 1, width: int = WIDTH
) -> str:
    """Horizontal bars from zero, one row each, in the order given. `name` starts its ids, unique on the page.

    `longest` is the value that fills the width, if no bar is longer: drawings side by side then share one scale.
    """
    return _svg(name, title, description, bars_spec(rows, longest, width))


@lru_cache(maxsize=256)
def lines(
    *,
    name: str,
    title: str,
    description: str,
    labels: tuple[str, ...],
    series: tuple[Line, ...],
    thousands: str,
    wide: bool,
) -> str:
    """Lines from zero over equal steps. `thousands` parts the digits of the scale; `name` starts its ids."""
    return _svg(name, title, description, lines_spec(labels, series, wide=wide), thousands)


@lru_cache(maxsize=256)
def shares(*, name: str, title: str, description: str, legend: tuple[str, ...], rows: tuple[Parts, ...]) -> str:
    """Bars of one length, one row each, in the order given, each with its parts named by `legend`, at most three."""
    return _svg(name, title, description, shares_spec(legend, rows))


def bars_spec(rows: Sequence[Bar], longest: int = 1, width: int = WIDTH) -> dict[str, Any]:
    """The Vega-Lite spec of `bars`."""
    values = [
        {"row": n, "label": bar.label, "n": bar.value, "figure": bar.figure, "fill": QUIET if bar.quiet else STRONG}
        for n, bar in enumerate(rows)
    ]
    longest = max([bar.value for bar in rows if bar.value is not None] + [longest])
    by_row = {"field": "row", "type": "ordinal", "axis": None, "scale": {"padding": 0}}
    by_value = {"field": "n", "type": "quantitative", "axis": None}
    scale = {"domain": [0, longest], "nice": False, "range": [0, width - BESIDE_BAR]}
    text = {"type": "text", "align": "left", "baseline": "middle", "fontSize": LETTERS}
    figure = {"field": "figure"}
    shown, hidden = ({"transform": [{"filter": f"datum.n {sign} null"}]} for sign in ("!==", "==="))
    return _spec(width, ROW * len(rows)) | {
        "data": {"values": values},
        "encoding": {"y": by_row},
        "layer": [
            shown
            | {
                "mark": {"type": "bar", "height": BAR, "yOffset": 10},
                "encoding": {
                    "x": by_value | {"scale": scale},
                    "color": {"field": "fill", "type": "nominal", "scale": None},
                },
            },
            {"mark": text | {"yOffset": -8}, "encoding": {"text": {"field": "label"}, "x": {"value": 0}}},
            shown
            | {
                "mark": text | {"yOffset": 10, "dx": 6, "fontWeight": 600},
                "encoding": {"text": figure, "x": by_value},
            },
            hidden
            | {
                "mark": text | {"yOffset": 7, "color": QUIET},
                "encoding": {"text": figure, "x": {"value": 0}},
            },
        ],
    }


def shares_spec(legend: Sequence[str], rows: Sequence[Parts]) -> dict[str, Any]:
    """The Vega-Lite spec of `shares`."""
    full, above = WIDTH - BESIDE_BAR, 20 * len(legend) + 8
    places = [
        {"row": n, "label": row.label, "figure": row.figure, "whole": row.parts is not None}
        for n, row in enumerate(rows)
    ]
    along = {"type": "quantitative", "axis": None, "scale": {"domain": [0, 1], "nice": False, "range": [0, full]}}
    text = {"type": "text", "align": "left", "baseline": "middle", "fontSize": LETTERS}
    names = {"orient": "none", "legendX": 0, "legendY": -above, "direction": "vertical", "values": list(legend)}
    names |= {"symbolType": "square", "symbolSize": 160, "symbolStrokeWidth": 0}
    color = {"domain": [*legend, ""], "range": [*PART[: len(legend)], GRID]}
    figure = {"field": "figure"}
    shown, none = ({"transform": [{"filter": f"datum.whole === {whole}"}]} for whole in ("true", "false"))
    return _spec(WIDTH, ROW * len(rows)) | {
        "padding": {"left": 0, "right": 0, "top": above, "bottom": 0},
        "data": {"values": places},
        "encoding": {"y": {"field": "row", "type": "ordinal", "axis": None, "scale": {"padding": 0}}},
        "layer": [
            {
                "data": {"values": _ends(legend, rows)},
                "mark": {"type": "bar", "height": BAR, "yOffset": 10, "stroke": "#ffffff"},
                "encoding": {
                    "x": along | {"field": "from"},
                    "x2": {"field": "to"},
                    "color": {"field": "part", "type": "nominal", "scale": color, "legend": names},
                },
            },
            {"mark": text | {"yOffset": -8}, "encoding": {"text": {"field": "label"}, "x": {"value": 0}}},
            shown
            | {
                "mark": text | {"yOffset": 10, "fontWeight": 600},
                "encoding": {"text": figure, "x": {"value": full + 6}},
            },
            none | {"mark": text | {"yOffset": 10, "color": QUIET}, "encoding": {"text": figure, "x": {"value": 0}}},
        ],
    }


def _ends(legend: Sequence[str], rows: Sequence[Parts]) -> list[dict[str, Any]]:
    """Where each part begins and ends, as a share of its whole; the unnamed rest of it is the last."""
    return [
        {"row": n, "part": part, "from": start / row.whole, "to": end / row.whole}
        for n, row in enumerate(rows)
        if row.parts is not None
        for part, (start, end) in zip(
            (*legend, ""), pairwise(accumulate((*row.parts, row.whole - sum(row.parts)), initial=0)), strict=True
        )
        if end > start
    ]


def lines_spec(labels: Sequence[str], series: Sequence[Line], *, wide: bool) -> dict[str, Any]:
    """The Vega-Lite spec of `lines`. Only every so many of the labels, which must differ, stand at the axis: those
    that fit, counted back from the last."""
    every, above = (8, 30) if wide else (17, 48)
    values = [
        {"label": label, "n": n, "line": line.label}
        for line in series
        for label, n in zip(labels, line.values, strict=True)
    ]
    highest = max([n for line in series for n in line.values] + [4])
    order = [line.label for line in series]
    legend = {"orient": "none", "legendX": 0, "legendY": -above - 6, "direction": "horizontal" if wide else "vertical"}
    return _spec((WIDE if wide else WIDTH) - LEFT - RIGHT, PLOT) | {
        "padding": {"left": LEFT, "right": RIGHT, "top": above + 14, "bottom": BELOW},
        "data": {"values": values},
        "mark": {"type": "line"},
        "encoding": {
            "x": {
                "field": "label",
                "type": "ordinal",
                "sort": None,
                "scale": {"type": "point", "padding": 0},
                "axis": {"values": list(labels[::-every][::-1]), "grid": False, "labelAngle": 0},
            },
            "y": {
                "field": "n",
                "type": "quantitative",
                "scale": {"domain": [0, highest]},
                "axis": {"tickCount": 4, "tickMinStep": 1, "format": ",d", "domain": False, "ticks": False},
            },
            "color": _by_line(order, [STRONG if line.strong else QUIET for line in series]) | {"legend": legend},
            "strokeDash": _by_line(order, [[1, 0] if line.strong else [5, 3] for line in series]),
            "strokeWidth": _by_line(order, [2.5 if line.strong else 1.75 for line in series]),
        },
    }


def _by_line(order: list[str], channel: list[Any]) -> dict[str, Any]:
    return {"field": "line", "type": "nominal", "scale": {"domain": order, "range": channel}}


def _spec(width: int, height: int) -> dict[str, Any]:
    """What every drawing has in common: a fixed size that no font on the server can change."""
    axis = {"title": None, "labelFontSize": LETTERS, "labelColor": TEXT, "labelPadding": 6, "gridColor": GRID}
    return {
        "width": width,
        "height": height,
        "padding": 0,
        "autosize": "none",
        "background": None,
        "config": {
            "view": {"stroke": None},
            "text": {"color": TEXT},
            "axis": axis | {"domainColor": QUIET, "tickColor": QUIET},
            "legend": {"title": None, "labelFontSize": LETTERS, "labelColor": TEXT, "labelLimit": 0}
            | {"symbolType": "stroke", "symbolSize": 576, "columnPadding": 28, "rowPadding": 4},
        },
    }


def _svg(name: str, title: str, description: str, spec: Mapping[str, Any], thousands: str = "") -> str:
    # Imported here: it takes a second and 90 MB, which only a process that draws should pay.
    import vl_convert

    digits = {"decimal": ".", "thousands": thousands, "grouping": [3], "currency": ["", ""]}
    drawn = vl_convert.vegalite_to_svg(dict(spec), format_locale=digits, allowed_base_urls=[])
    root = ElementTree.fromstring(drawn.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1))  # noqa: S314 (our own)
    body = "".join(ElementTree.tostring(part, encoding="unicode") for child in root for part in _slim(child))
    size = f"{root.attrib['width']} {root.attrib['height']}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {size}" role="img"'
        f' font-family="Inter,sans-serif" font-size="{LETTERS}"'
        f" aria-labelledby={quoteattr(f'{name}-title {name}-description')}>"
        f"<title id={quoteattr(f'{name}-title')}>{escape(title)}</title>"
        f"<desc id={quoteattr(f'{name}-description')}>{escape(description)}</desc>{body}</svg>"
    )


def _slim(element: ElementTree.Element) -> list[ElementTree.Element]:
    """The element with only what shows, by lists of what may stay: half the bytes, and no style, script or address
    can pass. Empty elements go, and a group without attributes gives way to its children."""
    children = [part for child in element for part in _slim(child)]
    kept = {
        key: re.sub(r"-?\d+\.\d+", lambda number: f"{round(float(number[0]), 1):g}", value)
        for key, value in element.attrib.items()
        if key in ATTRIBUTES and (key, value) not in DEFAULTS
    }
    if element.tag == "g" and (not kept or not children):
        return children
    shows = children or element.text or ("fill" in kept or "stroke" in kept)
    if element.tag not in TAGS or not shows:
        return []
    slim = ElementTree.Element(element.tag, kept)
    slim.text = element.text
    slim.extend(children)
    return [slim]
