"""Every script of the gallery runs as it stands and draws something."""

import runpy
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
GALLERY = Path(__file__).parents[2] / "examples" / "gallery"
SCRIPTS = sorted(GALLERY.glob("plot_*.py"))


def test_the_gallery_has_scripts():
    assert len(SCRIPTS) >= 9


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_of_the_gallery_runs_and_draws(script, monkeypatch):
    from matplotlib import pyplot as plt

    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.extend(plt.get_fignums()))
    try:
        left = runpy.run_path(str(script))
        drawn = [value for value in left.values() if hasattr(value, "_repr_png_")]
        assert shown or drawn
        for one in drawn:
            assert one._repr_png_().startswith(b"\x89PNG")
    finally:
        plt.close("all")
