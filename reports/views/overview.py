"""Owns the live overview: parse the address, one call, answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import get_format, number_format
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, gettext_noop
from django.views.decorators.http import require_safe

from helpline.access import needs
from helpline.entries import FIRST_DAY
from helpline.taxonomy import CODE_LISTS
from reports import charts, live
from reports.call_figures import UNITS
from reports.live import NO_INFORMATION, Breakdown, CodeCount, WeekTotal
from reports.periods import Period, containing, parse

# The live page counts by week or longer, never by day; half-years and years belong to the published reports.
LIVE_KINDS = {"week": gettext_noop("Week"), "month": gettext_noop("Month"), "quarter": gettext_noop("Quarter")}

# What the shares of a breakdown are shares of, by unit and base.
SHARE_OF = {
    ("kontakter", "U3"): gettext_noop("Share of %(total)s contacts."),
    ("kontakter", "U4"): gettext_noop("Share of %(total)s relevant contacts."),
    ("hanvisningar", "U4"): gettext_noop("Share of %(total)s referrals and arranged contacts."),
}
UNIT_NAMES = {"kontakter": gettext_noop("Contacts"), "hanvisningar": gettext_noop("Number")}


class NoSuchPeriod(ValueError):
    """The address names no period that the page can show; the message says why, in the reader's language."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, as text: a code's label, its count and its share."""

    label: str
    count: str
    share: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One breakdown as the page shows it: the table, and beside it the same counts drawn, zeros left out."""

    id: str
    title: str
    caption: str
    unit: str
    rows: tuple[Row, ...]
    chart: str


@require_safe
@needs("overview.view")
def overview(request: HttpRequest) -> HttpResponse:
    """The coordinator's live overview of the week, month or quarter in `?period=`; this month if none is named."""
    today = timezone.localdate()
    try:
        period = asked_for(request.GET.get("period", ""), today)
    except NoSuchPeriod as refusal:
        return render(request, "reports/no_such_period.html", {"why": str(refusal)}, status=400)
    counted = live.overview(period, breakdowns=settings.REPORTS_LIVE_BREAKDOWNS)
    return render(request, "reports/overview.html", choice(period, today) | _figures(counted, today))


def asked_for(code: str, today: date) -> Period:
    """The period that an address names; this month if it names none. Raises NoSuchPeriod."""
    if not code.strip():
        return containing("month", today)
    try:
        period = parse(code.strip().upper())
    except ValueError:
        raise NoSuchPeriod(gettext("That is no period.")) from None
    if period.kind not in LIVE_KINDS:
        raise NoSuchPeriod(gettext("The overview shows a week, a month or a quarter."))
    if period.start > today:
        raise NoSuchPeriod(gettext("That period has not begun."))
    if period.end <= FIRST_DAY:
        raise NoSuchPeriod(gettext("That period lies before the first day that can hold a contact."))
    return period


# --- which period -------------------------------------------------------------------------------------------------


def choice(period: Period, today: date) -> dict[str, object]:
    """What the page needs to choose another period; its last day so far decides which week, month or quarter."""
    day = min(period.end - timedelta(days=1), today)
    return {
        "period": period,
        "name": _name(period),
        "unfinished": period.end > today,
        "kinds": [(gettext(name), containing(kind, day), kind == period.kind) for kind, name in LIVE_KINDS.items()],
        "earlier": _named(period.previous()) if period.start > FIRST_DAY else None,
        "later": _named(period.next()) if period.end <= today else None,
        "units": UNITS.items(),
    }


def _name(period: Period) -> str:
    return period.label(get_language() or "")


def _named(period: Period) -> tuple[str, str]:
    return period.code, _name(period)


# --- what was counted ---------------------------------------------------------------------------------------------


