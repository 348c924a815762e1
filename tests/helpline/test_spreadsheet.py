"""Files as they come from Excel, from an editor, from a broken transfer and from somebody with bad intentions."""

import csv
import io
import struct
import time
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from helpline import spreadsheet
from helpline.spreadsheet import Fault, Table, Unreadable

COLUMNS = ("key", "day", "result", "county")
MANDATORY = ("key", "day")
HEADER = "key,day,result,county\n"
NAME = "Kalle i Ljusdal"


def read(content: bytes | str) -> Table:
    content = content.encode() if isinstance(content, str) else content
    return spreadsheet.read(content, accepted=COLUMNS, mandatory=MANDATORY)


def rows(content: bytes | str) -> list[tuple[int, tuple[str, ...]]]:
    return [(row.line, row.cells) for row in read(content).rows]


def refusal(content: bytes | str) -> Unreadable:
    """The one refusal, which brings no other exception along and no text of a cell."""
    with pytest.raises(Unreadable) as caught:
        read(content)
    error = caught.value
    assert error.__context__ is None and error.__cause__ is None
    assert NAME not in repr(error) + str(error) + repr(vars(error))
    return error


def fault(content: bytes | str) -> Fault:
    return refusal(content).fault


def workbook(*sheets: Sequence[Sequence[Any]], change: Callable[[Workbook], None] = lambda book: None) -> bytes:
    book = Workbook()
    book.remove(book.active)
    for lines in sheets:
        sheet = book.create_sheet()
        for line in lines:
            sheet.append(list(line))
    change(book)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def repacked(content: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """The same archive with its parts changed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return stream.getvalue()


def with_sheet(xml: bytes) -> bytes:
    """A workbook whose sheet has `xml` as its rows."""
    body = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
    return repacked(workbook([COLUMNS]), lambda name, part: body % xml if "sheet1" in name else part)


def xml_row(number: int, *texts: str) -> bytes:
    cells = "".join(
        f'<c r="{spreadsheet.letters(p)}{number}" t="str"><v>{text}</v></c>' for p, text in enumerate(texts)
    )
    return f'<row r="{number}">{cells}</row>'.encode()


# --- CSV -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_delimiter_encoding_and_line_end_gives_the_same_table(delimiter, encoding, line_end):
    text = line_end.join(
        delimiter.join(line) for line in (COLUMNS, ("1", "2016-01-04", "åäö", "01"), ("2", "", "", "é"))
    )
    table = read(text.encode(encoding))
    assert table.columns == {"key": 0, "day": 1, "result": 2, "county": 3}
    assert [(row.line, row.cells) for row in table.rows] == [
        (2, ("1", "2016-01-04", "åäö", "01")),
        (3, ("2", "", "", "é")),
    ]


def test_text_that_is_not_utf8_is_read_as_swedish_excel_writes_it():
    assert rows(HEADER.encode() + b"1,,17 \xe5r,")[0][1][2] == "17 år"
    assert rows(HEADER.encode() + b"1,,17 \xc3\xa5r,")[0][1][2] == "17 år"


def test_header_names_forgive_case_and_blanks_and_may_come_in_any_order():
    assert read(" Day ;KEY\n2016-01-04;1").columns == {"day": 0, "key": 1}


def test_a_line_number_is_the_one_an_editor_shows_also_below_a_quoted_line_break_and_blank_lines():
    text = HEADER + '1,"a\nb",,\n\n;,\n,,,\n2,c,,\n'
    assert [line for line, _ in rows(text)] == [2, 5, 7]


def test_rows_without_text_are_no_rows():
    assert rows(HEADER + ",,,\n\n  , ,,\n1,,,\n") == [(5, ("1", "", "", ""))]


def test_a_short_row_ends_in_empty_cells():
    row = read(HEADER + "1,2016-01-04\n").rows[0]
    assert [row.text(position) for position in range(4)] == ["1", "2016-01-04", "", ""]


def test_text_beyond_the_header_is_stray_and_blanks_there_are_not():
    table = read(HEADER + "1,,,,\n1,,,, ,x\n")
    assert [table.stray(row) for row in table.rows] == [None, 5]


def test_text_under_an_empty_name_is_stray_and_text_under_an_unknown_name_is_not():
    table = read("key,,day,what\n1,x,,\n1,,,y\n")
    assert table.unknown == (3,)
    assert [table.stray(row) for row in table.rows] == [1, None]


def test_a_header_without_rows_is_a_table_of_no_rows():
    assert rows(HEADER) == []


@pytest.mark.parametrize("content", [b"", b"\n\n  \n", b"\xef\xbb\xbf", b",,\n;"])
def test_a_file_without_text_is_empty(content):
    assert fault(content) in (Fault.EMPTY, Fault.NOT_A_TABLE)
    assert content == b",,\n;" or fault(content) is Fault.EMPTY


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(range(256)), id="picture"),
        pytest.param(HEADER.encode("utf-16"), id="UTF-16"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), id="old Excel, or one with a password"),
        pytest.param(b"PK\x03\x04" + NAME.encode(), id="cut-off archive"),
        pytest.param(f"Hej,\n{NAME} ringde, och grät.\n".encode(), id="letter"),
        pytest.param(HEADER.encode() + b"1,\x81\xe5,,", id="neither UTF-8 nor cp1252"),
    ],
)
def test_what_is_no_table_is_refused(content):
    assert fault(content) is Fault.NOT_A_TABLE


def test_a_quotation_mark_without_end_is_refused_with_the_line_where_it_begins():
    error = refusal(HEADER + f'1,,,\n2,"{NAME},,\n3,,,\n')
    assert (error.fault, error.line) == (Fault.BROKEN_QUOTE, 3)
    assert rows(HEADER + f'1,,,\n2,"{NAME}",,\n3,,,\n')[1][1][1] == NAME


def test_a_column_that_stands_twice_is_refused_by_name():
    error = refusal("key,day,Day ,result\n")
    assert (error.fault, error.line, error.columns) == (Fault.COLUMN_TWICE, 1, ("day",))


def test_a_missing_mandatory_column_is_refused_by_name():
    error = refusal("county,result,key\n")
    assert (error.fault, error.columns) == (Fault.COLUMN_MISSING, ("day",))
    assert read("key,day\n").columns  # the others may be left out


def test_as_many_rows_as_allowed_are_read_and_one_more_is_refused(monkeypatch):
    monkeypatch.setattr(spreadsheet, "MOST_ROWS", 3)
    assert len(rows(HEADER + "1,,,\n" * 3)) == 3
    assert fault(HEADER + "1,,,\n" * 4) is Fault.TOO_MANY_ROWS
    assert fault(workbook([COLUMNS, *[("1",)] * 4])) is Fault.TOO_MANY_ROWS


def test_a_file_as_large_as_allowed_is_read_and_one_byte_more_is_refused(monkeypatch):
    content = (HEADER + "1,,,\n").encode()
    monkeypatch.setattr(spreadsheet, "MOST_BYTES", len(content))
    assert len(rows(content)) == 1
    assert fault(content + b"\n") is Fault.TOO_LARGE


def test_columns_are_lettered_as_spreadsheet_programs_do():
    assert [spreadsheet.letters(n) for n in (0, 25, 26, 28, 51, 52, 701, 702)] == [
        *("A", "Z", "AA", "AC", "AZ", "BA", "ZZ", "AAA")
    ]


# --- XLSX ------------------------------------------------------------------------------------------------------------


def test_cells_become_the_text_that_a_csv_would_hold():
    content = workbook(
        [
            ("key", "day", "result", "county"),
            (1.0, date(2016, 1, 4), "relevant", "01"),
            (2, datetime(2016, 1, 5), 1.5, None),
            (3, datetime(2016, 1, 5, 9, 30), True, 4),
        ]
    )
    assert rows(content) == [
        (2, ("1", "2016-01-04", "relevant", "01")),
        (3, ("2", "2016-01-05", "1.5")),
        (4, ("3", "2016-01-05T09:30:00", "True", "4")),
    ]


def test_a_line_number_is_the_one_the_spreadsheet_shows():
    assert [line for line, _ in rows(workbook([[], COLUMNS, [], [None, "x"], [], ["y"]]))] == [4, 6]
    assert [line for line, _ in rows(with_sheet(xml_row(2, *COLUMNS) + xml_row(7, "y")))] == [7]


def test_a_sheet_that_lies_about_its_size_loses_no_cell():
    content = workbook([COLUMNS, ("1", "2016-01-04", "relevant", "01")])
    for lie in (b"A1:A1", b"A1:XFD1048576"):
        lying = repacked(content, lambda name, part, lie=lie: part.replace(b'ref="A1:D2"', b'ref="%s"' % lie))
        assert lying != repacked(content, lambda name, part: part)
        assert rows(lying) == rows(content) != []


def test_a_formula_counts_as_its_value_and_one_never_computed_as_text_that_no_code_is():
    def cell(inside: str) -> bytes:
        return f'<row r="2"><c r="A2" {inside}</c></row>'.encode()

    header = xml_row(1, *COLUMNS)
    assert rows(with_sheet(header + cell('t="str"><f>B2</f><v>relevant</v>'))) == [(2, ("relevant",))]
    assert rows(with_sheet(header + cell("><f>B2</f><v>7</v>"))) == [(2, ("7",))]
    assert rows(with_sheet(header + cell("><f>B2</f>"))) == [(2, ("=",))]
    assert rows(with_sheet(header + cell("><f>B2</f><v></v>"))) == [(2, ("=",))]
    # Computed, and the result is an empty text.
    assert rows(with_sheet(header + cell('t="str"><f>B2</f><v></v>'))) == []
    assert rows(workbook([COLUMNS, ['=HYPERLINK("x")']])) == [(2, ("=",))]


def test_an_error_value_stays_text():
    assert rows(with_sheet(xml_row(1, *COLUMNS) + b'<row r="2"><c r="A2" t="e"><v>#N/A</v></c></row>')) == [
        (2, ("#N/A",))
    ]


def test_sheets_without_text_are_passed_over_and_two_with_text_are_refused():
    lines = [COLUMNS, ("1", "2016-01-04", "relevant", "01")]
    assert rows(workbook([], lines, [[None]])) == rows(workbook(lines)) != []
    assert fault(workbook(lines, lines)) is Fault.SEVERAL_SHEETS
    assert fault(workbook([])) is Fault.EMPTY


def test_a_number_that_is_no_date_is_refused_text_and_is_repeated_in_no_warning():
    def as_date(book: Workbook) -> None:
        book.worksheets[0]["B2"].number_format = "yyyy-mm-dd"

    content = workbook([COLUMNS, ("1", 196001011234)], change=as_date)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert rows(content) == [(2, ("1", "#VALUE!"))]
    assert not caught


# --- bad intentions --------------------------------------------------------------------------------------------------


def packed(*parts: tuple[str, bytes], level: int = 1) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, part in parts:
            archive.writestr(name, part)
    return stream.getvalue()


def costs(content: bytes) -> tuple[Fault, float, float]:
    """The fault, the processor's seconds until it is raised, and the most memory that Python held meanwhile, in MB."""
    started = time.process_time()
    found = fault(content)
    seconds = time.process_time() - started
    tracemalloc.start()
    fault(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found, seconds, peak / 2**20


def lying_about_size(content: bytes, name: bytes, size: int) -> bytes:
    """The archive with the unpacked size of one part replaced, in its own header and in the directory."""
    changed = bytearray(content)
    for signature, size_at, name_at in ((b"PK\x03\x04", 22, 30), (b"PK\x01\x02", 24, 46)):
        start = -1
        while (start := content.find(signature, start + 1)) >= 0:
            if content[start + name_at :].startswith(name):
                changed[start + size_at : start + size_at + 4] = struct.pack("<I", size)
    return bytes(changed)


BOMB = packed(("xl/worksheets/sheet1.xml", bytes(80 * 2**20)))


def one_wide_row() -> bytes:
    return with_sheet(b'<row r="1">' + b"<c/>" * 500_000 + b"</row>")


def a_million_rows() -> bytes:
    return with_sheet(xml_row(1, *COLUMNS) + b"<row><c><v>1</v></c></row>" * 1_000_000)


def cells_at_the_right_edge() -> bytes:
    return with_sheet(xml_row(1, *COLUMNS) + b'<row><c r="XFD2"><v>1</v></c></row>' * 20_000)


def a_row_far_down() -> bytes:
    return with_sheet(xml_row(1, *COLUMNS) + xml_row(999_999_999_999, "x"))


def entities() -> bytes:
    doctype = b'<!DOCTYPE x [<!ENTITY a "%s">]>' % (b"a" * 1000)
    return repacked(workbook([COLUMNS]), lambda name, part: doctype + part if "sheet1" in name else part)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(BOMB, Fault.TOO_LARGE, id="bomb"),
        pytest.param(lying_about_size(BOMB, b"xl/", 1000), Fault.NOT_A_TABLE, id="bomb that claims to be small"),
        pytest.param(packed(*((f"{n}.xml", b"") for n in range(201))), Fault.TOO_LARGE, id="many parts"),
        pytest.param(one_wide_row(), Fault.TOO_LARGE, id="one endless row"),
        pytest.param(a_million_rows(), Fault.TOO_MANY_ROWS, id="a million rows"),
        pytest.param(entities(), Fault.NOT_A_TABLE, id="entities"),
        pytest.param(b"key,day\n" + b"," * (19 * 2**20), Fault.TOO_LARGE, id="CSV of one endless row"),
        pytest.param(b'key,day\n"' + b"a\n" * (9 * 2**20), Fault.BROKEN_QUOTE, id="CSV of one endless cell"),
    ],
)
def test_a_hostile_file_is_refused_in_under_a_second_and_little_memory(content, expected):
    assert len(content) <= spreadsheet.MOST_BYTES
    found, seconds, peak = costs(content)
    assert found is expected
    assert seconds < 1
    assert peak < 50


