"""Owns what the fields of a form hold when it is opened with answers: a draft's, or those of the same caller again."""

import re
from collections.abc import Iterable
from uuid import UUID, uuid4

from django.utils.datastructures import MultiValueDict

from helpline.contacts import RETURNING
from helpline.drafts import ROW_PARTS, Content, is_day
from helpline.form_case import earlier_fields
from helpline.form_rows import Posted, sent_rows
from helpline.models import Contact
from helpline.taxonomy import CODE_LISTS, QUESTIONS, is_answer

# What a caller who rings again need not be asked anew. What the new call is about is asked.
AGAIN = (
    *("caller_role", "sector", "relation", "caller_gender", "caller_adult"),
    *("age", "gender", "county", "environment", "language"),
)
TICKET = re.compile(r"[\w-]{100,200}={0,2}", re.ASCII)


def content_of(posted: Posted) -> Content:
    """What a draft keeps of a form. Raises UnknownCode for anything that is no code."""
    answers = {question: _given(posted, question) for question in QUESTIONS}
    return Content(
        posted.get("day", ""),
        {question: codes for question, codes in answers.items() if codes},
        tuple({part: code for part, code in row.items() if code} for row in sent_rows(posted)),
    )


def _given(posted: Posted, question: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for code in posted.getlist(question) if code.strip()))


def fields_of(content: Content) -> list[tuple[str, str]]:
    """What a form sends that says just this: name and value of each field."""
    fields = [("day", content.day)] if content.day else []
    fields += [(question, code) for question, codes in content.answers.items() for code in codes]
    for number, row in enumerate(content.referrals):
        fields += [(f"referral-{number}-{part}", row[part]) for part in ROW_PARTS if row.get(part)]
    return fields


def posted_of(fields: Iterable[tuple[str, str]]) -> Posted:
    posted: Posted = MultiValueDict()
    for name, value in fields:
        posted.appendlist(name, value)
    return posted


def kept_fields(posted: Posted) -> list[tuple[str, str]]:
    """What the log-in page may carry on of a form that came without a session: its key and ticket, and of the rest
    whatever is a code; nothing for what is no form of a contact."""
    if "key" not in posted:
        return []
    day = posted.get("day", "")
    known = [("day", day)] if is_day(day) else []
    for question in QUESTIONS:
        known += [(question, code) for code in posted.getlist(question) if code in CODE_LISTS[question].codes]
    for number, row in enumerate(sent_rows(posted)):
        known += [(f"referral-{number}-{part}", code) for part, code in row.items() if _is_part(part, code)]
    ticket = [("case", text)] if TICKET.fullmatch(text := posted.get("case", "")) else []
    fields = fields_of(content_of(posted_of(known)))
    return [("key", str(key_of(posted) or uuid4())), *ticket, *fields, *(earlier_fields(posted) if ticket else [])]


def key_of(posted: Posted) -> UUID | None:
    """The key under which the form is saved once only; None if it has none."""
    try:
        return UUID(posted.get("key", ""))
    except ValueError:
        return None


def _is_part(part: str, code: str) -> bool:
    return code == "ja" if part == "consent" else code in CODE_LISTS[f"referral_{part}"].codes


def again_fields(contact: Contact) -> list[tuple[str, str]]:
    """What is known already when the caller of `contact` rings again."""
    said = [(question, getattr(contact, question)) for question in AGAIN]
    return [("first_contact", RETURNING), *((q, code) for q, code in said if is_answer(frozenset({code})))]
