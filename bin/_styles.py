"""What the frame of every page loads: one style sheet, and a typeface with only what is used. Made from vendored files.

`made()` gives both as bytes; as a program it writes them, or with --check exits 1 when they are not in step.
"""

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

ROOT = Path(__file__).parent.parent
STATIC = ROOT / "static"
MADE = STATIC / "made"
THEME, DESIGN = "vendor/fkui-theme-default-6.44.0/theme-light.css", "vendor/fkui-design-6.44.0/fkui.min.css"
OURS = ("css/app.css", "css/figures.css")
TYPEFACE = "vendor/inter-5.3.0/inter-latin-wght-normal.woff2"
WEIGHTS = (400, 700)
FEATURES = ["kern", "tnum"]  # tabular figures stand in columns

HEAD = f"/*! Made by bin/styles. Of FKUI (MIT), the rules that our pages can use: ../{DESIGN} */\n"
# What is one piece of a style sheet: a comment, a string, an address, a bracket, or other text.
PIECE = re.compile(r"""/\*.*?\*/|"[^"]*"|'[^']*'|url\([^)"']*\)|[{};]|[^{};"'/u]+|.""", re.S)
CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")


def made() -> dict[str, bytes]:
    """The made files, by their names in static/made."""
    used = used_words(page.read_text(encoding="utf-8") for page in pages())
    design = "".join(needed((STATIC / DESIGN).read_text(encoding="utf-8").removeprefix('@charset "UTF-8";'), used))
    sheets = [(STATIC / name).read_text(encoding="utf-8") for name in (THEME, *OURS)]
    text = "\n".join([HEAD, sheets[0], design, *map(bare, sheets[1:])])
    return {"app.css": text.encode(), "inter.woff2": typeface((STATIC / TYPEFACE).read_bytes())}


def pages() -> Iterator[Path]:
    """Whatever may name a class: templates, scripts, and Python that makes markup."""
    yield from sorted((ROOT / "templates").rglob("*.html"))
    yield from sorted((STATIC / "js").rglob("*.js"))
    for app in ("config", "helpline", "reports"):
        yield from sorted((ROOT / app).rglob("*.py"))


def used_words(texts: Iterator[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """All words, each of which may be a class, and the beginnings of those that are put together: `button--{% … %}`."""
    words: set[str] = set()
    beginnings: set[str] = set()
    for text in texts:
        words |= set(re.findall(r"[A-Za-z_][\w-]*", text))
        beginnings |= set(re.findall(r"([A-Za-z_][\w-]*-)(?=\{|\$\{|\" ?\+|' ?\+)", text))
    return frozenset(words), tuple(sorted(beginnings))


def bare(sheet: str) -> str:
    """A style sheet without its comments and indents."""
    return re.sub(r"\n\s*", "\n", re.sub(r"/\*.*?\*/", "", sheet, flags=re.S)).strip() + "\n"


# --- the rules that can apply -----------------------------------------------------------------------------------------


def needed(sheet: str, used: tuple[frozenset[str], tuple[str, ...]]) -> Iterator[str]:
    """The rules of a style sheet, each with those of its selectors whose classes are all used."""
    for head, block in rules(sheet):
        if head.startswith(("@media", "@container", "@supports", "@layer")):
            if within := "".join(needed(block, used)):
                yield f"{head}{{{within}}}"
        elif head.startswith("@"):
            yield f"{head}{{{block}}}"
        elif selectors := [one for one in re.split(r",(?![^(]*\))", head) if can_apply(one, used)]:
            yield f"{','.join(selectors)}{{{block}}}"


def rules(sheet: str) -> Iterator[tuple[str, str]]:
    """(selectors or at-rule, what stands between its brackets) of each rule."""
    head, block, depth = "", "", 0
    for piece in PIECE.findall(sheet):
        depth += (piece == "{") - (piece == "}")
        if depth == 0 and piece == "}":
            yield head.strip(), block
            head = block = ""
        elif depth == 0:
            head = "" if piece.startswith("/*") else head + piece
        elif depth > 1 or piece != "{":
            block += piece


def can_apply(selector: str, used: tuple[frozenset[str], tuple[str, ...]]) -> bool:
    words, beginnings = used
    classes = CLASS.findall(re.sub(r":(?:not|is|where)\([^)]*\)", "", selector))
    return all(name in words or name.startswith(beginnings) for name in classes)


# --- the typeface -----------------------------------------------------------------------------------------------------


def typeface(original: bytes) -> bytes:
    """Every character of the original, in the weights and with the features that our style sheets ask for.

    Its licence reserves no name, so that what is made of it may be called the same.
    """
    font = TTFont(io.BytesIO(original), recalcTimestamp=False)
    options = subset.Options(layout_features=FEATURES, hinting=False, notdef_outline=True)
    chosen = subset.Subsetter(options)
    chosen.populate(unicodes=font.getBestCmap())
    chosen.subset(font)
    font = instancer.instantiateVariableFont(font, {"wght": WEIGHTS})
    font.flavor = "woff2"
    font.save(out := io.BytesIO())
    return out.getvalue()


def main() -> int:
    wrong = [name for name, content in made().items() if not is_in_step(MADE / name, content)]
    if "--check" in sys.argv:
        for name in wrong:
            print(f"static/made/{name} is not what it is made of: run bin/styles.")
        return 1 if wrong else 0
    MADE.mkdir(exist_ok=True)
    for name, content in made().items():
        (MADE / name).write_bytes(content)
    return 0


def is_in_step(path: Path, content: bytes) -> bool:
    return path.exists() and path.read_bytes() == content


if __name__ == "__main__":
    sys.exit(main())
