"""From a stimulus set and a protocol to a study folder: one plan per group and slot, all of it decided here."""

from pathlib import Path

from rapidvision.errors import InputError, did_you_mean
from rapidvision.formats.manifest import Exemplar, Stimulus, StimulusSet
from rapidvision.plan import Break, Feedback, Plan, Run, Save, Show, Step, write_plan
from rapidvision.protocol import Protocol
from rapidvision.study import Study
from rapidvision.system.progress import Advance, silent
from rapidvision.trials import Phase, Trial

from ..keyboard import check_keys
from . import texts
from .assign import blocks_for, fixations_for, keys_for, levels_for, practice_for

Rows = dict[tuple[str, str, int], Stimulus]


def groups_of(stimulus_set: StimulusSet, protocol: Protocol) -> tuple[str, ...]:
    """Return the groups: the protocol's, or one per map source of the set.

    Raises
    ------
    InputError
        When the protocol names a group that is no map source of the set.
    """
    sources = stimulus_set.description.map_sources
    for group in protocol.groups:
        if group not in sources:
            raise InputError(f'groups: the stimulus set has no map source "{group}". {did_you_mean(group, sources)}')
    return protocol.groups or sources


def check_fit(stimulus_set: StimulusSet, protocol: Protocol) -> None:
    """Refuse a stimulus set that the protocol cannot use: wrong number of pictures, missing levels, too little practice.

    Raises
    ------
    InputError
        Says what does not fit and how to make it fit.
    """
    where = stimulus_set.folder
    main, practice = stimulus_set.exemplars("main"), stimulus_set.exemplars("practice")
    if len(main) != protocol.n_trials:
        raise InputError(
            f"{where}: {len(main)} pictures in the main phase, the protocol needs n_blocks x block_size = "
            f"{protocol.n_blocks} x {protocol.block_size} = {protocol.n_trials}; change either"
        )
    if {e.target for e in main} != {True, False}:
        raise InputError(f"{where}: the main phase needs targets and distractors, this set has only one of both")
    available = min(sum(e.target for e in practice), sum(not e.target for e in practice))
    if (protocol.practice.n_trials + 1) // 2 > available:
        raise InputError(
            f"{where}: practice.n_trials = {protocol.practice.n_trials} needs {(protocol.practice.n_trials + 1) // 2} "
            f"practice targets and as many distractors, the set has {sum(e.target for e in practice)} and "
            f"{sum(not e.target for e in practice)}; set practice.n_trials to {2 * available} or add pictures"
        )
    rows = stimulus_set.index()
    for group in groups_of(stimulus_set, protocol):
        for exemplar in (*main, *(practice if protocol.practice.n_trials else ())):
            for level, label in enumerate(stimulus_set.description.level_labels):
                if (exemplar.image_id, group, level) not in rows:
                    raise InputError(f"{where}: {exemplar.image_id} has no picture for {group} at level {label}")


def make_plan(
    stimulus_set: StimulusSet,
    protocol: Protocol,
    *,
    group: str,
    slot: int,
    words: dict[str, str] | None = None,
    rows: Rows | None = None,
) -> Plan:
    """Make the plan of one slot; a function of its arguments and nothing else.

    Both groups share a slot's levels, order, fixation times and keys, so participants are matched picture by picture
    and differ only in whose maps they see.

    Parameters
    ----------
    stimulus_set : StimulusSet
        The pictures.
    protocol : Protocol
        The task.
    group : str
        Map source that the group sees.
    slot : int
        From 0.
    words : dict, optional
        Texts of :func:`rapidvision.experiments.design.texts.read_texts`; those of the protocol's language by default.
    rows : dict, optional
        ``stimulus_set.index()``, where many plans are made.

    Returns
    -------
    Plan
        Texts, practice, blocks with feedback and breaks, end.
    """
    rows = stimulus_set.index() if rows is None else rows
    words = texts.read_texts(protocol.language) if words is None else words
    n_levels, seed = len(stimulus_set.description.level_labels), protocol.seed
    main = stimulus_set.exemplars("main")
    levels = levels_for(main, n_levels, slot=slot, seed=seed)
    blocks = blocks_for(main, levels, protocol.n_blocks, balanced=protocol.balanced_blocks, slot=slot, seed=seed)
    practice = practice_for(
        stimulus_set.exemplars("practice"), protocol.practice.n_trials, n_levels, slot=slot, seed=seed
    )
    timing = protocol.timing
    fixations = iter(
        fixations_for(len(practice) + len(main), timing.fixation_ms, timing.fixation_step_ms, slot=slot, seed=seed)
    )
    key_target, key_distractor = keys_for(protocol.keys, n_levels, slot=slot)
    runs: list[Run] = []

    def add(exemplar: Exemplar, level: int, phase: Phase, block: int) -> None:
        row = rows[exemplar.image_id, group, level]
        runs.append(Run(trial=_trial(row, number=len(runs), phase=phase, block=block, fixation_ms=next(fixations))))

    for exemplar, level in practice:
        add(exemplar, level, "practice", -1)
    for number, block in enumerate(blocks):
        for exemplar in block:
            add(exemplar, levels[exemplar.image_id], "main", number)
    return Plan(
        study_id=protocol.name,
        slot=slot,
        group=group,
        map_source=group,
        key_target=key_target,
        key_distractor=key_distractor,
        protocol=protocol,
        stimulus_set_digest=stimulus_set.digest,
        texts=texts.planned(words, protocol, key_target=key_target, key_distractor=key_distractor),
        steps=_steps(runs, protocol),
    )


