"""Owns the rows of the referrals as they stand in the form."""

from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from django.utils.datastructures import MultiValueDict

from helpline.drafts import ROW_PARTS, ROWS
from helpline.entries import NOT_FOLLOWED_UP, Finding, Reason, ReferralEntry, Refused
from helpline.taxonomy import REFERRALS

Posted = MultiValueDict[str, str]

ARRANGED = "formedling"
PARTS = ("target", "type", "outcome")


@dataclass(slots=True)
class Row:
    """One row of the referrals as it was sent; a text that is no code is read but never shown again."""

    number: int
    target: str = ""
    type: str = ""
    outcome: str = NOT_FOLLOWED_UP
    consent: str = ""
    is_new: bool = False

    @property
    def id(self) -> str:
        return f"referral-{self.number}"

    def is_empty(self) -> bool:
        return not (self.target or self.type or self.consent) and self.outcome == NOT_FOLLOWED_UP

    def referral(self) -> ReferralEntry:
        """What the row says; a consent beside a hänvisning says nothing. Raises Refused for half a row."""
        if not (self.target and self.type):
            raise Refused([Finding(REFERRALS, Reason.MISSING)])
        consent = bool(self.consent) and self.type == ARRANGED
        return ReferralEntry(self.target, self.type, self.outcome, consent)


def sent_rows(posted: Posted) -> list[dict[str, str]]:
    """What was sent of each row that is not empty, by part."""
    rows = []
    for number in range(ROWS):
        parts = {part: posted.get(f"referral-{number}-{part}", "").strip() for part in ROW_PARTS}
        if any(parts.values()):
            rows.append(parts)
    return rows


def rows_of(posted: Posted) -> list[Row]:
    """The rows that were sent, numbered anew; one empty row if there is none."""
    rows = [
        Row(number, parts["target"], parts["type"], parts["outcome"] or NOT_FOLLOWED_UP, parts["consent"])
        for number, parts in enumerate(sent_rows(posted))
    ]
    return rows or [Row(0)]


def services_of(posted: Posted) -> set[UUID]:
    """The services that were chosen for the rows: to be counted, never a part of what a row says or a draft keeps."""
    services = set()
    for number in range(ROWS):
        with suppress(ValueError):
            services.add(UUID(posted.get(f"referral-{number}-service", "")))
    return services
