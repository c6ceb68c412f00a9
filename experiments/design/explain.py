"""One participant's session in words: what comes after what, and how long each phase is in refreshes."""

from collections.abc import Sequence

from rapidvision.plan import Ask, Gate, Page, Plan, Run, Step
from rapidvision.screen import refresh_words, refreshes
from rapidvision.task.trial import Trial, TrialPhase


def phase_refreshes(phases: Sequence[TrialPhase], refresh_hz: float) -> list[int | None]:
    """Return how many refreshes each phase of a trial takes; None where that is not known before.

    A boundary stands at the refresh nearest to the sum of durations since its anchor: the trial's first refresh, the
    onset of an image, or the end of a phase whose length is not planned.

    Parameters
    ----------
    phases : sequence of TrialPhase
        Of one trial, in order.
    refresh_hz : float
        Of the screen.

    Examples
    --------
    >>> phases = [TrialPhase(name="stimulus", kind="stimulus", duration_ms=400), TrialPhase(name="blank", kind="blank", duration_ms=150)]
    >>> phase_refreshes(phases, 60), phase_refreshes(phases, 144)
    ([24, 9], [58, 21])
    """
    found: list[int | None] = []
    since, last = 0, 0
    for phase in phases:
        if phase.kind == "stimulus":
            since, last = 0, 0
        if phase.duration_ms is None:
            found.append(None)
            since, last = 0, 0
            continue
        since += phase.duration_ms
        boundary = refreshes(since, refresh_hz)
        found.append(boundary - last)
        last = boundary
    return found


def first_trials(plan: Plan) -> dict[str, Trial]:
    """Return the first trial of each part of a session that has trials."""
    found: dict[str, Trial] = {}
    for step in plan.steps:
        if isinstance(step, Run):
            found.setdefault(step.part, step.trial)
    return found


def explain(plan: Plan, *, refresh_hz: float = 60.0) -> str:
    """Return a session as text: a line for each page, question and run of trials, and the phases of the first trials.

    Parameters
    ----------
    plan : Plan
        Whose session.
    refresh_hz : float
        Refresh rate for which phases are counted.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stimulus_set = rv.stimuli.build("bundled", out=folder + "/set")
    ...     study = rv.experiments.plan(stimulus_set, "paper", out=folder + "/study", n_per_group=1)
    ...     print(explain(study.plans()[0]).splitlines()[0])
    rapidvision: group clickme, slot 0; s is target, l is distractor
    """
    means = ", ".join(f"{key} is {option}" for key, option in plan.inputs.items())
    lines = [f"{plan.study_id}: group {plan.group}, slot {plan.slot}" + (f"; {means}" if means else "")]
    seen: set[str] = set()
    steps = list(plan.steps)
    while steps:
        step = steps[0]
        if isinstance(step, Run):
            run = _run(steps)
            lines.append(f"  {len(run):5d} trials  {_name(run[0])}")
            if step.part not in seen:
                seen.add(step.part)
                lines += _phase_lines(plan, step.trial, refresh_hz)
            steps = steps[len(run) :]
            continue
        lines.append(f"  {_words(step)}")
        steps = steps[1:]
    return "\n".join(lines)


def _run(steps: Sequence[Step]) -> list[Run]:
    """The trials at the head of some steps that belong to one block."""
    found: list[Run] = []
    for step in steps:
        if not isinstance(step, Run) or (found and step.trial.block != found[0].trial.block):
            break
        found.append(step)
    return found


def _name(run: Run) -> str:
    block = run.trial.block
    return f"block {block + 1}" if block >= 0 else f"practice, round {-block}"


def _phase_lines(plan: Plan, trial: Trial, refresh_hz: float) -> list[str]:
    lines = []
    for phase, n in zip(trial.phases, phase_refreshes(trial.phases, refresh_hz), strict=True):
        wanted = plan.protocol.phase(phase.name).duration_ms
        drawn = f", drawn from {wanted[0]} to {wanted[1]}" if isinstance(wanted, tuple) else ""
        if n is None:
            length = f"as long as {phase.factor}, which adapts" if phase.factor else "until the response"
        else:
            length = f"{phase.duration_ms} ms{drawn} = {refresh_words(n)} at {refresh_hz:g} Hz"
        shown = f"  {phase.content}" if phase.content and phase.kind != "stimulus" else ""
        lines.append(f"                {phase.name:<12} {length}{shown}")
    response = plan.protocol.response
    if response is not None and trial.limit_ms is not None:
        lines.append(f"                answered within {trial.limit_ms} ms of {response.opens}")
    if trial.ask:
        lines.append(f"                then asked: {', '.join(trial.ask)}")
    return lines


def _words(step: Step) -> str:
    if isinstance(step, Page):
        at_least = f", {step.min_ms} ms at least" if step.min_ms else ""
        left = {"key": "", "inputs": ", every answer tried once", "experimenter": ", the experimenter's key ends it"}
        conditions = f" ({step.values['conditions']})" if "conditions" in step.values else ""
        return f"      page    {step.text_id}{conditions}{at_least}{left[step.leave]}"
    if isinstance(step, Ask):
        return f"     asked    {step.question}"
    assert isinstance(step, Gate)
    skipped = f"skips {', '.join(step.skip)}" if step.skip else "practice is over"
    missed = "the session ends" if step.otherwise == "stop" else "the session continues"
    return f" criterion    {step.at_least:.0%} correct: {skipped}; otherwise {missed}"
