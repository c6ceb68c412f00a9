"""The ledger: every figure against an independent count, differences, flags, and the tables of a set."""

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import label

from rapidvision.errors import InputError
from rapidvision.formats.manifest import read_set
from rapidvision.stimuli.builder.build import build, read_recipe
from rapidvision.stimuli.ledger.differences import ledger_rows, ledger_summary, standardised
from rapidvision.stimuli.ledger.figures import UNITS, region_figures
from rapidvision.stimuli.report.contact_sheet import contact_sheet
from rapidvision.stimuli.reveal.flood import fill
from rapidvision.text import csv_text
from tests.stimuli.conftest import RECIPE, blobs, natural, write_folder

COUNTS = np.array([1, 12, 60, 300])


@pytest.mark.parametrize("number", range(3))
def test_every_figure_is_that_of_a_plain_count(number):
    values = np.asarray(blobs(number, 40, 3), np.float32)
    luma = natural(number, 40).astype(float).mean(axis=2)
    face = blobs(50 + number, 40, 1) > 0.2
    order = fill(values, 300, key=number)
    found = region_figures(order, COUNTS, (2, -3), values, luma, {"face": face})
    assert list(found) == [*UNITS, "on face"]
    for level, n in enumerate(COUNTS):
        rows, columns = np.divmod(order[:n].astype(int), 40)
        mask = np.zeros((40, 40), bool)
        mask[rows, columns] = True
        edge = np.abs(np.diff(np.pad(mask, 1).astype(int), axis=0)).sum()
        edge += np.abs(np.diff(np.pad(mask, 1).astype(int), axis=1)).sum()
        inside = luma[mask]
        steps = [
            (luma[a] - luma[b]) ** 2
            for a in zip(*np.nonzero(mask), strict=True)
            for b in ((a[0] + 1, a[1]), (a[0], a[1] + 1))
            if max(b) < 40 and mask[b]
        ]
        best = np.sort(values.ravel().astype(float))[::-1][:n].sum()
        expected = {
            "captured": values[mask].astype(float).sum() / values.astype(float).sum(),
            "attainable": values[mask].astype(float).sum() / best,
            "area": n,
            "components": label(mask)[1],
            "perimeter": edge,
            "compactness": edge**2 / n,
            "spread": np.sqrt(rows.var() + columns.var()),
            "eccentricity": np.hypot(rows + 2 - 19.5, columns - 3 - 19.5).mean(),
            "luminance": inside.mean(),
            "contrast": inside.std(),
            "spectrum": np.mean(steps) / (2 * inside.var()) if steps else 0.0,
            "on face": face[mask].mean(),
        }
        for name, value in expected.items():
            assert found[name][level] == pytest.approx(value, rel=1e-5, abs=1e-6), (name, n)


def test_the_spectrum_of_noise_is_one_and_of_a_ramp_is_small():
    order = np.arange(1600, dtype=np.int32)
    flat = np.ones((40, 40), np.float32)
    noise = np.random.default_rng(1).normal(size=(40, 40))
    ramp = np.arange(1600.0).reshape(40, 40) // 40
    found = [region_figures(order, np.array([1600]), (0, 0), flat, one, {})["spectrum"][0] for one in (noise, ramp)]
    assert found[0] == pytest.approx(1, abs=0.08)
    assert found[1] < 0.01


def test_standardised_differences_are_those_of_the_definition():
    rng = np.random.default_rng(2)
    a, b = rng.normal(0.5, 1, 4000), rng.normal(0, 2, 4000)
    assert standardised(a, b) == pytest.approx((a.mean() - b.mean()) / np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2))
    assert standardised(a, b) == -standardised(b, a)
    assert standardised(10 * a, 10 * b) == pytest.approx(standardised(a, b))
    assert standardised(np.ones(5), np.ones(5)) == 0
    assert standardised(np.ones(5), np.zeros(5)) is None
    assert standardised(a[:2], b[:2]) is None


def test_rows_are_flagged_beyond_a_fifth_and_where_constants_differ():
    rng = np.random.default_rng(3)
    images = [
        {
            "a": {"spread": (x, x), "area": (5.0, 9.0), "components": (1.0, 2.0)},
            "b": {"spread": (x + 0.01, x + 1), "area": (5.0, 9.0), "components": (1.0, 1.0)},
        }
        for x in rng.normal(size=30)
    ]
    rows = {(row.figure, row.level_label): row for row in ledger_rows(images, ("1", "100"), ("spread",))}
    flagged = {key for key, row in rows.items() if row.flagged}
    assert flagged == {("spread", "100"), ("components", "100")}
    assert rows["components", "100"].d is None
    assert rows["spread", "1"].matched
    assert not rows["area", "1"].matched
    summary = ledger_summary(list(rows.values()))
    assert (summary["n_rows"], summary["n_flagged"], summary["n_matched_rows"], summary["n_matched_flagged"]) == (
        6,
        2,
        2,
        1,
    )
    assert summary["largest_d"]["spread"] == pytest.approx(abs(rows["spread", "100"].d))
    assert ledger_rows([{"a": images[0]["a"]}], ("1", "100"), ()) == ()


