"""Owns how a caller of the API says who is calling: a token in the Authorization header, or the browser's session."""

import base64
import binascii
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from helpline import sessions
from reports import grants, tokens
from reports.api.refusals import Refused, no_grant

CHALLENGE = 'Basic realm="statistics"'


class TokenAuthentication(BaseAuthentication):
    """`Bearer TOKEN`, or Basic with any user name and the token as password, for clients that take only an address."""

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, None] | None:
        """None for a request without token. Raises AuthenticationFailed for one that stands for nobody."""
        scheme, _, credentials = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.casefold() == "bearer":
            token = credentials.strip()
        elif scheme.casefold() == "basic":
            token = _password(credentials.strip())
        else:
            return None
        user = tokens.holder(token, today=timezone.localdate())
        if user is None:
            raise AuthenticationFailed
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


def _password(credentials: str) -> str:
    try:
        # The user name may be in any encoding and is not looked at; a token is ASCII.
        return base64.b64decode(credentials, validate=True).decode("latin-1").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


class BrowserSession(SessionAuthentication):
    """The session of a logged-in browser. A POST here changes nothing; it must come from a page of this site."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """None for a session that still lacks its second factor. Raises Refused for an evaluator without a grant, who
        may read by session no more than by token."""
        found = super().authenticate(request)
        if found is None or sessions.wants_second_factor(request._request):
            return None
        if not grants.may_fetch(found[0], today=timezone.localdate()):
            raise no_grant()
        return found

    def enforce_csrf(self, request: Request) -> None:
        """Raises Refused."""
        origin = request.headers.get("Origin")
        own = f"{request.scheme}://{request.get_host()}"
        if request.method == "POST" and origin is not None and origin != own:
            raise Refused("Forbidden", "A call with a browser session must come from a page of this site.", 403)
