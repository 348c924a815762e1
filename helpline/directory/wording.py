"""Owns the wording of what is refused in a file of the directory, in the reader's language."""

from django.utils.translation import gettext

from helpline.listings import Fault, Finding
from helpline.spreadsheet import Fault as TableFault


def explain(finding: Finding) -> str:
    """One sentence that says what to do; it never repeats a refused value."""
    hint = {"hint": finding.hint}
    if finding.fault is Fault.TABLE:
        return _explain_table(finding)
    return (_of_file() | _of_value() | _of_entry())[finding.fault] % hint


def explain_place(finding: Finding) -> str:
    """Where: a path in JSON or a line and a column of a table, "" for the whole file."""
    if finding.path:
        return finding.path
    if finding.line and finding.column:
        return gettext("line %(line)d, column %(column)s") % {"line": finding.line, "column": finding.column}
    return gettext("line %(line)d") % {"line": finding.line} if finding.line else ""


def _of_file() -> dict[Fault, str]:
    return {
        Fault.EMPTY: gettext("The file is empty."),
        Fault.TOO_LARGE: gettext("The file is larger than 20 MB: divide it."),
        Fault.TOO_MANY: gettext("The file has more than 5,000 services: divide it."),
        Fault.NOT_READABLE: gettext("The file is no JSON that can be read: export it anew from where it comes from."),
        Fault.FIELD_TWICE: gettext(
            "The field “%(hint)s” stands twice in the same object of the file: keep one of them."
        ),
        Fault.NO_DIRECTORY: gettext("The JSON holds neither organizations nor services of HSDS 3.0."),
        Fault.UNKNOWN_COLUMN: gettext("This column is unknown: remove or rename it, it refuses the whole file."),
        Fault.NO_COLUMN: gettext("This cell stands under no column name: move or empty it."),
    }


def _of_value() -> dict[Fault, str]:
    return {
        Fault.MISSING: gettext("A value is needed here."),
        Fault.WRONG_TYPE: gettext("Another kind of value belongs here (%(hint)s)."),
        Fault.NOT_TEXT: gettext("This holds characters that are no text: write it anew."),
        Fault.INVISIBLE: gettext(
            "This holds a character that cannot be seen, such as a soft hyphen or a mark that turns the direction of"
            " writing: write it anew by hand."
        ),
        Fault.TOO_LONG: gettext("This is too long: at most %(hint)s characters fit."),
        Fault.TOO_MANY_PARTS: gettext("There are too many here: keep %(hint)s at most of one service."),
        Fault.NOT_AN_ID: gettext("This is no UUID: leave the id as it was exported."),
        Fault.NOT_A_URL: gettext(
            "This is no web address: it begins with https:// or http://, and its server’s name has no @ or \\."
        ),
        Fault.NOT_A_DAY: gettext("This is no day: write it as year-month-day, as in 2016-06-30."),
        Fault.NOT_HOURS: gettext(
            "These are no hours of a week: write MO-FR 09:00-15:00, and the hours after midnight for themselves."
        ),
        Fault.NOT_A_CODE: gettext("This is no code of the list: choose one of %(hint)s."),
        Fault.NOT_AN_AREA: gettext(
            "This is no area: write SE, the two digits of a county or the four of a municipality, or its name."
        ),
        Fault.NOT_A_LANGUAGE: gettext("This is no language: write its code of two or three letters, as in sv."),
        Fault.NOT_YES_OR_NO: gettext("Write ja or nej here."),
        Fault.SINGLE: gettext("Only one term of this taxonomy fits here: keep one of them."),
    }


def _of_entry() -> dict[Fault, str]:
    return {
        Fault.NEEDS_TARGET: gettext(
            "This service has no referral target of ours: give it one, say that it is a knowledge resource, or choose"
            " a target for all that have none."
        ),
        Fault.HAS_TARGET: gettext("A knowledge resource receives no callers: remove its target and dimension."),
        Fault.REPEATED: gettext("The same entry stands twice in the file: keep one of them."),
        Fault.CONTRADICTS: gettext(
            "The same organisation is described in another way earlier in the file: make both the same."
        ),
        Fault.NAME_TAKEN: gettext("Another entry is called “%(hint)s”: give this one another name, or that one’s id."),
    }


def _explain_table(finding: Finding) -> str:
    wording = {
        TableFault.EMPTY: gettext("The file is empty."),
        TableFault.NOT_A_TABLE: gettext(
            "The file is no directory: save it as HSDS JSON, as XLSX without a password, or as CSV with comma,"
            " semicolon or tab between the columns and their names on the first line."
        ),
        TableFault.BROKEN_QUOTE: gettext("A quotation mark on line %(line)d does not end: correct it or remove it."),
        TableFault.TOO_LARGE: gettext("The file is too large: divide it, or save only the rows in a new file."),
        TableFault.TOO_MANY_ROWS: gettext("The file has more than 5,000 services: divide it."),
        TableFault.SEVERAL_SHEETS: gettext("More than one sheet holds text: keep only the one with the directory."),
        TableFault.COLUMN_TWICE: gettext("Two columns are called %(columns)s: keep one of them."),
        TableFault.COLUMN_MISSING: gettext("These columns are missing on line %(line)d: %(columns)s."),
    }
    return wording[TableFault[finding.hint]] % {"line": finding.line, "columns": finding.column}