def _figures(counted: live.Overview, today: date) -> dict[str, object]:
    weeks = [total for total in counted.weeks if total.week.start <= today]
    return {
        "contacts": _number(counted.contacts),
        "relevant": _number(counted.relevant),
        "referrals": _number(counted.referrals),
        "nothing": counted.contacts == 0 and not counted.missing_days,
        "nothing_for_a_year": not any(total.contacts for total in weeks) and not counted.missing_days,
        "weeks": [(t.week.code, _name(t.week), _number(t.contacts), _number(t.relevant)) for t in weeks],
        "weeks_charts": [_weeks_chart(weeks, wide) for wide in (True, False)],
        "breakdowns": [_breakdown(breakdown) for breakdown in counted.breakdowns],
        "pending_days": counted.pending_days,
        "given_up_days": counted.given_up_days,
        "missing_days": counted.missing_days,
        "now": timezone.localtime(),
    }


def _weeks_chart(weeks: Sequence[WeekTotal], wide: bool) -> str:
    highest = max(weeks, key=lambda total: total.contacts)
    description = gettext(
        "Line chart of %(weeks)s weeks. Most contacts: %(contacts)s in %(week)s, of which %(relevant)s were relevant."
        " The table has every figure."
    ) % {
        "weeks": len(weeks),
        "contacts": _number(highest.contacts),
        "week": _name(highest.week),
        "relevant": _number(highest.relevant),
    }
    return SafeString(
        charts.lines(
            name="weeks-wide" if wide else "weeks-narrow",
            title=gettext("Contacts by week"),
            description=description,
            labels=tuple(gettext("W%(week)s %(year)s") % {"week": t.week.number, "year": t.week.year} for t in weeks),
            series=(
                charts.Line(gettext("All contacts"), tuple(t.contacts for t in weeks), strong=False),
                charts.Line(gettext("Relevant contacts"), tuple(t.relevant for t in weeks), strong=True),
            ),
            thousands=str(get_format("THOUSAND_SEPARATOR")),
            wide=wide,
        )
    )


def _breakdown(breakdown: Breakdown) -> Figure:
    code_list, language = CODE_LISTS[breakdown.variable], get_language() or ""
    label = _labeller(breakdown.variable, language)
    caption = gettext(SHARE_OF[breakdown.unit, breakdown.base]) % {"total": _number(breakdown.total)}
    if breakdown.several:
        caption += " " + gettext("Several may be given, so the shares may add up to more than 100 per cent.")
    return Figure(
        id=_slug(breakdown),
        title=code_list.label(language),
        caption=caption,
        unit=gettext(UNIT_NAMES[breakdown.unit]),
        rows=tuple(Row(label(row), _number(row.n), share(row.n, breakdown.total)) for row in breakdown.rows),
        chart=_bars(breakdown, code_list.label(language), label),
    )


def _labeller(variable: str, language: str) -> Callable[[CodeCount], str]:
    def label(row: CodeCount) -> str:
        if row.code == NO_INFORMATION:
            return CODE_LISTS["non_answers"].label(language)
        return CODE_LISTS[variable].codes[row.code].label(language)

    return label


def _bars(breakdown: Breakdown, title: str, label: Callable[[CodeCount], str]) -> str:
    """The codes that were given, drawn; those that were not stand in the table only."""
    given = [row for row in breakdown.rows if row.n]
    if not given:
        return ""
    highest = max(given, key=lambda row: row.n)
    description = gettext("Bar chart. Most: %(label)s, %(count)s. The table has every figure.") % {
        "label": label(highest),
        "count": _number(highest.n),
    }
    rows = tuple(charts.Bar(label(row), row.n, _number(row.n), quiet=row.code == NO_INFORMATION) for row in given)
    return SafeString(charts.bars(name=_slug(breakdown), title=title, description=description, rows=rows))


def _slug(breakdown: Breakdown) -> str:
    return breakdown.variable.replace("_", "-")


def _number(n: int) -> str:
    return str(number_format(n, force_grouping=True))


def share(n: int, total: int) -> str:
    """A share in per cent with one decimal, halves rounded up; a dash where there is nothing to share."""
    if total == 0:
        return "–"
    percent = (Decimal(100 * n) / total).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    return gettext("%(number)s%%") % {"number": number_format(percent, decimal_pos=1, force_grouping=True)}
