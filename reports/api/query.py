"""Owns how the query of an address is read: names in any letter case, lists by comma or by a repeated name. Pure."""

import re
from collections.abc import Iterable, Iterator

from reports.api.refusals import ILLEGAL_EXPRESSION, ILLEGAL_PARAMETER, NO_LANGUAGE, Refused

LANGUAGES = ("sv", "en")  # the default first
_KEYED = re.compile(r"([a-z]+)\[([^\[\]]+)\]", re.IGNORECASE)
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,9}")


class Query:
    """What stands after the question mark: (name, value) pairs, in order."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name.strip().casefold(), []).append(value)

    def text(self, name: str) -> str:
        """The last value of a name, "" if there is none."""
        return self._values.get(name.casefold(), [""])[-1].strip()

    def names(self, name: str) -> list[str]:
        """The items of all values of a name, without empty ones."""
        return _items(self._values.get(name.casefold(), []))

    def is_true(self, name: str) -> bool:
        return self.text(name).casefold() == "true"

    def number(self, name: str, default: int) -> int:
        """A whole number. Raises Refused."""
        text = self.text(name)
        if not text:
            return default
        if not _WHOLE_NUMBER.fullmatch(text):
            raise Refused(ILLEGAL_PARAMETER, f"The parameter {name} must be a whole number of at most nine digits.")
        return int(text)

    def keyed(self, name: str) -> Iterator[tuple[str, list[str]]]:
        """(key, items) of every name[key]. Raises Refused for a name without key."""
        for key, values in self._values.items():
            if (match := _KEYED.fullmatch(key)) and match[1] == name:
                yield match[2].strip(), _items(values)
            elif key.partition("[")[0] == name:
                raise Refused(ILLEGAL_EXPRESSION, f"Write {name}[variable]=codes, with the variable in brackets.")

    def language(self) -> str:
        """The language asked for, else the default. Raises Refused."""
        language = self.text("lang").casefold() or LANGUAGES[0]
        if language not in LANGUAGES:
            raise Refused(NO_LANGUAGE, f"The parameter lang must be one of {', '.join(LANGUAGES)}.")
        return language


def _items(values: Iterable[str]) -> list[str]:
    return [item for value in values for item in _split(value) if item]


def _split(text: str) -> list[str]:
    """The items between commas; an item that has a comma itself stands in brackets, or has it in parentheses."""
    items, depth = [""], 0
    for letter in text:
        if letter == "," and depth == 0:
            items.append("")
            continue
        depth += (letter in "[(") - (letter in "])")
        items[-1] += letter
    return [re.sub(r"\A\[(.*)\]\Z", r"\1", item.strip(), flags=re.DOTALL).strip() for item in items]
