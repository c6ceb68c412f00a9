"""Matching within a region, what one extreme image may decide, and the table of every matched image; recipe presets."""

import numpy as np
import pytest
from PIL import Image

from rapidvision import recipes
from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.formats.manifest import read_set
from rapidvision.stimuli import controlled
from rapidvision.stimuli.builder.build import build, read_recipe
from rapidvision.stimuli.builder.build_set import build as build_set
from rapidvision.stimuli.builder.expand import expand
from rapidvision.stimuli.image.luma import disc_of, luma_of, resampled
from rapidvision.stimuli.image.match import matched
from rapidvision.stimuli.image.match_target import find_target
from rapidvision.stimuli.recipe import StimulusRecipe
from rapidvision.stimuli.recipe_presets import PRESETS, with_preset
from rapidvision.stimuli.recipe_tables import Match
from rapidvision.text import csv_text
from tests.stimuli.conftest import RECIPE, natural, tree, write_folder
from tests.stimuli.test_ledger import MASKS, with_masks


def images(n, spread=0.6):
    return [
        (f"p{k:02d}", np.clip(spread * natural(k).astype(int) + 3 * k + 20, 0, 255).astype(np.uint8)) for k in range(n)
    ]


def extreme():
    """An image whose luma has few bright points far from its mean: no larger contrast fits."""
    pixels = np.full((64, 64, 3), 60, np.uint8)
    pixels[0, :4] = 250
    return pixels


def test_one_extreme_image_does_not_decide_for_the_set():
    some = images(30)
    alone = find_target(Match(kind="luminance", shrink=True), lambda: iter(some))
    match = Match(kind="luminance", shrink=True, mean=alone.mean, contrast=alone.contrast)
    with_extreme = [*some, ("extreme", extreme())]
    with pytest.raises(InputError, match=r"1 of 31 images would be clipped \(worst: extreme\).*1 images get less"):
        find_target(Match(kind="luminance", mean=alone.mean, contrast=alone.contrast), lambda: iter(with_extreme))
    target = find_target(match, lambda: iter(with_extreme))
    assert target.contrast == pytest.approx(alone.contrast)
    shares = [matched(pixels, target, key=k)[1] for k, (_, pixels) in enumerate(with_extreme)]
    assert all(one.contrast_share == 1 for one in shares[:-1])
    assert shares[-1].contrast_share < 0.9
    assert all(abs(one.mean_residual) < 0.05 > abs(one.contrast_residual) for one in shares)
    few = [*some[:4], ("extreme", extreme())]  # one of five is no exception any more
    assert find_target(match, lambda: iter(few)).contrast < 0.9 * alone.contrast


def test_an_extreme_spectrum_is_lowered_alone():
    some = [*images(30), ("extreme", extreme())]
    target = find_target(Match(kind="spectrum", shrink=True), lambda: iter(some))
    found = [matched(pixels, target, key=k)[1] for k, (_, pixels) in enumerate(some)]
    assert (
        min(one.contrast_share for one in found[:-1]) >= 0.999 or sum(one.contrast_share < 0.999 for one in found) <= 2
    )
    assert all(one.clipped_fraction < 1e-3 for one in found)
    assert all(abs(one.mean_residual) < 0.05 for one in found)


def test_the_change_is_the_least_for_the_target():
    """No other image within black and white with that mean and contrast is nearer; compared with a random search."""
    match = Match(kind="luminance", mean=128.0, contrast=60.0, clipped=0.1)
    name, pixels = "p", natural(3)
    target = find_target(match, lambda: iter([(name, pixels)]))
    made, quality = matched(pixels, target, key=1)
    luma, after = luma_of(pixels, match), luma_of(made, match)
    assert after.mean() == pytest.approx(128, abs=0.05)
    assert after.std() == pytest.approx(60, abs=0.05)
    best = np.square(after - luma).mean()
    assert quality.change == pytest.approx(np.sqrt(best))
    rng = np.random.default_rng(1)
    for _ in range(40):
        other = np.clip(after + rng.normal(0, 6, after.shape), 0, 255)
        for _ in range(60):  # back onto mean and contrast
            other = np.clip(128 + (other - other.mean()) * (60 / other.std()), 0, 255)
        assert np.square(other - luma).mean() > best - 0.5


@pytest.mark.parametrize("kind", ["luminance", "histogram"])
def test_values_are_counted_in_the_region(kind):
    some = images(5)
    region = disc_of(64)
    match = Match(kind=kind, region="disc", shrink=kind == "luminance")
    target = find_target(match, lambda: iter(some), lambda _: region)
    inside, outside = [], []
    for number, (_, pixels) in enumerate(some):
        made, quality = matched(pixels, target, key=number, region=region)
        luma = luma_of(made, match)
        inside.append((luma[region].mean(), luma[region].std()))
        outside.append(np.abs(luma[~region] - luma_of(pixels, match)[~region]).max())
        assert abs(quality.mean_residual) < 0.05
    assert np.ptp(inside, axis=0).max() < 0.15
    assert (max(outside) < 1.5) == (kind == "histogram")


def test_sorted_levels_are_resampled_without_a_change_of_distribution():
    levels = np.sort(np.random.default_rng(1).gamma(2, 30, 5000))
    other = resampled(levels, 700)
    assert other.mean() == pytest.approx(levels.mean(), rel=1e-2)
    assert other.std() == pytest.approx(levels.std(), rel=2e-2)
    assert resampled(levels, 5000) is levels


