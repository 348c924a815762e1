"""Owns the order of a run: the stage first, then each measure once, whatever becomes of the others."""

import pkgutil
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from django.core.management import call_command

from tests.bench.limits import BrokenMeasure, Figure, Result
from tests.bench.stage import SCOPES, Stage
from tests.testservices import Server


def play(
    postgres: Server, scope: str, figures: Sequence[Figure], *, say: Callable[[str], None]
) -> tuple[list[Result], str]:
    """The figures' results, in their order, and the numbers of contacts that they were taken on."""
    stage = Stage(postgres, SCOPES[scope], say)
    call_command("collectstatic", interactive=False, verbosity=0)
    stage.set()
    results = measure(figures, stage, say=say)
    stage.close()
    return results, str(stage.scope)


def measure(figures: Sequence[Figure], stage: Any, *, say: Callable[[str], None]) -> list[Result]:
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
    return [_result(figure, found, broken) for figure in figures]


def _result(figure: Figure, found: dict[str, float], broken: dict[str, str]) -> Result:
    why = broken.get(figure.how, "" if figure.name in found else "the measure does not give this figure")
    return Result(figure, None if why else found[figure.name], why)
