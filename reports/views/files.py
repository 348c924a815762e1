"""Owns the page of row files: what each year has, how well it stands for what was logged, and where to fetch it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext

from helpline.access import StaffRequest, needs, only
from reports import grants, published_files
from reports.disclosure.row_variables import MAIN, MORE, QUASIS, labels
from reports.formats.rows import REFUSALS
from reports.views.sheets import language, number


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a file: its name, its column ("" where it is left out), and the share of its detail lost."""

    label: str
    column: str
    lost: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a page says of a file: figures with their names, and its variables."""

    figures: tuple[tuple[str, str], ...]
    variables: tuple[Variable, ...]


@needs("file.read")
@only("GET", "HEAD")
def index(request: StaffRequest) -> HttpResponse:
    """Every year that has a row file or is refused one, the newest first."""
    years = [
        (file, "" if file.refused else report(file.utility, file.columns), _why(file.refused))
        for file in reversed(published_files.files())
    ]
    may_fetch = grants.may_fetch(request.user, today=timezone.localdate())
    return render(request, "reports/files.html", {"years": years, "may_fetch": may_fetch})


def _why(refused: str) -> str:
    return REFUSALS[refused][words_in()] if refused else ""


def words_in() -> str:
    """The language of words that do not come from the translations."""
    return "sv" if language() == "sv" else "en"


def report(utility: Mapping[str, Any], columns: Sequence[str]) -> Report:
    """A file's own account of itself, in words."""
    bias, left_out = utility["largest_bias_percent"], gettext("%(n)s, rounded to fives (%(share)s)")
    return Report(
        figures=(
            (gettext("Rows"), number(utility["rows"])),
            (
                gettext("Rows left out"),
                left_out % {"n": number(utility["suppressed"]), "share": _percent(utility["suppressed_share"])},
            ),
            (gettext("Detail lost, rows left out counted whole"), _percent(utility["loss"])),
            (gettext("Kinds of rows that look alike"), number(utility["classes"])),
            (gettext("Fewest rows of a kind"), number(utility["smallest_class"])),
            (
                gettext("Rows of a kind on average, in multiples of the fewest allowed"),
                _decimal(utility["average_class_by_k"], 1),
            ),
            (gettext("Rows that look like a row, on average (discernibility)"), _decimal(utility["discernibility"], 0)),
            (
                gettext("Most by which the share of an answer is off"),
                ngettext("at most %(n)d percentage point", "at most %(n)d percentage points", bias) % {"n": bias},
            ),
        ),
        variables=_variables(utility["ncp"], columns),
    )


def _variables(lost: Mapping[str, float], columns: Sequence[str]) -> tuple[Variable, ...]:
    of_quasis = [
        (next((level.column for level in quasi.levels if level.column in columns), ""), quasi.id) for quasi in QUASIS
    ]
    found = [(column, column or name, _percent(lost[name])) for column, name in of_quasis]
    found += [(column, column, _percent(0)) for column in (MAIN, MORE)]
    names = labels([named for _column, named, _lost in found], words_in())
    return tuple(Variable(names[named], column, lost) for column, named, lost in found)


def _percent(share: float) -> str:
    return gettext("%(n)s %%") % {"n": _decimal(100 * share, 0 if share in (0, 1) else 1)}


def _decimal(value: float, places: int) -> str:
    return str(number_format(value, decimal_pos=places, force_grouping=True))
