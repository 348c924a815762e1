"""Owns why a request for statistics is refused: the titles that clients of PxWebApi know, misspelt as they are. Pure.

No detail repeats what was asked: it is one fixed sentence, or names codes of the code book.
"""

from dataclasses import dataclass

NO_TABLE = "Non-existent table"
NO_PAGE = "Non-existent page"
NO_CODELIST = "Non-existent codelist"
NO_SAVED_QUERY = "Saved query not found"
NO_ADDRESS = "Non-existent address"
NO_VARIABLE = "Non-existent variable"
NO_VALUE = "Non-existent value"
MISSING_SELECTION = "Missing selection for mandantory variable"
ILLEGAL_EXPRESSION = "Illegal selection expression"
ILLEGAL_PLACEMENT = "Illegal placment"
TOO_MANY_CELLS = "Too many cells selected"
NO_FORMAT = "Unsupported output format"
NO_LANGUAGE = "Unsupported language"
ILLEGAL_PARAMETER = "Illegal parameter"
ILLEGAL_BODY = "Illegal body"


@dataclass(eq=False)
class Refused(Exception):
    """The request cannot be answered: a title of the above, what to do about it, and the HTTP status."""

    title: str
    detail: str
    status: int = 400

    def __post_init__(self) -> None:
        super().__init__(self.title)


def no_table() -> Refused:
    """The same for a table that does not exist and for one of which nothing is published."""
    return Refused(NO_TABLE, "There is no published table with this id; /tables lists those that there are.", 404)


def no_codelist(status: int = 400) -> Refused:
    return Refused(NO_CODELIST, "No code lists are offered: groups are variables of tables of their own.", status)


def no_grant() -> Refused:
    """For an evaluator's session; a token outside a grant stands for nobody."""
    return Refused("Forbidden", "Reading by program needs a grant, which /grants/ shows; the pages need none.", 403)
