"""Plans made by hand from rows of a stimulus set: what runners and readers of plans need, without the planner."""

from rapidvision.plan import Plan, Run
from rapidvision.task.phases import Phase, phase_code, stimulus_code
from rapidvision.task.trial import Trial, TrialImage, TrialPhase


def image_of(row):
    """The image of a trial that shows a row of the manifest."""
    return TrialImage(
        image_id=row.image_id,
        category=row.category,
        target=row.target,
        map_source=row.map_source,
        level_index=row.level_index,
        level_label=row.level_label,
        reveal_fraction=row.reveal_fraction,
        revealed_px=row.revealed_px,
        path=row.path,
        stimulus_sha256=row.sha256,
    )


def correct_of(protocol, row):
    """Name of the option that is right for a row."""
    value = {"target": row.target, "category": row.category}[protocol.response.correct]
    options = protocol.response.options
    return next(option.name for option in options if value in (option.matches or (option.name,)))


def phase_of(phase: Phase, row, mask=None):
    """A planned phase; of a range the shortest duration."""
    duration = phase.duration_ms[0] if isinstance(phase.duration_ms, tuple) else phase.duration_ms
    stimulus = phase.kind == "stimulus"
    return TrialPhase(
        name=phase.id,
        kind=phase.kind,
        duration_ms=None if duration == "response" else duration,
        content=phase.image if stimulus else mask.path if mask and phase.kind == "mask" else phase.text,
        sha256=mask.sha256 if mask and phase.kind == "mask" else "",
        overlay=phase.overlay,
        trigger=stimulus_code(row.level_index, row.target) if stimulus else phase_code(phase.kind),
    )


def trial_of(protocol, row, *, trial=0, phase="main", mask=None, factors=None, **fields):
    """A planned trial of one image."""
    return Trial(
        trial=trial,
        block=-1 if phase == "practice" else 0,
        phase=phase,
        images={"image": image_of(row)},
        factors=factors or {},
        phases=tuple(phase_of(each, row, mask) for each in protocol.phases),
        correct_response=correct_of(protocol, row) if protocol.response else None,
        limit_ms=protocol.response.limit_ms if protocol.response else None,
        ask=tuple(question.name for question in protocol.questions if question.ask == "trial"),
        **fields,
    )


def plan_of(protocol, digest, trials, *, slot=0, group="all", between=None):
    """A plan that runs trials."""
    options = protocol.response.options if protocol.response else ()
    return Plan(
        study_id=protocol.name,
        slot=slot,
        group=group,
        between=between or {},
        inputs={name: option.name for option in options for name in option.inputs},
        protocol=protocol,
        stimulus_set_digest=digest,
        texts={},
        steps=tuple(Run(part="practice-1" if one.phase == "practice" else "main", trial=one) for one in trials),
    )
