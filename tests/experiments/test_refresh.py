"""Stamps and refreshes: rates are recovered, late stamps put back, imitated refreshes are even."""

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_rgba

from rapidvision.errors import CheckFailed, InputError
from rapidvision.experiments.design.figures.intervals import draw_intervals, intervals_svg
from rapidvision.experiments.engine.refresh import Grid, Pacer, estimate
from rapidvision.experiments.inputs.boxes import BoxRecord
from rapidvision.experiments.interfaces import Press
from rapidvision.experiments.lab import display_checks
from rapidvision.experiments.lab.display_checks import Preflight, judge_refresh
from rapidvision.formats.protocol_file import preset
from rapidvision.screen import Screen
from rapidvision.system.figures import figure_style


def flips(hz, n=240, *, missed=(), late_sd=0.0, seed=0):
    k = np.setdiff1d(np.arange(n + len(missed)), missed)
    return (1.7e9 + k / hz + np.abs(np.random.default_rng(seed).normal(0, late_sd, len(k)))).tolist()


@settings(max_examples=50, deadline=None)
@given(hz=st.floats(48, 360), missed=st.sets(st.integers(1, 238), max_size=4), seed=st.integers(0, 99))
def test_the_rate_is_recovered_in_spite_of_missed_refreshes_and_late_stamps(hz, missed, seed):
    found = estimate(flips(hz, missed=sorted(missed), late_sd=0.00005, seed=seed))
    assert found.hz == pytest.approx(hz, rel=6e-5)
    assert found.missed == len(missed)
    assert found.jitter_ms < 0.2


@pytest.mark.parametrize("stamps", [[], [0.0] * 30, list(range(10)), [0.0, 1.0, 0.5] * 10])
def test_stamps_that_say_nothing_are_refused(stamps):
    with pytest.raises(InputError, match="cannot be measured"):
        estimate(stamps)


@settings(max_examples=50, deadline=None)
@given(hz=st.floats(50, 250), seed=st.integers(0, 999), drift=st.floats(-2e-5, 2e-5))
def test_a_stamp_that_returned_late_is_put_back_to_its_refresh(hz, seed, drift):
    rng = np.random.default_rng(seed)
    period = 1 / hz
    true = np.arange(300) * period * (1 + drift)
    stamps = true + np.where(rng.random(300) < 0.1, rng.uniform(0, 0.7 * period, 300), 0.0)
    stamps[0] = true[0]
    grid = Grid(period)
    snapped = np.array([grid.snap(t) for t in stamps])
    assert np.abs(snapped - true).max() < 0.1 * period


def test_flips_that_do_not_wait_for_a_refresh_are_counted():
    grid = Grid(1 / 60)
    for k in range(20):
        grid.snap(k * 0.002)
    note = next(note for note in grid.notes() if note.startswith("unsynchronised_flips"))
    assert int(note.split()[1]) > 10
    assert grid.notes() == []


def test_late_returns_are_noted_once_with_their_number_and_the_worst():
    grid = Grid(0.010)
    for stamp in (1.0, 1.0131, 1.020, 1.0345, 1.040):
        grid.snap(stamp)
    assert grid.notes() == ["flip_returned_late 2, at most 4.5 ms"]
    assert grid.notes() == []


def test_one_flip_that_returns_early_does_not_move_the_grid():
    """A first flip may find an empty queue and return at once; the refreshes are where they were."""
    true = 1.0 + np.arange(60) / 100
    stamps = true.copy()
    stamps[[0, 30]] -= 0.0024
    grid = Grid(0.01, at_s=0.99)
    snapped = np.array([grid.snap(t) for t in stamps])
    assert np.abs(snapped - true).max() < 0.0002


def test_a_run_of_flips_tells_where_a_refresh_is_whatever_single_stamps_say():
    stamps = np.array(flips(75, late_sd=0.00002))
    stamps[[0, 100, 239]] += 0.004
    found = estimate(stamps)
    at = (found.at_s - 1.7e9) * found.hz
    assert abs(at - round(at)) / found.hz < 0.0002


def test_a_pacer_gives_even_refreshes_and_skips_the_ones_that_were_missed():
    clock = [0.0]

    def sleep(seconds):
        clock[0] += seconds

    def now():
        clock[0] += 0.00001
        return clock[0]

    pacer = Pacer(0.01, now=now, sleep=sleep)
    stamps = []
    for n in range(50):
        clock[0] += 0.025 if n == 25 else 0.003
        stamps.append(pacer.wait(clock[0]))
    steps = np.rint(np.diff(stamps) / 0.01)
    assert steps.max() == 3
    assert (steps == 1).sum() == 48
    assert np.abs(np.diff(stamps) - steps * 0.01).max() < 1e-4


def colours(checks):
    return {check.name: check.colour for check in checks}


def test_a_good_display_is_green():
    found = colours(judge_refresh(flips(60, late_sd=0.0001), nominal_hz=60)[1])
    assert set(found.values()) == {"green"}


