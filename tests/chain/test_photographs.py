"""The main job on real photographs, by the very commands of the documentation."""

from pathlib import Path

import pytest

from rapidvision import study
from rapidvision.formats import manifest, trials_table
from tests.chain import console

ROOT = Path(__file__).parents[2]


@pytest.mark.data
@pytest.mark.slow
def test_the_documented_commands_take_real_photographs_to_the_figure(data_folder, tmp_path):
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    listed = console.commands(ROOT / "docs" / "photographs.md")
    assert len(listed) == 6
    for command in listed:
        if command.not_run:
            continue
        done = console.run(command.text.replace("PATH/TO/osie", str(data_folder / "osie")), tmp_path)
        assert done.returncode == 0, f"{command.text}\n{done.stdout}{done.stderr}"
    stimuli = manifest.read_set(tmp_path / "osie/stimuli")
    assert len(stimuli.exemplars()) == 80
    assert sum(exemplar.target for exemplar in stimuli.exemplars()) == 40
    assert {row.map_source for row in stimuli.stimuli} == {"fixations", "mouse"}
    rows = trials_table.read_table(study.Study(tmp_path / "osie/study").simulated_path)
    assert {row.group for row in rows} == {"fixations", "mouse"}
    assert len(rows) == 120 * 80
    for kind in ("pdf", "svg", "png"):
        assert (tmp_path / "osie/figures" / f"fig2b.{kind}").stat().st_size > 1000
