"""Owns the embedded installation's own secret: made once, readable by its owner only."""

import os
import secrets
from pathlib import Path


def embedded_secret_key(folder: Path) -> str:
    """The key in `folder`, made at the first call. Whoever starts first makes it; the others read the same one."""
    path = folder / "secret_key"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        draft.unlink()
    return path.read_text()
