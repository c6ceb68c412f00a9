"""Looking at a set: the contact sheet, its flags, and the summary."""

import io
import json
import re

import numpy as np
from PIL import Image

from rapidvision.cli import main
from rapidvision.stimuli.pipeline.flags import flags_of
from rapidvision.stimuli.report.page import GAP_PX, MOST_LINES, THUMB_PX, Line, draw_sheet
from rapidvision.stimuli.report.plots import BINS, before_and_after, luma_histogram, radial_spectrum
from tests.stimuli.conftest import natural, write_folder


def test_a_contact_sheet_shows_every_image_its_maps_and_levels(tmp_path, capsys):
    recipe = write_folder(tmp_path / "images", n_images=3)
    assert main(["stimuli", "build", str(recipe), "--out", str(tmp_path / "set"), "--quiet", "--workers", "1"]) == 0
    command = ["stimuli", "show", str(tmp_path / "set"), "--out", str(tmp_path / "sheet"), "--recipe", str(recipe)]
    assert main(command) == 0
    page = (tmp_path / "sheet/index.html").read_text()
    assert not re.search(r'(src|href)="(?!data:|#|sheet\.js)', page)
    data = json.loads((tmp_path / "sheet/sheet.js").read_text().removeprefix("window.SHEET = ").rstrip(";\n"))
    assert [one[0] for one in data["images"]] == ["p00", "p01", "p02"]
    assert data["captions"][:3] == ["image", "canvas", "map: clickme"]
    assert data["captions"][-1] == "salicon 100 %"
    for source, _, name in data["levels"]:
        assert (tmp_path / "sheet" / data["set"] / "images/p01" / name).is_file(), source
    strip = np.asarray(Image.open(tmp_path / "sheet/strips/p01.jpg"))
    assert strip.shape[1] == 12 * (THUMB_PX + GAP_PX) - GAP_PX
    plots = (tmp_path / "sheet/plots/p01.svg").read_text()
    assert "<title>spectrum: image dark, canvas red</title>" in plots
    assert "<title>histogram: image dark, canvas red</title>" in plots
    sheet = np.asarray(Image.open(io.BytesIO((tmp_path / "sheet/sheet.png").read_bytes())).convert("RGB"))
    thumbs = sheet[-3 * (THUMB_PX + GAP_PX + 20) :]  # a line of twelve small images for each of the three
    assert sheet.shape[1] > 1000
    for column in range(12):
        cell = thumbs[20 : 20 + THUMB_PX, GAP_PX + column * (THUMB_PX + GAP_PX) :][:, :THUMB_PX]
        assert cell.std() > 10, f"column {column} is empty"
    printed = capsys.readouterr().out
    assert "sources   clickme, salicon" in printed
    assert "practice  1 images, 1 targets; cat" in printed


def test_a_sheet_of_many_images_says_how_many_it_shows_and_starts_with_the_flagged(tmp_path):
    recipe = write_folder(tmp_path / "images", n_images=MOST_LINES + 3)
    hard = np.where(natural(1) > 120, 255, 0).astype(np.uint8)
    Image.fromarray(hard).save(tmp_path / "images/images" / f"p{MOST_LINES + 2:02d}.png")
    assert main(["stimuli", "build", str(recipe), "--out", str(tmp_path / "set"), "--quiet", "--workers", "1"]) == 0
    assert main(["stimuli", "show", str(tmp_path / "set"), "--out", str(tmp_path / "sheet")]) == 0
    sheet = np.asarray(Image.open(tmp_path / "sheet/sheet.png").convert("RGB"))
    lines = sheet.shape[0] - MOST_LINES * (THUMB_PX + GAP_PX + 20)
    first = sheet[lines + 20 : lines + 20 + THUMB_PX, GAP_PX : GAP_PX + THUMB_PX].astype(int)
    wanted = np.asarray(Image.fromarray(hard).resize((THUMB_PX, THUMB_PX), Image.Resampling.LANCZOS)).astype(int)
    assert np.abs(first - wanted).mean() < 1
    assert len(list((tmp_path / "sheet/strips").iterdir())) == MOST_LINES + 3
    assert f'href="#image=p{MOST_LINES + 2:02d}"' in (tmp_path / "sheet/index.html").read_text()


def test_a_line_that_lacks_a_image_leaves_its_place_empty():
    panel = io.BytesIO()
    Image.new("RGB", (50, 10), "white").save(panel, "PNG")
    black = np.zeros((8, 8, 3), np.uint8)
    lines = [Line("a", {"image": black, "canvas": black}), Line("b", {"canvas": black})]
    sheet = np.asarray(Image.open(io.BytesIO(draw_sheet(panel.getvalue(), lines, n_images=2))))
    last = sheet[-(THUMB_PX + GAP_PX) : -GAP_PX]
    assert (last[:, GAP_PX : GAP_PX + THUMB_PX] == 255).all()
    assert (last[:, 2 * GAP_PX + THUMB_PX :][:, :THUMB_PX] == 0).all()


