"""Owns the page of the calls and the opening hours: parse the address, one call, answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from helpline.access import needs
from helpline.opening import Spans, WeeklyHours
from helpline.traffic import Grid
from helpline.traffic_file import NO_CALLS, Calls
from reports import call_figures, calls
from reports.call_figures import Ratio
from reports.calls import CallsPage, PeriodCalls
from reports.views.overview import NoSuchPeriod, asked_for, choice, share
from reports.views.sheets import language, number


@dataclass(frozen=True, slots=True)
class Row:
    """One row of calls as text: its name, the address of its period, the counts, and the answer rate."""

    label: str
    code: str
    offered: str
    answered: str
    rate: str
    short: str
    abandoned: str
    closed: str
    voicemail: str


@require_safe
@needs("traffic.view")
def traffic(request: HttpRequest) -> HttpResponse:
    """Calls and what was logged of the week, month or quarter in `?period=`; this month if none is named."""
    now = timezone.now()
    today = timezone.localdate(now)
    try:
        period = asked_for(request.GET.get("period", ""), today)
    except NoSuchPeriod as refusal:
        return render(request, "reports/no_such_period.html", {"why": str(refusal)}, status=400)
    page = calls.read_calls(period, now=now)
    weeks, months = (_begun(page, of, today) for of in (page.weeks, page.months))
    rows: dict[str, object] = {"weeks": [_row(week) for week in weeks], "months": [_row(month) for month in months]}
    rows["lacking"] = not all(one.is_counted for one in (*weeks, *months))
    shown = rows | _figures(page) | _by_hour(page.grid) | _opening(page)
    return render(request, "reports/traffic.html", choice(period, today) | shown)


def _begun(page: CallsPage, periods: Sequence[PeriodCalls], today: date) -> list[PeriodCalls]:
    """The periods that have begun and are not over before the telephony's first count."""
    first = page.counted_from or date.max
    return [one for one in periods if one.period.start <= today and first < one.period.end]


# --- figures ----------------------------------------------------------------------------------------------------------


def _figures(page: CallsPage) -> dict[str, object]:
    answer = call_figures.answer_rate(page.calls)
    registration = call_figures.registration_rate(page.calls, page.contacts)
    return {
        "has_any": page.counted_from is not None,
        "nothing": not page.is_counted,
        "calls": _row(PeriodCalls(page.period, page.calls, page.is_counted)),
        "rate": _share(answer),
        "rate_base": number(answer.whole),
        "contacts": number(page.contacts),
        "relevant": number(page.relevant),
        "registration": _share(registration),
        "missing_days": page.missing_days,
        "silent_days": page.silent_days,
        "open_days": _days(page.open_days),
        "open_hours": _decimal(Ratio(page.open_minutes, 60)),
        "a_day": _decimal(call_figures.per_open_day(page.relevant, page.open_days)),
        "an_hour": _decimal(call_figures.per_open_hour(page.relevant, page.open_minutes), 2),
    }


def _row(of: PeriodCalls) -> Row:
    counts: Calls = of.calls
    label, code = of.period.label(language()), of.period.code
    if not of.is_counted:
        return Row(label, code, *["–"] * 7)
    return Row(
        label=label,
        code=code,
        offered=number(counts.offered),
        answered=number(counts.answered),
        rate=_share(call_figures.answer_rate(counts)),
        short=number(counts.abandoned_short),
        abandoned=number(counts.abandoned),
        closed=number(counts.closed),
        voicemail=number(counts.voicemail),
    )


def _share(ratio: Ratio) -> str:
    return share(ratio.part, ratio.whole)


def _days(days: Fraction) -> str:
    return number(int(days)) if days.denominator == 1 else _decimal(Ratio(days.numerator, days.denominator))


def _decimal(ratio: Ratio, places: int = 1) -> str:
    """The quotient, halves rounded up; a dash where there is nothing to divide by."""
    if not ratio.whole:
        return "–"
    rounded = (Decimal(ratio.part) / ratio.whole).quantize(Decimal(10) ** -places, rounding=ROUND_HALF_UP)
    return str(number_format(rounded, decimal_pos=places, force_grouping=True))


# --- by hour ----------------------------------------------------------------------------------------------------------


def _by_hour(grid: Grid | None) -> dict[str, object]:
    """Each hour of the clock in which anybody called, and the calls when closed by weekday."""
    sums: dict[int, Calls] = {}
    for (_, hour), counts in (grid or {}).items():
        sums[hour] = sums.get(hour, NO_CALLS) + counts
    hours = range(min(sums), max(sums) + 1) if sums else range(0)
    when_closed = {at: counts.closed for at, counts in (grid or {}).items() if counts.closed}
    closed_hours = sorted({hour for _, hour in when_closed})
    return {
        "is_by_hour": grid is not None,
        "hours": [(_hour(hour), _of_hour(sums.get(hour, NO_CALLS))) for hour in hours],
        "closed_grid": [
            (_hour(hour), [number(when_closed.get((weekday, hour), 0)) for weekday in range(7)])
            for hour in closed_hours
        ],
        "closed_total": number(sum(when_closed.values())),
        "weekday_names": [(str(WEEKDAYS[n]), str(WEEKDAYS_ABBR[n])) for n in range(7)],
    }


def _of_hour(counts: Calls) -> Sequence[str]:
    unanswered = (counts.abandoned_short, counts.abandoned, counts.closed)
    return [number(n) for n in (counts.offered, counts.answered, *unanswered)]


def _hour(hour: int) -> str:
    return f"{hour:02}–{hour + 1:02}"


# --- opening hours ----------------------------------------------------------------------------------------------------


def _opening(page: CallsPage) -> dict[str, object]:
    """The sets that held within the period, and its exceptions."""
    last = page.period.end - timedelta(days=1)
    sets = [hours for hours in page.opening.sets if page.period.start < hours.valid_from <= last]
    first = page.opening.in_force(page.period.start)
    held = ([first] if first else []) + sets
    days = sorted(day for day in page.opening.exceptions if page.period.start <= day <= last)
    return {
        "has_opening": bool(page.opening.sets),
        "opens_later": page.opening.sets[0].valid_from if page.opening.sets and not first else None,
        "opening_sets": [_set(hours) for hours in held],
        "exceptions": [(day, _spans(page.opening.exceptions[day].spans)) for day in days],
    }


def _set(hours: WeeklyHours) -> tuple[object, list[tuple[str, str]]]:
    return hours.valid_from, [(str(WEEKDAYS[n]), _spans(spans)) for n, spans in enumerate(hours.weekdays)]


def _spans(spans: Spans) -> str:
    return ", ".join(span.text.replace("-", "–") for span in spans) or gettext("closed")