def with_masks(folder, n_images=6):
    for name in ("object", "face"):
        (folder / "masks" / name).mkdir(parents=True)
    for number in range(n_images):
        mask = (255 * (blobs(200 + number, 64, 1) > 0.2)).astype(np.uint8)
        Image.fromarray(mask).save(folder / "masks" / "object" / f"p{number:02d}.png")
        Image.fromarray(0 * mask).save(folder / "masks" / "face" / f"p{number:02d}.png")


MASKS = '\n[object_masks]\nobject = "masks/object"\nface = "masks/face"\n'


def test_a_set_has_its_ledger_as_tables_and_on_the_contact_sheet(tmp_path):
    folder = write_folder(tmp_path / "images", n_images=6, recipe=RECIPE + MASKS).parent
    with_masks(folder)
    recipe, root = read_recipe(str(folder / "recipe.toml"))
    found = build(recipe, tmp_path / "set", root=root).result
    found.verify()
    ledger = csv_text.read(found.folder / "ledger.csv")
    assert len(ledger) == 5 * (len(UNITS) + 2)
    assert {row["figure"] for row in ledger} == {*UNITS, "on object", "on face"}
    images = csv_text.read(found.folder / "ledger_images.csv")
    assert len(images) == 5 * 2 * 5  # main images x sources x levels
    assert all(float(row["on face"]) == 0 for row in images)
    for row in ledger:
        own = [
            float(one[row["figure"]])
            for one in images
            if one["map_source"] == row["source"] and one["level_label"] == row["level_label"]
        ]
        assert float(row["mean"]) == pytest.approx(np.mean(own), rel=1e-4, abs=1e-6)
    captured = {(row["image_id"], row["map_source"]): row for row in csv_text.read(found.folder / "quality.csv")}
    for row in images:
        if row["level_label"] == "100":
            same = captured[row["image_id"], row["map_source"]]["captured_04"]
            assert float(row["captured"]) == pytest.approx(float(same), abs=2e-6)
    page = contact_sheet(read_set(found.folder), tmp_path / "sheet").read_text()
    assert 'id="ledger"' in page
    assert "clickme minus salicon" in page
    assert page.count("<circle") >= 5 * len(UNITS)


def test_one_source_has_no_differences_and_a_set_of_practice_no_ledger(tmp_path):
    one_source = RECIPE.replace('[[maps]]\nsource = "salicon"\nreader = "folder"\npath = "maps/salicon"\n', "")
    folder = write_folder(tmp_path / "one", n_images=5, recipe=one_source).parent
    recipe, root = read_recipe(str(folder / "recipe.toml"))
    found = build(recipe, tmp_path / "set", root=root).result
    assert (found.folder / "ledger_images.csv").is_file()
    assert not (found.folder / "ledger.csv").exists()
    assert "ledger" not in found.description.quality
    folder = write_folder(tmp_path / "practice", n_images=2, n_practice=2).parent
    recipe, root = read_recipe(str(folder / "recipe.toml"))
    found = build(recipe, tmp_path / "practice-set", root=root).result
    assert not (found.folder / "ledger_images.csv").exists()


def test_masks_that_do_not_fit_are_refused_with_their_file(tmp_path):
    folder = write_folder(tmp_path / "images", n_images=3, recipe=RECIPE + MASKS).parent
    with pytest.raises(InputError, match="not a folder; object_masks names one for object"):
        build(_recipe(folder), tmp_path / "a", root=folder)
    with_masks(folder, 2)
    with pytest.raises(InputError, match="no mask for p02"):
        build(_recipe(folder), tmp_path / "b", root=folder)
    Image.fromarray(np.zeros((64, 32), np.uint8)).save(folder / "masks" / "object" / "p02.png")
    with pytest.raises(InputError, match=r"p02.png: 32 x 64 for an image of 64 x 64; a mask must have"):
        build(_recipe(folder), tmp_path / "c", root=folder)


def _recipe(folder):
    return read_recipe(str(folder / "recipe.toml"))[0]


def test_the_object_can_be_matched(tmp_path):
    matched = '\n[match_sources]\nrows = ["object"]\n'
    gaps = {}
    for name, more in (("plain", ""), ("matched", matched)):
        folder = write_folder(tmp_path / name, n_images=6, recipe=RECIPE + MASKS + more).parent
        with_masks(folder)
        recipe, root = read_recipe(str(folder / "recipe.toml"))
        found = build(recipe, tmp_path / f"{name}-set", root=root).result
        rows = csv_text.read(found.folder / "ledger_images.csv")
        shares = {(row["image_id"], row["map_source"], row["level_label"]): float(row["on object"]) for row in rows}
        gaps[name] = np.mean(
            [
                abs(one - shares[image, "salicon", level])
                for (image, source, level), one in shares.items()
                if source == "clickme"
            ]
        )
    assert gaps["matched"] < 0.5 * gaps["plain"]
