"""Answer sets: which answers a table has, what each means, and which column says what is right."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from scipy.special import bdtrc

from rapidvision.errors import InputError

from .answers import Cell, by_case
from .reading import Reading
from .source.columns import Column
from .source.folding import folded, tally, text_of
from .source.words import NO, RIGHT, WRONG, YES

#: Answers without a word on correctness are matched with the truth only where that is right more often than guessing, with
#: this error.
_ALPHA = 0.001
#: A smaller share of rows in which an answer and its correctness agree on the meaning names no meaning.
_AGREE = 0.75


def with_answer_sets(reading: Reading) -> tuple[Reading, list[str]]:
    """Decide what the answers of a table mean, where the user does not say it.

    Returns
    -------
    reading : Reading
        With the sets of answers and truths, or with answers as options of their own (``answers="words"``).
    notes : list of str
        What was decided, and by which rule.

    Raises
    ------
    InputError
        When answers have no meaning that the table shows; values, counts and rows are named.
    """
    layout, columns = reading.layout, dict(reading.columns)
    if "target" in columns and not (layout.target_truths or layout.distractor_truths):
        reading = _truth_words(reading)
        layout, columns = reading.layout, dict(reading.columns)
    if "response" not in columns or "target_key" in columns:
        return reading, []
    if layout.targets or layout.distractors or layout.answers == "two":
        return _named(reading), []
    words = _places(reading.cells("response"))
    if not words:
        return reading, []
    if "target" in columns and "truth" not in columns:
        return _two(reading, words)
    if "truth" not in columns and "correct" not in columns and "category" in columns:
        kinds = _places(reading.cells("category"))
        if len(kinds) > 1 and set(words) <= set(kinds):
            columns["truth"] = columns["category"]
    if "truth" in columns:
        reading = replace(reading, columns=columns)
        rights = _places(reading.cells("truth"))
        if set(words) & set(rights) or len(rights) != 2 or len(words) != 2:
            name = columns["truth"].name
            return _as_words(reading), [f"{name} names the right answer of each trial ({_some(rights)})"]
        columns["target"] = columns.pop("truth")
        first = next((word for word in rights if word in YES), sorted(rights)[0])
        other = next(word for word in rights if word != first)
        layout = replace(layout, target_truths=(first,), distractor_truths=(other,))
        return _two(replace(reading, columns=columns, layout=layout), words)
    if "correct" not in columns:
        have = ", ".join(sorted(words)[:8])
        raise InputError(
            f"import: answers ({have}) but no column says what is right. Name it: truth=COLUMN (the right answer of each "
            "trial), target=COLUMN (yes or no), or correct=COLUMN"
        )
    return _as_words(reading), []


def _places(cells: Sequence[Cell]) -> dict[str, list[str]]:
    """Word, folded → where it stands."""
    found: dict[str, list[str]] = {}
    for text, where in cells:
        if text:
            found.setdefault(folded(text), []).append(where)
    return found


def _some(words: Mapping[str, Sequence[str]]) -> str:
    listed = sorted(words)
    return ", ".join(listed[:6]) + (f" and {len(listed) - 6} more" if len(listed) > 6 else "")


def _as_words(reading: Reading) -> Reading:
    return replace(reading, layout=replace(reading.layout, answers="words"))


def _named(reading: Reading) -> Reading:
    """Sets that the user names also read the column of truth: it has the same words, or is a right answer."""
    layout, columns = reading.layout, dict(reading.columns)
    sets = {folded(text_of(word)) for word in (*layout.targets, *layout.distractors)}
    if "target" not in columns and "truth" in columns and set(_places(reading.cells("truth"))) <= sets:
        columns["target"] = columns.pop("truth")
    elif (
        not {"target", "correct"} & set(columns)
        and "category" in columns
        and set(_places(reading.cells("category"))) <= sets
    ):
        columns["target"] = columns["category"]
    if "target" in columns and not layout.target_truths and "*" not in sets:
        truths = set(_places(replace(reading, columns=columns).cells("target")))
        if truths and truths <= sets and not truths <= {*YES, *NO}:
            layout = replace(layout, target_truths=layout.targets, distractor_truths=layout.distractors)
    return replace(reading, columns=columns, layout=replace(layout, answers="two"))


def _truth_words(reading: Reading) -> Reading:
    """Sets of a column of truth: yes and no, or one of them and another word, or else the right answers themselves."""
    truths = _places(reading.cells("target"))
    if set(truths) <= {*YES, *NO} or not truths:
        return reading
    layout, columns = reading.layout, dict(reading.columns)
    known = [word for word in truths if word in YES or word in NO]
    if len(truths) == 2 and len(known) == 1 and not known[0].isdigit():
        (other,) = set(truths) - set(known)
        sets = (known[0], other) if known[0] in YES else (other, known[0])
        return replace(reading, layout=replace(layout, target_truths=sets[:1], distractor_truths=sets[1:]))
    if known or "truth" in columns or len(truths) < 2:
        return reading  # refused with its rows, if it is needed
    if "response" in columns and not (layout.targets or layout.distractors):
        columns["truth"] = columns.pop("target")
    elif "correct" in columns and "response" not in columns:
        columns.pop("target")
    return replace(reading, columns=columns)


def _two(reading: Reading, words: Mapping[str, Sequence[str]]) -> tuple[Reading, list[str]]:
    """What each answer means, where each trial's truth is yes or no."""
    layout = reading.layout
    name = reading.columns["response"].name
    yes, no = layout.target_truths or YES, layout.distractor_truths or NO
    truth = [
        True if folded(cell.text) in yes else False if folded(cell.text) in no else None
        for cell in reading.cells("target")
    ]
    said = [folded(cell.text) for cell in reading.cells("response")]
    means, how = _by_lists(words), "by their words"
    if any(word.isdigit() for word in words):
        means = {}
    if len(means) < len(words) and "correct" in reading.columns:
        means, how = _by_correctness(reading, said, truth), f"{reading.columns['correct'].name} and the truth say so"
    if len(means) < len(words):
        means, how = _by_lists(words), "by their words"
    if len(means) < len(words) and len(words) == 2:
        means, how = _by_truth(said, truth)
    if len(means) < len(words):
        raise InputError(
            f"{name}: {len(words)} different answers, of which the table does not show the meaning: {tally(words)}. Name those "
            "that mean target (targets) and distractor (distractors), and words that are no answer (missing)"
        )
    targets, distractors = (
        tuple(sorted(word for word, meant in means.items() if meant is one)) for one in (True, False)
    )
    sets = _spelled(reading, targets), _spelled(reading, distractors)
    layout = replace(layout, targets=sets[0], distractors=sets[1], answers="two")
    listed = ", ".join(f'"{word}" means target' for word in sets[0]) or "no answer means target"
    listed += "".join(f', "{word}" distractor' for word in sets[1])
    return replace(reading, layout=layout), [f"{name}: {listed} ({how})"]


