"""Measure the tables of the print and fit the proof's model anew, after a change of what the renderer draws.

usage: python tools/calibrate_images.py [SMALL LARGE PROOF]      (writes stimuli/render/*.json; needs PyTorch)
"""

import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from rapidvision.stimuli.render.bundle.calibrate import calibrate
from rapidvision.stimuli.render.decodability.network import Net

CHANNELS = (16, 24, 32)
EPOCHS = 14
BATCH = 64


def fit_net(spectra: np.ndarray, target: np.ndarray, weight: np.ndarray) -> Net:
    """Fit a network to spectra (n, 64, 33), the same on every run."""
    torch.manual_seed(1)
    middle = spectra.mean(0)
    x = torch.tensor((spectra - middle)[:, None], dtype=torch.float32)
    net = network()
    fit(net, x, torch.tensor(target.astype(np.float32)), torch.tensor(weight.astype(np.float32)))
    return folded(net, middle)


def network() -> nn.Sequential:
    """Three small blocks."""
    layers: list[nn.Module] = []
    for n_in, n_out in zip((1, *CHANNELS), CHANNELS, strict=False):
        layers += [nn.Conv2d(n_in, n_out, 3, padding=1), nn.BatchNorm2d(n_out), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3), nn.Linear(CHANNELS[-1], 1))


def loss(odds: torch.Tensor, y: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """Weighted mean cross entropy."""
    return (w * F.binary_cross_entropy_with_logits(odds, y, reduction="none")).sum() / w.sum()


def fit(net: nn.Sequential, x: torch.Tensor, y: torch.Tensor, w: torch.Tensor) -> None:
    """Adam with a falling rate."""
    steps = len(x) // BATCH
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=4e-3, total_steps=EPOCHS * steps)
    net.train()
    for _ in range(EPOCHS):
        order = torch.randperm(len(x))
        for i in range(steps):
            batch = order[i * BATCH : (i + 1) * BATCH]
            optimiser.zero_grad()
            loss(net(x[batch])[:, 0], y[batch], w[batch]).backward()
            optimiser.step()
            schedule.step()
    net.eval()


def folded(net: nn.Sequential, middle: np.ndarray) -> Net:
    """Put the normalisations into the kernels."""
    kernels, biases = [], []
    for i in range(0, 4 * len(CHANNELS), 4):
        scale = net[i + 1].weight / torch.sqrt(net[i + 1].running_var + net[i + 1].eps)
        kernel = net[i].weight * scale[:, None, None, None]
        bias = (net[i].bias - net[i + 1].running_mean) * scale + net[i + 1].bias
        kernels.append(kernel.permute(2, 3, 1, 0).detach().numpy().astype(float))
        biases.append(bias.detach().numpy().astype(float))
    last = net[-1]
    weights = last.weight[0].detach().numpy().astype(float)
    return Net(middle, tuple(kernels), tuple(biases), weights, last.bias[0].item())


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    torch.set_num_threads(1)
    calibrate(fit_net, *given, workers=2)
