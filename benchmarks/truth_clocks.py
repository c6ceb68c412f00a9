"""Clocks that tick coarsely or are set, in whole sessions through the engine: trials lost, and how wrong durations are.

The computer is virtual: true time is counted in refreshes and known exactly; its wall clock stamps the keys and is set
in the middle of a fixation, an image, a blank or a page of text. Seeds are those of the participants' answers.
"""

import functools

from benchmarks.harness import Suite, at_most
from benchmarks.lab_sessions import paper_study
from rapidvision.experiments.recording.rows import rows_of
from rapidvision.screen import refreshes

suite = Suite()

STEPS_S = (-3600.0, -60.0, -5.0, -1.0, 1.0, 5.0)
KINDS = ("stimulus", "text", "fixation", "blank")
N_TICKING = 4
WHO = {"observer": "human", "observer_kind": "human", "session_id": "p1", "participant_id": "p1"}


def lost(plan, entries):
    """Return how many of a plan's trials have no row, an aborted one, or one whose timing is in doubt."""
    good = [row for row in rows_of(plan, entries, **WHO) if row.status != "aborted" and row.timing_ok]
    return len(plan.trials()) - len(good)


def worst(shown, kinds=("stimulus",)):
    """Return by how many refreshes the worst image differs from 400 ms at 60 Hz."""
    return max(abs(n - refreshes(400, 60)) for image, n in shown if image.kind in kinds)


@functools.cache
def ticking():
    from tests.experiments.clocks import take_part

    plans = paper_study().plans()[:N_TICKING]
    return [(plan, *take_part(plan, ticks=True, seed=seed)[1:]) for seed, plan in enumerate(plans, 1)]


@functools.cache
def stepped():
    from tests.experiments.clocks import Step, take_part

    plan = paper_study().plans()[0]
    before = take_part(plan, seed=1)
    runs = [take_part(plan, step=Step(step_s, kind, 5), seed=1) for step_s in STEPS_S for kind in KINDS]
    return plan, before, runs


@suite.figure("trials lost at 15.6 ms ticks, 4 sessions, seeds 1-4", unit="of 352", bar=at_most(0))
def lost_by_ticks():
    return sum(lost(plan, entries) for plan, entries, _ in ticking())


@suite.figure("  worst duration there", unit="refreshes off", bar=at_most(0))
def off_by_ticks():
    return max(worst(shown) for _, _, shown in ticking())


@suite.figure("trials lost by clock steps of -3600 to +5 s, 24 sessions, seed 1", unit="of 2112", bar=at_most(0))
def lost_by_steps():
    plan, _, runs = stepped()
    return sum(lost(plan, entries) for _, entries, _ in runs)


@suite.figure("  worst duration of an image there", unit="refreshes off", bar=at_most(1))
def off_by_steps():
    return max(worst(shown) for _, _, shown in stepped()[2])


@suite.figure(
    "  longest that a page of text was held or deaf beyond the undisturbed one", unit="refreshes", bar=at_most(1)
)
def pages_by_steps():
    _, (_, _, usual), runs = stepped()
    pages = [n for image, n in usual if image.kind == "text"]
    return max(
        abs(n - m)
        for _, _, shown in runs
        for n, m in zip([k for p, k in shown if p.kind == "text"], pages, strict=True)
    )


@suite.figure("  worst response time against the undisturbed session", unit="ms", bar=at_most(1))
def response_by_steps():
    _, (usual, _, _), runs = stepped()
    return max(
        abs(data.response_ms - before.response_ms)
        for trials, _, _ in runs
        for data, before in zip(trials, usual, strict=True)
        if before.response_ms is not None
    )
