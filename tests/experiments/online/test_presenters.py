"""The presenters' own reckoning, in a real browser: lags, watched refreshes, and what is said when refreshes were not watched."""

import numpy as np
import pytest

from rapidvision.formats.movies import frames_of
from rapidvision.task.trial import Trial, TrialImage, TrialPhase

pytestmark = pytest.mark.browser


@pytest.fixture
def page(chromium, study_folder, serve):
    served = serve(study_folder)
    made = chromium.new_page()
    made.goto(served.url)
    yield made
    made.close()


def test_lags_of_a_busy_page_do_not_move_the_lag_that_is_used(page):
    lags = {
        "idle": [3.0 + 0.05 * (i % 5) for i in range(20)],
        "busy": [3.0, 3.1, 3.2, 3.1] + [3.1 + 16.7 * (1 + i % 4) for i in range(16)],
        "one early": [-9.0] + [3.1] * 19,
        "no two alike": [5.0 * i for i in range(20)],
        "few": [3.1, 3.1],
    }
    found = page.evaluate(
        """async (cases) => {
        const { undelayedLag } = await import("./static/lag.js");
        return Object.fromEntries(Object.entries(cases).map(([name, lags]) => [name, undelayedLag(lags, 1000 / 60)]));
      }""",
        lags,
    )
    assert found["idle"] == pytest.approx(3.1, abs=0.06)
    assert found["busy"] == pytest.approx(3.1, abs=0.06)
    assert found["one early"] == pytest.approx(3.1)
    assert found["no two alike"] is None and found["few"] is None


def test_refreshes_are_counted_where_they_are_missing(page):
    found = page.evaluate(
        """async () => {
        const { firstOf, missed } = await import("./static/compositor.js");
        const { frameTime } = await import("./static/movie-presenter.js");
        const seen = [0, 10, 20, 50, 60.4];
        const shown = new Map([[3, 100], [7, 141]]);
        return [firstOf(seen, 19, 10), firstOf(seen, 21, 10), firstOf(seen, 23, 10), missed(seen, 10),
                frameTime(shown, 2, 100), frameTime(shown, 6, 100), frameTime(new Map(), 1, 60)];
      }"""
    )
    assert found == [20, 20, 50, 2, 90, 131, None]


SHOW = """async (witness) => {
  const { CompositorPresenter } = await import("./static/compositor.js");
  const { schedule } = await import("./static/timing.js");
  const stage = document.getElementById("stage");
  stage.hidden = false;
  const periodMs = 1000 / 60;
  const stubs = {
    none: null,
    silent: { ready() {}, start() {}, stop: async () => [] },
    /** Sees every refresh, or misses those between two times; the image is up from 92 to 292 ms. */
    makes(lost) {
      let began = 0;
      return {
        ready() {},
        start() { began = performance.now(); },
        stop: async () => Array.from({ length: 6000 }, (_, i) => began + i * periodMs)
          .filter((time) => lost === null || time < start() + lost[0] || time > start() + lost[1]),
      };
    },
  };
  const lost = { all: null, end: [280, 362], middle: [150, 222], before: [15, 56] };
  const made = witness in stubs ? stubs[witness] : stubs.makes(lost[witness]);
  const presenter = new CompositorPresenter(stage, 64, made);
  const start = () => presenter.running[0].startTime;
  const canvas = new OffscreenCanvas(64, 64);
  canvas.getContext("2d").fillRect(0, 0, 64, 64);
  await presenter.load(new Map([["dark", await canvas.convertToBlob()]]));
  const phase = (kind, ms, file = null) => ({ name: kind, kind, ms, file, text: "", overlay: "none" });
  const phases = [phase("fixation", 100), phase("stimulus", 200, "dark"), phase("blank", 150)];
  const shown = await presenter.run({ phases, at: schedule(phases, periodMs), periodMs });
  presenter.unload();
  const [, onset, offset] = shown.onsets;
  return { seen: shown.seen, late: shown.late, ms: offset - onset, refreshes: Math.round((offset - onset) / periodMs) };
}"""


