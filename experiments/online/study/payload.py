"""A plan as the browser gets it: what it must do, files by hash, and nothing about images, levels or maps."""

from typing import Any

import msgspec

from rapidvision.plan import Ask, Gate, Page, Plan, Run, Step
from rapidvision.task.questions import Question
from rapidvision.task.trial import Trial, TrialPhase

from ...engine.state import failed_pages
from .plans import ServedStudy
from .question_places import Place

#: What the browser needs of a question; which answers are right is decided when the table is made.
_QUESTION = ("name", "kind", "text", "options", "range", "max_length", "required", "limit_ms", "when")


def for_browser(plan: Plan, served: ServedStudy) -> dict[str, Any]:
    """Return a plan as the browser gets it.

    Parameters
    ----------
    plan : Plan
        The participant's plan.
    served : ServedStudy
        Knows the files.

    Returns
    -------
    dict
        With ``steps`` in order. A phase names the file that it shows by hash only; the right option of a trial is there
        where feedback, an accuracy or a criterion of practice needs it, and null elsewhere.
    """
    protocol, response = plan.protocol, plan.protocol.response
    numbers = {place: number for number, place in served.places(plan.group, plan.slot).items()}
    told = _told(plan)
    return {
        "digest": plan.digest,
        "language": protocol.language,
        "texts": plan.texts,
        "inputs": plan.inputs,
        "response": {
            "opens": response.opens,
            "ends_trial": response.ends_trial,
            "counts": response.counts,
            "press": response.press,
            "early_ms": response.early_ms,
            "withheld": response.withheld,
            "options": [
                {
                    "name": each.name,
                    "label": each.words(protocol.language),
                    "icon": served.icons.get(each.name),
                    "area": each.area,
                }
                for each in response.options
                if each.inputs
            ],
        }
        if response
        else None,
        "questions": {question.name: _question(question, protocol.language) for question in protocol.questions},
        "feedback": msgspec.to_builtins(protocol.feedback),
        "display": msgspec.to_builtins(protocol.display),
        "n_blocks": protocol.design.blocks,
        "suffixes": {
            sha256: file.path.suffix.lower() for sha256, file in served.media.items() if sha256 in _files(plan, served)
        },
        "steps": [_step(step, served, numbers, told) for step in plan.steps],
        "failed": [_step(step, served, numbers, told) for step in failed_pages(plan)],
    }


def run_step(trial: Trial, served: ServedStudy) -> dict[str, Any]:
    """Return what a browser needs to show one trial; phases of an adaptive trial are those of the value put in."""
    movie = served.movie(trial)
    return {
        "phases": [
            {
                "name": phase.name,
                "kind": phase.kind,
                "ms": phase.duration_ms,
                "file": file_of(trial, phase),
                "text": phase.content if phase.kind == "cue" else "",
                "overlay": phase.overlay,
            }
            for phase in trial.phases
        ],
        "movie": {"file": movie.sha256, "hz": movie.hz, "frames": movie.frames} if movie else None,
    }


def file_of(trial: Trial, phase: TrialPhase) -> str | None:
    """Return the SHA-256 of the image or mask that a phase shows; None for phases without one."""
    if phase.kind == "stimulus":
        return trial.images[phase.content].stimulus_sha256
    return phase.sha256 if phase.kind == "mask" else None


def _step(step: Step, served: ServedStudy, numbers: dict[Place, int], told: set[int]) -> dict[str, Any]:
    if isinstance(step, Ask):
        return {**msgspec.to_builtins(step), "number": numbers[Place(step.question, block=step.block)]}
    if not isinstance(step, Run):
        made: dict[str, Any] = msgspec.to_builtins(step)
        return made
    trial = step.trial
    return {
        "step": "run",
        "part": step.part,
        "trial": trial.trial,
        "block": trial.block,
        "phase": trial.phase,
        "correct": trial.correct_response if trial.trial in told else None,
        "limit_ms": trial.limit_ms,
        "ask": [{"question": name, "number": numbers[Place(name, trial=trial.trial)]} for name in trial.ask],
        "adaptive": bool(trial.choices),
        **({"phases": [], "movie": None} if trial.choices else run_step(trial, served)),
    }


def _told(plan: Plan) -> set[int]:
    """Trials whose right option the browser must know: for feedback, for an accuracy, or for a criterion."""
    feedback = plan.protocol.feedback
    blocks = {step.block for step in plan.steps if isinstance(step, Page | Gate) and step.block is not None}
    return {
        trial.trial
        for trial in plan.trials()
        if trial.block in blocks or (feedback.practice if trial.phase == "practice" else feedback.main) != "none"
    }


def _question(question: Question, language: str) -> dict[str, Any]:
    made: dict[str, Any] = {name: msgspec.to_builtins(getattr(question, name)) for name in _QUESTION}
    return {
        **made,
        "text": question.words(language),
        "keys": {option: key for key, option in question.option_keys.items()},
    }


def _files(plan: Plan, served: ServedStudy) -> set[str]:
    """Every file that this plan can ask for, icons included."""
    found = set(served.icons.values())
    for trial in plan.trials():
        movie = served.movie(trial)
        found |= {movie.sha256} if movie else set(trial.files().values())
    return found
