"""Matching: the set ends up alike within a twentieth of a grey level, or is refused in words."""

import numpy as np
import pytest

from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.formats.manifest import read_set
from rapidvision.stimuli.builder.build import build, read_recipe
from rapidvision.stimuli.builder.expand import expand
from rapidvision.stimuli.image.colorspace import LINEAR, dithered, lightness, luminance
from rapidvision.stimuli.image.load import load, remembering
from rapidvision.stimuli.image.luma import WEIGHTS, luma_of
from rapidvision.stimuli.image.match import matched, recoloured
from rapidvision.stimuli.image.match_target import find_target
from rapidvision.stimuli.pipeline import image_pipeline
from rapidvision.stimuli.recipe_tables import Match
from tests.stimuli.conftest import RECIPE, natural, tree, write_folder

SPACES = ["rec709", "rec601", "linear", "lab"]
IMAGES = [
    (f"p{number}", np.clip(0.8 * natural(number).astype(int) + 8 * number, 0, 255).astype(np.uint8))
    for number in range(5)
]


def made(match, images=IMAGES):
    target = find_target(match, lambda: iter(images))
    return target, [matched(pixels, target, key=number) for number, (_, pixels) in enumerate(images)]


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(
    "options", [{"shrink": True}, {"shrink": True, "clipped": 0.02}, {"mean": 120.0, "contrast": 12.0}]
)
def test_luminance_and_contrast_match_within_a_twentieth_of_a_grey_level(options, space):
    match = Match(kind="luminance", space=space, **options)
    target, results = made(match)
    for pixels, quality in results:
        luma = luma_of(pixels, match)
        assert abs(luma.mean() - target.mean) < 0.05
        assert abs(luma.std() - target.contrast) < 0.05
        assert quality.mean_residual == pytest.approx(luma.mean() - target.mean)
        assert quality.clipped_fraction <= match.clipped + 1e-3


@pytest.mark.parametrize("space", SPACES)
def test_histograms_become_the_same(space):
    target, results = made(Match(kind="histogram", space=space))
    for pixels, quality in results:
        luma = np.sort(luma_of(pixels, target.match), axis=None)
        assert np.abs(luma - target.levels).mean() < 0.4
        assert abs(quality.mean_residual) < 0.05
        assert abs(quality.contrast_residual) < 0.05


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("kind", ["rotational", "full"])
def test_spectra_become_the_same(kind, space):
    target, results = made(Match(kind="spectrum", spectrum=kind, shrink=True, space=space))
    amplitudes = []
    for pixels, quality in results:
        luma = luma_of(pixels, target.match)
        assert abs(luma.mean() - target.mean) < 0.05
        assert quality.spectrum_residual < 0.05
        amplitudes.append(np.abs(np.fft.rfft2(luma - luma.mean())))
    if kind == "full":
        spread = np.std(amplitudes, axis=0)[:8, 1:8] / np.mean(amplitudes, axis=0)[:8, 1:8]
        assert spread.max() < 0.02
    else:
        rings = [np.hypot(*np.indices(a.shape))[:20, :20].round().astype(int) for a in amplitudes]
        energy = [
            np.bincount(ring.ravel(), a[:20, :20].ravel())[1:10] for ring, a in zip(rings, amplitudes, strict=True)
        ]
        assert (np.std(energy, axis=0) / np.mean(energy, axis=0)).max() < 0.35


def test_what_is_matched_is_luma_luminance_or_lightness():
    """CIE's own figures: 18.4187 % of the light is L* 50, and coded 128 is 21.586 % of the light."""
    grey = np.full((1, 1, 3), 128, np.uint8)
    assert luma_of(grey, Match())[0, 0] == pytest.approx(128)
    assert luma_of(grey, Match(space="linear"))[0, 0] / 255 == pytest.approx(0.2158605, abs=1e-6)
    assert luma_of(grey, Match(space="lab"))[0, 0] / 2.55 == pytest.approx(53.585, abs=1e-3)
    light = np.linspace(0, 255, 500)
    assert np.allclose(luminance(lightness(light)), light)
    assert lightness(np.array([0.184186518 * 255]))[0] == pytest.approx(127.5, abs=1e-4)


@pytest.mark.parametrize("linear", [False, True])
def test_rounding_is_right_on_average_in_the_light_that_is_meant(linear):
    lots = (np.arange(200_000) + 0.5) / 200_000
    for value in (0.0, 0.03, 3.3, 100.0, 254.9, 255.0):
        levels = dithered(np.full(lots.size, value), lots, linear=linear)
        shown = 255 * LINEAR[levels] if linear else levels
        assert shown.mean() == pytest.approx(value, abs=1e-3)
        assert np.ptp(levels) <= 1


def test_colour_is_greyed_only_where_the_gamut_demands_it():
    pixels = np.array([[[200, 100, 50], [255, 0, 0]]], np.uint8)
    match = Match(kind="luminance")
    luma = luma_of(pixels, match)
    planes = [pixels[..., channel].astype(float) for channel in range(3)]
    same, greyed = recoloured(planes, luma, luma)
    assert np.allclose(same, planes)
    assert greyed == 0
    brighter, greyed = recoloured(planes, luma, luma + np.array([[10, 120]]))
    assert greyed == 0.5
    assert np.allclose(np.tensordot(WEIGHTS["rec709"], brighter, 1), luma + np.array([10, 120]))
    assert np.max(brighter) <= 255


def test_an_infeasible_target_is_refused_by_name_and_remedy():
    with pytest.raises(
        InputError, match=r"infeasible: \d of 5 images would be clipped \(worst: p\d.*use shrink = true"
    ):
        find_target(Match(kind="luminance", contrast=100.0), lambda: iter(IMAGES))
    shrunk = find_target(Match(kind="luminance", contrast=100.0, shrink=True), lambda: iter(IMAGES))
    assert shrunk.shrunk < 1
    assert shrunk.contrast < 100


