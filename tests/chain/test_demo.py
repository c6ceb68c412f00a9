"""The main job from one command, and the README as its reader meets it."""

import json
from pathlib import Path

import pytest

from rapidvision import study
from rapidvision.commands import demo
from rapidvision.formats import trials_table
from tests.chain import console

ROOT = Path(__file__).parents[2]
HOW_TO = sorted((ROOT / "docs" / "howto").glob("*.md"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which the demo has run, the whole of it but with small groups."""
    folder = tmp_path_factory.mktemp("reader")
    done = console.run("rapidvision demo --n-per-group 6", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "said.txt").write_text(done.stdout, encoding="utf-8")
    return folder


def test_the_demo_says_that_participants_are_simulated_and_where_the_figure_is(folder):
    said = (folder / "said.txt").read_text(encoding="utf-8")
    assert "SIMULATED" in said
    figure = next(line for line in said.splitlines() if line.startswith("Fig. 2B:")).split()[2]
    assert (folder / figure).stat().st_size > 10_000


def test_the_demo_runs_the_commands_it_prints(folder):
    printed = [
        line[2:] for line in (folder / "said.txt").read_text(encoding="utf-8").splitlines() if line.startswith("$ ")
    ]
    assert [text.split()[1:3] for text in printed] == [
        ["stimuli", "build"], ["session", "plan"], ["session", "simulate"], ["models", "observe"], ["analyse", "report"],
    ]  # fmt: skip


def test_the_demo_leaves_figure_report_and_results(folder):
    report = folder / "demo" / "report"
    for name in ("figures/fig2b.pdf", "figures/fig2b.svg", "figures/fig2b.png", "report.html", "results.json"):
        assert (report / name).stat().st_size > 0, name
    assert "simulated" in (report / "report.html").read_text(encoding="utf-8").lower()
    assert json.loads((report / "results.json").read_text(encoding="utf-8"))


def test_people_and_networks_fill_the_same_table_for_the_same_pixels(folder):
    one = study.Study(folder / "demo" / "study")
    people = trials_table.read_table(one.simulated_path)
    networks = trials_table.read_table(one.folder / "models.csv")
    assert {row.observer for row in people} == {"simulated"}
    assert len({row.participant_id for row in people}) == 12
    main = [row for row in people if row.phase == "main"]
    assert len(main) == sum(len(plan.trials("main")) for plan in one.plans())
    shown = {(row.group, row.slot, row.image_id): row.stimulus_sha256 for row in main}
    seen = [row for row in networks if row.phase == "main"]
    assert seen
    assert all(shown[row.group, row.slot, row.image_id] == row.stimulus_sha256 for row in seen)


def test_readme_commands_run_in_an_empty_folder(tmp_path):
    listed = console.commands(ROOT / "README.md")
    assert [command.text for command in listed[:2]] == ['pip install ".[fast,models]"', "rapidvision demo"]
    plan = "session plan set --out study"
    assert any(command.text.endswith(plan) for command in listed)
    for command in listed:
        if command.not_run:
            continue
        done = console.run(
            command.text.replace(plan, f"{plan} --n-per-group 6"), tmp_path
        )  # as for the demo: small groups
        assert done.returncode == 0, f"{command.text}\n{done.stdout}{done.stderr}"


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", HOW_TO, ids=lambda path: path.stem)
def test_how_to_pages_run_from_top_to_bottom(folder, page):
    pytest.importorskip("torch")
    assert console.follow(page, folder) == sum(step.not_run is None for step in console.commands(page))


def test_what_is_not_run_in_the_how_to_pages_says_why_and_is_the_exception():
    everything = [step for page in HOW_TO for step in console.commands(page)]
    left_out = [step for step in everything if step.not_run]
    assert len(left_out) < len(everything) / 2
    assert all(len(step.not_run.split()) >= 4 for step in left_out)


@pytest.mark.slow
def test_images_drawn_by_the_function_are_those_of_the_command(tmp_path):
    demo.draw_images(tmp_path / "a", n=8, side_px=48, seed=3, map_sources=["clickme"], n_workers=1, quiet=True)
    words = "rapidvision demo render --out b --n-images 8 --size 48 --seed 3 --map-sources clickme"
    assert console.run(words, tmp_path).returncode == 0
    names = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*"))
    assert len(names) > 8
    assert all((tmp_path / "a" / one).read_bytes() == (tmp_path / "b" / one).read_bytes() for one in names)


def test_nothing_is_half_written_when_the_demo_is_asked_for_nonsense(tmp_path):
    done = console.run("rapidvision demo --n-per-group 0", tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
