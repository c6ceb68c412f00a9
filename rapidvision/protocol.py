"""The experiment on one page: every number of the paper's rapid categorization task, here and nowhere else.

Linsley et al. (2019), section 2.2 and appendix "Psychophysics experiment". Where the text is silent the field says so
and ``docs/decisions.md`` gives the reason.
"""

from typing import Literal, NamedTuple

from rapidvision.errors import InputError, did_you_mean
from rapidvision.recipes import Recipe
from rapidvision.screen import refreshes
from rapidvision.system import files

#: Every bound of the randomization tests that the paper names.
N_RELABELLINGS = 10_000
#: Participants per group in the paper.
N_PARTICIPANTS_PER_GROUP = 60
#: How long a page must have been up before a key counts: a press meant for the trial before must not skip it.
PAGE_MS = 500
#: 100 % of the features as a share of the picture: makes 40 % of the features 6 % of the pixels, as printed.
FEATURE_BUDGET = 0.15
#: Log-spaced reveal levels, the intact picture not counted, and the smallest of them.
N_LEVELS = 11
LOWEST_LEVEL = 0.01
#: Side of the kernel that blurs importance maps, "49x49 (the square of the bubble radius)", for pictures of 256 px.
MAP_BLUR_PX = 49


class Timing(Recipe, frozen=True):
    """When things happen in a trial, in milliseconds.

    Attributes
    ----------
    fixation_ms : (int, int)
        Shortest and longest fixation ("variable time, 1,100-1,600 ms").
    fixation_step_ms : int
        Fixations are drawn uniformly in steps of this size. The paper is silent; its video code used 100.
    stimulus_ms : int
        How long the picture is up.
    blank_ms : int
        "An additional 150 ms of response time".
    response_ends_trial : bool
        Whether a press takes the picture away. The paper is silent; the 2017 code did.
    too_slow_ms : int
        How long "too slow" feedback stays up; an answer that comes meanwhile is recorded as late. With 0 there is no
        feedback and no late answer: a trial ends at the limit, and what is pressed after it is an early press of the
        next one.
    """

    fixation_ms: tuple[int, int] = (1100, 1600)
    fixation_step_ms: int = 1
    stimulus_ms: int = 400
    blank_ms: int = 150
    response_ends_trial: bool = False
    too_slow_ms: int = 1000

    @property
    def response_limit_ms(self) -> int:
        """Latest response that counts, from the onset: 550 ms in the paper."""
        return self.stimulus_ms + self.blank_ms

    def __post_init__(self) -> None:
        low, high = self.fixation_ms
        if not 0 < low <= high:
            raise ValueError(f"fixation_ms must be [shortest, longest] with 0 < shortest <= longest, got {[low, high]}")
        if self.stimulus_ms <= 0 or self.blank_ms < 0 or self.fixation_step_ms < 1 or self.too_slow_ms < 0:
            raise ValueError("stimulus_ms and fixation_step_ms must be > 0, blank_ms and too_slow_ms >= 0")


class Practice(Recipe, frozen=True):
    """The training phase: the paper says "brief"; its numbers are ours.

    Attributes
    ----------
    n_trials : int
        Practice trials; half targets. 0 leaves the phase out.
    feedback_ms : int
        How long "correct" or "wrong" stays up after each.
    """

    n_trials: int = 8
    feedback_ms: int = 800

    def __post_init__(self) -> None:
        if self.n_trials < 0 or self.feedback_ms < 0:
            raise ValueError("n_trials and feedback_ms must be >= 0")


class FrameCounts(NamedTuple):
    """How many refreshes each boundary lies after the one it is counted from."""

    fixation: tuple[int, int]
    stimulus: int
    response_limit: int


