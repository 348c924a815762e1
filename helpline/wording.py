"""Owns the wording of each refusal, in the reader's language."""

from django.conf import settings
from django.utils.translation import get_language, gettext, ngettext

from helpline.entries import Finding, Reason
from helpline.taxonomy import CODE_LISTS, REFERRALS


def explain(finding: Finding) -> str:
    """One sentence, in the reader's language, that says what to do about `finding`; never the refused text itself."""
    wording = {
        Reason.UNKNOWN: gettext("This is no code of the list: choose one of the list’s codes."),
        Reason.NOT_VALID_ON_DAY: gettext("This code does not hold on the chosen day: choose another one."),
        Reason.REPEATED: gettext("The same code stands twice: give it once."),
        Reason.EXCLUSIVE: gettext("One of these answers stands alone: keep either it or the others."),
        Reason.SINGLE: gettext("Only one answer fits here: keep one of them."),
        Reason.MISSING: gettext("An answer is needed here: choose one."),
        Reason.NOT_A_DAY: gettext("This is no day: write it as year-month-day, as in 2016-06-30."),
        Reason.DAY_AHEAD: gettext("The day lies ahead: choose today or an earlier day."),
        Reason.DAY_TOO_EARLY: gettext("The code lists hold from 2015-01-01: choose that day or a later one."),
        Reason.DAY_TOO_OLD: _too_old(settings.HELPLINE_BACKDATE_DAYS),
        Reason.REFERRAL_SHAPE: gettext("A referral is written target:type:outcome: give its codes in that order."),
        Reason.REFERRAL_REPEATED: gettext("The same referral stands twice: keep one of them."),
        Reason.CONSENT: gettext("Contact is arranged only with the caller’s consent: tick it, or choose signposting."),
    }
    if finding.question == REFERRALS and finding.reason is Reason.MISSING:
        return gettext("A referral needs both a receiver and a type: choose both, or empty the row.")
    if finding.reason is Reason.UNKNOWN and finding.hint:
        return gettext("This is no code of the list: did you mean %(code)s?") % {"code": finding.hint}
    return wording[finding.reason]


def _too_old(days: int) -> str:
    return ngettext(
        "The day lies too far back: choose today or yesterday.",
        "The day lies too far back: choose today or one of the %(days)d days before.",
        days,
    ) % {"days": days}


def referral_label(target: str, kind: str) -> str:
    """A referral in the reader's language: to whom, and who takes the next step."""
    labels = (CODE_LISTS["referral_target"].codes[target], CODE_LISTS["referral_type"].codes[kind])
    return " – ".join(code.label(get_language() or "") for code in labels)
