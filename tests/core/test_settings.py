"""Settings of the user's computer that must change no figure: Matplotlib's, and the backend of a Jupyter kernel."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: What people have in their settings files, and what would show in a figure if it was taken.
MATPLOTLIBRC = """\
axes.spines.left: False
axes.grid: True
axes.facecolor: black
axes.prop_cycle: cycler('color', ['y'])
axes.formatter.use_locale: True
axes.formatter.limits: -1, 1
axes.unicode_minus: False
figure.dpi: 31
figure.facecolor: 0.9
figure.constrained_layout.h_pad: 0.9
font.family: serif
legend.loc: lower left
lines.linewidth: 9
lines.markeredgewidth: 7
errorbar.capsize: 11
hatch.linewidth: 4
image.cmap: hot
savefig.bbox: tight
savefig.transparent: True
savefig.dpi: 40
svg.fonttype: none
svg.hashsalt: mine
pdf.compression: 0
xtick.direction: in
ytick.right: True
"""

DRAW = """
import hashlib, json, sys
from pathlib import Path
import numpy as np
from rapidvision import analysis
from rapidvision.analysis.sample_size.simulation import Design, simulate
from rapidvision.experiments.clickme.report import figures as of_the_game
from rapidvision.stimuli.report.figures import set_figures

out = Path(sys.argv[1])
trials = simulate(Design(n_per_group=6), seed=1).trials(seed=1)
groups = tuple(dict.fromkeys(trials.frame["group"]))[:2]
analysis.fig2b(trials, groups=groups, seed=1).drawing.save(out)
rng = np.random.default_rng(1)
images = [rng.integers(0, 256, (32, 32, 3), dtype=np.uint8) for _ in range(2)]
row = {"map_source": "clickme", "captured_00": ".1", "captured_01": ".6", "canvas_clipped_fraction": ".01"}
(out / "set.png").write_bytes(set_figures(images, images[::-1], [row, row]))
of_the_game.histogram(out, "players", {1: 2, 3: 1}, label="Players", what="Images")
of_the_game.bubbles(out, "bubbles", [5, 30], [70], most=100)
of_the_game.gallery(out, "gallery", [("a", images[0], rng.random((32, 32)), "red")])
try:
    import torch
except ImportError:
    pass
else:
    from rapidvision.gala_models.figures import figure_7, learning_curves
    from rapidvision.gala_models.training.sweep import Point
    points = [Point(lam=lam, seed=seed, accuracy=70 + lam + seed, maps=40 + seed) for lam in (0, 6) for seed in (1, 2)]
    for suffix in ("png", "svg", "pdf"):
        figure_7(points, out / f"fig7.{suffix}")
    found = {"top1_error": 20, "rho": 0.5, "rho_other_classes": 0.1}
    epochs = [{"epoch": n, "classification_loss": 1 / n, "map_distance": 2 / n, "train_top1_error": 30, "validation": found} for n in (1, 2, 3)]
    learning_curves(epochs, out / "learning.png")
print(json.dumps({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.iterdir())}))
"""


def drawn(folder, **settings):
    """Every figure of the packages, drawn by a process that has some environment variables: name → SHA-256."""
    folder.mkdir()
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("MPL", "MATPLOTLIB", "LC_", "LANG"))
    }
    done = subprocess.run(
        [sys.executable, "-c", DRAW, folder],
        cwd=ROOT,
        env={**clean, "MPLCONFIGDIR": str(folder.parent / "mpl"), **settings},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def as_always(tmp_path_factory):
    return drawn(tmp_path_factory.mktemp("plain") / "figures")


@pytest.fixture(scope="module")
def settings_file(tmp_path_factory):
    def written(text):
        path = tmp_path_factory.mktemp("settings") / "matplotlibrc"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return written


@pytest.mark.parametrize(
    ("rc", "settings"),
    [
        (MATPLOTLIBRC, {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}),
        ("text.usetex: True\n", {"MPLBACKEND": "qtagg", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    ],
    ids=["another look, in a notebook", "TeX, another backend, and a code page that is not UTF-8"],
)
def test_a_users_settings_change_no_figure(as_always, settings_file, rc, settings, tmp_path):
    assert drawn(tmp_path / "figures", MATPLOTLIBRC=settings_file(rc), **settings) == as_always


def told(code, **settings):
    """What a process prints that runs some code under some environment variables."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return done.stdout.strip() + done.stderr.strip()


def test_a_settings_file_that_matplotlib_cannot_read_is_named(tmp_path):
    (tmp_path / "matplotlibrc").write_bytes("font.family: Größe\n".encode("cp1252"))
    code = (
        "from rapidvision import errors\nfrom rapidvision.system import figures\n"
        "try: figures.load_matplotlib()\n"
        "except errors.InputError as error: print(error)"
    )
    assert "save your matplotlibrc as UTF-8" in told(code, MATPLOTLIBRC=str(tmp_path))


@pytest.mark.parametrize(("backend", "in_force"), [("svg", "svg"), ("no-such-backend", "agg")])
def test_a_backend_stays_in_the_environment_and_in_force_for_the_users_own_figures(backend, in_force):
    code = (
        "import os\nfrom rapidvision.system import figures\nfigures.load_matplotlib()\n"
        "import matplotlib.pyplot as plt\nprint(os.environ['MPLBACKEND'], plt.get_backend())"
    )
    assert told(code, MPLBACKEND=backend, DISPLAY="").lower() == f"{backend} {in_force}"


def test_the_users_own_choice_of_a_backend_is_not_taken_back():
    code = (
        "import matplotlib\nmatplotlib.use('svg')\nfrom rapidvision.system import figures\n"
        "with figures.figure_style():\n    figures.figure_bytes(figures.new_figure(1, 1), 'png', dpi=20)\n"
        "print(matplotlib.get_backend(), matplotlib.rcParams['axes.spines.left'])"
    )
    assert told(code, MPLBACKEND="pdf") == "svg True"
