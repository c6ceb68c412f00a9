"""The plan: one participant slot's whole session as a flat list of steps, the same for every runner.

A plan is JSON with a SHA-256 digest. PsychoPy, the browser, the simulation and the networks execute it and draw no
random numbers, so the same slot is the same session wherever it runs.
"""

from pathlib import Path
from typing import Literal

import msgspec

from rapidvision import recipes
from rapidvision.errors import InputError
from rapidvision.protocol import Protocol
from rapidvision.system import files
from rapidvision.trials import Trial

PLAN_VERSION = 1


class Show(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="step", tag="show"):
    """Show a text until a key is pressed (``wait = "key"``), both response keys were tried (``"both_keys"``) or a time.

    Attributes
    ----------
    text_id : str
        Key into the plan's texts.
    wait : {"key", "both_keys", "ms"}
        What ends it.
    ms : int
        For ``wait = "ms"``.
    """

    text_id: str
    wait: Literal["key", "both_keys", "ms"] = "key"
    ms: int = 0


class Run(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="step", tag="run"):
    """Run one trial, with "too slow" feedback after late ones and, in practice, right / wrong feedback."""

    trial: Trial


class Feedback(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="step", tag="feedback"):
    """Show the accuracy of a block (practice is -1) until a key is pressed."""

    block: int


class Break(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="step", tag="break"):
    """A pause that the participant ends with a key."""

    text_id: str = "break"


class Save(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="step", tag="save"):
    """Go on only when every trial so far is stored for good."""


Step = Show | Run | Feedback | Break | Save


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one participant slot does from the first text to the last.

    Attributes
    ----------
    plan_version : int
        Version of this file's form.
    study_id : str
        From the protocol's name.
    slot : int
        Number of the slot, from 0; both groups use the same slots.
    group, map_source : str
        The group, and whose maps it sees.
    key_target, key_distractor : str
        What the keys mean in this session.
    protocol : Protocol
        The whole protocol, so that a plan is enough to run.
    stimulus_set_digest : str
        Digest of the stimulus set that the paths belong to.
    texts : dict
        text_id → text in the session's language.
    steps : tuple of Step
        The session.
    """

    plan_version: int = PLAN_VERSION
    study_id: str
    slot: int
    group: str
    map_source: str
    key_target: str
    key_distractor: str
    protocol: Protocol
    stimulus_set_digest: str
    texts: dict[str, str]
    steps: tuple[Step, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over everything; journals and sessions carry it."""
        return files.canonical_digest(self)

    def trials(self, phase: str | None = None) -> tuple[Trial, ...]:
        """The trials in order, all of them or those of one phase."""
        runs = (step.trial for step in self.steps if isinstance(step, Run))
        return tuple(trial for trial in runs if phase is None or trial.phase == phase)


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
