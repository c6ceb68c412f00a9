"""Masks: what their kind promises, the same bytes however they are made, and no trace in sets without any."""

import json

import numpy as np
import pytest
from PIL import Image

from rapidvision import recipes
from rapidvision.cli import main
from rapidvision.errors import CheckFailed, InputError
from rapidvision.formats.manifest import read_set
from rapidvision.formats.masks import MASKS, read_masks
from rapidvision.images.load import load_rgb
from rapidvision.stimuli.background.scramble import scramble
from rapidvision.stimuli.builder.build import build, read_recipe
from rapidvision.stimuli.builder.build_set import build as build_set
from rapidvision.stimuli.builder.expand import expand
from rapidvision.stimuli.masks.drawn import checkerboards, grey_pixels, noise
from rapidvision.stimuli.masks.make import with_masks
from rapidvision.stimuli.recipe import StimulusRecipe
from rapidvision.stimuli.report.contact_sheet import contact_sheet, summary_of
from rapidvision.stimuli.report.page import GAP_PX, THUMB_PX
from tests.stimuli.conftest import RECIPE, natural, tree, write_folder

MASKED = (
    RECIPE
    + """
[[masks]]
kind = "noise"
n_masks = 4

[[masks]]
family = "own"
kind = "phase-scrambled"

[[masks]]
kind = "checkerboard"
check_px = 8

[[masks]]
family = "photographs"
kind = "files"
folder = "my masks"
"""
)


@pytest.fixture
def masked(tmp_path):
    """The recipe's path of an image folder with every kind of mask."""
    path = write_folder(tmp_path / "images", recipe=MASKED)
    (path.parent / "my masks").mkdir()
    for number in range(2):
        Image.fromarray(natural(50 + number, 80, 96)).save(path.parent / "my masks" / f"grass-{number}.png")
    return path


def built(path, out, **options):
    recipe, root = read_recipe(str(path))
    return build(recipe, out, root=root, **options).result


def radial_slope(values):
    """Slope of log amplitude over log frequency, between 2 cycles per image and half the Nyquist frequency."""
    side = values.shape[0]
    radius = np.hypot(np.fft.fftfreq(side, 1 / side)[:, None], np.fft.fftfreq(side, 1 / side)[None])
    amplitude = np.abs(np.fft.fft2(values - values.mean()))
    use = (radius >= 2) & (radius <= side / 4)
    return np.polyfit(np.log(radius[use]), np.log(amplitude[use]), 1)[0]


@pytest.mark.parametrize("side", [64, 65, 256])
def test_amplitudes_of_noise_fall_with_one_over_f(side):
    for key in range(3):
        values = noise(side, key=key, mean=127.5, contrast=42.5)
        assert radial_slope(values) == pytest.approx(-1, abs=1e-6)
        assert (values.mean(), values.std()) == pytest.approx((127.5, 42.5))
        pixels = grey_pixels(values, "rec709")[..., 0].astype(float)
        assert radial_slope(pixels) == pytest.approx(-1, abs=0.02)
        assert pixels.mean() == pytest.approx(127.5, abs=0.5)
        assert pixels.std() == pytest.approx(42.5, rel=0.02)


def test_noise_masks_differ_from_one_another_and_share_their_amplitudes():
    one, other = (noise(64, key=key, mean=100, contrast=20) for key in (1, 2))
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.5
    amplitudes = [np.abs(np.fft.fft2(values - values.mean())) for values in (one, other)]
    assert np.allclose(*amplitudes, atol=1e-6 * amplitudes[0].max())


def test_a_checkerboard_is_exact():
    bright, dark = checkerboards(6, check_px=2, mean=100, contrast=40)
    row = [140.0, 140.0, 60.0, 60.0, 140.0, 140.0]
    assert bright.tolist() == [row, row, [200 - x for x in row], [200 - x for x in row], row, row]
    assert (bright + dark == 200).all()
    black_and_white = grey_pixels(checkerboards(64, check_px=16, mean=127.5, contrast=127.5)[0], "rec709")
    assert set(np.unique(black_and_white)) == {0, 255}
    assert (black_and_white[:16, :16] == 255).all()
    assert (black_and_white[:16, 16:32] == 0).all()


