import base64
import json

import pytest

from rapidvision.analysis.reporting.attention_figure import attention
from rapidvision.errors import InputError

FOUND = {
    "file": "models-attention.png",
    "rows": ["pictures", "gala", "plain"],
    "columns": ["cat-1", "table-1"],
    "maps": {"gala": "attention", "plain": "features"},
    "meaning": "column-wise L2 norm of the deepest attended layer, 0 to 1 per picture; opacity in the mosaic",
    "left_out": {"mine": "has no layers <b>"},
}


def test_the_mosaic_beside_the_table_is_shown_with_its_rows(tmp_path):
    (tmp_path / "models.json").write_text(json.dumps({"attention": FOUND}))
    (tmp_path / "models-attention.png").write_bytes(b"a picture")
    text = attention(tmp_path / "models.csv")
    assert base64.b64encode(b"a picture").decode() in text
    assert "Rows: the pictures, gala (attention), plain (activity of a network without attention)." in text
    assert "2 intact pictures (cat-1, table-1)" in text
    assert "mine is not shown: has no layers &lt;b&gt;" in text


@pytest.mark.parametrize("content", [None, "{}", "[1]", '{"attention": {"left_out": {}}}'])
def test_without_a_mosaic_there_is_no_figure(tmp_path, content):
    if content is not None:
        (tmp_path / "models.json").write_text(content)
    assert attention(tmp_path / "models.csv") == ""


def test_a_record_that_cannot_be_followed_is_named(tmp_path):
    (tmp_path / "models.json").write_text("{")
    with pytest.raises(InputError, match=r"models.json: not JSON .* run `rapidvision models observe` again"):
        attention(tmp_path / "models.csv")
    (tmp_path / "models.json").write_text(json.dumps({"attention": FOUND}))
    with pytest.raises(InputError, match=r"models-attention.png"):
        attention(tmp_path / "models.csv")
