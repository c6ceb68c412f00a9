"""The canvas certificate: closed form against refits, exact tests, leaks always found, and one struct for every report."""

import msgspec
import numpy as np
import pytest

from rapidvision.certificate.canvas_test import canvas_test, evidence_test
from rapidvision.certificate.pairs import fold_auc, hat_matrix, pair_auc, standardised
from rapidvision.certificate.record import CanvasCertificate, CanvasTest
from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.formats.manifest import read_set
from rapidvision.stimuli.builder.build import build, read_recipe
from rapidvision.stimuli.builder.expand import expand
from rapidvision.stimuli.builder.findings import set_flags
from rapidvision.stimuli.certificate.certify import certify
from rapidvision.stimuli.certificate.numbers import numbers_of
from rapidvision.stimuli.pipeline import canvases
from rapidvision.stimuli.report.contact_sheet import contact_sheet, summary_of
from tests.stimuli.conftest import RECIPE, natural, tree, write_folder

KINDS = np.arange(24) % 2 == 0
LABELS = np.where(KINDS, 1.0, -1.0)


def ridge(x, y, penalty):
    """A refit without any closed form: features centred on the training rows, an unpenalised intercept."""
    ones = np.column_stack([np.ones(len(x)), x])
    return np.linalg.solve(ones.T @ ones + np.diag([0.0, *[penalty] * x.shape[1]]), ones.T @ y)


def penalty_of(x, freedom):
    s2 = np.linalg.svd(x, compute_uv=False) ** 2
    low, high = 1e-9, 1e9
    for _ in range(300):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if (s2 / (s2 + middle)).sum() > freedom else (low, middle)
    return np.sqrt(low * high)


def test_leave_pair_out_is_that_of_refits():
    x = np.random.default_rng(1).normal(size=(24, 6)) + 0.5 * KINDS[:, None]
    z = standardised(x)
    penalty = penalty_of(z, 4)
    wins = []
    for i in np.flatnonzero(KINDS):
        for j in np.flatnonzero(~KINDS):
            kept = np.setdiff1d(np.arange(24), [i, j])
            b = ridge(z[kept], LABELS[kept], penalty)
            wins.append(b[0] + z[i] @ b[1:] > b[0] + z[j] @ b[1:])
    assert pair_auc(hat_matrix(x, 4), LABELS[:, None])[0] == pytest.approx(np.mean(wins), abs=1e-12)


def test_folds_are_those_of_refits():
    x = np.random.default_rng(2).normal(size=(24, 6)) + 0.5 * KINDS[:, None]
    z = standardised(x)
    penalty, folds = penalty_of(z, 4), np.arange(24) // 2 % 4
    wins = []
    for fold in range(4):
        inside = folds == fold
        b = ridge(z[~inside], LABELS[~inside], penalty)
        scores = b[0] + z @ b[1:]
        wins += [scores[i] > scores[j] for i in np.flatnonzero(inside & KINDS) for j in np.flatnonzero(inside & ~KINDS)]
    assert fold_auc(hat_matrix(x, 4), LABELS[:, None], folds)[0] == pytest.approx(np.mean(wins), abs=1e-12)


def test_more_features_than_images_are_no_problem():
    x = np.random.default_rng(3).normal(size=(24, 900))
    assert np.trace(hat_matrix(x, 5)) == pytest.approx(6)
    assert 0 < canvas_test(x, KINDS, seed=1, n_permutations=49).auc < 1


@pytest.mark.parametrize("n", [24, 240])
def test_shuffled_labels_are_flagged_as_often_as_said(n):
    """Features of another law than the engine's, labels by lot: p is uniform, the AUC is .5 on average."""
    rng = np.random.default_rng(4)
    kinds = np.arange(n) % 2 == 0
    x = rng.standard_t(3, size=(n, 10)) @ rng.normal(size=(10, 10))
    found = [canvas_test(x, rng.permutation(kinds), seed=number, n_permutations=99) for number in range(150)]
    share = np.mean([one.flagged for one in found])
    assert share <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)
    spread = np.std([one.auc for one in found])
    assert np.mean([one.auc for one in found]) == pytest.approx(0.5, abs=4 * spread / np.sqrt(150))
    assert 0.4 < np.mean([one.p for one in found]) < 0.6


