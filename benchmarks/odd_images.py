"""Odd and damaged image and map files whose right pixels are known from their construction.

:func:`odd_files` makes them for any loader, :func:`outcome` says what a loader made of one: ``right``, ``refused``
(a typed error that names the file) or ``wrong`` (other pixels, or another error). Damage that a format cannot show
(a changed byte among the pixels of a JPEG, BMP, TIFF or GIF) is left out: no loader can find it.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.odd_files import bomb, png, tiff
from rapidvision.errors import RapidVisionError

HEIGHT, WIDTH = 40, 56
_EXIF_ORIENTATION = 0x0112


@dataclass(frozen=True, eq=False)
class OddFile:
    """A file, and the numbers that it means.

    Attributes
    ----------
    name : str
        File name, unique; says what is odd.
    data : bytes
        Its content.
    truth : ndarray or None
        uint8 (h, w, 3) for an image, numbers (h, w) for a map; None where no numbers are right.
    tolerance : float
        Largest right difference: levels for an image, share of the largest value for a map.
    whole : bool
        Whether the file is undamaged and means just one thing, so that a good loader reads it.
    """

    name: str
    data: bytes
    truth: object
    tolerance: float = 0.0
    whole: bool = True

    @property
    def is_map(self):
        """Whether it is an importance map."""
        return self.name.startswith("map-")


def outcome(file, folder, read):
    """Write a file into a folder and read it: ``right``, ``refused`` or ``wrong``.

    `read` takes the path. A map counts as right up to a factor, because importance has no unit.
    """
    path = Path(folder) / file.name
    path.write_bytes(file.data)
    try:
        found = np.asarray(read(path))
    except RapidVisionError as error:
        return "refused" if path.name in str(error) else "wrong"
    except Exception:
        return "wrong"
    if file.truth is None or found.shape != np.shape(file.truth):
        return "wrong"
    found, truth = found.astype(float), np.asarray(file.truth, float)
    if file.is_map:
        if not np.isfinite(found).all() or found.max() <= 0:
            return "wrong"
        found, truth = found / found.max(), truth / truth.max()
    return "right" if np.abs(found - truth).max() <= file.tolerance else "wrong"


def odd_files(*, seed, rounds=3):
    """Make `rounds` times about 75 files; equal seeds, equal files."""
    made = []
    for number in range(rounds):
        rng = np.random.default_rng([seed, number])
        for one in (*images(rng), *maps(rng)):
            kind, _, suffix = one.name.partition(".")
            made.append(OddFile(f"{kind}-{number}.{suffix}", one.data, one.truth, one.tolerance, one.whole))
    return made


def smooth(rng, channels=3):
    """A smooth field of (HEIGHT, WIDTH, channels), 0 … 1."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    out = np.zeros((HEIGHT, WIDTH, channels))
    for channel in range(channels):
        for _ in range(4):
            u, v, phase = rng.uniform([-0.12, -0.12, 0], [0.12, 0.12, 6.3])
            out[..., channel] += np.cos(u * rows + v * columns + phase)
    return (out - out.min()) / np.ptp(out)


def encoded(values, kind="PNG", **options):
    """A file as Pillow writes it."""
    out = io.BytesIO()
    (values if isinstance(values, Image.Image) else Image.fromarray(values)).save(out, kind, **options)
    return out.getvalue()


def rgb(grey):
    """Three equal channels."""
    return np.repeat(np.asarray(grey, np.uint8)[..., None], 3, axis=-1)


def turned(values, orientation):
    """What a camera stores so that it shows `values` by its orientation mark, 1 … 8 (TIFF 6, tag 274)."""
    other = values.swapaxes(0, 1)
    views = [values, values[:, ::-1], values[::-1, ::-1], values[::-1]]
    views += [other, other[::-1], other[::-1, ::-1], other[:, ::-1]]
    return np.ascontiguousarray(views[orientation - 1])


