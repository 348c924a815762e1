"""Owns the page of the routine for duties to report, as it was in force on a day. It stores nothing."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language

from helpline.access import needs, only
from helpline.duties import routines_on
from helpline.entries import FIRST_DAY, Refused, read_day
from helpline.wording import explain


@needs("routine.view")
@only("GET", "HEAD")
def page(request: HttpRequest) -> HttpResponse:
    """Both routines with whose duty it is, the steps, and the law of the day in `?day=`; of today if none is given."""
    today = day = timezone.localdate()
    wrong_day: list[str] = []
    try:
        if text := request.GET.get("day", ""):
            day = max(read_day(text, today=today), FIRST_DAY)
    except Refused as refused:
        wrong_day = [explain(finding) for finding in refused.findings]
    shown = {
        "day": day,
        "today": today,
        "first_day": FIRST_DAY,
        "wrong_day": wrong_day,
        "routines": routines_on(day, get_language() or ""),
    }
    return render(request, "helpline/routine.html", shown, status=400 if wrong_day else 200)
