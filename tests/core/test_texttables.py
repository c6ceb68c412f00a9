"""Text tables of other programs: what the rules find, and what they refuse."""

import csv
import gzip

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapidvision.errors import InputError
from rapidvision.text import decimals, text_tables

CELL = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="\\"), min_size=1, max_size=8
)


@given(
    st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=6),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.booleans(),
)
def test_what_pandas_writes_is_read(tmp_path_factory, rows, delimiter, encoding, packed):
    path = tmp_path_factory.mktemp("t") / "a.csv"
    frame = pd.DataFrame(rows, columns=["who", "level", "answer"])
    frame.to_csv(path, sep=delimiter, index=False, encoding=encoding, quoting=csv.QUOTE_ALL)
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    found = text_tables.read(path, delimiter=delimiter)
    assert found.header == ("who", "level", "answer")
    assert [list(row.values()) for row in found.rows] == rows


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a;b\n2,5;3\n", ";"),
        ("a,b\n2;5,3\n", ","),
        ("a\tb\n2,5\t3\n", "\t"),
        ("a\n1\n", ","),
        ("sep=|\na|b\n1|2\n", "|"),
        ("a;b,c\n1;2\n", ";"),
    ],
)
def test_the_delimiter_is_the_one_that_splits_the_header(text, delimiter):
    assert text_tables.parse(text, name="a.csv").delimiter == delimiter


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a;b,c\n1;2,3\n", "more than one delimiter"),
        (b"", "empty"),
        (b"a,b\n1\n", r"row 2 has 1 cells, the header 2 \(commas between them\)"),
        (b"a,b\n1,2\n1,2,3\n", "row 3 has 3 cells"),
        (b'a,b\n1,"2\n3,4\n', "quotation mark is opened and never closed"),
        (b"a, a\n1,2\n", r'row 1: 2 columns are named "a" \(columns 1, 2\)'),
        (b"\x1f\x8b broken", "cannot be unpacked"),
        (b"\xff\xfea\x00b", "not utf-16 text"),
        (b"a,b\n1\x00\x00\x00\x00\x00,2\n", "zero bytes"),
        (b"a,b\n\x81,2\n", "not cp1252 text"),
    ],
)
def test_broken_tables_are_refused_with_file_and_reason(tmp_path, content, says):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=f"a.csv: .*{says}"):
        text_tables.read(tmp_path / "a.csv")


def test_an_encoding_that_is_named_is_used_and_an_unknown_one_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes("who\nJosé\n".encode("mac-roman"))
    assert text_tables.read(tmp_path / "a.csv", encoding="mac-roman").rows[0]["who"] == "José"
    with pytest.raises(InputError, match='encoding "klingon" is unknown'):
        text_tables.read(tmp_path / "a.csv", encoding="klingon")


def test_numbers_of_rows_are_those_of_the_file():
    found = text_tables.parse("a,b\n1,2\n\n,\n3,4\n", name="a.csv")
    assert found.numbers == (2, 5)


@pytest.mark.parametrize(
    ("cells", "delimiter", "sign"),
    [
        (["2.5", "10"], ",", "."),
        (["2,5", "10"], ",", ","),
        (["1,250"], ";", ","),
        (["0,250"], ",", ","),
        (["1", "2"], ";", "."),
        (["1e3", "2,5e3"], "\t", None),
        (["2,5", "2.5"], ";", None),
        (["1,250"], ",", None),
        (["1.234,5"], ";", None),
        (["1,234.5"], ",", None),
    ],
)
def test_the_decimal_sign_is_found_or_refused(cells, delimiter, sign):
    placed = [(cell, f"a.csv: row {row}") for row, cell in enumerate(cells, 2)]
    if sign is None:
        with pytest.raises(InputError, match="row 2"):
            decimals.decimal_of(placed, delimiter=delimiter)
    else:
        assert decimals.decimal_of(placed, delimiter=delimiter) == sign


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "1,5", "1 000", "--1", "1.2.3", "0x1f"])
def test_what_is_no_number_is_refused_with_its_place(text):
    with pytest.raises(InputError, match=r"row 7 is .*a number with a decimal point is needed"):
        decimals.number_of(text, decimal=".", where="a.csv: row 7")
