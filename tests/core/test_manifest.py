"""Stimulus sets: written, read, verified, and refused when they are not what they say."""

import msgspec
import pytest

from rapidvision.errors import CheckFailed, InputError
from rapidvision.formats import manifest, manifest_rows
from rapidvision.formats.manifest import SetDescription
from rapidvision.formats.manifest_rows import Stimulus
from rapidvision.formats.protocol_file import preset
from rapidvision.study import Study
from rapidvision.system import files


def row(image="cat-03", source="clickme", level=0, **changes):
    values = {
        "stimulus_id": f"{image}.{source}.{level}", "image_id": image, "category": "cat", "target": True, "map_source": source,
        "level_index": level, "level_label": str(level), "reveal_fraction": 0.1, "revealed_px": 7, "image_fraction": 1 / 3,
        "shift_y_px": -2, "shift_x_px": 0, "path": f"images/{image}.{source}.{level}.png", "sha256": files.sha256(b"image"),
    }  # fmt: skip
    return Stimulus(**{**values, **changes})


DESCRIPTION = SetDescription(name="toy", seed=1, image_px=16, level_labels=("0", "1"), map_sources=("clickme",))


@pytest.fixture
def folder(tmp_path):
    for level in (0, 1):
        files.write_bytes(tmp_path / f"images/cat-03.clickme.{level}.png", b"image")
    manifest.write_set(tmp_path, DESCRIPTION, [row(level=1, reveal_fraction=None), row(level=0)])
    return tmp_path


def test_a_set_reads_back_and_is_found_by_its_key(folder):
    found = manifest.read_set(folder)
    assert found.index()["cat-03", "clickme", 0] == row()
    assert [exemplar.image_id for exemplar in found.exemplars()] == ["cat-03"]
    assert found.exemplars("practice") == ()
    found.verify()


def test_the_digest_does_not_depend_on_the_order_of_the_rows():
    rows = [row(level=level) for level in range(5)]
    assert manifest_rows.rows_digest(rows) == manifest_rows.rows_digest(rows[::-1])


def test_changed_and_missing_files_are_named(folder):
    (folder / "images/cat-03.clickme.0.png").write_bytes(b"other")
    (folder / "images/cat-03.clickme.1.png").unlink()
    with pytest.raises(CheckFailed, match=r"clickme.0.png \(changed\), images/cat-03.clickme.1.png \(missing\)"):
        manifest.read_set(folder).verify()


def test_files_that_were_added_and_tables_that_were_changed_are_named(tmp_path):
    files.write_bytes(tmp_path / "images/a.png", b"image")
    (tmp_path / "quality.csv").write_text("a\n1\n")
    one = row(path="images/a.png", sha256=files.sha256(b"image"))
    manifest.write_set(tmp_path, DESCRIPTION, [one], tables=["quality.csv"]).verify()
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "images/Thumbs.db").touch()
    manifest.read_set(tmp_path).verify()
    (tmp_path / "quality.csv").write_text("a\n2\n")
    (tmp_path / "images/extra.png").touch()
    with pytest.raises(CheckFailed, match=r"quality\.csv \(changed\), images/extra\.png \(added\); remove what was"):
        manifest.read_set(tmp_path).verify()
    (tmp_path / "quality.csv").unlink()
    with pytest.raises(CheckFailed, match=r"quality\.csv \(missing\)"):
        manifest.read_set(tmp_path).verify()


def test_an_edited_description_is_refused(folder):
    path = folder / manifest.DESCRIPTION
    text = path.read_text()
    for old, new in (
        ('"image_px": 16', '"image_px": 32'),
        ('"seed": 1', '"seed": 2'),
        ('"name": "toy"', '"name": "toi"'),
    ):
        path.write_text(text.replace(old, new))
        with pytest.raises(InputError, match="changed after the set was built"):
            manifest.read_set(folder)


def test_an_edited_manifest_is_refused(folder):
    path = folder / manifest.MANIFEST
    path.write_text(path.read_text(encoding="utf-8").replace(",7,", ",8,", 1), encoding="utf-8")
    with pytest.raises(InputError, match="digest differs"):
        manifest.read_set(folder)


def test_an_unfinished_and_an_absent_set_are_told_apart(folder, tmp_path):
    (folder / manifest.DESCRIPTION).unlink()
    with pytest.raises(InputError, match="unfinished"):
        manifest.read_set(folder)
    with pytest.raises(InputError, match="there is no such folder; build one"):
        manifest.read_set(tmp_path / "none")


def test_another_version_and_a_torn_description_are_refused(folder):
    description = manifest.read_set(folder).description
    files.write_json(folder / manifest.DESCRIPTION, msgspec.structs.replace(description, set_version=99))
    with pytest.raises(InputError, match="set version 99"):
        manifest.read_set(folder)
    (folder / manifest.DESCRIPTION).write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=manifest.DESCRIPTION):
        manifest.read_set(folder)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([row(), row()], "appears twice"),
        ([row(path="../x.png")], "must stay inside"),
        ([row(path="/x.png")], "must stay inside"),
        ([row(path="a\\..\\x.png")], "must stay inside"),
        ([row(), row(level=1, phase="practice")], "two phases"),
        ([row(), row(level=1, category="dog")], "two phases or categories"),
    ],
)
def test_rows_that_cannot_be_a_set_are_refused(tmp_path, rows, says):
    with pytest.raises(InputError) as error:
        manifest.write_set(tmp_path, DESCRIPTION, rows)
    assert says in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_manifest_with_other_columns_or_cells_is_refused(folder):
    path = folder / manifest.MANIFEST
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("revealed_px", "pixels", 1), encoding="utf-8")
    with pytest.raises(InputError, match='no column "revealed_px"'):
        manifest.read_set(folder)
    header, *rows = text.splitlines()
    path.write_text("\n".join([header + ",more", *(row + ",x" for row in rows)]) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="a manifest has"):
        manifest.read_set(folder)
    path.write_text(text.replace(",7,", ",seven,", 1), encoding="utf-8")
    with pytest.raises(InputError, match="row 2"):
        manifest.read_set(folder)


def test_a_folder_that_holds_something_else_is_named_for_what_it_is(folder, tmp_path):
    def said(place):
        with pytest.raises(InputError, match="no stimulus set here") as error:
            manifest.read_set(place)
        return str(error.value)

    study = Study(tmp_path / "study")
    study.write_description(manifest.read_set(folder), preset("paper"), groups=("clickme",), n_slots=1)
    assert "it is a study; its stimulus set is named in" in said(study.folder)
    (tmp_path / "half" / ".build").mkdir(parents=True)
    assert "an unfinished build" in said(tmp_path / "half")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "images.csv").write_text("image_id\n", encoding="utf-8")
    assert "it is an image folder" in said(tmp_path / "folder")
    assert "it is a file" in said(tmp_path / "folder" / "images.csv")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("x", encoding="utf-8")
    assert "unfinished" not in said(tmp_path / "other")
    assert "there is no such folder" in said(tmp_path / "none")
