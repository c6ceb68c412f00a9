"""
Do players agree where to look?
===============================

Maps of single simulated players, pair by pair: agreement on the same picture, the null of different pictures (over *all* pairs, exactly),
and the split-half reliability of the pooled map.
"""

from importlib import resources
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from PIL import Image
from scipy.ndimage import uniform_filter

from rapidvision.map_agreement.reliability import reliability
from rapidvision.protocol import MAP_BLUR_PX
from rapidvision.seeds import stream
from rapidvision.stimuli.render.observers.players import play

# %%
# Six players paint each of sixteen bundled pictures under the rules of the game; blurred as in the paper, every fourth pixel kept.

bundled = Path(str(resources.files("rapidvision.stimuli"))) / "bundled"
maps = {}
for category in ("bird", "zebra", "elephant", "cat", "table", "couch", "refrigerator", "umbrella"):
    for number in sorted(bundled.glob(f"parts/{category}-*.png"))[:2]:
        with Image.open(number) as parts, Image.open(bundled / "objects" / number.name) as objects:
            arrays = np.asarray(parts), np.asarray(objects)
        painted = play(*arrays, category, rng=stream(3, "gallery", number.stem), n_players=6)
        maps[number.stem] = uniform_filter(painted.astype(float), (0, MAP_BLUR_PX, MAP_BLUR_PX), mode="constant")[
            :, ::4, ::4
        ]
found = reliability(maps, seed=3)

figure, ax = plt.subplots(figsize=(6, 2.8), layout="constrained")
ax.bar(range(len(found.images)), found.per_image, color="#0072B2")
ax.axhline(found.null, color="black", linestyle="--", label="different pictures")
ax.set_xticks(range(len(found.images)), found.images, rotation=60, ha="right", fontsize=8)
ax.set_ylabel("Spearman's ρ between players")
ax.legend(frameon=False)
plt.show()
