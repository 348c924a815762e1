"""Owns what is computed of the calls: rates and loads, each with the counts it is made of. Pure.

The indicators of the evaluation: I1 answer rate, I2 demand when closed, I3 contacts per open day and hour, I17
registration rate. The counting units, from attempt to referral, are U1 to U6.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from helpline.traffic_file import Calls

gettext_noop = str  # marks a text for the translators


@dataclass(frozen=True, slots=True)
class Unit:
    """One counting unit: its name and what one of it is."""

    name: str
    meaning: str


UNITS: Mapping[str, Unit] = MappingProxyType(
    {
        "U1": Unit(
            gettext_noop("Calls (attempts)"),
            gettext_noop("each attempt that reached the telephone exchange, as the telephony counts it"),
        ),
        "U2": Unit(gettext_noop("Answered calls"), gettext_noop("attempts that somebody on the line took")),
        "U3": Unit(
            gettext_noop("Contacts"),
            gettext_noop("everything that was logged, whatever way it came, wrong numbers and silent calls too"),
        ),
        "U4": Unit(gettext_noop("Relevant contacts"), gettext_noop("contacts that concerned the line’s task")),
        "U5": Unit(
            gettext_noop("Matters"),
            gettext_noop("different matters, told apart by the caller’s case number: at least so many"),
        ),
        "U6": Unit(
            gettext_noop("Referrals and arranged contacts"),
            gettext_noop("one for each receiver; a contact may have several"),
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Ratio:
    """One figure as the two counts that it is made of; no value where there is nothing to divide by."""

    part: int
    whole: int

    @property
    def value(self) -> Fraction | None:
        return Fraction(self.part, self.whole) if self.whole else None


def answer_rate(calls: Calls) -> Ratio:
    """I1: U2 of U1 within opening hours. What met a closed line, and who hung up within 10 seconds, is left out."""
    return Ratio(calls.answered, calls.offered - calls.closed - calls.abandoned_short)


def registration_rate(calls: Calls, contacts: int) -> Ratio:
    """I17: U3 of U2. Contacts that came in other ways are among U3, so that it may be more than one."""
    return Ratio(contacts, calls.answered)


def per_open_day(relevant: int, open_days: Fraction) -> Ratio:
    """I3: U4 for each day on which the line was open; a day that is not over is less than one."""
    return Ratio(relevant * open_days.denominator, open_days.numerator)


def per_open_hour(relevant: int, open_minutes: int) -> Ratio:
    """I3: U4 for each hour in which the line was open."""
    return Ratio(relevant * 60, open_minutes)
