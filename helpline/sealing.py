"""Owns what is encrypted under the installation's secret: for one purpose each, and readable for a time."""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken
from django.utils.crypto import salted_hmac


class Broken(ValueError):
    """What was to be unsealed is not ours, of another purpose, or too old."""


def seal(content: bytes, *, purpose: str) -> str:
    """`content` as ASCII text that nobody else can read."""
    return _of(purpose).encrypt(content).decode()


def unseal(text: str, *, purpose: str, seconds: int | None = None) -> bytes:
    """What was sealed, `seconds` ago at the most. Raises Broken."""
    try:
        return _of(purpose).decrypt(text, ttl=seconds)
    except (InvalidToken, ValueError):  # what is not ASCII was never sealed
        raise Broken from None


def _of(purpose: str) -> Fernet:
    return Fernet(urlsafe_b64encode(salted_hmac("helpline.sealing", purpose, algorithm="sha256").digest()))
