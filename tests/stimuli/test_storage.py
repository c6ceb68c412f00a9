"""Storage forms: packed sets that expand to the same bytes, and containers that refuse what they are not."""

import io
import tarfile

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapidvision.cli import main
from rapidvision.errors import CheckFailed, InputError, RapidVisionError
from rapidvision.manifest import read_set
from rapidvision.stimuli.build import build, read_recipe
from rapidvision.stimuli.compare import compare
from rapidvision.stimuli.expand import expand, tar_members
from rapidvision.stimuli.sets import open_set
from rapidvision.stimuli.storage import open_container, packed_order, series_from, unpacked_order
from tests.stimuli.conftest import RECIPE, tree, write_folder

PACKED_FORMS = ("tar", "series", "recipe")


def built(folder, out, **options):
    recipe, root = read_recipe(str(folder / "recipe.toml"))
    return build(recipe, out, root=root, **options)


def size_of(folder):
    return sum(len(data) for data in tree(folder, hidden=False).values())


@pytest.mark.parametrize("form", PACKED_FORMS)
@pytest.mark.parametrize("extra", ["", "feather_px = 6\n", 'mode = "bubbles"\n', "budget = 0.1\nintact = false\n"])
def test_a_packed_set_expands_to_the_bytes_of_the_png_set(tmp_path, form, extra):
    folder = write_folder(tmp_path / "pictures", recipe=RECIPE + extra, n_pictures=3).parent
    built(folder, tmp_path / "png")
    built(folder, tmp_path / form, form=form, workers=1)
    expand(tmp_path / form, tmp_path / "expanded", root=folder)
    assert tree(tmp_path / "expanded") == tree(tmp_path / "png", hidden=False)


@pytest.mark.parametrize("form", PACKED_FORMS)
def test_packed_sets_do_not_depend_on_workers_and_are_repaired(picture_folder, tmp_path, form):
    built(picture_folder, tmp_path / "one", form=form)
    built(picture_folder, tmp_path / "two", form=form, workers=2)
    whole = tree(tmp_path / "one")
    assert tree(tmp_path / "two") == whole
    assert built(picture_folder, tmp_path / "one", form=form).n_made == 0
    victim = tmp_path / "one" / open_set(tmp_path / "one").description.files[0].path
    victim.write_bytes(victim.read_bytes()[:-5])
    with pytest.raises(CheckFailed, match=victim.name):
        open_set(tmp_path / "one").verify()
    with pytest.raises(CheckFailed, match=victim.name):
        expand(tmp_path / "one", tmp_path / "out", root=picture_folder)
    built(picture_folder, tmp_path / "one", form=form)
    assert tree(tmp_path / "one") == whole


def test_series_and_recipe_are_much_smaller_than_pngs(tmp_path):
    recipe = RECIPE.replace("image_px = 64", "image_px = 256").replace("n_levels = 5\nlowest = 0.02\n", "")
    folder = write_folder(tmp_path / "pictures", n_pictures=2, side=256, recipe=recipe).parent
    for form in ("png", "series", "recipe"):
        built(folder, tmp_path / form, form=form)
    whole = size_of(tmp_path / "png")
    assert size_of(tmp_path / "series") < whole / 5
    assert size_of(tmp_path / "recipe") < whole / 90


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 2**24 - 1), min_size=1, max_size=200, unique=True))
def test_orders_survive_packing(order):
    array = np.array(order, np.int32)
    assert np.array_equal(unpacked_order(packed_order(array)), array)


def test_a_recipe_set_wants_its_own_pictures(picture_folder, tmp_path):
    built(picture_folder, tmp_path / "packed", form="recipe")
    with pytest.raises(InputError, match="say where they are with --root"):
        expand(tmp_path / "packed", tmp_path / "out")
    other = picture_folder / "images/p01.png"
    other.write_bytes((picture_folder / "images/p02.png").read_bytes())
    with pytest.raises(InputError, match="p01.png: not the picture that the set was built from"):
        expand(tmp_path / "packed", tmp_path / "out", root=picture_folder)