@pytest.mark.parametrize("n", [24, 240])
def test_a_leak_is_always_flagged_and_a_reversed_one_is_named(n):
    rng = np.random.default_rng(5)
    kinds = np.arange(n) % 2 == 0
    for number in range(20):
        leaky = rng.normal(size=(n, 8)) + 1.2 * kinds[:, None]
        found = canvas_test(leaky, kinds, seed=number, n_permutations=199)
        assert found.flagged
        assert n == 24 or found.low > 0.5
        assert "FLAGGED" in found.sentence
    means = np.column_stack([np.where(kinds, 1.0, -1.0) * rng.normal(size=n) for _ in range(4)])
    means -= np.array([means[kinds == one].mean(axis=0) for one in (True, False)])[np.where(kinds, 0, 1)]
    below = canvas_test(means, kinds, seed=1, n_permutations=199)  # equal means of both kinds drive it below chance
    assert below.auc < 0.5
    assert not below.flagged


def test_evidence_is_tested_by_its_order_alone():
    rng = np.random.default_rng(8)
    x = rng.normal(size=40) + 0.9 * (np.arange(40) < 15)
    kinds = np.arange(40) < 15
    found = evidence_test(x, kinds, seed=1, name="net", n_permutations=199)
    wins = (x[kinds][:, None] > x[~kinds][None]).mean()
    assert found.auc == pytest.approx(wins, abs=1e-6)
    assert evidence_test(np.exp(3 * x), kinds, seed=1, name="net", n_permutations=199) == found
    mirrored = evidence_test(-x, kinds, seed=1, name="net", n_permutations=199)
    assert mirrored.auc == pytest.approx(1 - wins, abs=1e-6)
    assert evidence_test(np.repeat([1.0, 2.0], 20), kinds, seed=1, name="net").auc == pytest.approx(0.1, abs=1e-6)
    assert evidence_test(np.ones(40), kinds, seed=1, name="net").p == 1
    with pytest.raises(InputError, match="one number each"):
        evidence_test(np.ones(3), kinds, seed=1, name="net")
    share = [
        evidence_test(rng.normal(size=40), kinds, seed=k, name="net", n_permutations=99).flagged for k in range(200)
    ]
    assert np.mean(share) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_features_that_do_not_vary_tell_nothing():
    found = canvas_test(np.ones((24, 5)), KINDS, seed=1)
    assert (found.auc, found.p, found.flagged, found.power(0.9)) == (0.5, 1.0, False, 0.0)


def test_what_cannot_be_tested_is_refused_or_said():
    with pytest.raises(InputError, match="3 targets and 21 distractors; 4 of each"):
        canvas_test(np.ones((24, 2)), np.arange(24) < 3, seed=1)
    with pytest.raises(InputError, match="one row per image"):
        canvas_test(np.ones((5, 2)), KINDS, seed=1)
    assert certify({}, {}, seed=1).note == "no canvases were drawn"
    few = certify({"a": {"canvas": (1.0,)}}, {"a": True}, seed=1)
    assert few.sentences == ("canvas certificate: not tested (1 targets and 0 distractors; 4 of each are needed)",)


def test_the_order_of_images_does_not_matter():
    rng = np.random.default_rng(6)
    numbers = {f"p{k:02d}": {"canvas": tuple(rng.normal(size=5))} for k in range(24)}
    kinds = {name: int(name[1:]) % 2 == 0 for name in numbers}
    first = certify(numbers, kinds, seed=1)
    assert first == certify(dict(reversed(numbers.items())), kinds, seed=1)


def test_numbers_see_colour_contrast_grain_and_orientation_and_not_the_place():
    base = natural(1, 64)
    same = numbers_of(np.roll(base, (5, 9), axis=(0, 1)))
    assert numbers_of(base) == pytest.approx(same, abs=1e-6)
    warmer = np.clip(base + np.array([20, 0, 0]), 0, 255).astype(np.uint8)
    assert numbers_of(warmer)[1] > numbers_of(base)[1] + 0.05
    turned = np.asarray(numbers_of(np.rot90(base)))[[21, 22, 23, 24]]
    assert turned == pytest.approx(np.asarray(numbers_of(base))[[22, 21, 24, 23]], abs=0.1)
    stripes = np.repeat(np.tile(np.uint8([100, 150] * 16), (32, 1))[..., None], 3, axis=2)
    assert numbers_of(np.repeat(stripes, 2, axis=1)[:32, :32])[22] > numbers_of(base)[22] + 3  # upright energy
    half = np.rint(128 + 0.5 * (base.astype(float) - 128)).astype(np.uint8)
    assert numbers_of(half)[3] == pytest.approx(0.5 * numbers_of(base)[3], rel=0.03)
    assert numbers_of(base, layout=True)[:25] == numbers_of(base)
    assert numbers_of(base, layout=True) != numbers_of(np.roll(base, 20, axis=1), layout=True)


