"""
Attention maps of GALA networks
===============================

Attention maps of the bundled GALA networks with and without supervision by ClickMe-like maps, drawn as opacity (Fig. 4 of the paper). The
networks were trained on rendered images; this example is not a replication.
"""

from importlib import resources
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from PIL import Image

from rapidvision.gala_models.observer.networks import find_networks
from rapidvision.gala_models.observer.overlay import attention_of, overlay

bundled = Path(str(resources.files("rapidvision.stimuli"))) / "bundled"
names = [
    min(bundled.glob(f"images/{kind}-*")).stem for kind in ("bird", "zebra", "elephant", "cat", "couch", "umbrella")
]


def read(path: Path, mode: str) -> np.ndarray:
    """Pixels of a file."""
    with Image.open(path) as file:
        return np.asarray(file.convert(mode))


images = np.stack([read(bundled / "images" / f"{name}.webp", "RGB") for name in names])
people = np.stack([read(bundled / "maps" / "clickme" / f"{name}.png", "L") for name in names]) / 255.0
rows = {
    "image": list(images),
    "ClickMe-like": [overlay(a, b.astype(np.float32)) for a, b in zip(images, people, strict=True)],
}
for network in find_networks("bundled"):
    if "gala" in network.name:
        seen = attention_of(network, images).numpy()
        rows[network.name] = [overlay(a, b) for a, b in zip(images, seen, strict=True)]

figure, axes = plt.subplots(len(rows), len(names), figsize=(1.7 * len(names), 1.75 * len(rows)), layout="constrained")
for line, (title, shown) in zip(axes, rows.items(), strict=True):
    for ax, pixels in zip(line, shown, strict=True):
        ax.imshow(pixels)
        ax.set_axis_off()
    line[0].text(-0.06, 0.5, title, rotation=90, ha="right", va="center", transform=line[0].transAxes, fontsize=13)
plt.show()
