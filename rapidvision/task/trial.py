"""A planned trial: its images, its phases, and what is right."""

from typing import Literal

import msgspec

from .phases import Overlay, PhaseKind, stimulus_code
from .response import Scalar

#: Phase of a session; the phases of a trial are :class:`~rapidvision.task.phases.Phase`.
SessionPhase = Literal["practice", "main"]


class TrialImage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An image of the stimulus set as a trial shows it.

    Attributes
    ----------
    image_id, category : str
        The image and what it shows.
    target : bool
        Whether the category is a target (an animal, in the paper).
    map_source : str
        Whose map reveals it.
    level_index : int
        Reveal level, from 0; the intact image comes last.
    level_label : str
        Per cent of the features, or ``full``.
    reveal_fraction : float or None
        Share of the features, 0 … 1; None for the intact image.
    revealed_px : int
        Pixels of the image that can be seen.
    path : str
        The stimulus file, relative to the stimulus set.
    stimulus_sha256 : str
        Its hash; runners verify it before the first trial.
    """

    image_id: str
    category: str
    target: bool
    map_source: str
    level_index: int
    level_label: str
    reveal_fraction: float | None
    revealed_px: int
    path: str
    stimulus_sha256: str


class TrialPhase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A planned phase of one trial.

    Attributes
    ----------
    name : str
        Its name in the protocol.
    kind : str
        What it is; a mask whose family is ``none`` is a blank.
    duration_ms : int or None
        None until the response, or where the chosen value of an adaptive factor decides (`factor`).
    factor : str
        The adaptive factor that is the duration; empty otherwise.
    content : str
        Role of a stimulus (``image``, ``first``, ``second``), words of a cue, path of a mask; empty otherwise.
    sha256 : str
        Hash of a mask's file; empty otherwise.
    overlay : str
        What is drawn on top.
    trigger : int
        Code that goes out with the first refresh; 0 for none.
    """

    name: str
    kind: PhaseKind
    duration_ms: int | None
    factor: str = ""
    content: str = ""
    sha256: str = ""
    overlay: Overlay = "none"
    trigger: int = 0


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One value that the adaptive factor may take in a trial, and the images that belong to it."""

    value: Scalar
    images: dict[str, TrialImage] = {}


class Trial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One planned trial: everything that a runner needs, so that it decides and draws nothing.

    Attributes
    ----------
    trial : int
        Number within the session, from 0, practice included.
    block : int
        Block number from 0; practice is block -1, its further rounds are -2, -3, ...
    phase : {"practice", "main"}
        Phase of the session; practice trials are never analysed.
    images : dict
        Role (``image``, or ``first`` and ``second``) -> image.
    factors : dict
        Factor -> value in this trial, those between participants included; an adaptive factor is left out.
    phases : tuple of TrialPhase
        What is shown, in order.
    correct_response : str or None
        Name of the option that is right; None where nothing is scored.
    limit_ms : int or None
        Latest response that counts, from time zero.
    ask : tuple of str
        Questions after the trial.
    track : str
        Name of the adaptive track that the trial belongs to; empty where nothing adapts.
    choices : tuple of Choice
        Values of the adaptive factor, from the hardest to the easiest.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stimulus_set = rv.stimuli.build("bundled", out=folder + "/set")
    ...     plan = rv.experiments.plan(stimulus_set, out=folder + "/study", n_per_group=1).plans()[0]
    >>> trial = plan.trials("main")[0]
    >>> [phase.name for phase in trial.phases], trial.limit_ms, trial.correct_response in ("target", "distractor")
    (['fixation', 'stimulus', 'blank'], 550, True)
    """

    trial: int
    block: int
    phase: SessionPhase
    images: dict[str, TrialImage]
    factors: dict[str, Scalar] = {}
    phases: tuple[TrialPhase, ...]
    correct_response: str | None
    limit_ms: int | None
    ask: tuple[str, ...] = ()
    track: str = ""
    choices: tuple[Choice, ...] = ()

    @property
    def image(self) -> TrialImage:
        """The image that is asked about: the only one, or the first of two."""
        return next(iter(self.images.values()))

    def files(self) -> dict[str, str]:
        """Every file that the trial may show: path -> SHA-256."""
        images = [*self.images.values(), *(image for choice in self.choices for image in choice.images.values())]
        masks = {phase.content: phase.sha256 for phase in self.phases if phase.kind == "mask"}
        return {image.path: image.stimulus_sha256 for image in images} | masks

    def chosen(self, choice: Choice | None) -> "Trial":
        """The trial with a value of the adaptive factor put in: its images with their triggers, durations that it is."""
        if choice is None:
            return self
        images = choice.images or self.images
        return msgspec.structs.replace(
            self, images=images, phases=tuple(self._chosen_phase(phase, choice, images) for phase in self.phases)
        )

    def _chosen_phase(self, phase: TrialPhase, choice: Choice, images: dict[str, TrialImage]) -> TrialPhase:
        if phase.factor:
            return msgspec.structs.replace(phase, duration_ms=int(choice.value), factor="")
        if phase.kind != "stimulus" or phase.trigger != _onset_code(self.images[phase.content]):
            return phase  # a trigger that the protocol names stays
        return msgspec.structs.replace(phase, trigger=_onset_code(images[phase.content]))


def _onset_code(image: TrialImage) -> int:
    return stimulus_code(image.level_index, image.target)
