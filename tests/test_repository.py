"""The repository itself: who may import whom, what may not be written into it, and what the README promises."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = ("config", "reports", "helpline")

# --- layers: each contract with a violation planted ---------------------------------------------------------------

PLANTED = {
    "houses": ("helpline/contacts.py", "import reports.counting"),
    "helpline-rooms": ("helpline/entries.py", "import helpline.contacts"),
    "listings": ("helpline/listings/areas.py", "import helpline.listings.values"),
    "directory": ("helpline/directory/receivers.py", "import helpline.directory.files"),
    "imports": ("helpline/imports/contacts.py", "import helpline.imports.kinds"),
    "reports-rooms": ("reports/counting.py", "import reports.rollups"),
    "pure": ("helpline/entries.py", "import django.conf"),
    "line-1": ("reports/live.py", "import helpline.models"),
    "line-2": ("reports/published.py", "import reports.live"),
    "line-2-rows": ("reports/views/statistics.py", "import reports.models"),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in SOURCES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def broken_contracts(folder: Path) -> str:
    program = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([program, "--no-cache"], cwd=folder, capture_output=True, text=True)
    assert "Contracts:" in result.stdout, result.stdout + result.stderr
    return "\n".join(line for line in result.stdout.splitlines() if line.endswith("BROKEN"))


def contract_names() -> dict[str, str]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return dict(re.findall(r'^id = "(.+)"\nname = "(.+)"$', text, re.MULTILINE))


def test_every_contract_has_a_violation_to_plant():
    assert set(contract_names()) == set(PLANTED)


def test_the_rooms_keep_their_contracts(copy):
    assert broken_contracts(copy) == ""


@pytest.mark.parametrize("contract", PLANTED)
def test_a_planted_violation_breaks_its_contract(copy, contract):
    where, line = PLANTED[contract]
    path = copy / where
    path.write_text(path.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    assert contract_names()[contract] in broken_contracts(copy)


@pytest.mark.parametrize("views", ["statistics", "sheets"])
def test_the_evaluators_pages_read_published_rows_only(copy, views):
    path = copy / "reports" / "views" / f"{views}.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nimport reports.live\n", encoding="utf-8")
    assert contract_names()["line-2"] in broken_contracts(copy)


@pytest.mark.parametrize("house", ["helpline", "reports"])
def test_a_new_file_has_to_be_given_a_place(copy, house):
    (copy / house / "helpers.py").write_text('"""A room nobody planned."""\n', encoding="utf-8")
    assert contract_names()[f"{house}-rooms"] in broken_contracts(copy)


# --- the web process never talks to the broker --------------------------------------------------------------------

RINGS = {"delay", "apply_async", "send_task", "delay_on_commit", "apply_async_on_commit", "si", "signature"}


def rings_a_task(source: str) -> list[int]:
    """The lines that publish to the broker."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute))
    return [node.lineno for node in calls if node.attr in RINGS]


def test_nothing_but_beat_publishes_to_the_broker():
    found = {str(path): rings_a_task(path.read_text(encoding="utf-8")) for path in python_files()}
    assert not {path: lines for path, lines in found.items() if lines}


def test_a_planted_publication_is_found():
    assert rings_a_task("from reports.tasks import sweep\nsweep.delay()\n") == [2]


# --- what a house stays under -------------------------------------------------------------------------------------


def python_files() -> list[Path]:
    files = [path for name in SOURCES for path in (ROOT / name).rglob("*.py")]
    return [path for path in files if "migrations" not in path.parts]


def test_no_module_is_a_hangar_and_no_function_a_corridor():
    for path in python_files():
        source = path.read_text(encoding="utf-8")
        assert source.count("\n") <= 300, path
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno + 1 <= 40, f"{path}: {node.name}"
    edge = [line for path in (ROOT / "config").rglob("*.py") for line in path.read_text(encoding="utf-8").split("\n")]
    assert sum(bool(line.strip()) for line in edge) <= 450


def test_every_module_says_what_it_owns():
    for path in python_files():
        source = path.read_text(encoding="utf-8")
        assert not source or ast.get_docstring(ast.parse(source)), path


def test_every_setting_from_the_environment_is_documented():
    settings = (ROOT / "config" / "settings.py").read_text(encoding="utf-8")
    names = set(re.findall(r'env\.\w+\("([A-Z_]+)"', settings)) | {"HOST", "PORT"}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(names) > 8
    assert not {name for name in names if f"`{name}`" not in readme}
