"""
What is seen where the picture is not
=====================================

A canvas hides the picture and keeps its statistics. Phase scrambling turns all channels by one random phase field, so that auto- and
cross-spectra stay; what leaves 0 … 255 is searched away (*gamut-aware*) and the rest is reported, never silent.
"""

from importlib import resources
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from PIL import Image

from rapidvision.seeds import key64
from rapidvision.stimuli.background.canvas import make_canvas
from rapidvision.stimuli.recipe import Canvas

bundled = Path(str(resources.files("rapidvision.stimuli"))) / "bundled"
path = min(bundled.glob("images/zebra-*"))
with Image.open(path) as file:
    picture = np.asarray(file.convert("RGB"))

kinds = {
    "phase": Canvas(),
    "phase, plain": Canvas(gamut_iterations=0),
    "half coherent": Canvas(coherence=0.5),
    "noise": Canvas(kind="noise"),
    "blur": Canvas(kind="blur"),
    "mean": Canvas(kind="mean"),
}
figure, axes = plt.subplots(1, 7, figsize=(13, 2.7), layout="constrained")
axes[0].imshow(picture)
axes[0].set_title("picture")
for ax, (name, kind) in zip(axes[1:], kinds.items(), strict=True):
    made = make_canvas(picture, kind, key=key64(1, "gallery"), where=path.name)
    ax.imshow(made.pixels)
    found = made.quality
    ax.set_title(
        f"{name}\nclipped {found.clipped_fraction:.1%}\nmean {found.mean_error:+.1f}, contrast {found.contrast_ratio:.2f}",
        fontsize=9,
    )
for ax in axes:
    ax.set_axis_off()
plt.show()

# %%
# *mean*: canvas minus picture in grey levels; *contrast*: ratio of the standard deviations. Both are in ``quality.csv`` of every set.
