"""Canvases that cannot tell the category: the set's spectrum and colours, and nothing of the image but its name."""

import numpy as np
import pytest

from rapidvision import recipes
from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.formats.manifest import read_set
from rapidvision.images.load import load_rgb
from rapidvision.stimuli.background.canvas import make_canvas
from rapidvision.stimuli.background.donors import blind_donors
from rapidvision.stimuli.background.scramble import half_spectra
from rapidvision.stimuli.background.set_spectrum import SpectrumSum, column_weights, natural, texture
from rapidvision.stimuli.builder.build import build, read_recipe
from rapidvision.stimuli.builder.expand import expand
from rapidvision.stimuli.image.load import LUMA
from rapidvision.stimuli.recipe import StimulusRecipe
from rapidvision.stimuli.recipe_tables import Canvas
from tests.stimuli.conftest import RECIPE, tree, write_folder
from tests.stimuli.conftest import natural as image_of

SET_SPECTRUM = RECIPE + '\n[canvas]\nkind = "set-spectrum"\ngamut_iterations = 20\n'


def spectrum_of(images):
    found = SpectrumSum()
    for one in images:
        found.add(one)
    return found.found()


def reference(images):
    """The formulas, written once more with whole transforms and no half spectra."""
    mean = np.mean([one.reshape(-1, 3).mean(axis=0) for one in images], axis=0)
    n = images[0].shape[0] * images[0].shape[1]
    cross, contrast = 0, []
    for one in images:
        halves = half_spectra(one)
        periodic = np.stack([np.fft.irfft2(half, s=one.shape[:2]) for half in halves])
        whole = np.fft.fft2(periodic)
        whole[:, 0, 0] = 0
        variance = (np.abs(whole) ** 2).sum() / n**2
        contrast.append(np.sqrt(variance))
        cross = cross + np.einsum("ayx,byx->abyx", whole, whole.conj()).real / variance
    return mean, cross * np.mean(contrast) ** 2 / len(images)


