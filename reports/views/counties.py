"""Owns the coordinator's page of the directory beside what callers needed: what each county has, what lapses or is
old, and for whom no receiver was found."""

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language

from helpline.access import StaffRequest, needs, only
from helpline.directory import coverage
from helpline.directory.coverage import County
from helpline.directory.forms import codes
from helpline.listings import areas
from helpline.listings.freshness import has_lapsed, is_stale
from reports import live
from reports.views.overview import share

MOST = 20  # lines of what must be made sure of


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: a county, and of each referral target how many, how many old, and where they are listed."""

    name: str
    cells: list[tuple[int, int, str]]
    oldest: date | None
    n: int
    stale: int
    is_old: bool


@needs("directory.edit")
@only("GET", "HEAD")
def page(request: StaffRequest) -> HttpResponse:
    today = timezone.localdate()
    seen = coverage.coverage(today)
    targets = codes("referral_target")
    shown = {
        "targets": targets,
        "rows": [_row(county, [code for code, _ in targets], today) for county in seen.counties],
        "seen": seen,
        "share": share(seen.fresh, seen.entries),
        "stale": seen.stale[:MOST],
        "more": max(0, len(seen.stale) - MOST),
        "lapsing": [(one, has_lapsed(one.organisation.agreement_until, today)) for one in seen.lapsing],
        "missing": _missing(live.missing_receivers(today)) if settings.REPORTS_LIVE_BREAKDOWNS else None,
        "agreements": [(label, seen.agreements[code]) for code, label in codes("agreement")],
    }
    return render(request, "reports/counties.html", shown)


def _row(county: County, targets: list[str], today: date) -> Row:
    cells = []
    for target in targets:
        cell = county.cells.get(target, coverage.Cell())
        said = {"target": target, "place": county.code}
        cells.append((cell.n, cell.stale, f"{reverse('directory')}?{urlencode(said)}"))
    name = areas.name(county.code, get_language() or "")
    return Row(name, cells, county.oldest, county.n, county.stale, county.n > 0 and is_stale(county.oldest, today))


def _missing(found: live.MissingReceivers) -> dict[str, object]:
    labels = dict(codes("referral_target"))
    first, last = found.months.start, found.months.months()[-1].start
    return {
        "first": first,
        "last": last,
        "step": live.STEP,
        "rows": [(labels[row.code], row.n) for row in found.rows],
        "missing_days": found.missing_days,
    }
