"""Attributions of untouched networks on real photographs beside human maps: writes ``attribute_photographs.json``.

``nice -n 15 python -m benchmarks.attribute_photographs``; what the file holds already is kept.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from benchmarks.human_maps import GRID, SOURCES, photographs_of
from benchmarks.train_attached import NETWORKS, efficientnet, preprocessing
from rapidvision.gala_models.attribution.alignment import SMOOTH, blurred_maps, on_grid
from rapidvision.gala_models.attribution.maps import attributions
from rapidvision.gala_models.evaluation.agreement import centre_map, map_agreement
from rapidvision.gala_models.observer.observe import Network
from rapidvision.gala_models.observer.readout import Readout

STORED = Path(__file__).parent / "attribute_photographs.json"
MEASURES = ("rho", "partial", "own_minus_other", "overlap", "energy")
#: Method → its options here; the cheap ones first.
METHODS = {
    "grad-cam": {},
    "activity": {},
    "smoothgrad": {"n_samples": 8},
    "integrated-gradients": {"n_steps": 12},
    "occlusion": {"window": 0.2, "stride": 0.1},
    "rise": {"n_masks": 100},
}
#: The costly ones are measured on the smaller network only.
RUNS = [
    *((name, method) for method in ("grad-cam", "activity") for name in NETWORKS),
    *(("lite0", method) for method in ("smoothgrad", "integrated-gradients")),
    ("lite2", "smoothgrad"),
    *(("lite0", method) for method in ("occlusion", "rise")),
]


def network_of(name):
    """The network, whose evidence is the score of its best class: the photographs have no class of ImageNet."""
    best = Readout("best-class", 1000, lambda scores: scores.amax(1))
    return Network(name, efficientnet(name), best, preprocessing(name))


def maps_of(name, method, images):
    """Maps (n, GRID, GRID), blurred as human maps are."""
    network, out = network_of(name), []
    for image in images:
        found = attributions(network, image[None], method=method, **METHODS[method])
        out.append(on_grid(blurred_maps(found, SMOOTH), GRID)[0])
    return np.stack(out)


def measured(maps, human):
    found = map_agreement(maps, human)
    return {key: np.round(getattr(found, key), 4).tolist() for key in MEASURES} | {"p": found.p_value()}


def main(wanted):
    torch.set_num_threads(1)
    content = json.loads(STORED.read_text(encoding="utf-8")) if STORED.is_file() else {}
    content.setdefault("date", str(datetime.now(UTC).date()))
    content.setdefault("command", "python -m benchmarks.attribute_photographs")
    rows = content.setdefault("maps", {})
    for source in SOURCES:
        data = photographs_of(source)
        human = data.maps[source]
        if f"-/{source}/centre" not in rows:
            others = (human.sum(0) - human) / (len(human) - 1)
            rows[f"-/{source}/centre"] = measured(np.repeat(centre_map(GRID, GRID)[None], len(human), 0), human)
            rows[f"-/{source}/mean of others"] = {"rho": np.round(map_agreement(others, human).rho, 4).tolist()}
            rows[f"-/{source}/halves"] = {"rho": np.round(data.ceiling[source], 4).tolist()}
    write(content)
    for name, method in RUNS:
        for set_name in dict.fromkeys(SOURCES.values()):
            sources = [source for source, one in SOURCES.items() if one == set_name]
            keys = {source: f"{name}/{source}/{method}" for source in sources}
            if all(key in rows for key in keys.values()) or not method.startswith(wanted):
                continue
            maps = maps_of(name, method, photographs_of(sources[0]).images)
            for source, key in keys.items():
                rows[key] = measured(maps, photographs_of(source).maps[source])
                print(key, *(f"{one} {np.nanmean(rows[key][one]):.3f}" for one in MEASURES), flush=True)
            write(content)


def write(content):
    text = json.dumps(content, separators=(",", ":")).replace("NaN", "null")
    STORED.write_text(text.replace('"lite', '\n"lite').replace('"-/', '\n"-/') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
