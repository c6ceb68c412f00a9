"""Adaptive choices: QUEST+ against the method's own package, and journals that replay to the choices that were shown.

``RV_REPLAYED`` is the number of sessions of the preset ``threshold`` that are written as journals and replayed.
"""

import functools
import math
import os
import statistics
import time

import numpy as np

from benchmarks.harness import STATED, NotMeasured, Suite, at_most, between
from benchmarks.tasks_recovery import plans
from rapidvision.experiments.engine.participants import Observers
from rapidvision.experiments.engine.simulate import simulate_session
from rapidvision.experiments.engine.state import State
from rapidvision.experiments.recording.journal import decode, encode
from rapidvision.task.adaptive import Adaptive
from rapidvision.task.tracks import QuestTrack, grid_values

suite = Suite()
N_SESSIONS = int(os.environ.get("RV_REPLAYED", "1000"))
N_RUNS, N_TRIALS = 20, 60
RULE = Adaptive()
VALUES = [10 ** (2 * i / 10) / 100 for i in range(11)]


def _package():
    try:
        from questplus import QuestPlus
    except ImportError:
        raise NotMeasured("questplus is not installed") from None
    return QuestPlus(
        stim_domain={"intensity": np.log10(VALUES)},
        param_domain={
            "threshold": np.log10(grid_values(RULE.quest.threshold)),
            "slope": grid_values(RULE.quest.slope),
            "lower_asymptote": [0.5],
            "lapse_rate": grid_values(RULE.quest.lapse),
        },
        outcome_domain={"response": ["right", "wrong"]},
        func="weibull",
        stim_scale="log10",
    )


@functools.cache
def compared():
    """Runs of 60 trials on the same answers: greatest difference of the posterior, other choices, ms per trial of both."""
    rng = np.random.default_rng(1)
    apart, others, own_ms, package_ms = 0.0, 0, [], []
    for _ in range(N_RUNS):
        track, package = QuestTrack.begin(RULE, VALUES, 0.5), _package()
        for _ in range(N_TRIALS):
            start = time.perf_counter()
            index = track.choose()
            own_ms.append(1000 * (time.perf_counter() - start))
            shown = package.next_stim
            others += not math.isclose(shown["intensity"], math.log10(VALUES[index]))
            right = bool(rng.random() < 0.98 - 0.48 * math.exp(-((VALUES[index] / 0.1) ** 3)))
            start = time.perf_counter()
            package.update(stim=shown, outcome={"response": "right" if right else "wrong"})
            package_ms.append(1000 * (time.perf_counter() - start))
            track = track.after(index, right)
        apart = max(apart, float(np.abs(np.asarray(package.posterior.values).squeeze() - track.posterior).max()))
    return apart, others, statistics.median(own_ms), statistics.median(package_ms)


@functools.cache
def differing() -> int:
    """Trials in replayed journals whose value the rule would not choose."""
    made = plans("threshold", 10)
    n = 0
    for number in range(N_SESSIONS):
        plan = made[number % len(made)]
        entries = simulate_session(plan, Observers(), seed=number)
        n += len(State(plan, decode(b"".join(map(encode, entries)), name="journal")).differs)
    return n


suite.figure(f"posterior of QUEST+ after {N_TRIALS} trials against questplus", unit="1", bar=at_most(1e-6))(
    lambda: compared()[0]
)
suite.figure(f"other choices than questplus, of {N_RUNS * N_TRIALS}", unit="trials", bar=between(0, 0))(
    lambda: compared()[1]
)
suite.figure("  a choice", unit="ms", bar=STATED)(lambda: compared()[2])
suite.figure("  an answer in questplus, choice included", unit="ms", bar=STATED)(lambda: compared()[3])
suite.figure(f"other choices in {N_SESSIONS} replayed journals", unit="trials", bar=between(0, 0))(differing)
