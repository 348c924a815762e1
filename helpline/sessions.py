"""Owns what a session knows of who is logged in: since when, how lately used, and how and when that was proved."""

import time
from datetime import datetime
from typing import cast

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest

from helpline.models import Demonstration, User
from helpline.policy import STEP_UP_SECONDS

BEGAN, SEEN, EXEMPT = "began", "seen", "without second factor"
LOOKED_UP = "demonstration_row"
NOTED = 300  # seconds between two notes of use: a session is not written for every page
SECOND = "mfa"  # the log-in's word for a second factor; an OIDC log-in of sufficient assurance counts as one
BY_OIDC = "oidc"  # its kind


class SessionStore(db.SessionStore):
    """Sessions in the database. One that cannot be written since the database is away raises what the database said;
    to Django it would be one that was ended meanwhile, and whoever asked would be told that the request was wrong."""

    def save(self, must_create: bool = False) -> None:
        try:
            super().save(must_create)
        except UpdateError as error:
            if isinstance(error.__context__, OperationalError | InterfaceError):
                raise error.__context__ from None
            raise


def begin(request: HttpRequest) -> None:
    """Start the clocks of a session that somebody logged in to just now."""
    request.session[BEGAN] = request.session[SEEN] = int(time.time())
    request.session[EXEMPT] = demonstration(request) is not None


def demonstration(request: HttpRequest) -> Demonstration | None:
    """The row of the demonstration, where this is one: looked up once for a request, its guard and its page."""
    if not hasattr(request, LOOKED_UP):
        setattr(request, LOOKED_UP, Demonstration.objects.first())
    return cast(Demonstration | None, getattr(request, LOOKED_UP))


def enter(request: HttpRequest, user: User) -> None:
    """Log in somebody who has just chosen a password by a link made for them."""
    get_adapter().login(request, user)
    record_authentication(request, user, method="password")


def prove_second_factor(request: HttpRequest, user: User) -> None:
    """Note that a second factor was set up or given in this session just now."""
    record_authentication(request, user, method=SECOND)


def enter_by_oidc(request: HttpRequest, user: User, *, at: int) -> None:
    """Log in somebody who logged in at the identity provider at the second `at`, which is 0 where it is not said."""
    get_adapter().login(request, user)
    prove_by_oidc(request, user, at=at)


def prove_by_oidc(request: HttpRequest, user: User, *, at: int) -> None:
    """Note a log-in at the identity provider: as old as it was there, for it may remember somebody for days."""
    record_authentication(request, user, method=SECOND, type=BY_OIDC, at=at)


def came_by_oidc(request: HttpRequest) -> bool:
    """Whether this session was begun or proved at the identity provider, which then can be asked again."""
    return any(record.get("type") == BY_OIDC for record in _records(request))


def stay(request: HttpRequest, user: User) -> None:
    """Keep this session, under a new key, when the account's others end."""
    update_session_auth_hash(request, user)


def is_over(request: HttpRequest) -> bool:
    """Whether a session is too old or was not used for too long; one that nobody began is."""
    now = time.time()
    is_too_old = now - request.session.get(BEGAN, 0) >= settings.SESSION_COOKIE_AGE
    return is_too_old or now - request.session.get(SEEN, 0) >= settings.HELPLINE_IDLE_MINUTES * 60


def note_use(request: HttpRequest) -> None:
    """Remember that the session is in use, to five minutes."""
    now = int(time.time())
    if now - request.session[SEEN] >= NOTED:
        request.session[SEEN] = now


def wants_second_factor(request: HttpRequest) -> bool:
    """Whether a session must not be used until a second factor was given. A demonstration asks none, unless told to;
    when it is over, so is that. In earnest nothing is looked up for this: no session is exempt."""
    if request.session.get(EXEMPT) and not settings.HELPLINE_REQUIRE_MFA and demonstration(request):
        return False
    return not any(_is_second(record) for record in _records(request))


def is_proved_anew(request: HttpRequest) -> bool:
    """Whether somebody proved within STEP_UP_SECONDS who they are: by second factor, where the session has one."""
    records = _records(request)
    seconds = [record for record in records if _is_second(record)]
    if not seconds and is_mfa_enabled(request.user):
        return False  # begun with the password, before its owner had a second factor
    strongest = seconds or records
    return any(time.time() - record["at"] < STEP_UP_SECONDS for record in strongest)


def _records(request: HttpRequest) -> list[dict]:
    return get_authentication_records(request, request.user)


def _is_second(record: dict) -> bool:
    return record["method"] == SECOND


def erase_expired(*, now: datetime) -> int:
    """Erase the sessions that have ended; how many."""
    return Session.objects.filter(expire_date__lt=now).delete()[0]
