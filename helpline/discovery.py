"""Owns what the identity provider says of itself (OpenID Connect Discovery 1.0): asked for once in ten minutes, by one
visitor at a time, so that a slow provider does not hold everybody who asks for a page."""

import hashlib
import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from requests import RequestException

logger = logging.getLogger(__name__)

Fetch = Callable[[str], dict[str, Any]]

KEPT, FAILURE_KEPT = 600, 3  # seconds
ASKING = 10  # seconds that somebody may be asking: as long as it takes to reach the provider and not be answered
PATIENCE = 1.0  # seconds that others wait for whoever asks
UNDER_WAY, FAILED = "under way", "failed"
NEEDED = {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"}


class Silent(RequestException):
    """The provider did not answer a moment ago, still has not, or said too little; it is not asked again yet."""


def configuration(address: str, fetch: Fetch) -> dict[str, Any]:
    """The provider's description at `address`: the one that is kept, else what `fetch` brings. Raises RequestException,
    and what `fetch` raises. Where the cache does not answer, everybody asks for themselves."""
    key = "provider-" + hashlib.sha256(address.encode()).hexdigest()
    try:
        known = _awaited(key)
    except Silent:
        raise
    except Exception:
        logger.warning("The cache does not answer: the identity provider is asked for each visitor.")
        known = None
    return known or _fetched(key, address, fetch)


def _awaited(key: str) -> dict[str, Any] | None:
    """The description, or None for the one visitor who is to ask for it. Raises Silent."""
    until = time.monotonic() + PATIENCE
    while True:
        if known := cache.get(key):
            return dict(known)
        if cache.add(f"{key}.asked", UNDER_WAY, ASKING):
            return None
        if cache.get(f"{key}.asked") == FAILED or time.monotonic() >= until:
            raise Silent
        time.sleep(0.02)


def _fetched(key: str, address: str, fetch: Fetch) -> dict[str, Any]:
    try:
        told = fetch(address)
        if not told.keys() >= NEEDED:
            raise Silent
    except Exception:
        _keep(f"{key}.asked", FAILED, FAILURE_KEPT)
        raise
    _keep(key, told, KEPT)  # the mark of who asks runs out by itself: nobody slips in between the two
    return told


def _keep(key: str, value: object, seconds: float) -> None:
    try:
        cache.set(key, value, seconds)
    except Exception:
        logger.warning("The cache does not answer: what the identity provider says of itself is not kept.")
