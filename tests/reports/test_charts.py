"""Drawings: they say what the values say, hold nothing a strict page refuses, and can be told apart without colour."""

import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import charts
from reports.charts import Bar, Line, Parts

SVG = "{http://www.w3.org/2000/svg}"
ROWS = (Bar("Riskerar att dras in", 1234, "1\u00a0234"), Bar("Barn kan fara illa", 617, "617"), Bar("Annat", 0, "0"))
WEEKS = tuple(f"v. {n} 2026" for n in range(1, 54))
SERIES = (
    Line("Alla kontakter", tuple(n % 7 + 2 for n in range(53)), strong=False),
    Line("Verksamhetsrelevanta", tuple(n % 5 for n in range(53)), strong=True),
)


REASONS = ("Ej frågat", "Inringaren vet inte", "Ville inte svara")
QUESTIONS = (
    Parts("Län", (5, 3, 1), 10, "90 %"),
    Parts("Behov", None, 0, "för få"),
    Parts("Språk", (0, 2, 0), 4, "50 %"),
)


def read(drawn: str) -> ElementTree.Element:
    return ElementTree.fromstring(drawn)  # noqa: S314 (our own drawing)


def draw_bars(rows=ROWS, name="concerns") -> ElementTree.Element:
    return read(charts.bars(name=name, title="Typ av oro", description="Störst först", rows=rows))


def draw_lines(series=SERIES, labels=WEEKS, wide=True, thousands="\u00a0") -> ElementTree.Element:
    drawn = charts.lines(
        name="weeks",
        title="Kontakter per vecka",
        description="53 veckor",
        labels=labels,
        series=series,
        thousands=thousands,
        wide=wide,
    )
    return read(drawn)


def draw_shares(rows=QUESTIONS) -> ElementTree.Element:
    drawn = charts.shares(name="silent", title="Utan svar", description="Tre frågor", legend=REASONS, rows=rows)
    return read(drawn)


def parts_drawn(drawing: ElementTree.Element) -> list[tuple[float, float, float, str]]:
    """(y, from, length, colour) of each part, from above and from the left."""
    found = []
    for path in drawing.iter(f"{SVG}path"):
        if place := re.fullmatch(r"M([\d.]+),([\d.]+)h([\d.]+)v[\d.]+h[-\d.]+Z", path.attrib["d"]):
            found.append((float(place[2]), float(place[1]), float(place[3]), path.attrib["fill"]))
    return sorted(found)


def texts(drawing: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in drawing.iter(f"{SVG}text")]


def bar_lengths(drawing: ElementTree.Element) -> list[float]:
    paths = [path.attrib["d"] for path in drawing.iter(f"{SVG}path")]
    return [float(re.fullmatch(r"M0,[\d.]+h([\d.]+)v[\d.]+h[-\d.]+Z", path)[1]) for path in paths]


def series_paths(drawing: ElementTree.Element) -> list[ElementTree.Element]:
    return [path for path in drawing.iter(f"{SVG}path") if path.attrib["d"].count("L") > 1]


def heights(path: ElementTree.Element) -> list[float]:
    return [float(y) for y in re.findall(r",([\d.]+)", path.attrib["d"])]


# --- what a drawing says ---------------------------------------------------------------------------------------------


def test_a_bar_is_as_long_as_its_value_and_carries_it_in_words():
    drawing = draw_bars()
    longest, half, none = bar_lengths(drawing)
    assert half == pytest.approx(longest / 2, abs=0.1)
    assert none == 0
    assert texts(drawing) == [row.label for row in ROWS] + [row.figure for row in ROWS]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=6))
def test_bars_of_any_values_keep_their_proportions_within_the_drawing(values):
    rows = tuple(Bar(f"kod {n}", value, str(value)) for n, value in enumerate(values))
    lengths = bar_lengths(draw_bars(rows))
    full = charts.WIDTH - charts.BESIDE_BAR
    assert lengths == pytest.approx([full * value / max([*values, 1]) for value in values], abs=0.06)


