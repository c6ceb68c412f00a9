"""The response: which options a trial has, from when, for how long, and which is right."""

from typing import Annotated, Literal

from msgspec import Meta

from rapidvision.recipes import Recipe

from .phases import Ms, PositiveMs

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]*$")]
Scalar = bool | int | float | str
#: Words that participants read: one text, or a text for each language.
Words = str | dict[str, str]


def in_language(words: Words, language: str) -> str:
    """Return words in a language; where they have it not, in their first one.

    Examples
    --------
    >>> in_language({"en": "animal", "de": "Tier"}, "de"), in_language("animal", "de")
    ('Tier', 'animal')
    """
    if isinstance(words, str):
        return words
    return words.get(language) or next(iter(words.values()), "")


class Option(Recipe, frozen=True):
    """One answer. Without keys, buttons and area it is the answer of not responding (no-go).

    Attributes
    ----------
    name : str
        The word in the column `response`: small letters, digits, ``-`` and ``_``.
    matches : tuple of bool, int, float or str
        Values of ``response.correct`` for which this option is right; its name by default.
    keys : tuple of str
        Names of keys in lower case, such as ``s`` or ``space``.
    buttons : tuple of int
        Buttons of a response box, from 1.
    area : bool
        Whether it can be clicked or touched on the response screen.
    icon : str
        Image file on the response screen, relative to the stimulus set.
    label : str or dict
        Words on the response screen, for all languages or language -> words, as in ``{ en = "animal", de = "Tier" }``;
        the name by default.
    """

    name: Name
    matches: tuple[Scalar, ...] = ()
    keys: tuple[str, ...] = ()
    buttons: tuple[Annotated[int, Meta(ge=1)], ...] = ()
    area: bool = False
    icon: str = ""
    label: Words = ""

    def words(self, language: str) -> str:
        """What the participant reads in a language: the label, else the name."""
        return in_language(self.label, language) or self.name

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs that mean it, as devices name them: ``s``, ``button:2``, ``area:bear``."""
        return (*self.keys, *(f"button:{n}" for n in self.buttons), *((f"area:{self.name}",) if self.area else ()))


class Response(Recipe, frozen=True):
    """What may be answered in a trial.

    Attributes
    ----------
    options : tuple of Option
        At least one.
    correct : str
        What decides which option is right: ``target``, ``category``, ``pair`` or the name of a factor.
    opens : str
        Name of the phase whose first refresh is time zero; inputs count from there.
    limit_ms : int, str or None
        Latest response that counts, from time zero, or the name of a factor; compared with the time of the input
        itself and never rounded to refreshes. None only where a phase stands until the response.
    ends_trial : bool
        Whether the response cuts what is left of the trial.
    counts : {"first", "last"}
        Which input is the response; ``last`` can be corrected until the limit.
    press : {"down", "up"}
        ``up``: the key is held and its release responds; a trial waits until it is held.
    early_ms : int
        Faster responses are marked ``early``; kept, and left to the analysis.
    counterbalance : {"rotate", "none"}
        ``rotate`` turns the options over keys and buttons from slot to slot; areas never move.
    """

    options: Annotated[tuple[Option, ...], Meta(min_length=1)]
    correct: str = "target"
    opens: str = "stimulus"
    limit_ms: PositiveMs | str | None = None
    ends_trial: bool = False
    counts: Literal["first", "last"] = "first"
    press: Literal["down", "up"] = "down"
    early_ms: Ms = 100
    counterbalance: Literal["rotate", "none"] = "rotate"

    @property
    def withheld(self) -> str | None:
        """Name of the option that is given by not responding, if there is one."""
        return next((option.name for option in self.options if not option.inputs), None)