def images(rng):
    """Yield odd images."""
    field = smooth(rng)
    shown = np.rint(field * 255).astype(np.uint8)
    grey = shown[..., 0]
    yield from _colours(rng, shown)
    yield from _depths(rng, field, grey)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[_EXIF_ORIENTATION] = orientation
        kind, suffix = (("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp"))[int(rng.integers(3))]
        options = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
        tolerance = 14.0 if kind == "JPEG" else 0.0
        yield OddFile(
            f"exif{orientation}.{suffix}",
            encoded(turned(shown, orientation), kind, exif=exif, **options),
            shown,
            tolerance,
        )
    yield OddFile("tiff-orientation.tif", tiff(turned(shown, 6), photometric=2, orientation=6), shown)
    second = shown[::-1].copy()
    pair = encoded(shown, "MPO", save_all=True, append_images=[Image.fromarray(second)], quality=95, subsampling=0)
    yield OddFile("two-images.jpg", pair, shown, 14.0)
    for kind in ("GIF", "PNG", "WEBP", "TIFF"):
        moving = encoded(shown, kind, save_all=True, append_images=[Image.fromarray(second)])
        yield OddFile(f"animation-{kind}.{kind.lower()}", moving, None)
    yield OddFile("png-named.jpg", encoded(shown), shown)
    yield OddFile("jpeg-named.png", encoded(shown, "JPEG", quality=95, subsampling=0), shown, 14.0)
    yield OddFile("webp-named.jpeg", encoded(shown, "WEBP", lossless=True), shown)
    yield OddFile("empty.jpg", b"", None)
    yield OddFile("page.jpg", b"<!doctype html><title>404</title>", None)
    yield OddFile("bomb.png", bomb(50_000), None)
    yield OddFile("finder.jpg", b"\0\5\26\7\0\2\0\0Mac OS X        " + bytes(60), None)
    yield from _damaged(rng, shown)