def test_each_whole_is_as_long_as_the_next_and_its_parts_lie_end_to_end():
    full = charts.WIDTH - charts.BESIDE_BAR
    one, two, three = charts.PART
    ys = sorted({y for y, *_ in parts_drawn(draw_shares())})
    first, third = ([part[1:] for part in parts_drawn(draw_shares()) if part[0] == y] for y in ys)
    assert first == [
        (0, 0.5 * full, one),
        (0.5 * full, pytest.approx(0.3 * full, abs=0.1), two),
        (0.8 * full, pytest.approx(0.1 * full, abs=0.1), three),
        (pytest.approx(0.9 * full, abs=0.1), pytest.approx(0.1 * full, abs=0.1), charts.GRID),
    ]
    assert third == [(0, full / 2, two), (full / 2, full / 2, charts.GRID)]


def test_where_there_is_no_whole_the_reason_stands_in_the_gap():
    drawing = draw_shares()
    places = {text.text: text.attrib["transform"] for text in drawing.iter(f"{SVG}text")}
    assert places["för få"].startswith("translate(0,")
    assert not places["90 %"].startswith("translate(0,")
    assert {*REASONS, *(row.label for row in QUESTIONS)} <= places.keys()


def test_more_parts_than_names_are_refused():
    with pytest.raises(ValueError, match="zip"):
        draw_shares((Parts("Län", (1, 1, 1, 1), 10, "40 %"),))


def test_a_line_runs_through_its_values_in_order():
    quiet, strong = series_paths(draw_lines())
    for path, line in ((quiet, SERIES[0]), (strong, SERIES[1])):
        drawn = heights(path)
        step = (charts.PLOT - drawn[1]) / line.values[1]
        assert drawn == pytest.approx([charts.PLOT - step * n for n in line.values], abs=0.3)


def test_both_lines_share_one_scale_from_zero():
    drawing = draw_lines(series=(Line("a", (8, 4), strong=False), Line("b", (4, 2), strong=True)), labels=("1", "2"))
    paths = [
        p.attrib["d"] for p in drawing.iter(f"{SVG}path") if re.fullmatch(r"M0,[\d.]+L[\d.]{3,},[\d.]+", p.attrib["d"])
    ]
    points = [[float(y) for y in re.findall(r",([\d.]+)", path)] for path in paths]
    assert points == [[0, 90], [90, 135]]
    assert "0" in texts(drawing)


def test_lines_that_are_all_zero_lie_on_the_axis():
    nothing = tuple(Line(line.label, (0,) * 53, line.strong) for line in SERIES)
    assert {y for path in series_paths(draw_lines(series=nothing)) for y in heights(path)} == {float(charts.PLOT)}


def test_a_scale_in_thousands_is_written_as_the_language_does():
    many = (Line("a", (4000, 8000), strong=True),)
    assert "4\u00a0000" in texts(draw_lines(series=many, labels=("1", "2")))
    assert "4,000" in texts(draw_lines(series=many, labels=("1", "2"), thousands=","))


@pytest.mark.parametrize("wide", [True, False])
def test_the_last_label_always_stands_at_the_axis_and_no_two_labels_touch(wide):
    drawing = draw_lines(wide=wide)
    assert WEEKS[-1] in texts(drawing)
    at = [text for text in drawing.iter(f"{SVG}text") if text.text in WEEKS]
    places = sorted(float(re.match(r"translate\(([\d.]+)", text.attrib["transform"])[1]) for text in at)
    assert len(places) >= 4
    assert min(b - a for a, b in zip(places, places[1:], strict=False)) > 75  # a label is about 68 wide


def test_a_series_that_lacks_a_value_is_refused():
    with pytest.raises(ValueError, match="zip"):
        draw_lines(series=(Line("a", (1, 2), strong=True),), labels=("1", "2", "3"))


# --- who can read it -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("drawing", [draw_bars, draw_lines, draw_shares])
def test_a_drawing_is_one_image_with_a_name_and_a_description(drawing):
    root = drawing()
    ids = {element.attrib["id"]: element.text for element in root.iter() if "id" in element.attrib}
    assert root.attrib["role"] == "img"
    assert [ids[each] for each in root.attrib["aria-labelledby"].split()] == list(ids.values())
    assert len(ids) == 2
    assert all(ids.values())


def test_two_drawings_of_one_page_share_no_id():
    def ids(name):
        return {element.attrib["id"] for element in draw_bars(name=name).iter() if "id" in element.attrib}

    assert not ids("concerns") & ids("caller-role")
    assert ids("concerns") & ids("concerns")


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast_to_white(colour: str) -> float:
    return 1.05 / (luminance(colour) + 0.05)


