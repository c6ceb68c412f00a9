"""What types cannot say about a protocol: one rule a function; each finding names its field.

What depends on a stimulus set is checked when a study is planned.
"""

import math
import string
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rapidvision.errors import RecipeError, did_you_mean
from rapidvision.messages.field_messages import place_of
from rapidvision.protocol import Protocol
from rapidvision.task.design import SET_COLUMNS
from rapidvision.task.phases import UNTIL_RESPONSE, Phase
from rapidvision.trials import COLUMNS

#: Keys that the session itself needs: escape pauses, f12 is the experimenter's.
RESERVED = ("escape", "f12")


class Finding(NamedTuple):
    """A field, and what is wrong with it."""

    path: str
    words: str


def problems(protocol: Protocol) -> list[Finding]:
    """Return everything that is wrong with a protocol, in the order of its fields."""
    return [Finding(*found) for rule in RULES for found in rule(protocol)]


def check(protocol: Protocol, *, name: str = "protocol", text: str = "") -> Protocol:
    """Return the protocol, or refuse it with all findings, a line each.

    Parameters
    ----------
    protocol : Protocol
        What to check.
    name, text : str
        The file and its TOML, for messages.

    Raises
    ------
    RecipeError
        One line per finding: file, line, field, what was got and what is allowed.
    """
    found = problems(protocol)
    if found:
        raise RecipeError("\n".join(place_of(name, text, finding.path) + finding.words for finding in found))
    return protocol


Found = Iterator[tuple[str, str]]


def _twice(names: Iterable[str], path: str) -> Found:
    listed = list(names)
    counts = Counter(listed)
    for index, name in enumerate(listed):
        if counts[name] > 1 and listed.index(name) != index:
            yield f"{path}[{index}].name", f'"{name}" is taken by {path}[{listed.index(name)}]; give it another name'


def _names(p: Protocol) -> Found:
    """Names are unique, and columns of their own."""
    yield from _twice((phase.id for phase in p.phases), "phases")
    yield from _twice((question.name for question in p.questions), "questions")
    yield from _twice((factor.name for factor in p.design.factors), "design.factors")
    if p.response:
        yield from _twice((option.name for option in p.response.options), "response.options")
    taken = {column.name for column in COLUMNS} | {factor.name for factor in p.design.factors} | set(SET_COLUMNS)
    for index, phase in enumerate(p.phases):
        if not phase.id.isascii() or not all(c.islower() or c.isdigit() or c in "-_" for c in phase.id):
            yield f"phases[{index}].name", f'got "{phase.id}"; small letters (a-z), digits, - and _ are allowed'
        for column in (f"{phase.id}_ms", f"{phase.id}_planned_ms"):
            if column in taken:
                yield f"phases[{index}].name", f'"{column}" is another column already; give the phase another name'
    shown = {f"{phase.id}{end}" for phase in p.phases for end in ("_ms", "_planned_ms")}
    for index, question in enumerate(p.questions):
        if {question.name, f"{question.name}_ms"} & (taken | shown):
            yield f"questions[{index}].name", f'"{question.name}" is another column already; give it another name'


def _factors(p: Protocol) -> Found:
    """A factor is a column of the set or lists its values; blocks fit the factors that vary between them."""
    for index, factor in enumerate(p.design.factors):
        at, values = f"design.factors[{index}]", factor.values
        if not values and factor.name not in SET_COLUMNS:
            hint = did_you_mean(factor.name, SET_COLUMNS)
            hint = hint if hint.startswith("Did") else "List its values."
            yield f"{at}.values", f'"{factor.name}" is no column of a stimulus set ({", ".join(SET_COLUMNS)}). {hint}'
        if len({(type(value), value) for value in values}) != len(values):
            yield f"{at}.values", f"got {list(values)}; every value once"
        if len({str if isinstance(value, str) else type(value) for value in values}) > 1:
            yield f"{at}.values", f"got {list(values)}; values of one kind are needed"
        if factor.name in p.design.fixed:
            yield f"design.fixed.{factor.name}", f"{factor.name} is a factor too; remove one of both"
        if factor.name == "pair":
            yield f"{at}.name", '"pair" comes from [design.pair]; give it another name'
    by_block = [factor for factor in p.design.factors if factor.vary == "block" and factor.values]
    n = math.prod(len(factor.values) for factor in by_block)
    if by_block and p.design.blocks % n:
        names = " x ".join(factor.name for factor in by_block)
        yield "design.blocks", f"got {p.design.blocks}; {names} needs a multiple of {n}"
    if p.design.balance == "williams" and not any(factor.vary == "block" for factor in p.design.factors):
        words = 'got "williams", the order of conditions of blocks; no factor has vary = "block"'
        yield "design.balance", f'{words}, write "rotate" or add one'
    for name in p.design.fixed:
        if name not in SET_COLUMNS:
            yield f"design.fixed.{name}", f"no column of a stimulus set. {did_you_mean(name, SET_COLUMNS)}"


