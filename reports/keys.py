"""Owns the secret keys of the rounding, from the first draw to the receipt that one is destroyed.

There is one for each calendar year and one for the pilot, anew for each edition.
"""

import hmac
import os
import re
import secrets
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.db.models import QuerySet

from reports.models import ReleaseKey

KEY_BYTES = 32
FILE = re.compile(r"(\d{4}|pilot)-(\d{1,4})\.key")
GONE = b"destroyed"  # what a file of a key says between its end and its removal; no key can be read from it
OWN_IT = "make it the worker's own, with mode 0600 in a folder of mode 0700"
LABEL = b"fingerprint of a release key"  # longer than what any figure is drawn with, so that it tells none of them


class UnusableKey(Exception):
    """The file holds no key, others may read it, or it is not that of the releases that are made already; the message
    names the file, never what is in it."""


class KeyDestroyed(Exception):
    """Every release of the scope and edition is out, and its key is gone for good."""


def fingerprint(key: bytes) -> str:
    """What tells one key from another without telling the key: HMAC-SHA-256 of LABEL under it, hexadecimal."""
    return hmac.digest(key, LABEL, "sha256").hex()


def agreed_key(folder: Path, scope: str, edition: int, *, known: Set[str] = frozenset()) -> bytes:
    """`release_key`, once the database has taken it for the only one of `scope` and edition.

    Raises UnusableKey for whoever comes second with another one, as a worker with a folder of its own would, and
    KeyDestroyed.
    """
    if destroyed().filter(scope=scope, edition=edition).exists():
        raise KeyDestroyed(f"{scope}-{edition}.key is destroyed")
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
    _sync(path.parent)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _read(path: Path) -> bytes:
    if is_readable_by_others(path):
        raise UnusableKey(f"{path.name} can be read by others than the release worker: {OWN_IT}")
    try:
        key = bytes.fromhex(path.read_text("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise UnusableKey(f"{path.name} does not hold {KEY_BYTES} bytes in hexadecimal")
    return key


def is_readable_by_others(path: Path) -> bool:
    """Whether a file or folder belongs to somebody else than this process, or lets others in by its mode."""
    found = path.stat()
    return found.st_uid != os.geteuid() or bool(found.st_mode & 0o077)


# --- the end ----------------------------------------------------------------------------------------------------------


def held(folder: Path) -> list[tuple[str, int]]:
    """Scope and edition of every key in `folder`."""
    named = [FILE.fullmatch(path.name) for path in sorted(folder.glob("*.key"))]
    return [(name[1], int(name[2])) for name in named if name]


def destroyed() -> QuerySet[ReleaseKey]:
    """The receipts: what is left of destroyed keys."""
    return ReleaseKey.objects.exclude(destroyed_on=None)


def destroy(folder: Path, scope: str, edition: int, *, today: date) -> None:
    """Destroy a key of this folder, and leave a receipt. Safe to be cut off anywhere, and to do again.

    The bytes are overwritten where they lie before the receipt is written, and the file is removed after it: so there
    is no receipt of a key that can still be read, and no key that is gone without one.
    """
    path = folder / f"{scope}-{edition}.key"
    row = ReleaseKey.objects.filter(scope=scope, edition=edition)
    with _overwriting(path) as key:
        if key and not row.exists():  # drawn before there were rows of keys
            ReleaseKey.objects.get_or_create(scope=scope, edition=edition, defaults={"fingerprint": fingerprint(key)})
    row.filter(destroyed_on=None).update(destroyed_on=today)
    path.unlink(missing_ok=True)
    _sync(folder)


@contextmanager
def _overwriting(path: Path) -> Iterator[bytes]:
    """The key that is still in the file, empty if there is none; its bytes are overwritten at the end of the block."""
    with path.open("r+b") as file:
        try:
            key = bytes.fromhex(file.read().decode("ascii"))
        except ValueError:
            key = b""
        yield key
        for content in (secrets.token_bytes(2 * KEY_BYTES), GONE.ljust(2 * KEY_BYTES)):
            file.seek(0)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
