"""Owns the log-in at an identity provider (OIDC): how it is asked, and what of its answer is believed.

OpenID Connect Core 1.0, 3.1 (code flow) with PKCE and nonce; ASVS 5.0, 6.8 and 7.5. Stricter than the log-in library,
which asks for no nonce and trusts TLS instead of the signature.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import get_random_string, salted_hmac
from requests import RequestException

from helpline import discovery
from helpline.policy import STEP_UP_SECONDS

SIGNATURES = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
CLAIMS = ["iss", "sub", "aud", "exp", "iat", "nonce"]  # without which an answer is none; the nonce because we sent one
LEEWAY = 30  # seconds between the clocks of two machines


class Reason(Enum):
    """Why nobody was logged in."""

    SILENT, BROKEN_OFF, UNTRUE, TOO_LOW, TOO_OLD = (auto() for _ in range(5))
    NO_ACCOUNT, NOT_TIED, NOT_TAKEN_UP, OTHER = (auto() for _ in range(4))


class Refused(Exception):
    """The log-in was refused, and nothing was stored."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.name)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider said and was believed: the name of an account, a digest of its own key for the person, and when
    they logged in there (0 where it does not say). `of` is the account that was to show anew who it is, `ties` whether
    it is to be theirs from now on, `invitation` the one that they came with; `after` is the page that was wanted."""

    name: str
    subject: str
    at: int
    of: str
    ties: bool
    invitation: str
    after: str


class _Talk(OpenIDConnectOAuth2Adapter):
    """One conversation with the provider of the settings; no other one exists, whatever the database says."""

    def __init__(self, request: HttpRequest, provider_id: str = "") -> None:
        super().__init__(request, provider_id)
        self.app = SocialApp(
            provider=OpenIDConnectProvider.id,
            provider_id=settings.HELPLINE_OIDC_ISSUER,
            name=settings.HELPLINE_OIDC_NAME,
            client_id=settings.HELPLINE_OIDC_CLIENT_ID,
            secret=settings.HELPLINE_OIDC_CLIENT_SECRET,
            settings={
                "server_url": settings.HELPLINE_OIDC_ISSUER.rstrip("/"),
                "oauth_pkce_enabled": True,
                "scope": ["openid", "profile"],
            },
        )

    def get_provider(self) -> "_Provider":
        return _Provider(self.request, app=self.app)

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return request.build_absolute_uri(reverse("oidc-callback"))

    @property
    def openid_config(self) -> dict[str, Any]:
        if not hasattr(self, "_openid_config"):
            self._openid_config = discovery.configuration(self.get_provider().server_url, self.fetch)
        return self._openid_config

    def fetch(self, address: str, token: str = "") -> dict[str, Any]:
        with get_adapter().get_requests_session() as session:
            answer = session.get(address, headers={"Authorization": f"Bearer {token}"} if token else {})
            answer.raise_for_status()
            return dict(answer.json())

    def tokens(self, state: Mapping[str, Any]) -> dict[str, Any]:
        client = self.get_client(self.request, self.app)
        verifier = state["pkce_code_verifier"]
        return dict(self.get_access_token_data(self.request, self.app, client, pkce_code_verifier=verifier))

    def verified(self, id_token: str, *, nonce: str) -> dict[str, Any]:
        """The claims of an ID token (OIDC Core, 3.1.3.7). Raises jwt.PyJWTError for one that is not true."""
        if self.openid_config["issuer"] != settings.HELPLINE_OIDC_ISSUER:
            raise jwt.InvalidIssuerError
        named = jwt.get_unverified_header(id_token).get("kid")
        keys = jwt.PyJWKSet.from_dict(self.fetch(self.openid_config["jwks_uri"])).keys
        key = next((key for key in keys if named in (None, key.key_id)), None)
        if key is None:
            raise jwt.InvalidKeyError
        claims = jwt.decode(
            id_token,
            key,
            algorithms=SIGNATURES,
            issuer=settings.HELPLINE_OIDC_ISSUER,
            audience=self.app.client_id,
            leeway=LEEWAY,
            options={"require": CLAIMS},
        )
        if claims["nonce"] != nonce or claims.get("azp", self.app.client_id) != self.app.client_id:
            raise jwt.InvalidTokenError
        return claims

    def name(self, claims: Mapping[str, Any], access_token: str) -> str:
        """The claim that names the account: in the ID token, else in what is said of the same person besides."""
        if settings.HELPLINE_OIDC_CLAIM not in claims and "userinfo_endpoint" in self.openid_config:
            said = self.fetch(self.openid_config["userinfo_endpoint"], access_token)
            claims = said if said.get("sub") == claims["sub"] else {}
        name = claims.get(settings.HELPLINE_OIDC_CLAIM)
        return name if isinstance(name, str) and name.isprintable() else ""


class _Provider(OpenIDConnectProvider):
    oauth2_adapter_class = _Talk


def is_on() -> bool:
    """Whether the settings name a provider."""
    return bool(settings.HELPLINE_OIDC_ISSUER)


def ask(request: HttpRequest, *, after: str, ties: bool = False, invitation: str = "") -> HttpResponse:
    """Lead a visitor to the provider, with the invitation of an account where they have one; somebody who is logged in
    has to log in there anew, whatever it remembers of them, also to tie themselves to their account. Raises Refused."""
    of = str(request.user.pk) if request.user.is_authenticated and not invitation else ""
    wanted = {"nonce": get_random_string(32), "acr_values": " ".join(settings.HELPLINE_OIDC_ACR)}
    again = {"prompt": "login", "max_age": str(STEP_UP_SECONDS)} if of else {}
    kept = {"nonce": wanted["nonce"], "of": of, "ties": ties, "invitation": invitation}
    try:
        provider = _Talk(request).get_provider()
        return provider.redirect(request, "login", next_url=after, data=kept, auth_params=wanted | again)
    except (RequestException, KeyError, ValueError, TypeError) as error:
        raise Refused(Reason.SILENT) from error


def answer(request: HttpRequest) -> Answer:
    """What the provider answers, by the browser, to what was asked in this session. Raises Refused."""
    talk = _Talk(request)
    asked = {"state_id": request.GET.get("state", ""), "provider_id": settings.HELPLINE_OIDC_ISSUER}
    state = statekit.unstash_state(request, **asked)
    if state is None or "code" not in request.GET:
        raise Refused(Reason.BROKEN_OFF)
    try:
        tokens = talk.tokens(state)
        claims = talk.verified(tokens["id_token"], nonce=state["data"]["nonce"])
        refuse_weak(claims, accepted=settings.HELPLINE_OIDC_ACR, fresh=bool(state["data"]["of"]), now=int(time.time()))
        name, at = talk.name(claims, tokens["access_token"]), int(claims.get("auth_time", 0))
    except RequestException as error:
        raise Refused(Reason.SILENT) from error
    except (OAuth2Error, jwt.PyJWTError, KeyError, ValueError, TypeError) as error:
        raise Refused(Reason.UNTRUE) from error
    sent = {kept: state["data"][kept] for kept in ("of", "ties", "invitation")}
    return Answer(name, _digest(claims["sub"]), at, after=state.get("next", ""), **sent)


def refuse_weak(claims: Mapping[str, Any], *, accepted: Collection[str], fresh: bool, now: int) -> None:
    """Raises Refused unless the log-in was of an accepted level of assurance or by an accepted method (ASVS 6.8.4),
    and, where a `fresh` one was asked for, within STEP_UP_SECONDS (7.5.1). TypeError for times that are none."""
    methods = claims.get("amr", [])
    said = {claims.get("acr"), *(methods if isinstance(methods, list) else [])}
    if not said & set(accepted):
        raise Refused(Reason.TOO_LOW)
    age = now - claims.get("auth_time", 0)
    if age < -LEEWAY or (fresh and age > STEP_UP_SECONDS):
        raise Refused(Reason.TOO_OLD)


def _digest(subject: str) -> str:
    """The provider's key for a person may be a personal identity number: only a keyed digest of it is stored."""
    told = f"{settings.HELPLINE_OIDC_ISSUER}|{subject}"
    return salted_hmac("helpline.oidc", told, algorithm="sha256").hexdigest()
