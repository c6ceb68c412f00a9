"""Storage forms: packed sets that expand to the same bytes, and containers that refuse what they are not."""

import io
import re
import tarfile

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rapidvision.cli import main
from rapidvision.errors import CheckFailed, InputError, RapidVisionError
from rapidvision.formats.manifest import read_set
from rapidvision.integrity.seal import seal_of
from rapidvision.stimuli.builder.build import build, read_recipe
from rapidvision.stimuli.builder.expand import expand, tar_members
from rapidvision.stimuli.builder.packed import PackedDescription
from rapidvision.stimuli.builder.verify import open_set
from rapidvision.stimuli.pipeline.image_pipeline import ALGORITHMS
from rapidvision.stimuli.report.compare import compare
from rapidvision.stimuli.storage.forms import member_key, open_container, packed_order, series_from, unpacked_order
from tests.stimuli.conftest import RECIPE, natural, tree, write_folder
from tests.stimuli.test_readers import corrupted

CONTRAST = 'budget = 1.0\nvaries = "contrast"\n'
PACKED_FORMS = ("tar", "series", "recipe")


def built(folder, out, **options):
    recipe, root = read_recipe(str(folder / "recipe.toml"))
    return build(recipe, out, root=root, **options)


def size_of(folder):
    return sum(len(data) for data in tree(folder, hidden=False).values())


@pytest.mark.parametrize("form", PACKED_FORMS)
@pytest.mark.parametrize(
    "extra", ["", "feather_px = 6\n", 'mode = "bubbles"\n', "budget = 0.1\nintact = false\n", CONTRAST]
)
def test_a_packed_set_expands_to_the_bytes_of_the_png_set(tmp_path, form, extra):
    folder = write_folder(tmp_path / "images", recipe=RECIPE + extra, n_images=3).parent
    built(folder, tmp_path / "png")
    built(folder, tmp_path / form, form=form, workers=1)
    expand(tmp_path / form, tmp_path / "expanded", root=folder)
    assert tree(tmp_path / "expanded") == tree(tmp_path / "png", hidden=False)


@pytest.mark.parametrize("form", PACKED_FORMS)
def test_packed_sets_do_not_depend_on_workers_and_are_repaired(image_folder, tmp_path, form):
    built(image_folder, tmp_path / "one", form=form)
    built(image_folder, tmp_path / "two", form=form, workers=2)
    whole = tree(tmp_path / "one")
    assert tree(tmp_path / "two") == whole
    assert built(image_folder, tmp_path / "one", form=form).n_made == 0
    victim = tmp_path / "one" / open_set(tmp_path / "one").description.files[0].path
    victim.write_bytes(victim.read_bytes()[:-5])
    with pytest.raises(CheckFailed, match=victim.name):
        open_set(tmp_path / "one").verify()
    with pytest.raises(CheckFailed, match=victim.name):
        expand(tmp_path / "one", tmp_path / "out", root=image_folder)
    built(image_folder, tmp_path / "one", form=form)
    assert tree(tmp_path / "one") == whole


@pytest.mark.parametrize("form", [*PACKED_FORMS, "png"])
def test_verify_finds_a_changed_byte_in_any_file_and_every_added_file(image_folder, tmp_path, form):
    out = tmp_path / "set"
    (image_folder / "images/p03.png").write_bytes(b"no image")  # so that there is a rejects.csv
    built(image_folder, out, form=form, skip_bad=True)
    open_set(out).verify()
    paths = [path for path in sorted(out.rglob("*")) if path.is_file() and ".build" not in path.parts]
    assert {path.name for path in paths} >= {"quality.csv", "rejects.csv"}
    for path in paths:
        whole = path.read_bytes()
        path.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
        assert main(["stimuli", "verify", str(out)]) in (1, 2), path
        path.write_bytes(whole)
    assert main(["stimuli", "verify", str(out)]) == 0
    (out / "extra.png").touch()
    with pytest.raises(CheckFailed, match=r"extra\.png \(added\)"):
        open_set(out).verify()


def test_series_and_recipe_are_much_smaller_than_pngs(tmp_path):
    recipe = RECIPE.replace("image_px = 64", "image_px = 256").replace("n_levels = 5\nlowest = 0.02\n", "")
    folder = write_folder(tmp_path / "images", n_images=2, side=256, recipe=recipe).parent
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


