"""From the pixels of an image to a network's input, in one place for training, tests and observers."""

from math import inf, isfinite
from typing import Annotated

import msgspec
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from rapidvision.errors import InputError
from rapidvision.recipes import Recipe

Three = Annotated[tuple[float, float, float], msgspec.Meta(description="red, green, blue")]


class Preprocessing(Recipe, frozen=True):
    """How pixels become input.

    Attributes
    ----------
    size_px : int
        Side of the square input.
    resize_px : int
        The shorter side is brought to this before the centre is cut out; 0 means `size_px`, so that the whole of a
        square image is seen.
    mean, std : three floats
        Subtracted from, and divided into, values of 0 … 1.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> rv.models.Preprocessing(size_px=8)(np.full((1, 8, 8, 3), 255, np.uint8)).shape
    torch.Size([1, 3, 8, 8])
    """

    size_px: int = 224
    resize_px: int = 0
    mean: Three = (0.485, 0.456, 0.406)
    std: Three = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        if self.size_px < 1 or 0 < self.resize_px < self.size_px:
            raise ValueError(f"size_px must be >= 1 and resize_px 0 or >= it, got {self.size_px}, {self.resize_px}")
        if not all(0 < value < inf for value in self.std) or not all(map(isfinite, self.mean)):
            raise ValueError(f"mean must be finite and std > 0, got {list(self.mean)} and {list(self.std)}")

    @property
    def short_px(self) -> int:
        """What the shorter side is brought to."""
        return self.resize_px or self.size_px

    def check_side(self, side_px: int, *, where: str) -> None:
        """Refuse stored images whose side is not what images are brought to before the centre is cut out.

        Raises
        ------
        InputError
            Says both sides and what to do.
        """
        if side_px != self.short_px:
            raise InputError(
                f"{where} has images of {side_px} px, but the network's preprocessing brings the shorter side to "
                f"{self.short_px} px and cuts {self.size_px} px out of the centre; pack with --size {self.short_px}, "
                f"or state resize_px = {side_px} where the network was trained on cuts of such images"
            )

    def __str__(self) -> str:
        return f"shorter side to {self.short_px} px, centre of {self.size_px} px"

    def __call__(self, images: NDArray[np.uint8]) -> Tensor:
        """Return input, float32 (n, 3, size_px, size_px) and channels last, of images (n, height, width, 3).

        Raises
        ------
        InputError
            When the images are not bytes from 0 to 255 with three channels.
        """
        if images.dtype != np.uint8:
            raise InputError(
                f"images: {images.dtype} from {images.min():g} to {images.max():g}; bytes from 0 to 255 are "
                "needed, because the network normalizes them itself (once)"
            )
        if images.ndim != 4 or images.shape[3] != 3:
            raise InputError(f"images: shape {images.shape}; (n, height, width, 3) is needed")
        x = torch.from_numpy(np.array(images, order="C")).permute(0, 3, 1, 2).float()
        height, width = x.shape[2:]
        short = self.short_px
        if min(height, width) != short:
            scale = short / min(height, width)
            size = (round(height * scale), round(width * scale))
            x = F.interpolate(x, size, mode="bilinear", antialias=True, align_corners=False)
        top, left = (x.shape[2] - self.size_px) // 2, (x.shape[3] - self.size_px) // 2
        x = x[:, :, top : top + self.size_px, left : left + self.size_px]
        return self.normalized(x / 255)

    def normalized(self, x: Tensor) -> Tensor:
        """Subtract the mean and divide by the standard deviation; `x` is (n, 3, height, width) in 0 … 1."""
        mean, std = (torch.tensor(three, device=x.device)[:, None, None] for three in (self.mean, self.std))
        return ((x - mean) / std).contiguous(memory_format=torch.channels_last)
