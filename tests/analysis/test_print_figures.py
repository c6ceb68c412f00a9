"""Figures for print: nothing is printed over anything else, models are told apart in grey, bytes do not depend on settings."""

import itertools
import locale

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.transforms import Bbox

from rapidvision import analysis
from rapidvision.analysis.figures.level_axis import level_axis, level_axis_label
from rapidvision.analysis.figures.style import RC
from rapidvision.analysis.sample_size.simulation import Design
from rapidvision.analysis.table.accuracy import Level
from rapidvision.analysis.table.trials import Trials
from rapidvision.errors import InputError
from rapidvision.system.figures import figure_style
from tests.analysis.conftest import network_rows

NAN = float("nan")


def boxes(figure):
    """Bounding boxes of all texts that are seen: words → box."""
    with figure_style(RC):
        figure.canvas.draw()
        renderer = figure.canvas.get_renderer()
        texts = [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
        for axes in figure.axes:
            if axes.get_visible():
                texts += [*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label]
                texts += [*axes.get_xticklabels(), *(axes.get_yticklabels() if axes is figure.axes[0] else [])]
        found = [(text.get_text(), text.get_window_extent(renderer)) for text in texts if text.get_visible()]
        return [(words, box) for words, box in found if words.strip()]


def overlaps(figure):
    return [
        (a, b)
        for (a, one), (b, other) in itertools.combinations(boxes(figure), 2)
        if (both := Bbox.intersection(one, other)) is not None and min(both.width, both.height) > 1
    ]


LOOKS = {
    "usual": {},
    "one column": {"width_mm": "single", "points": True, "error": "interval", "band": True},
    "two columns": {"width_mm": "double", "error": "none"},
    "long names": {
        "width_mm": "single",
        "labels": {"clickme": "a group with a name that is far longer than a column of a journal is wide"},
    },
    "linear": {"width_mm": 70, "scale": "linear"},
    "times": {"width_mm": "single", "statistic": "response_ms"},
}


@pytest.mark.parametrize("look", LOOKS)
def test_no_text_lies_on_another_or_leaves_the_figure(trials, look):
    figure = analysis.fig2b(trials, n_resamples=99, correction="none", seed=1, **LOOKS[look]).drawing.figure
    assert overlaps(figure) == []
    width, height = figure.bbox.size
    assert [
        words for words, box in boxes(figure) if min(box.x0, box.y0) < -1 or box.x1 > width + 1 or box.y1 > height + 1
    ] == []


def test_the_test_of_overlaps_finds_one(trials):
    figure = analysis.fig2b(trials, n_resamples=99, seed=1).drawing.figure
    figure.text(0.5, 0.5, "one")
    figure.text(0.5, 0.5, "other")
    assert overlaps(figure) == [("one", "other")]


def test_networks_are_told_apart_without_colour(trials):
    tables = [network_rows(trials, name, flip=at % 2 or None) for at, name in enumerate(("a", "b", "c", "d"))]
    models = Trials(pd.concat(tables, ignore_index=True), name="models")
    found = analysis.fig2b(trials, models=models, n_resamples=99, seed=1)
    lines = [
        line
        for line in found.drawing.figure.axes[0].lines
        if len(line.get_xdata()) == 11 and line.get_linestyle() != "None"
    ]
    looks = {(str(line._dash_pattern), line.get_marker(), str(line.get_markerfacecolor()) == "white") for line in lines}
    assert len(lines) == len(looks) == 10
    assert overlaps(found.drawing.figure) == []


def test_stars_lie_above_every_curve(trials):
    found = analysis.fig2b(trials, n_resamples=99, correction="none", error="interval", seed=1)
    figure = found.drawing.figure
    stars = [box for words, box in boxes(figure) if set(words) == {"*"}]
    assert stars
    axes = figure.axes[0]
    top = max(np.nanmax(curve.mean + curve.sem) for curve in found.tests.curves)
    assert min(box.y0 for box in stars) >= axes.transData.transform((0, top))[1]


def test_intervals_are_those_of_students_t(trials):
    from scipy.stats import t

    found = analysis.fig2b(trials, n_resamples=99, error="interval", seed=1)
    curve = found.tests.curves[0]
    segments = found.drawing.figure.axes[0].containers[0][2][0].get_segments()
    wanted = t.ppf(0.975, curve.n - 1) * curve.sem
    assert np.allclose([(one[1, 1] - one[0, 1]) / 2 for one in segments], wanted[:-1])


def test_points_are_the_participants(trials):
    found = analysis.fig2b(trials, n_resamples=99, points=True, seed=1)
    cells = found.tests.cells
    drawn = [line for line in found.drawing.figure.axes[0].lines if len(line.get_xdata()) == 24 * 11]
    for line, group in zip(drawn, found.tests.groups, strict=True):
        values = cells.accuracy[cells.of(group)][:, :-1].ravel()
        assert np.allclose(line.get_ydata(), values, equal_nan=True)
    with pytest.raises(InputError, match="no participant has a value"):
        analysis.fig2b(trials, n_resamples=99, points=True, statistic="dprime", seed=1)


@pytest.mark.parametrize(("width", "inches"), [("single", 3.504), ("double", 7.205), (100, 3.937), ("142", 5.591)])
def test_figures_have_the_widths_of_journals(trials, width, inches):
    figure = analysis.fig2b(trials, n_resamples=99, width_mm=width, seed=1).drawing.figure
    assert figure.get_size_inches()[0] == pytest.approx(inches, abs=0.001)


def test_bytes_do_not_depend_on_settings_or_locale(trials):
    def draw():
        return [
            analysis.fig2b(trials, n_resamples=99, seed=1).drawing.to_bytes(form, dpi=60)
            for form in ("svg", "pdf", "png")
        ]

    usual = draw()
    with mpl.rc_context(
        {"font.size": 20, "axes.formatter.use_locale": True, "axes.spines.top": True, "font.family": "serif"}
    ):
        before = locale.setlocale(locale.LC_ALL)
        try:
            for name in ("de_DE.UTF-8", "C.UTF-8", "C"):
                try:
                    locale.setlocale(locale.LC_ALL, name)
                except locale.Error:
                    continue
                assert draw() == usual
        finally:
            locale.setlocale(locale.LC_ALL, before)


def test_the_axis_is_named_after_the_data():
    reveal = Design().levels
    contrast = [Level(at, str(2 * at), 2.0 * at, NAN) for at in (1, 2, 3)]
    decibel = [Level(at, str(3 * at - 6), NAN, NAN) for at in range(4)]
    named = [Level(at, name, NAN, NAN) for at, name in enumerate(("low", "high"))]
    assert [level_axis_label(one) for one in (reveal, contrast, decibel)] == [
        "Percentage of image revealed by feature source", "Level (%)", "Level",
    ]  # fmt: skip
    assert [level_axis(one).scale for one in (reveal, contrast, decibel, named)] == ["log", "linear", "linear", "order"]
    assert level_axis(decibel).x.tolist() == [-6, -3, 0, 3]
    with pytest.raises(InputError, match="must be above 0"):
        level_axis(decibel, "log")


def test_bad_looks_are_refused_with_what_is_allowed(trials):
    for change, says in (
        ({"width_mm": "triple"}, "single, double, or 60 to 400 mm"),
        ({"width_mm": 5}, "60 to 400 mm"),
        ({"error": "sd"}, "error: got"),
        ({"scale": "loge"}, 'Did you mean "log"'),
        ({"labels": {"clikme": "x"}}, 'Did you mean "clickme"'),
    ):
        with pytest.raises(InputError, match=says):
            analysis.fig2b(trials, n_resamples=99, seed=1, **change)
