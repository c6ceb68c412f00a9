"""Fig. 2B of networks on photographs, from tables of `models observe`: accuracy and AUC, intervals over images.

    python -m benchmarks.osie_networks phase=phase.csv set-spectrum=spectrum.csv

writes ``osie_networks.json`` here and ``docs/images/osie-networks.png``. The photographs are not part of the project;
docs/photographs.md says how the sets are built.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

STORED = Path(__file__).parent / "osie_networks.json"
FIGURE = Path(__file__).parents[1] / "docs" / "images" / "osie-networks.png"
N_RESAMPLES = 2000


def auc(evidence, target):
    """Share of pairs of a target and a distractor that the evidence orders rightly; ties count half."""
    mine, other = evidence[target], evidence[~target]
    return float(np.mean((mine[:, None] > other[None]) + 0.5 * (mine[:, None] == other[None])))


def curves(path):
    """Rows of network, source, level: accuracy, AUC and their intervals over images (resampled within each kind)."""
    table = pd.read_csv(path, low_memory=False)
    table = table[table["phase"] == "main"]
    keys = ["observer", "map_source", "level_index", "level_label"]
    seen = table.groupby([*keys, "image_id"], sort=True)[["target", "correct", "decision_value"]].first().reset_index()
    rows = []
    rng = np.random.Generator(np.random.PCG64(19))
    for names, one in seen.groupby(keys, sort=True):
        target = one["target"].astype(str).str.lower().isin(["true", "1"]).to_numpy()
        right = one["correct"].astype(str).str.lower().isin(["true", "1"]).to_numpy()
        evidence = one["decision_value"].to_numpy(float)
        kinds = [np.flatnonzero(target), np.flatnonzero(~target)]
        draws = [np.concatenate([rng.choice(kind, len(kind)) for kind in kinds]) for _ in range(N_RESAMPLES)]
        found = {
            "accuracy": (right.mean(), [right[draw].mean() for draw in draws]),
            "auc": (auc(evidence, target), [auc(evidence[draw], target[draw]) for draw in draws]),
        }
        row = dict(zip(("network", "source", "level_index", "level"), names, strict=True))
        row |= {"n_images": len(one), "says_target": round(float((right == target).mean()), 4)}
        for name, (value, resampled) in found.items():
            row[name] = round(float(value), 4)
            row[f"{name}_95"] = [round(float(edge), 4) for edge in np.quantile(resampled, [0.025, 0.975])]
        rows.append(row)
    return rows


def draw(content):
    """A panel per canvas and measure; the band is what the lowest level alone gives, with its interval."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    canvases = list(content["canvases"])
    figure, axes = plt.subplots(2, len(canvases), figsize=(5 * len(canvases), 7), squeeze=False, sharey=True)
    for column, canvas in enumerate(canvases):
        rows = pd.DataFrame(content["canvases"][canvas])
        for line, measure in enumerate(("accuracy", "auc")):
            axis = axes[line][column]
            for number, (network, mine) in enumerate(rows.groupby("network")):
                for source, style in (("fixations", "-"), ("mouse", "--")):
                    one = mine[mine["source"] == source].sort_values("level_index")
                    axis.plot(one["level"], one[measure], style, color=f"C{number}", label=f"{network}, {source}")
            lowest = rows[(rows["level_index"] == 0) & rows["network"].str.startswith("efficientnet")]
            edges = np.array(list(lowest[f"{measure}_95"]))
            axis.axhspan(edges[:, 0].min(), edges[:, 1].max(), color="0.9", zorder=0)
            axis.axhline(0.5, color="0.6", linewidth=0.8)
            axis.set_title(f"{canvas}: {measure}")
            axis.set_ylim(0.2, 1.0)
            axis.tick_params(axis="x", rotation=60)
    axes[0][-1].legend(fontsize=6, loc="lower right", ncols=2)
    figure.tight_layout()
    figure.savefig(FIGURE, dpi=110, metadata={"Software": None})


def main(words):
    """Store the numbers and draw the figure."""
    canvases = {canvas: curves(path) for canvas, path in (word.split("=", 1) for word in words)}
    content = {"command": "python -m benchmarks.osie_networks", "date": "2026-12-01", "canvases": canvases}
    STORED.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    draw(content)


if __name__ == "__main__":
    main(sys.argv[1:])
