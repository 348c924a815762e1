"""Lets somebody read by program, for the tests that are about something else: a grant of two people, and a token."""

import secrets
from datetime import date, timedelta

from django.utils import timezone

from helpline import policy
from helpline.models import User
from reports import grants, tokens
from reports.models import Grant


def coordinator(name: str) -> User:
    return User.objects.filter(username=name).first() or User.objects.create_user(name, None, role=policy.COORDINATOR)


def grant(evaluator: User, *, today: date | None = None, days: int = 60) -> Grant:
    today = today or timezone.localdate()
    people = {"requested_by": coordinator("one-who-asks"), "approved_by": coordinator("one-who-agrees")}
    return grants.issue(evaluator, today + timedelta(days=days), today=today, **people)


def token_of(user: User) -> str:
    """A token that is good for `user` today, within a grant; as many of them as a test likes."""
    token, until = secrets.token_urlsafe(8), grant(user).until
    tokens.accept(token, user, until=until)
    return token