@pytest.mark.parametrize(
    ("make", "limit", "expected"),
    [
        (a_row_far_down, "MOST_LINES", Fault.TOO_MANY_ROWS),
        (cells_at_the_right_edge, "MOST_CELLS", Fault.TOO_LARGE),
    ],
)
def test_a_sheet_of_endless_emptiness_is_refused(make, limit, expected, monkeypatch):
    monkeypatch.setattr(spreadsheet, limit, 100_000)
    assert fault(make()) is expected


def test_the_same_workbook_without_the_attack_is_read():
    assert rows(with_sheet(xml_row(1, *COLUMNS) + xml_row(2, "1"))) == [(2, ("1",))]
    assert rows(repacked(workbook([COLUMNS, ["1"]]), lambda name, part: part)) == [(2, ("1",))]


def test_a_part_that_only_claims_to_be_small_would_unpack_to_more_than_its_claim():
    """The control of the bomb that claims to be small: the claim is what a careless reader would trust."""
    lying = lying_about_size(BOMB, b"xl/", 1000)
    with zipfile.ZipFile(io.BytesIO(lying)) as archive:
        assert [part.file_size for part in archive.infolist()] == [1000]
        assert [part.compress_size for part in archive.infolist()][0] > 50_000


# --- whatever comes --------------------------------------------------------------------------------------------------