def test_phase_scrambled_masks_keep_the_amplitudes_of_their_image(masked, tmp_path):
    found = built(masked, tmp_path / "set")
    intact = {row.image_id: row.path for row in found.stimuli if row.level_label == "full"}
    own = read_masks(found.folder)["own"]
    assert [mask.image_id for mask in own] == sorted(intact)
    others = [np.abs(np.fft.fft2(natural(100 + n).astype(float), axes=(0, 1)))[1:, 1:] for n in range(2)]
    for mask in own:
        image = load_rgb(found.folder / intact[mask.image_id]).astype(float)
        pixels = load_rgb(found.folder / mask.path).astype(float)
        periodic = scramble(image, key=0, gamut_iterations=0).values  # what has the amplitudes that are kept
        wanted, got = (np.abs(np.fft.fft2(x, axes=(0, 1)))[1:, 1:] for x in (periodic, pixels))

        def missed(x, wanted=wanted):
            return np.sqrt(((x - wanted) ** 2).sum() / (wanted**2).sum())

        assert missed(got) < 0.03  # rounding, and the few values that are clipped
        assert min(missed(other) for other in others) > 0.1
        assert np.abs(pixels - image).mean() > 10


def test_masks_have_the_size_and_colours_that_the_images_have(masked, tmp_path):
    masked.write_text(masked.read_text().replace("image_px = 64", "image_px = 48\ngreyscale = true"))
    found = built(masked, tmp_path / "set")
    for family in read_masks(found.folder).values():
        for mask in family:
            pixels = load_rgb(found.folder / mask.path)
            assert pixels.shape == (48, 48, 3)
            assert (pixels == pixels[..., :1]).all()


@pytest.mark.parametrize("space", ["rec709", "linear", "lab"])
def test_drawn_masks_have_the_mean_and_contrast_to_which_the_images_are_matched(masked, tmp_path, space):
    from rapidvision.stimuli.image.match_target import luma_of
    from rapidvision.stimuli.recipe import Match

    match = f'\n[match]\nkind = "luminance"\nmean = 110.0\ncontrast = 25.0\nspace = "{space}"\nclipped = 0.05\n'
    masked.write_text(masked.read_text() + match)
    found = built(masked, tmp_path / "set")
    for family in ("noise", "checkerboard"):
        for mask in read_masks(found.folder)[family]:
            luma = luma_of(load_rgb(found.folder / mask.path), Match(kind="luminance", space=space))
            assert luma.mean() == pytest.approx(110, abs=0.7)
            assert luma.std() == pytest.approx(25, rel=0.03)


def test_the_masks_of_a_set_are_the_same_however_it_is_built(masked, tmp_path):
    one = built(masked, tmp_path / "one")
    built(masked, tmp_path / "two", workers=2)
    assert tree(tmp_path / "two", hidden=True) == tree(tmp_path / "one", hidden=True)
    for shard in ((2, 2), (1, 2)):
        built(masked, tmp_path / "shards", shard=shard)
    assert tree(tmp_path / "shards", hidden=False) == tree(tmp_path / "one", hidden=False)
    for form in ("tar", "series", "recipe"):
        packed = built(masked, tmp_path / form, form=form)
        packed.verify()
        expand(packed.folder, tmp_path / f"{form}-expanded", root=masked.parent)
        assert tree(tmp_path / f"{form}-expanded") == tree(tmp_path / "one", hidden=False)
    other = build_set(masked, out=tmp_path / "seed", seed=8)
    hashes = [{mask.sha256 for mask in read_masks(found.folder)["noise"]} for found in (one, other)]
    assert not hashes[0] & hashes[1]


def test_masks_change_no_image_and_no_digest_of_a_set(masked, tmp_path):
    plain = write_folder(tmp_path / "plain", recipe=RECIPE)
    without, with_some = built(plain, tmp_path / "without"), built(masked, tmp_path / "with")
    assert with_some.digest == without.digest
    assert with_some.description.checksum != without.description.checksum
    before, after = tree(tmp_path / "without", hidden=False), tree(tmp_path / "with", hidden=False)
    added = set(after) - set(before)
    assert {name.split("/")[0] for name in added} == {"masks", MASKS}
    assert {name for name in before if before[name] != after[name]} == {"stimulus_set.json"}
    description = json.loads(before["stimulus_set.json"])
    assert "masks" not in {*description, *description["recipe"], *description["algorithms"], *description["quality"]}
    assert set(description["tables"]) == {"manifest.csv", "quality.csv", "ledger.csv", "ledger_images.csv"}
    assert "masks" not in (tmp_path / "without" / ".build" / "journal.jsonl").read_text()


@pytest.mark.parametrize(
    ("family", "change", "says"),
    [
        ("noise", lambda path: path.write_bytes(b"other"), "(changed)"),
        ("own", lambda path: path.unlink(), "(missing)"),
        ("checkerboard", lambda path: (path.parent / "0009.png").write_bytes(path.read_bytes()), "(added)"),
    ],
)
def test_verify_finds_a_mask_that_was_changed_or_removed_or_added(masked, tmp_path, family, change, says):
    found = built(masked, tmp_path / "set")
    found.verify()
    change(found.folder / read_masks(found.folder)[family][0].path)
    with pytest.raises(CheckFailed) as error:
        read_set(found.folder).verify()
    assert f"masks/{family}/" in str(error.value)
    assert says in str(error.value)


