"""Packing side by side, resumed after it was killed, from tars, and with maps of another size: always the same bytes."""

import io
import os
import signal
import subprocess
import sys
import tarfile

import numpy as np
import pytest
from PIL import Image

from rapidvision import cli
from rapidvision.errors import InputError
from rapidvision.gala_models.data import dataset, filling
from rapidvision.gala_models.data.dataset import open_store, pack
from rapidvision.gala_models.data.example import Example, on_image, prepared
from rapidvision.gala_models.data.filling import Packed
from rapidvision.gala_models.data.packing import pack_images, source_at

NAMES = ("images.npy", "maps.npy", "labels.npy", "has_map.npy", "ids.json")


def content(folder):
    return {name: (folder / name).read_bytes() for name in NAMES}


@pytest.fixture
def classes(tmp_path):
    """Class folders of 40 images with maps, one of them damaged."""
    rng = np.random.Generator(np.random.PCG64(1))
    for number in range(40):
        name = f"{'cat' if number % 2 else 'dog'}/{number:02d}.png"
        for kind, shape in (("images", (20, 24, 3)), ("maps", (20, 24))):
            path = tmp_path / kind / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(1, 256, shape, dtype=np.uint8)).save(path)
    (tmp_path / "images" / "cat" / "05.png").write_bytes(b"\x89PNG damaged")
    return tmp_path / "images", tmp_path / "maps"


def packed(classes, out, **options):
    options = {"side_px": 16, "map_folder": classes[1], "blur": "gauss:20", "skip_bad": True, **options}
    return pack_images(classes[0], out, **options)


def test_processes_do_not_change_the_bytes(classes, tmp_path):
    one, two = packed(classes, tmp_path / "one"), packed(classes, tmp_path / "two", n_workers=2)
    assert content(tmp_path / "one") == content(tmp_path / "two")
    assert (one.n, one.n_skipped, one.digest) == (39, 1, two.digest)
    assert (tmp_path / "one" / "skipped.csv").read_bytes() == (tmp_path / "two" / "skipped.csv").read_bytes()


@pytest.mark.parametrize("cut", ["", "torn line"])
def test_a_pack_that_stopped_is_resumed_to_the_same_bytes(classes, tmp_path, monkeypatch, cut):
    monkeypatch.setattr(filling, "_JOURNAL_EVERY", 8)
    whole = packed(classes, tmp_path / "whole")
    take, taken = Packed.take, []

    def stops(self, ready):
        if len(taken) == 21:
            os.kill(os.getpid(), signal.SIGINT)
        taken.append(ready.image_id)
        take(self, ready)

    monkeypatch.setattr(Packed, "flush", lambda self: None if len(taken) > 18 else FLUSH(self))
    monkeypatch.setattr(Packed, "take", stops)
    with pytest.raises(KeyboardInterrupt):
        packed(classes, tmp_path / "parts")
    monkeypatch.undo()
    if cut:
        with (tmp_path / "parts" / "packing.jsonl").open("ab") as file:
            file.write(b'["cat/33",1,tr')
    again = []
    monkeypatch.setattr(Packed, "take", lambda self, ready: (again.append(ready.image_id), take(self, ready))[1])
    assert packed(classes, tmp_path / "parts").digest == whole.digest
    assert content(tmp_path / "parts") == content(tmp_path / "whole")
    assert 0 < len(again) < 40
    assert not (tmp_path / "parts" / "packing.jsonl").exists()


FLUSH = Packed.flush


def test_other_settings_or_files_start_anew(classes, tmp_path, monkeypatch):
    take = Packed.take
    monkeypatch.setattr(filling, "_JOURNAL_EVERY", 4)
    monkeypatch.setattr(Packed, "take", lambda self, ready: take(self, ready) if len(self.ids) < 10 else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        packed(classes, tmp_path / "parts")
    monkeypatch.undo()
    again = []
    monkeypatch.setattr(Packed, "take", lambda self, ready: (again.append(ready.image_id), take(self, ready))[1])
    packed(classes, tmp_path / "parts", blur="none")
    assert len(again) == 40
    packed(classes, tmp_path / "fresh", blur="none")
    assert content(tmp_path / "parts") == content(tmp_path / "fresh")


@pytest.mark.slow
def test_a_pack_that_was_killed_is_resumed_to_the_same_bytes(classes, tmp_path):
    """By a signal that cannot be caught, twice."""
    code = (
        "import os, signal, sys\n"
        "from rapidvision.gala_models.data import filling\n"
        "from rapidvision.gala_models.data.packing import pack_images\n"
        "filling._JOURNAL_EVERY = 4\n"
        "take, n = filling.Packed.take, [0]\n"
        "def counted(self, ready):\n"
        "    n[0] += 1\n"
        "    if n[0] == 15: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    take(self, ready)\n"
        "filling.Packed.take = counted\n"
        f"pack_images({str(classes[0])!r}, {str(tmp_path / 'parts')!r}, side_px=16, map_folder={str(classes[1])!r}, "
        "blur='gauss:20', skip_bad=True)\n"
    )
    codes = [subprocess.run([sys.executable, "-c", code], check=False).returncode for _ in range(2)]
    assert codes == [-signal.SIGKILL, -signal.SIGKILL]
    packed(classes, tmp_path / "parts")
    packed(classes, tmp_path / "whole")
    assert content(tmp_path / "parts") == content(tmp_path / "whole")


def tarred(path, samples):
    with tarfile.open(path, "w") as archive:
        for name, body in samples:
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))