def test_a_recipe_set_wants_its_own_images(image_folder, tmp_path):
    built(image_folder, tmp_path / "packed", form="recipe")
    with pytest.raises(InputError, match="say where they are with --root"):
        expand(tmp_path / "packed", tmp_path / "out")
    other = image_folder / "images/p01.png"
    other.write_bytes((image_folder / "images/p02.png").read_bytes())
    with pytest.raises(InputError, match="p01.png: not the image that the set was built from"):
        expand(tmp_path / "packed", tmp_path / "out", root=image_folder)


def test_a_recipe_is_built_without_drawing_a_canvas(image_folder, tmp_path, monkeypatch):
    def never(*_arguments, **_options):
        raise AssertionError("drawn")

    with monkeypatch.context() as patch:
        patch.setattr("rapidvision.stimuli.pipeline.canvases.make_canvas", never)
        found = built(image_folder, tmp_path / "packed", form="recipe").result
    assert "canvas_clipped_fraction" not in found.description.description.quality
    table = (tmp_path / "packed/quality.csv").read_text().splitlines()
    assert table[1].startswith("p00,clickme,practice,cat,,,,,,")
    expand(tmp_path / "packed", tmp_path / "out", root=image_folder)
    assert "canvas_clipped_fraction" in read_set(tmp_path / "out").description.quality


def test_a_recipe_that_bounds_clipping_refuses_images_in_every_form(tmp_path):
    recipe = RECIPE + "\n[canvas]\nlargest_clipped_fraction = 0.0\ngamut_iterations = 0\n"
    folder = write_folder(tmp_path / "images", recipe=recipe).parent
    for form in ("series", "recipe"):
        with pytest.raises(InputError, match=r"p\d\d.png: its canvas clips .* allowed are 0.0%"):
            built(folder, tmp_path / form, form=form)


@pytest.mark.parametrize(("form", "name"), [("series", "png"), ("recipe", "scramble")])
def test_a_set_of_other_algorithms_is_not_expanded_to_other_bytes(image_folder, tmp_path, form, name):
    built(image_folder, tmp_path / "packed", form=form)
    path = tmp_path / "packed/packed_set.json"
    content = msgspec.json.decode(path.read_bytes())
    content["description"]["algorithms"][name] = "0"
    content["checksum"] = seal_of(msgspec.convert(content, PackedDescription))
    path.write_bytes(msgspec.json.encode(content))
    ours = ALGORITHMS[name]
    with pytest.raises(InputError, match=f"built with version 0 of {name}, this RapidVision has {ours} and would draw"):
        expand(tmp_path / "packed", tmp_path / "out", root=image_folder)


