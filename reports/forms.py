"""Owns what the reports read from people and settings, and the wording of each refusal."""

from datetime import date

from django.conf import settings
from django.utils.translation import gettext as _

from reports.disclosure.protect import Parameters
from reports.freeze import CannotFreeze
from reports.periods import PILOT, Period, parse
from reports.release import CannotRelease, Rule


class NoPilot(ValueError):
    """The settings name no pilot."""


class NoSuchPeriod(ValueError):
    """The text names none of the periods asked for."""


def pilot() -> Period:
    """The pilot of the settings. Raises NoPilot."""
    if not (settings.REPORTS_PILOT_START and settings.REPORTS_PILOT_END):
        raise NoPilot
    start = date.fromisoformat(settings.REPORTS_PILOT_START)
    end = parse(settings.REPORTS_PILOT_END[:7]).end
    return Period(PILOT, start.replace(day=1), end)


def optional_pilot() -> Period | None:
    return pilot() if settings.REPORTS_PILOT_START and settings.REPORTS_PILOT_END else None


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
    """One sentence that says what to do about a period that cannot be read, frozen or released."""
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
        }[error.reason] % {"period": error.period.code}
    return _("No such period: write it as 2026-09, 2026-Q3, 2026-H2, 2026 or pilot.")
