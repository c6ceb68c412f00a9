"""The plan: one participant slot's whole session as a flat list of steps, the same for every runner.

A plan is JSON with a SHA-256 digest. PsychoPy, the browser, the simulation and the networks execute it and draw no
random numbers, so the same slot is the same session wherever it runs. Two things are decided while a session runs, by
rules that the plan carries: whether practice is repeated (:class:`Gate`) and the value of an adaptive factor
(:attr:`rapidvision.trials.Trial.choices`); both follow from the answers so far.
"""

from pathlib import Path
from typing import Literal

import msgspec

from rapidvision import recipes
from rapidvision.errors import InputError
from rapidvision.protocol import Protocol
from rapidvision.system import files
from rapidvision.task.response import Scalar
from rapidvision.task.trial import SessionPhase, Trial

PLAN_VERSION = 2


class Page(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="step", tag="page"):
    """A text.

    Attributes
    ----------
    part : str
        Part of the session: ``start``, ``practice-1`` (and further rounds), ``main`` or ``end``.
    text_id : str
        Key into the plan's texts.
    leave : {"key", "inputs", "experimenter"}
        What ends it: any key, an input of every option pressed once, or the experimenter's key.
    min_ms : int
        How long it must have been up before a key counts.
    block : int or None
        Block whose accuracy the text states.
    values : dict
        Words that fill the text's fields, beside those of the block.
    """

    part: str
    text_id: str
    leave: Literal["key", "inputs", "experimenter"] = "key"
    min_ms: int = 0
    block: int | None = None
    values: dict[str, Scalar] = {}


class Run(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="step", tag="run"):
    """Run one trial, with its feedback and questions."""

    part: str
    trial: Trial


class Ask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="step", tag="ask"):
    """Ask a question that belongs to a block (its number) or to the session (None)."""

    part: str
    question: str
    block: int | None = None


class Gate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="step", tag="gate"):
    """The practice criterion: with an accuracy of `at_least` in `block` the parts in `skip` fall away.

    Attributes
    ----------
    part : str
        The round that has just ended.
    block : int
        Its block: practice is -1, further rounds -2, -3, ...
    at_least : float
        Share of trials, 0 to 1, correct and in time.
    skip : tuple of str
        Parts that fall away when it is reached.
    otherwise : {"continue", "stop"}
        What follows when it is not.
    """

    part: str
    block: int
    at_least: float
    skip: tuple[str, ...] = ()
    otherwise: Literal["continue", "stop"] = "continue"


Step = Page | Run | Ask | Gate


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one participant slot does from the first text to the last.

    Attributes
    ----------
    plan_version : int
        Version of this file's form.
    study_id : str
        From the protocol's name.
    slot : int
        Number of the slot, from 0; all groups use the same slots.
    group : str
        The group; its factors' values joined by ``-``, or ``all`` where nothing varies between participants.
    between : dict
        Factor that varies between participants -> its value in this group.
    inputs : dict
        Input (``s``, ``button:2``, ``area:bear``) -> the option that it means in this session.
    protocol : Protocol
        The whole protocol, so that a plan is enough to run.
    stimulus_set_digest : str
        Digest of the stimulus set that the paths belong to.
    texts : dict
        text_id -> text in the session's language.
    steps : tuple of Step
        The session.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stimulus_set = rv.stimuli.build("bundled", out=folder + "/set")
    ...     plan = rv.experiments.plan(stimulus_set, out=folder + "/study", n_per_group=1).plans()[0]
    >>> plan.group, plan.inputs, len(plan.trials("main"))
    ('clickme', {'s': 'target', 'l': 'distractor'}, 80)
    """

    plan_version: int = PLAN_VERSION
    study_id: str
    slot: int
    group: str
    between: dict[str, Scalar]
    inputs: dict[str, str]
    protocol: Protocol
    stimulus_set_digest: str
    texts: dict[str, str]
    steps: tuple[Step, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over everything; journals and sessions carry it."""
        return files.canonical_digest(self)

    def trials(self, phase: SessionPhase | None = None) -> tuple[Trial, ...]:
        """The trials in order, every planned practice round included, or those of one phase."""
        runs = (step.trial for step in self.steps if isinstance(step, Run))
        return tuple(trial for trial in runs if phase is None or trial.phase == phase)

    def input_of(self, option: str) -> str | None:
        """The first input that means an option; None for the option that is given by not responding."""
        return next((key for key, name in self.inputs.items() if name == option), None)


class _PlanFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    digest: str
    plan: Plan


def plan_filename(group: str, slot: int) -> str:
    """File name of a plan within a study's ``plans`` folder."""
    return f"{group}-{slot:04d}.json"


def write_plan(folder: Path | str, plan: Plan) -> Path:
    """Write a plan with its digest into `folder`, atomically, and return its path."""
    path = Path(folder) / plan_filename(plan.group, plan.slot)
    files.write_json(path, _PlanFile(digest=plan.digest, plan=plan))
    return path


def read_plan(path: Path | str) -> Plan:
    """Read one plan and check its digest.

    Raises
    ------
    InputError
        When the file is missing, is not a plan, or was changed after it was made.
    """
    content = recipes.read(path, _PlanFile)
    if content.plan.plan_version != PLAN_VERSION:
        raise InputError(
            f"{path}: plan version {content.plan.plan_version}, this RapidVision reads {PLAN_VERSION}; make it again with `session plan`"
        )
    if content.plan.digest != content.digest:
        raise InputError(
            f"{path}: the plan was changed after it was made (digest differs); make it again with `session plan`"
        )
    return content.plan


def read_plans(folder: Path | str) -> list[Plan]:
    """Read every plan of a folder, ordered by group and slot.

    Raises
    ------
    InputError
        When there is none, or they belong to different protocols or stimulus sets.
    """
    plans = [read_plan(path) for path in sorted(Path(folder).glob("*.json"), key=Path.as_posix)]
    if not plans:
        raise InputError(f"{folder}: no plans here; make them with `rapidvision session plan`")
    if len({(plan.protocol.digest, plan.stimulus_set_digest) for plan in plans}) > 1:
        raise InputError(
            f"{folder}: the plans belong to different protocols or stimulus sets; keep one study per folder"
        )
    return sorted(plans, key=lambda plan: (plan.group, plan.slot))