def test_a_set_matched_within_its_objects_is_packed_like_any_other_and_says_what_each_image_got(tmp_path):
    text = RECIPE + '\n[match]\nkind = "luminance"\nregion = "object"\nshrink = true\n' + MASKS
    folder = write_folder(tmp_path / "images", n_images=5, recipe=text).parent
    with_masks(folder, 5)
    recipe, root = read_recipe(str(folder / "recipe.toml"))
    found = build(recipe, tmp_path / "set", root=root, workers=2).result
    build(recipe, tmp_path / "packed", root=root, form="recipe")
    expand(tmp_path / "packed", tmp_path / "out", root=folder)
    assert tree(tmp_path / "out") == tree(tmp_path / "set", hidden=False)
    rows = csv_text.read(found.folder / "matched_images.csv")
    assert [row["image_id"] for row in rows] == [f"p{k:02d}" for k in range(5)]
    assert all(abs(float(row["mean_residual"])) < 0.1 for row in rows)
    assert all(float(row["change"]) > 0 for row in rows)


def test_regions_that_do_not_exist_or_do_not_fit_are_refused():
    with pytest.raises(
        InputError, match=r'match.region is "face"; allowed are frame, disc and the names of object_masks: none'
    ):
        recipes.parse(RECIPE + '\n[match]\nkind = "histogram"\nregion = "face"\n', StimulusRecipe)
    with pytest.raises(ValueError, match="region belongs to"):
        Match(kind="spectrum", region="disc")
    empty = np.zeros((64, 64), bool)
    with pytest.raises(InputError, match="p00: its region .object. is empty"):
        find_target(Match(kind="luminance", region="object"), lambda: iter(images(2)), lambda _: empty)


def test_the_preset_stands_behind_the_recipes_own_keys(tmp_path):
    folder = write_folder(tmp_path / "images", recipe='preset = "controlled"\n' + RECIPE).parent
    recipe, _ = read_recipe(str(folder / "recipe.toml"))
    assert recipe.canvas.kind == "set-spectrum"
    assert recipe.match_sources.rows == ("attainable", "compactness", "spread", "eccentricity")
    assert read_recipe(str(folder / "recipe.toml"), preset="paper")[0].canvas.kind == "phase"
    own = RECIPE + '\n[canvas]\ngamut_iterations = 7\n[match_sources]\nrows = ["spread"]\n'
    (folder / "own.toml").write_text('preset = "controlled"\n' + own)
    mixed, _ = read_recipe(str(folder / "own.toml"))
    assert (mixed.canvas.kind, mixed.canvas.gamut_iterations, mixed.match_sources.rows) == (
        "set-spectrum",
        7,
        ("spread",),
    )
    plain = recipes.parse(RECIPE, StimulusRecipe)
    assert controlled(plain) == recipe
    (folder / "typo.toml").write_text('preset = "contolled"\n' + RECIPE)
    with pytest.raises(InputError, match=r'preset: got "contolled".*controlled'):
        read_recipe(str(folder / "typo.toml"))
    with pytest.raises(InputError, match="give seed and preset only"):
        build_set(plain, out=tmp_path / "x", preset="controlled")


def test_one_source_has_the_canvases_of_the_preset_and_nothing_to_match():
    raw = with_preset({"preset": "controlled", "maps": [{}]})
    assert raw == {"maps": [{}], "canvas": PRESETS["controlled"]["canvas"]}
    single = RECIPE.replace('[[maps]]\nsource = "salicon"\nreader = "folder"\npath = "maps/salicon"\n', "")
    made = controlled(recipes.parse(single, StimulusRecipe))
    assert made.canvas.kind == "set-spectrum"
    assert not made.match_sources


def test_a_controlled_set_from_the_command_line(tmp_path, capsys):
    path = write_folder(tmp_path / "images", n_images=9)
    run = ["stimuli", "build", str(path), "--workers", "1", "--preset", "controlled"]
    assert main([*run, "--out", str(tmp_path / "set")]) == 0
    assert main([*run, "--out", str(tmp_path / "set")]) == 0
    assert "9 were there" in capsys.readouterr().out
    found = read_set(tmp_path / "set")
    found.verify()
    assert found.description.recipe["canvas"]["kind"] == "set-spectrum"
    show = ["stimuli", "show", str(tmp_path / "set"), "--out", str(tmp_path / "sheet"), "--recipe", str(path)]
    assert main([*show, "--preset", "controlled"]) == 0
    assert "canvas certificate" in capsys.readouterr().out
    assert main(show) == 2
    assert "built from another recipe" in capsys.readouterr().err
    assert main([*run[:-1], "other", "--out", str(tmp_path / "x")]) == 2


def test_masks_of_objects_change_the_content_id(tmp_path):
    folder = write_folder(tmp_path / "images", n_images=3, recipe=RECIPE + MASKS).parent
    with_masks(folder, 3)
    recipe, root = read_recipe(str(folder / "recipe.toml"))
    build(recipe, tmp_path / "set", root=root)
    Image.fromarray(np.full((64, 64), 255, np.uint8)).save(folder / "masks" / "face" / "p01.png")
    again = build(recipe, tmp_path / "set", root=root)
    assert (again.n_made, again.n_kept) == (1, 2)
