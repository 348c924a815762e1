"""Owns the pages on which a coordinator says when the line is open."""

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext

from helpline import openings, traffic_forms
from helpline.access import StaffRequest, needs, only
from helpline.opening import REASONS, Spans
from helpline.traffic_forms import Form

PAGES = "helpline/traffic/"


@needs("opening.edit")
@only("GET", "HEAD")
def index(request: StaffRequest) -> HttpResponse:
    """Every set of weekly hours and every day with other hours, the newest first."""
    known, today = openings.opening(), timezone.localdate()
    in_force = known.in_force(today)
    sets = [
        (hours.valid_from, hours == in_force, [(str(WEEKDAYS[n]), _said(hours.weekdays[n])) for n in range(7)])
        for hours in reversed(known.sets)
    ]
    days = [
        (day, _said(said.spans), gettext(REASONS[said.reason])) for day, said in sorted(known.exceptions.items())[::-1]
    ]
    return render(request, f"{PAGES}opening.html", {"sets": sets, "days": days, "today": today})


def _said(spans: Spans) -> str:
    return ", ".join(span.text.replace("-", "–") for span in spans) or gettext("closed")


@needs("opening.edit")
@only("GET", "HEAD", "POST")
def hours(request: StaffRequest) -> HttpResponse:
    """A new set of weekly hours, or another one from the same day; it begins as the one in force."""
    if request.method != "POST":
        return _hours(request, _begun())
    form, said = traffic_forms.read_weekly_hours(request.POST.dict())
    if said is None:
        return _hours(request, form)
    openings.set_hours(said, by=request.user, now=timezone.now())
    messages.success(request, gettext("The opening hours are saved."))
    return redirect("opening")


def _begun() -> Form:
    in_force = openings.opening().in_force(timezone.localdate())
    weekdays = in_force.weekdays if in_force else ((),) * 7
    texts = {f"weekday_{n}": ", ".join(span.text for span in spans) for n, spans in enumerate(weekdays)}
    return Form(texts | {"valid_from": ""})


def _hours(request: StaffRequest, form: Form) -> HttpResponse:
    fields = [
        (name, label, form.texts[name], form.errors.get(name, "")) for name, label in traffic_forms.weekday_fields()
    ]
    labels = {"valid_from": gettext("Holds from")} | dict(traffic_forms.weekday_fields())
    shown = {"form": form, "weekdays": fields, "summary": _summary(form, labels)}
    return render(request, f"{PAGES}opening_hours.html", shown)


@needs("opening.edit")
@only("GET", "HEAD", "POST")
def day(request: StaffRequest) -> HttpResponse:
    """Other hours on one day, or none."""
    if request.method != "POST":
        return _day(request, Form({"day": "", "spans": "", "reason": ""}))
    form, said = traffic_forms.read_exceptional(request.POST.dict())
    if said is None:
        return _day(request, form)
    openings.set_exception(said, by=request.user, now=timezone.now())
    messages.success(request, gettext("The hours of the day are saved."))
    return redirect("opening")


def _day(request: StaffRequest, form: Form) -> HttpResponse:
    labels = {"day": gettext("Day"), "spans": gettext("Open"), "reason": gettext("Why")}
    shown = {"form": form, "reasons": REASONS.items(), "summary": _summary(form, labels)}
    return render(request, f"{PAGES}opening_day.html", shown)


def _summary(form: Form, labels: dict[str, str]) -> list[tuple[str, str, str]]:
    return [(name, labels[name], text) for name, text in form.errors.items()]


@needs("opening.edit")
@only("GET", "HEAD", "POST")
def remove(request: StaffRequest) -> HttpResponse:
    """Remove the set that begins on `valid_from`, or what is said of `day`; asks first, until `sure` says so."""
    asked = request.POST if request.method == "POST" else request.GET
    of = "valid_from" if "valid_from" in asked else "day"
    said = _removed(of, asked.get(of, ""))
    if said is not None and asked is request.POST and request.POST.get("sure") == "1":
        take_out = openings.remove_hours if of == "valid_from" else openings.remove_exception
        if take_out(said["from"], by=request.user, now=timezone.now()):
            messages.success(request, gettext("The opening hours are removed."))
            return redirect("opening")
    elif said is not None:
        return render(request, f"{PAGES}opening_remove.html", {"of": of, "said": said})
    if of in asked or asked is request.POST:
        messages.warning(request, gettext("They were removed already. Nothing was changed."))
    return redirect("opening")


def _removed(of: str, text: str) -> dict[str, Any] | None:
    """What would be removed, and from which day to which (None: for good) that changes figures; None if not there."""
    try:
        first = date.fromisoformat(text)
    except ValueError:
        return None
    known = openings.opening()
    if of == "day":
        if (other := known.exceptions.get(first)) is None:
            return None
        return {"from": first, "spans": _said(other.spans), "reason": gettext(REASONS[other.reason])}
    days = {hours.valid_from: hours.weekdays for hours in known.sets}
    if first not in days:
        return None
    later = min((day for day in days if day > first), default=None)
    return {
        "from": first,
        "to": later - timedelta(days=1) if later else None,
        "before": max((day for day in days if day < first), default=None),
        "weekdays": [(str(WEEKDAYS[n]), _said(days[first][n])) for n in range(7)],
    }
