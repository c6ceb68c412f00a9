"""From the pixels of an image to a network's input, in one place for training, tests and observers."""

from math import inf, isfinite
from typing import Annotated, Literal

import msgspec
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from rapidvision.errors import InputError
from rapidvision.recipes import Recipe

Interpolation = Literal["bilinear", "bicubic", "nearest"]
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
        Subtracted from, and divided into, values of 0 … 1, in the network's channel order.
    interpolation : {"bilinear", "bicubic", "nearest"}
        How images are scaled; the first two with antialiasing.
    crop : {"centre", "squash"}
        ``centre`` scales the shorter side and keeps proportions; ``squash`` scales both sides to `resize_px`. The centre
        of `size_px` is cut out of either.
    channel_order : {"rgb", "bgr"}
        In which the network takes colours.

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
    interpolation: Interpolation = "bilinear"
    crop: Literal["centre", "squash"] = "centre"
    channel_order: Literal["rgb", "bgr"] = "rgb"

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
        sides = "both sides" if self.crop == "squash" else "shorter side"
        how = "" if self.interpolation == "bilinear" else f" ({self.interpolation})"
        order = "" if self.channel_order == "rgb" else f", {self.channel_order}"
        return f"{sides} to {self.short_px} px{how}, centre of {self.size_px} px{order}"

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
        scale = self.short_px / min(height, width)
        size = (self.short_px,) * 2 if self.crop == "squash" else (round(height * scale), round(width * scale))
        x = self.scaled(x, size)
        top, left = (x.shape[2] - self.size_px) // 2, (x.shape[3] - self.size_px) // 2
        x = x[:, :, top : top + self.size_px, left : left + self.size_px]
        return self.normalized(x / 255)

    def scaled(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """Bring values of 0 … 255, shape (n, channels, height, width), to another height and width."""
        if tuple(x.shape[2:]) == size:
            return x
        if self.interpolation == "nearest":
            return F.interpolate(x, size, mode="nearest-exact")
        x = F.interpolate(x, size, mode=self.interpolation, antialias=True, align_corners=False)
        return x.clamp(0, 255) if self.interpolation == "bicubic" else x

    def normalized(self, x: Tensor) -> Tensor:
        """Subtract the mean and divide by the standard deviation; `x` is (n, 3, height, width) in 0 … 1, red first."""
        if self.channel_order == "bgr":
            x = x.flip(1)
        mean, std = (torch.tensor(three, device=x.device)[:, None, None] for three in (self.mean, self.std))
        return ((x - mean) / std).contiguous(memory_format=torch.channels_last)
