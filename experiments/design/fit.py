"""Whether a stimulus set and a protocol fit: what is in the way, field by field, and what would fit."""

from collections.abc import Iterator
from pathlib import Path

from rapidvision.errors import InputError, did_you_mean
from rapidvision.formats.manifest import Exemplar, StimulusSet
from rapidvision.formats.masks import how_to_add
from rapidvision.grammar.rules import Finding, check
from rapidvision.messages.field_messages import place_of
from rapidvision.protocol import Protocol
from rapidvision.system import files
from rapidvision.task.design import SET_COLUMNS
from rapidvision.task.phases import NO_MASK
from rapidvision.task.response import Scalar

from ..keyboard import check_keys
from .assignment.conditions import Conditions, group_name, values_of, word
from .assignment.images import SetImages
from .assignment.practice import most_practice
from .assignment.units import n_pairs, sample

Found = Iterator[tuple[str, str]]


def check_fit(stimulus_set: StimulusSet, protocol: Protocol, *, source: Path | str | None = None) -> None:
    """Refuse a stimulus set that the protocol cannot use.

    Parameters
    ----------
    stimulus_set : StimulusSet
        The images.
    protocol : Protocol
        The task.
    source : path-like, optional
        The file that the protocol was read from; messages name its lines.

    Raises
    ------
    InputError
        One line per finding: field, what was got, and what would fit.
    """
    path = Path(source) if source is not None else None
    name = str(path) if path is not None and path.is_file() else "protocol"
    text = files.read_text(path) if path is not None and path.is_file() and path.suffix.lower() == ".toml" else ""
    check(protocol, name=name, text=text)
    check_keys(protocol)
    found = misfits(SetImages(stimulus_set), protocol)
    if found:
        raise InputError("\n".join(place_of(name, text, finding.path) + finding.words for finding in found))


def misfits(images: SetImages, protocol: Protocol) -> list[Finding]:
    """Return what is in the way; nothing when set and protocol fit."""
    found = list(_columns(images, protocol))
    if not found:
        for rule in (_images, _blocks, _practice, _masks, _answers, _adaptive, _groups):
            found += rule(images, protocol)
    if not found:
        found += _rows(images, protocol)
    return [Finding(*one) for one in found]


def n_units(protocol: Protocol, n_images: int) -> int:
    """Return how many units (images, or pairs of them) so many images make."""
    pair = protocol.design.pair
    return n_images if pair is None or pair.same == "image" else n_images // 2


def most_images(main: tuple[Exemplar, ...]) -> int:
    """Return how many images of equally many in each category there are."""
    sizes = _sizes(main)
    return min(sizes.values()) * len(sizes)


def n_images(images: SetImages, protocol: Protocol) -> int:
    """Return how many images a participant sees."""
    wanted = protocol.design.images
    return len(images.main) if wanted == "all" else wanted


