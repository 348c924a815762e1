"""Owns the order of a run: the stage first, then each measure once, whatever becomes of the others."""

import pkgutil
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from django.core.management import call_command

from tests.bench.limits import BrokenMeasure, Figure, Result
from tests.bench.stage import SCOPES, Stage
from tests.bench.table import IN_GATE
from tests.testservices import Server


def play(
    postgres: Server, scope: str, figures: Sequence[Figure], *, say: Callable[[str], None]
) -> tuple[list[Result], str]:
    """The figures' results, in their order, and the numbers of contacts that they were taken on."""
    stage = Stage(postgres, SCOPES[scope], say)
    call_command("collectstatic", interactive=False, verbosity=0)
    stage.set()
    results = measure(figures, stage, say=say, required=IN_GATE if stage.scope.is_gate else None)
    stage.close()
    return results, str(stage.scope)


def measure(
    figures: Sequence[Figure], stage: Any, *, say: Callable[[str], None], required: frozenset[str] | None = None
) -> list[Result]:
    """The figures' results. Where only some are `required`, by name, as in the gate, what fails is measured once more:
    noise passes, what a change has made slow does not."""
    results = _once(figures, stage, say, required)
    failed = {result.figure.how for result in results if result.is_failure}
    if required is None or not failed:
        return results
    say(f"once more: {', '.join(result.figure.name for result in results if result.is_failure)}")
    again = _once([figure for figure in figures if figure.how in failed], stage, say, required)
    by_name = {result.figure.name: result for result in again}
    return [by_name.get(result.figure.name, result) for result in results]


def _once(
    figures: Sequence[Figure], stage: Any, say: Callable[[str], None], required: frozenset[str] | None
) -> list[Result]:
    """Call each measure once; one that fails breaks its own figures and no others."""
    found: dict[str, float] = {}
    broken: dict[str, str] = {}
    for how in dict.fromkeys(figure.how for figure in figures):
        began = time.monotonic()
        try:
            found |= pkgutil.resolve_name(how)(stage)
        except BrokenMeasure as error:
            broken[how] = str(error)
        except Exception as error:
            broken[how] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            say(traceback.format_exc())
        say(f"{how.rsplit('.')[-1]}: {time.monotonic() - began:.0f} s" + (f", {broken[how]}" if how in broken else ""))
    results = []
    for figure in figures:
        why = broken.get(figure.how, "" if figure.name in found else "the measure does not give this figure")
        is_required = required is None or figure.name in required
        results.append(Result(figure, None if why else found[figure.name], why, is_required))
    return results