def _trial(row: Stimulus, *, number: int, phase: Phase, block: int, fixation_ms: int) -> Trial:
    return Trial(
        trial=number,
        block=block,
        phase=phase,
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
        fixation_ms=fixation_ms,
    )


def _steps(runs: list[Run], protocol: Protocol) -> tuple[Step, ...]:
    steps: list[Step] = [Show(text_id="welcome"), Show(text_id="keys", wait="both_keys")]
    if protocol.practice.n_trials:
        steps += [Show(text_id="practice"), *(run for run in runs if run.trial.block == -1), Feedback(block=-1)]
    steps.append(Show(text_id="main"))
    for block in range(protocol.n_blocks):
        steps += [*(run for run in runs if run.trial.block == block), Save(), Feedback(block=block)]
        if block < protocol.n_blocks - 1:
            steps.append(Break())
    steps.append(Show(text_id="end"))
    return tuple(steps)


def make_study(
    stimulus_set: StimulusSet,
    protocol: Protocol,
    folder: Path | str,
    *,
    n_slots: int,
    texts_file: Path | str | None = None,
    advance: Advance = silent,
) -> list[Plan]:
    """Write a study folder: ``study.json``, ``protocol.toml`` and a plan per group and slot.

    Planning again with more slots adds plans and leaves the old ones as they are; anything else is refused once a
    session began, because participants of one study must have done one task.

    Parameters
    ----------
    stimulus_set : StimulusSet
        The pictures.
    protocol : Protocol
        The task.
    folder : path-like
        The study folder.
    n_slots : int
        Participant slots per group, ≥ 1.
    texts_file : path-like, optional
        Texts for another task or language.
    advance : callable
        Told of each plan.

    Returns
    -------
    list of Plan
        By group and slot.

    Raises
    ------
    InputError
        When set and protocol do not fit, or the study has begun and would change.
    """
    if n_slots < 1:
        raise InputError(f"slots: got {n_slots}, at least 1 is needed")
    check_keys(protocol)
    check_fit(stimulus_set, protocol)
    study, groups = Study(folder), groups_of(stimulus_set, protocol)
    words = texts.read_texts(protocol.language, override=texts_file)
    rows = stimulus_set.index()
    plans = [
        make_plan(stimulus_set, protocol, group=group, slot=slot, words=words, rows=rows)
        for group in groups
        for slot in range(n_slots)
    ]
    _refuse_change(study, plans)
    written = set()
    for plan in plans:
        written.add(write_plan(study.plans_folder, plan).name)
        advance(1)
    for old in study.plans_folder.glob("*.json"):
        if old.name not in written:
            old.unlink()
    study.write_description(stimulus_set, protocol, groups=groups, n_slots=n_slots)
    return plans


def _refuse_change(study: Study, plans: list[Plan]) -> None:
    began = study.ledger_path.exists() or (study.sessions_folder.is_dir() and any(study.sessions_folder.iterdir()))
    if not began:
        return
    new = {(plan.group, plan.slot): plan.digest for plan in plans}
    for old in study.plans():
        if new.get((old.group, old.slot)) != old.digest:
            raise InputError(
                f"{study.folder}: sessions have begun and {old.group} slot {old.slot} would change or go; "
                "keep protocol, texts and stimulus set and at least as many slots, or plan a new study elsewhere"
            )
