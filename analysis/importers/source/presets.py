"""Presets: the layouts of the programs that are known, as data."""

import re
from collections.abc import Iterable
from dataclasses import replace

from .layouts import Layout

#: model-vs-human's sixteen categories, and those of them that are animals.
SIXTEEN = (
    "airplane",
    "bear",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "car",
    "cat",
    "chair",
    "clock",
    "dog",
    "elephant",
    "keyboard",
    "knife",
    "oven",
    "truck",
)
ANIMALS = ("bear", "bird", "cat", "dog", "elephant")

_PLAIN = Layout(study="csv")
_MODEL_VS_HUMAN = {
    "participant": ("subj",),
    "session": ("session", "Session"),
    "trial": ("trial",),
    "level": ("condition~(?:c(?=[0-9]))?(.*)",),
    "image": ("imagename~(?:[^_]*_){5}(.*)",),
    "category": ("category",),
    "response": ("object_response",),
    "response_ms": ("rt",),
}

#: Program → layout.
LAYOUTS: dict[str, Layout] = {
    "csv": _PLAIN,
    "jspsych": replace(_PLAIN, study="jsPsych", signature=(("trial_index", "time_elapsed"), ("internal_node_id",))),
    "psiturk": replace(_PLAIN, columns={"participant": ("@who",)}, signature=(("@who",),), study="psiTurk"),
    "psychopy": replace(
        _PLAIN,
        columns={"response": ("*.keys",), "correct": ("*.corr",), "response_ms": ("*.rt",)},
        signature=(("*.keys", "*.thisn"), ("*.keys", "psychopyversion"), ("*.keys", "expname"), ("*.keys", "*.rt")),
        time_unit="s",
        study="PsychoPy",
    ),
    "opensesame": replace(
        _PLAIN,
        columns={
            "participant": ("subject_nr",),
            "response": ("response",),
            "correct": ("correct",),
            "response_ms": ("response_time",),
            "truth": ("correct_response",),
        },
        signature=(("subject_nr", "response_time"), ("opensesame_version",)),
        time_unit="ms",
        study="OpenSesame",
    ),
    "gorilla": replace(
        _PLAIN,
        columns={
            "participant": ("Participant Private ID",),
            "response": ("Response",),
            "correct": ("Correct",),
            "response_ms": ("Reaction Time",),
            "trial": ("Trial Number",),
            "truth": ("ANSWER",),
        },
        signature=(("event index", "participant private id"),),
        trial_rows=(
            "Event Index~^[0-9]+$",
            "Zone Type~^response",
            "Response Type=response",
            "display=trial",
            "Display=trial",
        ),
        time_unit="ms",
        study="Gorilla",
    ),
    "labjs": replace(
        _PLAIN,
        columns={"response_ms": ("duration",), "truth": ("correctResponse",), "correct": ("correct",)},
        signature=(("sender", "ended_on"), ("sender", "sender_type", "sender_id")),
        trial_rows=("ended_on~^(response|timeout)$", "correct~."),
        untimed="missing",
        time_unit="ms",
        study="lab.js",
    ),
    "labvanced": replace(
        _PLAIN,
        signature=(("rec_session_id", "exp_subject_id"), ("rec_session_id", "trial_nr")),
        study="Labvanced",
    ),
    "qualtrics": replace(
        _PLAIN,
        signature=(("responseid", "startdate", "enddate"), ("responseid", "recordeddate")),
        columns={"participant": ("ResponseId",)},
        study="Qualtrics",
    ),
    "eprime": replace(
        _PLAIN,
        columns={
            "participant": ("Subject",),
            "session": ("Session",),
            "response": ("*.RESP",),
            "correct": ("*.ACC",),
            "response_ms": ("*.RT",),
            "truth": ("*.CRESP",),
        },
        signature=(("logframe.level", "subject"), ("experimentname", "subject", "*.resp")),
        untimed="missing",
        time_unit="ms",
        study="E-Prime",
    ),
    "mvh": Layout(
        columns=_MODEL_VS_HUMAN | {"group": ("@file~([^_]*)_.*",), "target": ("category",)},
        vocabulary=False,
        targets=ANIMALS,
        distractors=tuple(sorted(set(SIXTEEN) - set(ANIMALS))),
        target_truths=ANIMALS,
        distractor_truths=tuple(sorted(set(SIXTEEN) - set(ANIMALS))),
        answers="two",
        time_unit="s",
        people=r"subject-\d+",
        level_words="keep",
        study="model-vs-human",
    ),
    "mvh-16": Layout(
        columns=_MODEL_VS_HUMAN | {"group": ("@file~([^_]*)_.*",), "truth": ("category",)},
        vocabulary=False,
        signature=(("subj", "object_response", "category", "condition", "imagename"),),
        options=SIXTEEN,
        answers="words",
        time_unit="s",
        people=r"subject-\d+",
        level_words="keep",
        study="model-vs-human",
    ),
    "go-no-go": Layout(
        columns={
            "participant": ("subject",),
            "session": ("session",),
            "image": ("stim_file",),
            "category": ("condition~(.*)_[^_]*",),
            "level": ("condition~(.*)_[^_]*",),
            "target": ("condition~.*_([^_]*)",),
            "response": ("response_event",),
            "response_ms": ("response_time_ms",),
        },
        vocabulary=False,
        signature=(("response_event", "response_time_ms", "stim_file"),),
        targets=("*",),
        answers="two",
        missing=("n/a",),
        no_answer="distractor",
        untimed="leave out",
        time_unit="ms",
        study="bids",
    ),
    "bids": replace(
        _PLAIN,
        columns={
            "participant": ("@sub",),
            "session": ("@session",),
            "group": ("@task",),
            "image": ("stim_file",),
            "category": ("trial_type",),
            "response": ("response",),
            "correct": ("accuracy", "correct"),
            "response_ms": ("response_time",),
        },
        signature=(("onset", "duration", "@sub"),),
        missing=("n/a",),
        time_unit="s",
        study="BIDS",
    ),
}
#: Programs that the user can name; ``auto`` recognises the program by its columns.
PROGRAMS = ("auto", *(name for name in LAYOUTS if name != "go-no-go"))


def program_of(columns: Iterable[str]) -> str:
    """Recognise a program by the columns of its table; ``csv`` where no signature fits.

    Examples
    --------
    >>> program_of(["Event Index", "Participant Private ID", "Response"]), program_of(["subj", "acc"])
    ('gorilla', 'csv')
    """
    names = [name.casefold() for name in columns]
    for program, layout in LAYOUTS.items():
        for needed in layout.signature:
            if all(any(_fits(one, name) for name in names) for one in needed):
                return program
    return "csv"


def _fits(pattern: str, name: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".+"), name) is not None
