"""
Reveal stimuli: one image at several levels
===========================================

Four of the eleven log-spaced levels for two importance maps of the same image, with equal numbers of pixels, centred on the same
phase-scrambled background: the stimuli of the paper (section 2.2).
"""

from importlib import resources
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from PIL import Image

from rapidvision.maps import ImportanceMap
from rapidvision.protocol import FEATURE_BUDGET, LOWEST_LEVEL, N_LEVELS
from rapidvision.reveal import RevealSeries, level_counts, level_fractions, level_label
from rapidvision.seeds import key64
from rapidvision.stimuli.background.canvas import make_canvas
from rapidvision.stimuli.recipe_tables import Canvas, Reveal
from rapidvision.stimuli.reveal.order import centring_shift, reveal_order

bundled = Path(str(resources.files("rapidvision.stimuli"))) / "bundled"
path = min(bundled.glob("images/cat-*"))
name = path.stem
with Image.open(path) as file:
    image = np.asarray(file.convert("RGB"))
canvas = make_canvas(image, Canvas(), key=key64(1, name), where=name).pixels
fractions = level_fractions(N_LEVELS, LOWEST_LEVEL)
counts = level_counts(round(FEATURE_BUDGET * image.shape[0] * image.shape[1]), fractions)

figure, axes = plt.subplots(2, 4, figsize=(9, 5), layout="constrained")
for row, source in zip(axes, ("clickme", "salicon"), strict=True):
    with Image.open(bundled / "maps" / source / f"{name}.png") as file:
        importance = ImportanceMap(np.asarray(file), image_id=name, source=source)
    order = reveal_order(importance, int(counts[-1]), Reveal(), key=key64(1, name, source))
    shift = centring_shift(order, importance.shape, "region")
    series = RevealSeries(order, importance.shape, counts, shift)
    for level, ax in zip(range(1, N_LEVELS, 3), row, strict=True):
        ax.imshow(series.compose(image, canvas, level))
        ax.set_axis_off()
        ax.set_title(
            f"{level_label(float(fractions[level]))} %" if source == "clickme" else f"{counts[level]:,} px", fontsize=14
        )
    row[0].text(-0.1, 0.5, source, rotation=90, ha="right", va="center", fontsize=14, transform=row[0].transAxes)
plt.show()

# %%
# For whole sets use ``rapidvision stimuli build``, which also hashes, verifies and resumes.