def leaky_folder(folder, recipe=RECIPE, n_images=17):
    """Images whose targets are warm and coarse."""
    from PIL import Image
    from scipy.ndimage import gaussian_filter

    path = write_folder(folder, n_images=n_images, recipe=recipe)
    for number in range(0, n_images, 2):
        image = np.asarray(Image.open(path.parent / "images" / f"p{number:02d}.png")).astype(float)
        coarse = gaussian_filter(image, (2, 2, 0)) + np.array([25, 0, -15])
        Image.fromarray(np.clip(coarse, 0, 255).astype(np.uint8)).save(path.parent / "images" / f"p{number:02d}.png")
    return path


def test_a_deliberately_leaky_set_is_flagged_everywhere(tmp_path, capsys):
    path = leaky_folder(tmp_path / "images")
    assert main(["stimuli", "build", str(path), "--out", str(tmp_path / "set"), "--workers", "1"]) == 0
    assert "AUC" in (said := capsys.readouterr().out)
    assert "FLAGGED" in said
    found = read_set(tmp_path / "set")
    certificate = found.description.certificate
    assert certificate.flagged
    assert [one.shown for one in certificate.tests] == ["canvas", "lowest level of clickme", "lowest level of salicon"]
    assert certificate.tests[0].auc > 0.95
    assert (certificate.tests[0].n_targets, certificate.tests[0].n_distractors) == (8, 8)  # practice does not count
    assert any(flag.map_source == "canvas" for flag in set_flags(found.description))
    assert "canvases alone tell targets from distractors" in summary_of(found)
    page = contact_sheet(found, tmp_path / "sheet").read_text()
    assert 'id="certificate"' in page
    assert "tells the category" in page


def test_the_canvas_of_the_set_takes_the_leak_away(tmp_path):
    aucs = []
    for seed in range(1, 7):
        path = leaky_folder(tmp_path / f"{seed}", RECIPE + '\n[canvas]\nkind = "set-spectrum"\ngamut_iterations = 20\n')
        recipe, root = read_recipe(str(path), seed=seed)
        built = build(recipe, tmp_path / f"set{seed}", root=root).result
        aucs.append(built.description.certificate.tests[0].auc)
    assert np.mean(aucs) < 0.75


def test_packed_sets_are_certified_when_their_canvases_are_drawn(tmp_path):
    path = leaky_folder(tmp_path / "images")
    recipe, root = read_recipe(str(path))
    whole = build(recipe, tmp_path / "set", root=root).result.description.certificate
    for form in ("series", "recipe"):
        packed = build(recipe, tmp_path / form, root=root, form=form).result.description.description.certificate
        assert packed == whole if form == "series" else packed.note == "no canvases were drawn"
        assert expand(tmp_path / form, tmp_path / f"{form}-out", root=root).description.certificate == whole
    assert tree(tmp_path / "recipe-out") == tree(tmp_path / "set", hidden=False)


def test_large_sets_are_measured_by_lot(tmp_path, monkeypatch):
    monkeypatch.setattr(canvases, "MOST_MEASURED", 9)
    path = leaky_folder(tmp_path / "images")
    recipe, root = read_recipe(str(path))
    built = build(recipe, tmp_path / "set", root=root).result
    again = build(recipe, tmp_path / "again", root=root, workers=2).result
    assert built.description.quality["ledger"]["n_images"] == 9
    assert built.description.certificate == again.description.certificate
    test = built.description.certificate.tests[0] if built.description.certificate.tests else None
    assert test is None or test.n_targets + test.n_distractors == 9


def test_the_certificate_survives_the_file(tmp_path):
    test = CanvasTest(
        shown="canvas", features="numbers", n_targets=4, n_distractors=5, auc=0.3, low=0.2, high=0.4, p=0.99,
        p_below=0.01, null_sd=0.1, n_permutations=99,
    )  # fmt: skip
    certificate = CanvasCertificate(tests=(test,), note="seen")
    assert msgspec.json.decode(msgspec.json.encode(certificate), type=CanvasCertificate) == certificate
    assert certificate.flagged
    assert "below chance" in certificate.sentences[1]
    assert certificate.sentences[-1] == "seen"
    assert test.smallest_leak == pytest.approx(0.75)


def test_large_sets_with_unreadable_images_expand_to_what_was_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(canvases, "MOST_MEASURED", 10)
    path = leaky_folder(tmp_path / "images", RECIPE + '\n[match]\nkind = "luminance"\nshrink = true\n')
    for number in (3, 6, 9):
        (path.parent / "images" / f"p{number:02d}.png").write_bytes(b"not an image")
    recipe, root = read_recipe(str(path))
    build(recipe, tmp_path / "set", root=root, skip_bad=True)
    build(recipe, tmp_path / "packed", root=root, skip_bad=True, form="recipe")
    expand(tmp_path / "packed", tmp_path / "out", root=root)
    assert tree(tmp_path / "out") == tree(tmp_path / "set", hidden=False)
