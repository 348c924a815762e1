"""Owns the expressions that select codes of a variable: wildcards, top, bottom, range, from, to. Pure."""

import re
from collections.abc import Sequence

from reports.api.refusals import ILLEGAL_EXPRESSION, NO_VALUE, Refused

_FUNCTION = re.compile(r"(top|bottom|range|from|to)\s*\((.*)\)", re.IGNORECASE | re.DOTALL)
_COUNT = re.compile(r"[0-9]{1,9}")


def expand(item: str, codes: Sequence[str], *, is_time: bool) -> list[str]:
    """The codes that `item` selects, in table order: a code in any letter case, else an expression. Raises Refused."""
    wanted = item.strip()
    if code := _spelling(wanted, codes):
        return [code]
    if function := _FUNCTION.fullmatch(wanted):
        arguments = [argument.strip() for argument in function[2].split(",")]
        name = function[1].casefold()
        if name in ("top", "bottom"):
            # The newest periods stand last in the table, and are the top of it.
            return _end(arguments, codes, is_last=(name == "bottom") != is_time)
        return _span(name, arguments, codes)
    if "*" in wanted:
        return _by_stars(wanted, codes)
    if "?" in wanted:
        return [code for code in codes if _fits(wanted.casefold(), code.casefold())]
    if any(letter in wanted for letter in "()[]"):
        raise _illegal()
    raise Refused(NO_VALUE, "A code is none of its variable's; /tables/{id}/metadata lists the codes of each.")


def _illegal() -> Refused:
    return Refused(
        ILLEGAL_EXPRESSION,
        "Write a code, *, code*, *code, *code*, ? for single characters, top(n), top(n,offset), bottom(n),"
        " bottom(n,offset), range(a,b), from(a) or to(b).",
    )


def _spelling(wanted: str, codes: Sequence[str]) -> str | None:
    return next((code for code in codes if code.casefold() == wanted.casefold()), None)


def _place(wanted: str, codes: Sequence[str]) -> int:
    code = _spelling(wanted, codes)
    if code is None:
        raise Refused(NO_VALUE, "An end of range, from or to is no code of its variable.")
    return codes.index(code)


def _fits(pattern: str, code: str) -> bool:
    pairs = zip(pattern, code, strict=False)
    return len(pattern) == len(code) and all(letter in ("?", other) for letter, other in pairs)


def _end(arguments: list[str], codes: Sequence[str], *, is_last: bool) -> list[str]:
    """n codes of one end of the list, after leaving out the `offset` outermost."""
    if not all(_COUNT.fullmatch(argument) for argument in arguments) or len(arguments) > 2:
        raise _illegal()
    n, offset = int(arguments[0]), int(arguments[1]) if len(arguments) == 2 else 0
    if n < 1:
        raise _illegal()
    if is_last:
        return list(codes[max(len(codes) - offset - n, 0) : max(len(codes) - offset, 0)])
    return list(codes[offset : offset + n])


def _span(name: str, arguments: list[str], codes: Sequence[str]) -> list[str]:
    if len(arguments) != (2 if name == "range" else 1) or not all(arguments):
        raise _illegal()
    places = sorted(_place(argument, codes) for argument in arguments)
    if name == "from":
        return list(codes[places[0] :])
    if name == "to":
        return list(codes[: places[0] + 1])
    return list(codes[places[0] : places[1] + 1])


def _by_stars(wanted: str, codes: Sequence[str]) -> list[str]:
    text = wanted.casefold()
    part = text.removeprefix("*").removesuffix("*")
    if "*" in part or "?" in part:
        raise _illegal()
    folded = [(code, code.casefold()) for code in codes]
    if text.startswith("*") and text.endswith("*"):
        return [code for code, letters in folded if part in letters]
    if text.startswith("*"):
        return [code for code, letters in folded if letters.endswith(part)]
    return [code for code, letters in folded if letters.startswith(part)]
