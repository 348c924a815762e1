"""The helpline: contacts go in here."""

from django.apps import AppConfig


class HelplineConfig(AppConfig):
    name = "helpline"
