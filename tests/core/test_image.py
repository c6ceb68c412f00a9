"""Images and maps of every kind come out right, or are refused with the file's name."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from rapidvision.errors import InputError
from rapidvision.images.listing import list_folders, list_images
from rapidvision.images.load import load_map, load_rgb

RNG = np.random.default_rng(14)
PIXELS = RNG.integers(0, 256, (12, 20, 3)).astype(np.uint8)
GREY = RNG.integers(0, 256, (12, 20)).astype(np.uint8)
DEEP = RNG.integers(0, 65536, (12, 20)).astype(np.uint16)


def encoded(image, kind="PNG", **options):
    out = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(out, kind, **options)
    return out.getvalue()


def png(bits, colour_type, rows, **chunks):
    """A PNG file from its raw rows (bytes per row), with chunks before the pixels."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    width = len(rows[0]) * 8 // (bits * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type])
    head = struct.pack(">IIBBBBB", width, len(rows), bits, colour_type, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    more = b"".join(chunk(name.encode(), data) for name, data in chunks.items())
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def refused(load, data, says):
    with pytest.raises(InputError, match=says) as error:
        load(data, name="x.file")
    assert "x.file" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_palette_gives_its_colours():
    palette = RNG.integers(0, 256, (16, 3)).astype(np.uint8)
    index = RNG.integers(0, 16, (6, 9))
    data = png(8, 3, index.astype(np.uint8), PLTE=palette.tobytes())
    assert np.array_equal(load_rgb(data), palette[index])
    refused(load_map, data, "a map in colours")


def test_a_grey_palette_gives_its_levels_whatever_their_order():
    levels = RNG.permutation(256)[:16].astype(np.uint8)
    index = RNG.integers(0, 16, (6, 9))
    data = png(8, 3, index.astype(np.uint8), PLTE=np.repeat(levels, 3).tobytes())
    assert np.array_equal(load_map(data), levels[index])


def test_sixteen_bits_are_scaled_for_images_and_kept_for_maps():
    for kind in ("PNG", "PPM", "TIFF"):
        data = encoded(DEEP, kind)
        assert np.array_equal(load_rgb(data)[..., 0], np.rint(DEEP / 257)), kind
        assert np.array_equal(load_map(data), DEEP), kind


def test_sixteen_bits_per_channel_give_the_high_byte_and_no_map():
    deep = RNG.integers(0, 65536, (5, 4, 3)).astype(">u2")
    data = png(16, 2, [row.tobytes() for row in deep])
    assert np.array_equal(load_rgb(data), deep >> 8)
    refused(load_map, png(16, 2, [np.repeat(row[:, :1], 3, 1).tobytes() for row in deep]), "channels of 16 bits")


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_an_opaque_alpha_channel_is_dropped_and_a_transparent_one_refused(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    opaque = np.dstack([PIXELS, np.full(GREY.shape, 255, np.uint8)])
    assert np.array_equal(load_rgb(encoded(opaque, kind, **options)), PIXELS)
    opaque[3, 4, 3] = 254
    refused(load_rgb, encoded(opaque, kind, **options), r"has transparent pixels \(1\)")


def test_a_colour_that_is_declared_transparent_is_refused_where_it_is_used():
    rows = np.array([[0, 9, 9]], np.uint8)
    for bits, colour_type, key in ((8, 0, b"\0\t"), (8, 3, b"\xff\0")):
        palette = {"PLTE": bytes(range(30))} if colour_type == 3 else {}
        shown = rows if colour_type == 0 else np.array([[0, 1, 1]], np.uint8)
        refused(load_rgb, png(bits, colour_type, shown, **palette, tRNS=key), "transparent pixels")
    assert load_rgb(png(8, 0, rows, tRNS=b"\0\x07"))[0, 1, 0] == 9
    refused(load_rgb, png(16, 0, [b"\1\2\3\4"], tRNS=b"\3\4"), "transparent pixels")


def test_alpha_of_a_map_is_dropped_where_it_is_constant():
    alpha = np.dstack([GREY, GREY, GREY, np.full(GREY.shape, 255, np.uint8)])
    assert np.array_equal(load_map(encoded(alpha)), GREY)
    assert np.array_equal(load_map(encoded(np.dstack([GREY, alpha[..., 3]]))), GREY)
    hidden = np.dstack([np.full((*GREY.shape, 3), 255, np.uint8), GREY])
    refused(load_map, encoded(hidden), "alpha channel from")


def test_floats_are_kept_for_maps_and_refused_for_images():
    values = RNG.random((6, 9)).astype(np.float32)
    assert np.array_equal(load_map(encoded(values, "TIFF")), values)
    refused(load_rgb, encoded(values, "TIFF"), "does not say what white is")
    refused(load_rgb, encoded(DEEP.astype(np.int32), "TIFF"), "does not say what white is")
    for bad, says in ((np.nan, "1 of 54 values are not finite"), (np.inf, "not finite"), (-0.1, "are negative")):
        values[2, 3] = bad
        refused(load_map, encoded(values, "TIFF"), says)


def test_inks_are_refused():
    for load in (load_rgb, load_map):
        refused(load, encoded(Image.fromarray(PIXELS).convert("CMYK"), "JPEG"), "a CMYK image; convert it to sRGB")
        refused(load, encoded(Image.fromarray(PIXELS).convert("LAB"), "TIFF"), "a LAB image")


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_cameras_orientation_is_applied(kind, orientation):
    turned = PIXELS.swapaxes(0, 1)
    stored = {
        1: PIXELS,
        2: PIXELS[:, ::-1],
        3: PIXELS[::-1, ::-1],
        4: PIXELS[::-1],
        5: turned,
        6: turned[::-1],
        7: turned[::-1, ::-1],
        8: turned[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    assert np.array_equal(load_rgb(encoded(np.ascontiguousarray(stored), kind, exif=exif, **options)), PIXELS)


def test_the_first_image_of_a_two_image_jpeg_is_taken():
    flat = np.full((16, 16, 3), 200, np.uint8)
    data = encoded(flat, "MPO", save_all=True, append_images=[Image.fromarray(flat // 2)])
    assert Image.open(io.BytesIO(data)).n_frames == 2
    assert np.array_equal(load_rgb(data), flat)


@pytest.mark.parametrize(("kind", "options"), [("GIF", {}), ("PNG", {}), ("WEBP", {}), ("TIFF", {})])
def test_animations_are_refused(kind, options):
    more = [Image.fromarray(PIXELS[::-1].copy())]
    refused(load_rgb, encoded(PIXELS, kind, save_all=True, append_images=more, **options), "animation of 2 frames")


def test_the_content_decides_not_the_suffix(tmp_path):
    (tmp_path / "n02105855_2933.JPEG").write_bytes(encoded(PIXELS))
    assert np.array_equal(load_rgb(tmp_path / "n02105855_2933.JPEG"), PIXELS)
    (tmp_path / "page.jpg").write_bytes(b"<!doctype html><p>404")
    with pytest.raises(InputError, match=r"page\.jpg: not an image of a format that is read"):
        load_rgb(tmp_path / "page.jpg")
    refused(load_rgb, b"", "the file is empty")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "PPM"])
def test_what_ends_early_is_refused(kind):
    whole = encoded(PIXELS, kind)
    before = load_rgb(whole)
    for end in (1, 2, 20, len(whole) // 3, len(whole) // 2):
        try:
            assert np.array_equal(load_rgb(whole[:-end]), before), (kind, end)
        except InputError as error:
            assert "image: " in str(error)
    refused(load_rgb, whole[: len(whole) // 2], "x.file")


def test_a_png_whose_checksum_fails_is_refused_wherever_it_was_changed():
    whole = encoded(PIXELS)
    for position in range(8, len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 4
        with pytest.raises(InputError, match="x.png"):
            load_rgb(bytes(damaged), name="x.png")


def test_a_jpeg_whose_end_was_never_written_is_refused():
    whole = encoded(np.repeat(np.repeat(PIXELS, 8, 0), 8, 1), "JPEG")
    refused(load_rgb, whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2), "without its end mark")


def test_a_bomb_is_refused_before_it_is_decoded():
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = png(8, 2, [b"\0\0\0"])
    data = data[:16] + head + struct.pack(">I", zlib.crc32(b"IHDR" + head)) + data[33:]
    refused(load_rgb, data, "pixels")


def test_tiffs_that_pillow_takes_for_other_numbers_are_refused():
    data = encoded(DEEP, "TIFF", tiffinfo={262: 0})
    assert Image.open(io.BytesIO(data)).tag_v2[262] == 0
    for load in (load_rgb, load_map):
        refused(load, data, "in which 0 is white")


def test_colour_profiles_are_applied_and_srgb_changes_nothing():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(load_rgb(encoded(PIXELS, icc_profile=srgb)), PIXELS)
    assert np.array_equal(load_rgb(encoded(GREY, icc_profile=srgb))[..., 1], GREY)
    refused(load_rgb, encoded(PIXELS, icc_profile=b"no profile at all"), "its colour profile cannot be used")
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    refused(load_rgb, encoded(PIXELS, icc_profile=lab), "an image of mode RGB with a Lab profile")
    refused(load_rgb, png(8, 0, GREY, gAMA=struct.pack(">I", 100_000)), "coded with gamma 1.000")
    assert np.array_equal(load_rgb(png(8, 0, GREY, gAMA=struct.pack(">I", 45_455)))[..., 0], GREY)


def test_numpy_files_are_maps():
    for values in (DEEP, GREY.astype(">f8"), GREY > 99, GREY[None], GREY[..., None].astype(np.float16)):
        for write in (np.save, np.savez_compressed):
            out = io.BytesIO()
            write(out, values)
            assert np.array_equal(load_map(out.getvalue()), np.squeeze(values))
    out = io.BytesIO()
    np.save(out, DEEP)
    refused(load_map, out.getvalue() + b"\0", "1 bytes more than its array")
    refused(load_map, out.getvalue()[:-1], "not a NumPy file of numbers")
    refused(load_rgb, out.getvalue(), "not an image of a format that is read")
    for bad in (np.array([["a"]]), np.zeros((2, 2), complex), np.zeros((2, 2, 2)), np.zeros((0, 3))):
        out = io.BytesIO()
        np.save(out, bad)
        refused(load_map, out.getvalue(), "x.file: ")


def test_hidden_files_are_no_images_and_what_is_left_out_is_counted(tmp_path):
    for name in ("a.png", "B.JPEG", "._a.png", "Thumbs.db", "notes.txt", "c.TXT", "README"):
        (tmp_path / name).touch()
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / "more").mkdir()
    listing = list_images(tmp_path)
    assert [path.name for path in listing.paths] == ["B.JPEG", "a.png"]
    assert listing.n_hidden == 3
    assert listing.ignored == {".txt": 2, "no suffix": 1, "folder": 1}
    assert [path.name for path in list_folders(tmp_path).paths] == ["more"]
    (tmp_path / "A.webp").touch()
    with pytest.raises(InputError, match=r"A\.webp and a\.png have one name"):
        list_images(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        list_images(tmp_path / "none")