@pytest.mark.parametrize("witness", ["none", "silent"])
def test_a_image_that_was_not_watched_is_said_to_be_scheduled(page, witness):
    shown = page.evaluate(SHOW, witness)
    assert shown["seen"] == "scheduled" and shown["late"] == [None] * 3
    assert shown["ms"] == pytest.approx(200, abs=1e-6)


def test_a_image_whose_every_refresh_was_watched_was_up_as_planned(page):
    shown = page.evaluate(SHOW, "all")
    assert shown["seen"] == "observed" and sum(shown["late"]) == 0 and shown["refreshes"] == 12
    assert shown["ms"] == pytest.approx(200, abs=0.01)


def test_refreshes_that_were_missed_at_the_end_make_the_image_longer(page):
    shown = page.evaluate(SHOW, "end")
    assert shown["seen"] == "observed" and sum(shown["late"]) in (4, 5)
    assert 250 < shown["ms"] < 300


def test_refreshes_that_were_missed_beside_the_end_leave_a_planned_duration_unproved(page):
    shown = page.evaluate(SHOW, "middle")
    assert shown["refreshes"] == 12 and sum(shown["late"]) in (4, 5) and shown["seen"] == "scheduled"


def test_refreshes_that_were_missed_during_fixation_do_not_matter(page):
    shown = page.evaluate(SHOW, "before")
    assert shown["refreshes"] == 12 and sum(shown["late"]) >= 1 and shown["seen"] == "observed"


def test_the_witness_is_called_at_refreshes_while_the_page_is_busy(page):
    found = page.evaluate(
        """async () => {
        const { Witness } = await import("./static/witness.js");
        const witness = new Witness();
        await witness.ready();
        witness.start();
        await new Promise((resolve) => setTimeout(resolve, 100));
        const from = performance.now();
        while (performance.now() < from + 400);
        const to = performance.now();
        const seen = await witness.stop();
        return [seen.filter((time) => time > from && time < to).length, seen.every((t, i) => !i || t > seen[i - 1])];
      }"""
    )
    assert found[0] >= 5 and found[1]


def test_phases_begin_at_the_refreshes_that_movies_and_the_lab_show_them(page):
    """Random phases at five rates: the browser's schedule is that of a trial's movie."""
    rng = np.random.default_rng(1)
    trials = []
    for _ in range(60):
        kinds = ["fixation", *rng.choice(["stimulus", "mask", "blank", "cue"], size=5).tolist()]
        phases = [
            TrialPhase(name=f"p{i}", kind=kind, duration_ms=int(rng.integers(21, 700)), content="image", sha256="")
            for i, kind in enumerate(kinds)
        ]
        trials.append(phases)
    rates = (60, 75, 120, 144, 240)
    found = page.evaluate(
        """async ([trials, rates]) => {
        const { schedule } = await import("./static/timing.js");
        return rates.map((hz) => trials.map((phases) => schedule(phases, 1000 / hz)));
      }""",
        [[[{"name": p.name, "kind": p.kind, "ms": p.duration_ms} for p in phases] for phases in trials], rates],
    )
    image = TrialImage(
        image_id="i", category="c", target=True, map_source="m", level_index=0, level_label="1", reveal_fraction=0.01,
        revealed_px=1, path="p", stimulus_sha256="0" * 64,
    )  # fmt: skip
    for hz, made in zip(rates, found, strict=True):
        for phases, at in zip(trials, made, strict=True):
            trial = Trial(
                trial=0, block=0, phase="main", images={"image": image}, phases=tuple(phases), correct_response=None, limit_ms=None
            )  # fmt: skip
            assert np.diff(at).tolist() == list(frames_of(trial, hz))


def test_an_open_phase_lasts_until_the_limit_and_the_next_one_counts_from_its_end(page):
    found = page.evaluate(
        """async () => {
        const { schedule } = await import("./static/timing.js");
        const phase = (name, kind, ms) => ({ name, kind, ms });
        const phases = [phase("fixation", "fixation", 100), phase("stimulus", "stimulus", 20), phase("wait", "blank", null),
                        phase("end", "fixation", 50)];
        const response = { opens: "stimulus", limitMs: 500 };
        return [schedule(phases, 10, response), schedule(phases.slice(2), 10, { ...response, sinceZeroMs: 200 }),
                schedule(phases.slice(2), 10, { opens: "stimulus" })];
      }"""
    )
    assert found == [[0, 10, 12, 60, 65], [0, 30, 35], [0, 60000, 60005]]


