"""Owns the case of a form: opened, found by a typed number, or carried on by its ticket; and what is said of it."""

from dataclasses import dataclass
from datetime import date
from itertools import product

from django.utils import timezone
from django.utils.translation import get_language, gettext

from helpline import case_history, cases
from helpline.case_history import History
from helpline.case_numbers import Mistyped, spoken
from helpline.entries import FollowUp
from helpline.form_rows import Posted
from helpline.models import Case, User
from helpline.taxonomy import CODE_LISTS
from helpline.wording import referral_label


class TicketExpired(Exception):
    """The ticket is another account's, too old, or its case was forgotten."""


PAIRS = tuple(product(CODE_LISTS["referral_target"].codes, CODE_LISTS["referral_type"].codes))
REFUSED = (Mistyped, cases.NoSuchCase, cases.TooManyTries, TicketExpired)


@dataclass(frozen=True, slots=True)
class EarlierReferral:
    """A referral that the case had before and that can still change: what it is called in the form and for a reader,
    the outcome it has, and the one that is chosen. Nothing says when it was made, or by whom."""

    name: str
    label: str
    outcome: str
    chosen: str


@dataclass(frozen=True, slots=True)
class FormCase:
    """What is shown of a case: its next step in words, the number, in groups, where it was given this moment, its
    earlier referrals, and whether it has some that can no longer change."""

    ticket: str
    said: str
    spoken: str = ""
    earlier: tuple[EarlierReferral, ...] = ()
    has_closed: bool = False


def outcomes_offered() -> list[tuple[str, str]]:
    """Code and label of each outcome that holds today."""
    offered = CODE_LISTS["referral_outcome"].offered_on(timezone.localdate())
    return [(code.code, code.label(get_language() or "")) for code in offered]


def _shown(case: Case, history: History, *, by: User, number: str = "", posted: Posted | None = None) -> FormCase:
    step = CODE_LISTS["case_step"].codes[case_history.step_after(history.steps)].label(get_language() or "")
    rows = sorted(history.referrals, key=lambda row: PAIRS.index(row[:2]))
    earlier = tuple(
        _earlier(target, kind, outcome, posted) for target, kind, outcome, is_frozen in rows if not is_frozen
    )
    said = spoken(number) if number else ""
    return FormCase(cases.ticket(case, by=by), step, said, earlier, len(earlier) < len(rows))


def _earlier(target: str, kind: str, outcome: str, posted: Posted | None) -> EarlierReferral:
    name = name_of(target, kind)
    chosen = posted.get(name, "") if posted else ""
    known = chosen in CODE_LISTS["referral_outcome"].codes
    return EarlierReferral(name, referral_label(target, kind), outcome, chosen if known else outcome)


def name_of(target: str, kind: str) -> str:
    """The name of a field. Target and type name a referral within its case; no key does, since one that stands in two
    pages would link two calls."""
    return f"earlier-{target}-{kind}"


def follow_ups_of(posted: Posted) -> list[FollowUp]:
    """What was said of earlier referrals, where it is something else than what was shown. Raises UnknownCode."""
    found = []
    for target, kind in PAIRS:
        name = name_of(target, kind)
        shown, outcome = posted.get(f"{name}-shown", ""), posted.get(name, "")
        if shown and outcome and outcome != shown:
            found.append(FollowUp(target, kind, shown, outcome))
    return found


def earlier_fields(posted: Posted) -> list[tuple[str, str]]:
    """The same as fields of a form that is filled in again, codes only."""
    given = ((name_of(*pair), posted.get(name_of(*pair), "")) for pair in PAIRS)
    return [(name, outcome) for name, outcome in given if outcome in CODE_LISTS["referral_outcome"].codes]


def new_case(*, by: User, today: date) -> FormCase:
    """A case that begins, and its number, to be told to the caller now."""
    case, number = cases.open_case(today=today)
    return _shown(case, History(0, ()), by=by, number=number)


def found_case(text: str, *, by: User, today: date) -> FormCase:
    """The case of a number that the caller gave. Raises one of REFUSED."""
    case = cases.find_case(text, by=by, today=today)
    return _shown(case, case_history.history_of(case), by=by)


def sent_case(number: str, ticket: str, *, by: User, today: date) -> Case | None:
    """The case of a form that was sent: of the number typed in it, else of the ticket that it carries. Raises one of
    REFUSED."""
    if number.strip():
        return cases.find_case(number, by=by, today=today)
    if ticket and (case := cases.redeem(ticket, by=by)) is None:
        raise TicketExpired
    return case if ticket else None


def same_case(case: Case, *, by: User, posted: Posted | None = None) -> FormCase:
    """The case of a form that is shown again, with a fresh ticket, and what `posted` says of its earlier referrals."""
    return _shown(case, case_history.history_of(case), by=by, posted=posted)


def explain_case(error: Exception) -> str:
    """One sentence, in the reader's language, on why a number leads to no case; never the number."""
    wording = {
        Mistyped: gettext("This number is mistyped: ask the caller to say it once more."),
        cases.NoSuchCase: gettext("No case has this number: it was never given, or nobody has used it for too long."),
        cases.TooManyTries: gettext("Too many numbers have been tried: wait an hour, or save without the number."),
        case_history.Overtaken: gettext(
            "An earlier referral of this case was changed meanwhile, or can no longer be changed: look at what stands"
            " here now, then save again."
        ),
        TicketExpired: gettext("The form has been open for too long to know its case: give the number once more."),
    }
    return wording[type(error)]
