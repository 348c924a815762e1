"""Owns how the log-in library does things here: whose password is looked at when, and what is kept of it."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib.auth import authenticate
from django.forms import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from helpline import audit, guesses, sealing, second_factor, sessions
from helpline.models import User

STARTED = "log-in under way"


def _state(user: User) -> list[object]:
    return [user.pk, str(user.epoch)]


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up; wrong passwords wait; a session starts with its clocks; the day of a log-in is kept, no more."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": gettext_lazy("The user name or the password is wrong: check both and try again."),
        "incorrect_password": gettext_lazy("The password is wrong: try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_ajax(self, request: HttpRequest) -> bool:
        """What a script is answered, our own pages say."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The account of a name and password. A closed one is answered as a wrong password is. Raises ValidationError
        for an attempt that comes too soon."""
        attempts = guesses.attempts_at(credentials.get("username", ""), request)
        try:
            attempts.begin()
        except guesses.TooSoon as refused:
            wording = gettext("Too many wrong passwords: wait %(seconds)d seconds and try again.")
            raise ValidationError(wording % {"seconds": refused.seconds}, code="too_soon") from None
        user = authenticate(request, **credentials)
        AuthenticationBackend.unstash_authenticated_user()  # else a closed account's would stay in the thread's memory
        if user:
            attempts.succeed()
        return user

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Remember what the account was when its password was given."""
        request.session[STARTED] = _state(user)
        return super().pre_login(request, user, **kwargs)

    def login(self, request: HttpRequest, user: User) -> None:
        """Raises ImmediateHttpResponse when the account was closed, or its sessions were ended, since the password."""
        started = request.session.pop(STARTED, None)
        was_of_user = started is not None and started[0] == user.pk
        if not user.is_active or (was_of_user and started != _state(user)):
            raise ImmediateHttpResponse(redirect("account_login"))
        super().login(request, user)
        sessions.begin(request)
        today = timezone.localdate()
        if user.logged_in_on != today:
            User.objects.filter(pk=user.pk).update(logged_in_on=today)
        audit.record(by=user, act="session.begin", now=timezone.now())

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response = super().post_login(request, user, **kwargs)
        guesses.know_browser(response, user)
        return response

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Our own guard asks for proof before any of these pages."""
        return False

    def get_reauthentication_methods(self, user: Any) -> list[dict]:
        """The second factors, where there are any; else the password."""
        methods = super().get_reauthentication_methods(user)
        return [method for method in methods if method["id"] != "reauthenticate"] or methods


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets of second factors lie encrypted; the last one of an account is not given up."""

    def encrypt(self, text: str) -> str:
        return sealing.seal(text.encode(), purpose="second factor")

    def decrypt(self, encrypted_text: str) -> str:
        return sealing.unseal(encrypted_text, purpose="second factor").decode()

    def get_totp_issuer(self) -> str:
        return "Stödtelefonen"

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return second_factor.may_remove(authenticator)
