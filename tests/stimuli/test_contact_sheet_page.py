"""The contact sheet in a browser: levels on demand, sorting, filters, links of flags, many images, a phone's width."""

import json

import numpy as np
import pytest
from PIL import Image

from rapidvision.cli import main
from tests import chromium
from tests.accessible import violations
from tests.stimuli.conftest import natural, write_folder

pytestmark = pytest.mark.browser
N_MANY = 10_000


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sheet")
    recipe = write_folder(folder / "images", n_images=9)
    hard = np.where(natural(1) > 120, 255, 0).astype(np.uint8)
    Image.fromarray(hard).save(folder / "images/images/p07.png")
    assert main(["stimuli", "build", str(recipe), "--out", str(folder / "set"), "--quiet", "--workers", "1"]) == 0
    command = [
        "stimuli",
        "show",
        str(folder / "set"),
        "--out",
        str(folder / "sheet"),
        "--recipe",
        str(recipe),
        "--quiet",
    ]
    assert main(command) == 0
    return folder / "sheet"


@pytest.fixture(scope="module")
def browser():
    if chromium.PATH is None:
        pytest.skip("no Chromium on this machine")
    with chromium.playwright_driver() as driver:
        found = driver.chromium.launch(executable_path=chromium.PATH, args=chromium.ARGUMENTS)
        yield found
        found.close()


def opened(browser, sheet, width=1280, height=900, anchor=""):
    page = browser.new_page(viewport={"width": width, "height": height})
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(request.url))
    page.goto((sheet / "index.html").as_uri() + anchor)
    page.wait_for_selector("article")
    return page, wrong


def ids(page):
    return page.eval_on_selector_all("article", "some => some.map(one => one.id.slice(6))")


def loaded(page, selector):
    page.wait_for_function(
        "selector => [...document.querySelectorAll(selector)].every(one => one.complete && one.naturalWidth > 0)",
        arg=selector,
    )


def test_the_sheet_has_no_barriers(browser, sheet, node_modules):
    page, wrong = opened(browser, sheet)
    assert violations(page, node_modules) == []
    assert wrong == []
    page.close()


def test_images_are_sorted_filtered_and_shown_with_all_their_levels(browser, sheet):
    page, wrong = opened(browser, sheet)
    assert ids(page) == [f"p{n:02d}" for n in range(9)]
    page.select_option("#sort", label="number of flags")
    page.check("#down")
    assert ids(page)[0] == "p07"
    page.check("#flagged")
    assert "p07" in ids(page)
    assert page.text_content("#count") == f"{len(ids(page))} of 9 images"
    page.uncheck("#flagged")
    page.select_option("#category", "cat")
    assert sorted(ids(page)) == ["p00", "p04", "p08"]
    page.select_option("#phase", "practice")
    assert ids(page) == ["p00"]
    page.click("article >> text=all levels")
    captions = page.eval_on_selector_all("article .levels figure", "some => some.map(one => one.textContent)")
    assert len(captions) == 2 * 5 + 2
    assert "clickme 100 %" in captions
    loaded(page, "article img")
    assert wrong == []
    page.close()


def test_a_flag_links_to_its_image_whatever_is_filtered(browser, sheet):
    page, wrong = opened(browser, sheet)
    page.fill("#find", "p01")
    assert ids(page) == ["p01"]
    page.locator("section#flags a", has_text="p07").first.click()
    page.wait_for_selector("article.named")
    assert page.get_attribute("article.named", "id") == "image=p07"
    assert wrong == []
    page.close()


def test_the_page_fits_a_phone(browser, sheet, tmp_path):
    page, _ = opened(browser, sheet, width=390, height=844)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    assert page.screenshot(path=tmp_path / "phone.png")
    page.close()


def test_ten_thousand_images_are_made_as_they_come_into_view(browser, sheet, tmp_path):
    """The page holds what was scrolled to; the last image is found by its id, and sorting takes all of them."""
    many = tmp_path / "many"
    many.mkdir()
    (many / "index.html").write_text((sheet / "index.html").read_text(encoding="utf-8"), encoding="utf-8")
    text = (sheet / "sheet.js").read_text(encoding="utf-8").removeprefix("window.SHEET = ").rstrip(";\n")
    data = json.loads(text)
    one = data["images"][0]
    data["images"] = [[f"i{n:05d}", *one[1:4], [n / N_MANY] * len(one[4])] for n in range(N_MANY)]
    (many / "sheet.js").write_text(f"window.SHEET = {json.dumps(data)};\n", encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((many / "index.html").as_uri())
    page.wait_for_selector("article")
    assert page.text_content("#count") == f"{N_MANY} of {N_MANY} images"
    assert page.locator("article").count() < 500
    page.select_option("#sort", label=data["figures"][0])
    page.check("#down")
    assert ids(page)[0] == f"i{N_MANY - 1:05d}"
    page.fill("#find", "i09998")
    assert ids(page) == ["i09998"]
    page.close()