def _duration(p: Protocol, value: object, path: str, *, open_ended: bool) -> Found:
    """A name stands for a factor of whole milliseconds."""
    if not isinstance(value, str) or (open_ended and value == UNTIL_RESPONSE):
        return
    factor = p.factor(value)
    if factor is None:
        known = [f.name for f in p.design.factors if f.values and all(type(v) is int for v in f.values)]
        hint = did_you_mean(value, [*known, *([UNTIL_RESPONSE] if open_ended else [])] or ["whole milliseconds"])
        yield path, f'no factor "{value}". {hint}'
    elif not factor.values or any(type(v) is not int or v < 1 for v in factor.values):
        yield path, f'factor "{value}" must list whole milliseconds >= 1, got {list(factor.values)}'


def _fields(text: str) -> list[str] | None:
    """Names in braces; None where the braces do not close."""
    try:
        return [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    except ValueError:
        return None


def _phase(p: Protocol, phase: Phase, at: str) -> Found:
    roles = ("first", "second") if p.design.pair else ("image",)
    yield from _duration(p, phase.duration_ms, f"{at}.duration_ms", open_ended=True)
    if phase.duration_ms == UNTIL_RESPONSE and p.response is None:
        yield f"{at}.duration_ms", '"response" needs a [response]'
    if phase.kind == "stimulus" and phase.image not in roles:
        yield f"{at}.image", f'got "{phase.image}". {did_you_mean(phase.image, roles)}'
    factors = [factor.name for factor in p.design.factors] + (["pair"] if p.design.pair else [])
    words = _fields(phase.text)
    if words is None:
        yield f"{at}.text", f'got "{phase.text}"; braces stand around the name of a factor, as in "{{cue}}"'
    for word in words or ():
        if word not in factors:
            yield f"{at}.text", f'no factor "{word}". {did_you_mean(word, factors)}'
    seen = p.response and any(option.area or option.label or option.icon for option in p.response.options)
    if "options" in (phase.kind, phase.overlay) and not seen:
        field = "kind" if phase.kind == "options" else "overlay"
        yield f"{at}.{field}", "needs options with `area`, `label` or `icon`"


def _phases(p: Protocol) -> Found:
    """Durations, masks, images and texts of phases name things that exist."""
    if not any(phase.kind == "stimulus" for phase in p.phases):
        yield "phases", "no stimulus; a trial shows at least one image"
    for index, phase in enumerate(p.phases):
        yield from _phase(p, phase, f"phases[{index}]")


def _options(p: Protocol) -> Found:
    """Options can be told apart, and each value has one right option."""
    if p.response is None:
        return
    options, seen, matched = p.response.options, dict[str, str](), dict[str, str]()
    for index, option in enumerate(options):
        at = f"response.options[{index}]"
        for word in option.inputs:
            if word in RESERVED:
                yield f"{at}.keys", f'"{word}" belongs to the session itself; take another key'
            if word in seen:
                yield f"{at}.keys", f'"{word}" already means {seen[word]}; take another one'
            seen[word] = option.name
        if any(key != key.lower() or not key for key in option.keys):
            yield f"{at}.keys", f"got {list(option.keys)}; key names are in lower case"
        for value in option.matches or (option.name,):
            if repr(value) in matched:
                yield f"{at}.matches", f"{value!r} is right for {matched[repr(value)]} already"
            matched[repr(value)] = option.name
    silent = [index for index, option in enumerate(options) if not option.inputs]
    if len(silent) > 1 or len(silent) == len(options):
        yield (
            f"response.options[{silent[-1]}]",
            "needs keys, buttons or area; one option at most is given by not responding",
        )
    if p.response.press == "up" and any(option.area or option.buttons for option in options):
        yield "response.press", '"up" works with keys only; remove area and buttons'


def _languages(p: Protocol) -> Found:
    """Words that are given by language have the protocol's."""
    options = p.response.options if p.response else ()
    given = [(f"response.options[{index}].label", option.label) for index, option in enumerate(options)]
    given += [(f"questions[{index}].text", question.text) for index, question in enumerate(p.questions)]
    for path, words in given:
        if isinstance(words, dict) and not words.get(p.language):
            yield path, f'no words in "{p.language}", the protocol\'s language; it has {", ".join(words) or "none"}'


def _feedback(p: Protocol) -> Found:
    """The right option can be lit where every option has a place on the screen."""
    if p.feedback.shows == "words":
        return
    if p.response is None:
        yield "feedback.shows", '"option" needs a [response]; typed answers are judged when the table is made'
    elif p.response.withheld is not None:
        yield "feedback.shows", f'"option" lights what can be pressed or clicked, and {p.response.withheld} is neither'


def _window(p: Protocol) -> Found:
    """The response opens with a phase of the trial, and its time ends."""
    response = p.response
    if response is None:
        if p.scored is None:
            yield "response", "no [response] and no question with `correct`: nothing is answered"
        return
    ids = [phase.id for phase in p.phases]
    if response.opens not in ids:
        yield "response.opens", f'no phase "{response.opens}". {did_you_mean(response.opens, ids)}'
        return
    first = ids.index(response.opens)
    after = [phase.duration_ms for phase in p.phases[first:]]
    until = UNTIL_RESPONSE in after
    waits = bool(response.withheld) or response.counts == "last"
    if response.limit_ms is None and waits:
        why = "not responding" if response.withheld else 'counts = "last"'
        yield "response.limit_ms", f"needed: {why} is only known when time is up"
    elif response.limit_ms is None and not until:
        yield "response.limit_ms", 'needed, or a phase with duration_ms = "response"'
    elif isinstance(response.limit_ms, str):
        yield from _duration(p, response.limit_ms, "response.limit_ms", open_ended=False)
    elif response.limit_ms is not None and all(isinstance(ms, int) for ms in after):
        ends = sum(ms for ms in after if isinstance(ms, int))
        if response.limit_ms > ends:
            remedy = 'lengthen a phase or end with duration_ms = "response"'
            words = f"got {response.limit_ms}, but the trial ends {ends} ms after {response.opens}; {remedy}"
            yield "response.limit_ms", words
    if waits and response.ends_trial:
        yield "response.ends_trial", "must be false: the answer is known when time is up"
    for index, phase in enumerate(p.phases[:first]):
        if phase.duration_ms == UNTIL_RESPONSE:
            yield f"phases[{index}].duration_ms", f'stands until the response, which opens only at "{response.opens}"'


def _questions(p: Protocol) -> Found:
    """Questions are scored once, and their keys do not stop the session."""
    for index, question in enumerate(p.questions):
        at = f"questions[{index}]"
        if question.correct and question.ask != "trial":
            yield f"{at}.correct", 'only with ask = "trial"'
        if question.correct and p.response:
            yield f"{at}.correct", "the [response] is scored already; one scored answer a trial"
        if question.correct and question.correct not in ("category", *(f.name for f in p.design.factors)):
            known = ["category", *(factor.name for factor in p.design.factors)]
            yield f"{at}.correct", f'got "{question.correct}". {did_you_mean(question.correct, known)}'
        if any(key in RESERVED for key in question.keys):
            yield f"{at}.keys", f"got {list(question.keys)}; {' and '.join(RESERVED)} belong to the session itself"
        if question.when == "answered" and p.response is None:
            yield f"{at}.when", '"answered" needs a [response]'
    if sum(bool(question.correct) for question in p.questions) > 1:
        yield "questions", "two questions have `correct`; one scored answer a trial"


def _adaptive(p: Protocol) -> Found:
    """The adaptive factor varies within a participant, and an answer is judged before the next value is chosen."""
    if p.response is None and p.practice.criterion is not None:
        yield "practice.criterion", "needs a [response]; typed answers are judged when the table is made"
    if p.adaptive is None:
        return
    if p.response is None:
        yield "adaptive", "needs a [response]; typed answers are judged when the table is made"
    known = [
        factor.name
        for factor in p.design.factors
        if factor.vary == "within"
        and (factor.name == "level" or (factor.values and all(type(v) in (int, float) for v in factor.values)))
    ]
    if p.adaptive.over not in known:
        hint = did_you_mean(p.adaptive.over, known) if known else "Add one."
        if p.adaptive.over == "contrast":
            hint = 'Levels of contrast are levels of the set (varies = "contrast" in its recipe): write over = "level".'
        yield "adaptive.over", f'no ordered within-participant factor "{p.adaptive.over}". {hint}'
    others = [factor.name for factor in p.design.factors if factor.name != p.adaptive.over]
    for index, name in enumerate(p.adaptive.per):
        if name not in others:
            hint = did_you_mean(name, others) if others else "There is no other factor."
            yield f"adaptive.per[{index}]", f'no factor "{name}". {hint}'
    if p.design.pair:
        yield "adaptive", "not with [design.pair]: an adaptive level is one image's"


RULES = (_names, _factors, _phases, _options, _languages, _feedback, _window, _questions, _adaptive)
