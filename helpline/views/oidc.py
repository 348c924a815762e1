"""Owns the addresses of the log-in at an identity provider: the two ways there, and the way back."""

import logging

from allauth.account.utils import get_next_redirect_url
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from helpline import accounts, identities, oidc, policy, sessions
from helpline.access import Page, StaffRequest, needs, only
from helpline.models import User
from helpline.oidc import Reason
from helpline.views import kept
from helpline.views.accounts import logged_in

logger = logging.getLogger(__name__)


def _page(page: Page) -> Page:
    """A page that is there only when the settings name a provider, and says in a sentence why nobody is logged in."""

    def answer(request: HttpRequest) -> HttpResponse:
        if not oidc.is_on():
            raise Http404
        try:
            return page(request)
        except oidc.Refused as refused:
            # What failed, never what was said: it names somebody.
            what = [refused.reason.name] + [type(cause).__name__ for cause in [refused.__cause__] if cause]
            logger.warning("A log-in at the identity provider was refused: %s", ", ".join(what))
            status = 503 if refused.reason is Reason.SILENT else 403
            return render(request, "helpline/oidc_refused.html", {"why": _explain(refused.reason)}, status=status)

    return answer


@needs(policy.OPEN)
@_page
@only("GET", "POST")
def begin(request: HttpRequest) -> HttpResponse:
    """Lead to the provider. A form that comes along is put by first; the page that follows leads on by itself, since a
    browser follows no form to another site that the content policy does not name."""
    after = get_next_redirect_url(request) or ""
    if request.method == "POST":
        kept.put_by(request)
        return render(request, "helpline/oidc_leave.html", {"after": after})
    return oidc.ask(request, after=after, invitation=request.GET.get("invitation", ""))


@needs("account.secure")
@_page
@only("GET")
def tie(request: StaffRequest) -> HttpResponse:
    """Lead somebody who has just shown who they are to the provider, to be let in by it from now on. A link leads here,
    since a browser follows no form to another site; nothing changes before they are back."""
    return oidc.ask(request, after=reverse("mfa_index"), ties=True)


@needs(policy.OPEN)
@_page
@only("GET")
def callback(request: HttpRequest) -> HttpResponse:
    """Log in whoever the provider sends back, or note that somebody who is logged in showed anew that it is them."""
    answer = oidc.answer(request)
    if answer.of and (answer.of, answer.name) != (str(request.user.pk), request.user.get_username()):
        raise oidc.Refused(Reason.OTHER)
    user = identities.account_of(answer, now=timezone.now())
    if answer.of:
        if answer.ties:
            _keep_this_session_alone(request, user)
        sessions.prove_by_oidc(request, user, at=answer.at)
        return redirect(answer.after or "start")
    sessions.enter_by_oidc(request, user, at=answer.at)
    return logged_in(request, redirect(answer.after or "start"))


def _keep_this_session_alone(request: HttpRequest, user: User) -> None:
    """As with a second factor that is added: whoever else is logged in by the password is so no longer."""
    accounts.end_sessions(user)
    user.refresh_from_db(fields=["epoch"])
    sessions.stay(request, user)
    messages.success(request, gettext("You are let in by %(provider)s from now on.") % _provider())


def _provider() -> dict[str, str]:
    return {"provider": settings.HELPLINE_OIDC_NAME}


def _explain(reason: Reason) -> str:
    wording = {
        Reason.SILENT: gettext("%(provider)s does not answer: try again in a while."),
        Reason.BROKEN_OFF: gettext("The log-in was broken off or took too long: begin again."),
        Reason.UNTRUE: gettext("What %(provider)s said could not be verified, so nobody is logged in: begin again."),
        Reason.TOO_LOW: gettext("The log-in at %(provider)s was of too low assurance: choose a stronger way there."),
        Reason.TOO_OLD: gettext("%(provider)s did not let you log in anew: log out there, and begin again."),
        Reason.NO_ACCOUNT: gettext("No account here has this identity: ask an administrator for one."),
        Reason.NOT_TIED: gettext(
            "%(provider)s does not let you in to this account yet: log in with the password, open “Your account”, and "
            "choose “Be let in by %(provider)s”."
        ),
        Reason.NOT_TAKEN_UP: gettext(
            "Nobody has taken up this account yet: open the link of your invitation, and log in with %(provider)s "
            "there. An administrator makes a new link."
        ),
        Reason.OTHER: gettext("This identity is not the one that the account belongs to: ask an administrator."),
    }
    return wording[reason] % _provider()
