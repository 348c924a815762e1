"""Owns the written routines for duties to report, and how `routines/*.toml` are read and checked.

Pure. A routine that breaks a rule stops the start with a sentence naming the file. Every day from the first that can
hold a contact has exactly one version of the steps, and one text of each line of law: see _refuse_gaps.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

FOLDER = Path(__file__).parent / "routines"
FIRST_DAY = date(2015, 1, 1)
WHOSE = ("caller", "licensed", "none")
KEYS = frozenset({"order", "sv", "en", "about_sv", "about_en", "codes", "duty", "version", "law"})
VERSION_KEYS, STEP_KEYS = frozenset({"version", "valid_from", "valid_to", "steps"}), frozenset({"sv", "en"})
LAW_KEYS = frozenset({"line", "valid_from", "valid_to", "source", "sv", "en", "settle_sv", "settle_en"})


class BrokenRoutine(ValueError):
    """A routine breaks a rule; the message names the file."""


@dataclass(frozen=True, slots=True)
class Text:
    """The same in Swedish and English."""

    sv: str
    en: str

    def label(self, language: str) -> str:
        return self.en if language == "en" else self.sv


@dataclass(frozen=True, slots=True)
class Law:
    """What the law says in plain words, in force on the days [valid_from, valid_to]; `line` names the texts that follow
    each other. `settle` is what the organisation must settle with a lawyer, empty for nothing."""

    line: str
    valid_from: date
    valid_to: date
    source: str
    text: Text
    settle: Text

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day <= self.valid_to


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the steps, in force on the days [valid_from, valid_to]."""

    version: int
    valid_from: date
    valid_to: date
    steps: tuple[Text, ...]

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day <= self.valid_to


@dataclass(frozen=True, slots=True)
class Routine:
    """One routine: when it is used, whose the duty is, its steps and its law by day, and the codes of reports_made that
    say that it was used. Nothing of a call is ever written into it."""

    id: str
    order: int
    title: Text
    about: Text
    codes: tuple[str, ...]
    duty: Mapping[str, Text]  # by WHOSE
    versions: tuple[Version, ...]
    laws: tuple[Law, ...]

    def version_on(self, day: date) -> Version:
        return next(version for version in self.versions if version.holds_on(day))

    def laws_on(self, day: date) -> tuple[Law, ...]:
        return tuple(law for law in self.laws if law.holds_on(day))


# --- loading ------------------------------------------------------------------------------------------------------


def _text(raw: Mapping[str, Any], name: str, path: Path) -> Text:
    texts = [raw.get(f"{name}{language}") for language in ("sv", "en")]
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise BrokenRoutine(f"{path.name}: '{name}sv' or '{name}en' is missing")
    return Text(str(texts[0]), str(texts[1]))


def _refuse_unknown(raw: Mapping[str, Any], known: frozenset[str], path: Path) -> None:
    if unknown := set(raw) - known:
        raise BrokenRoutine(f"{path.name}: unknown key '{sorted(unknown)[0]}'")


def _days(raw: Mapping[str, Any], path: Path) -> tuple[date, date]:
    """The days on which a text holds, both included; without an end it holds for ever."""
    days = (raw.get("valid_from"), raw.get("valid_to", date.max))
    if any(type(day) is not date for day in days):
        raise BrokenRoutine(f"{path.name}: 'valid_from' and 'valid_to' must be dates, as in valid_from = 2015-01-01")
    return days  # type: ignore[return-value]


def _version(raw: Mapping[str, Any], path: Path) -> Version:
    _refuse_unknown(raw, VERSION_KEYS, path)
    for step in raw.get("steps", ()):
        _refuse_unknown(step, STEP_KEYS, path)
    steps = tuple(_text(step, "", path) for step in raw.get("steps", ()))
    if not steps or type(raw.get("version")) is not int:
        raise BrokenRoutine(f"{path.name}: a version has a number and at least one step")
    return Version(raw["version"], *_days(raw, path), steps)


def _law(raw: Mapping[str, Any], path: Path) -> Law:
    _refuse_unknown(raw, LAW_KEYS, path)
    if not isinstance(raw.get("source"), str) or not raw["source"].strip():
        raise BrokenRoutine(f"{path.name}: a text of law names its source")
    settle = _text(raw, "settle_", path) if "settle_sv" in raw or "settle_en" in raw else Text("", "")
    return Law(raw.get("line", ""), *_days(raw, path), raw["source"], _text(raw, "", path), settle)


def _refuse_gaps(what: str, texts: Sequence[Law | Version], path: Path) -> None:
    """Texts of one line follow each other day by day, from the first day on and for ever."""
    expected = FIRST_DAY
    for text in sorted(texts, key=lambda one: one.valid_from):
        if text.valid_to < text.valid_from or text.valid_from != expected:
            problem = "two texts on" if text.valid_from < expected else "no text on"
            raise BrokenRoutine(f"{path.name}: {what} has {problem} {min(text.valid_from, expected)}")
        expected = text.valid_to + timedelta(days=1) if text.valid_to < date.max else date.max
    if expected != date.max:
        raise BrokenRoutine(f"{path.name}: {what} has no text on {expected}")


def _load_one(path: Path) -> Routine:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BrokenRoutine(f"{path.name}: {error}") from None
    _refuse_unknown(raw, KEYS, path)
    if type(raw.get("order")) is not int or not raw.get("codes"):
        raise BrokenRoutine(f"{path.name}: 'order' and 'codes' are missing")
    duty = raw.get("duty", {})
    _refuse_unknown(duty, frozenset(f"{who}_{language}" for who in WHOSE for language in ("sv", "en")), path)
    versions = tuple(_version(one, path) for one in raw.get("version", ()))
    laws = tuple(_law(one, path) for one in raw.get("law", ()))
    if [one.version for one in versions] != list(range(1, len(versions) + 1)):
        raise BrokenRoutine(f"{path.name}: versions are numbered from 1")
    _refuse_gaps("the routine", versions, path)
    for line in {law.line: None for law in laws} or {"": None}:
        _refuse_gaps(f"the law {line}".strip(), [law for law in laws if law.line == line], path)
    return Routine(
        id=path.stem,
        order=raw["order"],
        title=_text(raw, "", path),
        about=_text(raw, "about_", path),
        codes=tuple(raw["codes"]),
        duty=MappingProxyType({who: _text(duty, f"{who}_", path) for who in WHOSE}),
        versions=versions,
        laws=laws,
    )


def load(folder: Path = FOLDER) -> tuple[Routine, ...]:
    """All routines of `folder`, in their order. Raises BrokenRoutine."""
    routines: Iterable[Routine] = (_load_one(path) for path in folder.glob("*.toml"))
    return tuple(sorted(routines, key=lambda routine: (routine.order, routine.id)))


ROUTINES = load()
