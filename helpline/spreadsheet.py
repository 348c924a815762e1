"""Owns reading a table from a file: the bytes of a CSV or XLSX become named columns and rows of text with line numbers.

Pure. Whatever the bytes are, the only exception is Unreadable, and it neither holds nor chains to the text of a cell,
which may be a name.
"""

import csv
import re
import warnings
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import Enum
from io import BytesIO, TextIOWrapper
from itertools import pairwise, repeat
from shutil import copyfileobj
from typing import Any

from openpyxl import load_workbook

MOST_BYTES = 20 * 2**20
MOST_UNPACKED = 50 * 2**20
MOST_PARTS = 200
MOST_ROWS = 20_000
MOST_LINES = 1_100_000  # a sheet has 1,048,576 lines, and those without text cost little
MOST_CELLS = 50 * MOST_ROWS
LONGEST_ROW, MOST_TAGS = 2**21, 2**16  # parsers hold one row at a time, so this bounds what a hostile file costs

ZIP_BEGINS, ZIP_ENTRY = b"PK\x03\x04", b"PK\x01\x02"
NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
ROW_ENDS = re.compile(rb"</(?:\w+:)?(?:row|si)>")
FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
FORMULA_WITHOUT_VALUE = "="


class Fault(Enum):
    """Why a file cannot be read. The wording, in the reader's language, belongs to the edge."""

    EMPTY = "empty file"
    NOT_A_TABLE = "neither CSV nor XLSX"
    BROKEN_QUOTE = "a quotation mark that does not end"
    TOO_LARGE = "too large, packed or unpacked"
    TOO_MANY_ROWS = "too many rows"
    SEVERAL_SHEETS = "more than one sheet with text"
    COLUMN_TWICE = "a column stands twice"
    COLUMN_MISSING = "a mandatory column is missing"
    COLUMN_UNKNOWN = "a column that is not taken"


class Unreadable(ValueError):
    """A file that is no table for us: the fault, its line where one is known, and what it is about: accepted columns
    by name, others by position."""

    def __init__(
        self, fault: Fault, *, line: int = 0, columns: Sequence[str] = (), positions: Sequence[int] = ()
    ) -> None:
        super().__init__(fault.value)
        self.fault, self.line, self.columns, self.positions = fault, line, tuple(columns), tuple(positions)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line as an editor (CSV) or a spreadsheet program (XLSX) numbers it, and its cells as text."""

    line: int
    cells: tuple[str, ...] = field(repr=False)

    def text(self, position: int) -> str:
        """The text at `position`, from 0; empty where the row ends before."""
        return self.cells[position] if position < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class Table:
    """A header and the rows below it that hold any text. Positions count from 0.

    `columns` gives the position of each accepted name that the header has, `unknown` the positions of other texts.
    """

    line: int
    columns: Mapping[str, int]
    unknown: tuple[int, ...]
    rows: tuple[Row, ...] = field(repr=False)

    def stray(self, row: Row) -> int | None:
        """The position of the first text of `row` that stands under no text of the header."""
        headed = {*self.columns.values(), *self.unknown}
        return next((p for p, cell in enumerate(row.cells) if p not in headed and cell.strip()), None)


def letters(position: int) -> str:
    """The name that spreadsheet programs give the column at `position`, from 0: A, B, … Z, AA."""
    name, rest = "", position + 1
    while rest:
        rest, letter = divmod(rest - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


def read(content: bytes, *, accepted: Collection[str], mandatory: Collection[str], closed: bool = False) -> Table:
    """The table in `content`; header texts match `accepted` names without regard to case and blanks around them.

    Raises Unreadable. A header with unknown texts is returned as it is, so that all refusals come in one report;
    `closed` refuses it before any row below is looked at.
    """
    if len(content) > MOST_BYTES:
        raise Unreadable(Fault.TOO_LARGE)
    rows = _sheet_rows(content) if content.startswith(ZIP_BEGINS) else _filled(_csv_records(content))
    header = next(rows, None)
    if header is None:
        raise Unreadable(Fault.EMPTY)
    columns, unknown = _placed(header, accepted, mandatory, closed)
    return Table(header.line, columns, unknown, tuple(rows))


def _filled(records: Iterable[tuple[int, Sequence[str]]]) -> Iterator[Row]:
    """The records that hold text, a header and as many rows as are allowed."""
    count = 0
    for line, cells in records:
        filled = any(cell.strip() for cell in cells)
        count += filled
        if count > MOST_ROWS + 1 or line > MOST_LINES:
            raise Unreadable(Fault.TOO_MANY_ROWS)
        if filled:
            yield Row(line, tuple(cells))


def _placed(
    header: Row, accepted: Collection[str], mandatory: Collection[str], closed: bool
) -> tuple[dict[str, int], tuple[int, ...]]:
    columns: dict[str, int] = {}
    unknown = []
    for position, cell in enumerate(header.cells):
        name = cell.strip().casefold()
        if name in columns:
            raise Unreadable(Fault.COLUMN_TWICE, line=header.line, columns=[name])
        if name in accepted:
            columns[name] = position
        elif name:
            unknown.append(position)
    if not columns:
        raise Unreadable(Fault.NOT_A_TABLE)
    if closed and unknown:
        raise Unreadable(Fault.COLUMN_UNKNOWN, line=header.line, positions=unknown)
    if missing := [name for name in mandatory if name not in columns]:
        raise Unreadable(Fault.COLUMN_MISSING, line=header.line, columns=missing)
    return columns, tuple(unknown)


# --- CSV -------------------------------------------------------------------------------------------------------------


def _csv_records(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line on which it begins."""
    encoding = _encoding(content)
    first_line = next((line for line in _pieces(content, encoding, TextIOWrapper.readline) if line.strip()), "")
    taken = 0

    def measured() -> Iterator[str]:
        nonlocal taken
        for line in _pieces(content, encoding, TextIOWrapper.readline):
            taken += len(line)
            if taken > LONGEST_ROW:
                raise Unreadable(Fault.TOO_LARGE)
            yield line

    reader = csv.reader(measured(), delimiter=max(",;\t", key=first_line.count), strict=True)
    while True:
        begins, taken = reader.line_num + 1, 0
        broken = False
        try:
            cells = next(reader, None)
        except csv.Error:
            broken = True
        if broken:  # raised out here, so that no chained exception comes along
            raise Unreadable(Fault.BROKEN_QUOTE, line=begins)
        if cells is None:
            return
        yield begins, cells


