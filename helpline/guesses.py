"""Owns how guessing is slowed down: each wrong password for a name makes the next one wait longer, and nobody is ever
locked out.

A browser in which an account has logged in before is known by a cookie and waits on its own count, so that a stranger
who guesses at a name keeps nobody out of their own browser (OWASP, Slow Down Online Guessing Attacks with Device
Cookies). No address is looked at or kept.
"""

import logging
import time
from dataclasses import dataclass
from math import ceil

from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from helpline.models import User

logger = logging.getLogger(__name__)

FREE, LONGEST, MEMORY = 3, 300, 3600  # attempts without a wait; seconds of the longest wait; seconds until forgotten
SALT, KNOWN_DAYS = "helpline.known-browser", 90


class TooSoon(Exception):
    """The next attempt comes too soon; nothing was looked at. `seconds` is how long to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Attempts:
    """The attempts at one name, from known browsers of its account or from all others."""

    key: str

    def begin(self) -> None:
        """Count an attempt before it is looked at, so that many at once are counted too. Raises TooSoon.

        Where the cache does not answer nothing is counted: nobody on the telephone waits for the cache.
        """
        try:
            wait = self._wait()
        except Exception:
            logger.warning("The cache does not answer: attempts to log in are not counted.")
            return
        if wait > 0:
            raise TooSoon(ceil(wait))

    def _wait(self) -> float:
        """Seconds that this attempt comes too soon; 0 for one that is counted and may be looked at."""
        shut = f"{self.key}.until"
        if (wait := cache.get(shut, 0) - time.time()) > 0:
            return float(wait)
        cache.add(self.key, 0, MEMORY)
        made = cache.incr(self.key)
        pause = min(2 ** (made - FREE), LONGEST) if made >= FREE else 0
        # Of many that come at once, one shuts the door behind itself; only that one is looked at.
        if pause and not cache.add(shut, time.time() + pause, pause):
            cache.decr(self.key)
            return max(cache.get(shut, 0) - time.time(), 1)
        return 0

    def succeed(self) -> None:
        """The right person came: the next slip waits for nothing."""
        try:
            cache.delete_many([self.key, f"{self.key}.until"])
        except Exception:
            logger.warning("The cache does not answer: attempts to log in are not forgotten.")


def attempts_at(name: str, request: HttpRequest) -> Attempts:
    """The attempts at a name, whether an account bears it or not."""
    folded = _folded(name)
    of = f"{folded}|{'known' if _known_name(request) == folded else 'strange'}"
    return Attempts("log-in-" + salted_hmac("helpline.guesses", of, algorithm="sha256").hexdigest())


def _known_name(request: HttpRequest) -> str | None:
    try:
        kept = signing.loads(request.COOKIES.get(cookie_name(), ""), salt=SALT, max_age=KNOWN_DAYS * 86400)
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=kept["pk"], epoch=kept["epoch"]).first()
    return _folded(user.username) if user else None


def _folded(name: str) -> str:
    """One text for all spellings that the database takes for one name: it knows an i without its dot, for example."""
    return name.strip().upper().casefold()


def cookie_name() -> str:
    return "__Host-known" if settings.SECURE_COOKIES else "known"


def know_browser(response: HttpResponse, user: User) -> None:
    """Let the browser be known as one in which `user` has logged in; ended with the account's sessions."""
    kept = signing.dumps({"pk": user.pk, "epoch": str(user.epoch)}, salt=SALT)
    response.set_cookie(
        cookie_name(),
        kept,
        max_age=KNOWN_DAYS * 86400,
        secure=settings.SECURE_COOKIES,
        httponly=True,
        samesite="Strict",
    )
