"""Files appear whole or not at all."""

import os

import pytest
from PIL import Image

from rapidvision.errors import InputError
from rapidvision.system import files, platforms


def test_an_interrupted_write_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    with pytest.raises(RuntimeError), files.atomic(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_text(encoding="utf-8") == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(("durable", "n_syncs"), [(True, 1), (False, 0)])
def test_only_a_durable_write_waits_for_the_disk_and_both_are_whole(tmp_path, monkeypatch, durable, n_syncs):
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)
    files.write_bytes(tmp_path / "a.bin", b"whole", durable=durable)
    assert (tmp_path / "a.bin").read_bytes() == b"whole"
    assert len(synced) == n_syncs
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.bin"]


def test_a_full_disk_is_an_input_error_and_leaves_nothing(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    with pytest.raises(InputError, match="No space left"), files.atomic(tmp_path / "a.bin"):
        with open("/dev/full", "wb", buffering=0) as full:
            full.write(b"x")
    assert not list(tmp_path.iterdir())


def test_an_unwritable_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        files.write_text(tmp_path / "file" / "a.txt", "x")


def test_missing_and_unreadable_files_are_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        files.read_bytes(tmp_path / "none")
    with pytest.raises(InputError, match="cannot be read"):
        files.read_bytes(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        files.sha256_file(tmp_path / "none")


def test_equal_values_have_equal_digests_whatever_their_key_order():
    assert files.canonical_digest({"a": 1, "b": [1.5]}) == files.canonical_digest({"b": [1.5], "a": 1})
    assert files.canonical_digest({"a": 1}) != files.canonical_digest({"a": 2})


def test_provenance_says_what_made_an_output_and_not_when():
    made = files.provenance(
        "analyse bins x.csv", seed=1, inputs={"x.csv": "0" * 64}, packages=("numpy", "no-such-package")
    )
    assert made.packages.keys() == {"numpy"}
    assert made == files.provenance("analyse bins x.csv", seed=1, inputs={"x.csv": "0" * 64}, packages=("numpy",))


@pytest.mark.parametrize(
    "name",
    [
        "aux",
        "AUX.png",
        "con.tar.gz",
        "Com1",
        "lpt9.csv",
        "nul .txt",
        "cat.",
        "cat ",
        "a:b",
        "a?",
        "a\tb",
        "..",
        "",
        "x" * 201,
    ],
)
def test_a_name_that_some_system_cannot_have_is_refused_on_all(name):
    assert platforms.name_fault(name)


@pytest.mark.parametrize("name", ["auxiliary", "con-1", "com10", "cat.01", ".hidden", "José", "a b"])
def test_names_that_only_look_like_devices_are_fine(name):
    assert platforms.name_fault(name) == ""


def test_a_byte_order_mark_is_not_part_of_a_text(tmp_path):
    (tmp_path / "a.txt").write_bytes("José\n".encode("utf-8-sig"))
    assert files.read_text(tmp_path / "a.txt") == "José\n"
    (tmp_path / "b.txt").write_bytes("José\n".encode("cp1252"))
    with pytest.raises(InputError, match=r"b\.txt: not UTF-8 text \(byte 3\); save it as UTF-8"):
        files.read_text(tmp_path / "b.txt")


def test_an_error_of_what_is_written_is_not_called_an_error_of_the_disk(tmp_path):
    with pytest.raises(FileNotFoundError), files.atomic(tmp_path / "a.bin") as file:
        file.write((tmp_path / "source.bin").read_bytes())
    with pytest.raises(OSError, match="cannot write mode F as PNG"), files.atomic(tmp_path / "a.png") as file:
        Image.new("F", (2, 2)).save(file, "PNG")
    assert list(tmp_path.iterdir()) == []


def test_a_file_name_that_is_not_utf_8_is_named_when_it_is_to_be_written(tmp_path):
    name = os.fsdecode("José".encode("latin-1"))
    for write in (files.write_text, files.write_json):
        with pytest.raises(InputError, match=r"a\.txt: cannot hold 'Jos.udce9', a file's name that is not UTF-8"):
            write(tmp_path / "a.txt", name)
    assert list(tmp_path.iterdir()) == []
