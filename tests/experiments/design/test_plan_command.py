"""``session plan``: a study, a protocol that is made to fit, a session that is explained."""

import xml.etree.ElementTree as ET

import pytest

from rapidvision.cli import main
from rapidvision.experiments.design.explain import explain, phase_refreshes
from rapidvision.experiments.design.figures.timeline import draw_timeline, write_timeline
from rapidvision.experiments.design.planning import make_plan
from rapidvision.formats.protocol_file import preset
from rapidvision.plan import Run
from rapidvision.screen import refreshes
from rapidvision.study import Study
from tests.experiments.sets import PROTOCOLS, protocol_of

MINE = """
protocol = 2
name = "mine"
phases = [
  { kind = "fixation", duration_ms = 500 },
  { kind = "stimulus", duration_ms = 20 },
  { name = "wait", kind = "blank", duration_ms = "response" },
]

[response]
limit_ms = 2000
options = [{ name = "yes", matches = [true], keys = ["1"] }, { name = "no", matches = [false], keys = ["0"] }]

[design]
blocks = 7
fixed = { map_source = "clickme", level = 11 }

[practice]
n_trials = 40
"""


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE, encoding="utf-8")
    return path


def any_plan(set_of, name, slot=0):
    from rapidvision.experiments.design.planning import groups_of

    return make_plan(set_of(name), protocol_of(name), group=groups_of(set_of(name), protocol_of(name))[0], slot=slot)


def test_a_study_comes_with_its_balance_as_text_tables_and_image(noise_set, tmp_path, capsys):
    out = tmp_path / "study"
    assert main(["session", "plan", str(noise_set.folder), "--out", str(out), "--n-per-group", "3", "--quiet"]) == 0
    assert len(Study(out).plans()) == 6
    said = capsys.readouterr().out
    assert "each image at each level" in said
    assert "6 plans in" in said
    assert (out / "balance.txt").read_text(encoding="utf-8").splitlines()[0] in said
    assert (out / "balance.csv").read_text(encoding="utf-8").startswith("group,count,fewest,most,mean")
    assert (out / "exposure.csv").read_text(encoding="utf-8").startswith("group,image_id,level,presentations")
    ET.parse(out / "balance.svg")


def test_what_does_not_fit_is_refused_with_the_line_and_fitted_on_demand(noise_set, mine, tmp_path, capsys):
    out = tmp_path / "study"
    words = ["session", "plan", str(noise_set.folder), "--protocol", str(mine), "--out", str(out), "--n-per-group", "2"]
    assert main(words) == 2
    assert "mine.toml:15: design.blocks: got 7, which does not divide 80 trials" in capsys.readouterr().err
    assert not out.exists()
    assert main([*words, "--fit"]) == 0
    said = capsys.readouterr().out
    assert "fitted design.blocks: 7 -> 8\n" in said
    assert "fitted practice.n_trials: 40 -> 16\n" in said
    fitted = Study(out).protocol()
    assert (fitted.design.blocks, fitted.practice.n_trials) == (8, 16)
    assert {plan.protocol.digest for plan in Study(out).plans()} == {fitted.digest}
    assert main([*words[:-1], "3", "--fit"]) == 0  # again, with more slots
    assert len(Study(out).plans()) == 3


def test_a_protocol_that_fits_says_no_change(noise_set, tmp_path, capsys):
    out = tmp_path / "study"
    words = ["session", "plan", str(noise_set.folder), "--out", str(out), "--n-per-group", "1", "--fit"]
    assert main(words) == 0
    assert "fitted" not in capsys.readouterr().out
    assert Study(out).protocol() == preset("paper")


def test_a_session_is_explained_without_writing_a_study(noise_set, tmp_path, capsys):
    image = tmp_path / "session.svg"
    words = ["session", "plan", str(noise_set.folder), "--protocol", "within", "--explain", str(image)]
    assert main([*words, "--refresh-hz", "144"]) == 0
    said = capsys.readouterr().out
    assert "400 ms = 58 refreshes at 144 Hz" in said
    assert "source of phases.stimulus: " in said
    ET.parse(image)
    assert [path.name for path in tmp_path.iterdir()] == ["session.svg"]
    words[-1] = str(tmp_path / "session.txt")
    assert main(words) == 0
    assert "400 ms = 24 refreshes at 60 Hz" in (tmp_path / "session.txt").read_text(encoding="utf-8")


def test_neither_a_study_nor_a_image_is_refused(noise_set, capsys):
    assert main(["session", "plan", str(noise_set.folder)]) == 2
    assert "--out: name the study folder" in capsys.readouterr().err


def test_an_unknown_ending_of_the_image_is_refused(noise_set, tmp_path, capsys):
    assert main(["session", "plan", str(noise_set.folder), "--explain", str(tmp_path / "a.gif")]) == 2
    assert 'figure format "gif"' in capsys.readouterr().err


def test_a_runner_that_cannot_run_it_is_said_or_refused(noise_set, tmp_path, capsys):
    words = ["session", "plan", str(noise_set.folder), "--out", str(tmp_path / "s"), "--n-per-group", "1"]
    assert main([*words, "--protocol", "threshold"]) == 0
    assert (
        "note: movie cannot run it: adaptive: a movie is made before the answers are known" in capsys.readouterr().out
    )
    assert main([*words, "--protocol", "threshold", "--for", "movie"]) == 2
    assert (
        "threshold: adaptive: a movie is made before the answers are known (runner: movie)" in capsys.readouterr().err
    )


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_session_is_explained_in_words_and_as_a_image(set_of, tmp_path, name):
    plan = any_plan(set_of, name)
    text = explain(plan)
    main_trials = len(plan.trials("main"))
    lines = [line.split() for line in text.splitlines()]
    assert sum(int(words[0]) for words in lines if words[1:3] == ["trials", "block"]) == main_trials
    assert sum(int(words[0]) for words in lines if words[1:3] == ["trials", "practice,"]) == len(
        plan.trials("practice")
    )
    for phase in plan.protocol.phases:
        assert f" {phase.id} " in text
    for question in plan.protocol.questions:
        assert question.name in text
    write_timeline(plan, tmp_path / "session.png", refresh_hz=75)
    assert (tmp_path / "session.png").read_bytes()[1:4] == b"PNG"


def test_the_phases_of_the_image_are_to_scale(set_of):
    plan = any_plan(set_of, "masked")
    figure = draw_timeline(plan)
    axis = figure.axes[1]
    widths = [patch.get_width() for patch in axis.patches]
    assert widths == [500, 20, 30, 80, 1870]  # the last one until the limit of 2,000 ms after the image's onset
    assert [patch.get_x() for patch in axis.patches] == [0, 500, 520, 550, 630]
    blocks = [text.get_text() for text in figure.axes[2].texts]
    assert blocks == ["practice 1\n8 trials", *(f"block {n}\n8 trials" for n in range(1, 11))]


@pytest.mark.parametrize("hz", [60, 75, 120, 144, 240])
def test_refreshes_of_phases_add_up_from_each_anchor(set_of, hz):
    for name in PROTOCOLS:
        for step in any_plan(set_of, name).steps[:20]:
            if isinstance(step, Run):
                counts = phase_refreshes(step.trial.phases, hz)
                since = total = 0
                for phase, n in zip(step.trial.phases, counts, strict=True):
                    if phase.kind == "stimulus" or n is None:
                        since = total = 0
                    if n is not None:
                        since, total = since + phase.duration_ms, total + n
                        assert total == refreshes(since, hz)