class Protocol(Recipe, frozen=True):
    """Everything about the task that a participant meets, in the lab, online and in simulations.

    Attributes
    ----------
    name : str
        Name of the study; part of every record.
    seed : int
        Assignment, orders and fixation times follow from it.
    timing, practice : Timing, Practice
        See there.
    n_blocks, block_size : int
        "Five experimental blocks (16 images per block)".
    keys : (str, str)
        The two response keys; which one means target alternates over participants.
    groups : tuple of str
        Map sources, one group of participants each; empty means every source of the stimulus set.
    balanced_blocks : bool
        Equal numbers of every category in each block. The paper shuffled freely.
    image_px : int
        Side of the picture on the screen, in pixels.
    image_deg : float or None
        Side in degrees of visual angle, where the screen is known (lab); else `image_px` holds.
    background : (int, int, int)
        Colour behind the picture, 0 … 255; white in the paper.
    anticipation_ms : int
        Presses faster than this are marked ``early``; kept, and left to the analysis.
    language : str
        Language of the instructions.
    key_reminder : bool
        Whether the key mapping stays on the screen.

    Examples
    --------
    >>> Protocol().n_trials, Protocol().timing.response_limit_ms
    (80, 550)
    >>> Protocol().frames_at(60).stimulus
    24
    """

    name: str = "rapidvision"
    seed: int = 2019
    timing: Timing = Timing()
    practice: Practice = Practice()
    n_blocks: int = 5
    block_size: int = 16
    keys: tuple[str, str] = ("s", "l")
    groups: tuple[str, ...] = ()
    balanced_blocks: bool = True
    image_px: int = 256
    image_deg: float | None = None
    background: tuple[int, int, int] = (255, 255, 255)
    anticipation_ms: int = 100
    language: str = "en"
    key_reminder: bool = True

    def __post_init__(self) -> None:
        if self.n_blocks < 1 or self.block_size < 1:
            raise ValueError(f"n_blocks and block_size must be >= 1, got {self.n_blocks} and {self.block_size}")
        if self.keys[0] == self.keys[1] or not all(self.keys):
            raise ValueError(f"keys must be two different keys, got {list(self.keys)}")
        if len(set(self.groups)) != len(self.groups):
            raise ValueError(f"groups must differ, got {list(self.groups)}")
        if self.image_px < 1 or (self.image_deg is not None and not self.image_deg > 0):
            raise ValueError("image_px and image_deg must be > 0")
        if not all(0 <= value <= 255 for value in self.background):
            raise ValueError(f"background must be three numbers from 0 to 255, got {list(self.background)}")
        if self.seed < 0 or self.anticipation_ms < 0:
            raise ValueError("seed and anticipation_ms must be >= 0")

    @property
    def n_trials(self) -> int:
        """Trials of the main phase."""
        return self.n_blocks * self.block_size

    @property
    def digest(self) -> str:
        """SHA-256 of every field; a session that began under another digest is refused."""
        return files.canonical_digest(self)

    def frames_at(self, refresh_hz: float) -> FrameCounts:
        """Refreshes from fixation onset to stimulus, and from stimulus onset to blank and to the response limit."""
        low, high = self.timing.fixation_ms
        return FrameCounts(
            (refreshes(low, refresh_hz), refreshes(high, refresh_hz)),
            refreshes(self.timing.stimulus_ms, refresh_hz),
            refreshes(self.timing.response_limit_ms, refresh_hz),
        )


PresetName = Literal["paper", "authors-2017"]

PRESETS: dict[str, Protocol] = {
    "paper": Protocol(),
    "authors-2017": Protocol(
        timing=Timing(fixation_ms=(1100, 1500), fixation_step_ms=100, response_ends_trial=True),
        practice=Practice(n_trials=6, feedback_ms=1500),
        balanced_blocks=False,
    ),
}


def preset(name: str) -> Protocol:
    """Return a named protocol.

    Parameters
    ----------
    name : str
        ``paper`` (the text) or ``authors-2017`` (how the predecessor's code behaved).

    Raises
    ------
    InputError
        When there is no such preset.

    Examples
    --------
    >>> preset("paper").keys
    ('s', 'l')
    """
    try:
        return PRESETS[name]
    except KeyError:
        raise InputError(f'protocol: no preset "{name}". {did_you_mean(name, PRESETS)}') from None
