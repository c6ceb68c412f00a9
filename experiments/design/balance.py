"""How even a set of plans is, for any factors: counted from the plans themselves."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rapidvision.formats.manifest import Exemplar
from rapidvision.plan import Plan
from rapidvision.task.response import Scalar
from rapidvision.task.trial import Trial
from rapidvision.text import csv_text

from .assignment.conditions import word
from .assignment.units import n_samples

#: Columns of ``balance.csv``.
COLUMNS = ("group", "count", "fewest", "most", "mean")

Part = Callable[[Trial], object]


class Count(NamedTuple):
    """How often something comes, over everything that it could be.

    Attributes
    ----------
    what : str
        What was counted.
    fewest, most : int
        Range.
    mean : float
        Mean over all cases.
    """

    what: str
    fewest: int
    most: int
    mean: float


class Balance(NamedTuple):
    """Counts over the plans of one group.

    Attributes
    ----------
    group : str
        The group.
    n_slots : int
        Number of plans.
    factors : tuple of str
        Factors that vary within a participant, the adaptive one left out.
    cells : tuple of tuple
        Every combination of their values, in the order of the protocol.
    cell_labels : tuple of str
        The same in words; a level by its label.
    exposure : dict
        image_id -> presentations in each cell, over all plans.
    counts : tuple of Count
        Ranges, from images to inputs.
    inputs : dict
        Input -> option -> plans.
    n_round : int
        A multiple of so many slots shows each image equally often in each cell.
    """

    group: str
    n_slots: int
    factors: tuple[str, ...]
    cells: tuple[tuple[Scalar, ...], ...]
    cell_labels: tuple[str, ...]
    exposure: dict[str, list[int]]
    counts: tuple[Count, ...]
    inputs: dict[str, dict[str, int]]
    n_round: int

    @property
    def is_even(self) -> bool:
        """Whether each image comes equally often in each cell."""
        return len({n for row in self.exposure.values() for n in row}) <= 1


def balance_of(plans: Sequence[Plan], exemplars: Sequence[Exemplar] = ()) -> list[Balance]:
    """Count the balance of each group.

    Parameters
    ----------
    plans : sequence of Plan
        Of one study.
    exemplars : sequence of Exemplar
        The set's images for the main phase, where few plans show a part of them only; those of the plans by default.

    Returns
    -------
    list of Balance
        One per group, in order of appearance.
    """
    groups: dict[str, list[Plan]] = {}
    for plan in plans:
        groups.setdefault(plan.group, []).append(plan)
    return [_count(group, members, exemplars) for group, members in groups.items()]


def _count(group: str, plans: list[Plan], exemplars: Sequence[Exemplar]) -> Balance:
    trials = [(plan.slot, trial) for plan in plans for trial in plan.trials("main")]
    first = plans[0]
    over = first.protocol.adaptive.over if first.protocol.adaptive else None
    varying = [f.name for f in first.protocol.design.factors if f.name not in first.between and f.name != over]
    values = {name: _in_order({trial.factors[name] for _, trial in trials}, first, name) for name in varying}
    cells = tuple(itertools.product(*values.values()))
    place = {cell: i for i, cell in enumerate(cells)}
    exposure: dict[str, list[int]] = {}
    for _, trial in trials:
        cell = place[tuple(trial.factors[name] for name in varying)]
        for image in {image.image_id for image in trial.images.values()}:
            exposure.setdefault(image, [0] * len(cells))[cell] += 1
    labels = {trial.image.level_index: trial.image.level_label for _, trial in trials}
    shown = {image.image_id: image for _, trial in trials for image in trial.images.values()}
    images = [Exemplar(name, shown[name].category, shown[name].target, "main") for name in sorted(shown)]
    inputs: dict[str, dict[str, int]] = {}
    for plan in plans:
        for key, option in plan.inputs.items():
            row = inputs.setdefault(key, {})
            row[option] = row.get(option, 0) + 1
    return Balance(
        group=group,
        n_slots=len(plans),
        factors=tuple(varying),
        cells=cells,
        cell_labels=tuple(_cell_label(varying, cell, labels) for cell in cells),
        exposure=dict(sorted(exposure.items())),
        counts=tuple(
            _counts(trials, exposure, values, {f.name for f in first.protocol.design.factors if f.vary == "block"})
        ),
        inputs=inputs,
        n_round=len(cells) * n_samples(exemplars or images, first.protocol.design),
    )


def _in_order(found: set[Scalar], plan: Plan, name: str) -> list[Scalar]:
    """Values as the protocol lists them; numbers of the set in their order."""
    listed = next(factor.values for factor in plan.protocol.design.factors if factor.name == name)
    return [value for value in listed if value in found] if listed else sorted(found, key=_sort_key)


def _sort_key(value: Scalar) -> tuple[float, str]:
    return (0.0, value) if isinstance(value, str) else (float(value), "")


def _cell_label(names: Sequence[str], cell: tuple[Scalar, ...], labels: dict[int, str]) -> str:
    words = [
        labels.get(value, word(value)) if name == "level" and isinstance(value, int) else word(value)
        for name, value in zip(names, cell, strict=True)
    ]
    return " ".join(words) or "all"


def _counts(
    trials: list[tuple[int, Trial]],
    exposure: dict[str, list[int]],
    values: dict[str, list[Scalar]],
    by_block: set[str],
) -> Iterable[Count]:
    varying = list(values)
    if varying:
        yield _range(f"each image at each {' x '.join(varying)}", itertools.chain.from_iterable(exposure.values()))
    yield _range("each image", map(sum, exposure.values()))
    answers = sorted({trial.correct_response or "" for _, trial in trials})
    slots = sorted({slot for slot, _ in trials})
    blocks = sorted({trial.block for _, trial in trials})
    kinds = sorted({trial.image.category for _, trial in trials})

    def over(what: str, *parts: tuple[Part, Iterable[object]]) -> Count:
        """Trials of a session, counted by parts, each with everything that it could be."""
        counted = Counter((slot, *(part(trial) for part, _ in parts)) for slot, trial in trials)
        return _range(what, (counted[case] for case in itertools.product(slots, *(cases for _, cases in parts))))

    each: dict[str, tuple[Part, Iterable[object]]] = {name: (_factor(name), values[name]) for name in varying}
    answer: tuple[Part, Iterable[object]] = (lambda trial: trial.correct_response or "", answers)
    block: tuple[Part, Iterable[object]] = (lambda trial: trial.block, blocks)
    for name in varying:
        yield over(f"each {name} in a session", each[name])
    if len(varying) > 1:
        yield over(f"each {' x '.join(varying)} in a session", *each.values())
    if len(answers) > 1:
        for name in varying:
            yield over(f"each {name} of each answer in a session", each[name], answer)
        yield over("each answer in a block", block, answer)
    yield over("each category in a block", block, (lambda trial: trial.image.category, kinds))
    for name in varying:
        if name not in by_block:
            yield over(f"each {name} in a block", block, each[name])
    if by_block:
        yield _range("each condition of a block behind each other one", _followed(trials, sorted(by_block)))


def _followed(trials: list[tuple[int, Trial]], names: Sequence[str]) -> Iterable[int]:
    """How often blocks of one condition come right behind those of another, over all sessions."""
    conditions: dict[tuple[int, int], tuple[Scalar, ...]] = {
        (slot, trial.block): tuple(trial.factors[name] for name in names) for slot, trial in trials
    }
    counted = Counter(
        (before, conditions[slot, block + 1])
        for (slot, block), before in conditions.items()
        if (slot, block + 1) in conditions
    )
    return [counted[pair] for pair in itertools.permutations(dict.fromkeys(conditions.values()), 2)]


def _factor(name: str) -> Part:
    return lambda trial: trial.factors[name]


def _range(what: str, counts: Iterable[int]) -> Count:
    listed = list(counts)
    return Count(what, min(listed), max(listed), sum(listed) / len(listed))


def table(balances: Sequence[Balance]) -> str:
    """Return the balance as text, one column per group; uneven counts read ``4 to 5``."""
    names = [b.group for b in balances]
    rows = [("slots", [str(b.n_slots) for b in balances])]
    for what in dict.fromkeys(count.what for b in balances for count in b.counts):
        found = [{count.what: count for count in b.counts}.get(what) for b in balances]
        rows.append((what, ["" if count is None else _words(count) for count in found]))
    for key in dict.fromkeys(key for b in balances for key in b.inputs if not key.startswith("area:")):
        meant = [", ".join(f"{option} {n}" for option, n in sorted(b.inputs.get(key, {}).items())) for b in balances]
        rows.append((f"{key} means", meant))
    first = max(len(name) for name, _ in rows) + 2
    width = max(len(cell) for _, cells in [("", names), *rows] for cell in cells) + 2
    lines = [f"{'balance':<{first}}" + "".join(f"{name:>{width}}" for name in names)]
    lines += [f"{name:<{first}}" + "".join(f"{cell:>{width}}" for cell in cells) for name, cells in rows]
    if not all(b.is_even for b in balances):
        lines.append(f"uneven: a multiple of {balances[0].n_round} slots shows each image equally often in each cell")
    return "\n".join(lines)


def _words(count: Count) -> str:
    return str(count.fewest) if count.fewest == count.most else f"{count.fewest} to {count.most}"


def as_csv(balances: Sequence[Balance]) -> str:
    """Return ``balance.csv``: a row for each group and count."""
    rows = [(b.group, c.what, c.fewest, c.most, f"{c.mean:.6g}") for b in balances for c in b.counts]
    return csv_text.text_of(COLUMNS, rows)


def exposure_csv(balances: Sequence[Balance]) -> str:
    """Return ``exposure.csv``: how often each image comes in each cell over all plans of a group."""
    factors = balances[0].factors
    rows = (
        (b.group, image, *map(word, cell), n)
        for b in balances
        for image, counts in b.exposure.items()
        for cell, n in zip(b.cells, counts, strict=True)
    )
    return csv_text.text_of(("group", "image_id", *factors, "presentations"), rows)


def largest(balances: Sequence[Balance]) -> int:
    """Return the most presentations of an image in a cell."""
    return max(n for b in balances for row in b.exposure.values() for n in row)
