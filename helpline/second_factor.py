"""Owns which code of a second factor is good: each one once, whatever process or cache looks at it."""

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.db import transaction
from django.utils.crypto import constant_time_compare

from helpline.models import User

PERIOD, NEIGHBOURS = (
    30,
    (-1, 0, 1),
)  # RFC 6238: one step to either side, for a telephone's clock that is not quite right
STEP = "step"  # of the code that was used last


def may_remove(authenticator: Authenticator) -> bool:
    """Whether the account keeps a second factor when it loses this one; recovery codes alone are none."""
    others = Authenticator.objects.filter(user=authenticator.user).exclude(pk=authenticator.pk)
    return others.exclude(type=Authenticator.Type.RECOVERY_CODES).exists()


@transaction.atomic
def use_code(user: User, code: str) -> Authenticator | None:
    """Use up a code of the authenticator app or a recovery code: what it belongs to, or None for one that is wrong or
    used already. RFC 6238, 5.2: a code is accepted once."""
    typed = "".join(code.split())
    for authenticator in Authenticator.objects.select_for_update().filter(user=user).order_by("-type"):
        if authenticator.type == Authenticator.Type.TOTP and _use_step(authenticator, typed):
            return authenticator
        if authenticator.type == Authenticator.Type.RECOVERY_CODES and authenticator.wrap().validate_code(typed):
            return authenticator
    return None


def _use_step(authenticator: Authenticator, code: str) -> bool:
    secret, now = decrypt(authenticator.data["secret"]), int(time.time()) // PERIOD
    for step in (now + by for by in NEIGHBOURS):
        is_right = constant_time_compare(format_hotp_value(hotp_value(secret, step)), code)
        if is_right and step > authenticator.data.get(STEP, -1):
            authenticator.data[STEP] = step
            authenticator.save(update_fields=["data"])
            return True
    return False


def forget_when_used() -> int:
    """The library notes to the second when each second factor was used: nobody needs that, and it tells of a shift. Of
    how many it was known."""
    return Authenticator.objects.filter(last_used_at__isnull=False).update(last_used_at=None)
