"""
Stochastic flood fill of an importance map
==========================================

The reveal order starts at the most important pixel of a map and adds pixels from the border of the region, one at a time. The probability
of a pixel increases with its importance (exponent γ). γ = 0 ignores the map and is the control.
"""

from importlib import resources
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from PIL import Image

from rapidvision.protocol import FEATURE_BUDGET
from rapidvision.seeds import key64
from rapidvision.stimuli.reveal.flood import Growth, fill

# %%
# The ClickMe-like map of a bundled image, from simulated players.

bundled = Path(str(resources.files("rapidvision.stimuli"))) / "bundled"
with Image.open(min(bundled.glob("maps/clickme/elephant-*.png"))) as file:
    importance = np.asarray(file, np.float32)

# %%
# The order of the first 15 % of the pixels, for three exponents. The same key gives the same order on every computer.

n_px = round(FEATURE_BUDGET * importance.size)
best = np.sort(importance.ravel())[::-1][:n_px].sum()
row, column = np.unravel_index(importance.argmax(), importance.shape)
figure, grid = plt.subplots(2, 2, figsize=(7, 6), layout="constrained")
axes = grid.ravel()
axes[0].imshow(importance, cmap="gray")
axes[0].set_title("importance map", fontsize=15)
for ax, gamma in zip(axes[1:], (0.0, 2.0, 8.0), strict=True):
    growth = Growth(gamma=gamma, start=(int(row), int(column)))
    order = fill(importance, n_px, key=key64(1, "gallery"), growth=growth)
    place = np.full(importance.size, np.nan)
    place[order] = np.arange(n_px) / n_px * 100
    shown = ax.imshow(place.reshape(importance.shape), cmap="viridis_r")
    ax.set_title(f"γ = {gamma:g}: {importance.ravel()[order].sum() / best:.0%} captured", fontsize=15)
for ax in axes:
    ax.set_axis_off()
bar = figure.colorbar(shown, ax=axes)
bar.set_label("revealed at (% of the features)", fontsize=13)
plt.show()

# %%
# *Captured*: summed importance of the revealed pixels, relative to the maximum for the same number of pixels.