def _colours(rng, shown):
    palette = rng.integers(0, 256, (32, 3)).astype(np.uint8)
    index = rng.integers(0, 32, (HEIGHT, WIDTH))
    yield OddFile("palette.png", png(index, colour_type=3, PLTE=palette.tobytes()), palette[index])
    few = rng.integers(0, 4, (HEIGHT, WIDTH))
    yield OddFile("palette2.png", png(few, bits=2, colour_type=3, PLTE=palette[:4].tobytes()), palette[few])
    gif = Image.frombytes("P", (WIDTH, HEIGHT), index.astype(np.uint8).tobytes())
    gif.putpalette(palette.tobytes())
    yield OddFile("palette.gif", encoded(gif, "GIF"), palette[index])
    opaque = np.dstack([shown, np.full(shown.shape[:2], 255, np.uint8)])
    clear = opaque.copy()
    clear[: HEIGHT // 2, : WIDTH // 2, 3] = rng.integers(0, 255)
    yield OddFile("opaque.png", png(opaque, colour_type=6), shown)
    yield OddFile("clear.png", png(clear, colour_type=6), None)
    yield OddFile("clear.webp", encoded(clear, "WEBP", lossless=True), None)
    yield OddFile("clear.tif", encoded(clear, "TIFF"), None)
    yield OddFile("clear-grey.png", png(clear[..., 2:], colour_type=4), None)
    yield OddFile("opaque-grey.png", png(opaque[..., 2:], colour_type=4), rgb(shown[..., 2]))
    used = bytes([0, int(shown[3, 3, 0])])
    yield OddFile("clear-level.png", png(shown[..., 0], tRNS=used), None)
    holes = png(index, colour_type=3, PLTE=palette.tobytes(), tRNS=bytes([255] * 9 + [0]))
    yield OddFile("clear-colour.png", holes, None)
    for kind in ("JPEG", "TIFF"):
        yield OddFile(f"cmyk.{kind.lower()}", encoded(Image.fromarray(shown).convert("CMYK"), kind), None)
    yield OddFile("lab.tif", encoded(Image.fromarray(shown).convert("LAB"), "TIFF"), None)
    linear = png(shown, colour_type=2, gAMA=(100_000).to_bytes(4, "big"))
    yield OddFile("linear.png", linear, None)
    yield OddFile("gamma.png", png(shown, colour_type=2, gAMA=(45_455).to_bytes(4, "big")), shown)


def _depths(rng, field, grey):
    deep = np.rint(field[..., 0] * 65535).astype(np.uint16)
    eight = rgb(np.rint(deep / 257))
    yield OddFile("grey16.png", png(deep, bits=16), eight)
    yield OddFile("grey16.tif", tiff(deep, order="<>"[int(rng.integers(2))]), eight)
    yield OddFile("grey16.pgm", encoded(deep, "PPM"), eight)
    colours = np.rint(field * 65535).astype(np.uint16)
    yield OddFile("colour16.png", png(colours, bits=16, colour_type=2), np.rint(colours / 257), 1.0)
    yield OddFile("colour16.tif", tiff(colours, photometric=2), np.rint(colours / 257), 1.0)
    for bits in (1, 2, 4):
        levels = rng.integers(0, 2**bits, (HEIGHT, WIDTH))
        yield OddFile(f"grey{bits}.png", png(levels, bits=bits), rgb(levels * 255 // (2**bits - 1)))
    yield OddFile("white-is-0.tif", tiff(grey, photometric=0), rgb(255 - grey))
    yield OddFile("white-is-0-16.tif", tiff(deep, photometric=0), rgb(np.rint((65535 - deep) / 257)), whole=False)
    for scale in (1.0, 255.0, 3.0):
        yield OddFile(f"float{scale:g}.tif", tiff((field[..., 0] * scale).astype(np.float32), sample_format=3), None)
    yield OddFile("integer32.tif", tiff((field[..., 0] * 255).astype(np.int32), sample_format=2), None)
    yield OddFile("signed8.tif", tiff((field[..., 0] * 127).astype(np.int8), sample_format=2), None)


def _damaged(rng, shown):
    lossy = {"quality": 95, "subsampling": 0}
    for kind, options in (("PNG", {}), ("JPEG", lossy), ("JPEG", {**lossy, "progressive": True}), ("TIFF", {}),
                          ("TIFF", {"compression": "tiff_lzw"}), ("BMP", {}), ("GIF", {}), ("PPM", {}),
                          ("WEBP", {"lossless": True})):  # fmt: skip
        whole = encoded(shown, kind, **options)
        truth = np.asarray(Image.open(io.BytesIO(whole)).convert("RGB"))
        label = f"{kind}{len(options)}"
        for place, end in (("middle", int(rng.integers(len(whole) // 3, len(whole) - 8))), ("end", len(whole) - 1)):
            yield OddFile(f"cut-{place}-{label}.{kind.lower()}", whole[:end], truth, whole=False)
    whole = encoded(shown)
    for number in range(4):
        damaged = bytearray(whole)
        damaged[int(rng.integers(8, len(whole)))] ^= 1 << int(rng.integers(8))
        yield OddFile(f"bit-{number}.png", bytes(damaged), shown, whole=False)
    for kind, options in (("PNG", {}), ("JPEG", lossy), ("GIF", {})):
        whole = encoded(shown, kind, **options)
        half = len(whole) // 2
        truth = np.asarray(Image.open(io.BytesIO(whole)).convert("RGB"))
        yield OddFile(
            f"never-written-{kind}.{kind.lower()}", whole[:half] + bytes(len(whole) - half), truth, whole=False
        )


def maps(rng):
    """Yield odd maps."""
    heat = smooth(rng, 1)[..., 0]
    grey = np.rint(heat * 255).astype(np.uint8)
    deep = np.rint(heat * 65535).astype(np.uint16)
    single = heat.astype(np.float32)
    for name, data, truth in (
        ("grey8.png", png(grey), grey), ("grey8.JPEG", encoded(grey, "JPEG", quality=100), None),
        ("grey16.png", png(deep, bits=16), deep), ("grey16.tif", tiff(deep, order=">"), deep),
        ("float.tif", tiff(single, sample_format=3), single),
        ("three-equal.png", png(rgb(grey), colour_type=2), grey), ("mask1.png", png(grey > 99, bits=1), grey > 99),
        ("numbers.npy", _npy(heat), heat), ("big-endian.npy", _npy(deep.astype(">u2")), deep),
        ("fortran.npy", _npy(np.asfortranarray(single)), single), ("one-channel.npy", _npy(heat[..., None]), heat),
        ("mask.npy", _npy(grey > 99), grey > 99), ("archive.npz", _npz(a=heat), heat),
        ("two.npz", _npz(a=heat, b=heat), None), ("complex.npy", _npy(heat + 1j), None),
        ("text.npy", _npy(np.array([["a", "b"]])), None), ("stack.npy", _npy(np.stack([heat, heat])), None),
    ):  # fmt: skip
        if name == "grey8.JPEG":
            yield OddFile("map-" + name, data, grey, 4 / 255)
        else:
            yield OddFile("map-" + name, data, truth, 1e-6)
    yield OddFile("map-double.tif", tiff(heat, sample_format=3), heat, 1e-6, whole=False)
    order = rng.permutation(256).astype(np.uint8)
    index = np.argsort(order)[grey]
    yield OddFile("map-grey-palette.png", png(index, colour_type=3, PLTE=rgb(order).tobytes()), grey, 1e-6)
    colours = rng.integers(0, 256, (256, 3)).astype(np.uint8)
    yield OddFile("map-colour-palette.png", png(grey, colour_type=3, PLTE=colours.tobytes()), None)
    full, other = np.full_like(grey, 255), np.full_like(grey, 255)
    yield OddFile("map-opaque.png", png(np.dstack([grey, grey, grey, full]), colour_type=6), grey, 1e-6)
    yield OddFile("map-grey-alpha.png", png(np.dstack([grey, full]), colour_type=4), grey, 1e-6)
    yield OddFile("map-in-alpha.png", png(np.dstack([other, other, other, grey]), colour_type=6), None)
    yield OddFile("map-alpha-too.png", png(np.dstack([grey, grey, grey, grey[::-1]]), colour_type=6), None)
    yield OddFile("map-colours.png", png(np.rint(smooth(rng) * 255), colour_type=2), None)
    wide = np.repeat(deep[..., None], 3, axis=2)
    yield OddFile("map-three-equal16.png", png(wide, bits=16, colour_type=2), deep, 1e-6, whole=False)
    yield OddFile("map-cmyk.tif", encoded(Image.fromarray(rgb(grey)).convert("CMYK"), "TIFF"), None)
    yield OddFile("map-white-is-0.tif", tiff(deep, photometric=0), 65535 - deep.astype(int), 1e-6, whole=False)
    yield OddFile("map-turned.tif", tiff(turned(grey, 8), orientation=8), grey, 1e-6)
    for label, bad in (("nan", np.nan), ("inf", np.inf), ("minus", -0.25)):
        spoiled = single.copy()
        spoiled[int(rng.integers(HEIGHT)), int(rng.integers(WIDTH))] = bad
        yield OddFile(f"map-{label}.npy", _npy(spoiled), None)
        yield OddFile(f"map-{label}.tif", tiff(spoiled, sample_format=3), None)
    yield OddFile("map-signed.tif", tiff((heat * 200 - 100).astype(np.int16), sample_format=2), None)
    for label, data in (("npy", _npy(heat)), ("npz", _npz(a=heat)), ("png", png(deep, bits=16)), ("tif", tiff(deep))):
        truth = heat if label in ("npy", "npz") else deep
        end = int(rng.integers(len(data) // 3, len(data) - 1))
        yield OddFile(f"map-cut.{label}", data[:end], truth, 1e-6, whole=False)
        if label in ("npz", "png"):
            damaged = bytearray(data)
            damaged[int(rng.integers(60, len(data)))] ^= 1 << int(rng.integers(8))
            yield OddFile(f"map-bit.{label}", bytes(damaged), truth, 1e-6, whole=False)


def _npy(values):
    out = io.BytesIO()
    np.save(out, values)
    return out.getvalue()


def _npz(**arrays):
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()