def _sizes(main: tuple[Exemplar, ...]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for exemplar in main:
        sizes[exemplar.category] = sizes.get(exemplar.category, 0) + 1
    return sizes


def _quoted(values: tuple[Scalar, ...]) -> str:
    if len(values) > 6 and all(isinstance(value, int) for value in values):
        return f"{values[0]} to {values[-1]}"
    return ", ".join(word(value) for value in values)


def _columns(images: SetImages, p: Protocol) -> Found:
    """Columns of the set are factors or have one value, and their values exist."""
    design = p.design
    for name in SET_COLUMNS:
        have = images.values(name)
        if p.factor(name) is None and name not in design.fixed and len(have) > 1:
            words = f"the set has {len(have)} values of {name} ({_quoted(have)}); make it a factor or fix one"
            yield "design", f"{words}, as in fixed = {{ {name} = {_toml(have[-1])} }}"
        if name in design.fixed and not _holds(have, design.fixed[name]):
            yield f"design.fixed.{name}", _unknown(design.fixed[name], name, have)
    for index, factor in enumerate(design.factors):
        if factor.name in SET_COLUMNS:
            have = images.values(factor.name)
            for value in factor.values:
                if not _holds(have, value):
                    yield f"design.factors[{index}].values", _unknown(value, factor.name, have)


def _holds(have: tuple[Scalar, ...], value: Scalar) -> bool:
    return any(type(one) is type(value) and one == value for one in have)


def _unknown(value: Scalar, name: str, have: tuple[Scalar, ...]) -> str:
    hint = did_you_mean(value, map(str, have)) if isinstance(value, str) else f"Allowed: {_quoted(have)}."
    return f"got {_toml(value)}, no {name} of the set. {hint}"


def _toml(value: Scalar) -> str:
    return f'"{value}"' if isinstance(value, str) else word(value)


def _images(images: SetImages, p: Protocol) -> Found:
    main, wanted, pair = images.main, p.design.images, p.design.pair
    if not main:
        yield "design.images", "the set has no images for the main phase"
        return
    if wanted != "all" and wanted > len(main):
        yield "design.images", f'got {wanted}, the set has {len(main)}; write "all" or at most {len(main)}'
        return
    if wanted != "all" and wanted < len(main):
        sizes = _sizes(main)
        need = -(-wanted // len(sizes))
        least = min(sizes, key=lambda category: (sizes[category], category))
        if sizes[least] < need:
            words = f"got {wanted}, {need} of each of {len(sizes)} categories, but {least} has {sizes[least]}"
            yield "design.images", f'{words}; at most {most_images(main)} would fit, or "all"'
            return
    if pair:
        pool = list(main) if wanted == "all" else sample(main, wanted, number=0, seed=p.seed)
        n = n_units(p, len(pool))
        made, same = n_pairs(pool, pair, seed=p.seed, n=n)
        if (made, same) != (n, round(n * pair.share_same)):
            words = f"got {pair.share_same:g}, {round(n * pair.share_same)} of {n} pairs; the images make {made} pairs"
            yield "design.pair.share_same", f"{words}, {same} of them with the same {pair.same}"


def _blocks(images: SetImages, p: Protocol) -> Found:
    design = p.design
    if not 0 < n_images(images, p) <= len(images.main):
        return
    units = n_units(p, n_images(images, p))
    trials = units * design.repetitions
    conditions = len(Conditions(p, images).blocks)
    fits = [b for b in range(conditions, trials + 1, conditions) if trials % b == 0]
    good = [b for b in fits if 8 <= trials // b <= 60] or fits
    if design.blocks % conditions:
        yield "design.blocks", f"got {design.blocks}; the factors of blocks need a multiple of {conditions}"
    elif design.block_size != "auto" and design.blocks * design.block_size != trials:
        would = " or ".join(f"{b} x {trials // b}" for b in _nearest(good, design.blocks))
        words = f"got blocks x block_size = {design.blocks} x {design.block_size} = {design.blocks * design.block_size}"
        yield "design.block_size", f"{words}, the images give {trials} trials; {would} would fit"
    elif trials % design.blocks:
        would = ", ".join(map(str, good))
        yield "design.blocks", f"got {design.blocks}, which does not divide {trials} trials; these do: {would}"
    if units % conditions:
        words = f"got {units}; {conditions} conditions of blocks share them equally"
        yield "design.images", f"{words}, so a multiple of {conditions} is needed: {units // conditions * conditions}"


def _nearest(numbers: list[int], wanted: int) -> list[int]:
    return sorted(sorted(numbers, key=lambda number: abs(number - wanted))[:3])


def _practice(images: SetImages, p: Protocol) -> Found:
    n, most = p.practice.n_trials, most_practice(p, images)
    if n > most:
        remedy = f"set it to {most} or add practice images" if most else "set it to 0 or add practice images"
        yield "practice.n_trials", f"got {n}, the set's {len(images.practice)} practice images allow {most}; {remedy}"


def _masks(images: SetImages, p: Protocol) -> Found:
    shown = (*images.main, *(images.practice if p.practice.n_trials else ()))
    for index, phase in enumerate(p.phases):
        factor = p.factor(phase.mask) if phase.mask else None
        families = [word(value) for value in factor.values if value != NO_MASK] if factor else [phase.mask]
        for family in families if phase.mask else ():
            path = f"phases[{index}].mask" if factor is None else f"design.factors[{p.design.factors.index(factor)}]"
            if family not in images.masks:
                hint = did_you_mean(family, images.masks) if images.masks else f"It has none. {how_to_add(family)}"
                yield path, f'got "{family}", no masks of the set. {hint}'
            elif not images.free_masks(family):
                bare = [e.image_id for e in shown if images.own_mask(family, e.image_id) is None]
                if bare:
                    yield path, f'"{family}" has no mask for {len(bare)} images, {bare[0]} first; build the set again'


def _answers(images: SetImages, p: Protocol) -> Found:
    response, design = p.response, p.design
    if response is None:
        return
    have: set[Scalar]
    if response.correct == "pair" and design.pair:
        have = {"same", "different"}
    elif (factor := p.factor(response.correct)) is not None:
        have = set(values_of(factor, images))
    elif response.correct in ("target", "category"):
        shown = (*images.main, *(images.practice if p.practice.n_trials else ()))
        have = {getattr(exemplar, response.correct) for exemplar in shown}
    else:
        known = ["target", "category", *(f.name for f in design.factors), *(["pair"] if design.pair else [])]
        yield (
            "response.correct",
            f'got "{response.correct}", no column or factor. {did_you_mean(response.correct, known)}',
        )
        return
    main = {getattr(e, response.correct) for e in images.main} if response.correct in ("target", "category") else have
    if len(main) < 2 and len(response.options) > 1:
        value = word(next(iter(main))) if main else "nothing"
        yield "response.correct", f"every image has {response.correct} = {value}; nothing is to be told apart"
        return
    right = tuple(value for option in response.options for value in (option.matches or (option.name,)))
    missing = sorted(word(value) for value in have if not _holds(right, value))
    if missing:
        words = f"no option is right for {response.correct} = {', '.join(missing)}"
        yield "response.options", f"{words}; name it in an option's `matches` (now: {_quoted(right)})"


def _adaptive(images: SetImages, p: Protocol) -> Found:
    """The adaptive value is not known when the plan is made; nothing else in the plan may depend on it."""
    if p.adaptive is None:
        return
    over, candidates = p.adaptive.over, Conditions(p, images).candidates
    if len(candidates) < 2:
        yield "adaptive.over", f'"{over}" has {len(candidates)} values to choose from; at least 2 are needed'
    response = p.response
    fixed = {
        "response.limit_ms": response.limit_ms if response else None,
        "response.correct": response.correct if response else None,
        **{f"phases[{i}].mask": phase.mask for i, phase in enumerate(p.phases)},
    }
    for path, used in fixed.items():
        if used == over:
            yield path, f'got "{over}", which adapts; it must be known when the study is planned'
    for i, phase in enumerate(p.phases):
        if f"{{{over}}}" in phase.text:
            yield f"phases[{i}].text", f'names "{over}", which adapts; it must be known when the study is planned'


def _groups(images: SetImages, p: Protocol) -> Found:
    names: dict[str, object] = {}
    for between in Conditions(p, images).combinations:
        name = group_name(between)
        if name.casefold() in names:
            yield "design.factors", f'two groups would be called "{name}" in file names; use other words as values'
            return
        names[name.casefold()] = between


def _rows(images: SetImages, p: Protocol) -> Found:
    """Every image exists for every source and level that can be planned."""
    conditions = Conditions(p, images)
    sources = conditions.values.get("map_source") or (conditions.fixed["map_source"],)
    levels = conditions.values.get("level") or (conditions.fixed["level"],)
    for exemplar in (*images.main, *(images.practice if p.practice.n_trials else ())):
        for source in sources:
            for level in levels:
                if not images.has(exemplar.image_id, source, level):
                    label = images.level_labels[int(level)]
                    yield "design", f"the set has no image of {exemplar.image_id} for {source} at level {label}"
                    return
