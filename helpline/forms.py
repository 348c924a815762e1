"""Owns what a person sends on the pages of accounts."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.forms import UsernameField
from django.utils.translation import gettext, gettext_lazy

from helpline import guesses, policy, second_factor
from helpline.models import User


class CodeForm(forms.Form):
    """A code of the authenticator app or a recovery code, to log in with."""

    code = forms.CharField(max_length=32)
    is_again = False

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.authenticator: Authenticator | None = None

    def clean_code(self) -> str:
        attempts, code = guesses.Attempts(f"code-{self.user.pk}-{self.is_again}"), str(self.cleaned_data["code"])
        try:
            attempts.begin()
        except guesses.TooSoon as refused:
            wording = gettext("Too many wrong codes: wait %(seconds)d seconds and try again.")
            raise forms.ValidationError(wording % {"seconds": refused.seconds}) from None
        self.authenticator = second_factor.use_code(self.user, code)
        if self.authenticator is None:
            raise forms.ValidationError(gettext("The code is wrong or was used before: wait for the next one."))
        attempts.succeed()
        return code

    def save(self) -> None:
        """Note in the session that the second factor was given."""
        post_authentication(context.request, self.authenticator, reauthenticated=self.is_again)


class CodeAgainForm(CodeForm):
    """The same, from somebody who is logged in, to show that it is them."""

    is_again = True


class PasswordForm(forms.Form):
    """A password chosen by its owner, twice: at least 15 characters, none of the common ones, not like the user name.

    Nothing else is asked of it, and it never grows old (ASVS 5.0, 6.2).
    """

    password = forms.CharField(strip=False, max_length=512, label=gettext_lazy("Password"))
    again = forms.CharField(strip=False, max_length=512, label=gettext_lazy("The same password again"))

    def __init__(self, *args: Any, user: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean(self) -> dict[str, Any]:
        password = self.cleaned_data.get("password", "")
        if password and "again" in self.cleaned_data and password != self.cleaned_data["again"]:
            self.add_error("again", gettext("The two passwords differ: write the same one twice."))
        try:
            if password:
                owner = self.user or User(username=self.cleaned_data.get("username", ""))
                password_validation.validate_password(password, owner)
        except forms.ValidationError as error:
            self.add_error("password", error)
        return self.cleaned_data


class NewPasswordForm(PasswordForm):
    """A new password of somebody who has one, who gives the present one too (ASVS 5.0, 6.2.3)."""

    current = forms.CharField(strip=False, max_length=512, label=gettext_lazy("Your password"))
    field_order = ["current", "password", "again"]

    def clean_current(self) -> str:
        current = str(self.cleaned_data["current"])
        if not get_adapter().reauthenticate(self.user, current):
            raise forms.ValidationError(gettext("The password is wrong: try again."))
        return current


class AdministratorForm(PasswordForm):
    """User name and password of an administrator's account that the server's own link makes."""

    username = UsernameField(max_length=64, label=gettext_lazy("User name"))

    def refuse_name(self) -> None:
        self.add_error("username", name_taken())


class RoleForm(forms.Form):
    """Which role an account has, or shall have."""

    role = forms.ChoiceField(
        choices=[(role, gettext_lazy(name)) for role, name in policy.ROLE_NAMES.items()],
        label=gettext_lazy("Role"),
        error_messages={"required": gettext_lazy("An answer is needed here: choose one.")},
    )


class InvitationForm(RoleForm):
    """Whom to invite as what. The name is what they log in with; it need not be their own."""

    field_order = ("username", "role")
    username = UsernameField(max_length=64, label=gettext_lazy("User name"))

    def refuse_name(self) -> None:
        self.add_error("username", name_taken())


def name_taken() -> str:
    return gettext("Somebody has an account of this name: choose another one.")
