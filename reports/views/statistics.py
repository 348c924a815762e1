"""Owns the pages of the published statistics: the list of tables, and one table with its drawings and its origin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from helpline.access import StaffRequest, needs, only
from reports import grants, published, published_table
from reports.call_figures import UNITS
from reports.catalogue import PERIODS, TABLES, Table, Variable
from reports.counting import U3
from reports.disclosure.protect import HIDDEN, Value
from reports.forms import rule
from reports.periods import Period
from reports.published import Edition, Listed, NotPublished
from reports.published_table import CONTENTS_CODE, TIME, PublishedTable, code_label, dimension_label
from reports.views.sheets import ValueAt, capitalised, language, number, sheets

# Where a reader looks for a table: by its last variable, so that a two-way table stands with what it breaks down.
CHAPTERS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        gettext_noop("Calls, totals and all logged contacts"): frozenset({"", "result", "channel", "length"}),
        gettext_noop("Who calls"): frozenset(
            "caller_role caller_role_3 sector relation caller_gender caller_adult first_contact case_step awareness"
            " language language_support".split()
        ),
        gettext_noop("The concern"): frozenset(
            "concerns concerns_6 environment environment_3 gang_overlap urgency".split()
        ),
        gettext_noop("The person the concern is about"): frozenset(
            "age age_2 gender county county_region county_part".split()
        ),
        gettext_noop("Needs and the way out"): frozenset("needs needs_2 balance motivation plan barriers".split()),
        gettext_noop("What was done"): frozenset("actions reports_made".split()),
        gettext_noop("Referrals and arranged contacts"): frozenset(
            "referral_target referral_target_6 referral_type referral_outcome".split()
        ),
    }
)
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "month": gettext_noop("Month"),
        "quarter": gettext_noop("Quarter"),
        "half-year": gettext_noop("Half-year"),
        "year": gettext_noop("Year"),
        "pilot": gettext_noop("Pilot"),
    }
)
FORMATS = (("CSV", "csv", "csv"), ("JSON-stat 2", "json-stat2", "json"))  # name, code in the API, end of a file's name
SEVERAL, MANY = 4, 12  # periods side by side; periods below each other in a table without variables


@dataclass(frozen=True, slots=True)
class Family:
    """The published tables of the same variables, finest period first, and what the latest one shows."""

    label: str
    links: tuple[tuple[str, str], ...]  # (kind of period, id of the table)
    latest: str
    shown: str
    cells: str


Download = tuple[str, str, str]  # name of the format, address, name of the file
Variables = tuple[str, tuple[Variable, ...]]  # base and variables: what the tables of a family share


@needs("statistics.read")
@only("GET", "HEAD")
def method(request: HttpRequest) -> HttpResponse:
    """How callers are protected in what is published, on one page, for whoever is no statistician."""
    parameters = rule().parameters
    said = {"rule": parameters, "within": parameters.base - 1, "hours": settings.HELPLINE_AMEND_HOURS}
    return render(request, "reports/method.html", said)


@needs("statistics.read")
@only("GET", "HEAD")
def index(request: HttpRequest) -> HttpResponse:
    """Every published table."""
    shown = {"chapters": _chapters(published.editions()), "units": UNITS.items()}
    return render(request, "reports/statistics.html", shown)


@needs("statistics.read")
@only("GET", "HEAD")
def table(request: StaffRequest, table: str) -> HttpResponse:
    """One published table; `?tid=` names the last period shown, the latest one with figures if it is not given."""
    try:
        found = published.listed(table)
    except NotPublished:
        return render(request, "reports/no_such_table.html", status=404)
    periods = {period.time_code: period for period in found.periods}
    chosen = periods.get(request.GET.get("tid") or found.periods[-1].time_code)
    if chosen is None:
        return render(request, "reports/no_such_table.html", {"table": found.table.id}, status=404)
    downloads = _downloads(found.table) if grants.may_fetch(request.user, today=timezone.localdate()) else []
    return render(request, "reports/table.html", _choice(found, chosen) | _content(found, chosen, downloads))


# --- the list -----------------------------------------------------------------------------------------------------


def family_label(of: Table) -> str:
    """The name of the tables of the same variables, whatever their period."""
    if not of.variables:
        return code_label(of, CONTENTS_CODE, of.contents[0], language())
    names = [dimension_label(of, variable.id, language()) for variable in of.variables]
    return capitalised(" × ".join(names))


def _chapters(editions: Sequence[Edition]) -> list[tuple[str, list[Family]]]:
    of_family: dict[Variables, list[Table]] = {}
    for declared in TABLES.values():
        of_family.setdefault((declared.base, declared.variables), []).append(declared)
    chapters = []
    for title, names in CHAPTERS.items():
        wanted = [tables for (_base, of), tables in of_family.items() if (of[-1].id if of else "") in names]
        if families := [family for tables in wanted if (family := _family(tables, editions))]:
            chapters.append((gettext(title), families))
    return chapters


def _family(tables: Sequence[Table], editions: Sequence[Edition]) -> Family | None:
    """None where nothing is published. Of periods that end together the longest is the latest: it shows most."""
    with_figures = [
        (edition, of)
        for edition in editions
        for of in tables
        if of.id in edition.tables and edition.tables[of.id]["admitted"]
    ]
    if not with_figures:
        return None
    ids = {of.id for _edition, of in with_figures}
    last, of = max(with_figures, key=lambda pair: (pair[0].period.end, PERIODS.index(pair[1].period), pair[0].number))
    label = family_label(of)
    if of.base == U3 and of.variables:
        label = gettext("%(label)s (all logged contacts)") % {"label": label}
    return Family(
        label=label,
        links=tuple((gettext(KINDS[of.period]), of.id) for of in tables if of.id in ids),
        latest=last.period.label(language()),
        shown=number(last.tables[of.id]["shown"]),
        cells=number(last.tables[of.id]["cells"]),
    )


# --- one table ----------------------------------------------------------------------------------------------------


def _choice(found: Listed, chosen: Period) -> dict[str, object]:
    """What the page needs to reach other periods and other tables of the same variables."""
    editions = published.editions()
    with_figures = {name for edition in editions for name, said in edition.tables.items() if said["admitted"]}
    place = found.periods.index(chosen)
    columns = _columns(found.table)
    same = [t for t in TABLES.values() if (t.base, t.variables) == (found.table.base, found.table.variables)]
    return {
        "kinds": [(gettext(KINDS[t.period]), t.id, t is found.table) for t in same if t.id in with_figures],
        "periods": [(p.time_code, capitalised(p.label(language())), p is chosen) for p in reversed(found.periods)],
        "earlier": _named(found.periods[place - columns]) if place >= columns else None,
        "later": _named(found.periods[min(place + columns, len(found.periods) - 1)])
        if chosen is not found.periods[-1]
        else None,
        "edition": next((e for e in reversed(editions) if e.period == chosen), None),
    }


def _columns(of: Table) -> int:
    """How many periods a table shows at a time."""
    return {0: MANY, 1: SEVERAL}.get(len(of.variables), 1)


def _named(period: Period) -> tuple[str, str]:
    return period.time_code, period.label(language())


def _content(found: Listed, chosen: Period, downloads: Sequence[Download]) -> dict[str, object]:
    last = found.periods.index(chosen) + 1
    periods = found.periods[max(0, last - _columns(found.table)) : last]
    whole = published.dimensions(found)
    wanted = {dimension.id: dimension.codes for dimension in whole} | {TIME: [p.time_code for p in periods]}
    figures = published.read(found, wanted)
    *notes, legend = published_table.notes(found.table, language())
    without = [period.label(language()) for period in periods if _is_without_figures(figures, period)]
    return {
        "table": found.table.id,
        "title": published_table.title(found.table, language()),
        "chosen": chosen.label(language()),
        "downloads": downloads,
        "sheets": sheets(found.table, periods, _reader(figures)),
        "without": without,
        "units": UNITS.items(),
        "of_calls": found.table.counts_calls,
        "notes": notes,
        "legend": legend,
        "non_answers": published_table.non_answers(language()).lower() if found.table.variables else "",
    }


def _downloads(of: Table) -> list[Download]:
    """The addresses in the API of the same table."""
    lang = "en" if language() == "en" else "sv"
    address = f"/api/px/v2/tables/{of.id}/data?lang={lang}&outputFormat="
    return [(name, address + code, f"{of.id}.{end}") for name, code, end in FORMATS]


def _reader(figures: PublishedTable) -> ValueAt:
    names = [variable.id for variable in figures.table.variables]

    def value(codes: tuple[str, ...], contents: str, period: Period) -> Value:
        place = dict(zip(names, codes, strict=True)) | {CONTENTS_CODE: contents, TIME: period.time_code}
        return figures.value(**place)

    return value


def _is_without_figures(figures: PublishedTable, period: Period) -> bool:
    return all(value is HIDDEN for (*_codes, time), value in figures.cells() if time == period.time_code)
