"""Phases of a trial on the virtual screen: what a photodiode on it sees, against what was planned.

Images of 20 and 400 ms, each followed by a mask with no refresh between, at five refresh rates. A boundary is right when
it comes within half a refresh of its planned time, which counts from the trial's first refresh before the image and
from the image's onset after it. ``RV_PHASE_TRIALS`` is the number of trials per rate and duration.
"""

import functools
import os
from itertools import pairwise
from typing import NamedTuple

from benchmarks.harness import STATED, Suite, at_least, at_most
from rapidvision.experiments.engine.scripted import scripted
from rapidvision.experiments.engine.session import Session
from rapidvision.experiments.engine.virtual import MemoryJournal, VirtualScreen
from rapidvision.experiments.interfaces import TrialData
from rapidvision.plan import Plan, Run
from rapidvision.protocol import Protocol
from rapidvision.seeds import stream
from rapidvision.task.phases import Phase
from rapidvision.task.response import Option, Response
from rapidvision.task.session import Feedback
from rapidvision.task.trial import Trial, TrialImage, TrialPhase

suite = Suite()
RATES_HZ = (60, 75, 120, 144, 240)
IMAGES_MS = (20, 400)
MASK_MS, BLANK_MS, FIXATION_MS = 80, 150, (1100, 1600)
N_TRIALS = int(os.environ.get("RV_PHASE_TRIALS", "200"))
#: Share of refreshes that come late where a busy computer is imitated.
LATE = 0.01


class Boundary(NamedTuple):
    """The end of a phase: planned and seen, in ms from its anchor; and whether a refresh was late in the trial."""

    hz: int
    image_ms: int
    phase: str
    planned_ms: float
    seen_ms: float
    recorded_ms: float
    late: bool


def plan_of(image_ms):
    """A plan of trials with a mask behind the image."""
    options = (Option(name="yes", matches=(True,), keys=("s",)), Option(name="no", matches=(False,), keys=("l",)))
    protocol = Protocol(
        name="phases",
        phases=(
            Phase(kind="fixation", duration_ms=FIXATION_MS),
            Phase(kind="stimulus", duration_ms=image_ms),
            Phase(kind="mask", mask="noise", duration_ms=MASK_MS),
            Phase(kind="blank", duration_ms=BLANK_MS),
        ),
        response=Response(options=options, limit_ms=image_ms + MASK_MS + BLANK_MS),
        feedback=Feedback(too_slow_ms=0),
    )
    rng = stream(1, "phases", image_ms)
    steps = []
    for number in range(N_TRIALS):
        image = TrialImage(
            image_id=str(number), category="bird", target=True, map_source="clickme", level_index=0, level_label="full",
            reveal_fraction=None, revealed_px=1, path=f"{number}.png", stimulus_sha256="",
        )  # fmt: skip
        phases = (
            TrialPhase(
                name="fixation", kind="fixation", duration_ms=int(rng.integers(FIXATION_MS[0], FIXATION_MS[1] + 1))
            ),
            TrialPhase(name="stimulus", kind="stimulus", duration_ms=image_ms, content="image"),
            TrialPhase(name="mask", kind="mask", duration_ms=MASK_MS, content=f"{number}.mask.png"),
            TrialPhase(name="blank", kind="blank", duration_ms=BLANK_MS),
        )
        trial = Trial(
            trial=number, block=0, phase="main", images={"image": image}, phases=phases, correct_response="yes",
            limit_ms=image_ms + MASK_MS + BLANK_MS,
        )  # fmt: skip
        steps.append(Run(part="main", trial=trial))
    return Plan(
        study_id="phases", slot=0, group="all", between={}, inputs={"s": "yes", "l": "no"}, protocol=protocol,
        stimulus_set_digest="", texts={"too_slow": "", "correct": "", "wrong": "", "resume": ""}, steps=tuple(steps),
    )  # fmt: skip


def run(plan, hz, late):
    """Run a plan; return (what the photodiode saw: frame and time, what the session recorded)."""
    seen, journal = [], MemoryJournal()
    screen = VirtualScreen(hz, late=late)
    person = scripted(plan, seed=1, clock=lambda: screen.now_s)

    def see(frame, time_s):
        seen.append((frame, time_s))
        person.see(frame, time_s)

    screen.see = see
    Session(plan, screen, person, journal).run()
    return seen, [entry for entry in journal.entries if isinstance(entry, TrialData)]


@functools.cache
def boundaries(share_late=0.0):
    """Every boundary at every rate and duration."""
    found = []
    for image_ms in IMAGES_MS:
        plan = plan_of(image_ms)
        planned = {trial.trial: trial for trial in plan.trials()}
        for hz in RATES_HZ:
            rng = stream(1, "late", image_ms, hz)
            flips = rng.random(400 * N_TRIALS) < share_late
            seen, recorded = run(plan, hz, {n: 1 for n, late in enumerate(flips) if late})
            by_trial = {data.trial: data for data in recorded}
            anchor_s, since_ms = 0.0, 0
            for (frame, onset_s), (_, end_s) in pairwise(seen):
                if not frame.phase:
                    continue
                data, phases = by_trial[frame.trial], planned[frame.trial].phases
                if frame.phase in ("fixation", "stimulus"):
                    anchor_s, since_ms = onset_s, 0
                since_ms += next(phase.duration_ms for phase in phases if phase.name == frame.phase)
                late = any(phase.late_refreshes for phase in data.phases)
                mine = data.phase(frame.phase)
                ended_ms = 1000 * (data.zero_s - anchor_s) + mine.onset_ms + mine.shown_ms
                found.append(Boundary(hz, image_ms, frame.phase, since_ms, 1000 * (end_s - anchor_s), ended_ms, late))
    return found


def share_exact(found):
    """Per cent of boundaries within half a refresh of their planned time."""
    good = [abs(each.seen_ms - each.planned_ms) <= 500 / each.hz + 1e-6 for each in found]
    return 100 * sum(good) / len(good)


for _phase in ("fixation", "stimulus", "mask", "blank"):

    @suite.figure(
        f"{_phase} ends within half a refresh of its planned time, 60 to 240 Hz, 20 and 400 ms images with mask",
        unit="%",
        bar=at_least(100),
    )
    def _exact(phase=_phase):
        return share_exact([each for each in boundaries() if each.phase == phase])


@suite.figure("  with 1 % of refreshes late, trials without one", unit="%", bar=at_least(100))
def clean():
    return share_exact([each for each in boundaries(LATE) if not each.late])


@suite.figure("  with 1 % of refreshes late, all trials", unit="%", bar=STATED)
def busy():
    return share_exact(boundaries(LATE))


@suite.figure("refreshes between the image and its mask", unit="refreshes", bar=at_most(0))
def gap():
    """The mask is the frame after the image: whatever stood between them would have been seen."""
    n_between = 0
    for image_ms in IMAGES_MS:
        for hz in RATES_HZ:
            frames = [frame for frame, _ in run(plan_of(image_ms), hz, {})[0]]
            pairs = pairwise(frames)
            n_between += sum(one.kind == "stimulus" and other.kind != "mask" for one, other in pairs)
    return n_between


@suite.figure("session's record against what the photodiode saw, largest", unit="ms", bar=at_most(0.01))
def recorded():
    return max(abs(each.recorded_ms - each.seen_ms) for each in [*boundaries(), *boundaries(LATE)])