VALID = workbook([COLUMNS, ("1", date(2016, 1, 4), "relevant", "01"), ("2", None, "=A1", 4)])


def accepts_or_refuses(content: bytes) -> None:
    try:
        table = read(content)
    except Unreadable as error:
        assert error.__context__ is None and error.__cause__ is None
    else:
        assert all(isinstance(cell, str) for row in table.rows for cell in row.cells)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_read_or_refused_and_nothing_else(content):
    for beginning in (b"", HEADER.encode(), b"PK\x03\x04"):
        accepts_or_refuses(beginning + content)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_workbook_is_read_or_refused_and_nothing_else(changes):
    content = bytearray(VALID)
    for position, value in changes:
        content[position] = value
    accepts_or_refuses(bytes(content))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["sheet1", "styles", "workbook.xml", "Content_Types"]), st.data())
def test_a_workbook_with_damaged_xml_is_read_or_refused_and_nothing_else(name, data):
    def damage(part_name: str, part: bytes) -> bytes:
        if name not in part_name:
            return part
        start = data.draw(st.integers(0, len(part)))
        return part[:start] + data.draw(st.binary(max_size=6)) + part[start + data.draw(st.integers(0, 20)) :]

    accepts_or_refuses(repacked(VALID, damage))


@given(st.lists(st.lists(st.text(max_size=8), min_size=2, max_size=6), max_size=6))
def test_whatever_a_csv_writer_writes_comes_back_with_its_texts(lines):
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([("key", "day"), *lines])
    content = stream.getvalue().encode(errors="replace")
    if spreadsheet.NO_TEXT.search(content.decode()):
        assert fault(content) is Fault.NOT_A_TABLE
        return
    told = [tuple(cell.encode(errors="replace").decode() for cell in line) for line in lines]
    assert [cells for _, cells in rows(content)] == [cells for cells in told if any(cell.strip() for cell in cells)]
