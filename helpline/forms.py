"""Owns what a person sends on the pages of accounts."""

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.forms import UsernameField
from django.utils.translation import gettext, gettext_lazy

from helpline.models import User


class FirstAdministratorForm(forms.Form):
    """User name and, twice, the password of the account that makes all the others."""

    username = UsernameField(max_length=64, label=gettext_lazy("User name"))
    password = forms.CharField(strip=False, label=gettext_lazy("Password"))
    again = forms.CharField(strip=False, label=gettext_lazy("The same password again"))

    def clean(self) -> dict[str, Any]:
        password = self.cleaned_data.get("password", "")
        if password and "again" in self.cleaned_data and password != self.cleaned_data["again"]:
            self.add_error("again", gettext("The two passwords differ: write the same one twice."))
        try:
            if password:
                password_validation.validate_password(password, User(username=self.cleaned_data.get("username", "")))
        except forms.ValidationError as error:
            self.add_error("password", error)
        return self.cleaned_data
