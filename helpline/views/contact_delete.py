"""Owns the page on which a coordinator asks another one that an opened contact be deleted for good."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext

from helpline import approvals, deletions
from helpline.access import StaffRequest, needs, only
from helpline.models import Contact
from helpline.views import contact_lists
from helpline.views.contacts import to_change


@needs("contact.delete")
@only("GET", "HEAD", "POST")
@to_change
def page(request: StaffRequest, contact: Contact, reason: str) -> HttpResponse:
    """Say what deleting means, then ask for it. One's own contact is there once it was opened with a reason."""
    if not reason:
        raise Http404
    if request.method != "POST":
        return render(request, "helpline/contact_delete.html", {"line": contact_lists.line_of(contact)})
    try:
        deletions.ask(contact, by=request.user, now=timezone.now())
    except approvals.WaitsAlready:
        messages.warning(request, gettext("This was asked for already and waits for another person."))
    else:
        messages.success(request, gettext("The deletion is asked for: it waits for another coordinator."))
    return redirect("waiting")
