"""The reports: counts, releases and what leaves the helpline."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from reports.lifetimes import NAMES, out_of_order


class ReportsConfig(AppConfig):
    name = "reports"

    def ready(self) -> None:
        checks.register(lifetimes_in_order, "retention")


def lifetimes_in_order(**_: Any) -> list[checks.CheckMessage]:
    """An error for each period of the settings that does not fit the others; it stops the start."""
    kept = {name: getattr(settings, name) for name in NAMES}
    return [checks.Error(sentence, id="reports.E001") for sentence in out_of_order(kept)]
