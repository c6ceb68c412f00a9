"""Points of any number are sorted by image in a file; JSON is read element by element, wherever blocks end."""

import json
import pickle

import numpy as np
import pytest

from rapidvision.errors import InputError
from rapidvision.stimuli.input_tables import MapSource
from rapidvision.stimuli.maps.readers import json_stream, open_source, point_store
from rapidvision.stimuli.naming import Naming, slug


@pytest.mark.parametrize("most", [7, 64, 1 << 16])
def test_points_come_back_as_they_were_written_whatever_is_held_in_memory(tmp_path, monkeypatch, most):
    monkeypatch.setattr(point_store, "MOST_ROWS", most)
    monkeypatch.setattr("rapidvision.stimuli.maps.readers.table.MOST_ROWS", most)
    rng = np.random.default_rng(1)
    images, people = rng.integers(0, 9, 500), rng.integers(0, 5, 500)
    x, y = rng.integers(0, 640, 500) / 2, rng.integers(0, 480, 500) / 2
    rows = [f"i{a},{b},{c},p{d}" for a, b, c, d in zip(images, x, y, people, strict=True)]
    (tmp_path / "p.csv").write_text("image_id,x,y,participant_id\n" + "\n".join(rows) + "\n")
    reader = open_source(MapSource(source="s", reader="points-csv", path="p.csv"), tmp_path)
    for one in (reader, pickle.loads(pickle.dumps(reader))):
        for number in range(9):
            found, mine = one.read(f"i{number}"), images == number
            assert found.x_px.tolist() == x[mine].tolist()
            assert found.y_px.tolist() == y[mine].tolist()
            assert found.n_observers == np.unique(people[mine]).size


def test_the_file_of_points_is_removed_with_its_reader(tmp_path):
    (tmp_path / "p.csv").write_text("image_id,x,y\na,1,2\n")
    reader = open_source(MapSource(source="s", reader="points-csv", path="p.csv"), tmp_path)
    file = reader.recordings._path
    assert file.is_file()
    del reader
    assert not file.exists()


@pytest.mark.parametrize("block", [1, 5, 64, 1 << 20])
def test_elements_are_found_wherever_blocks_end(tmp_path, monkeypatch, block):
    monkeypatch.setattr(json_stream, "_BLOCK", block)
    points = [[1, 2], [3, 4.5], [-6, 7]]
    names = ['a"]}', "b\\", "{[", "Ä猫"]
    text = json.dumps(
        {"x": {"points": [[9, 9]]}, "names": [[name] for name in names], "points": points}, ensure_ascii=False
    )
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    read = lambda key, type_: list(json_stream.elements(tmp_path / "a.json", type_, key=key, form="test"))  # noqa: E731
    assert [list(one) for one in read("points", tuple[float, float])] == points
    assert [one[0] for one in read("names", tuple[str])] == names
    for cut in range(1, len(text), 7):
        (tmp_path / "a.json").write_text(text[:cut], encoding="utf-8")
        with pytest.raises(InputError, match="not a test"):
            read("points", tuple[float, float])


def test_patterns_name_images_and_odd_names_get_different_slugs():
    naming = Naming("**/{category}/{stem}_fixMap.jpg", "{category}-{stem}")
    assert naming.id_of("a/b/Action/001_fixMap.JPG") == "Action-001"
    assert naming.id_of("Action\\001_fixmap.jpg") == "Action-001"
    assert naming.id_of("Action/001.jpg") is None
    odd = ["Äpfel 1", "Apfel 1!", "猫", "犬", "a" * 300, "aux", ".hidden", "-", "x/y"]
    made = [slug(name) for name in odd]
    assert len(set(made)) == len(odd) - 1  # the first two differ only in signs that a slug leaves out
    assert all(slug(name) == name for name in made)
    with pytest.raises(ValueError, match="needs one or more of"):
        Naming("{stem}", "{sten}")
    with pytest.raises(ValueError, match="a word twice"):
        MapSource(source="s", reader="folder", path="p", files="{a}/{a}")
