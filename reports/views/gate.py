"""Owns how the pages of releases tell what the gate found, and how far it is."""

from collections.abc import Mapping
from datetime import date

from django.utils.translation import gettext

from reports.forms import optional_pilot
from reports.models import GateRun
from reports.periods import PILOT, containing
from reports.release import GATE_PASSED, GATE_STANDING
from reports.views.sheets import language

Key = tuple[str, date, int]  # kind and start of the period, edition
Runs = Mapping[Key, GateRun]


def runs() -> Runs:
    return {(run.kind, run.start, run.edition): run for run in GateRun.objects.all()}


def under_way(runs: Runs) -> list[tuple[str, GateRun]]:
    """The runs that are not at their end, each with the name of its period; one that was lost is begun anew by the next
    round."""
    return [(_label(run), run) for run in runs.values() if run.done < run.of]


def verdict(said: str) -> str:
    """What a manifest says of the gate, in the reader's language."""
    return {
        GATE_PASSED: gettext("Passed: nothing that is published gives a small number away."),
        GATE_STANDING: gettext(
            "Passed. But what other releases show gives a small number away, with or without this one."
        ),
    }.get(said, gettext("Not run: it was published before there was an audit."))


def _label(run: GateRun) -> str:
    period = optional_pilot() if run.kind == PILOT else containing(run.kind, run.start)
    return period.label(language()) if period else run.kind
