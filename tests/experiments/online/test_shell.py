"""Page shells: the loader lies in the page, the content policy names it, and words cannot become markup."""

import base64
import hashlib
import re

import pytest

from rapidvision.experiments.online.pages.shell import BOOT_SOURCE, STATIC, shell

from .client import run, world

WORDS = {"waiting": "wait & see <b>", "too_old": "old"}


def test_the_policy_names_exactly_the_script_that_is_in_the_page():
    page = shell(STATIC / "index.html", main="static/main.js", **WORDS).decode()
    (script,) = re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" == BOOT_SOURCE
    assert 'data-main="static/main.js"' in page and "wait &amp; see &lt;b&gt;" in page


@run
async def test_pages_carry_the_policy_that_lets_their_loader_run(study_folder):
    async with world(study_folder) as here, here.client() as client, here.client(here.dashboard) as desk:
        for answer in (await client.get("/"), await client.get("/withdraw"), await desk.get("/")):
            assert f"script-src 'self' {BOOT_SOURCE};" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("text", ["<p>nothing</p>", "<!--boot--><!--boot-->"])
def test_a_file_without_one_place_for_the_loader_is_refused(tmp_path, text):
    (tmp_path / "page.html").write_text(text)
    with pytest.raises(ValueError, match=r"one is needed"):
        shell(tmp_path / "page.html", main="x.js", **WORDS)


@run
async def test_browsers_do_not_translate_the_words_of_a_study(study_folder):
    """A translated page has other words for consent and for keys than the protocol, and a translator moves the page's nodes."""
    async with world(study_folder) as here, here.client() as client:
        for address in ("/", "/withdraw"):
            assert re.search(r'<html[^>]* translate="no"', (await client.get(address)).text), address