def _spelled(reading: Reading, words: Sequence[str]) -> tuple[str, ...]:
    """The spelling of each word that occurs most."""
    texts = [cell.text for cell in reading.cells("response") if cell.text]
    counts: dict[str, dict[str, int]] = {}
    for text in texts:
        own = counts.setdefault(folded(text), {})
        own[text] = own.get(text, 0) + 1
    found = tuple(min(counts[word], key=lambda text: (-counts[word][text], text)) for word in words)
    return found if not by_case(found, ()) else tuple(words)


def _by_correctness(reading: Reading, said: Sequence[str], truth: Sequence[bool | None]) -> dict[str, bool]:
    votes: dict[str, list[bool]] = {}
    for word, is_target, cell in zip(said, truth, reading.cells("correct"), strict=True):
        right = True if folded(cell.text) in RIGHT else False if folded(cell.text) in WRONG else None
        if word and right is not None and is_target is not None:
            votes.setdefault(word, []).append(is_target is right)
    means = {}
    for word, own in votes.items():
        share = sum(own) / len(own)
        if max(share, 1 - share) >= _AGREE:
            means[word] = share > 0.5
    return means


def _by_lists(words: Mapping[str, Sequence[str]]) -> dict[str, bool]:
    means = {word: word in YES for word in words if word in YES or word in NO}
    if len(words) == 2 and len(means) == 1 and not next(iter(means)).isdigit():
        known = next(iter(means))
        (other,) = set(words) - {known}
        return {known: means[known], other: not means[known]}
    return means


def _by_truth(said: Sequence[str], truth: Sequence[bool | None]) -> tuple[dict[str, bool], str]:
    """Of two answers, the meaning under which more trials are right than by guessing."""
    first, second = sorted({word for word in said if word})
    pairs = [
        (word == first, is_target)
        for word, is_target in zip(said, truth, strict=True)
        if word and is_target is not None
    ]
    right = sum(one is two for one, two in pairs)
    if 2 * bdtrc(max(right, len(pairs) - right) - 1, len(pairs), 0.5) > _ALPHA:
        return {}, ""
    share = max(right, len(pairs) - right) / len(pairs)
    meant = right > len(pairs) / 2
    return {
        first: meant,
        second: not meant,
    }, f"because {share:.0%} of the answers are then right; targets and distractors name other meanings"


def column_notes(before: Mapping[str, Column], after: Mapping[str, Column]) -> list[str]:
    """Say which column came to mean something else than its name."""
    return [
        f"{after[field].name} is read as {field}"
        for field in after
        if field not in before or before[field].name != after[field].name
    ]
