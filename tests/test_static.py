"""What pages load: vendored files as they were taken, nothing from outside, nothing that the content policy forbids."""

import hashlib
import importlib.util
import re
from pathlib import Path

import polib
import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from fontTools.ttLib import TTFont

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


# --- what is made of them: the frame of every page --------------------------------------------------------------------


@pytest.fixture(scope="module")
def styles():
    specification = importlib.util.spec_from_file_location("styles", ROOT / "bin" / "_styles.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_made_files_are_in_step_with_what_they_are_made_of(styles):
    made = {path.name: path.read_bytes() for path in (ROOT / "static" / "made").iterdir()}
    assert made == styles.made(), "run bin/styles"


def test_a_made_file_that_is_not_in_step_would_show(styles, tmp_path):
    (tmp_path / "app.css").write_bytes(b"p{}\n")
    assert styles.is_in_step(tmp_path / "app.css", b"p{}\n")
    assert not styles.is_in_step(tmp_path / "app.css", b"p{}")
    assert not styles.is_in_step(tmp_path / "inter.woff2", b"")


def test_a_rule_is_taken_when_a_page_can_have_what_it_is_about(styles):
    used = styles.used_words(['<p class="badge button--{% if it %}primary{% endif %}">', "tone"])
    sheet = """p{a:1}.badge{a:2}.tab,.badge:not(.tab),p .tab .badge{a:3}.button--primary{a:url("x}{")}
        @media (x){.tab{a:4}}@media (y){.tab{a:5}.tone{a:6}}@keyframes k{from{a:7}}p:is(.badge,.tab){a:8}"""
    assert "".join(styles.needed(sheet, used)) == (
        'p{a:1}.badge{a:2}.badge:not(.tab){a:3}.button--primary{a:url("x}{")}'
        "@media (y){.tone{a:6}}@keyframes k{from{a:7}}p:is(.badge,.tab){a:8}"
    )


def test_each_class_of_the_design_system_that_a_page_names_has_its_rules(styles):
    design = (ROOT / "static" / styles.DESIGN).read_text(encoding="utf-8")
    named = {
        name
        for page in (ROOT / "templates").rglob("*.html")
        for attribute in re.findall(r'class="([^"]*)"', page.read_text(encoding="utf-8"))
        for name in re.sub(r"\{[{%].*?[%}]\}", " ", attribute).split()
    } & set(styles.CLASS.findall(design))
    assert "button--primary" in named
    assert named <= set(styles.CLASS.findall((ROOT / "static/made/app.css").read_text(encoding="utf-8")))


def test_the_small_typeface_has_every_character_of_the_whole_one_in_the_weights_that_are_asked_for(styles):
    whole, small = TTFont(ROOT / "static" / styles.TYPEFACE), TTFont(ROOT / "static" / "made" / "inter.woff2")
    assert small.getBestCmap().keys() == whole.getBestCmap().keys() > set(map(ord, "åäöÅÄÖé–”−"))
    (weight,) = small["fvar"].axes
    asked = {
        int(number)
        for sheet in (ROOT / "static" / "css").glob("*.css")
        for number in re.findall(r"font-weight: (\d+);", sheet.read_text(encoding="utf-8"))
    }
    assert (weight.minValue, weight.maxValue) == (min(asked), max(asked)) == (400, 700)


def test_the_licence_of_the_typeface_reserves_no_name():
    """Else what is made of it could not be called Inter."""
    (licence,) = VENDOR.glob("inter-*/LICENSE")
    rights = licence.read_text(encoding="utf-8").split("This Font Software is licensed")[0]
    assert "Copyright" in rights and "Reserved Font Name" not in rights


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
    assert "made/app.css" in names
    assert not {name for name in names if not finders.find(name)}


def test_the_hashed_names_of_production_can_be_made(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    production = {"BACKEND": "config.static.HashedStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": production}
    call_command("collectstatic", verbosity=0, interactive=False)
    assert (tmp_path / "staticfiles.json").is_file() and list(tmp_path.glob("made/app.*.css.gz"))
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
