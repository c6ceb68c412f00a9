"""Images of attention: maps as greyscale files, overlays and mosaics as in Figs. 4 and 8."""

from collections.abc import Sequence
from inspect import signature
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from rapidvision.errors import CheckFailed, InputError
from rapidvision.formats.networks.model_record import LEGEND, LEGEND_NAME, Attention, AttentionLegend, Mosaic
from rapidvision.images.png import png_bytes
from rapidvision.system import files

from ..computing.device import on_cpu
from ..computing.forward import output_of
from ..layers.attention import attention_maps, kind_of
from ..registries import ATTRIBUTIONS
from ..scores import check_finite
from .observe import Network

_GREY = 128
_LABEL_PX = 16


def unit_range(maps: Tensor) -> Tensor:
    """Bring each map to 0 … 1; a flat map becomes 0. Shape (n, height, width) in and out.

    Examples
    --------
    >>> unit_range(torch.tensor([[[1.0, 3.0], [2.0, 1.0]]])).tolist()
    [[[0.0, 1.0], [0.5, 0.0]]]
    """
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return (maps - low) / (high - low).clamp_min(1e-12)


def enlarged(maps: Tensor, height: int, width: int) -> Tensor:
    """Bring maps (n, h, w) to the size of an image, bilinearly; values stay within their range."""
    return F.interpolate(maps[:, None], (height, width), mode="bilinear", align_corners=False)[:, 0]


def attention_of(network: Network, images: NDArray[np.uint8], *, names: Sequence[str] = ()) -> Tensor:
    """Attention of a network's deepest attended layer to images.

    Parameters
    ----------
    network : Network
        Any network of this package; one without attention gives its features' map instead.
    images : ndarray of uint8, shape (n, height, width, 3)
        Square images of one size.
    names : sequence of str, optional
        Theirs, for messages.

    Returns
    -------
    Tensor, shape (n, height, width)
        In 0 … 1 over the part of each image that the network saw, 0 outside it.

    Raises
    ------
    InputError
        When the images are not square.
    CheckFailed
        When attention is not finite; names network, images and layer.
    """
    side = images.shape[1]
    if images.shape[2] != side:
        raise InputError(f"attention: images of {images.shape[2]} x {side} px; they must be square")
    with torch.inference_mode(), attention_maps(network.model, layers="last", kind=kind_of(network.model)) as maps:
        (x,) = network.device.move(network.preprocessing(images))
        names = names or [f"image {number}" for number in range(len(images))]
        output_of(network.model, x, name=network.name, images=names, device=network.device)
        check_finite(maps.last, names, network=f"{network.name}: attention", model=network.model, x=x)
        found = on_cpu(maps.last[:, 0]).clone()
    return on_image(found, network, side)


def on_image(maps: Tensor, network: Network, side: int) -> Tensor:
    """Lay maps of a network's input on the images that it was made from.

    Parameters
    ----------
    maps : Tensor, shape (n, h, w)
        Of what the network saw: the centre of each image.
    network : Network
        Its preprocessing says which part that was.
    side : int
        Of the square images, in pixels.

    Returns
    -------
    Tensor, shape (n, side, side)
        Each map brought to 0 … 1; 0 outside the part that was seen.
    """
    shown = network.preprocessing
    seen = round(side * shown.size_px / shown.short_px)
    margin = (side - seen) // 2
    out = torch.zeros(len(maps), side, side)
    out[:, margin : margin + seen, margin : margin + seen] = unit_range(enlarged(maps, seen, seen))
    return out


