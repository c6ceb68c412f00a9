"""A small convolutional network that reads a log amplitude spectrum, computed in one order on every machine."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..shapes.compiled import compiled

Floats = NDArray[np.float64]


class Net(NamedTuple):
    """Three blocks of a 3 x 3 convolution, rectification and 2 x 2 maxima; then means, and a weighted sum of them."""

    middle: Floats  # what is taken off a spectrum before; (height, width)
    kernels: tuple[Floats, Floats, Floats]  # (3, 3, channels in, channels out) each
    biases: tuple[Floats, Floats, Floats]
    last: Floats  # (channels out,)
    constant: float


def log_odds(net: Net, spectrum: Floats) -> float:
    """Return what the network makes of a log amplitude spectrum.

    Parameters
    ----------
    net : Net
        The network.
    spectrum : ndarray of float, shape (height, width)
        As ``net.middle``; rounded to nine digits before anything is computed.

    Examples
    --------
    >>> blocks = [np.ones((3, 3, 1, 1)) / 9] * 3
    >>> net = Net(np.zeros((16, 16)), tuple(blocks), (np.zeros(1),) * 3, np.ones(1), 0.5)
    >>> round(log_odds(net, np.ones((16, 16))), 6)
    1.5
    """
    x = np.round(spectrum - net.middle, 9)[..., None]
    for kernel, bias in zip(net.kernels, net.biases, strict=True):
        x = block(x, np.ascontiguousarray(kernel), bias)
    total = net.constant
    for channel, weight in enumerate(net.last):
        total += float(weight) * _sum(x, channel) / (x.shape[0] * x.shape[1])
    return total


@compiled
def block(x: Floats, kernel: Floats, bias: Floats) -> Floats:
    """Convolve (zeros around), rectify, and take the largest of each 2 x 2; an odd last row or column is left out."""
    height, width, n_in = x.shape
    n_out = bias.size
    out = np.zeros((height // 2, width // 2, n_out))
    total = np.empty((width // 2 * 2, n_out))  # a row at a time: its columns do not wait for each other's sums
    for row in range(height // 2 * 2):
        for column in range(width // 2 * 2):
            for o in range(n_out):
                total[column, o] = bias[o]
        for dy in range(3):
            y = row + dy - 1
            if y < 0 or y >= height:
                continue
            for dx in range(3):
                for column in range(max(1 - dx, 0), min(width // 2 * 2, width + 1 - dx)):
                    for i in range(n_in):
                        value = x[y, column + dx - 1, i]
                        if value == 0.0:  # half of all, after the first block
                            continue
                        for o in range(n_out):
                            total[column, o] += value * kernel[dy, dx, i, o]
        for column in range(width // 2 * 2):
            for o in range(n_out):
                out[row // 2, column // 2, o] = max(out[row // 2, column // 2, o], total[column, o])
    return out


@compiled
def _sum(x: Floats, channel: int) -> float:
    total = 0.0
    for row in range(x.shape[0]):
        for column in range(x.shape[1]):
            total += x[row, column, channel]
    return total
