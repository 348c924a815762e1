"""Owns the page on which a coordinator types in what the telephony counted in an hour.

It never shows what is stored of an hour: beside the list of a day's contacts that could tell who called when.
"""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext

from helpline import traffic, traffic_forms
from helpline.access import StaffRequest, needs, only
from helpline.imports.traffic import explain_reason
from helpline.traffic_file import COLUMNS, COUNTS, TrafficReason
from helpline.traffic_forms import Form


@needs("traffic.edit")
@only("GET", "HEAD", "POST")
def page(request: StaffRequest) -> HttpResponse:
    """The form of one hour; when it is stored, that of the next one."""
    today = timezone.localdate()
    if request.method != "POST":
        return _page(request, Form(dict.fromkeys(COLUMNS, "") | {"day": today.isoformat(), "hour": "09"}))
    form, hour = traffic_forms.read_typed_hour(request.POST.dict(), today=today)
    if hour is None:
        return _page(request, form)
    try:
        traffic.record_hour(hour, by=request.user, now=timezone.now())
    except traffic.Frozen as frozen:
        form.errors["day"] = explain_reason(frozen.days[hour.day])
        return _page(request, form)
    except traffic.TooManyQueues:
        form.errors["queue"] = explain_reason(TrafficReason.TOO_MANY_QUEUES)
        return _page(request, form)
    messages.success(request, gettext("The hour is saved. Go on with the next one."))
    return _page(request, _next(form))


def _next(form: Form) -> Form:
    """The form of the hour after the one that was stored, on the same day while there is one."""
    hours = traffic_forms.HOURS
    after = hours[min(int(form.texts["hour"][:2]) + 1, len(hours) - 1)]
    return Form(form.texts | {"hour": after} | dict.fromkeys(COUNTS, ""))


def _page(request: StaffRequest, form: Form) -> HttpResponse:
    names = traffic_forms.names()
    shown = {
        "form": form,
        "today": timezone.localdate(),
        "hours": [*traffic_forms.HOURS[:3], traffic_forms.SECOND, *traffic_forms.HOURS[3:]],
        "second": traffic_forms.SECOND,
        "queues": traffic.queues(),
        "names": names,
        "counts": [(name, names[name], form.texts[name], form.errors.get(name, "")) for name in COUNTS],
        "summary": [(name, names[name], text) for name, text in form.errors.items()],
    }
    return render(request, "helpline/traffic/hours.html", shown)