def _encoding(content: bytes) -> str:
    """UTF-8 with or without mark, else what a Swedish Excel writes."""
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            if any(NO_TEXT.search(piece) for piece in _pieces(content, encoding, TextIOWrapper.read)):
                break
        except UnicodeDecodeError:
            continue
        return encoding
    raise Unreadable(Fault.NOT_A_TABLE)


def _pieces(content: bytes, encoding: str, read: Callable[[TextIOWrapper, int], str]) -> Iterator[str]:
    """The text as `read` gives it, line ends as they are, in pieces no longer than a row that is too long."""
    with TextIOWrapper(BytesIO(content), encoding, newline="") as text:
        while piece := read(text, LONGEST_ROW + 1):
            yield piece


# --- XLSX ------------------------------------------------------------------------------------------------------------


def _sheet_rows(content: bytes) -> Iterator[Row]:
    """The rows of the one sheet that holds text."""
    if content.count(ZIP_ENTRY) > MOST_PARTS:
        raise Unreadable(Fault.TOO_LARGE)
    sheets = None
    try:
        sheets = _sheets(_plain_archive(content))
    except Unreadable:
        raise
    except Exception:  # whatever the parsers trip over; their messages may repeat a cell
        sheets = None
    if sheets is None:  # raised out here, so that no chained exception comes along
        raise Unreadable(Fault.NOT_A_TABLE)
    filled = [sheet for sheet in sheets if sheet]
    if len(filled) > 1:
        raise Unreadable(Fault.SEVERAL_SHEETS)
    return iter(filled[0] if filled else [])


def _plain_archive(content: bytes) -> bytes:
    """The XML parts of the archive, checked and without compression: a zip may lie about its sizes, and openpyxl would
    believe it."""
    plain = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as packed, zipfile.ZipFile(plain, "w") as honest:
        parts = packed.infolist()
        if sum(part.file_size for part in parts) > MOST_UNPACKED:
            raise Unreadable(Fault.TOO_LARGE)
        if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
            raise Unreadable(Fault.NOT_A_TABLE)  # the others cannot be unpacked piece by piece
        for name in sorted({part.filename for part in parts if part.filename.endswith((".xml", ".rels"))}):
            unpacked = BytesIO()
            with packed.open(name) as part:
                copyfileobj(part, unpacked, 2**16)  # never beyond the size that was declared, unlike read()
            _refuse_hostile_xml(unpacked.getvalue())
            honest.writestr(zipfile.ZipInfo(name), unpacked.getvalue())
    return plain.getvalue()


def _refuse_hostile_xml(part: bytes) -> None:
    """A spreadsheet has no document type, so no entities, and no endless element that would be held in memory whole.

    Counted here because the parser needs seconds and ten times the memory to find out.
    """
    if b"<!DOCTYPE" in part or b"\0" in part:
        raise Unreadable(Fault.NOT_A_TABLE)
    if part.count(b"row>") > 2 * MOST_ROWS + 2:  # a row has one or two of them
        raise Unreadable(Fault.TOO_MANY_ROWS)
    ends = [0, *(end.end() for end in ROW_ENDS.finditer(part)), len(part)]
    for begins, end in pairwise(ends):
        if end - begins > LONGEST_ROW or part.count(b"<", begins, end) > MOST_TAGS:
            raise Unreadable(Fault.TOO_LARGE)


def _sheets(archive: bytes) -> list[list[Row]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl's warnings repeat cells
        values = load_workbook(BytesIO(archive), read_only=True, data_only=True, keep_links=False)
        formulas = values
        if FORMULA.search(archive):
            formulas = load_workbook(BytesIO(archive), read_only=True, keep_links=False)
        pairs = zip(values.worksheets, formulas.worksheets, strict=True)
        sheets = [list(_filled(_sheet(sheet, other if formulas is not values else None))) for sheet, other in pairs]
        values.close()
        formulas.close()
    return sheets


def _sheet(sheet: Any, formulas: Any) -> Iterator[tuple[int, list[str]]]:
    """Every line of a sheet; `formulas` is the same sheet with formulas instead of their values."""
    for each in (sheet, formulas or sheet):
        each.reset_dimensions()  # what a sheet says of its own size is often wrong, and cells would be lost
    seen = 0
    rows = zip(sheet.iter_rows(), formulas.iter_rows() if formulas else repeat(()), strict=False)
    for line, (row, with_formulas) in enumerate(rows, 1):
        seen += len(row)
        if seen > MOST_CELLS:
            raise Unreadable(Fault.TOO_LARGE)
        cells = [_text(cell.value) for cell in row]
        for position, cell in enumerate(with_formulas):
            # A formula that gives an empty text has the type "str"; one never computed has none.
            if cell.data_type == "f" and row[position].value is None and row[position].data_type == "n":
                cells[position] = FORMULA_WITHOUT_VALUE
        yield line, cells


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)