@pytest.mark.parametrize(
    ("stamps", "nominal", "name", "words"),
    [
        (flips(1200), 60, "synchronised", "do not wait for the display"),
        (flips(30), 60, "refresh rate", "half of the nominal 60"),
        (flips(75), 60, "refresh rate", "nominal 60"),
        (flips(60, missed=(10, 20, 30, 40)), 60, "missed refreshes", "4 of 240"),
        (
            np.cumsum(np.random.default_rng(0).uniform(0.007, 0.022, 240)).tolist(),
            60,
            "synchronised",
            "variable refresh",
        ),
    ],
)
def test_a_bad_display_is_red_and_says_why(stamps, nominal, name, words):
    refresh, checks = judge_refresh(stamps, nominal_hz=nominal)
    check = next(c for c in checks if c.name == name)
    assert check.colour == "red"
    assert words in f"{check.found} {check.remedy}"
    with pytest.raises(CheckFailed, match="--accept "):
        Preflight(refresh, tuple(checks), ()).require(())
    assert name in Preflight(refresh, tuple(checks), ()).require(display_checks.CHECKS)


def test_one_missed_refresh_is_yellow_and_no_profile_too():
    found = colours(judge_refresh(flips(60, missed=(100,)), nominal_hz=None)[1])
    assert found["missed refreshes"] == "yellow"
    assert found["refresh rate"] == "yellow"


def test_a_profile_of_another_monitor_is_red():
    profile = Screen(width_px=1920, height_px=1080, width_cm=53.0, distance_cm=57.0)
    assert display_checks.judge_profile(profile, (1920, 1080)).colour == "green"
    other = display_checks.judge_profile(profile, (2560, 1440))
    assert other.colour == "red"
    assert "1920 x 1080 in the profile, the screen has 2560 x 1440" in other.found


def test_the_other_checks_say_what_they_found(tmp_path, monkeypatch):
    assert display_checks.judge_scale(2.0).colour == "red"
    assert "100 %" in display_checks.judge_scale(2.0).remedy
    assert display_checks.judge_scale(1.0).colour == "green"
    assert display_checks.judge_priority(False).colour == "yellow"
    assert display_checks.judge_mode(60.0).colour == "red"
    assert display_checks.judge_keyboard(["A"], []).colour == "red"
    assert display_checks.judge_keyboard(["A"], [Press("s", 0.0)]).colour == "green"
    source = tmp_path / "clock"
    source.write_text("hpet\n")
    assert display_checks.judge_clock(1e-7, source).colour == "yellow"
    assert display_checks.judge_clock(1e-7, tmp_path / "none").colour == "green"
    assert display_checks.judge_clock(0.0156, tmp_path / "none").colour == "red"
    assert display_checks.judge_box(BoxRecord(port="cedrus:x", stamped="box", unsure_ms=0.8)).colour == "green"
    slow = display_checks.judge_box(BoxRecord(port="cedrus:x", stamped="box", unsure_ms=8.0))
    assert (slow.colour, "latency" in slow.remedy) == ("yellow", True)
    assert display_checks.judge_disk(tmp_path).colour == "green"
    monkeypatch.setattr(display_checks.shutil, "disk_usage", lambda _: type("U", (), {"free": 3_000_000})())
    assert "3.0 MB free" in display_checks.judge_disk(tmp_path).found
    assert display_checks.judge_disk(tmp_path).colour == "red"


def test_the_image_of_intervals_has_one_bar_per_flip():
    stamps = flips(60, missed=(100,))
    with figure_style():
        bars = draw_intervals(stamps, estimate(stamps)).axes[0].patches
        colours = [bar.get_facecolor() for bar in bars]
    assert colours.count(to_rgba("steelblue")) == 238
    assert colours.count(to_rgba("firebrick")) == 1
    assert bars[99].get_height() == pytest.approx(2000 / 60)
    first, again = (intervals_svg(stamps, estimate(stamps)) for _ in range(2))
    assert first == again
    ElementTree.fromstring(first)


def test_a_phase_that_would_get_no_refresh_is_refused_with_the_shortest_there_is():
    slow = estimate([k / 20 for k in range(30)])
    with pytest.raises(
        InputError,
        match=r"phases\[1\].duration_ms \(stimulus\).*20 ms is no refresh at 20 Hz; the shortest there is 50",
    ):
        display_checks.refuse_too_short(preset("masked"), slow)
    for hz in (60, 75, 120, 144, 240):
        display_checks.refuse_too_short(preset("masked"), estimate([k / hz for k in range(30)]))


def test_each_red_check_is_accepted_by_its_name_and_no_other():
    from rapidvision.experiments.lab.display_checks import Check, Preflight, accepted_checks

    refresh, _ = judge_refresh([n / 60 for n in range(60)], nominal_hz=60)
    checked = Preflight(
        refresh, (Check("scale", "red", "2"), Check("disk", "red", "full"), Check("jitter", "green", "0")), ()
    )
    with pytest.raises(CheckFailed, match=r"disk: full; .*--accept scale,disk"):
        checked.require(accepted_checks("scale,jitter"))
    with pytest.raises(CheckFailed, match="and 1 more"):
        checked.require(accepted_checks("timing"))
    assert checked.require(accepted_checks("disk, scale,jitter")) == ["scale", "disk"]
    with pytest.raises(InputError, match='got "scle".* Did you mean "scale"'):
        accepted_checks("scle")
