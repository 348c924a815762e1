"""The benchmarks measure what they say, and a measure that fails is never taken for a good one."""

import json
import os
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from reports import rebuilding
from tests.bench import busy, play, served
from tests.bench.__main__ import chosen, told
from tests.bench.limits import BrokenMeasure, Figure, Result, holds, ratio
from tests.bench.stage import SCOPES, Scope
from tests.bench.table import FIGURES, IN_GATE
from tests.testservices import NoServer

ROOT = Path(__file__).parent.parent.parent
HERE = __name__
RATE = Figure("save.rate", ">= 0.25", ">= 0.40", f"{HERE}:a_measure", "saves : pgbench")
PAGE = Figure("form.page", "<= 20", "<= 8", f"{HERE}:a_broken_measure", "form : five bytes")


def a_measure(stage: object) -> dict[str, float]:
    return {"save.rate": 0.3}


def a_broken_measure(stage: object) -> dict[str, float]:
    raise BrokenMeasure("nothing was saved")


def a_faulty_measure(stage: object) -> dict[str, float]:
    raise ZeroDivisionError("of a measure")


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.2, "MISSED"), (0.25, "ok"), (0.39, "ok"), (0.4, "aim"), (None, "BROKEN")]
)
def test_a_figure_says_whether_its_must_and_its_aim_are_reached(value, verdict):
    result = Result(RATE, value)
    assert result.verdict == verdict and result.is_failure == (verdict in ("MISSED", "BROKEN"))


def test_a_figure_without_a_must_informs_and_fails_only_when_it_is_broken():
    informs = Figure("overview.naive", "", "", "", "")
    assert not Result(informs, 700).is_failure and Result(informs, None).is_failure


def test_every_limit_can_be_read_and_no_aim_is_weaker_than_its_must():
    for figure in FIGURES:
        assert bool(figure.must) == bool(figure.aim), figure.name
        if figure.must:
            assert holds(float(figure.aim.split()[1]), figure.must), figure.name


def test_every_figure_has_a_name_of_its_own_and_stands_in_the_readme():
    names = [figure.name for figure in FIGURES]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(set(names)) == len(names)
    assert not [name for name in names if f"`{name}`" not in readme]


def test_a_ratio_is_the_median_of_the_rounds_that_ran_in_turn():
    assert ratio([2, 40, 3], [1, 10, 3]) == 2


@pytest.mark.parametrize(("of", "to"), [([], []), ([0], [1]), ([1], [0])])
def test_a_round_without_anything_measured_is_no_ratio(of, to):
    with pytest.raises(BrokenMeasure):
        ratio(of, to)


def test_what_is_measured_is_written_and_a_missed_must_ends_with_1(tmp_path, capsys):
    out = tmp_path / "var" / "bench.json"
    assert told([Result(RATE, 0.3)], "2000 : 200", out) == 0
    written = {"value": 0.3, "must": ">= 0.25", "aim": ">= 0.40", "scope": "2000 : 200"}
    assert json.loads(out.read_text(encoding="utf-8")) == {"save.rate": written}
    assert told([Result(RATE, 0.24)], "2000 : 200", out) == 1
    assert "failed: save.rate" in capsys.readouterr().out


def test_a_measure_that_fails_is_told_ends_with_1_and_breaks_no_other(tmp_path, capsys):
    said: list[str] = []
    faulty = Figure("freeze.month", "<= 1.5", "<= 1.1", f"{HERE}:a_faulty_measure", "")
    lacking = Figure("save.marked", ">= 0.9", ">= 0.95", f"{HERE}:a_measure", "")
    results = play.measure([PAGE, faulty, RATE, lacking], object(), say=said.append)
    assert [result.value for result in results] == [None, None, 0.3, None]
    assert [result.why for result in results[:2]] == ["nothing was saved", "ZeroDivisionError: of a measure"]
    assert told(results, "2000 : 200", tmp_path / "bench.json") == 1
    assert "nothing was saved" in capsys.readouterr().out and "ZeroDivisionError" in "".join(said)


def test_the_gate_tells_what_it_does_not_require_and_does_not_fail_for_it(tmp_path, capsys):
    results = [Result(RATE, 0.24, is_required=False), Result(PAGE, None, "nothing was saved", is_required=False)]
    assert [result.verdict for result in results] == ["missed", "broken"]
    assert told(results, "2000 : 200", tmp_path / "bench.json") == 0
    assert "missed" in capsys.readouterr().out


class Turns:
    """A stage on which a measure gives one value after the other."""

    def __init__(self, *values: float) -> None:
        self.values = list(values)


