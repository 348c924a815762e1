"""Owns what the columns of each kind of file hold, in the reader's language, for who is about to fill one in.

Which columns there are, and which a file needs, say the modules that read it: a column without a meaning fails at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import get_language, gettext

from helpline import traffic_file
from helpline.code_files import DIMENSIONS, NOT_APPLICABLE
from helpline.imports import contacts
from helpline.listings import RECEIVER, RESOURCE, table
from helpline.listings.values import codes
from helpline.taxonomy import CODE_LISTS, QUESTIONS, REFERRALS


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, whether each file needs it, what it holds, and the codes that it takes, where it does."""

    name: str
    is_needed: bool
    meaning: str
    codes: tuple[str, ...] = ()


def _columns(
    names: Iterable[str],
    needed: Iterable[str],
    meanings: Mapping[str, str],
    taken: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[Column, ...]:
    return tuple(Column(name, name in needed, meanings[name], (taken or {}).get(name, ())) for name in names)


def of_contacts() -> tuple[Column, ...]:
    language = get_language() or ""
    meanings = {
        "key": gettext("What tells the row from all others, such as a number: the same key twice is one contact."),
        "day": gettext("Day of the contact, as in 2016-06-30."),
        REFERRALS: gettext("Whom the caller was referred to, as target:type:outcome; the outcome may be left out."),
    }
    several = gettext("%(question)s; several codes with | between them.")
    for question in QUESTIONS:
        asked = CODE_LISTS[question]
        label = asked.label(language)
        meanings[question] = several % {"question": label} if asked.multiple else f"{label}."
    taken = {
        question: tuple(code for code in CODE_LISTS[question].codes if code != NOT_APPLICABLE) for question in QUESTIONS
    }
    return _columns(contacts.COLUMNS, contacts.MANDATORY, meanings, taken)


def of_traffic() -> tuple[Column, ...]:
    meanings = {
        "day": gettext("Day of the calls, as in 2016-06-30."),
        "hour": gettext("Hour that begins then by the clock in Sweden, from 0 to 23."),
        "queue": gettext("Name of the queue, never the number of a caller."),
        "offered": gettext("All calls that came: the sum of the next four columns."),
        "answered": gettext("Answered calls."),
        "abandoned_short": gettext("Calls abandoned within 10 seconds."),
        "abandoned": gettext("Calls unanswered while the line was open."),
        "closed": gettext("Calls that came while the line was closed."),
        "voicemail": gettext("Of those that nobody answered: how many left a message."),
    }
    return _columns(traffic_file.COLUMNS, traffic_file.COLUMNS, meanings)


def of_directory() -> tuple[Column, ...]:
    taken = {
        "kind": (RECEIVER, RESOURCE),
        "target": codes("referral_target"),
        "dimension": DIMENSIONS,
        "agreement": codes("agreement"),
        "covers_exit": codes("covers_exit"),
        **dict.fromkeys(("is_shared", "is_confidential", "is_active"), ("ja", "nej")),
    }
    return _columns(table.COLUMNS, table.MANDATORY, _of_entries(), taken)


def _of_entries() -> dict[str, str]:
    return {
        "organisation": gettext("Who runs the service."),
        "name": gettext("What the service is called."),
        "kind": gettext("A receiver, which it is where the cell is empty, or a knowledge resource."),
        "target": gettext("Kind of receiver; every receiver needs one, here or chosen for all on the next page."),
        "dimension": gettext("Kind of support; as usual for the kind of receiver where the cell is empty."),
        "areas": gettext("For whom: SE, counties and municipalities, by code or name, with | between them."),
        "phones": gettext("Telephone numbers, the one to call first in front, with | between them."),
        "hours": gettext("Opening hours, as in MO-FR 09:00-15:00|SA 10:00-14:00."),
        "languages": gettext("Languages by their codes of two or three letters, with | between them."),
        "url": gettext("Web page, with https:// in front."),
        "address": gettext("Where it is, as in Street 1, 702 10 Town; several with | between them."),
        "alert": gettext("What a caller must know first."),
        "agreement": gettext("Form of agreement of the organisation."),
        "agreement_until": gettext("Day until which the agreement holds, as in 2016-06-30."),
        "covers_exit": gettext("Whether its guidelines cover people who want to leave."),
        "is_shared": gettext("Whether it is one unit shared by several municipalities."),
        "is_confidential": gettext("Whether the entry is protected."),
        "is_active": gettext("Whether callers are referred to it, which they are where the cell is empty."),
        "assured_on": gettext("Day on which somebody made sure that all of it is true, as in 2016-06-30."),
        "description": gettext("What else is to be known."),
        "id": gettext("The id of the entry as it was exported; a new entry has none."),
    }