def test_equal_means_with_own_contrasts():
    match = Match(kind="luminance", contrast="own", mean=120.0)
    images = [(name, np.clip(pixels * 0.6 + 20, 0, 255).astype(np.uint8)) for name, pixels in IMAGES]
    target, results = made(match, images)
    for (_, before), (pixels, quality) in zip(images, results, strict=True):
        assert abs(luma_of(pixels, match).mean() - 120) < 0.05
        assert abs(luma_of(pixels, match).std() - luma_of(before, match).std()) < 0.05
        assert abs(quality.contrast_residual) < 0.05
    assert target.shrunk == 1


@pytest.mark.parametrize("space", SPACES)
def test_own_contrasts_are_lowered_only_where_a_image_would_be_clipped(space):
    grey = natural(7)[..., :1].astype(float)
    wide = np.rint((grey - grey.min()) / np.ptp(grey) * 255).astype(np.uint8).repeat(3, axis=2)  # cannot be moved
    narrow = np.clip(natural(8) * 0.3 + 90, 0, 255).astype(np.uint8)
    match = Match(kind="luminance", contrast="own", space=space)
    images = [("wide", wide), ("narrow", narrow)]
    with pytest.raises(InputError, match=r"1 of 2 images would be clipped \(worst: wide\); use shrink = true \(lowers"):
        find_target(match, lambda: iter(images))
    target, results = made(Match(kind="luminance", contrast="own", space=space, shrink=True), images)
    before = [luma_of(pixels, match).std() for _, pixels in images]
    after = [luma_of(pixels, match).std() for pixels, _ in results]
    assert after[0] / before[0] == pytest.approx(target.shrunk, abs=0.01)
    assert after[0] < before[0] - 0.5
    assert after[1] == pytest.approx(before[1], abs=0.05)
    assert all(abs(quality.mean_residual) < 0.05 > abs(quality.contrast_residual) for _, quality in results)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"kind": "histogram", "contrast": 20.0}, "contrast belongs to"),
        ({"kind": "spectrum", "contrast": "own"}, "contrast belongs to"),
        ({"kind": "histogram", "mean": 20.0}, "mean belongs to"),
        ({"mean": 20.0}, "mean belongs to"),
    ],
)
def test_options_that_a_kind_does_not_use_are_refused(options, says):
    with pytest.raises(ValueError, match=says):
        Match(**options)


@pytest.mark.parametrize("kind", ["luminance", "histogram", "spectrum"])
def test_a_matched_set_is_built_and_packed_like_any_other(tmp_path, kind):
    recipe = RECIPE + f'\n[match]\nkind = "{kind}"\nshrink = true\n'
    folder = write_folder(tmp_path / "images", recipe=recipe, n_images=3).parent
    loaded, root = read_recipe(str(folder / "recipe.toml"))
    found = build(loaded, tmp_path / "set", root=root).result
    residual = found.description.quality["match"]["mean_residual"]
    assert max(abs(residual["smallest"]), abs(residual["largest"])) < 0.05
    build(loaded, tmp_path / "packed", root=root, form="recipe")
    expand(tmp_path / "packed", tmp_path / "expanded", root=folder)
    assert tree(tmp_path / "expanded") == tree(tmp_path / "set", hidden=False)


def test_one_process_decodes_each_image_once_as_long_as_memory_allows(tmp_path, monkeypatch):
    recipe = RECIPE + '\n[match]\nkind = "spectrum"\nshrink = true\n'
    folder = write_folder(tmp_path / "images", recipe=recipe, n_images=4).parent
    loaded, root = read_recipe(str(folder / "recipe.toml"))
    asked = []
    monkeypatch.setattr(
        image_pipeline, "load", lambda path, *more, **options: asked.append(path) or load(path, *more, **options)
    )
    build(loaded, tmp_path / "once", root=root)
    assert len(asked) == len(set(asked)) == 4
    with monkeypatch.context() as narrow:
        narrow.setattr(image_pipeline, "remembering", lambda read: remembering(read, most_bytes=2 * 64 * 64 * 3))
        build(loaded, tmp_path / "again", root=root)
    assert len(asked) == 4 + 2 + 2 * 3  # two were remembered, two were decoded in each of three passes
    assert tree(tmp_path / "once") == tree(tmp_path / "again")


def test_the_command_line_reports_an_infeasible_match(tmp_path, capsys):
    recipe = write_folder(tmp_path / "p", recipe=RECIPE + '\n[match]\nkind = "luminance"\ncontrast = 110.0\n')
    assert main(["stimuli", "build", str(recipe), "--out", str(tmp_path / "s"), "--workers", "1"]) == 2
    assert "infeasible" in capsys.readouterr().err


@pytest.mark.data
def test_real_photographs_are_matched_within_a_twentieth_of_a_grey_level(data_folder):
    images = [(path.stem, load(path, 128).pixels) for path in sorted((data_folder / "osie/stimuli").iterdir())[::10]]
    for match in (Match(kind="luminance", shrink=True, clipped=0.01), Match(kind="histogram")):
        _, results = made(match, images)
        assert max(abs(quality.mean_residual) for _, quality in results) < 0.05
        assert max(abs(quality.contrast_residual) for _, quality in results) < 0.05


def test_a_set_that_is_not_matched_has_no_match_figures(tmp_path):
    folder = write_folder(tmp_path / "images", n_images=2).parent
    loaded, root = read_recipe(str(folder / "recipe.toml"))
    build(loaded, tmp_path / "set", root=root)
    assert "match" not in read_set(tmp_path / "set").description.quality
