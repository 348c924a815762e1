"""Owns the administrator's pages of other people's accounts."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext

from helpline import accounts, approvals, invitations, policy, staff
from helpline.access import StaffRequest, needs, only
from helpline.forms import InvitationForm, RoleForm
from helpline.models import User
from helpline.views.waiting import lines_of

PAGES = "helpline/staff/"


@needs("staff.view")
@only("GET", "HEAD")
def index(request: StaffRequest) -> HttpResponse:
    people = list(staff.everybody())
    active = [person for person in people if person.is_active and person.role == policy.ADMINISTRATOR]
    shown = {"people": people, "is_alone": len(active) < accounts.ENOUGH, "invitation_days": staff.INVITATION_DAYS}
    return render(
        request, f"{PAGES}index.html", shown | {"invited": lines_of(staff.waiting_invitations(), request.user)}
    )


@needs("staff.view")
@only("GET", "HEAD")
def account(request: StaffRequest, pk: int) -> HttpResponse:
    """One account, and what can be done to it; one's own is only shown."""
    person = get_object_or_404(staff.everybody(), pk=pk)
    shown = {"person": person, "is_own": person.pk == request.user.pk, "roles": policy.ROLE_NAMES.items()}
    shown["is_free"] = invitations.is_free(person)
    return render(request, f"{PAGES}account.html", shown | {"asks_first": person.role in policy.TRUSTED})


@needs("staff.invite")
@only("GET", "HEAD", "POST")
def invite(request: StaffRequest) -> HttpResponse:
    form = InvitationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        name, role, now = form.cleaned_data["username"], form.cleaned_data["role"], timezone.now()
        try:
            made = staff.invite(name, role, by=request.user, now=now)
        except accounts.NameTaken:
            form.refuse_name()
        except approvals.WaitsAlready:
            messages.warning(request, gettext("This was asked for already and waits for another person."))
            return redirect("staff")
        else:
            if made:
                return _show_link(request, made, staff.make_link(made.pk, by=request.user, now=now))
            messages.success(request, gettext("The account is asked for: it waits for another administrator."))
            return redirect("staff")
    return render(request, f"{PAGES}invite.html", {"form": form, "roles": policy.ROLE_NAMES.items()})


def _show_link(request: StaffRequest, person: User, path: str) -> HttpResponse:
    """The only time that anybody sees the link; it is in this answer and nowhere else."""
    shown = {"person": person, "link": request.build_absolute_uri(path), "hours": invitations.VALID.days * 24}
    return render(request, f"{PAGES}link.html", shown)


@needs("staff.invite")
@only("POST")
def link(request: StaffRequest, pk: int) -> HttpResponse:
    """A new link for an account that has no password: the last one was lost, or two people agreed to the account."""
    try:
        path = staff.make_link(pk, by=request.user, now=timezone.now())
    except staff.NoSuchAccount:
        raise Http404 from None
    except accounts.DeadLink:
        messages.warning(request, gettext("The account is in use already, or is closed: no link was made."))
        return redirect("staff-account", pk)
    return _show_link(request, User.objects.get(pk=pk), path)


@needs("staff.reset")
@only("POST")
def reset(request: StaffRequest, pk: int) -> HttpResponse:
    def do() -> str:
        if staff.reset(pk, by=request.user, now=timezone.now()):
            return gettext("Password, second factors and sessions are gone. Now make a link for the owner.")
        return _waits()

    return _done(request, pk, do)


@needs("staff.role")
@only("POST")
def role(request: StaffRequest, pk: int) -> HttpResponse:
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, gettext("Choose a role."))
        return redirect("staff-account", pk)

    def do() -> str:
        staff.ask_for_role(pk, form.cleaned_data["role"], by=request.user, now=timezone.now())
        return _waits()

    return _done(request, pk, do)


@needs("staff.deactivate")
@only("POST")
def close(request: StaffRequest, pk: int) -> HttpResponse:
    def do() -> str:
        staff.close(pk, by=request.user, now=timezone.now())
        return gettext("The account is closed, and its sessions, links and tokens no longer work.")

    return _done(request, pk, do)


@needs("staff.reactivate")
@only("POST")
def reopen(request: StaffRequest, pk: int) -> HttpResponse:
    def do() -> str:
        staff.ask_to_reopen(pk, by=request.user, now=timezone.now())
        return _waits()

    return _done(request, pk, do)


@needs("staff.end_sessions")
@only("POST")
def end_sessions(request: StaffRequest, pk: int) -> HttpResponse:
    def do() -> str:
        staff.end_sessions(pk, by=request.user, now=timezone.now())
        return gettext("All sessions of the account are ended, and links that were made for it.")

    return _done(request, pk, do)


def _waits() -> str:
    return gettext("This is asked for: it waits for another administrator.")


def _done(request: StaffRequest, pk: int, do: Callable[[], str]) -> HttpResponse:
    """Do something to an account and say what was done, or why not."""
    try:
        messages.success(request, do())
    except staff.NoSuchAccount:
        raise Http404 from None
    except staff.LastAdministrator:
        wording = gettext("This is the last active administrator: make another one before. Nothing was changed.")
        messages.error(request, wording)
    except approvals.WaitsAlready:
        messages.warning(request, gettext("This was asked for already and waits for another person."))
    except approvals.Overtaken:
        messages.warning(request, gettext("The account is already as you want it. Nothing was changed."))
    return redirect("staff-account", pk)
