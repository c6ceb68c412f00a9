"""
Backgrounds: phase scrambling and alternatives
==============================================

The background (*canvas*) hides the image and keeps its statistics. Phase scrambling adds one random phase field to all channels, which
keeps auto- and cross-spectra. Gamut iterations reduce the values outside 0 … 255; the remaining clipped values are reported.
"""

from importlib import resources
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from PIL import Image

from rapidvision.seeds import key64
from rapidvision.stimuli.background.canvas import make_canvas
from rapidvision.stimuli.recipe_tables import Canvas

bundled = Path(str(resources.files("rapidvision.stimuli"))) / "bundled"
path = min(bundled.glob("images/zebra-*"))
with Image.open(path) as file:
    image = np.asarray(file.convert("RGB"))

kinds = {
    "phase": Canvas(),
    "phase, plain": Canvas(gamut_iterations=0),
    "half coherent": Canvas(coherence=0.5),
    "noise": Canvas(kind="noise"),
    "blur": Canvas(kind="blur"),
    "mean": Canvas(kind="mean"),
}
figure, grid = plt.subplots(2, 4, figsize=(10, 6), layout="constrained")
axes = grid.ravel()
axes[0].imshow(image)
axes[0].set_title("image", fontsize=14)
for ax, (name, kind) in zip(axes[1:], kinds.items(), strict=False):
    made = make_canvas(image, kind, key=key64(1, "gallery"), where=path.name)
    ax.imshow(made.pixels)
    found = made.quality
    ax.set_title(
        f"{name}\nclipped {found.clipped_fraction:.1%}\nmean {found.mean_error:+.1f}, contrast {found.contrast_ratio:.2f}",
        fontsize=12,
    )
for ax in axes:
    ax.set_axis_off()
plt.show()

# %%
# *mean*: background minus image in grey levels; *contrast*: ratio of the standard deviations. ``quality.csv`` of each set has both.
