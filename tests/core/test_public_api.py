"""The public API: the names that users guess, documented with examples, typed, and enough for a whole study."""

import importlib
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rapidvision.system.lazy import read_stub

ROOT = Path(__file__).parents[2]
PACKAGES = ("rapidvision", "stimuli", "experiments", "analysis", "gala_models")
#: Names that were written down before the API was built: what a user would try first.
GUESSED = [
    "stimuli.flood_fill",
    "stimuli.build",
    "stimuli.scramble",
    "stimuli.phase_scramble",
    "load_maps",
    "read_trials",
    "analysis.permutation_test",
    "gala_models.gala_resnet50",
    "gala_models.GALA",
    "experiments.plan",
    "Protocol",
    "ImportanceMap",
    "analysis.read_trials",
    "analysis.bins",
    "analysis.randomization_test",
    "gala_models.load_model",
    "stimuli.StimulusSet",
    "stimuli.read_recipe",
    "stimuli.StimulusRecipe",
    "stimuli.contact_sheet",
    "stimuli.load_maps",
    "stimuli.verify",
    "experiments.simulate",
    "experiments.export",
    "experiments.read_sessions",
    "analysis.fig2b",
    "analysis.report",
    "analysis.power",
    "analysis.fit_psychometric",
    "analysis.sign_flip_test",
    "analysis.error_consistency",
    "analysis.compare",
    "analysis.import_trials",
    "models.train",
    "models.evaluate",
    "models.attention_maps",
    "read_set",
    "Plan",
    "Study",
]


def front(package):
    return importlib.import_module("rapidvision" if package == "rapidvision" else f"rapidvision.{package}")


def public():
    for package in PACKAGES:
        for name in read_stub(ROOT / package / "__init__.pyi"):
            yield package, name