def test_what_carries_meaning_stands_out_from_white():
    colours = {
        e.attrib[a]
        for d in (draw_bars(), draw_lines(), draw_shares())
        for e in d.iter()
        for a in ("fill", "stroke")
        if a in e.attrib
    }
    meaningful = colours - {charts.GRID, "none", "#ffffff"}
    assert {charts.STRONG, charts.QUIET, charts.TEXT} <= meaningful
    assert all(contrast_to_white(colour) >= 3 for colour in meaningful)
    assert contrast_to_white(charts.TEXT) >= 4.5
    assert contrast_to_white(charts.GRID) < 3  # the measure does tell light from dark


def test_neighbouring_parts_differ_in_lightness_and_white_parts_them():
    lightness = [contrast_to_white(colour) for colour in charts.PART]
    assert all(max(a, b) / min(a, b) > 2 for a, b in zip(lightness, lightness[1:], strict=False))
    assert contrast_to_white(charts.STRONG) / contrast_to_white(charts.QUIET) < 2  # the measure can fail
    bars = [path for path in draw_shares().iter(f"{SVG}path") if path.attrib["fill"] in charts.PART]
    assert all(path.attrib["stroke"] == "#ffffff" for path in bars)


def test_lines_differ_in_more_than_colour_and_the_legend_shows_it():
    drawing = draw_lines()
    quiet, strong = series_paths(drawing)
    assert "stroke-dasharray" in quiet.attrib
    assert "stroke-dasharray" not in strong.attrib
    assert float(strong.attrib["stroke-width"]) > float(quiet.attrib["stroke-width"])
    samples = [p for p in drawing.iter(f"{SVG}path") if p.attrib["d"].count("L") == 1]
    assert [("stroke-dasharray" in sample.attrib) for sample in samples] == [True, False]
    assert {line.label for line in SERIES} <= set(texts(drawing))


# --- what a strict page lets through ---------------------------------------------------------------------------------


@pytest.mark.parametrize("drawing", [draw_bars, draw_lines, draw_shares])
def test_a_drawing_holds_no_style_no_script_and_no_address(drawing):
    for element in drawing().iter():
        assert element.tag.removeprefix(SVG) in charts.TAGS | {"svg", "title", "desc"}
        names = element.attrib.keys() - charts.ATTRIBUTES
        assert names <= {"class", "viewBox", "role", "aria-labelledby", "id", "font-family"}
        assert not any("url(" in value or "//" in value for value in element.attrib.values())


def test_what_a_page_must_not_hold_is_cut_out_of_a_drawing():
    wanted = '<path d="M0,0" fill="red" style="fill:red" onload="x()"/>'
    raw = read(f'<g style="x">{wanted}<script>x()</script><image href="//x"/></g>')
    (kept,) = charts._slim(raw)
    assert ElementTree.tostring(kept) == b'<path d="M0,0" fill="red" />'


def test_a_label_cannot_become_markup():
    label = "<script>\"&'</script>"
    drawn = charts.bars(name="x", title=label, description=label, rows=(Bar(label, 1, "1"),))
    assert "<script" not in drawn
    root = read(drawn)
    assert label in texts(root)
    assert root.find(f"{SVG}title").text == root.find(f"{SVG}desc").text == label


# --- what it costs ---------------------------------------------------------------------------------------------------


def test_a_drawing_is_small():
    rows = tuple(Bar(f"En mottagare med ett ganska långt namn {n}", n, str(n)) for n in range(15))
    assert len(charts.bars(name="x", title="t", description="d", rows=rows).encode()) < 6000
    assert len(ElementTree.tostring(draw_lines())) < 6000


def test_the_same_values_are_drawn_once():
    def drawn():
        return charts.bars(name="once", title="t", description="d", rows=ROWS)

    before = charts.bars.cache_info()
    assert drawn() is drawn()
    after = charts.bars.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 1)


def test_a_process_that_draws_nothing_does_not_load_the_drawing_library():
    look = "import sys, reports.charts as c; print('vl_convert' in sys.modules); {}; print('vl_convert' in sys.modules)"
    draw = "c.bars(name='x', title='t', description='d', rows=(c.Bar('a', 1, '1'),))"
    for then, loaded in (("pass", "False"), (draw, "True")):
        ran = subprocess.run([sys.executable, "-c", look.format(then)], capture_output=True, text=True, check=True)
        assert ran.stdout.split() == ["False", loaded]
