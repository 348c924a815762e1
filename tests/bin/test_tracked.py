"""The check on what may not be written into the repository finds what is planted, with git and without."""

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tracked() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tracked", ROOT / "bin" / "_tracked.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Put together here, for written out they would be found in this file.
PLANTED = {
    "docs/note.md": "see " + "pypi" + ".org for it",
    "config/paths.py": 'ROOT = "' + "/home" + '/anna/call-log"',
    "requirements/base.txt": "package @ https://files.example/package.whl",
    "static/package-lock.json": '"resolved": "https://files.example/package.tgz"',
}
HARMLESS = {
    "docs/note.md": "a package index; docs/work/plan.md; https://www.w3.org/2000/svg",
    "config/urls.py": 'path("contacts/new/", new)',
    "requirements/base.txt": "django==5.2.19 --hash=sha256:00",
    "reports/block.py": "https://example.org",
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found(tracked: ModuleType, name: str) -> None:
    assert [place.split(": ")[0] for place in tracked.forbidden(name, f"first\n{PLANTED[name]}\n")] == [f"{name}:2"]


@pytest.mark.parametrize("name", HARMLESS)
def test_what_only_resembles_it_is_left_alone(tracked: ModuleType, name: str) -> None:
    assert list(tracked.forbidden(name, HARMLESS[name])) == []


@pytest.mark.parametrize("with_git", [True, False], ids=["git", "no git"])
def test_ignored_files_are_not_looked_into(tracked: ModuleType, tmp_path: Path, with_git: bool) -> None:
    (tmp_path / ".gitignore").write_text((ROOT / ".gitignore").read_text())
    for name in ("kept.py", ".venv/lib/kept.py", "reports/__pycache__/kept.pyc", "docs/kept.md", ".env"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    if with_git:
        try:
            subprocess.run(["git", "init", "-q", tmp_path], check=True)
        except FileNotFoundError:
            pytest.skip("this machine has no git")
    found = {path.relative_to(tmp_path).as_posix() for path in tracked.tracked_files(tmp_path)}
    assert found == {".gitignore", "kept.py", "docs/kept.md"}


def test_a_planted_file_fails_the_check(
    tracked: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".gitignore").touch()
    (tmp_path / "note.txt").write_text(PLANTED["config/paths.py"])
    assert tracked.main(tmp_path) == 1
    assert capsys.readouterr().out.startswith("note.txt:1: ")
