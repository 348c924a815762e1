"""Owns the pages of one's own account: second factors, password, sessions, and showing anew that it is oneself."""

from typing import Any, cast

from allauth.account.views import ReauthenticateView
from allauth.mfa.base import views as base
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters

from helpline import accounts, audit, identities, oidc, second_factor, sessions
from helpline.access import StaffRequest, needs, only
from helpline.forms import NewPasswordForm, PasswordForm
from helpline.models import User

PAGES = "helpline/account/"


def _page(action: str, view: Any) -> Any:
    return needs(action)(only("GET", "HEAD", "POST")(sensitive_post_parameters()(view)))


class Own(base.IndexView):
    """One's own second factors, which the identity provider's stand in for."""

    template_name = f"{PAGES}index.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = cast(User, self.request.user)
        shown = {"came_by_oidc": sessions.came_by_oidc(self.request), "is_tied": identities.is_tied(user)}
        return super().get_context_data(**kwargs) | shown | {"may_be_tied": oidc.is_on()}


index = needs("account.own")(only("GET", "HEAD")(Own.as_view()))


@needs("account.own")
@only("GET", "HEAD")
def passkeys(request: HttpRequest) -> HttpResponse:
    return redirect("mfa_index")


# --- showing that it is oneself ---------------------------------------------------------------------------------------

confirm_by_code = _page("account.own", base.ReauthenticateView.as_view(template_name=f"{PAGES}confirm.html"))
confirm_by_passkey = _page(
    "account.own", webauthn.ReauthenticateWebAuthnView.as_view(template_name=f"{PAGES}confirm_passkey.html")
)
confirm_by_password = _page("account.own", ReauthenticateView.as_view(template_name=f"{PAGES}confirm_password.html"))


# --- second factors ---------------------------------------------------------------------------------------------------


def _added(request: HttpRequest) -> None:
    """Whoever else is logged in to the account, with its password alone, is no longer; here the factor is proved."""
    user = cast(User, request.user)
    accounts.end_sessions(user)
    user.refresh_from_db(fields=["epoch"])
    sessions.stay(request, user)
    sessions.prove_second_factor(request, user)


def _changed(request: HttpRequest, said: str) -> None:
    audit.record(by=cast(User, request.user), act="account.secure", now=timezone.now())
    messages.success(request, said)


class AddApp(totp.ActivateTOTPView):
    """Scan a picture with an authenticator app, and give the code that it shows, which then is used up."""

    template_name = f"{PAGES}add_app.html"

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        second_factor.use_code(self.request.user, form.cleaned_data["code"])
        _added(self.request)
        _changed(self.request, gettext("The authenticator app is your second factor from now on."))
        return answer


class RemoveApp(totp.DeactivateTOTPView):
    template_name = f"{PAGES}remove.html"

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        _changed(self.request, gettext("The authenticator app is removed."))
        return answer


class AddPasskey(webauthn.AddWebAuthnView):
    """Make a passkey on this device or on a key of one's own."""

    template_name = f"{PAGES}add_passkey.html"

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        _added(self.request)
        _changed(self.request, gettext("The passkey is added."))
        return answer


class RemovePasskey(webauthn.RemoveWebAuthnView):
    template_name = f"{PAGES}remove.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuse to remove what is the last second factor of the account."""
        if not second_factor.may_remove(self.get_object()):
            messages.error(request, gettext("This is your last second factor: add another one before."))
            return redirect("mfa_index")
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        _changed(self.request, gettext("The passkey is removed."))
        return answer


class NewCodes(recovery.GenerateRecoveryCodesView):
    template_name = f"{PAGES}new_codes.html"

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        _changed(self.request, gettext("Your earlier recovery codes no longer work."))
        return answer


add_app = _page("account.secure", AddApp.as_view())
remove_app = _page("account.secure", RemoveApp.as_view(success_url=reverse_lazy("mfa_index")))
codes = needs("account.secure")(
    only("GET", "HEAD")(recovery.ViewRecoveryCodesView.as_view(template_name=f"{PAGES}codes.html"))
)
new_codes = _page("account.secure", NewCodes.as_view())
add_passkey = _page("account.secure", AddPasskey.as_view())
remove_passkey = _page("account.secure", RemovePasskey.as_view())


# --- password and sessions --------------------------------------------------------------------------------------------


@needs("account.secure")
@only("GET", "HEAD", "POST")
@sensitive_post_parameters()
def password(request: StaffRequest) -> HttpResponse:
    """A new password ends all other sessions."""
    kind = NewPasswordForm if request.user.has_usable_password() else PasswordForm
    form = kind(request.POST if request.method == "POST" else None, user=request.user)
    if form.is_valid():
        accounts.change_password(request.user, form.cleaned_data["password"])
        sessions.stay(request, request.user)
        _changed(request, gettext("The password is changed, and your other sessions are ended."))
        return redirect("mfa_index")
    return render(request, f"{PAGES}password.html", {"form": form})


@needs("account.secure")
@only("GET", "HEAD", "POST")
def end_sessions(request: StaffRequest) -> HttpResponse:
    """End every session of one's own, this one too; a lost telephone or computer is logged out by it."""
    if request.method != "POST":
        return render(request, f"{PAGES}end_sessions.html")
    accounts.end_sessions(request.user)
    audit.record(by=request.user, act="account.secure", now=timezone.now())
    return redirect(reverse("account_login"))
