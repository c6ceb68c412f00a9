"""How even a set of plans is: counted from the plans themselves, as a table and as a picture."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from rapidvision.plan import Plan

from .svg import Svg


class Balance(NamedTuple):
    """Counts over the plans of one group; ranges are (fewest, most).

    Attributes
    ----------
    group : str
        The group.
    n_slots : int
        Number of plans.
    cells : dict
        (image_id, level_index) → presentations.
    cell : (int, int)
        Range of `cells`.
    level_in_session, level_in_category : (int, int)
        Trials per level within a session, and within a session's targets or distractors.
    targets_in_block, category_in_block : (int, int)
        Trials per block.
    most_of_a_level_in_block : int
        Most trials of one level in one block.
    keys : dict
        Target key → plans.
    """

    group: str
    n_slots: int
    cells: dict[tuple[str, int], int]
    cell: tuple[int, int]
    level_in_session: tuple[int, int]
    level_in_category: tuple[int, int]
    targets_in_block: tuple[int, int]
    category_in_block: tuple[int, int]
    most_of_a_level_in_block: int
    keys: dict[str, int]


def balance_of(plans: Sequence[Plan]) -> list[Balance]:
    """Count the balance of each group.

    Parameters
    ----------
    plans : sequence of Plan
        Of one study.

    Returns
    -------
    list of Balance
        One per group, in order of appearance.
    """
    return [_count([p for p in plans if p.group == group]) for group in dict.fromkeys(p.group for p in plans)]


def _count(plans: list[Plan]) -> Balance:
    cells: Counter[tuple[str, int]] = Counter()
    session: Counter[tuple[int, int]] = Counter()
    halves: Counter[tuple[int, bool, int]] = Counter()
    targets: Counter[tuple[int, int]] = Counter()
    categories: Counter[tuple[int, int, str]] = Counter()
    repeats: Counter[tuple[int, int, int]] = Counter()
    for plan in plans:
        for t in plan.trials("main"):
            cells[t.image_id, t.level_index] += 1
            session[plan.slot, t.level_index] += 1
            halves[plan.slot, t.target, t.level_index] += 1
            targets[plan.slot, t.block] += t.target
            categories[plan.slot, t.block, t.category] += 1
            repeats[plan.slot, t.block, t.level_index] += 1
    trials = plans[0].trials("main")
    slots, blocks = [p.slot for p in plans], sorted({t.block for t in trials})
    levels = range(1 + max(level for _, level in cells))
    images, kinds = sorted({image for image, _ in cells}), sorted({t.category for t in trials})
    return Balance(
        group=plans[0].group,
        n_slots=len(plans),
        cells={(image, level): cells[image, level] for image in images for level in levels},
        cell=_range([cells[image, level] for image in images for level in levels]),
        level_in_session=_range([session[s, level] for s in slots for level in levels]),
        level_in_category=_range([halves[s, t, level] for s in slots for t in (True, False) for level in levels]),
        targets_in_block=_range([targets[s, b] for s in slots for b in blocks]),
        category_in_block=_range([categories[s, b, c] for s in slots for b in blocks for c in kinds]),
        most_of_a_level_in_block=max(repeats.values()),
        keys=dict(sorted(Counter(p.key_target for p in plans).items())),
    )


def _range(counts: list[int]) -> tuple[int, int]:
    return min(counts), max(counts)


def table(balances: Sequence[Balance]) -> str:
    """Return the balance as text, one column per group; uneven counts read ``4 to 5``."""
    names = [b.group for b in balances]
    rows = [
        ("slots", [str(b.n_slots) for b in balances]),
        ("each picture at each level", [_words(b.cell) for b in balances]),
        ("each level in a session", [_words(b.level_in_session) for b in balances]),
        ("  among targets or distractors", [_words(b.level_in_category) for b in balances]),
        ("targets in a block", [_words(b.targets_in_block) for b in balances]),
        ("each category in a block", [_words(b.category_in_block) for b in balances]),
        ("most of one level in a block", [str(b.most_of_a_level_in_block) for b in balances]),
        ("target key", [", ".join(f"{key} {n}" for key, n in b.keys.items()) for b in balances]),
    ]
    width = max(len(cell) for _, cells in [("", names), *rows] for cell in cells) + 2
    lines = [f"{'balance':<32}" + "".join(f"{name:>{width}}" for name in names)]
    lines += [f"{name:<32}" + "".join(f"{cell:>{width}}" for cell in cells) for name, cells in rows]
    uneven = [b for b in balances if b.cell[0] != b.cell[1]]
    if uneven:
        n_levels = 1 + max(level for _, level in uneven[0].cells)
        lines.append(f"uneven: a multiple of {n_levels} slots shows each picture equally often at each level")
    return "\n".join(lines)


def _words(bounds: tuple[int, int]) -> str:
    low, high = bounds
    return str(low) if low == high else f"{low} to {high}"


def picture(balances: Sequence[Balance], level_labels: Sequence[str]) -> str:
    """Return the balance as SVG: for each group, pictures down, levels across, presentations as grey and number.

    Parameters
    ----------
    balances : sequence of Balance
        At least one.
    level_labels : sequence of str
        Names of the levels.

    Returns
    -------
    str
        An SVG document.
    """
    cell, left, top = 22, 150, 60
    images = sorted({image for image, _ in balances[0].cells})
    panel = left + cell * len(level_labels) + 30
    svg = Svg(panel * len(balances), top + 11 * len(images) + 40)
    for number, balance in enumerate(balances):
        x0 = panel * number + left
        keys = ", ".join(f"{key} {n}" for key, n in balance.keys.items())
        svg.text(x0, 20, f"{balance.group}: {balance.n_slots} slots, target key {keys}", size=13)
        svg.text(x0, 36, f"presentations of each picture at each level: {_words(balance.cell)}", size=11)
        for level, label in enumerate(level_labels):
            svg.text(x0 + cell * (level + 0.5), top - 6, label, size=9, anchor="middle")
        most = max(1, balance.cell[1])
        for row, image in enumerate(images):
            y = top + 11 * row
            svg.text(x0 - 6, y + 9, image, size=9, anchor="end")
            for level in range(len(level_labels)):
                n = balance.cells.get((image, level), 0)
                shade = 245 - round(75 * n / most)
                svg.box(x0 + cell * level, y, cell - 1, 10, fill=f"rgb({shade},{shade},{min(255, shade + 20)})")
                svg.text(x0 + cell * (level + 0.5), y + 8.5, str(n), size=8, anchor="middle")
    return svg.document()