def png(pixels):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def test_webdataset_tars_become_a_store(tmp_path, capsys):
    rng = np.random.Generator(np.random.PCG64(2))
    images = rng.integers(0, 256, (3, 12, 12, 3), dtype=np.uint8)
    importance = rng.random((12, 12)).astype(np.float32)
    array = io.BytesIO()
    np.save(array, importance)
    tarred(
        tmp_path / "a.tar",
        [
            ("x/one.png", png(images[0])),
            ("x/one.cls", b"1\n"),
            ("x/one.map.png", png(np.full((12, 12), 7, np.uint8))),
            ("x/two.png", png(images[1])),
            ("x/two.json", b'{"label": 0}'),
            ("x/two.map.npy", array.getvalue()),
            ("x/two.txt", b"a note"),
            ("x/._two.png", b"junk"),
        ],
    )
    tarred(
        tmp_path / "b.tar",
        [("bad.png", b"\x89PNG"), ("bad.cls", b"0"), ("last.png", png(images[2])), ("last.cls", b"0")],
    )
    paths = [str(tmp_path / name) for name in ("a.tar", "b.tar")]
    assert cli.main(["models", "pack-dataset", *paths, "--out", str(tmp_path / "s"), "--size", "12", "--skip-bad"]) == 0
    store = open_store(tmp_path / "s")
    assert store.ids == ["a/x/one", "a/x/two", "b/last"]
    np.testing.assert_array_equal(store.images, images)
    assert store.labels.tolist() == [1, 0, 0]
    assert store.has_map.tolist() == [True, True, False]
    np.testing.assert_array_equal(store.maps[1], np.round(255 * (importance / importance.max())).astype(np.uint8))
    assert (store.description.n_skipped, store.description.ignored) == (1, {".txt": 1})
    assert "1 could not be read" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([("one.png", png(np.zeros((4, 4, 3), np.uint8)))], r"a\.tar: one: no label"),
        ([("one.png", png(np.zeros((4, 4, 3), np.uint8))), ("one.cls", b"cat")], "its label cannot be read"),
        ([("one.cls", b"0")], r"no image \(jpg, jpeg, png, webp, ppm\) among its parts \(cls\)"),
        ([], "no samples"),
    ],
)
def test_tars_that_cannot_be_read_are_refused(tmp_path, samples, message):
    tarred(tmp_path / "a.tar", samples)
    with pytest.raises(InputError, match=message):
        pack_images(tmp_path / "a.tar", tmp_path / "s", side_px=4)
    (tmp_path / "b.tar").write_bytes(b"not a tar" * 100)
    with pytest.raises(InputError, match="not a tar file"):
        source_at([tmp_path / "b.tar"])


def test_maps_of_another_size_are_laid_on_their_images(tmp_path):
    image = np.zeros((20, 40, 3), np.uint8)
    corner = np.zeros((8, 8), np.float32)
    corner[0, 0] = 1
    centre = on_image(Example("a", image, 0, corner), "centre")
    assert centre.shape == (20, 40)
    assert np.unravel_index(centre.argmax(), centre.shape) == (0, 10)
    assert not centre[:, :10].any()
    whole = on_image(Example("a", image, 0, corner), "resized")
    assert np.unravel_index(whole.argmax(), whole.shape) == (0, 0)
    same = prepared(Example("a", image, 0, corner), side_px=20, blur="none")
    assert (same.importance, same.wrong) == (None, "size 8 x 8")
    fitted = prepared(Example("a", image, 0, corner), side_px=20, blur="none", map_fit="centre")
    assert fitted.importance[0, 0] == 255
    store = pack([Example("a", image, 0, corner)], tmp_path / "s", n=1, side_px=20, map_fit="centre")
    assert (store.description.n_maps, store.description.map_fit) == (1, "centre")
    assert dataset.open_store(tmp_path / "s").has_map.all()
