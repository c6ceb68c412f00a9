import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapidvision.errors import InputError
from rapidvision.text import csv_text

CELL = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=12)


@given(st.lists(st.lists(CELL, min_size=2, max_size=2), max_size=6))
def test_what_is_written_is_read(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    csv_text.write(path, ["a", "b"], rows)
    assert csv_text.read(path, ["a", "b"]) == [{"a": a, "b": b} for a, b in rows]


def test_lines_end_with_a_line_feed_on_every_system(tmp_path):
    csv_text.write(tmp_path / "a.csv", ["a"], [[1], [None]])
    assert (tmp_path / "a.csv").read_bytes() == b'a\n1\n""\n'


def test_a_byte_order_mark_and_other_line_ends_are_read(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfa,b\r\n1,2\r\n")
    assert csv_text.read(tmp_path / "a.csv") == [{"a": "1", "b": "2"}]


def test_other_delimiters(tmp_path):
    (tmp_path / "a.tsv").write_text("a\tb\n1\t2,3\n", encoding="utf-8")
    assert csv_text.read(tmp_path / "a.tsv", delimiter="\t") == [{"a": "1", "b": "2,3"}]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"imageid,b\n1,2\n", r'a\.csv: no column "image_id"\. Did you mean "imageid"\?'),
        (b"", r'no column "image_id"\. It is empty'),
        (b"image_id,b\n1\n", "row 2 has 1 cells, the header 2; is the row cut off"),
        (b"image_id,b\n1,2\n1,2,3\n", "row 3 has 3 cells, the header 2"),
        (b"image_id,x,x\n1,2,3\n", r'a\.csv: columns 2 and 3 are both named "x"; rename or remove one'),
        (b"image_id,x, x\n1,2,3\n", r'columns 2 and 3 are both named "x"'),
        (b"image_id,b\n1,2\nimage_id,b\n3,4\n", "row 3 is the header again; were two tables joined"),
        (b"image_id,b\n\n1,2\n", "row 2 is blank, and others follow"),
        (b'image_id,b\n"1"x,2\n', "not a CSV table"),
        (b"image_id\n\xff\n", r"not UTF-8 text \(byte 9\); save it as UTF-8"),
    ],
)
def test_broken_tables_are_refused_with_file_and_reason(tmp_path, content, says):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=says):
        csv_text.read(tmp_path / "a.csv", ["image_id"])


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv: no such file"):
        csv_text.read(tmp_path / "none.csv")


def test_blank_lines_at_the_end_are_no_rows(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,2\n\n\n")
    assert csv_text.read(tmp_path / "a.csv") == [{"a": "1", "b": "2"}]
