"""Owns the secret keys of the rounding: one for each calendar year and one for the pilot, anew for each edition."""

import hmac
import os
import secrets
from collections.abc import Set
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from reports.models import ReleaseKey

KEY_BYTES = 32
LABEL = b"fingerprint of a release key"  # longer than what any figure is drawn with, so that it tells none of them


class UnusableKey(Exception):
    """The file holds no key, or is not that of the releases that are made already; the message names the file."""


def fingerprint(key: bytes) -> str:
    """What tells one key from another without telling the key: HMAC-SHA-256 of LABEL under it, hexadecimal."""
    return hmac.digest(key, LABEL, "sha256").hex()


def agreed_key(folder: Path, scope: str, edition: int, *, known: Set[str] = frozenset()) -> bytes:
    """`release_key`, once the database has taken it for the only one of `scope` and edition.

    Raises UnusableKey for whoever comes second with another one, as a worker with a folder of its own would.
    """
    taken = ReleaseKey.objects.filter(scope=scope, edition=edition).values_list("fingerprint", flat=True)
    key = release_key(folder, scope, edition, known=known | set(taken))
    mine = fingerprint(key)
    # The row comes after the file: a key that is taken and was never written would be lost.
    first, _ = ReleaseKey.objects.get_or_create(scope=scope, edition=edition, defaults={"fingerprint": mine})
    if first.fingerprint != mine:
        raise UnusableKey(f"{scope}-{edition}.key is not the key that another worker has begun with")
    return key


def release_key(folder: Path, scope: str, edition: int, *, known: Set[str] = frozenset()) -> bytes:
    """The key of `scope` ("2016", "pilot"), drawn at the first call; a file that only its owner can read.

    `known` are the fingerprints of what releases of the scope and edition were made with: a key that is not theirs is
    refused, and none is drawn in its place. Raises UnusableKey.
    """
    path = folder / f"{scope}-{edition}.key"
    if not path.exists():
        if known:
            raise UnusableKey(f"{path.name} is missing")
        _draw(path)
    key = _read(path)
    if known and known != {fingerprint(key)}:
        raise UnusableKey(f"{path.name} is not the key of earlier releases")
    return key


def _draw(path: Path) -> None:
    """Write a new key unless another worker was quicker: the file appears whole, and never in place of another."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent, prefix=".", suffix=".new") as file:
        file.write(secrets.token_hex(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise UnusableKey(f"{path.name} does not hold {KEY_BYTES} bytes in hexadecimal")
    return key
