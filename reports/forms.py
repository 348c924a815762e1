"""Owns what the reports read from people and settings, and the wording of each refusal."""

from contextlib import suppress
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reports import grants
from reports.disclosure.protect import Parameters
from reports.freeze import CannotFreeze
from reports.models import Release
from reports.periods import PILOT, Period, parse, pilot_between
from reports.release import CannotRelease, Rule


class NoPilot(ValueError):
    """The settings name no pilot that can be released."""


class OtherPilot(NoPilot):
    """The settings name another span than that of the pilot that has a release already, which is `released`."""

    def __init__(self, released: Period) -> None:
        super().__init__(released)
        self.released = released


class NoSuchPeriod(ValueError):
    """The text names none of the periods asked for."""


class GrantForm(forms.Form):
    """Which evaluator may read by program, and until when."""

    evaluator: forms.ModelChoiceField = forms.ModelChoiceField(
        None, error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose an evaluator."))
    )
    until = forms.DateField(
        error_messages=dict.fromkeys(
            ("required", "invalid"), gettext_lazy("This is no day: write it as year-month-day, as in 2016-06-30.")
        )
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["evaluator"].queryset = grants.evaluators()  # type: ignore[attr-defined]


def pilot() -> Period:
    """The pilot of the settings. Raises NoPilot, and its OtherPilot."""
    if not (settings.REPORTS_PILOT_START and settings.REPORTS_PILOT_END):
        raise NoPilot
    wanted = pilot_between(settings.REPORTS_PILOT_START, settings.REPORTS_PILOT_END)
    for release in Release.objects.filter(kind=PILOT).only("kind", "start", "end"):
        if release.period != wanted:
            raise OtherPilot(release.period)
    return wanted


def optional_pilot() -> Period | None:
    """The pilot of the settings, or None where there is none to be released."""
    with suppress(NoPilot):
        return pilot()
    return None


def read_period(text: str, *kinds: str) -> Period:
    """The period that `text` names, of one of `kinds`. Raises NoSuchPeriod and NoPilot."""
    if text == PILOT and PILOT in kinds:
        return pilot()
    try:
        period = parse(text)
    except ValueError:
        raise NoSuchPeriod from None
    if period.kind not in kinds:
        raise NoSuchPeriod
    return period


def rule() -> Rule:
    """What releases are made with, by the settings."""
    parameters = Parameters(
        k=settings.REPORTS_K,
        k_first=settings.REPORTS_K_FIRST,
        base=settings.REPORTS_BASE,
        density=settings.REPORTS_DENSITY,
        min_total=settings.REPORTS_MIN_TOTAL,
    )
    return Rule(parameters, settings.REPORTS_RELEASE_KEYS, settings.EMBEDDED)


def explain(error: Exception) -> str:
    """One sentence that says what to do about a period that cannot be read, frozen or released, or about a grant."""
    if isinstance(error, OtherPilot):
        days = {"first": error.released.start.isoformat(), "last": max(error.released.days()).isoformat()}
        return (
            _("Another pilot has a release: set REPORTS_PILOT_START to %(first)s and REPORTS_PILOT_END to %(last)s.")
            % days
        )
    if isinstance(error, NoPilot):
        return _("No pilot is set: give REPORTS_PILOT_START and REPORTS_PILOT_END.")
    if isinstance(error, CannotFreeze):
        return {
            CannotFreeze.NOT_OVER: _("%(month)s is not over: freeze it when it is."),
            CannotFreeze.FROZEN: _("%(month)s is frozen already; late contacts count in the open month."),
            CannotFreeze.EARLIER: _("%(month)s is not frozen yet: freeze it first."),
        }[error.reason] % {"month": error.month.code}
    if isinstance(error, CannotRelease):
        return {
            CannotRelease.NOT_FROZEN: _("%(period)s has months that are not frozen: freeze them first."),
            CannotRelease.PUBLISHED: _("%(period)s is published already, and what is published never changes."),
            CannotRelease.KEY: _(
                "The key of %(period)s is damaged, or not that of earlier releases: put its file back from a backup."
            ),
            CannotRelease.NO_EDITION: _(
                "Only a published year has a new edition, one at a time: nothing was asked for of %(period)s."
            ),
            CannotRelease.LACKS_CALLS: _(
                "Calls of %(period)s were loaded after it was prepared: it is prepared anew within the hour."
            ),
            CannotRelease.NO_GATE: _(
                "A new edition of %(period)s is published only when the gate over old and new has run, which this"
                " version cannot do."
            ),
        }[error.reason] % {"period": error.period.code}
    if isinstance(error, grants.CannotGrant):
        return {
            grants.CannotGrant.NO_EVALUATOR: _("Choose an evaluator."),
            grants.CannotGrant.DAY: _("Choose today or a later day, at most %(days)d days ahead."),
        }[error.reason] % {"days": grants.MOST_DAYS}
    return _("No such period: write it as 2026-09, 2026-Q3, 2026-H2, 2026 or pilot.")
