"""A small disk that a test can fill."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

MEGABYTES = 64


def mounted(folder: Path, closing: ExitStack) -> bool:
    """Mount a small file system of its own at a folder, where the machine lets us; whether it does."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=777", "helpline-tests", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        return False
    closing.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=True)
    return True


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Within the block not one byte is free at `folder`."""
    filler = folder / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            for size in (2**20, 2**12, 1):
                try:
                    while file.write(b"x" * size) == size:
                        pass
                except OSError:
                    continue
        yield
    finally:
        filler.unlink()
