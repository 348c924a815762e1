"""Owns the pages for when something is wrong."""

import sys
from typing import cast
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext

from helpline import cases, policy
from helpline.access import StaffRequest, wants_json
from helpline.contact_form import ContactForm
from helpline.views import kept
from helpline.views.accounts import foreign
from helpline.views.contact_new import form_page
from helpline.views.contacts import amend_again

FORMS = ("contact-new", "contact-amend", "account_login")  # what may send the answers of a contact


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Stores nothing. A contact form that is older than the session comes back with its answers, to be saved again;
    without a session they wait in the log-in page."""
    match = request.resolver_match
    if wants_json(request):
        is_open = match is not None and getattr(match.func, "policy_action", None) == policy.OPEN
        if not (is_open or request.user.is_authenticated):
            return JsonResponse({}, status=401)
        return JsonResponse({"csrf": get_token(request)}, status=403)
    if match is not None and match.url_name in FORMS and kept.carried(request):
        if not request.user.is_authenticated:
            return kept.log_in_again(request)
        return _older_than_the_session(cast(StaffRequest, request))
    return render(request, "403_csrf.html", status=403)


def _older_than_the_session(request: StaffRequest) -> HttpResponse:
    """The form as it was sent, to whose it is. A typed number is not looked up: that would count as a try."""
    is_amendment, user = kept.is_amendment(request.POST), request.user
    if not (kept.is_of(request.POST, user) and user.may("contact.own" if is_amendment else "contact.log")):
        return foreign(request)
    if is_amendment:
        return amend_again(request, UUID(dict(kept.carried(request))["key"]), request.POST)
    form = ContactForm(today=timezone.localdate(), posted=request.POST)
    form.errors["key"] = [gettext("It was opened before you logged in: look it over and save again.")]
    ticket = request.POST.get("case", "")
    case = cases.redeem(ticket, by=user) if ticket else None
    if kept.has_lost_number(request.POST) or (ticket and case is None):
        form.errors["case_number"] = [gettext("The case number was not kept: give it once more.")]
    return form_page(request, form, case, status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Without the request: no user, no session, no database, any of which may be what is broken.

    A database that is away is no fault of the program and soon over: whoever asked may ask again.
    """
    is_away = isinstance(sys.exception(), OperationalError | InterfaceError)
    return HttpResponse(render_to_string("500.html"), status=503 if is_away else 500)
