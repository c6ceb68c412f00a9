"""What networks look at, in the report: from the record that the writer of networks' tables writes."""

import base64
import json

import msgspec
import pytest

from rapidvision.analysis.reporting.basis.html import page
from rapidvision.analysis.reporting.basis.parts import Section
from rapidvision.analysis.reporting.sections.networks import attention
from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.formats.networks.model_record import (
    Attention,
    ModelRecord,
    Mosaic,
    NetworkRecord,
    record_path,
    write_record,
)
from rapidvision.system import files

FOUND = Mosaic(
    rows=("images", "gala", "plain"),
    columns=("cat-1", "table-1"),
    maps={"gala": "attention", "plain": "features"},
    meaning="column-wise L2 norm of the deepest attended layer, 0 to 1 per image; opacity in the mosaic",
    file="models-attention.png",
)


def record(mosaic=FOUND):
    return ModelRecord(
        policy={"policy": "replay"},
        a_participant_is="a plan, answered without noise",
        networks=(
            NetworkRecord(
                name="gala",
                readout="binary",
                preprocessing={},
                pixels="as they are",
                weights_sha256="0" * 64,
                layouts={},
                n_ties=0,
            ),
        ),
        ties="answered wrongly",
        ignored=("durations",),
        confidence="",
        n_plans=2,
        n_trials=60,
        probing=None,
        time="networks have no clock",
        attention=Attention(mosaic=mosaic, left_out={"mine": "has no layers <b>"}),
        provenance=files.provenance("models observe"),
    )


def html_of(parts):
    return page("Report", "", [Section("Networks", parts)], {})


def test_the_mosaic_beside_the_table_is_shown_with_its_rows(tmp_path):
    write_record(tmp_path / "models.csv", record())
    (tmp_path / "models-attention.png").write_bytes(b"an image")
    text = html_of(attention(tmp_path / "models.csv"))
    assert base64.b64encode(b"an image").decode() in text
    assert "Rows: the images, gala (attention), plain (activity of a network without attention)." in text
    assert "2 intact images (cat-1, table-1)" in text
    assert "mine is not shown: has no layers &lt;b&gt;" in text


def test_without_a_record_or_a_mosaic_there_is_no_figure(tmp_path):
    assert attention(tmp_path / "models.csv") == []
    write_record(tmp_path / "models.csv", record(mosaic=None))
    text = html_of(attention(tmp_path / "models.csv"))
    assert "<figure>" not in text
    assert "mine is not shown" in text


def paths_of(value, prefix=()):
    """Every key of a record that may be absent from a damaged file, as a path."""
    for key, one in value.items():
        yield (*prefix, key)
        if isinstance(one, dict) and key in ("attention", "mosaic"):
            yield from paths_of(one, (*prefix, key))


#: The networks that failed may be absent: none did.
KEYS = [path for path in paths_of(msgspec.to_builtins(record())) if path != ("failed",)]


@pytest.mark.parametrize("path", KEYS, ids=".".join)
def test_a_record_that_lacks_a_key_is_refused_with_file_and_key(tmp_path, path):
    whole = msgspec.to_builtins(record())
    inner = whole
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    (tmp_path / "models.json").write_text(json.dumps(whole))
    with pytest.raises(InputError) as refused:
        attention(tmp_path / "models.csv")
    message = str(refused.value)
    assert "models.json" in message
    assert path[-1] in message
    assert "run `rapidvision models observe` again" in message
    assert "\n" not in message


@pytest.mark.parametrize("content", ["{", "[1]", '{"attention": {"left_out": {}}}', "\udcff"])
def test_a_record_that_is_none_is_refused(tmp_path, content):
    record_path(tmp_path / "models.csv").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=r"models.json: .* run `rapidvision models observe` again"):
        attention(tmp_path / "models.csv")


def test_a_mosaic_that_is_missing_or_elsewhere_is_named(tmp_path):
    write_record(tmp_path / "models.csv", record())
    with pytest.raises(InputError, match=r"models-attention.png"):
        attention(tmp_path / "models.csv")
    write_record(tmp_path / "models.csv", record(msgspec.structs.replace(FOUND, file="../secret.png")))
    with pytest.raises(InputError, match="a file name is needed"):
        attention(tmp_path / "models.csv")


def test_a_report_with_an_incomplete_record_ends_in_one_line(table_file, network_file, tmp_path, capsys):
    network_file.with_suffix(".json").write_text('{"attention": {"file": "models-attention.png"}}')
    words = ["analyse", "report", str(table_file), "--models", str(network_file), "--n-resamples", "99", "--seed", "1"]
    assert main([*words, "--out", str(tmp_path / "report")]) == 2
    assert "models.json: " in capsys.readouterr().err