def test_expanding_never_overwrites(picture_folder, tmp_path):
    built(picture_folder, tmp_path / "packed", form="series")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("precious")
    with pytest.raises(InputError, match="not empty"):
        expand(tmp_path / "packed", tmp_path / "out")


def shard_with(name, rows, png=b"png"):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for member, content in ((name, png), (name.removesuffix(".png") + ".json", msgspec.json.encode(rows))):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


def some_row(picture_folder, tmp_path, **changes):
    built(picture_folder, tmp_path / "set")
    return msgspec.structs.replace(read_set(tmp_path / "set").stimuli[0], **changes)


@pytest.mark.parametrize(
    "name", ["../evil.png", "/etc/evil.png", "images/../../evil.png", "images\\evil.png", "other/x.png"]
)
def test_members_that_lead_out_of_the_set_are_refused(picture_folder, tmp_path, name):
    from rapidvision import files

    row = some_row(picture_folder, tmp_path, path=name, sha256=files.sha256(b"png"))
    with pytest.raises(InputError, match="leads out of the set"):
        list(tar_members(shard_with(name, [row]), where="shard"))


def test_members_that_are_not_what_their_rows_say_are_refused(picture_folder, tmp_path):
    row = some_row(picture_folder, tmp_path)
    with pytest.raises(InputError, match="does not describe the picture before it"):
        list(tar_members(shard_with(row.path, [row], b"another"), where="shard"))
    with pytest.raises(InputError, match="not a readable shard"):
        list(tar_members(b"\0" * 100 + b"tar?" * 200, where="shard"))


def test_damaged_containers_end_in_typed_errors(picture_folder, tmp_path):
    built(picture_folder, tmp_path / "s", form="series")
    whole = (tmp_path / "s/series/p00.zip").read_bytes()
    rng = np.random.default_rng(5)
    n_refused = 0
    for _ in range(300):
        data = bytearray(whole)
        for place in rng.integers(len(data), size=3):
            data[place] ^= int(rng.integers(1, 256))
        try:
            head, members = open_container(
                bytes(data[: int(rng.integers(1, len(data)))]) if rng.random() < 0.3 else bytes(data), where="c"
            )
            series_from(head, members, where="c")
        except RapidVisionError:
            n_refused += 1
    assert n_refused > 200


def test_sets_are_compared_by_what_they_show(tmp_path, capsys):
    folder = write_folder(tmp_path / "pictures", n_pictures=2).parent
    built(folder, tmp_path / "one")
    text = (folder / "recipe.toml").read_text()
    (folder / "recipe.toml").write_text(text.replace("n_levels = 5", "n_levels = 4"))
    built(folder, tmp_path / "two")
    found = compare(read_set(tmp_path / "one"), read_set(tmp_path / "two"))
    assert found.settings == ("recipe.reveal.n_levels: 5 -> 4",)
    assert not found.same
    assert main(["stimuli", "diff", str(tmp_path / "one"), str(tmp_path / "one")]) == 0
    assert main(["stimuli", "diff", str(tmp_path / "one"), str(tmp_path / "two")]) == 1
    assert "only in" in capsys.readouterr().out


def test_the_command_line_expands(picture_folder, tmp_path, capsys):
    assert (
        main(
            [
                "stimuli",
                "build",
                str(picture_folder / "recipe.toml"),
                "--out",
                str(tmp_path / "s"),
                "--as",
                "tar",
                "--workers",
                "1",
            ]
        )
        == 0
    )
    assert main(["stimuli", "verify", str(tmp_path / "s")]) == 0
    assert main(["stimuli", "expand", str(tmp_path / "s"), "--out", str(tmp_path / "e")]) == 0
    assert main(["stimuli", "show", str(tmp_path / "e")]) == 0
    assert "4 pictures of 64 px" in capsys.readouterr().out
    assert main(["stimuli", "expand", str(tmp_path / "e"), "--out", str(tmp_path / "f")]) == 2
