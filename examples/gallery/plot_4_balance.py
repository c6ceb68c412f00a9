"""
Counterbalancing: images and levels
===================================

Shuffled Latin squares assign the levels: over each round of 12 slots, each image is shown once at each level, and no participant
sees an image twice. Both groups use the same slots.
"""

import numpy as np
from matplotlib import pyplot as plt

from rapidvision.experiments.design.assignment.squares import levels_for
from rapidvision.formats.manifest import Exemplar
from rapidvision.protocol import N_LEVELS

animals, things = ("bird", "zebra", "elephant", "cat"), ("table", "couch", "refrigerator", "umbrella")
exemplars = [
    Exemplar(f"{category}-{number:03d}", category, category in animals, "main")
    for category in animals + things
    for number in range(10)
]
dealt = np.array(
    [
        [levels[one.image_id] for one in exemplars]
        for levels in (levels_for(exemplars, N_LEVELS + 1, slot=slot, seed=1) for slot in range(60))
    ]
)

# %%
# Each column of the left panel is an image of the set. In 60 slots, each image has each level five times.

counts = np.array([np.bincount(column, minlength=N_LEVELS + 1) for column in dealt.T])
assert (counts == 5).all()

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 5), width_ratios=(2, 1), layout="constrained")
shown = left.imshow(dealt, cmap="viridis", interpolation="nearest", aspect="auto")
left.set_xlabel("image", fontsize=14)
left.set_ylabel("participant slot", fontsize=14)
left.set_title("level of each image in each slot", fontsize=15)
bar = figure.colorbar(shown, ax=left, ticks=range(N_LEVELS + 1))
bar.set_label("level (11: intact)", fontsize=13)
per_slot = np.array([np.bincount(row, minlength=N_LEVELS + 1) for row in dealt])
right.imshow(per_slot, cmap="gray", vmin=0, interpolation="nearest", aspect="auto")
right.set_xlabel("level", fontsize=14)
right.set_title(f"trials per level:\n{per_slot.min()} or {per_slot.max()}", fontsize=15)
plt.show()
