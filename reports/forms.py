"""Owns what the reports read from people and settings, and the wording of each refusal."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reports import grants, vacuum
from reports.disclosure.microdata import Limits
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
    keys = settings.REPORTS_RELEASE_KEYS
    return Rule(parameters, Path(keys) if keys else None, settings.EMBEDDED)


def row_limits() -> Limits:
    """What row files keep: policy, but that no number is shown which the tables of these settings would hide."""
    return Limits(cell=settings.REPORTS_K)


def explain_left(why: str) -> str:
    """Why what was erased may still stand in the files of the database, and what to do."""
    return {
        vacuum.HELD: _("Something held the database: the next night tries again."),
        vacuum.LARGE: _("To rewrite a table takes too long beside handlers: see “Erasing” in the README."),
        vacuum.RIGHTS: _("The role of the database may not rewrite it: see “Erasing” in the README for its rights."),
        vacuum.LOG: _("A standby, an archive or a slot keeps the old write-ahead log: see “Erasing” in the README."),
    }[why]


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
        return _explain_release(error)
    if isinstance(error, grants.CannotGrant):
        return {
            grants.CannotGrant.NO_EVALUATOR: _("Choose an evaluator."),
            grants.CannotGrant.DAY: _("Choose today or a later day, at most %(days)d days ahead."),
        }[error.reason] % {"days": grants.MOST_DAYS}
    return _("No such period: write it as 2026-09, 2026-Q3, 2026-H2, 2026 or pilot.")


def _explain_release(error: CannotRelease) -> str:
    return {
        CannotRelease.NOT_FROZEN: _("%(period)s has months that are not frozen: freeze them first."),
        CannotRelease.PUBLISHED: _("%(period)s is published already, and what is published never changes."),
        CannotRelease.KEY: _(
            "The key of %(period)s is damaged, not that of earlier releases, or others can read it: put its file"
            " back as it was, the worker’s own with mode 0600."
        ),
        CannotRelease.NO_KEYS: _(
            "%(period)s can be prepared by the release worker alone: give it REPORTS_RELEASE_KEYS, the folder of"
            " the keys, and run this there."
        ),
        CannotRelease.DESTROYED: _(
            "Nothing more is prepared of %(period)s: its key was destroyed when the last release made with it was"
            " out. Two coordinators can ask for a new edition of the year."
        ),
        CannotRelease.NO_EDITION: _(
            "Only a published year has a new edition, one at a time: nothing was asked for of %(period)s."
        ),
        CannotRelease.LACKS_CALLS: _(
            "Calls of %(period)s were loaded after it was prepared: it is prepared anew within the hour."
        ),
        CannotRelease.ERASED: _("The records of %(period)s are erased: nothing can be made of it any more."),
        CannotRelease.NO_GATE: _("%(period)s has not passed the gate: it is not published as it is."),
        CannotRelease.RECORDS: _(
            "%(period)s cannot be prepared: the frozen records are not those that the releases beside it were"
            " made of. Put the database back from a backup."
        ),
    }[error.reason] % {"period": error.period.code}
