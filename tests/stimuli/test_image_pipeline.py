"""Images of every awkward kind become opaque sRGB, or are refused by name and remedy."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from rapidvision.errors import InputError, RapidVisionError
from rapidvision.stimuli.image.load import Geometry, decode, load
from tests.stimuli.conftest import natural
from tests.stimuli.test_readers import corrupted


def encoded(image, kind="PNG", **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def image(side=64, width=None):
    return Image.fromarray(natural(3, side, width))


def test_a_image_of_the_right_size_comes_through_unchanged():
    assert np.array_equal(decode(encoded(image()), 64, where="a").pixels, natural(3))


def test_the_middle_square_is_cut_and_scaled():
    wide = np.zeros((64, 128, 3), np.uint8)
    wide[:, 32:96] = 200
    assert decode(encoded(Image.fromarray(wide)), 64, where="a").pixels.min() == 200
    assert decode(encoded(Image.fromarray(wide)), 32, where="a", fit="stretch").pixels.shape == (32, 32, 3)


def test_the_cameras_orientation_is_applied():
    upright = np.asarray(image())
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the stored image is to be turned by 90 degrees clockwise
    stored = Image.fromarray(np.rot90(upright).copy())
    assert np.array_equal(decode(encoded(stored, exif=exif), 64, where="a").pixels, upright)


def test_sixteen_bit_and_palette_and_grey_images_become_eight_bit_rgb():
    deep = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 16
    assert np.array_equal(decode(encoded(Image.fromarray(deep)), 64, where="a").pixels[..., 1], np.rint(deep / 257))
    palette = image().quantize(16)
    assert np.array_equal(decode(encoded(palette), 64, where="a").pixels, np.asarray(palette.convert("RGB")))
    grey = image().convert("L")
    assert np.array_equal(decode(encoded(grey), 64, where="a").pixels[..., 2], np.asarray(grey))


def test_an_opaque_alpha_channel_is_dropped_and_a_transparent_one_refused():
    rgba = image().convert("RGBA")
    assert np.array_equal(decode(encoded(rgba), 64, where="a").pixels, natural(3))
    rgba.putpixel((5, 5), (0, 0, 0, 100))
    with pytest.raises(InputError, match=r"a.png: has transparent pixels \(1\); flatten it"):
        decode(encoded(rgba), 64, where="a.png")


def test_an_embedded_srgb_profile_changes_nothing_and_a_broken_one_is_refused():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(decode(encoded(image(), icc_profile=profile), 64, where="a").pixels, natural(3))
    with pytest.raises(InputError, match="its colour profile cannot be used"):
        decode(encoded(image(), icc_profile=b"not a profile at all"), 64, where="a")


def test_greyscale_takes_the_colour_out():
    pixels = decode(encoded(image()), 64, where="a", greyscale=True).pixels
    assert np.array_equal(pixels[..., 0], pixels[..., 2])
    assert abs(pixels.mean() - (natural(3) @ [0.2126, 0.7152, 0.0722]).mean()) < 0.1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (encoded(image().convert("CMYK"), "TIFF"), "a CMYK image; convert it to sRGB"),
        (encoded(image(32)), "32 x 32 pixels, smaller than 64; use a smaller image_px or upscale = true"),
        (encoded(image())[:-2000], "a PNG that ends within a chunk"),
        (encoded(image(), "JPEG")[:900], "a JPEG without its end mark"),
        (b"", "the file is empty"),
        (b"<svg/>", "not an image of a format that is read"),
        (encoded(image(), "GIF", save_all=True, append_images=[image().rotate(90)]), "an animation of 2 frames"),
        (encoded(Image.fromarray(np.ones((64, 64), np.float32)), "TIFF"), "an image of F numbers"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_the_remedy(data, says):
    with pytest.raises(InputError, match=says):
        decode(data, 64, where="a")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="no.png: no such file"):
        load(tmp_path / "no.png", 64)


def test_a_small_image_is_enlarged_when_asked():
    assert decode(encoded(image(32)), 64, where="a", upscale=True).pixels.shape == (64, 64, 3)


@pytest.mark.parametrize("size", [(64, 64), (65, 64), (640, 427), (333, 500), (4001, 97)])
def test_every_geometry_covers_its_square(size):
    geometry = Geometry.of(size, 64, fit="crop", upscale=False, where="a")
    assert geometry.cut(np.zeros(geometry.scaled_px[::-1])).shape == (64, 64)


def test_damaged_images_end_in_typed_errors():
    rng = np.random.default_rng(2)
    wholes = [encoded(image(), kind) for kind in ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP")]
    n_refused = 0
    for whole in wholes:
        for _ in range(250):
            try:
                assert decode(corrupted(whole, rng), 64, where="a").pixels.shape == (64, 64, 3)
            except RapidVisionError as error:
                assert "\n" not in str(error)
                n_refused += 1
    assert n_refused > 300
