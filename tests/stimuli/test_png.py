"""The series PNG writer: ordinary files, pixel for pixel, in Pillow and in a browser."""

import base64
import hashlib
import io
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rapidvision.stimuli.png.deflate import MOST_BITS, code_lengths, deflated
from rapidvision.stimuli.png.series import VERSION, SeriesWriter, encode
from tests import chromium
from tests.conftest import missing
from tests.stimuli.conftest import natural


def pixels(data):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_any_size_survives(height, width, seed):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert np.array_equal(pixels(encode(image)), image)


def noises():
    """Bytes of many kinds: any, of a few values, in the steps of photographs, and as skewed as codes can be."""
    uneven = st.builds(
        lambda seed, n, spread: np.random.default_rng(seed).normal(0, spread, n).astype(np.int64).astype(np.uint8).tobytes(),
        st.integers(0, 999), st.integers(0, 5000), st.sampled_from([0.3, 4, 40]),
    )  # fmt: skip
    return st.binary(max_size=300) | uneven


@settings(max_examples=120, deadline=None)
@given(st.lists(noises(), max_size=3))
def test_blocks_unpack_by_zlib_and_are_the_same_with_and_without_a_compiler(parts):
    arrays = [np.frombuffer(one, np.uint8) for one in parts]
    blocks = [deflated(one) for one in arrays]
    assert blocks == [deflated(one, compiled=False) for one in arrays]
    assert zlib.decompress(b"".join(blocks) + b"\x03\x00", -15) == b"".join(parts)


def test_codes_are_as_short_as_huffmans_and_never_longer_than_the_format_allows():
    rng = np.random.default_rng(0)
    for spread in (2, 20, 500):
        counts = rng.integers(0, spread, 257) + (np.arange(257) == 256)
        lengths = code_lengths(counts, MOST_BITS)
        share = counts[counts > 0] / counts.sum()
        entropy = -(share * np.log2(share)).sum()
        assert (2.0 ** -lengths[lengths > 0]).sum() == 1  # no bit pattern is left over
        assert entropy <= (lengths * counts).sum() / counts.sum() < entropy + 0.1
    steep = np.array([int(1.7**k) + 1 for k in range(40)])
    for most in (7, MOST_BITS):
        lengths = code_lengths(steep, most)
        assert lengths.max() <= most
        assert (2.0**-lengths).sum() <= 1


def test_the_bytes_of_a_file_are_known():
    """A change of them must raise the writer's version, because the hashes of every set change."""
    assert VERSION == "2"
    image = np.arange(40 * 30 * 3, dtype=np.uint32).reshape(40, 30, 3) * 7919 % 256
    data = encode(image.astype(np.uint8), title="a")
    assert hashlib.sha256(data).hexdigest() == "d8ffa7a84d2f61f1742202810bd4c28716384f209229ba93751ecee7822018c5"


def test_a_series_is_the_same_bytes_as_its_images_alone():
    writer = SeriesWriter(70, 50)
    image = natural(1, 70, 50).copy()
    rng = np.random.default_rng(0)
    for number in range(6):
        changed = np.zeros(70, bool)
        if number:
            rows = rng.integers(0, 70, 5)
            changed[rows] = True
            image[rows] = rng.integers(0, 256, (5, 50, 3))
        data = writer.encode(image, title=f"n{number}", changed_rows=changed if number else None)
        assert data == encode(image, title=f"n{number}")
        assert np.array_equal(pixels(data), image)


def test_checksums_hold_as_the_standard_wants_them():
    data = encode(natural(2), title="a")
    at, idat = 8, b""
    while at < len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + length]
        assert int.from_bytes(data[at + 8 + length : at + 12 + length], "big") == zlib.crc32(name + body)
        idat += body if name == b"IDAT" else b""
        at += 12 + length
    assert len(zlib.decompress(idat)) == 64 * (3 * 64 + 1)  # checks the Adler-32 too


@pytest.mark.browser
def test_a_browser_shows_the_same_pixels():
    if chromium.PATH is None:
        missing("Chromium is not installed")
    image = natural(3)
    url = "data:image/png;base64," + base64.b64encode(encode(image, title="a")).decode()
    script = """async url => {
        const image = new Image(); image.src = url; await image.decode();
        const canvas = document.createElement('canvas'); canvas.width = image.width; canvas.height = image.height;
        const context = canvas.getContext('2d'); context.drawImage(image, 0, 0);
        return Array.from(context.getImageData(0, 0, image.width, image.height).data);
    }"""
    with chromium.playwright_driver() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.PATH, args=chromium.ARGUMENTS)
        try:
            seen = np.array(browser.new_page().evaluate(script, url), np.uint8).reshape(64, 64, 4)
        finally:
            browser.close()
    assert np.array_equal(seen[..., :3], image)
    assert (seen[..., 3] == 255).all()
