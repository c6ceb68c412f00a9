"""A network as one ONNX file, from bytes of images to probabilities: it plays without torch, by onnxruntime."""

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rapidvision.errors import InputError
from rapidvision.formats.networks.onnx_card import OnnxCard, metadata_of
from rapidvision.system import extras, files
from rapidvision.text import csv_text

from .clickme_partner import for_inference
from .computing.device import Device
from .computing.forward import class_scores
from .layers.architecture import named
from .layers.resnet import build
from .preprocessing import Preprocessing
from .weights.load import load_model, load_weights


class Portable(nn.Module):
    """A network with its preprocessing in front and a softmax behind.

    Parameters
    ----------
    network : Module
        In evaluation mode; class scores out.
    preprocessing : Preprocessing
        What it expects.
    image_px : int
        Side of the square images that come in.
    dtype : torch.dtype, default torch.float32
        Of the network's weights and of what it computes; scaling, normalizing and probabilities stay float32.

    Notes
    -----
    Scaling is linear and separable, so it is two products with one matrix, which is what the antialiased scaling does
    to the identity.

    Examples
    --------
    >>> from rapidvision.gala_models.layers.resnet import build
    >>> network = Portable(build("compact-resnet").eval(), Preprocessing(size_px=96), image_px=256)
    >>> network(torch.zeros(2, 256, 256, 3, dtype=torch.uint8)).sum(1).round().tolist()
    [1.0, 1.0]
    """

    rows: Tensor
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: nn.Module,
        preprocessing: Preprocessing,
        *,
        image_px: int,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.network, self.dtype = network.to(dtype), dtype
        self.register_buffer("rows", _scaling(preprocessing, image_px))
        self.backwards, self.clamped = preprocessing.channel_order == "bgr", preprocessing.interpolation == "bicubic"
        self.register_buffer("mean", 255 * torch.tensor(preprocessing.mean)[:, None, None])
        self.register_buffer("std", 255 * torch.tensor(preprocessing.std)[:, None, None])

    def forward(self, images: Tensor) -> Tensor:
        """Return probabilities (n, n_classes) of uint8 images (n, image_px, image_px, 3)."""
        x = images.permute(0, 3, 1, 2).float()
        x = self.rows @ x @ self.rows.T
        if self.clamped:
            x = x.clamp(0, 255)
        if self.backwards:
            x = x.flip(1)
        scores: Tensor = self.network(((x - self.mean) / self.std).to(self.dtype))
        return scores.float().softmax(1)


def _scaling(preprocessing: Preprocessing, image_px: int) -> Tensor:
    """Return the matrix (size_px, image_px) that scales and cuts one axis of an image."""
    short, size_px = preprocessing.short_px, preprocessing.size_px
    rows = torch.eye(image_px)
    if short != image_px:
        size = (short, image_px)
        if preprocessing.interpolation == "nearest":
            rows = F.interpolate(rows[None, None], size, mode="nearest-exact")[0, 0]
        else:
            how = preprocessing.interpolation
            rows = F.interpolate(rows[None, None], size, mode=how, antialias=True, align_corners=False)[0, 0]
    first = (short - size_px) // 2
    return rows[first : first + size_px].contiguous()


def export_onnx(
    path: Path | str,
    model: nn.Module,
    preprocessing: Preprocessing,
    categories: Sequence[str],
    *,
    name: str,
    image_px: int = 256,
    device: Device | None = None,
) -> None:
    """Write a network as ONNX, folded: ``images`` in, ``probabilities`` out, any number at a time.

    Parameters
    ----------
    path : path-like
        ``.onnx``; written atomically.
    model : Module
        Post-activation residual networks are folded, others are taken as they are.
    preprocessing : Preprocessing
        Becomes part of the file.
    categories : sequence of str
        Names of the classes in order; stored in the file's metadata with `name`.
    name : str
        The network's id.
    image_px : int
        Side of the images: uint8 (n, image_px, image_px, 3).
    device : Device, optional
        Where it is traced, and in which numbers its weights are stored: float32 (default), or fp16 in half the bytes.

    Raises
    ------
    InputError
        When the names are not as many as the classes, or the numbers are bf16, which few programs compute in.
    MissingExtra
        Without ``onnx`` and ``onnxscript``.
    """
    device = device or Device()
    if device.precision == "bf16":
        raise InputError(f"{name}: bf16 is not for ONNX files, because few programs compute in it; use float32 or fp16")
    side = preprocessing.size_px
    with torch.inference_mode():
        n_classes = class_scores(model.eval(), torch.zeros(1, 3, side, side), name=name).shape[1]
    if len(categories) != n_classes or len(set(categories)) != n_classes:
        raise InputError(f"{name}: {len(set(categories))} different names for {n_classes} classes; one each is needed")
    for package in ("onnx", "onnxscript"):
        extras.need(package, extra="onnx", purpose="an ONNX file")
    plain = for_inference(model)
    card = OnnxCard(name=name, categories=tuple(categories), image_px=image_px)
    portable = Portable(plain, preprocessing, image_px=image_px, dtype=device.dtype).eval()
    files.write_bytes(path, _program(device.place(portable), card, device))


def export_file(
    model: Path,
    out: Path,
    *,
    architecture: str | None = None,
    size_px: int = 224,
    resize_px: int = 0,
    names: Path | None = None,
    image_px: int = 256,
    device: Device | None = None,
) -> int:
    """Write a file of weights as ONNX; returns the number of classes.

    Parameters
    ----------
    model, out : Path
        Weights of ours, or with `architecture` anybody's; the new file.
    architecture : str, optional
        Of a checkpoint without a card, whose input has a side of `size_px`, cut from images whose shorter side is brought
        to `resize_px` (`size_px` by default).
    names : Path, optional
        Names of the classes, one per line; ours bring their own.
    image_px : int
        Side of the images that come in.
    device : Device, optional
        See :func:`export_onnx`.

    Raises
    ------
    InputError
        When a file is missing or does not fit, or the classes have no names.
    """
    given = tuple(line for line in csv_text.read_text(names).splitlines() if line) if names else ()
    if architecture is not None:
        network, preprocessing = build(named(architecture)).eval(), Preprocessing(size_px=size_px, resize_px=resize_px)
        load_weights(network, model)
        own: tuple[str, ...] = ()
    else:
        network, card = load_model(model)
        preprocessing, own = card.preprocessing, tuple(category.name for category in card.categories)
    if not (given or own):
        raise InputError(f"{model}: its classes have no names; give them with --class-names, one per line")
    export_onnx(out, network, preprocessing, given or own, name=model.stem, image_px=image_px, device=device)
    return len(given or own)


def _program(network: Portable, card: OnnxCard, device: Device) -> bytes:
    (example,) = device.move(torch.zeros(2, card.image_px, card.image_px, 3, dtype=torch.uint8))
    quiet = logging.getLogger("torch.onnx")
    level = quiet.level
    quiet.setLevel(logging.ERROR)  # it tells of every package that it did not need
    try:
        with warnings.catch_warnings(), torch.enable_grad():  # without gradients, folded networks call oneDNN
            warnings.simplefilter("ignore")  # about the insides of torch
            program = torch.onnx.export(
                network,
                (example,),
                dynamo=True,
                input_names=["images"],
                output_names=["probabilities"],
                dynamic_shapes=({0: torch.export.Dim("n", min=1, max=4096)},),
                verbose=False,
            )
    finally:
        quiet.setLevel(level)
    assert program is not None
    proto: Any = program.model_proto
    for key, text in metadata_of(card).items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, text
    content: bytes = proto.SerializeToString()
    return content
