"""Owns the case of a form: opened, found by a typed number, or carried on by its ticket; and what is said of it."""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import get_language, gettext

from helpline import cases
from helpline.case_numbers import Mistyped, read, spoken
from helpline.models import Case, User
from helpline.taxonomy import CODE_LISTS


class TicketExpired(Exception):
    """The ticket is another account's, too old, or its case was forgotten."""


REFUSED = (Mistyped, cases.NoSuchCase, cases.TooManyTries, TicketExpired)


@dataclass(frozen=True, slots=True)
class FormCase:
    """What is shown of a case: its next step in words, and the number, in groups, where it was given this moment."""

    ticket: str
    said: str
    spoken: str = ""


def _shown(case: Case, steps: int, *, by: User, number: str = "") -> FormCase:
    step = CODE_LISTS["case_step"].codes[cases.step_after(steps)]
    return FormCase(cases.ticket(case, by=by), step.label(get_language() or ""), spoken(number) if number else "")


def new_case(*, by: User, today: date) -> FormCase:
    """A case that begins, and its number, to be told to the caller now."""
    case, number = cases.open_case(today=today)
    return _shown(case, 0, by=by, number=number)


def found_case(text: str, *, by: User, today: date) -> FormCase:
    """The case of a number that the caller gave. Raises one of REFUSED."""
    case = cases.find_case(text, by=by, today=today)
    return _shown(case, cases.steps_of(case), by=by, number=read(text))


def sent_case(number: str, ticket: str, *, by: User, today: date) -> Case | None:
    """The case of a form that was sent: of the number typed in it, else of the ticket that it carries. Raises one of
    REFUSED."""
    if number.strip():
        return cases.find_case(number, by=by, today=today)
    if ticket and (case := cases.redeem(ticket, by=by)) is None:
        raise TicketExpired
    return case if ticket else None


def same_case(case: Case, *, by: User) -> FormCase:
    """The case of a form that is shown again, with a fresh ticket."""
    return _shown(case, cases.steps_of(case), by=by)


def explain_case(error: Exception) -> str:
    """One sentence, in the reader's language, on why a number leads to no case; never the number."""
    wording = {
        Mistyped: gettext("This number is mistyped: ask the caller to say it once more."),
        cases.NoSuchCase: gettext("No case has this number: it was never given, or nobody has used it for too long."),
        cases.TooManyTries: gettext("Too many numbers have been tried: wait an hour, or save without the number."),
        TicketExpired: gettext("The form has been open for too long to know its case: give the number once more."),
    }
    return wording[type(error)]
