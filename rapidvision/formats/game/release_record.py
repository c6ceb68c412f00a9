"""One record of the ClickMe release's TFRecord files: written by ``clickme export``, read by stimulus sets and networks.

The release has two forms of the same record, raw float32 and encoded images; :func:`rapidvision.formats.tfrecord.image`
reads both. The form is not ours, so the record holds no version; that of an export stands in its ``export.json``.
"""

import io

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.formats import tfrecord

#: Of JPEG files: as large as it goes before files grow without a gain.
_QUALITY = 95


class ReleaseRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One image of the release, as stored.

    Attributes
    ----------
    image : bytes
        Raw float32 (height, width, 3) of a square, or an encoded image.
    heatmap : bytes
        The importance map, raw float32 (height, width) or encoded; empty where there is none.
    label : int or None
        ImageNet class; None where it is unknown.
    click_count : int or None
        Clicks that made the map; None where it is unknown.
    """

    image: bytes
    heatmap: bytes
    label: int | None
    click_count: int | None


def encode(image: NDArray[np.uint8], heatmap: NDArray[np.floating], *, label: int, click_count: int) -> bytes:
    """Return a record of the release's first form: raw float32 image and map, label, click count.

    Parameters
    ----------
    image : ndarray of uint8, shape (side, side, 3)
        Written as float32, 0 … 255.
    heatmap : ndarray, shape (side, side)
        The importance map; written as float32.
    label, click_count : int
        Class, and number of clicks.

    Examples
    --------
    >>> payload = encode(np.zeros((2, 2, 3), np.uint8), np.ones((2, 2)), label=7, click_count=40)
    >>> record = decode(payload, where="example")
    >>> record.label, record.click_count, len(record.image), len(record.heatmap)
    (7, 40, 48, 16)
    """
    return tfrecord.encode(
        {
            "image": [image.astype("<f4").tobytes()],
            "heatmap": [heatmap.astype("<f4").tobytes()],
            "label": [label],
            "click_count": [click_count],
        }
    )


def encode_jpeg(image: NDArray[np.uint8], heatmap: NDArray[np.floating], *, label: int) -> bytes:
    r"""Return a record of the release's second form: image and map as JPEG, label; it holds no click count.

    Parameters
    ----------
    image : ndarray of uint8, shape (side, side, 3)
        Written without colour subsampling.
    heatmap : ndarray, shape (side, side)
        The importance map, ≥ 0; written with 8 bits, its maximum 255.
    label : int
        Class.

    Examples
    --------
    >>> record = decode(encode_jpeg(np.zeros((8, 8, 3), np.uint8), np.ones((8, 8)), label=7), where="example")
    >>> record.label, record.click_count, record.image[:2]
    (7, None, b'\xff\xd8')
    """
    grey = np.rint(heatmap / max(float(heatmap.max()), np.finfo(np.float64).tiny) * 255).astype(np.uint8)
    return tfrecord.encode({"image": [_jpeg(image)], "heatmap": [_jpeg(grey)], "label": [label]})


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=_QUALITY, subsampling=0)
    return out.getvalue()


def decode(payload: bytes | memoryview, *, where: str) -> ReleaseRecord:
    """Read a record of either form; `where` stands for file and record in messages.

    Raises
    ------
    InputError
        When it is no record of the release: there is no image, a feature is not one string of bytes, or a label or
        count is no whole number.
    """
    try:
        features = tfrecord.example(payload)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    if "image" not in features:
        raise InputError(f"{where}: no feature image; it has {', '.join(sorted(features)) or 'none'}")
    return ReleaseRecord(
        image=_blob(features, "image", where),
        heatmap=_blob(features, "heatmap", where) if len(features.get("heatmap", [])) else b"",
        label=_number(features, "label", where),
        click_count=_number(features, "click_count", where),
    )


def _blob(features: dict[str, tfrecord.Feature], name: str, where: str) -> bytes:
    values = features[name]
    if not isinstance(values, list) or len(values) != 1:
        raise InputError(f"{where}: feature {name} is not one string of bytes")
    return bytes(values[0])


def _number(features: dict[str, tfrecord.Feature], name: str, where: str) -> int | None:
    if name not in features:
        return None
    values = features[name]
    if isinstance(values, list) or len(values) != 1:
        raise InputError(f"{where}: feature {name} is not one number")
    return whole_number(values[0], f"{where}: {name}")


def whole_number(value: object, where: str) -> int:
    """Return a label as a whole number.

    Raises
    ------
    InputError
        When it is none, such as 2.7.

    Examples
    --------
    >>> whole_number(np.float32(2.0), "x")
    2
    """
    try:
        number = float(np.asarray(value).item())
    except (ValueError, TypeError):
        number = float("nan")
    if not number.is_integer():
        raise InputError(f"{where}: {np.asarray(value).tolist()!r:.40} is not a whole number")
    return int(number)
