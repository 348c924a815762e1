"""The reports: counts, releases and what leaves the helpline."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "reports"