@pytest.mark.parametrize("name", GUESSED)
def test_a_name_that_users_guess_exists(name):
    found = importlib.import_module("rapidvision")
    for part in name.split("."):
        found = getattr(found, part)
    assert found.__doc__


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The packages as they lie in an installed wheel: inside ``rapidvision``."""
    folder = tmp_path_factory.mktemp("site")
    skip = shutil.ignore_patterns("__pycache__", "bundled", "static", "*.png")
    shutil.copytree(ROOT / "rapidvision", folder / "rapidvision", ignore=skip)
    for package in PACKAGES[1:]:
        shutil.copytree(ROOT / package, folder / "rapidvision" / package, ignore=skip)
    return folder


#: Packages whose types no public function of the script takes: reading them is nine tenths of the time.
NOT_READ = (
    "PIL",
    "dask",
    "distributed",
    "jinja2",
    "matplotlib",
    "mypy",
    "optype",
    "scipy",
    "sqlalchemy",
    "torch",
    "tornado",
    "xarray",
)


def mypy(folder, site):
    """Type-check a folder of users' scripts, strictly, with nothing set by this project: file → what is printed."""
    skipped = "".join(f"[mypy-{name}.*]\nfollow_imports = skip\nfollow_imports_for_stubs = true\n" for name in NOT_READ)
    (folder / "mypy.ini").write_text(f"[mypy]\n{skipped}", encoding="utf-8")
    words = ["--strict", "--config-file", "mypy.ini", "--follow-imports=silent", "--cache-dir", os.devnull]
    names = sorted(path.name for path in folder.glob("*.py"))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *words, *names],
        cwd=folder,
        env={**os.environ, "MYPYPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    return {name: [line for line in done.stdout.splitlines() if line.startswith(name)] for name in names}, done


RIGHT = """
from typing import assert_type

import numpy as np
import numpy.typing as npt
import pandas as pd
import rapidvision as rv
from rapidvision.analysis import LevelTests, PermutationTest, SignFlipTest

stimulus_set = rv.stimuli.build("bundled", out="set")
assert_type(stimulus_set, rv.StimulusSet)
study = rv.experiments.plan(stimulus_set, rv.preset("paper"), out="study", n_per_group=4)
assert_type(study, rv.Study)
frame = rv.experiments.simulate(study, seed=1)
assert_type(frame, pd.DataFrame)
assert_type(rv.read_trials(frame), rv.analysis.Trials)
found = rv.analysis.level_tests(frame, groups=("clickme", "salicon"), alternative="greater", seed=1)
assert_type(found, LevelTests)
assert_type(found.to_frame(), pd.DataFrame)
assert_type(rv.analysis.bins("trials.csv"), pd.DataFrame)
assert_type(rv.analysis.permutation_test([1.0, 2.0], [3.0], n_resamples=99), PermutationTest)
assert_type(rv.analysis.sign_flip_test([1.0, 2.0]), SignFlipTest)
assert_type(rv.analysis.fig2b(frame), rv.analysis.Fig2b)
assert_type(rv.load_maps("maps", reader="folder"), dict[str, rv.ImportanceMap])
image = np.zeros((8, 8, 3), dtype=np.uint8)
assert_type(rv.stimuli.phase_scramble(image, seed=1), npt.NDArray[np.uint8])
network = rv.models.load("compact-gala")
assert_type(network, rv.models.Network)
assert_type(rv.models.observe(network, study), pd.DataFrame)
assert_type(rv.analysis.compare(frame, "models.csv"), rv.analysis.Comparison)
"""

WRONG = """
import rapidvision as rv

trials = rv.analysis.read_trials("trials.csv")
rv.analysis.level_tests(trials, grups=("clickme", "salicon"))
rv.analysis.level_tests(trials, alternative="bigger")
rv.analysis.this_does_not_exist(3)
"""


def test_a_users_script_is_typed_and_a_wrong_keyword_literal_and_name_are_three_errors(site, tmp_path):
    (tmp_path / "right.py").write_text(RIGHT, encoding="utf-8")
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    said, done = mypy(tmp_path, site)
    assert not said["right.py"], done.stdout
    errors = [line for line in said["wrong.py"] if ": error:" in line]
    assert [line.rpartition("[")[2] for line in errors] == ["call-arg]", "arg-type]", "attr-defined]"], (
        done.stdout + done.stderr
    )
    assert done.stdout.splitlines()[-1].startswith("Found 3 errors in 1 file (checked 2 source files)")


@pytest.mark.usefixtures("bundled_set_is_built")
def test_a_whole_study_fits_into_fifteen_lines(tmp_path, monkeypatch):
    notebook = ROOT / "examples" / "notebook.py"
    code = [
        line
        for line in notebook.read_text(encoding="utf-8").partition('"""\n\n')[2].splitlines()
        if line.strip() and not line.startswith("#")
    ]
    assert len(code) <= 15
    assert [line for line in code if "import" in line] == ["import rapidvision as rv"]
    monkeypatch.chdir(tmp_path)
    made = runpy.run_path(str(notebook))
    assert made["tests"].to_frame()["level"].tolist()[-1] == "full"
    assert {path.name for path in (tmp_path / "figures").iterdir()} >= {"fig2b.pdf", "fig2b.svg", "fig2b.png"}
    assert set(made["comparison"].to_frame()["model"]) == {"compact-gala-maps"}


def test_the_landing_page_shows_that_notebook():
    shown = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    code = (ROOT / "examples" / "notebook.py").read_text(encoding="utf-8").partition('"""\n\n')[2].strip()
    assert code in shown


def test_fig2b_draws_into_the_users_axes_with_his_words_and_colours():
    from matplotlib.figure import Figure

    from rapidvision import analysis
    from rapidvision.analysis.sample_size.simulation import Design, simulate

    trials = simulate(Design(n_per_group=4), seed=1).trials(seed=1)
    first, second = groups = tuple(sorted(set(trials.frame["group"])))
    figure = Figure()
    axes = figure.subplots(1, 2)
    labels, colours = {first: "Ours"}, {second: "#123456"}
    found = analysis.fig2b(trials, ax=axes[1], labels=labels, colours=colours, groups=groups, n_resamples=99, seed=1)
    assert found.drawing.figure is figure
    assert not axes[0].lines
    handles, shown = axes[1].get_legend_handles_labels()
    assert shown == ["Ours (n = 4)", f"{second} (n = 4)"]
    assert handles[1].get_color() == "#123456"


def test_a_permutation_test_counts_as_scipys_does():
    import numpy as np
    import scipy.stats

    from rapidvision.analysis import permutation_test

    def medians(first, second, axis):
        return np.median(first, axis=axis) - np.median(second, axis=axis)

    rng = np.random.default_rng(11)
    first, second = rng.integers(0, 6, 5) / 10, rng.integers(2, 9, 4) / 10
    for alternative in ("two-sided", "greater", "less"):
        ours = permutation_test(first, second, medians, alternative=alternative)
        theirs = scipy.stats.permutation_test(
            (first, second), medians, n_resamples=np.inf, alternative=alternative, vectorized=True
        )
        assert ours.exact
        assert ours.p[0] == pytest.approx(theirs.pvalue)
    many = permutation_test(rng.normal(0, 1, 40), rng.normal(0.5, 1, 30), n_resamples=4000, seed=1)
    assert many.p_low[0] <= many.p[0] <= many.p_high[0]
    assert many.null_distribution.shape == (4000, 1)


def test_relabelling_scores_is_exact_and_names_the_levels():
    import itertools

    import numpy as np
    import pandas as pd

    from rapidvision.analysis import randomization_test

    scores = pd.DataFrame({"10": [0.3, 0.1, 0.7, 0.9, 0.6], "full": [1.0, 0.9, np.nan, 1.0, 0.8]})
    first = np.array([False, False, True, True, True])
    found = randomization_test(scores, first, alternative="greater", n_resamples=99, seed=1)
    values = scores["10"].to_numpy()
    every = [values[list(who)].mean() - np.delete(values, who).mean() for who in itertools.combinations(range(5), 3)]
    observed = values[first].mean() - values[~first].mean()
    assert found.p_exact[0] == np.mean([one >= observed - 1e-12 for one in every])
    assert found.to_frame()["level"].tolist() == ["10", "full"]


def test_a_table_is_the_same_from_a_file_a_frame_and_records(tmp_path):
    import pandas as pd

    from rapidvision.analysis import read_trials, write_trials
    from rapidvision.analysis.sample_size.simulation import Design, simulate
    from rapidvision.formats.trials_table import read_table

    trials = simulate(Design(n_per_group=2), seed=1).trials(seed=1)
    path = tmp_path / "trials.csv"
    write_trials(path, trials)
    from_file = read_trials(path).frame
    for source in (pd.read_csv(path), from_file, read_table(path)):
        pd.testing.assert_frame_equal(read_trials(source).frame, from_file)
    broken = pd.read_csv(path).assign(status="in time")
    from rapidvision.errors import InputError

    with pytest.raises(InputError, match='row 0: status is "in time"'):
        read_trials(broken)
