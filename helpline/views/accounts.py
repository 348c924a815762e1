"""Owns the pages around the work: start, log-in and log-out, language, the first administrator."""

from typing import Any, cast
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth import login as start_session
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views import i18n
from django.views.decorators.debug import sensitive_post_parameters

from helpline import accounts, cases, drafts, policy
from helpline.access import StaffRequest, needs, only, wants_json
from helpline.form_rows import Posted
from helpline.form_values import content_of, key_of, posted_of
from helpline.forms import FirstAdministratorForm
from helpline.models import Contact, User
from helpline.views import contact_lists, kept
from helpline.views.contacts import amend_again


@needs("start.view")
@only("GET", "HEAD")
def start(request: StaffRequest) -> HttpResponse:
    shown: dict[str, object] = {}
    if request.user.may("contact.log"):
        now, today = timezone.now(), timezone.localdate()
        own = contact_lists.own_lines(request.user, now=now)
        shown = {"today": today, "logged_today": sum(line.day == today for line in own)}
        shown |= {"own": [line for line in own if line.is_open]}
        shown |= {"drafts": contact_lists.own_drafts(request.user, now=now)}
    if request.user.may("contact.correct"):
        shown["open_count"] = Contact.objects.changeable().open().count()
    return render(request, "helpline/start.html", shown)


class LogIn(LoginView):
    """The log-in page, which also carries a form through that came without a session, and answers a script."""

    template_name = "helpline/login.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.redirect_authenticated_user = not (wants_json(request) or "key" in request.POST)
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user: User = form.get_user()
        start_session(self.request, user)
        if wants_json(self.request):
            return _session(self.request)
        if "key" in self.request.POST:
            return _taken_up(self.request, by=user)
        return redirect(self.get_success_url())

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        if wants_json(self.request):
            wrong = gettext("The user name or the password is wrong: check both and try again.")
            return JsonResponse({"text": wrong}, status=400)
        return super().form_invalid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"kept": kept.carried(self.request)}


login = needs(policy.OPEN)(only("GET", "HEAD", "POST")(LogIn.as_view()))  # type: ignore[arg-type]


def _taken_up(request: HttpRequest, *, by: User) -> HttpResponse:
    """The form that was carried through the log-in, if it is of whoever logged in."""
    is_amendment = kept.is_amendment(request.POST)
    if not (kept.is_of(request.POST, by) and by.may("contact.own" if is_amendment else "contact.log")):
        return foreign(request)
    if is_amendment:
        return amend_again(cast(StaffRequest, request), key_of(request.POST) or uuid4())
    return _as_draft(request, posted_of(kept.carried(request)), by=by)


def foreign(request: HttpRequest) -> HttpResponse:
    """What whoever is logged in gets instead of answers that somebody else gave."""
    messages.warning(request, gettext("The form belonged to another account and was not kept."))
    return redirect("start")


def _as_draft(request: HttpRequest, posted: Posted, *, by: User) -> HttpResponse:
    """Make the form that was carried through the log-in a draft of whoever logged in, and open it."""
    key, ticket = key_of(posted) or uuid4(), posted.get("case", "")
    case = cases.redeem(ticket, by=by) if ticket else None
    try:
        drafts.keep_draft(by=by, key=key, content=content_of(posted), case=case, now=timezone.now())
    except drafts.NotYours:
        return foreign(request)
    except drafts.SavedAlready:
        pass  # the form says so
    if kept.has_lost_number(posted) or (ticket and case is None):
        messages.warning(request, gettext("The case number was not kept: give it once more."))
    return redirect(f"{reverse('contact-new')}?draft={key}")


@needs(policy.OPEN)
@only("GET", "HEAD")
def session(request: HttpRequest) -> HttpResponse:
    return _session(request)


def _session(request: HttpRequest) -> HttpResponse:
    """Who is logged in, and the token with which a script sends forms now."""
    user = request.user.get_username() if request.user.is_authenticated else ""
    return JsonResponse({"csrf": get_token(request), "user": user})


logout = needs("session.end")(only("POST")(LogoutView.as_view()))


@needs(policy.OPEN)
@only("POST")
def set_language(request: HttpRequest) -> HttpResponse:
    return i18n.set_language(request)


@needs(policy.OPEN)
@only("GET", "HEAD", "POST")
@sensitive_post_parameters()
def setup(request: HttpRequest, token: str) -> HttpResponse:
    form = FirstAdministratorForm(request.POST if request.method == "POST" else None)
    try:
        accounts.refuse_dead_link(token)
        if form.is_valid():
            name, password = form.cleaned_data["username"], form.cleaned_data["password"]
            start_session(request, accounts.make_first_administrator(username=name, password=password, token=token))
            messages.success(request, gettext("The account is made, and you are logged in."))
            return redirect("start")
    except accounts.DeadLink:
        return render(request, "helpline/setup_dead.html", status=404)
    return render(request, "helpline/setup.html", {"form": form})
