"""Owns the pages of freezing and publishing: what is frozen, what waits to be read, what is out, and the one button."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext

from helpline import approvals
from helpline.access import StaffRequest, needs, only
from reports import calls, editions, freeze, published_table, retention, row_files, schedule
from reports.catalogue import PERIODS, TABLES
from reports.disclosure.protect import HIDDEN, Value
from reports.forms import NoPilot, OtherPilot, explain, explain_left, optional_pilot, pilot
from reports.models import GateRun, Release, ReleaseKey
from reports.periods import PILOT, Period, containing
from reports.release import CannotRelease, lacks_calls, lacks_gate, publish
from reports.views import gate
from reports.views.sheets import ValueAt, capitalised, language, number, sheets
from reports.views.statistics import family_label

PEOPLE = ("published_by", "requested_by", "approved_by")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A release as a page shows it: how much of it there is, and how it was made."""

    id: int
    name: str  # the period's
    edition: int
    admitted: str
    tables: str
    shown: str
    cells: str
    gate: str
    run: GateRun | None  # what the gate found
    parameters: tuple[tuple[str, int], ...]
    sha256: str
    prepared_on: date
    published_on: date | None
    published_by: str
    requested_by: str  # of a later edition
    approved_by: str


@dataclass(frozen=True, slots=True)
class TableOf:
    """One table of a release: is it admitted, and how many of its cells are shown."""

    id: str
    label: str
    admitted: bool
    shown: str
    cells: str


@needs("release.view")
@only("GET", "HEAD")
def index(request: HttpRequest) -> HttpResponse:
    """What is frozen and due, the prepared releases, and the published ones."""
    releases = Release.objects.select_related(*PEOPLE).defer("candidate").order_by("-end", "-start", "-edition")
    waiting = [release for release in releases if not release.published_on]
    # The oldest first, and months before the quarter that is made of them: in the order in which they are read.
    waiting.sort(key=lambda release: (release.end, PERIODS.index(release.kind)))
    today, month = timezone.localdate(), freeze.first_open_month()
    is_over = month is not None and month.end <= today
    asked = [release.period for release in waiting] + ([month] if month and is_over else [])
    silences = calls.silences(asked, today=today)
    runs = gate.runs()
    context = _calendar(today, month) | {
        "at_the_gate": gate.under_way(runs),
        "silent": silences.get(month) if month else None,
        "waiting": [(_candidate(release, runs), silences.get(release.period)) for release in waiting],
        "history": [_candidate(release, runs) for release in releases if release.published_on],
        "files": row_files.waiting(),
        # A key that is spent goes with the worker's next run; whoever sees it stay here can ask why.
        "keys": [
            (key, not key.destroyed_on and schedule.is_spent(key.scope, key.edition))
            for key in ReleaseKey.objects.order_by("-scope", "-edition")
        ],
        "erasure": (erasure := retention.standing(now=timezone.now())),
        "left": [explain_left(why) for why in sorted(erasure.left)],
    }
    return render(request, "reports/releases.html", context)


@needs("release.view")
@only("GET", "HEAD")
def read(request: HttpRequest, release: int) -> HttpResponse:
    """One release with its tables; of a prepared one the values of the table in `?table=` too."""
    if (found := _found(release)) is None:
        return render(request, "reports/no_such_release.html", status=404)
    return _page(request, found)


@needs("release.view")
@only("GET", "HEAD")
def manifest(request: HttpRequest, release: int) -> HttpResponse:
    """The manifest, byte for byte what its SHA-256 is taken of."""
    if (found := _found(release)) is None:
        return render(request, "reports/no_such_release.html", status=404)
    name = f"manifest-{found.period.code}-{found.edition}.json"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(found.manifest, content_type="application/json", headers=disposition)


@needs("release.publish")
@only("POST")
def publish_release(request: StaffRequest, release: int) -> HttpResponse:
    """Publish what a coordinator says to have read; without that word, or of something else, nothing happens."""
    if (found := _found(release)) is None:
        return render(request, "reports/no_such_release.html", status=404)
    # The hash of what was read: what is prepared may have been prepared anew since.
    if found.published_on is None and request.POST.get("read") != found.sha256:
        return _page(request, found, unread=True)
    try:
        cells = publish(found, by=request.user, now=timezone.now())
    except CannotRelease as refused:
        messages.info(request, capitalised(explain(refused)))
    else:
        done = gettext("%(period)s is published: %(cells)s cells, from now on the same for everybody.")
        name = capitalised(found.period.label(language()))
        messages.success(request, done % {"period": name, "cells": number(cells)})
    return redirect("releases")


@needs("release.edition")
@only("POST")
def ask_edition(request: StaffRequest, release: int) -> HttpResponse:
    """Ask another coordinator to agree to a new edition of a published year."""
    if (found := _found(release)) is None:
        return render(request, "reports/no_such_release.html", status=404)
    try:
        editions.ask(found, by=request.user, now=timezone.now())
    except CannotRelease as refused:
        messages.info(request, explain(refused))
    except approvals.WaitsAlready:
        messages.info(request, explain(CannotRelease(CannotRelease.NO_EDITION, found.period)))
    else:
        messages.success(request, gettext("Asked for. It is prepared when another coordinator has agreed."))
    return redirect("release", release=release)


# --- what falls due -----------------------------------------------------------------------------------------------


