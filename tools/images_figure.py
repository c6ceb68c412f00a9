"""Draw docs/images/bundled-images.png: each category with its maps and what they reveal, from a built stimulus set.

usage: python tools/images_figure.py SET      (a set built from `bundled`)
"""

import csv
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
BUNDLED = ROOT / "stimuli" / "bundled"
SIDE = 128


def main(folder: Path) -> None:
    """Draw a line per category."""
    with (BUNDLED / "images.csv").open(encoding="utf-8") as file:
        images = [row for row in csv.DictReader(file) if row["phase"] == "main"]
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        stimuli = list(csv.DictReader(file))
    lines = []
    for category in dict.fromkeys(row["category"] for row in images):
        shown = next(row for row in images if row["category"] == category)
        name = shown["image_id"]
        mine = [row for row in stimuli if row["image_id"] == name]
        line = [tile(BUNDLED / shown["path"])]
        for source in ("clickme", "salicon"):
            line.append(tile(BUNDLED / "maps" / source / f"{name}.png"))
            series = sorted(
                (row for row in mine if row["map_source"] == source), key=lambda row: int(row["level_index"])
            )
            # eleven levels, evenly spaced in the logarithm: the sixth is 10 %, the ninth 40 %, the eleventh 100 %
            line += [tile(folder / series[i]["path"]) for i in (5, 8, 10)]
        lines.append(np.concatenate(line, 1))
    out = ROOT / "docs" / "images" / "bundled-images.png"
    out.parent.mkdir(exist_ok=True)
    Image.fromarray(np.concatenate(lines, 0)).quantize(256).save(out, optimize=True)
    print(out)


def tile(path: Path) -> np.ndarray:
    """Return an image at the size of the figure."""
    with Image.open(path) as image:
        return np.array(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX))


main(Path(sys.argv[1]))
