"""Questions after a trial, after a block, or at the start or end of a session."""

import re
from typing import Annotated, Literal

from msgspec import Meta, field

from rapidvision.recipes import Recipe

from .phases import Ms
from .response import Name, Words, in_language

_WHOLE = re.compile(r"-?(0|[1-9]\d*)")


class Question(Recipe, frozen=True):
    """One question; without a time limit unless one is set.

    Attributes
    ----------
    name : str
        Column of the answer; ``<name>_ms`` is its response time.
    kind : {"rating", "choice", "number", "text"}
        What an answer is.
    ask : {"trial", "block", "start", "end"}
        When it is asked.
    text : str or dict
        What is asked, for all languages or language -> words; the name by default.
    options : tuple of str
        Answers of a rating (in order) or a choice; at least two.
    keys : tuple of str
        Key of each option; the digits from 1 by default.
    range : (float, float) or None
        Smallest and largest number that is accepted; a number needs one.
    max_length : int
        Letters that a text may have, at least 1.
    required : bool
        Whether an empty answer is refused.
    limit_ms : int
        Time for the answer in milliseconds; 0 for none.
    when : {"always", "answered"}
        ``answered``: only after trials with a response.
    practice : bool
        Whether it is asked in practice too.
    correct : str
        Column that a typed or chosen answer is compared with (``category``); it makes the answer the trial's response.
    synonyms : dict
        Value of that column -> other words that are right.
    """

    name: Name
    kind: Literal["rating", "choice", "number", "text"]
    ask: Literal["trial", "block", "start", "end"] = "trial"
    text: Words = ""
    options: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    range: tuple[float, float] | None = None
    max_length: Annotated[int, Meta(ge=1)] = 200
    required: bool = True
    limit_ms: Ms = 0
    when: Literal["always", "answered"] = "always"
    practice: bool = True
    correct: str = ""
    synonyms: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        closed = self.kind in ("rating", "choice")
        if closed and len(self.options) < 2:
            raise ValueError(f"options: a {self.kind} needs at least two, got {list(self.options)}")
        if not closed and self.options:
            raise ValueError(f"options: a {self.kind} has none, got {list(self.options)}")
        if self.keys and len(self.keys) != len(self.options):
            raise ValueError(f"keys: got {len(self.keys)} for {len(self.options)} options")
        if closed and not self.keys and len(self.options) > 9:
            raise ValueError(f"keys: {len(self.options)} options need a key each, digits are enough for 9")
        if (self.kind == "number") != (self.range is not None):
            raise ValueError("range: a number needs one, as in range = [18, 99]; other kinds have none")

    def words(self, language: str) -> str:
        """What is asked in a language: the text, else the name."""
        return in_language(self.text, language) or self.name

    @property
    def option_keys(self) -> dict[str, str]:
        """Key -> option."""
        keys = self.keys or tuple(str(n) for n in range(1, len(self.options) + 1))
        return dict(zip(keys, self.options, strict=True)) if self.options else {}

    @property
    def dtype(self) -> Literal["int", "float", "str"]:
        """Type of the answers' column: a rating whose options are whole numbers is one of numbers."""
        if self.kind == "number":
            return "float"
        return "int" if self.kind == "rating" and all(_WHOLE.fullmatch(option) for option in self.options) else "str"

    def typed(self, answer: str | float | None) -> str | int | float | None:
        """The answer as its column holds it; None where there is none."""
        if answer is None or answer == "":
            return None
        return int(answer) if self.dtype == "int" else float(answer) if self.dtype == "float" else str(answer)
