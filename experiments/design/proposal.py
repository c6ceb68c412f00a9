"""A protocol made to fit a stimulus set: blocks, block size, practice and images nearest to what was asked for."""

from typing import NamedTuple

import msgspec

from rapidvision.formats.manifest import StimulusSet
from rapidvision.protocol import Protocol
from rapidvision.task.design import SET_COLUMNS

from .assignment.conditions import Conditions
from .assignment.images import SetImages
from .assignment.practice import most_practice
from .fit import misfits, most_images, n_images, n_units


class Proposal(NamedTuple):
    """A protocol that was changed to fit, and a line for every change.

    Attributes
    ----------
    protocol : Protocol
        The fitted one.
    changes : tuple of str
        ``field: before -> after``; empty where nothing had to change.
    """

    protocol: Protocol
    changes: tuple[str, ...]


def propose(stimulus_set: StimulusSet, protocol: Protocol) -> Proposal:
    """Change what a set cannot give: blocks, block size, images, practice trials, and columns that nothing was said about.

    Parameters
    ----------
    stimulus_set : StimulusSet
        The images at hand.
    protocol : Protocol
        What was asked for.

    Returns
    -------
    Proposal
        The nearest protocol; equal to `protocol` where that fits. What cannot be decided (masks that the set lacks,
        categories without an option) stays, and :func:`rapidvision.experiments.design.fit.check_fit` names it.

    Examples
    --------
    >>> import tempfile, msgspec
    >>> import rapidvision as rv
    >>> from rapidvision.formats.protocol_file import preset
    >>> paper = preset("paper")
    >>> seven = msgspec.structs.replace(paper, design=msgspec.structs.replace(paper.design, blocks=7))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     propose(rv.stimuli.build("bundled", out=folder + "/set"), seven).changes
    ('design.blocks: 7 -> 5',)
    """
    images = SetImages(stimulus_set)
    if not misfits(images, protocol):
        return Proposal(protocol, ())
    changes: list[str] = []
    fitted = _fixed(images, protocol, changes)
    if not images.main or any(found.path.startswith("design.factors") for found in misfits(images, fitted)):
        return Proposal(fitted, tuple(changes))
    fitted = _blocks(images, fitted, changes)
    most = most_practice(fitted, images)
    if fitted.practice.n_trials > most:
        changes.append(f"practice.n_trials: {fitted.practice.n_trials} -> {most}")
        practice = msgspec.structs.replace(fitted.practice, n_trials=most)
        fitted = msgspec.structs.replace(fitted, practice=practice)
    return Proposal(fitted, tuple(changes))


def _fixed(images: SetImages, protocol: Protocol, changes: list[str]) -> Protocol:
    """Columns that are no factor get one value: the intact image, the first source."""
    fixed = dict(protocol.design.fixed)
    for name in SET_COLUMNS:
        have = images.values(name)
        if not have or protocol.factor(name) is not None or (name not in fixed and len(have) == 1):
            continue
        if name not in fixed or fixed[name] not in have:
            value = have[-1] if name == "level" else have[0]
            changes.append(f"design.fixed.{name}: {fixed.get(name, 'nothing')} -> {value}")
            fixed[name] = value
    if fixed == protocol.design.fixed:
        return protocol
    return msgspec.structs.replace(protocol, design=msgspec.structs.replace(protocol.design, fixed=fixed))


def _blocks(images: SetImages, protocol: Protocol, changes: list[str]) -> Protocol:
    """Images, blocks and block size with the least cost: images that fall away, block sizes and blocks that differ.

    A part of the images that is not the same number of each category costs as much as a whole one less of each.
    """
    design, total = protocol.design, len(images.main)
    conditions = len(Conditions(protocol, images).blocks)
    asked = min(n_images(images, protocol), total)
    equal = most_images(images.main)
    n_categories = len({exemplar.category for exemplar in images.main})
    size = design.block_size
    best: tuple[float, int, int, int] | None = None
    for n in range(asked, 0, -1):
        if n < total and n > equal:
            continue
        units = n_units(protocol, n)
        trials = units * design.repetitions
        if units % conditions:
            continue
        lost = asked - n + (n_categories if n < total and n % n_categories else 0)
        for blocks in range(conditions, trials + 1, conditions):
            if trials % blocks == 0:
                apart = abs(trials // blocks - size) if size != "auto" else abs(blocks - design.blocks)
                cost = lost + apart + abs(blocks - design.blocks) / 2
                found = cost, -n, blocks, trials // blocks
                best = found if best is None or found < best else best
        if best is not None and asked - n > best[0]:
            break
    if best is None:
        return protocol
    n, blocks, trials_in_block = -best[1], best[2], best[3]
    wanted = {
        "images": design.images if n == asked == n_images(images, protocol) or n == total else n,
        "blocks": blocks,
        "block_size": "auto" if size == "auto" else trials_in_block,
    }
    if n == total:
        wanted["images"] = design.images if design.images in ("all", total) else "all"
    for name, value in wanted.items():
        if value != getattr(design, name):
            changes.append(f"design.{name}: {getattr(design, name)} -> {value}")
    return msgspec.structs.replace(protocol, design=msgspec.structs.replace(design, **wanted))