def test_a_mask_takes_the_images_place_at_the_same_instant(page):
    found = page.evaluate(
        """async () => {
        const { intervalsOf, keyframes, layersOf } = await import("./static/layers.js");
        const phase = (kind, file = null, overlay = "none", text = "") => ({ name: kind, kind, ms: 1, file, text, overlay });
        const phases = [phase("fixation"), phase("stimulus", "a"), phase("mask", "b"), phase("blank", null, "fixation"),
                        phase("fixation"), phase("options")];
        const intervals = Object.fromEntries(intervalsOf(phases, [0, 30, 31, 36, 40, 50, 60], 10));
        const steps = keyframes(intervals.cross, 1000).map(({ opacity, offset }) => [opacity, offset * 1000]);
        return { intervals, steps, cue: layersOf(phase("cue", null, "options", "bird")) };
      }"""
    )
    assert found["intervals"] == {
        "cross": [[0, 295], [355, 495]],
        "a": [[295, 305]],
        "b": [[305, 355]],
        "options": [[495, 595]],
    }
    assert [step[0] for step in found["steps"]] == [1, 1, 0, 0, 1, 1, 0, 0]
    assert [step[1] for step in found["steps"]] == pytest.approx([0, 295, 295, 355, 355, 495, 495, 1000])
    assert found["cue"] == ["cue bird", "options"]


CUT = """async ([keep, presenterName]) => {
  const { CompositorPresenter } = await import("./static/compositor.js");
  const { WorkerPresenter } = await import("./static/worker-presenter.js");
  const { Witness } = await import("./static/witness.js");
  const { measurePeriod, schedule } = await import("./static/timing.js");
  const stage = document.getElementById("stage");
  stage.hidden = false;
  const { periodMs } = await measurePeriod(30);
  const presenter = presenterName === "worker" ? new WorkerPresenter(stage, 64, "#fff") : new CompositorPresenter(stage, 64, new Witness());
  const canvas = new OffscreenCanvas(64, 64);
  canvas.getContext("2d").fillRect(0, 0, 64, 64);
  const blob = await canvas.convertToBlob();
  await presenter.load(new Map([["image", blob], ["mask", blob]]));
  const phase = (name, kind, ms, file = null) => ({ name, kind, ms, file, text: "", overlay: "none" });
  const phases = [phase("fixation", "fixation", 100), phase("stimulus", "stimulus", 20, "image"), phase("mask", "mask", 80, "mask"),
                  phase("wait", "blank", null), phase("end", "fixation", 50)];
  const at = schedule(phases, periodMs, { opens: "stimulus", limitMs: 3000 });
  const onStart = (first) => setTimeout(() => presenter.cut(keep), first + 500 - performance.now());
  const shown = await presenter.run({ phases, at, periodMs, onStart });
  const rest = keep ? await presenter.run({ phases: phases.slice(4), at: schedule(phases.slice(4), periodMs), periodMs }) : null;
  presenter.cancel();
  return { shown, rest, periodMs };
}"""


@pytest.mark.parametrize("presenter", ["compositor", "worker"])
@pytest.mark.parametrize("keep", [False, True])
def test_a_response_ends_the_phase_that_waits_for_it(page, presenter, keep):
    found = page.evaluate(CUT, [keep, presenter])
    shown, period = found["shown"], found["periodMs"]
    assert len(shown["onsets"]) == 4
    cut = shown["end"] - shown["onsets"][0]
    assert 450 < cut < 1500, "long before the limit of 3,000 ms"
    if (
        shown["seen"] == "observed" and sum(late or 0 for late in shown["late"]) == 0
    ):  # a busy computer misses refreshes
        assert shown["onsets"][2] - shown["onsets"][1] == pytest.approx(round(20 / period) * period, abs=2)
        assert shown["onsets"][3] - shown["onsets"][1] == pytest.approx(round(100 / period) * period, abs=2)
    if keep:
        assert found["rest"]["onsets"][0] >= shown["end"] - period
        assert len(found["rest"]["onsets"]) == 1
