"""Owns the shortest way to say what came of a referral: from one's own list, by one choice."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import OperationalError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext

from helpline import contacts
from helpline.access import StaffRequest, needs, only
from helpline.entries import Refused
from helpline.models import Contact
from helpline.views.kept import version_of


@needs("contact.own")
@only("POST")
def outcome(request: StaffRequest, contact: UUID) -> HttpResponse:
    """Set the outcome of one referral of one's own contact within the amend window; when it is over, the page of
    amendments says why."""
    get_object_or_404(Contact, pk=contact, logged_by=request.user)
    own = contacts.own_changeable(request.user, now=timezone.now(), amend_hours=settings.HELPLINE_AMEND_HOURS)
    if (stored := own.filter(pk=contact).first()) is None:
        return redirect("contact-amend", contact)
    _set(request, stored)
    return redirect("contacts")


def _set(request: StaffRequest, contact: Contact) -> None:
    target, _, kind = request.POST.get("referral", "").partition(":")
    wanted, version = request.POST.get("outcome", ""), version_of(request.POST)
    try:
        reached = contacts.set_outcome(contact, version=version, target=target, kind=kind, outcome=wanted)
    except Refused:
        messages.warning(request, gettext("Nothing was changed: choose what came of the referral, then save."))
    except (contacts.Changed, contacts.NotChangeable):
        wording = gettext("Nothing was changed: the contact was changed meanwhile. Look at it below, then try again.")
        messages.warning(request, wording)
    except OperationalError:
        messages.warning(request, gettext("Nothing was changed: the server is busy. Try again in a moment."))
    else:
        messages.success(request, gettext("What came of the referral is saved."))
        if not reached:
            wording = gettext(
                "The case had this referral before, and the month in which it is counted is closed: the figures keep"
                " the outcome that it had then."
            )
            messages.info(request, wording)
