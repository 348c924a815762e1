"""Owns the pages around the work: start, log-in and log-out, language, the links by which one gets an account."""

from typing import Any, cast
from uuid import uuid4

from allauth.account.forms import LoginForm
from allauth.account.views import LoginView
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.webauthn.internal.auth import begin_authentication
from django.contrib import messages
from django.contrib.auth.views import LogoutView
from django.db import transaction
from django.db.models import Count, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views import i18n
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic.edit import FormView

from helpline import accounts, approvals, audit, cases, drafts, guesses, invitations, policy, sessions
from helpline.access import StaffRequest, needs, only, wants_json
from helpline.form_rows import Posted
from helpline.form_values import content_of, key_of
from helpline.forms import AdministratorForm, PasswordForm
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
    counts: dict[str, QuerySet[Any]] = {}
    if request.user.may("approval.view"):
        counts["waiting_count"] = approvals.waiting_for(request.user)
    if request.user.may("contact.correct"):
        counts["open_count"] = Contact.objects.changeable().open()
    if counts:  # by one query
        counted = {name: _how_many(rows) for name, rows in counts.items()}
        shown |= User.objects.filter(pk=request.user.pk).values(**counted).get()
    return render(request, "helpline/start.html", shown)


def _how_many(rows: QuerySet[Any]) -> Coalesce:
    """How many rows, as a part of another query."""
    return Coalesce(Subquery(rows.order_by().values(whole=Value(1)).annotate(n=Count("pk")).values("n")), 0)


class LogIn(LoginView):
    """The log-in page, which also carries a form through that came without a session, and answers a script."""

    template_name = "helpline/log_in.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        is_under_way = wants_json(request) or "key" in request.POST
        if request.user.is_authenticated and not is_under_way:
            return redirect(self.get_success_url() or "start")
        return FormView.dispatch(self, request, *args, **kwargs)

    def form_valid(self, form: LoginForm) -> HttpResponse:
        kept.put_by(self.request)
        answer = super().form_valid(form)
        if self.request.user.is_authenticated:
            return logged_in(self.request, answer)
        if wants_json(self.request):
            options = begin_authentication(form.user)
            return JsonResponse(
                {"second": str(answer.url), "csrf": get_token(self.request), "passkey": options}, status=202
            )
        return answer

    def form_invalid(self, form: LoginForm) -> HttpResponse:
        if wants_json(self.request):
            return JsonResponse({"text": " ".join(form.non_field_errors())}, status=400)
        return super().form_invalid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"kept": kept.carried(self.request)}


log_in = needs(policy.OPEN)(only("GET", "HEAD", "POST")(sensitive_post_parameters("password")(LogIn.as_view())))


class SecondFactor(AuthenticateView):
    """The page of the second factor, for whoever gave the right password a while ago."""

    template_name = "helpline/second_factor.html"

    def form_valid(self, form: Any) -> HttpResponse:
        return logged_in(self.request, super().form_valid(form))

    def form_invalid(self, form: Any) -> HttpResponse:
        if wants_json(self.request):
            texts = [text for errors in form.errors.values() for text in errors]
            return JsonResponse({"text": " ".join(texts)}, status=400)
        return super().form_invalid(form)


second_factor = needs(policy.OPEN)(only("GET", "HEAD", "POST")(SecondFactor.as_view()))


def logged_in(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """What whoever has just logged in gets: the page that they wanted, or the form that they came with."""
    if not request.user.is_authenticated:  # the account was closed, or its sessions ended, on the way
        return JsonResponse({}, status=401) if wants_json(request) else answer
    user, posted = request.user, kept.taken_up(request)
    if wants_json(request):
        said = _session(request)
        guesses.know_browser(said, user)
        return said
    if posted is None:
        return answer
    if not (kept.is_of(posted, user) and user.may("contact.own" if kept.is_amendment(posted) else "contact.log")):
        return foreign(request)
    if kept.is_amendment(posted):
        return amend_again(cast(StaffRequest, request), key_of(posted) or uuid4(), posted)
    return _as_draft(request, posted, by=user)


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


log_out = needs("session.end")(only("POST")(LogoutView.as_view()))


@needs(policy.OPEN)
@only("POST")
def set_language(request: HttpRequest) -> HttpResponse:
    return i18n.set_language(request)


@needs(policy.OPEN)
@only("GET", "HEAD", "POST")
@sensitive_post_parameters()
def setup(request: HttpRequest, token: str) -> HttpResponse:
    form = AdministratorForm(request.POST if request.method == "POST" else None)
    try:
        accounts.refuse_dead_link(token)
        if form.is_valid():
            name, password = form.cleaned_data["username"], form.cleaned_data["password"]
            with transaction.atomic():
                user = accounts.make_administrator(username=name, password=password, token=token)
                audit.record(by=None, act="account.first", about=user, now=timezone.now())
            sessions.enter(request, user)
            messages.success(request, gettext("The account is made, and you are logged in."))
            return redirect("start")
    except accounts.DeadLink:
        return render(request, "helpline/setup_dead.html", status=404)
    except accounts.NameTaken:
        form.refuse_name()
    return render(request, "helpline/setup.html", {"form": form})


@needs(policy.OPEN)
@only("GET", "HEAD", "POST")
@sensitive_post_parameters()
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Where somebody chooses the password of the account that an administrator made for them, or let begin anew."""
    try:
        account = invitations.invited_by(token)
        form = PasswordForm(request.POST if request.method == "POST" else None, user=account)
        if form.is_valid():
            user = invitations.take_up(token, password=form.cleaned_data["password"], now=timezone.now())
            sessions.enter(request, user)
            messages.success(request, gettext("Your password is chosen, and you are logged in."))
            return redirect("mfa_index")
    except accounts.DeadLink:
        return render(request, "helpline/invitation_dead.html", status=404)
    return render(request, "helpline/invitation.html", {"form": form, "account": account, "token": token})
