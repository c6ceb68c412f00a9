"""The series PNG writer: ordinary files, pixel for pixel, in Pillow and in a browser."""

import base64
import io
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rapidvision.stimuli.png import SeriesWriter, encode
from tests import chromium
from tests.conftest import missing
from tests.stimuli.conftest import natural


def pixels(data):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_any_size_survives(height, width, seed):
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert np.array_equal(pixels(encode(picture)), picture)


def test_a_series_is_the_same_bytes_as_its_pictures_alone():
    writer = SeriesWriter(70, 50)
    picture = natural(1, 70, 50).copy()
    rng = np.random.default_rng(0)
    for number in range(6):
        changed = np.zeros(70, bool)
        if number:
            rows = rng.integers(0, 70, 5)
            changed[rows] = True
            picture[rows] = rng.integers(0, 256, (5, 50, 3))
        data = writer.encode(picture, title=f"n{number}", changed_rows=changed if number else None)
        assert data == encode(picture, title=f"n{number}")
        assert np.array_equal(pixels(data), picture)


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
    from playwright.sync_api import sync_playwright

    picture = natural(3)
    url = "data:image/png;base64," + base64.b64encode(encode(picture, title="a")).decode()
    script = """async url => {
        const image = new Image(); image.src = url; await image.decode();
        const canvas = document.createElement('canvas'); canvas.width = image.width; canvas.height = image.height;
        const context = canvas.getContext('2d'); context.drawImage(image, 0, 0);
        return Array.from(context.getImageData(0, 0, image.width, image.height).data);
    }"""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.PATH, args=chromium.ARGUMENTS)
        try:
            seen = np.array(browser.new_page().evaluate(script, url), np.uint8).reshape(64, 64, 4)
        finally:
            browser.close()
    assert np.array_equal(seen[..., :3], picture)
    assert (seen[..., 3] == 255).all()