def test_statistics_are_those_of_the_formulas():
    images = [image_of(number, 24, 30) for number in range(5)]
    found = spectrum_of(images)
    mean, cross = reference(images)
    assert found.mean == pytest.approx(mean, rel=1e-5)
    made = np.einsum("ak,kyx,bk->abyx", found.axes, found.amplitudes**2, found.axes)
    whole = np.einsum("ak,abyx,bk->kyx", found.axes, cross, found.axes)[..., : 30 // 2 + 1]
    assert np.sqrt(np.maximum(whole, 0)) == pytest.approx(found.amplitudes, rel=1e-4, abs=1e-2)
    assert made.shape == (3, 3, 24, 16)
    total = (
        cross.sum(axis=(2, 3))
        - found.axes @ np.diag((found.axes.T @ cross.sum(axis=(2, 3)) @ found.axes).diagonal()) @ found.axes.T
    )
    assert (
        np.abs(total).max() < 1e-5 * np.abs(cross.sum(axis=(2, 3))).max()
    )  # the axes are those of the whole covariance


def test_statistics_do_not_depend_on_rounding_of_sums_and_name_a_digest():
    images = [image_of(number, 32) for number in range(4)]
    assert spectrum_of(images).digest == spectrum_of(images).digest
    assert spectrum_of(images).digest != spectrum_of(images[::-1][:3]).digest


def test_canvases_have_the_amplitudes_of_the_set_whatever_the_gamut_search_did():
    shared = spectrum_of([image_of(number, 64) for number in range(6)])
    for iterations in (0, 20):
        values, _ = texture(shared, key=5, gamut_iterations=iterations)
        along = np.fft.rfft2(np.einsum("ck,yxc->kyx", shared.axes, values))
        along[:, 0, 0] = 0
        assert np.abs(along) == pytest.approx(shared.amplitudes, rel=1e-4, abs=1e-3)
        assert values.reshape(-1, 3).mean(axis=0) == pytest.approx(shared.mean)


def test_the_gamut_search_clips_less_and_stops_at_the_tolerance():
    shared = spectrum_of([image_of(number, 64) for number in range(3)])
    wide = type(shared)(shared.mean, shared.axes, 1.6 * shared.amplitudes, shared.width, shared.light)
    plain = texture(wide, key=5, gamut_iterations=0)[1]
    best = texture(wide, key=5, gamut_iterations=40)[1]
    assert best < plain / 3
    some = texture(wide, key=5, gamut_iterations=40, tolerance=plain / 2)[1]
    assert best <= some <= plain / 2


def test_the_phases_of_a_scrambled_canvas_stop_at_the_tolerance_too():
    image = np.clip(128 + 1.7 * (image_of(3).astype(float) - 128), 0, 255).astype(np.uint8)
    clipped = [
        make_canvas(image, Canvas(gamut_iterations=30, gamut_tolerance=one), key=1, where="a").quality.clipped_fraction
        for one in (0.0, 0.03)
    ]
    plain = make_canvas(image, Canvas(gamut_iterations=0), key=1, where="a").quality.clipped_fraction
    assert clipped[0] < clipped[1] <= 0.03 < plain


def test_grey_images_give_grey_canvases():
    grey = [np.repeat(image_of(number)[..., :1], 3, axis=2) for number in range(4)]
    values, _ = texture(spectrum_of(grey), key=2, gamut_iterations=5)
    assert np.ptp(values, axis=2).max() < 1e-3


def test_an_image_without_a_set_gets_a_texture_of_photographs_that_is_not_its_own():
    canvas = Canvas(kind="set-spectrum", gamut_iterations=20)
    one, two = (make_canvas(image_of(number), canvas, key=4, where="a") for number in (1, 2))
    assert np.array_equal(one.pixels, two.pixels)
    assert one.quality.clipped_fraction < 0.05
    shared = natural(64, 64)
    power = (shared.amplitudes**2 * column_weights(64)).sum()
    assert np.sqrt(power) / 64**2 == pytest.approx(np.hypot(np.hypot(99.6, 26.4), 12.9), rel=1e-4)


def test_a_canvas_depends_on_the_set_and_the_key_alone(tmp_path):
    images = [image_of(number) for number in range(4)]
    canvas, shared = Canvas(kind="set-spectrum", gamut_iterations=20), spectrum_of(images)
    made = [make_canvas(one, canvas, key=3, where="a", shared=shared).pixels for one in images]
    assert all(np.array_equal(made[0], one) for one in made)
    assert not np.array_equal(made[0], make_canvas(images[0], canvas, key=4, where="a", shared=shared).pixels)


def test_the_figures_of_canvases_compare_them_with_the_set(tmp_path):
    folder = write_folder(tmp_path / "images", n_images=4, recipe=SET_SPECTRUM).parent
    loaded, root = read_recipe(str(folder / "recipe.toml"))
    built = build(loaded, tmp_path / "set", root=root)
    quality = built.result.description.quality
    assert abs(quality["canvas_mean_error"]["largest"]) < 1
    assert 0.95 < quality["canvas_contrast_ratio"]["smallest"] <= quality["canvas_contrast_ratio"]["largest"] < 1.05


def test_a_set_is_the_same_whatever_workers_shards_and_forms(tmp_path):
    folder = write_folder(tmp_path / "images", n_images=6, recipe=SET_SPECTRUM).parent
    loaded, root = read_recipe(str(folder / "recipe.toml"))
    build(loaded, tmp_path / "one", root=root)
    build(loaded, tmp_path / "two", root=root, workers=2)
    for number in (2, 1):
        build(loaded, tmp_path / "shards", root=root, shard=(number, 2))
    whole = tree(tmp_path / "one", hidden=False)
    assert tree(tmp_path / "two", hidden=False) == whole
    assert tree(tmp_path / "shards", hidden=False) == whole
    for form in ("recipe", "series", "tar"):
        build(loaded, tmp_path / form, root=root, form=form)
        expand(tmp_path / form, tmp_path / f"{form}-out", root=folder)
        assert tree(tmp_path / f"{form}-out") == whole


def test_another_image_changes_every_canvas_and_a_recipe_set_refuses_it(tmp_path):
    folder = write_folder(tmp_path / "images", n_images=4, recipe=SET_SPECTRUM).parent
    loaded, root = read_recipe(str(folder / "recipe.toml"))
    before = build(loaded, tmp_path / "set", root=root).result
    build(loaded, tmp_path / "packed", root=root, form="recipe")
    with (folder / "images.csv").open("a") as file:
        file.write("p99,images/p99.png,cat,true,main,tests,CC0\n")
    for place in ("images/p99.png", "maps/clickme/p99.png", "maps/salicon/p99.png"):
        (folder / place).write_bytes((folder / place.replace("p99", "p02")).read_bytes() + b"")
    from PIL import Image

    Image.fromarray(image_of(99)).save(folder / "images" / "p99.png")
    with pytest.raises(InputError, match="canvases depend on all images of a set"):
        expand(tmp_path / "packed", tmp_path / "out", root=folder)
    after = build(loaded, tmp_path / "after", root=root).result
    first = {row.path: row.sha256 for row in before.stimuli if row.reveal_fraction is not None}
    second = {row.path: row.sha256 for row in after.stimuli}
    assert all(second[path] != sha256 for path, sha256 in first.items())


def test_an_unreadable_image_has_no_part_in_what_canvases_have_in_common(tmp_path, capsys):
    folder = write_folder(tmp_path / "images", n_images=5, recipe=SET_SPECTRUM).parent
    (folder / "images" / "p03.png").write_bytes(b"not an image")
    run = ["stimuli", "build", str(folder / "recipe.toml"), "--workers", "1"]
    assert main([*run, "--out", str(tmp_path / "refused")]) == 2
    assert main([*run, "--out", str(tmp_path / "set"), "--skip-bad"]) == 0
    assert "p03 has no part in what canvases have in common" in capsys.readouterr().out
    assert list(read_set(tmp_path / "set").description.quality["match_left_out"]) == ["p03"]


def test_donors_are_blind_and_balanced_and_nobodys_own():
    kinds = {f"t{number:02d}": True for number in range(40)} | {f"d{number:02d}": False for number in range(40)}
    crossed = []
    for seed in range(30):
        donors = blind_donors(kinds, seed=seed)
        assert sorted(donors.values()) == sorted(kinds)
        assert all(one != other for one, other in donors.items())
        crossed.append(sum(kinds[one] != kinds[other] for one, other in donors.items()))
    assert set(crossed) == {40}
    assert blind_donors(dict(reversed(kinds.items())), seed=3) == blind_donors(kinds, seed=3)
    uneven = {f"t{number}": True for number in range(30)} | {f"d{number}": False for number in range(10)}
    donors = blind_donors(uneven, seed=1)
    from_targets = {
        kind: np.mean([uneven[donors[name]] for name in uneven if uneven[name] is kind]) for kind in (True, False)
    }
    assert abs(from_targets[True] - from_targets[False]) < 0.07
    with pytest.raises(InputError, match="two or more of each"):
        blind_donors({"a": True, "b": False, "c": False}, seed=1)


def test_a_yoked_canvas_is_its_donors(tmp_path):
    recipe = RECIPE + '\n[canvas]\nkind = "{}"\n'
    folder = write_folder(tmp_path / "images", n_images=4, recipe=recipe.format("yoked"), n_practice=0).parent
    loaded, root = read_recipe(str(folder / "recipe.toml"))
    build(loaded, tmp_path / "yoked", root=root, form="series")
    expand(tmp_path / "yoked", tmp_path / "set")
    (folder / "recipe.toml").write_text(recipe.format("phase"))
    build(read_recipe(str(folder / "recipe.toml"))[0], tmp_path / "own", root=root, form="series")
    from rapidvision.stimuli.storage.forms import open_container

    def canvas(place, name):
        return open_container((tmp_path / place / "series" / f"{name}.zip").read_bytes(), where=name)[1]["canvas.png"]

    donors = blind_donors({"p00": True, "p01": False, "p02": True, "p03": False}, seed=7)
    for name, donor in donors.items():
        assert canvas("yoked", name) == canvas("own", donor)
        assert canvas("yoked", name) != canvas("own", name)


def test_masks_may_have_the_spectrum_of_the_set(tmp_path):
    masks = '\n[[masks]]\nfamily = "like-set"\nkind = "noise"\nspectrum = "set"\nn_masks = 3\n'
    folder = write_folder(tmp_path / "images", n_images=4, recipe=RECIPE + masks).parent
    loaded, root = read_recipe(str(folder / "recipe.toml"))
    build(loaded, tmp_path / "set", root=root)
    images = [image_of(number) for number in range(4)]
    shared = spectrum_of(images)
    for path in sorted((tmp_path / "set" / "masks" / "like-set").iterdir()):
        pixels = load_rgb(path)
        assert pixels.reshape(-1, 3).mean(axis=0) == pytest.approx(shared.mean, abs=1)
        assert float((pixels @ LUMA).std()) == pytest.approx(shared.contrast, rel=0.05)
    with pytest.raises(InputError, match="belongs to kind"):
        recipes.parse(RECIPE + '\n[[masks]]\nkind = "checkerboard"\nspectrum = "set"\n', StimulusRecipe)


def test_linear_light_is_refused():
    with pytest.raises(ValueError, match="coded values"):
        Canvas(kind="set-spectrum", space="linear")