def test_a_matched_recipe_set_wants_the_whole_set_it_was_matched_with(tmp_path):
    recipe = RECIPE + '\n[match]\nkind = "luminance"\nshrink = true\n'
    folder = write_folder(tmp_path / "images", recipe=recipe).parent
    built(folder, tmp_path / "packed", form="recipe")
    with (folder / "images.csv").open("a") as file:
        file.write("more,images/more.png,cat,true,main,tests,CC0\n")
    Image.fromarray(natural(50) // 2).save(folder / "images/more.png")
    with pytest.raises(InputError, match="another common luminance than those of the build"):
        expand(tmp_path / "packed", tmp_path / "out", root=folder)


@pytest.mark.parametrize("form", PACKED_FORMS)
def test_a_packed_set_in_place_of_a_set_is_told_how_to_expand(image_folder, tmp_path, capsys, form):
    built(image_folder, tmp_path / "packed", form=form)
    with pytest.raises(InputError, match=r"packed stimulus set; .*`rapidvision stimuli expand .*packed --out SET`"):
        read_set(tmp_path / "packed")
    assert main(["stimuli", "show", str(tmp_path / "packed")]) == 2
    assert "rapidvision stimuli expand" in capsys.readouterr().err


def test_expanding_never_overwrites(image_folder, tmp_path):
    built(image_folder, tmp_path / "packed", form="series")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("precious")
    with pytest.raises(InputError, match="not empty"):
        expand(tmp_path / "packed", tmp_path / "out")


def shard_with(name, rows, png=b"png"):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for member, content in (
            (member_key(name) + ".png", png),
            (member_key(name) + ".json", msgspec.json.encode(rows)),
        ):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


def some_row(image_folder, tmp_path, **changes):
    built(image_folder, tmp_path / "set")
    return msgspec.structs.replace(read_set(tmp_path / "set").stimuli[0], **changes)


@pytest.mark.parametrize(
    "name", ["../evil.png", "/etc/evil.png", "images/../../evil.png", "images\\evil.png", "other/x.png", "images/evil"]
)
def test_members_that_lead_out_of_the_set_are_refused(image_folder, tmp_path, name):
    from rapidvision.system import files

    row = some_row(image_folder, tmp_path, path=name, sha256=files.sha256(b"png"))
    with pytest.raises(InputError, match="leads out of the set"):
        list(tar_members(shard_with(name, [row]), where="shard"))


def test_dots_in_names_leave_every_image_a_sample_of_its_own(tmp_path):
    """WebDataset's rule: a sample is what has the same name up to the first dot after the last slash."""
    text = RECIPE.replace('source = "clickme"', 'source = "deepgaze.v2"').replace('"salicon"', '"deepgaze.v3"', 1)
    folder = write_folder(tmp_path / "p", recipe=text).parent
    table = (folder / "images.csv").read_text()
    (folder / "images.csv").write_text(table.replace("p03,", "p.0.3,"))
    for source in ("clickme", "salicon"):
        (folder / "maps" / source / "p03.png").rename(folder / "maps" / source / "p.0.3.png")
    built(folder, tmp_path / "t", form="tar")
    samples = {}
    with tarfile.open(tmp_path / "t/shards/000000.tar") as archive:
        for name in archive.getnames():
            key, suffix = re.match(r"^((?:.*/|)[^.]+)[.]([^/]*)$", name).groups()
            samples.setdefault(key, []).append(suffix)
    assert len(samples) == 4 * (2 * 5 + 1)
    assert all(suffixes == ["png", "json"] for suffixes in samples.values())
    built(folder, tmp_path / "png")
    expand(tmp_path / "t", tmp_path / "expanded")
    assert tree(tmp_path / "expanded") == tree(tmp_path / "png", hidden=False)


def test_members_that_are_not_what_their_rows_say_are_refused(image_folder, tmp_path):
    row = some_row(image_folder, tmp_path)
    with pytest.raises(InputError, match="does not describe the image before it"):
        list(tar_members(shard_with(row.path, [row], b"another"), where="shard"))
    with pytest.raises(InputError, match="not a readable shard"):
        list(tar_members(b"\0" * 100 + b"tar?" * 200, where="shard"))


def test_damaged_shards_end_in_typed_errors(image_folder, tmp_path):
    built(image_folder, tmp_path / "t", form="tar")
    whole = (tmp_path / "t/shards/000000.tar").read_bytes()
    rng = np.random.default_rng(6)
    n_refused = 0
    for _ in range(300):
        try:
            for rows, data in tar_members(corrupted(whole, rng), where="t"):
                assert all(row.path.startswith("images/") for row in rows)
                assert data
        except RapidVisionError as error:
            assert "\n" not in str(error)
            n_refused += 1
    assert n_refused > 150


def test_damaged_containers_end_in_typed_errors(image_folder, tmp_path):
    built(image_folder, tmp_path / "s", form="series")
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
    folder = write_folder(tmp_path / "images", n_images=2).parent
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


def test_the_command_line_expands(image_folder, tmp_path, capsys):
    assert (
        main(
            [
                "stimuli",
                "build",
                str(image_folder / "recipe.toml"),
                "--out",
                str(tmp_path / "s"),
                "--format",
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
    assert "4 images of 64 px" in capsys.readouterr().out
    assert main(["stimuli", "expand", str(tmp_path / "e"), "--out", str(tmp_path / "f")]) == 2


def test_a_set_of_levels_of_contrast_shows_every_pixel_at_every_level(tmp_path):
    folder = write_folder(tmp_path / "images", recipe=RECIPE + CONTRAST, n_images=3).parent
    built(folder, tmp_path / "set")
    found = open_set(tmp_path / "set")
    side = found.description.image_px
    revealed = [row for row in found.stimuli if row.reveal_fraction is not None]
    assert {row.revealed_px for row in revealed} == {side * side}
    assert len({row.reveal_fraction for row in revealed}) == len(found.description.level_labels) - 1 == 5
    assert len({row.sha256 for row in revealed}) == len(revealed)
