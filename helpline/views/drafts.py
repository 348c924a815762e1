"""Owns what the script of the form asks between opening and saving: drafts, the case, single keys on or off."""

from uuid import UUID

from django.contrib import messages
from django.db import OperationalError
from django.http import Http404, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext

from helpline import cases, drafts, form_case
from helpline.access import StaffRequest, needs, only, wants_json
from helpline.case_numbers import Mistyped
from helpline.entries import UnknownCode
from helpline.form_values import content_of
from helpline.models import User

FORM = "application/x-www-form-urlencoded"
STATUS = {Mistyped: 422, cases.NoSuchCase: 404, cases.TooManyTries: 429}


@needs("contact.log")
def draft(request: StaffRequest, key: UUID) -> HttpResponse:
    """Keep a draft. Somebody else's is not there, whatever is asked of it."""
    if request.method != "PUT":
        try:
            drafts.draft_of(request.user, key)
        except drafts.NotYours:
            raise Http404 from None
    return _keep(request, key)


@only("PUT")
def _keep(request: StaffRequest, key: UUID) -> HttpResponse:
    if request.content_type != FORM:
        return JsonResponse({}, status=400)
    sent = QueryDict(request.body)
    try:
        content = content_of(sent)
        case = cases.redeem(sent["case"], by=request.user) if sent.get("case") else None
        kept = drafts.keep_draft(by=request.user, key=key, content=content, case=case, now=timezone.now())
    except UnknownCode:
        return JsonResponse({}, status=400)
    except drafts.NotYours:
        return JsonResponse({}, status=404)
    except drafts.SavedAlready:
        return JsonResponse({}, status=409)
    except OperationalError:
        return JsonResponse({}, status=503)
    return JsonResponse({"opened_at": kept.opened_at.isoformat(timespec="seconds")})


@needs("contact.log")
@only("POST")
def discard(request: StaffRequest, key: UUID) -> HttpResponse:
    try:
        drafts.drop_draft(by=request.user, key=key)
    except drafts.NotYours:
        raise Http404 from None
    if wants_json(request):
        return HttpResponse(status=204)
    messages.success(request, gettext("The unfinished form is thrown away."))
    return redirect("contacts")


@needs("contact.log")
@only("POST")
def case(request: StaffRequest) -> HttpResponse:
    """Open a case (`new`) or find the one of a number. The number stands in no address, and only in this answer."""
    today = timezone.localdate()
    try:
        if "new" in request.POST:
            return JsonResponse(case_said(form_case.new_case(by=request.user, today=today)), status=201)
        return JsonResponse(
            case_said(form_case.found_case(request.POST.get("number", ""), by=request.user, today=today))
        )
    except form_case.REFUSED as error:
        return JsonResponse({"text": form_case.explain_case(error)}, status=STATUS[type(error)])
    except OperationalError:
        return JsonResponse({}, status=503)


def case_said(found: form_case.FormCase) -> dict[str, object]:
    """What the script of the form is told of a case."""
    earlier = [{"name": row.name, "label": row.label, "outcome": row.outcome} for row in found.earlier]
    said = {"ticket": found.ticket, "spoken": found.spoken, "said": found.said}
    return said | {"earlier": earlier, "has_closed": found.has_closed}


@needs("contact.log")
@only("POST")
def shortcuts(request: StaffRequest) -> HttpResponse:
    """Single keys that choose answers: on (1) or off (0) for this account."""
    if (wanted := request.POST.get("on")) not in ("0", "1"):
        return JsonResponse({}, status=400)
    User.objects.filter(pk=request.user.pk).update(has_shortcuts=wanted == "1")
    return HttpResponse(status=204)
