"""Owns the page of the questions that are seldom answered: parse the address, one call, answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from helpline.access import needs
from helpline.taxonomy import CODE_LISTS, NON_ANSWERS
from reports import charts, live
from reports.live import Unanswered
from reports.views.overview import NoSuchPeriod, asked_for, choice, share
from reports.views.sheets import language, number

FEWEST = 10  # asked; one contact of fewer is more than a tenth, and a share would only seem to say something
BY_SHARE = "share"


@dataclass(frozen=True, slots=True)
class Row:
    """One question as text; no `shares` where too few were asked. They are: not asked, unknown, declined, answered."""

    label: str
    asked: str
    shares: tuple[str, ...]


@require_safe
@needs("overview.unanswered")
def unanswered(request: HttpRequest) -> HttpResponse:
    """How often each question goes without an answer in `?period=`, in the order of a conversation or, with
    `?order=share`, the least answered first."""
    today = timezone.localdate()
    try:
        period = asked_for(request.GET.get("period", ""), today)
    except NoSuchPeriod as refusal:
        return render(request, "reports/no_such_period.html", {"why": str(refusal)}, status=400)
    order = BY_SHARE if request.GET.get("order") == BY_SHARE else ""
    figures = _figures(*live.unanswered(period), order) if settings.REPORTS_LIVE_BREAKDOWNS else {"is_off": True}
    return render(request, "reports/unanswered.html", choice(period, today) | {"order": order} | figures)


def _figures(counted: Sequence[Unanswered], missing_days: int, order: str) -> dict[str, object]:
    questions = sorted(counted, key=_silence, reverse=True) if order else counted
    reasons = tuple(NON_ANSWERS[code].label(language()) for code in live.REASONS)
    return {
        "nothing": not missing_days and not any(question.asked for question in counted),
        "missing_days": missing_days,
        "fewest": FEWEST,
        "reasons": reasons,
        "rows": [_row(question) for question in questions],
        "chart": _chart(questions, reasons),
    }


def _is_enough(question: Unanswered) -> bool:
    return question.asked >= FEWEST


def _silence(question: Unanswered) -> Fraction:
    """The share without an answer; below every share where too few were asked for one."""
    return Fraction(question.silent, question.asked) if _is_enough(question) else Fraction(-1)


def _label(question: Unanswered) -> str:
    return CODE_LISTS[question.question].label(language())


def _row(question: Unanswered) -> Row:
    parts = (question.not_asked, question.unknown, question.declined, question.asked - question.silent)
    shares = tuple(share(part, question.asked) for part in parts) if _is_enough(question) else ()
    return Row(_label(question), number(question.asked), shares)


def _chart(questions: Sequence[Unanswered], reasons: tuple[str, ...]) -> str:
    rows = [
        charts.Parts(_label(q), (q.not_asked, q.unknown, q.declined), q.asked, share(q.silent, q.asked))
        if _is_enough(q)
        else charts.Parts(_label(q), None, 0, gettext("too few"))
        for q in questions
    ]
    title = gettext("Share of contacts without an answer")
    description = gettext("Bar chart: one bar for each question, as long as all who were asked it.")
    if shown := [q for q in questions if _is_enough(q)]:
        least = max(shown, key=_silence)
        description += " " + gettext("Least answered: %(question)s, %(share)s without an answer.") % {
            "question": _label(least),
            "share": share(least.silent, least.asked),
        }
    description += " " + gettext("The table has every figure.")
    drawn = charts.shares(name="unanswered", title=title, description=description, legend=reasons, rows=tuple(rows))
    return SafeString(drawn)
