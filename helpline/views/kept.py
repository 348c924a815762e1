"""Owns a form that its session did not outlive: whose it is, and its way through the log-in."""

import json

from allauth.account.forms import LoginForm
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from helpline import sealing
from helpline.form_rows import Posted
from helpline.form_values import kept_fields, key_of, posted_of
from helpline.models import User

SALT = "helpline.form-owner"
PUT_BY, SECONDS = "form put by", 900  # for as long as a log-in may take


def owner_of_form(user: User) -> str:
    """What a form carries of the account for which it was made, signed; anybody else does not get its answers back."""
    return signing.dumps(str(user.pk), salt=SALT)


def _owner(posted: Posted) -> str | None:
    try:
        return str(signing.loads(posted.get("owner", ""), salt=SALT))
    except signing.BadSignature:
        return None


def is_of(posted: Posted, user: User) -> bool:
    """Whether a form was made for `user`; one that does not say so is somebody else's."""
    return _owner(posted) == str(user.pk)


def is_amendment(posted: Posted) -> bool:
    """Whether a form changes a stored contact, which its key names then."""
    return "version" in posted


def version_of(posted: Posted) -> int:
    """The version that the answers were made from; 0, which no contact has, for a form that does not say it."""
    text = posted.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def carried(request: HttpRequest) -> list[tuple[str, str]]:
    """What the log-in page carries on of a form: codes, whose it is, and the contact and version that it changes.

    Nothing for what is no form. A case number that was typed is not carried, only that there was one.
    """
    posted = request.POST.copy()
    if request.resolver_match and is_amendment(posted) and (contact := request.resolver_match.kwargs.get("contact")):
        posted["key"] = str(contact)
    if not (kept := kept_fields(posted)):
        return []
    kept += [("owner", str(posted["owner"]))] if _owner(posted) else []
    kept += [("version", str(version_of(posted)))] if is_amendment(posted) and key_of(posted) else []
    return [*kept, ("number_lost", "1")] if has_lost_number(posted) else kept


def has_lost_number(posted: Posted) -> bool:
    return "number_lost" in posted or bool(posted.get("case_number", "").strip())


def log_in_again(request: HttpRequest) -> HttpResponse:
    """The log-in page instead of a form that came without a session, with the form's answers in it."""
    shown = {"form": LoginForm(request=request), "next": reverse("start"), "kept": carried(request)}
    return render(request, "helpline/log_in.html", shown, status=403)


def put_by(request: HttpRequest) -> None:
    """Keep a form, encrypted, in the session while somebody shows on other pages who they are."""
    if fields := carried(request):
        request.session[PUT_BY] = sealing.seal(json.dumps(fields).encode(), purpose=PUT_BY)


def taken_up(request: HttpRequest) -> Posted | None:
    """The form that was put by a while ago, once."""
    try:
        fields = json.loads(sealing.unseal(request.session.pop(PUT_BY, ""), purpose=PUT_BY, seconds=SECONDS))
    except sealing.Broken:
        return None
    return posted_of([(name, value) for name, value in fields])
