"""Owns the page of what waits for a second person: to agree to or refuse, and what one asked for oneself."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext

from helpline import approvals, deletions, policy, staff
from helpline.access import StaffRequest, needs, only
from helpline.models import Approval, Contact, User
from helpline.views import contact_lists

SHOWN = 50  # of what one asked for, the newest
OUTCOMES = (Approval.AGREED, Approval.REFUSED)


@dataclass(frozen=True, slots=True)
class Line:
    """One request in words: what was asked, about whom or what, and what should become of it."""

    asked: Approval
    what: str
    about: str
    detail: str
    contact: contact_lists.Line | None = None
    is_overtaken: bool = False

    @property
    def leads_to_account(self) -> bool:
        """Whether what was agreed to leaves something to do: a link for the owner."""
        return self.asked.outcome == Approval.AGREED and self.asked.act in (staff.INVITE_TRUSTED, staff.RESET_TRUSTED)


def lines_of(requests: Iterable[Approval], reader: User) -> list[Line]:
    """The requests in the reader's language, whatever they are about, by one query more if contacts are among them.

    Who may not delete contacts, as somebody who was a coordinator once, reads nothing of what they say.
    """
    requests, keys = list(requests), []
    if reader.may(deletions.DELETE):
        keys = [asked.subject for asked in requests if asked.act == deletions.DELETE and asked.subject]
    contacts = {str(c.pk): c for c in Contact.objects.filter(pk__in=keys, is_frozen=False)} if keys else {}
    return [_line(asked, contacts.get(asked.subject), is_sought=asked.subject in keys) for asked in requests]


def _line(asked: Approval, contact: Contact | None, *, is_sought: bool) -> Line:
    what, detail = gettext(policy.ACTIONS[asked.act].what), asked.detail
    if detail in policy.ROLES:
        detail = gettext(policy.ROLE_NAMES[detail])
    if asked.act == deletions.DELETE:
        said = contact_lists.line_of(contact) if contact else None
        return Line(asked, what, "", detail, said, is_overtaken=is_sought and contact is None)
    return Line(asked, what, asked.about.username if asked.about else asked.subject, detail)


@needs("approval.view")
@only("GET", "HEAD")
def index(request: StaffRequest) -> HttpResponse:
    to_decide, own = list(approvals.waiting_for(request.user)), approvals.asked_by(request.user)[:SHOWN]
    lines, first_own = lines_of([*to_decide, *own], request.user), len(to_decide)
    return render(request, "helpline/waiting.html", {"to_decide": lines[:first_own], "own": lines[first_own:]})


@needs("approval.decide")
@only("POST")
def decide(request: StaffRequest, pk: int) -> HttpResponse:
    """Agree to or refuse what another person asked for."""
    outcome = request.POST.get("outcome")
    if outcome not in OUTCOMES:
        raise Http404
    agrees = outcome == Approval.AGREED
    try:
        approvals.decide(pk, by=request.user, agrees=agrees, now=timezone.now())
    except approvals.NotYours:
        raise Http404 from None
    except approvals.Decided:
        messages.warning(request, _too_late())
    except approvals.Overtaken:
        messages.warning(request, gettext("It can no longer be done: something changed meanwhile. You can refuse it."))
    else:
        messages.success(request, gettext("You agreed, and it is done.") if agrees else gettext("You refused it."))
    return redirect("waiting")


@needs("approval.view")
@only("POST")
def take_back(request: StaffRequest, pk: int) -> HttpResponse:
    try:
        approvals.take_back(pk, by=request.user, now=timezone.now())
    except approvals.NotYours:
        raise Http404 from None
    except approvals.Decided:
        messages.warning(request, _too_late())
    else:
        messages.success(request, gettext("You took it back."))
    return redirect("waiting")


def _too_late() -> str:
    return gettext("Too late: it is decided already, taken back or lapsed.")
