"""Owns the page of grants: who may read by program until when, asking for a grant, ending one, and one's own tokens."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from helpline import approvals
from helpline.access import StaffRequest, needs, only
from reports import grants, tokens
from reports.forms import GrantForm, explain

SHOWN = 50  # grants that are over


@needs("grant.view")
@only("GET", "HEAD")
def index(request: StaffRequest) -> HttpResponse:
    return _page(request, GrantForm())


@needs("grant.issue")
@only("POST")
def ask(request: StaffRequest) -> HttpResponse:
    """Ask a second person to let an evaluator read by program."""
    form = GrantForm(request.POST)
    if form.is_valid():
        evaluator, until = form.cleaned_data["evaluator"], form.cleaned_data["until"]
        try:
            grants.ask(evaluator, until, by=request.user, now=timezone.now())
        except grants.CannotGrant as refused:
            form.add_error("until", explain(refused))
        except approvals.WaitsAlready:
            form.add_error("evaluator", gettext("A grant of this evaluator waits already: it must be decided first."))
        else:
            done = gettext("Asked for. %(name)s can read by program when a second person has agreed.")
            messages.success(request, done % {"name": evaluator.username})
            return redirect("grants")
    return _page(request, form, status=400)


@needs("grant.revoke")
@only("POST")
def end(request: StaffRequest, pk: int) -> HttpResponse:
    """End a grant, and the tokens with it."""
    try:
        grant = grants.revoke(pk, by=request.user, now=timezone.now())
    except grants.NoSuchGrant:
        raise Http404 from None
    done = gettext("The grant is ended: no program of %(name)s reads any longer.")
    messages.success(request, done % {"name": grant.evaluator.username})
    return redirect("grants")


@needs("grant.token")
@only("POST")
def make_token(request: StaffRequest) -> HttpResponse:
    """Make a token and show it, this once: it is not kept, so a redirect could not show it."""
    try:
        token, until = tokens.issue(request.user, now=timezone.now())
    except tokens.NoGrant:
        messages.info(request, gettext("You have no grant: ask a coordinator for one."))
    except tokens.TooMany:
        messages.info(request, _too_many())
    else:
        address = request.build_absolute_uri(reverse("px-tables"))
        return render(request, "reports/token.html", {"token": token, "until": until, "address": address})
    return redirect("grants")


@needs("grant.revoke")
@only("POST")
def revoke_token(request: StaffRequest, pk: int) -> HttpResponse:
    """Throw a token away."""
    try:
        tokens.revoke(pk, by=request.user, now=timezone.now())
    except tokens.NoSuchToken:
        raise Http404 from None
    messages.success(request, gettext("The token is revoked: no program reads with it any longer."))
    return redirect("grants")


def _page(request: StaffRequest, form: GrantForm, status: int = 200) -> HttpResponse:
    today = timezone.localdate()
    shown = list(grants.shown_to(request.user, today=today))
    live = [grant for grant in shown if grant.is_live(today)]
    may_ask = request.user.may("grant.issue")
    context = {
        "form": form,
        "live": live,
        "over": [grant for grant in shown if grant not in live][:SHOWN],
        "waiting": grants.waiting() if request.user.may("approval.view") else [],
        "may_ask": may_ask,
        "makes_tokens": request.user.may("grant.token"),
        "too_many": _too_many() if any(len(g.evaluator.tokens.all()) >= tokens.MOST for g in live) else "",
        "evaluators": grants.evaluators() if may_ask else [],
        "today": today,
        "latest": grants.latest_day(today),
        "days": tokens.DAYS,
    }
    return render(request, "reports/grants.html", context, status=status)


def _too_many() -> str:
    return gettext("You have %(n)d tokens, which is as many as there may be: revoke one first.") % {"n": tokens.MOST}
