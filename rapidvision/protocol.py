"""The experiment on one page: a protocol, and the paper's numbers that belong to no task.

Linsley et al. (2019), section 2.2 and appendix "Psychophysics experiment". The numbers of the paper's task stand in
``task/presets/paper.toml``, each with the sentence that it comes from; where the text is silent
``docs/decisions.md`` gives the reason.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from rapidvision.recipes import Recipe
from rapidvision.system import files
from rapidvision.task.adaptive import Adaptive
from rapidvision.task.design import Design, Factor
from rapidvision.task.phases import Phase
from rapidvision.task.questions import Question
from rapidvision.task.response import Response
from rapidvision.task.session import Breaks, Display, Feedback, Practice

#: Every bound of the randomization tests that the paper names.
N_RELABELLINGS = 10_000
#: Participants per group in the paper.
N_PARTICIPANTS_PER_GROUP = 60
#: 100 % of the features as a share of the image: makes 40 % of the features 6 % of the pixels, as printed.
FEATURE_BUDGET = 0.15
#: Log-spaced reveal levels, the intact image not counted, and the smallest of them.
N_LEVELS = 11
LOWEST_LEVEL = 0.01
#: Side of the kernel that blurs importance maps, "49x49 (the square of the bubble radius)", for images of 256 px.
MAP_BLUR_PX = 49
#: The form of ``protocol.toml``.
PROTOCOL_VERSION = 2


class Protocol(Recipe, frozen=True, kw_only=True):
    """Everything about the task that a participant meets, in the lab, online, in simulations and as a network.

    A trial is a list of phases; a study is a design of factors. Nothing in the file is a condition or a loop: what is
    decided while a session runs (the practice criterion, an adaptive factor) follows from rules that the plan carries.

    Attributes
    ----------
    protocol : int
        Version of the file's form: 2.
    name : str
        Name of the study, 1 to 80 letters; part of every record.
    seed : int
        Assignment, orders and drawn durations follow from it, >= 0.
    language : str
        Language of the instructions, such as ``en``.
    phases : tuple of Phase
        What a trial shows, in order.
    response : Response or None
        What may be answered; None where a question is scored instead.
    questions : tuple of Question
        Asked after trials, blocks, or at the session's ends.
    design : Design
        Images, factors, blocks.
    practice, breaks, feedback : Practice, Breaks, Feedback
        What surrounds the trials.
    adaptive : Adaptive or None
        A factor that follows the answers.
    display : Display
        How it looks.
    sources : dict
        Field -> the sentence that its number comes from.

    Examples
    --------
    >>> import rapidvision as rv
    >>> paper = rv.preset("paper")
    >>> [phase.id for phase in paper.phases], paper.response.limit_ms
    (['fixation', 'stimulus', 'blank'], 550)
    """

    protocol: Literal[2] = 2
    name: Annotated[str, Meta(min_length=1, max_length=80)] = "rapidvision"
    seed: Annotated[int, Meta(ge=0)] = 2019
    language: str = "en"
    phases: Annotated[tuple[Phase, ...], Meta(min_length=1)]
    response: Response | None = None
    questions: tuple[Question, ...] = ()
    design: Design = Design()
    practice: Practice = Practice()
    breaks: Breaks = Breaks()
    feedback: Feedback = Feedback()
    adaptive: Adaptive | None = None
    display: Display = Display()
    sources: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of every field; a session that began under another digest is refused."""
        return files.canonical_digest(self)

    def phase(self, name: str) -> Phase:
        """The phase of that name."""
        return next(phase for phase in self.phases if phase.id == name)

    def factor(self, name: str) -> Factor | None:
        """The factor of that name, if there is one."""
        return next((factor for factor in self.design.factors if factor.name == name), None)

    def question(self, name: str) -> Question:
        """The question of that name."""
        return next(question for question in self.questions if question.name == name)

    @property
    def scored(self) -> Question | None:
        """The question whose answer is the trial's response, where the trial itself has none."""
        return None if self.response else next((q for q in self.questions if q.correct), None)
