"""The edge as an app, so that `serve` is a management command and its system checks are run."""

from django.apps import AppConfig


class EdgeConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from reports import checks  # noqa: F401 (registers them)
