"""Owns what a code list is, and how `codelists/*.toml` are read and checked.

Pure. A list that breaks a rule stops the start with a sentence naming file and line.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

FOLDER = Path(__file__).parent / "codelists"
CODE = re.compile(r"[A-Za-z0-9_]{1,12}")
FIRST_BIT, LAST_BIT = 4, 62  # bits 0-3 belong to the non-answers; a signed 64-bit column has 63 in all
TEXTS = ("sv", "en", "definition_sv", "definition_en")
CODE_KEYS = frozenset({"code", "valid_from", "retired_on", "successor", "bit", "exclusive", "members", "dimension"})
DIMENSIONS = ("social", "praktisk", "bada")
LIST_KEYS = frozenset({"multiple", "non_answers", "groups", "code"})

NOT_APPLICABLE = "ej_till"


class BrokenCodeList(ValueError):
    """A code list breaks a rule; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a list: texts in Swedish and English, validity [valid_from, retired_on), and its place in a mask."""

    code: str
    sv: str
    en: str
    definition_sv: str
    definition_en: str
    valid_from: date
    retired_on: date | None = None
    successor: str | None = None
    bit: int | None = None
    exclusive: bool = False
    members: tuple[str, ...] = ()
    dimension: str | None = None

    def label(self, language: str) -> str:
        return self.en if language == "en" else self.sv

    def definition(self, language: str) -> str:
        return self.definition_en if language == "en" else self.definition_sv

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.retired_on is None or day < self.retired_on)


@dataclass(frozen=True)
class CodeList:
    """One code list, in the order of its file, the non-answers last."""

    id: str
    sv: str
    en: str
    definition_sv: str
    definition_en: str
    codes: Mapping[str, Code] = field(repr=False)
    multiple: bool = False
    groups: str | None = None

    def label(self, language: str) -> str:
        return self.en if language == "en" else self.sv

    def definition(self, language: str) -> str:
        return self.definition_en if language == "en" else self.definition_sv

    def offered_on(self, day: date) -> tuple[Code, ...]:
        """The codes a form offers on `day`: those that hold, without "not applicable", which only form logic sets."""
        return tuple(c for c in self.codes.values() if c.holds_on(day) and c.code != NOT_APPLICABLE)

    def current(self, code: str, day: date) -> str:
        """`code`, or the successor that stands for it on `day`; a retired code without successor stays itself."""
        while not self.codes[code].holds_on(day) and (successor := self.codes[code].successor):
            code = successor
        return code

    def group_of(self, codes: frozenset[str]) -> frozenset[str]:
        """The groups of this list that `codes` of the grouped list lie in; a non-answer stays itself."""
        return frozenset(self._group[code] for code in codes)

    @cached_property
    def _group(self) -> dict[str, str]:
        members = {member: group.code for group in self.codes.values() for member in group.members}
        return members | {code.code: code.code for code in self.codes.values() if not code.members}

    def mask(self, codes: Iterable[str]) -> int:
        """The integer that stores a set of codes of a multiple list. KeyError for a code that the list lacks."""
        return sum(1 << bit for bit in {self._bit[code] for code in codes})

    @cached_property
    def _bit(self) -> dict[str, int]:
        return {c.code: c.bit for c in self.codes.values() if c.bit is not None}

    def set_of(self, mask: int) -> frozenset[str]:
        """The set of codes that `mask` stores."""
        if mask not in self._sets:
            self._sets[mask] = frozenset(code for code, bit in self._bit.items() if mask >> bit & 1)
        return self._sets[mask]

    @cached_property
    def _sets(self) -> dict[int, frozenset[str]]:
        return {}


# --- loading ------------------------------------------------------------------------------------------------------


def _refuse(path: Path, line: int, why: str) -> BrokenCodeList:
    return BrokenCodeList(f"{path.parent.name}/{path.name}, line {line}: {why}")


def _line_of_code(text: str, number: int) -> int:
    """The line on which the `number`th (from 0) code table starts."""
    starts = [n for n, line in enumerate(text.split("\n"), 1) if line.strip().startswith("[[code]]")]
    return starts[number]


def _read(path: Path) -> tuple[dict[str, Any], str]:
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), text
    except UnicodeDecodeError:
        raise _refuse(path, 1, "the file is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"line (\d+)", str(error))
        line = int(where[1]) if where else text.count("\n") + 1
        raise _refuse(path, line, f"not valid TOML ({error})") from None


def _texts(source: Mapping[str, Any], path: Path, line: int, whose: str) -> dict[str, str]:
    for key in TEXTS:
        if not isinstance(source.get(key), str) or not source[key].strip():
            raise _refuse(path, line, f"{whose} has no text '{key}'")
    return {key: source[key] for key in TEXTS}


def _code(raw: Mapping[str, Any], path: Path, line: int) -> Code:
    code = raw.get("code")
    if not isinstance(code, str) or not CODE.fullmatch(code):
        raise _refuse(path, line, "'code' must be 1 to 12 of the characters A-Z a-z 0-9 _")
    if unknown := set(raw) - CODE_KEYS - set(TEXTS):
        raise _refuse(path, line, f"code '{code}' has an unknown key '{sorted(unknown)[0]}'")
    for key in ("valid_from", "retired_on"):
        if type(raw.get(key)) is not date and not (key == "retired_on" and key not in raw):
            raise _refuse(path, line, f"code '{code}': '{key}' must be a date, as in valid_from = 2015-01-01")
    if raw.get("dimension", "social") not in DIMENSIONS:
        raise _refuse(path, line, f"code '{code}': 'dimension' must be one of {', '.join(DIMENSIONS)}")
    if raw.get("retired_on", date.max) <= raw["valid_from"]:
        raise _refuse(path, line, f"code '{code}' is retired before it holds")
    own = {key: raw[key] for key in CODE_KEYS & set(raw)} | _texts(raw, path, line, f"code '{code}'")
    return Code(**own | {"members": tuple(raw.get("members", ()))})


def _codes(raw: list[dict[str, Any]], multiple: bool, path: Path, text: str) -> dict[str, Code]:
    codes: dict[str, Code] = {}
    bits: set[int | None] = set()
    for number, entry in enumerate(raw):
        code = _code(entry, path, line := _line_of_code(text, number))
        if code.code in codes:
            raise _refuse(path, line, f"code '{code.code}' stands twice")
        if any(code.sv == other.sv or code.en == other.en for other in codes.values()):
            raise _refuse(path, line, f"code '{code.code}' has the label of another code")
        if multiple != (code.bit is not None):
            why = "needs a 'bit', since several may be chosen" if multiple else "has a 'bit' in a list of single choice"
            raise _refuse(path, line, f"code '{code.code}' {why}")
        if code.bit is not None and (code.bit in bits or not 0 <= code.bit <= LAST_BIT):
            raise _refuse(path, line, f"code '{code.code}': bit {code.bit} is taken or not within 0 to {LAST_BIT}")
        bits.add(code.bit)
        codes[code.code] = code
    for number, code in enumerate(codes.values()):
        if code.successor is not None and (code.successor not in codes or code.retired_on is None):
            why = "has a successor that the list lacks, or is not retired"
            raise _refuse(path, _line_of_code(text, number), f"code '{code.code}' {why}")
        _refuse_circles(codes, code, path, _line_of_code(text, number))
    return codes


def _refuse_circles(codes: Mapping[str, Code], code: Code, path: Path, line: int) -> None:
    seen, step = {code.code}, code.successor
    while step is not None and step in codes:
        if step in seen:
            raise _refuse(path, line, f"the successors of code '{code.code}' go in a circle")
        seen.add(step)
        step = codes[step].successor


def _load_one(path: Path, non_answers: Mapping[str, Code]) -> CodeList:
    raw, text = _read(path)
    if unknown := set(raw) - LIST_KEYS - set(TEXTS):
        raise _refuse(path, 1, f"unknown key '{sorted(unknown)[0]}'")
    if not isinstance(raw.get("code"), list) or not raw["code"]:
        raise _refuse(path, 1, "the list has no [[code]]")
    multiple = raw.get("multiple", False)
    is_non_answers = path.stem == "non_answers"
    codes = _codes(raw["code"], multiple or is_non_answers, path, text)
    if multiple and (low := [c for c in codes.values() if c.bit is not None and c.bit < FIRST_BIT]):
        raise _refuse(path, _line_of_code(text, list(codes).index(low[0].code)), "bits 0 to 3 are the non-answers'")
    if raw.get("non_answers", True) and not is_non_answers:
        if shared := set(codes) & set(non_answers):
            line = _line_of_code(text, list(codes).index(sorted(shared)[0]))
            raise _refuse(path, line, f"'{sorted(shared)[0]}' is a non-answer of every list")
        codes |= non_answers
    texts, frozen = _texts(raw, path, 1, "the list"), MappingProxyType(codes)
    return CodeList(path.stem, **texts, codes=frozen, multiple=multiple, groups=raw.get("groups"))


def _check_groups(lists: Mapping[str, CodeList], group: CodeList, grouped: str, folder: Path) -> None:
    """Every code of the grouped list, non-answers apart, lies in exactly one group."""
    text = (path := folder / f"{group.id}.toml").read_text(encoding="utf-8")
    if grouped not in lists:
        raise _refuse(path, 1, f"groups a list '{grouped}' that does not exist")
    expected = set(lists[grouped].codes) - set(lists["non_answers"].codes)
    seen: set[str] = set()
    for number, code in enumerate(group.codes.values()):
        for member in code.members:
            if member not in expected or member in seen:
                why = "is in two groups" if member in seen else f"is no code of '{grouped}'"
                raise _refuse(path, _line_of_code(text, number), f"'{member}' {why}")
            seen.add(member)
    if missing := expected - seen:
        raise _refuse(path, 1, f"no group holds '{sorted(missing)[0]}' of '{grouped}'")


def load(folder: Path = FOLDER) -> Mapping[str, CodeList]:
    """All code lists of `folder` by id. Raises BrokenCodeList with file and line."""
    non_answers = _load_one(folder / "non_answers.toml", {})
    others = (path for path in sorted(folder.glob("*.toml")) if path.stem != "non_answers")
    lists = {"non_answers": non_answers} | {path.stem: _load_one(path, non_answers.codes) for path in others}
    for code_list in lists.values():
        if code_list.groups is not None:
            _check_groups(lists, code_list, code_list.groups, folder)
    return MappingProxyType(lists)
