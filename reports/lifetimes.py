"""Owns in which order what is stored comes to its end: periods that contradict each other stop the start. Pure."""

from collections.abc import Mapping
from typing import Any

HOURS, LEAST_DAYS = 24, 28  # of a day, of a month
LEAST_AUDIT = 24  # months; the database keeps younger lines

NAMES = (
    *("HELPLINE_DRAFT_HOURS", "HELPLINE_AMEND_HOURS", "HELPLINE_CASE_DAYS", "HELPLINE_CONTACT_MONTHS"),
    *("HELPLINE_AUDIT_MONTHS", "REPORTS_FREEZE_DAY", "REPORTS_RECORD_MONTHS"),
)


def out_of_order(settings: Mapping[str, Any]) -> list[str]:
    """A sentence for each period that does not fit the others: draft, amend < freeze < erase < record of acts."""
    draft, amend, case, contact, audit, freeze, record = (settings[name] for name in NAMES)
    rules = {
        "REPORTS_FREEZE_DAY must be 1 to 28, which every month has.": 1 <= freeze <= LEAST_DAYS,
        "HELPLINE_DRAFT_HOURS must be at most HELPLINE_AMEND_HOURS: a form that is saved again once its key is erased"
        " would make a second contact.": draft <= amend,
        "HELPLINE_AMEND_HOURS must end before REPORTS_FREEZE_DAY: what is logged on the last day of a month can be"
        " amended until it is frozen.": amend <= (freeze - 1) * HOURS,
        "HELPLINE_CONTACT_MONTHS must be 2 or more: a month is frozen in the next one, and its contacts are erased only"
        " then.": contact >= 2,
        "HELPLINE_CASE_DAYS must be at most a third of HELPLINE_CONTACT_MONTHS: else a case forgets how often somebody"
        " has called.": 3 * case <= contact * LEAST_DAYS,
        "HELPLINE_AUDIT_MONTHS must be 24 or more: the database keeps younger lines.": audit >= LEAST_AUDIT,
        "HELPLINE_AUDIT_MONTHS must be at least HELPLINE_CONTACT_MONTHS: as long as there is a contact, it is known who"
        " opened one.": audit >= contact,
        "REPORTS_RECORD_MONTHS must be 1 or more: a new edition of a published year is made from its records.": (
            record >= 1
        ),
    }
    return [sentence for sentence, holds in rules.items() if not holds]