def test_verify_finds_a_changed_table_of_masks(masked, tmp_path):
    found = built(masked, tmp_path / "set")
    table = found.folder / MASKS
    table.write_text(table.read_text().replace("noise,", "noises,", 1))
    with pytest.raises(CheckFailed, match=r"masks\.csv \(changed\)"):
        found.verify()


def test_a_build_repairs_a_damaged_mask(masked, tmp_path):
    found = built(masked, tmp_path / "set")
    whole = tree(found.folder)
    for family in ("noise", "own"):
        (found.folder / read_masks(found.folder)[family][0].path).write_bytes(b"damaged")
    built(masked, tmp_path / "set")
    assert tree(found.folder) == whole


def test_a_set_of_other_masks_is_refused_in_the_same_folder(image_folder, tmp_path):
    build_set(image_folder / "recipe.toml", out=tmp_path / "set")
    with pytest.raises(InputError, match="masks differs"):
        build_set(image_folder / "recipe.toml", out=tmp_path / "set", masks=["noise"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('kind = "nois"', "nois"),
        ('kind = "files"', "folder is needed"),
        ('kind = "noise"\nfolder = "x"', "folder is needed for"),
        ('kind = "noise"\nfamily = "none"', 'must not be "none"'),
        ('kind = "noise"\nfamily = "a/b"', "letters, digits"),
        ('kind = "phase-scrambled"\ncontrast = 20.0', "contrast belongs to"),
        ('kind = "noise"\ncontrast = 300.0', "at most 127.5"),
        ('kind = "noise"\n[[masks]]\nkind = "checkerboard"\nfamily = "Noise"', "different families"),
        ('kind = "noise"\nn_masks = 0', "n_masks"),
    ],
)
def test_a_mistake_in_a_family_of_masks_is_named(text, says):
    with pytest.raises(InputError) as error:
        recipes.parse(f"{RECIPE}\n[[masks]]\n{text}\n", StimulusRecipe)
    assert says in str(error.value)


def test_masks_that_cannot_be_made_are_refused_before_any_image_is_made(image_folder, tmp_path):
    path = image_folder / "recipe.toml"
    path.write_text(RECIPE + '\n[[masks]]\nkind = "files"\nfolder = "absent"\n')
    with pytest.raises(InputError, match="no such folder"):
        build_set(path, out=tmp_path / "set")
    path.write_text(RECIPE + '\n[[masks]]\nkind = "checkerboard"\nmean = 60.0\ncontrast = 80.0\n')
    with pytest.raises(InputError, match="at most 60"):
        build_set(path, out=tmp_path / "set")
    assert not list((tmp_path / "set").rglob("*.png"))


def test_masks_are_added_on_the_command_line(image_folder, tmp_path, capsys):
    arguments = [
        "stimuli",
        "build",
        str(image_folder / "recipe.toml"),
        "--out",
        str(tmp_path / "set"),
        "--workers",
        "1",
    ]
    assert main([*arguments, "--masks", "noise", "--masks", "checkerboard"]) == 0
    assert "masks: 2 checkerboard, 20 noise" in capsys.readouterr().out
    assert main(["stimuli", "verify", str(tmp_path / "set")]) == 0
    found = read_set(tmp_path / "set")
    assert "masks     2 checkerboard, 20 noise" in summary_of(found)
    recipe = read_recipe(str(image_folder / "recipe.toml"))  # the sheet needs no word on the masks
    page = contact_sheet(found, tmp_path / "sheet", inputs=recipe).read_text()
    assert "noise (20)" in page
    plain = build_set(image_folder / "recipe.toml", out=tmp_path / "plain")
    contact_sheet(plain, tmp_path / "plain-sheet", inputs=recipe)
    masked_sheet, without = (load_rgb(tmp_path / name / "sheet.png") for name in ("sheet", "plain-sheet"))
    assert masked_sheet.shape[0] - without.shape[0] == 2 * (THUMB_PX + GAP_PX + 20)  # a line per family


def test_kinds_are_families_of_their_own_name(recipe):
    assert with_masks(recipe, []) is recipe
    both = with_masks(with_masks(recipe, ["noise"]), ["phase-scrambled", "noise"])
    assert [(one.name, one.kind) for one in both.mask_families] == [
        ("noise", "noise"),
        ("phase-scrambled", "phase-scrambled"),
    ]
    for kind, says in (("files", "needs a folder"), ("nois", 'Did you mean "noise"')):
        with pytest.raises(InputError, match=says):
            with_masks(recipe, [kind])