def overlay(image: NDArray[np.uint8], attention: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Show an image on grey with the map as its opacity (Fig. 4).

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
    attention : ndarray, shape (height, width)
        0 … 1.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)

    Examples
    --------
    >>> overlay(np.zeros((1, 2, 3), np.uint8), np.array([[1.0, 0.0]], np.float32))[0, :, 0].tolist()
    [0, 128]
    """
    alpha = attention[:, :, None]
    return np.round(alpha * image + (1 - alpha) * _GREY).astype(np.uint8)


def mosaic(rows: Sequence[Sequence[NDArray[np.uint8]]], *, gap_px: int = 4) -> NDArray[np.uint8]:
    """Put equally large images side by side on white, a list per row; uint8 (height, width, 3)."""
    height, width = rows[0][0].shape[:2]
    n_columns = max(map(len, rows))
    out = np.full((len(rows) * (height + gap_px) - gap_px, n_columns * (width + gap_px) - gap_px, 3), 255, np.uint8)
    for y, row in enumerate(rows):
        for x, image in enumerate(row):
            top, left = y * (height + gap_px), x * (width + gap_px)
            out[top : top + height, left : left + width] = image if image.ndim == 3 else image[:, :, None]
    return out


def labelled(rows: Sequence[Sequence[NDArray[np.uint8]]], names: Sequence[str]) -> NDArray[np.uint8]:
    """A mosaic with a name above each row; uint8 (height, width, 3)."""
    from PIL import Image, ImageDraw, ImageFont

    bands = []
    for row, name in zip(rows, names, strict=True):
        tiles = mosaic([row])
        strip = Image.new("RGB", (tiles.shape[1], _LABEL_PX), "white")
        ImageDraw.Draw(strip).text((2, 1), name, fill="black", font=ImageFont.load_default(_LABEL_PX - 4))
        bands += [np.asarray(strip), tiles]
    return np.concatenate(bands)


def attribution_of(
    attribution: str, network: Network, images: NDArray[np.uint8], *, names: Sequence[str] = (), **options: Any
) -> NDArray[np.float32]:
    """Maps of where a network looks, by the attribution of a name.

    Parameters
    ----------
    attribution : str
        ``attention``, ``smoothgrad``, or the name of a plug-in.
    network : Network
        The network.
    images : ndarray of uint8, shape (n, height, width, 3)
        Square images of one size.
    names : sequence of str, optional
        Theirs, for messages.
    **options
        The attribution's own.

    Returns
    -------
    ndarray of float32, shape (n, height, width)
        In 0 … 1.

    Raises
    ------
    InputError
        When no attribution has the name, the readout does not fit the network, or a plug-in returned something else
        than such maps.
    """
    if attribution != "attention":  # the others ask for evidence
        with torch.inference_mode():
            scores = network.scores(network.preprocessing(images[:1]), names[:1])
        network.readout.check(scores.shape[1], network=network.name)
    method = ATTRIBUTIONS.get(attribution)
    own = [name for name in signature(method).parameters if name not in ("network", "images", "names")]
    for name in options:
        if name not in own:
            raise InputError(f'attribution {attribution}: no option "{name}"; it takes {", ".join(own) or "none"}')
    found = np.asarray(method(network, images, names=names, **options), np.float32)
    if found.shape != images.shape[:3] or not np.isfinite(found).all() or found.min() < 0 or found.max() > 1:
        raise InputError(
            f"attribution {attribution}: got an array of shape {found.shape} from {np.nanmin(found):.3g} to "
            f"{np.nanmax(found):.3g}; maps of shape {images.shape[:3]} from 0 to 1 are needed"
        )
    return found


def write_attention_maps(
    networks: Sequence[Network],
    images: dict[str, NDArray[np.uint8]],
    out: Path,
    *,
    attribution: str = "attention",
) -> list[Path]:
    """Write every network's attention to every image, and one mosaic of overlays.

    Parameters
    ----------
    networks : sequence of Network
        A row of the mosaic each, below the images themselves.
    images : dict
        Name → pixels, all of one square size.
    out : Path
        ``<network>/<name>.png`` (8-bit greyscale, 255 where attention is highest), ``mosaic.png`` and
        ``attention.json``, which says what is what.
    attribution : str, default "attention"
        How maps are made; see :func:`attribution_of`.

    Returns
    -------
    list of Path
        What was written.
    """
    sizes = {image.shape for image in images.values()}
    if len(sizes) != 1:
        raise InputError(f"attention: images of {len(sizes)} sizes; give images of one size")
    stack, written = np.stack(list(images.values())), []
    rows: list[list[NDArray[np.uint8]]] = [list(stack)]
    for network in networks:
        found = attribution_of(attribution, network, stack, names=list(images))
        rows.append([overlay(image, one) for image, one in zip(stack, found, strict=True)])
        for name, one in zip(images, found, strict=True):
            written.append(out / network.name / f"{name}.png")
            files.write_bytes(written[-1], png_bytes(np.round(255 * one).astype(np.uint8)))
    legend = _legend(networks, list(images), "mosaic.png", attribution)
    files.write_bytes(out / legend.file, png_bytes(labelled(rows, legend.rows)))
    LEGEND.write(out / LEGEND_NAME, AttentionLegend(mosaic=legend))
    return [*written, out / "mosaic.png", out / LEGEND_NAME]


def _legend(networks: Sequence[Network], names: Sequence[str], file: str, attribution: str = "attention") -> Mosaic:
    plugins = (*ATTRIBUTIONS.plugins(attribution), *(one for network in networks for one in network.plugins))
    by_attention = attribution == "attention"
    meaning = "column-wise L2 norm of the deepest attended layer" if by_attention else f"{attribution} attribution"
    return Mosaic(
        rows=("images", *(network.name for network in networks)),
        columns=tuple(names),
        maps={network.name: kind_of(network.model) if by_attention else attribution for network in networks},
        meaning=f"{meaning}, 0 to 1 per image; opacity in the mosaic",
        file=file,
        plugins=tuple(dict.fromkeys(plugins)) or msgspec.UNSET,
    )


def sheet(
    networks: Sequence[Network], images: dict[str, NDArray[np.uint8]], path: Path, *, tile_px: int = 112
) -> Attention:
    """Write a small mosaic of what networks look at, for a report.

    Parameters
    ----------
    networks : sequence of Network
        Those without layers that could be mapped are left out, and named.
    images : dict
        Name → pixels.
    path : Path
        The PNG; not written when nothing can be shown.
    tile_px : int, default 112
        Side of each tile.

    Returns
    -------
    Attention
        The mosaic, and a reason per network that is not in it.
    """
    from PIL import Image

    def tile(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.asarray(Image.fromarray(pixels).resize((tile_px, tile_px), Image.Resampling.BOX))

    sizes = sorted({image.shape[:2] for image in images.values()})
    if len(sizes) != 1 or sizes[0][0] != sizes[0][1]:
        why = f"needs square intact images of one size, the set has {sizes or 'none'}"
        return Attention(mosaic=None, left_out={"every network": why})
    stack = np.stack(list(images.values()))
    rows, shown = [[tile(image) for image in stack]], []
    left_out: dict[str, str] = {}
    for network in networks:
        try:
            found = attention_of(network, stack, names=list(images)).numpy()
        except (InputError, CheckFailed) as error:
            left_out[network.name] = str(error)
            continue
        shown.append(network)
        rows.append([tile(overlay(image, one)) for image, one in zip(stack, found, strict=True)])
    if not shown:
        return Attention(mosaic=None, left_out=left_out)
    legend = _legend(shown, list(images), path.name)
    files.write_bytes(path, png_bytes(labelled(rows, legend.rows)))
    return Attention(mosaic=legend, left_out=left_out)
