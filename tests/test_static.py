"""What pages load: vendored files as they were taken, nothing from outside, nothing that the content policy forbids."""

import hashlib
import re
from pathlib import Path

import polib
import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command

ROOT = Path(__file__).parent.parent
VENDOR = ROOT / "static" / "vendor"

# Taken from the npm packages @fkui/design, @fkui/theme-default and @fontsource-variable/inter of these versions.
TAKEN = {
    "fkui-design-6.44.0/LICENSE.md": "badb7f55826902cb729b21ef611074df25d68c5c605ffc948dc1dab8e3a3b638",
    "fkui-design-6.44.0/fkui.min.css": "3a0bf425b89867a7083301bcb605d3279802e949e5691a8a44d7344bc7e9de09",
    "fkui-theme-default-6.44.0/LICENSE.md": "badb7f55826902cb729b21ef611074df25d68c5c605ffc948dc1dab8e3a3b638",
    "fkui-theme-default-6.44.0/theme-light.css": "68cad93be15834d33a225457b96523677c4389f4eedcd0163a66141bdd326c84",
    "inter-5.3.0/LICENSE": "3b0a5fca3d17942cde889069889dedbbbd075e9b599968c82a95f4d944e9b345",
    "inter-5.3.0/inter-latin-wght-normal.woff2": "3100e775e8616cd2611beecfa23a4263d7037586789b43f035236a2e6fbd4c62",
}


def fingerprints(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_vendored_files_are_as_they_were_taken_and_nothing_is_beside_them():
    assert fingerprints(VENDOR) == TAKEN


def test_a_changed_byte_would_show(tmp_path):
    (tmp_path / "theme.css").write_bytes((VENDOR / "fkui-theme-default-6.44.0/theme-light.css").read_bytes() + b"\n")
    assert fingerprints(tmp_path)["theme.css"] not in TAKEN.values()


def test_each_vendored_folder_has_its_licence():
    for folder in VENDOR.iterdir():
        assert list(folder.glob("LICENSE*")), folder.name


# --- nothing from outside, nothing inline -----------------------------------------------------------------------------

OUTSIDE = re.compile(r"""url\(\s*['"]?(?!data:)(?:https?:)?//|@import""")
# The one script tag that may stand: a module of ours, with nothing inside.
MODULE = r"""<script type="module" src="\{% static '[^']+' %\}"( blocking="render")?></script>"""
FORBIDDEN = re.compile(
    rf"""(?!{MODULE})<script|<style|\sstyle=|\son[a-z]+=|javascript:|(?:src|href|action)=["'](?:https?:)?//""", re.I
)


def test_style_sheets_load_nothing_from_outside():
    for path in (ROOT / "static").rglob("*.css"):
        assert not OUTSIDE.search(path.read_text(encoding="utf-8")), path


def test_templates_hold_nothing_that_the_content_policy_forbids():
    for path in (ROOT / "templates").rglob("*.html"):
        assert not FORBIDDEN.search(path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize(
    "planted",
    [
        "<script>",
        '<script type="module" src="{% static \'js/x.js\' %}">x</script>',
        '<p style="x">',
        '<body onload="x">',
        '<img src="//cdn.example/x.png">',
        '<a href="javascript:x">',
    ],
)
def test_a_planted_breach_of_the_content_policy_is_found(planted):
    assert FORBIDDEN.search(planted)


def test_a_planted_load_from_outside_is_found():
    assert OUTSIDE.search("src: url(https://fonts.example/x)") and OUTSIDE.search('@import "x.css"')
    assert not OUTSIDE.search("background: url(data:image/svg+xml;base64,xx)")


# --- every file that a page names is there ----------------------------------------------------------------------------


def named_in(template: str) -> list[str]:
    return re.findall(r"""\{% static ['"]([^'"]+)['"]""", template)


def test_every_static_file_that_a_template_names_exists():
    names = {name for path in (ROOT / "templates").rglob("*.html") for name in named_in(path.read_text("utf-8"))}
    assert "css/app.css" in names
    assert not {name for name in names if not finders.find(name)}


def test_the_hashed_names_of_production_can_be_made(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    production = {"BACKEND": "config.static.HashedStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": production}
    call_command("collectstatic", verbosity=0, interactive=False)
    assert (tmp_path / "staticfiles.json").is_file() and list(tmp_path.glob("css/app.*.css.gz"))
    modules = [path.read_text("utf-8") for path in tmp_path.glob("js/*.????????????.js")]
    imported = [name for module in modules for name in re.findall(r'^import .* from "\./(.+)";$', module, re.M)]
    assert len(imported) > 20
    assert all((tmp_path / "js" / name).is_file() and re.search(r"\.[0-9a-f]{12}\.js$", name) for name in imported)


# --- the compiled translations ----------------------------------------------------------------------------------------


def test_every_text_has_its_swedish_and_the_compiled_file_is_in_step():
    path = ROOT / "locale" / "sv" / "LC_MESSAGES" / "django.po"
    texts = polib.pofile(str(path))
    assert len(texts) > 100 and not texts.untranslated_entries() and not texts.fuzzy_entries()
    assert path.with_suffix(".mo").read_bytes() == texts.to_binary()


def places(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[sd]|%%", text))


def test_a_translation_keeps_the_places_that_are_filled_in():
    for entry in polib.pofile(str(ROOT / "locale" / "sv" / "LC_MESSAGES" / "django.po")):
        allowed = (places(entry.msgid), places(entry.msgid_plural or entry.msgid))
        for text in entry.msgstr_plural.values() or [entry.msgstr]:
            assert places(text) in allowed, entry.msgid
