"""What may not be written into the repository: addresses of package registries, and paths of one machine.

Prints each place as `file:line` with what was found there; exit 1 when there is one.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pathspec

# The brackets keep these patterns from finding themselves.
REGISTRY = re.compile(r"(?:py[p]i|pythonhoste[d]|npmj[s]|yarnpk[g]|debia[n]|crate[s])\.(?:org|com|io|net)\b")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:wor[k]|far[m]|roo[t]|hom[e]|Users|tm[p])/\w")
ADDRESS = re.compile(r"://")


def tracked_files(root: Path) -> Iterator[Path]:
    """The files that git has or would take; without git, all that .gitignore lets pass."""
    git = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(git, capture_output=True, text=True)  # noqa: S603
        names = listed.stdout.split("\0") if listed.returncode == 0 else None
    except FileNotFoundError:
        names = None
    if names is None:
        ignored = pathspec.GitIgnoreSpec.from_lines([".git/", *(root / ".gitignore").read_text().splitlines()])
        names = list(ignored.match_tree_files(root, negate=True))
    yield from (path for name in sorted(names) if name and (path := root / name).is_file())


def holds_locks(name: str) -> bool:
    """Whether the file pins packages; such a file may name no address at all."""
    return name.startswith("requirements/") or "lock" in name.rsplit("/", 1)[-1].split(".")[0].split("-")


def forbidden(name: str, text: str) -> Iterator[str]:
    """`file:line: what` for each forbidden thing in the text of the file with that name."""
    patterns = [REGISTRY, MACHINE_PATH] + [ADDRESS] * holds_locks(name)
    for number, line in enumerate(text.splitlines(), 1):
        for pattern in patterns:
            if found := pattern.search(line):
                yield f"{name}:{number}: {found[0]}"


def main(root: Path) -> int:
    places = []
    for path in tracked_files(root):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        places += forbidden(path.relative_to(root).as_posix(), text)
    print(*places, sep="\n")
    return 1 if places else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
