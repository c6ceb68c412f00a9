"""``rapidvision session protocol``: a preset to edit, a check of a file, the schema."""

import json

from rapidvision.cli import main
from rapidvision.formats.protocol_file import preset, read_protocol


def test_a_preset_is_written_to_be_edited_and_checked(tmp_path, capsys):
    mine = tmp_path / "mine.toml"
    assert main(["session", "protocol", "masked", "--out", str(mine)]) == 0
    assert read_protocol(mine) == preset("masked")
    capsys.readouterr()
    assert main(["session", "protocol", str(mine)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "lab: runs it" and "phone: cannot run it" in said
    assert "  phases[4].duration_ms: a movie cannot wait for the response" in said
    assert main(["session", "protocol", "masked", "--out", str(mine)]) == 2  # an edited file stays


def test_a_mistake_is_named_with_its_line(tmp_path, capsys):
    mine = tmp_path / "mine.toml"
    mine.write_text('protocol = 2\n[[phases]]\nkind = "pause"\nduration_ms = 1\n', encoding="utf-8")
    assert main(["session", "protocol", str(mine)]) == 2
    assert f'{mine}:3: phases[0].kind: got "pause"' in capsys.readouterr().err


def test_a_preset_is_printed(capsys):
    assert main(["session", "protocol", "paper"]) == 0
    assert "limit_ms = 550" in capsys.readouterr().out


def test_the_schema_is_json(tmp_path):
    assert main(["session", "protocol", "--schema", str(tmp_path / "s.json")]) == 0
    assert "Phase" in json.loads((tmp_path / "s.json").read_text())["$defs"]
