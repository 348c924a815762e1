"""Owns the pages on which a coordinator changes the directory, and makes sure of its entries."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext

from helpline import directory
from helpline.access import StaffRequest, needs, only
from helpline.directory import receivers
from helpline.directory.entries import Entry, organisation_entry, service_entry, state
from helpline.directory.forms import PART_NAMES, OrganisationForm, ServicePage
from helpline.models import Organisation, Service

PAGES = "helpline/directory/"


# --- services ---------------------------------------------------------------------------------------------------------


@needs("directory.edit")
@only("GET", "HEAD", "POST")
def add(request: StaffRequest) -> HttpResponse:
    return _change(request, None)


@needs("directory.edit")
@only("GET", "HEAD", "POST")
def change(request: StaffRequest, service: UUID) -> HttpResponse:
    return _change(request, get_object_or_404(Service, pk=service))


def _change(request: StaffRequest, service: Service | None) -> HttpResponse:
    sent, now = (request.POST, timezone.now()) if request.method == "POST" else (None, timezone.now())
    entry, of = (service_entry(service), service.organisation_id) if service else (None, None)
    chosen = str(of) if of else request.GET.get("organisation", "")
    page = ServicePage(sent, entry=entry, organisations=receivers.organisations(), of=chosen)
    overtaken: list[str] | None = None
    if sent is not None and page.is_valid():
        assured_on = timezone.localdate(now) if page.form.cleaned_data["assured"] else None
        said, seen = page.entry(), sent.get("seen", "")
        try:
            saved = directory.save_service(
                said, of=page.of(), seen=seen, assured_on=assured_on, by=request.user, now=now
            )
        except directory.NotThere:
            raise Http404 from None
        except directory.NameTaken:
            page.form.add_error("name", gettext("The organisation has a service of this name: choose another one."))
        except directory.Overtaken:
            overtaken = _differing(said, entry, page.form.fields, moves=page.of() != of)
        else:
            messages.success(request, gettext("The entry is saved."))
            return redirect("directory-service", saved)
    shown = {"page": page, "form": page.form, "service": service, "overtaken": overtaken}
    shown |= {"summary": list(page.faults()) if sent is not None else [], "seen": state(entry, of=of) if entry else ""}
    return render(request, f"{PAGES}change.html", shown)


@needs("directory.edit")
@only("POST")
def verify(request: StaffRequest, service: UUID) -> HttpResponse:
    def do() -> str:
        now = timezone.now()
        directory.verify_service(service, by=request.user, today=timezone.localdate(now), now=now)
        return gettext("Noted: the entry was made sure of today.")

    return _done(request, do, "directory-counties" if request.POST.get("back") == "counties" else "", service)


@needs("directory.edit")
@only("POST")
def close(request: StaffRequest, service: UUID) -> HttpResponse:
    def do() -> str:
        directory.close_service(service, by=request.user, now=timezone.now())
        return gettext("The entry is closed: nobody is referred to it any more. What it says is kept.")

    return _done(request, do, "", service)


@needs("directory.edit")
@only("POST")
def reopen(request: StaffRequest, service: UUID) -> HttpResponse:
    def do() -> str:
        directory.reopen_service(service, by=request.user, now=timezone.now())
        return gettext("The entry is open again.")

    return _done(request, do, "", service)


def _done(request: StaffRequest, do: Callable[[], str], page: str, service: UUID) -> HttpResponse:
    """Do something to a service and say so, on the page of the service or another one."""
    try:
        messages.success(request, do())
    except directory.NotThere:
        raise Http404 from None
    return redirect(page) if page else redirect("directory-service", service)


# --- organisations ----------------------------------------------------------------------------------------------------


@needs("directory.edit")
@only("GET", "HEAD", "POST")
def add_organisation(request: StaffRequest) -> HttpResponse:
    return _change_organisation(request, None)


@needs("directory.edit")
@only("GET", "HEAD", "POST")
def organisation(request: StaffRequest, organisation: UUID) -> HttpResponse:
    return _change_organisation(request, get_object_or_404(Organisation, pk=organisation))


def _change_organisation(request: StaffRequest, organisation: Organisation | None) -> HttpResponse:
    sent = request.POST if request.method == "POST" else None
    entry = organisation_entry(organisation) if organisation else None
    form = OrganisationForm(sent, entry=entry)
    overtaken: list[str] | None = None
    if sent is not None and form.is_valid():
        seen, now = sent.get("seen", ""), timezone.now()
        try:
            saved = directory.save_organisation(form.entry(), seen=seen, by=request.user, now=now)
        except directory.NameTaken:
            form.add_error("name", gettext("There is an organisation of this name already: choose another one."))
        except directory.Overtaken:
            overtaken = _differing(form.entry(), entry, form.fields)
        else:
            messages.success(request, gettext("The organisation is saved."))
            return redirect("directory-organisation", saved)
    shown = {
        "form": form,
        "organisation": organisation,
        "overtaken": overtaken,
        "seen": state(entry) if entry else "",
        "summary": [(field.auto_id, field.label, error) for field in form for error in field.errors],
        "services": receivers.services_of(organisation.pk) if organisation else [],
    }
    return render(request, f"{PAGES}organisation.html", shown)


@needs("directory.edit")
@only("POST")
def close_organisation(request: StaffRequest, organisation: UUID) -> HttpResponse:
    try:
        directory.close_organisation(organisation, by=request.user, now=timezone.now())
    except directory.NotThere:
        raise Http404 from None
    messages.success(
        request, gettext("All entries of the organisation are closed: nobody is referred to them any more.")
    )
    return redirect("directory-organisation", organisation)


def _differing(sent: Entry, now: Entry | None, names: Mapping[str, object], *, moves: bool = False) -> list[str]:
    """What the sent entry says otherwise than the entry does now, as fields are called; `moves`: whose it is too."""
    differing = ["organisation"] if moves else []
    differing += [field.name for field in fields(sent) if getattr(sent, field.name) != getattr(now, field.name)]
    return [str(PART_NAMES.get(name) or getattr(names[name], "label", None) or name) for name in differing]