def _calendar(today: date, month: Period | None) -> dict[str, object]:
    """What is frozen, what is frozen next and when, and what should have been done by now but is not."""
    frozen = freeze.frozen_months()
    due = month.end.replace(day=settings.REPORTS_FREEZE_DAY) if month else None
    return {
        "frozen": frozen[-1].label(language()) if frozen else "",
        "next": month.label(language()) if month else "",
        "next_periods": [period.label(language()) for period in _ending_with(month)] if month else [],
        "due": due,
        "overdue": due is not None and due <= today,
        "pilot_refused": _pilot_refused(),
        "unprepared": [period.label(language()) for period in _unprepared(frozen[-1])] if frozen else [],
    }


def _pilot_refused() -> str:
    """Why the pilot of the settings is not released, where another one was."""
    try:
        pilot()
    except OtherPilot as refused:
        return explain(refused)
    except NoPilot:
        pass
    return ""


def _ending_with(month: Period) -> list[Period]:
    """The periods that are whole when `month` is, from the month itself to the pilot."""
    periods = [containing(kind, month.start) for kind in PERIODS if kind != PILOT]
    named = optional_pilot()
    return [period for period in (*periods, *([named] if named else [])) if period.end == month.end]


def _unprepared(month: Period) -> list[Period]:
    """The periods ending with the last frozen month that have no release."""
    ending = _ending_with(month)
    made = {(r.kind, r.start) for r in Release.objects.filter(end=month.end).only("kind", "start")}
    return [period for period in ending if (period.kind, period.start) not in made]


# --- one release --------------------------------------------------------------------------------------------------


def _found(release: int) -> Release | None:
    return Release.objects.select_related(*PEOPLE).filter(pk=release).first()


def _candidate(release: Release, runs: gate.Runs) -> Candidate:
    said = json.loads(release.manifest)
    tables = said["tables"].values()
    return Candidate(
        id=release.pk,
        name=capitalised(release.period.label(language())),
        edition=release.edition,
        admitted=number(sum(table["admitted"] for table in tables)),
        tables=number(len(tables)),
        shown=number(sum(table["shown"] for table in tables)),
        cells=number(sum(table["cells"] for table in tables)),
        gate=gate.verdict(said["gate"]),
        run=runs.get((release.kind, release.start, release.edition)),
        parameters=tuple((name, said["parameters"][key]) for key, name in _parameters().items()),
        sha256=release.sha256,
        prepared_on=release.prepared_on,
        published_on=release.published_on,
        published_by=_name_of(release.published_by),
        requested_by=_name_of(release.requested_by),
        approved_by=_name_of(release.approved_by),
    )


def _name_of(user: Any) -> str:
    return user.username if user else ""


def _parameters() -> dict[str, str]:
    return {
        "k": gettext("Fewest contacts in a shown cell"),
        "k_first": gettext("Fewest first contacts among them"),
        "k_own": gettext("Fewest contacts where all logged or first contacts are counted"),
        "base": gettext("Rounded to multiples of"),
        "density": gettext("Contacts for each cell that a table needs to be admitted"),
        "min_total": gettext("Fewest contacts in a period with tables"),
    }


def _page(request: HttpRequest, release: Release, *, unread: bool = False) -> HttpResponse:
    said = json.loads(release.manifest)["tables"]
    tables = [
        TableOf(name, family_label(table), bool(said[name]["admitted"]), number(of["shown"]), number(of["cells"]))
        for name, table in TABLES.items()
        if (of := said.get(name))
    ]
    admitted = [table for table in tables if table.admitted]
    context: dict[str, Any] = {
        "release": _candidate(release, gate.runs()),
        "time": release.period.time_code,
        "admitted": admitted,
        "refused": [table.label for table in tables if not table.admitted],
        "unread": unread,
        "waits_for": _waits_for(release),
    }
    if release.published_on is None:
        context["silent"] = calls.silences([release.period], today=timezone.localdate()).get(release.period)
    if release.kind == editions.YEAR and release.published_on:
        context |= {"asked": editions.asked_after(release), "next": editions.next_of(release), "is_year": True}
    if release.published_on is None and admitted:
        asked = request.GET.get("table", "")
        context |= _values(release, asked if asked in {table.id for table in admitted} else admitted[0].id)
    return render(request, "reports/release.html", context, status=400 if unread else 200)


def _waits_for(release: Release) -> str:
    """Why it cannot be published yet, if so."""
    reasons = {CannotRelease.NO_GATE: lacks_gate(release), CannotRelease.LACKS_CALLS: lacks_calls(release)}
    return next((explain(CannotRelease(reason, release.period)) for reason, holds in reasons.items() if holds), "")


def _values(release: Release, name: str) -> dict[str, object]:
    """The prepared values of one admitted table."""
    table = TABLES[name]
    *notes, legend = published_table.notes(table, language())
    return {
        "table": name,
        "title": published_table.title(table, language()),
        "chosen": release.period.label(language()),
        "sheets": sheets(table, [release.period], _reader(json.loads(release.candidate)[name])),
        "notes": notes,
        "legend": legend,
    }


def _reader(cells: Mapping[str, Mapping[str, int | None]]) -> ValueAt:
    def value(codes: tuple[str, ...], contents: str, period: Period) -> Value:
        stored = cells["|".join(codes)][contents]
        return HIDDEN if stored is None else stored

    return value
