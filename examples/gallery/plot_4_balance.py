"""
Who sees which picture at which level
=====================================

Levels are dealt by shuffled Latin squares: over each round of 12 slots every picture is shown once at every level, and no participant
sees a picture twice. Both groups use the same slots.
"""

import numpy as np
from matplotlib import pyplot as plt

from rapidvision.experiments.design.assign import levels_for
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
# Every column of the left picture, a picture of the set, holds each level five times in 60 slots.

counts = np.array([np.bincount(column, minlength=N_LEVELS + 1) for column in dealt.T])
assert (counts == 5).all()

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), width_ratios=(3, 1), layout="constrained")
shown = left.imshow(dealt, cmap="viridis", interpolation="nearest", aspect="auto")
left.set(xlabel="picture", ylabel="participant slot", title="level at which a slot sees a picture")
figure.colorbar(shown, ax=left, ticks=range(N_LEVELS + 1), label="level (11: intact)")
per_slot = np.array([np.bincount(row, minlength=N_LEVELS + 1) for row in dealt])
right.imshow(per_slot, cmap="gray", vmin=0, interpolation="nearest", aspect="auto")
right.set(xlabel="level", title=f"trials per slot and level:\n{per_slot.min()} or {per_slot.max()}")
plt.show()
