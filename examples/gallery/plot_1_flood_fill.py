"""
How a flood fill grows
======================

The reveal order starts at a map's most important pixel and adds, one by one, a pixel of the region's border: the more important a
pixel, the likelier it is next (exponent γ). γ = 0 does not look at the map: that is the control.
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
# A bundled picture and its ClickMe-like map, made by simulated players.

bundled = Path(str(resources.files("rapidvision.stimuli"))) / "bundled"
with Image.open(min(bundled.glob("maps/clickme/elephant-*.png"))) as file:
    importance = np.asarray(file, np.float32)

# %%
# The order of the first 15 % of the pixels, for three exponents. The same key gives the same order on every machine, with either engine.

n_px = round(FEATURE_BUDGET * importance.size)
best = np.sort(importance.ravel())[::-1][:n_px].sum()
row, column = np.unravel_index(importance.argmax(), importance.shape)
figure, axes = plt.subplots(1, 4, figsize=(11, 2.9), layout="constrained")
axes[0].imshow(importance, cmap="gray")
axes[0].set_title("importance")
for ax, gamma in zip(axes[1:], (0.0, 2.0, 8.0), strict=True):
    growth = Growth(gamma=gamma, start=(int(row), int(column)))
    order = fill(importance, n_px, key=key64(1, "gallery"), growth=growth)
    place = np.full(importance.size, np.nan)
    place[order] = np.arange(n_px) / n_px * 100
    shown = ax.imshow(place.reshape(importance.shape), cmap="viridis_r")
    ax.set_title(f"γ = {gamma:g}: {importance.ravel()[order].sum() / best:.0%} captured")
for ax in axes:
    ax.set_axis_off()
figure.colorbar(shown, ax=axes, label="revealed at (% of the features)")
plt.show()

# %%
# *Captured*: importance of the revealed pixels, relative to the most that as many pixels could have.
