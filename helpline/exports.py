"""Owns writing a table to a CSV file that says what it is for and holds nothing that a program would compute. Pure."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

gettext_noop = str  # marks a text for the translators

# Stands above every file that leaves; the foot of each page says the same.
PURPOSE = gettext_noop(
    "Stödtelefonen is for support and prevention, never for investigation. "
    "There is no search for a person here, no risk score and no role for the police."
)

# What makes a cell a formula (OWASP, CSV injection), also in full width and behind blanks or quotation marks.
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def csv_file(purpose: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The file as Excel in Swedish opens it: UTF-8 with BOM, `;` between the cells, `purpose` above the header."""
    text = StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow([f"# {purpose}"])
    writer.writerow(header)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def harmless(cell: str) -> str:
    """`cell`, behind an apostrophe where a spreadsheet program would compute it; without line breaks and tabs."""
    cell = " ".join(cell.split())
    return f"'{cell}" if cell.lstrip("\"' ").startswith(FORMULA) else cell