def row(**changes):
    base = {
        "image_id": "a", "map_source": "s", "phase": "main", "category": "cat", "canvas_clipped_fraction": "0.01",
        "canvas_mean_error": "0.1", "canvas_contrast_ratio": "0.99", "canvas_spectrum_error": "0.01",
        "canvas_linear_mean_ratio": "1.0", "support_px": "1000", "n_observers": "3", "n_points": "0", "n_outside": "0",
        "cut_fraction": "0.0", "best_captured": "0.9", "captured_00": "0.1",
    }  # fmt: skip
    return {**base, **changes}


def test_clipped_canvases_are_flagged_first_and_the_worst_before_the_others():
    rows = [
        row(image_id="a", canvas_mean_error="9.0", canvas_clipped_fraction="0.12"),
        row(image_id="b", cut_fraction="0.5"),
        row(image_id="z", canvas_clipped_fraction="0.40"),
    ]
    assert [(one.image_id, one.text) for one in flags_of(rows, 0)] == [
        ("z", "clips 40% of its values (mean luma +0.1 grey levels, contrast 99%)"),
        ("a", "clips 12% of its values (mean luma +9.0 grey levels, contrast 99%)"),
        ("a", "mean luma is off by +9.0 grey levels"),
        ("b", "the square cut loses 50% of the importance"),
    ]


def test_a_table_without_canvas_figures_has_the_flags_of_its_maps():
    rows = [
        {name: "" if name.startswith("canvas_") else text for name, text in row(n_points="50", n_outside="4").items()}
    ]
    assert [one.text for one in flags_of(rows, 0)] == ["4 of 50 points are outside"]


def test_the_plots_of_a_image_show_both_curves():
    svg = before_and_after(natural(1), natural(2))
    assert svg.count("<svg") == 1
    assert svg.count("<polyline") == 4
    grey = np.full((64, 64, 3), 128, np.uint8)
    assert luma_histogram(grey[..., 0].astype(float)).tolist() == [float(bin_ == BINS // 2) for bin_ in range(BINS)]
    assert "nan" not in before_and_after(grey, grey)


def test_flags_name_what_is_odd_and_nothing_else():
    assert flags_of([row()], 900) == []
    found = flags_of(
        [
            row(canvas_clipped_fraction="0.31"),
            row(canvas_mean_error="-4.0", map_source="t"),
            row(image_id="b", canvas_contrast_ratio="0.7", n_points="100", n_outside="9", cut_fraction="0.5"),
        ],
        1200,
    )
    texts = [one.text for one in found]
    assert sum("clips 31%" in text for text in texts) == 1
    assert sum("off by -4.0" in text for text in texts) == 1
    assert sum("70% of the image's contrast" in text for text in texts) == 1
    assert sum("9 of 100 points are outside" in text for text in texts) == 1
    assert sum("loses 50%" in text for text in texts) == 1
    assert sum("1200 pixels are shown, 1000 have any importance" in text for text in texts) == 3


def test_the_radial_spectrum_finds_a_gratings_frequency():
    columns = np.arange(64)
    grating = np.broadcast_to(100 + 50 * np.sin(2 * np.pi * 9 * columns / 64), (64, 64))
    assert int(np.argmax(radial_spectrum(grating))) + 1 == 9


def test_a_sheet_is_made_with_the_recipe_seed_and_images_of_the_build_alone(tmp_path, capsys):
    recipe = write_folder(tmp_path / "images", n_images=2)
    build = ["stimuli", "build", str(recipe), "--out", str(tmp_path / "set"), "--quiet", "--workers", "1"]
    assert main([*build, "--seed", "5"]) == 0  # not the recipe's own
    show = [
        "stimuli",
        "show",
        str(tmp_path / "set"),
        "--out",
        str(tmp_path / "sheet"),
        "--recipe",
        str(recipe),
        "--quiet",
    ]
    assert main(show) == 0
    text = recipe.read_text()
    recipe.write_text(text + "\n[canvas]\ncoherence = 0.5\n")
    assert main(show) == 2
    assert "built from another recipe (canvas differs)" in capsys.readouterr().err
    recipe.write_text(text)
    Image.fromarray(natural(9)).save(tmp_path / "images/images/p01.png")
    assert main(show) == 2
    assert "p01.png: not the image that the set was built from" in capsys.readouterr().err
