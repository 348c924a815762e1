"""Owns the case number (ärendenummer) that only the caller holds: made, read, said aloud, digested. Pure.

Nine digits in groups of three. The last one is a Damm check digit, which catches every single wrong digit and every
swap of neighbours (H. M. Damm, Total anti-symmetrische Quasigruppen, 2004).
"""

import hmac
import re
from collections.abc import Callable

from stdnum import damm

DIGITS, GROUP = 9, 3
SEPARATORS = re.compile(r"[\s.\-–]+")


class Mistyped(ValueError):
    """No case number: too short, too long, no digits, or a check digit that does not fit. Holds no text."""


def make(draw: Callable[[int], int]) -> str:
    """A new number; `draw(n)` gives a whole number below n that nobody can foresee."""
    first = f"{draw(10 ** (DIGITS - 1)):0{DIGITS - 1}d}"
    return first + damm.calc_check_digit(first)


def read(text: str) -> str:
    """The nine digits of a number as it was written or said, in whatever groups. Raises Mistyped."""
    number = SEPARATORS.sub("", text)
    if len(number) != DIGITS or not (number.isascii() and number.isdigit()) or damm.checksum(number) != 0:
        raise Mistyped
    return number


def spoken(number: str) -> str:
    """The number in the groups in which it is said: "482 109 376"."""
    return " ".join(number[start : start + GROUP] for start in range(0, DIGITS, GROUP))


def digest(number: str, secret: bytes) -> str:
    """What is stored instead of the number: HMAC-SHA-256 under the installation's secret, hexadecimal."""
    return hmac.digest(secret, number.encode(), "sha256").hex()