def a_measure_in_turn(stage: Turns) -> dict[str, float]:
    return {"save.rate": stage.values.pop(0)}


@pytest.mark.parametrize(
    ("values", "last"),
    [((0.1, 0.3), 0.3), ((0.1, 0.2), 0.2), ((0.3,), 0.3)],
    ids=["noise passes", "slow stays slow", "what holds is measured once"],
)
def test_the_gate_measures_once_more_what_failed(values, last):
    turns, figure = Turns(*values), Figure("save.rate", ">= 0.25", ">= 0.40", f"{HERE}:a_measure_in_turn", "")
    (result,) = play.measure([figure], turns, say=lambda text: None, required=frozenset({"save.rate"}))
    assert (result.value, turns.values, result.is_failure) == (last, [], last < 0.25)


def test_the_gate_measures_nothing_anew_that_it_does_not_require():
    turns, figure = Turns(0.1), Figure("save.rate", ">= 0.25", ">= 0.40", f"{HERE}:a_measure_in_turn", "")
    (result,) = play.measure([figure], turns, say=lambda text: None, required=frozenset())
    assert (result.value, result.is_failure) == (0.1, False)


def test_only_the_gate_leaves_a_figure_unrequired():
    turns, figure = Turns(0.1), Figure("save.rate", ">= 0.25", ">= 0.40", f"{HERE}:a_measure_in_turn", "")
    (result,) = play.measure([figure], turns, say=lambda text: None)
    assert result.is_failure and [scope for scope, it in SCOPES.items() if it.is_gate] == ["ci"]


def test_what_the_gate_requires_has_a_must_and_is_measured_there():
    names = (ROOT / ".ci" / "run").read_text(encoding="utf-8").split("bin/bench --scope=ci ")[1].split(" ||")[0].split()
    measured = {figure.name: figure.must for figure in chosen(names)}
    assert all(measured[name] for name in IN_GATE)


def test_a_name_that_means_no_figure_is_refused():
    assert [figure.name for figure in chosen(["freeze"])] == ["freeze.month"]
    with pytest.raises(NoServer, match="no figure speed"):
        chosen(["speed"])


@pytest.fixture
def phase(monkeypatch):
    """A busy phase beside two commands of Python, and with so many months that wait to be counted."""

    def phase(reading: str, counting: str, *, months: int = 9) -> served.Saved:
        commands = [sys.executable, "-c", reading], [sys.executable, "-c", counting]
        monkeypatch.setattr(busy, "_commands", lambda *_: commands)
        monkeypatch.setattr(rebuilding, "left", lambda: months)
        monkeypatch.setattr(busy, "LONGEST", 20 if months else 4)

        def save(*_: object, **__: object) -> served.Saved:
            time.sleep(0.5)
            return served.Saved(took=[0.01])

        monkeypatch.setattr(served, "save", save)
        stage = SimpleNamespace(scope=Scope("none", 10, 10), handlers=[], on=lambda _: nullcontext())
        return busy._phase(stage, 0, [], "", is_busy=True)

    return phase


ENDS, GOES_ON, FAILS = "import time; time.sleep(2)", "import time; time.sleep(60)", "raise SystemExit(1)"


def test_a_busy_phase_is_one_in_which_rows_were_read_out_and_days_counted(phase):
    assert phase(ENDS, GOES_ON).took
    assert phase(ENDS, ENDS).took


def test_saves_beside_nothing_are_no_measure_of_a_busy_phase(phase):
    for reading, counting, months in ((FAILS, GOES_ON, 9), (ENDS, FAILS, 9), (ENDS, GOES_ON, 0)):
        with pytest.raises(BrokenMeasure):
            phase(reading, counting, months=months)


def test_a_small_run_measures_saves_pages_and_counts_and_finds_them_right(tmp_path):
    out = tmp_path / "bench.json"
    names = ["save.rate", "overview.queries", "overview.whole", "form.page", "recompute", "rebuild", "freeze"]
    command = [sys.executable, "-m", "tests.bench", "--scope=smoke", f"--out={out}", *names]
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_XDIST_WORKER"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert {name for name, figure in figures.items() if figure["value"] is None} == set(), done.stdout
    assert figures["overview.queries"]["value"] <= 8
    assert not [name for name in names if not any(figure.startswith(name) for figure in figures)]
    missed = [name for name, it in figures.items() if it["must"] and not holds(it["value"], it["must"])]
    said = [line.removeprefix("failed: ") for line in done.stdout.splitlines() if line.startswith("failed: ")]
    assert said == ([", ".join(missed)] if missed else []), done.stdout
    assert done.returncode == (1 if missed else 0)
