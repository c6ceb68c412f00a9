"""The bundled images: what they are, and what the order of their maps reveals to a network that knows intact ones."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.harness import NotMeasured, at_least
from benchmarks.images_drawn import BUNDLED, SEED, fitted, many, render, suite, torch_or_not

N_INTACT = 4800
SMALLEST_CROP = 0.35  # of the area: a smaller one often misses the object, which covers a tenth of the image


def score(one, target):
    """Area under the receiver operating characteristic: what an unbiased observer would score between two images."""
    order = np.argsort(np.argsort(one)) + 1.0
    n = int(target.sum())
    return (order[target].sum() - n * (n + 1) / 2) / (n * (target.size - n))


def residual():
    """A small residual network for 64 px and eight categories."""
    from torch import nn
    from torch.nn import functional as F

    class Block(nn.Module):
        def __init__(self, n_in, n_out, stride):
            super().__init__()
            self.long = nn.Sequential(
                nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False),
                nn.BatchNorm2d(n_out),
                nn.ReLU(),
                nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False),
                nn.BatchNorm2d(n_out),
            )
            self.short = nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))

        def forward(self, x):
            return F.relu(self.long(x) + self.short(x))

    stem = [nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    blocks = [Block(16, 32, 1), Block(32, 64, 2), Block(64, 96, 2)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(96, 8))


def usual_changes(batch):
    """What networks are trained on for ImageNet: crops of 35 to 100 %, mirror, colour jitter, erasing with noise."""
    import torch
    from torch.nn import functional as F

    n, side = len(batch), batch.shape[-1]

    def uniform(low, high, *shape):
        return torch.empty(n, *shape).uniform_(low, high)

    area, ratio = uniform(SMALLEST_CROP, 1.0), torch.exp(uniform(np.log(3 / 4), np.log(4 / 3)))
    wide, high = torch.sqrt(area * ratio).clamp(max=1), torch.sqrt(area / ratio).clamp(max=1)
    frame = torch.zeros(n, 2, 3)
    frame[:, 0, 0] = wide * torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
    frame[:, 0, 2] = uniform(-1, 1) * (1 - wide)
    frame[:, 1, 1] = high
    frame[:, 1, 2] = uniform(-1, 1) * (1 - high)
    grid = F.affine_grid(frame, batch.shape, align_corners=False)
    x = F.grid_sample(batch, grid, align_corners=False, padding_mode="reflection")
    x = (x + 0.5) * uniform(0.6, 1.4, 1, 1, 1) - 0.5
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * uniform(0.6, 1.4, 1, 1, 1) + mean
    grey = x.mean(1, keepdim=True)
    x = (x - grey) * uniform(0.6, 1.4, 1, 1, 1) + grey
    erased, shape = uniform(0.02, 0.33) * side**2, torch.exp(uniform(np.log(0.3), np.log(3.3)))
    for i in torch.nonzero(torch.rand(n) < 0.5)[:, 0]:
        high = int(torch.sqrt(erased[i] * shape[i]).clamp(1, side - 1))
        wide = int(torch.sqrt(erased[i] / shape[i]).clamp(1, side - 1))
        top, left = int(torch.randint(0, side + 1 - high, ())), int(torch.randint(0, side + 1 - wide, ()))
        x[i, :, top : top + high, left : left + wide] = 0.25 * torch.randn(3, high, wide)
    return x


@cache
def intact_network():
    """A small residual network with the usual training recipe, fitted to intact images alone."""
    torch = torch_or_not()
    images, _ = many(N_INTACT)
    x = torch.tensor(images.transpose(0, 3, 1, 2) / 255.0 - 0.5, dtype=torch.float32)
    kinds = torch.tensor(np.arange(len(images)) % 8)
    return fitted(residual(), x, kinds, epochs=24, change=usual_changes, smoothing=0.1)


@cache
def reveal_curves(canvas):
    """Area under the ROC between targets and distractors, per map source and level, on canvases of a kind."""
    import csv

    from PIL import Image

    from rapidvision import cli

    torch = torch_or_not()
    net, (_, folder, _, _) = intact_network(), render()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        folder.render(root / "p", folder.plan([25] * 8), seed=SEED + 1, size=64, workers=2)
        recipe = (BUNDLED / "recipe.toml").read_text(encoding="utf-8").replace("gauss:7", "gauss:1.75")
        (root / "p" / "recipe.toml").write_text(
            f'image_px = 64\n{recipe}\n[canvas]\nkind = "{canvas}"\n', encoding="utf-8"
        )
        if cli.main(["stimuli", "build", str(root / "p" / "recipe.toml"), "--out", str(root / "set"), "--quiet"]):
            raise NotMeasured("the stimulus set could not be built")
        with (root / "set" / "manifest.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        shown = np.stack([np.array(Image.open(root / "set" / row["path"]).convert("RGB")) for row in rows])
    values = []
    with torch.no_grad():
        for batch in np.array_split(shown, 20):
            out = net(torch.tensor(batch.transpose(0, 3, 1, 2) / 255.0 - 0.5, dtype=torch.float32))
            values.append((out[:, :4].logsumexp(1) - out[:, 4:].logsumexp(1)).numpy())
    values = np.concatenate(values)
    keys = [(row["map_source"], float(row["reveal_fraction"] or 1), row["level_label"]) for row in rows]
    target = np.array([row["category"] in folder.TARGETS for row in rows])
    curves = {}
    for key in sorted(set(keys)):
        mine = np.array([other == key for other in keys])
        curves[key] = score(values[mine], target[mine])
    return curves


for _canvas, _where in (("phase", "scrambled canvases"), ("mean", "canvases of the mean colour")):

    @suite.figure(f"network on {_where}, 10 to 63 %: ClickMe- less SALICON-like", unit="% correct", bar=at_least(3))
    def reveal(canvas=_canvas):
        """The network never saw a canvas of either kind, nor an image that was revealed in part."""
        curves = reveal_curves(canvas)
        for source in sorted({source for source, _, _ in curves}):
            mine = (f"{label}:{100 * v:.0f}" for (s, _, label), v in curves.items() if s == source)
            print(f"    {source or 'intact':8}", *mine)

        def mean(source):
            return np.mean([v for (s, level, _), v in curves.items() if s == source and 0.09 < level < 0.7])

        return 100 * float(mean("clickme") - mean("salicon"))
