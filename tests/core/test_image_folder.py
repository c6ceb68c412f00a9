from pathlib import Path

import pytest

from rapidvision.errors import InputError
from rapidvision.formats import image_folder
from rapidvision.text import csv_text

HEADER = image_folder.COLUMNS
ROW = ["cat-01", "images/cat-01.png", "cat", "true", "practice", "us", "CC0"]


def write(folder, rows, header=HEADER):
    csv_text.write(folder / image_folder.TABLE, header, rows)
    return folder / image_folder.TABLE


def test_a_row_says_what_the_table_says(tmp_path):
    (row,) = image_folder.read_table(write(tmp_path, [ROW]))
    assert (row.image_id, row.category, row.target, row.phase) == ("cat-01", "cat", True, "practice")
    assert row.path == tmp_path / "images/cat-01.png"
    assert (row.credit, row.licence, row.cells["credit"]) == ("us", "CC0", "us")


def test_images_are_main_and_of_no_known_kind_unless_the_table_says_so(tmp_path):
    (row,) = image_folder.read_table(write(tmp_path, [ROW[:3]], HEADER[:3]), required=())
    assert (row.target, row.phase, row.credit) == (None, "main", "")


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        (0, "", 'row 2: image_id "" must be letters'),
        (0, "a/b", 'row 2: image_id "a/b" must be letters'),
        (0, "x" * 121, "must be letters"),
        (1, " ", "row 2: path is empty"),
        (2, "", "row 2: category is empty"),
        (2, "  ", "row 2: category is empty"),
        (3, "maybe", 'row 2: target is "maybe"; true or false is needed'),
        (4, "catch", 'row 2: phase is "catch". Allowed: practice, main'),
    ],
)
def test_a_cell_that_is_not_allowed_is_named(tmp_path, column, value, says):
    row = [value if place == column else cell for place, cell in enumerate(ROW)]
    with pytest.raises(InputError, match=says):
        image_folder.read_table(write(tmp_path, [row]))


@pytest.mark.parametrize(
    ("second", "says"),
    [
        (["cat-01", "b.png", "cat", "true", "main", "", ""], "cat-01 appears twice"),
        (["Cat-01", "b.png", "cat", "true", "main", "", ""], "cat-01 and Cat-01 differ only in capitals"),
        (["cat-02", "b.png", "cat", "false", "main", "", ""], "category cat is both target and distractor"),
        (
            ["cat-02", "b.png", "Cat", "true", "main", "", ""],
            'categories "cat" and "Cat" differ only in capitals or blanks',
        ),
        (["cat-02", "b.png", "cat ", "true", "main", "", ""], 'categories "cat" and "cat " differ only in capitals'),
    ],
)
def test_rows_that_contradict_each_other_are_refused(tmp_path, second, says):
    with pytest.raises(InputError, match=says):
        image_folder.read_table(write(tmp_path, [ROW, second]))


def test_an_empty_table_is_refused(tmp_path):
    with pytest.raises(InputError, match="no images; the table has only a header"):
        image_folder.read_table(write(tmp_path, []))


def test_maps_lie_beside_the_images(tmp_path):
    for source in ("salicon", "clickme"):
        image_folder.map_path(tmp_path, source, "cat-01").parent.mkdir(parents=True)
    assert image_folder.map_sources(tmp_path) == ["clickme", "salicon"]
    assert image_folder.map_path(tmp_path, "clickme", "cat-01") == tmp_path / "maps/clickme/cat-01.png"


def test_the_page_of_the_form_names_every_column():
    page = (Path(__file__).parents[2] / "docs/reference/image-folder.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert all(any(f"`{name}`" in row for row in rows) for name in image_folder.COLUMNS)


def test_hidden_folders_are_no_map_sources(tmp_path):
    assert image_folder.map_sources(tmp_path) == []
    for name in ("salicon", "clickme", ".ipynb_checkpoints", "__MACOSX"):
        (tmp_path / "maps" / name).mkdir(parents=True)
    (tmp_path / "maps/notes.txt").touch()
    assert image_folder.map_sources(tmp_path) == ["clickme", "salicon"]
