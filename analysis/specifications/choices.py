"""The choices of an analysis that could have been made otherwise, and their combinations."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import product
from typing import Any

from rapidvision.errors import InputError, did_you_mean

from ..resampling.multiplicity import CORRECTIONS, Correction
from ..table.exclusions import Rules
from ..table.first_lines import LATE_RULES, LateRule
from ..table.statistic_registry import STATISTICS

#: What may vary, in the order of the table.
NAMES = ("late", "exclusion", "statistic", "correction")
#: Without a choice: what reviewers ask for first.
USUAL: dict[str, tuple[str, ...]] = {
    "late": LATE_RULES,
    "exclusion": ("none", "max_late_share:0.2", "min_full_accuracy:0.6"),
    "statistic": ("participant_mean", "pooled", "dprime"),
    "correction": ("step-down", "holm", "bh"),
}


@dataclass(frozen=True)
class Specification:
    """One analysis.

    Attributes
    ----------
    late : {"exclude", "wrong", "half"}
        What late, early and missing answers count as.
    exclusion : str
        Rules of :class:`~rapidvision.analysis.Rules` as ``NAME:VALUE``, several joined by ``+``; ``none``.
    statistic : str
        What is compared.
    correction : str
        Which p decides.

    Examples
    --------
    >>> Specification("exclude", "max_late_share:0.2", "dprime", "holm").rules()
    Rules(min_full_accuracy=None, max_late_share=0.2, max_response_bias=None, first_session_only=False)
    """

    late: LateRule
    exclusion: str
    statistic: str
    correction: Correction

    def rules(self) -> Rules:
        """The exclusions as rules."""
        return rules_of(self.exclusion)

    def tested(self) -> tuple[str, str, str]:
        """What needs a test of its own; the corrections of one test come together."""
        return self.late, self.exclusion, self.statistic


def rules_of(text: str) -> Rules:
    """Rules from their text.

    Raises
    ------
    InputError
        When a rule is unknown or its value no number.

    Examples
    --------
    >>> rules_of("min_full_accuracy:0.6+first_session_only").first_session_only
    True
    """
    if text == "none":
        return Rules()
    known = [field.name for field in fields(Rules)]
    found: dict[str, Any] = {}
    for part in text.split("+"):
        name, _, value = part.partition(":")
        if name not in known:
            raise InputError(f'exclusion: no rule "{name}". {did_you_mean(name, [*known, "none"])}')
        try:
            found[name] = True if name == "first_session_only" else float(value)
        except ValueError:
            raise InputError(f'exclusion: got "{part}", NAME:VALUE is needed, as in max_late_share:0.2') from None
    return Rules(**found)


def rules_text(rules: Rules) -> str:
    """Rules as text, which :func:`rules_of` reads.

    Examples
    --------
    >>> rules_text(Rules(max_late_share=0.2)), rules_text(Rules())
    ('max_late_share:0.2', 'none')
    """
    parts = []
    for field in fields(Rules):
        value = getattr(rules, field.name)
        if value is True:
            parts.append(field.name)
        elif value is not None and value is not False:
            parts.append(f"{field.name}:{value:g}")
    return "+".join(parts) or "none"


def combinations(over: Mapping[str, Sequence[str]] | None, first: Specification) -> tuple[Specification, ...]:
    """Every combination, that of the report first.

    Parameters
    ----------
    over : mapping of str to sequence of str, optional
        What varies → its values; :data:`USUAL` where it is absent. The report's own value is always among them.
    first : Specification
        The report's own analysis.

    Raises
    ------
    InputError
        When a choice or a value is unknown.

    Examples
    --------
    >>> first = Specification("exclude", "none", "participant_mean", "step-down")
    >>> found = combinations({"late": ["wrong"], "statistic": [], "correction": ["holm"], "exclusion": []}, first)
    >>> len(found), found[0] == first
    (4, True)
    """
    chosen = dict(USUAL if over is None else {**dict.fromkeys(NAMES, ()), **over})
    allowed: dict[str, Iterable[str]] = {"late": LATE_RULES, "statistic": STATISTICS, "correction": CORRECTIONS}
    for name, values in chosen.items():
        if name not in NAMES:
            raise InputError(f'multiverse: no choice "{name}". {did_you_mean(name, NAMES)}')
        for value in values:
            if name == "exclusion":
                rules_of(value)
            elif value not in allowed[name]:
                raise InputError(f'multiverse: {name} "{value}". {did_you_mean(value, list(allowed[name]))}')
    every = [list(dict.fromkeys([getattr(first, name), *chosen[name]])) for name in NAMES]
    return tuple(Specification(*one) for one in product(*every))


def read_choices(words: Sequence[str]) -> dict[str, list[str]] | None:
    """Choices as the command line gives them: ``late=exclude,wrong``.

    Raises
    ------
    InputError
        When a word has no ``=``.

    Examples
    --------
    >>> read_choices(["late=exclude,wrong"]), read_choices([])
    ({'late': ['exclude', 'wrong']}, None)
    """
    for word in words:
        if "=" not in word:
            raise InputError(f'over: got "{word}"; CHOICE=VALUES is needed, as in late=exclude,wrong')
    return {name: values.split(",") for name, _, values in (word.partition("=") for word in words)} or None
