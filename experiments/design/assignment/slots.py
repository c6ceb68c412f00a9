"""What all groups of a slot share: which unit meets which cell in which block, practice, durations, inputs."""

from typing import NamedTuple

from rapidvision.formats.manifest import Exemplar
from rapidvision.protocol import Protocol
from rapidvision.seeds import MAX_SEED, key64, stream

from .blocks import blocks_for
from .cells import cells_of_round
from .conditions import Conditions
from .images import SetImages
from .inputs import inputs_of, n_turns
from .practice import PracticeTrial, practice_rounds
from .squares import condition_order
from .units import Unit, n_samples, pairs, sample


class Slot(NamedTuple):
    """What all groups of a slot share.

    Attributes
    ----------
    inputs : dict
        Input -> option.
    practice : list of list of PracticeTrial
        The trials of each round.
    blocks : list of list of (Unit, int)
        The trials of each block, with the number of the cell: (combination of trial factors) x (number of block
        conditions) + block condition.
    durations : list of list of dict
        For each practice round, then for all main trials: phase -> milliseconds, for those that are drawn.
    """

    inputs: dict[str, str]
    practice: list[list[PracticeTrial]]
    blocks: list[list[tuple[Unit, int]]]
    durations: list[list[dict[str, int]]]


class Dealer:
    """Deals a protocol's units to the slots; what the slots of a round share is drawn once.

    Parameters
    ----------
    protocol : Protocol
        The task.
    images : SetImages
        The stimulus set.
    conditions : Conditions
        The factors.
    """

    def __init__(self, protocol: Protocol, images: SetImages, conditions: Conditions) -> None:
        self.protocol, self.images, self.conditions = protocol, images, conditions
        self._n_samples = n_samples(images.main, protocol.design)
        self._units: dict[tuple[int, int], list[Unit]] = {}
        self._cells: dict[tuple[int, int], dict[str, list[int]]] = {}
        self._drawn = [phase for phase in protocol.phases if isinstance(phase.duration_ms, tuple)]

    def slot(self, slot: int) -> Slot:
        """Return what one slot meets."""
        protocol, conditions = self.protocol, self.conditions
        turn, number = divmod(slot, self._n_samples)
        round_, column = divmod(turn, conditions.n_cells)
        practice = practice_rounds(protocol, self.images, conditions, slot=slot)
        blocks = self._blocks(slot, round_, column, number)
        inputs = inputs_of(protocol.response, turn=round_ + column + number)
        n_main = sum(map(len, blocks))
        return Slot(inputs, practice, blocks, self._durations(slot, list(map(len, practice)), n_main))

    def _blocks(self, slot: int, round_: int, column: int, number: int) -> list[list[tuple[Unit, int]]]:
        """Deal a slot's units to blocks: those of a block condition, and of a repetition, to blocks of their own."""
        design, n_cells, n_conditions = self.protocol.design, self.conditions.n_cells, len(self.conditions.blocks)
        units = self._units_of(number, round_)
        rows = self._cells_of(number, round_)
        step = max(1, n_cells // design.repetitions)
        shown: dict[str, tuple[Unit, int]] = {}
        deals: dict[tuple[int, int], list[Exemplar]] = {}
        apart = self._repetitions_apart(len(units))
        for k in range(design.repetitions):
            place = (column + k * step) % n_cells
            for unit in units:
                exemplar = unit.exemplar
                cell = rows[exemplar.image_id][place]
                if k:
                    exemplar = Exemplar(f"{exemplar.image_id}#{k}", exemplar.category, exemplar.target, exemplar.phase)
                shown[exemplar.image_id] = unit, cell
                deals.setdefault((k if apart else 0, cell % n_conditions), []).append(exemplar)
        cells = {image: cell for image, (_, cell) in shown.items()}
        turn = slot // n_turns(self.protocol.response)
        order = condition_order(n_conditions, design.blocks, turn=turn, balance=design.balance)
        blocks: list[list[tuple[Unit, int]]] = [[] for _ in range(design.blocks)]
        per_set = design.blocks // (design.repetitions if apart else 1)
        for (k, condition), exemplars in deals.items():
            own = [b for b in range(k * per_set, (k + 1) * per_set) if order[b] == condition]
            dealt = blocks_for(
                exemplars,
                cells,
                len(own),
                balanced=design.balanced_blocks,
                slot=slot,
                seed=self.protocol.seed,
                address=(k, condition) if len(deals) > 1 else (),
            )
            for b, members in zip(own, dealt, strict=True):
                blocks[b] = [shown[exemplar.image_id] for exemplar in members]
        return blocks

    def _repetitions_apart(self, n_units: int) -> bool:
        """Whether each repetition has blocks of its own, so that no image comes twice in a block."""
        design, n_conditions = self.protocol.design, len(self.conditions.blocks)
        per_repetition, rest = divmod(design.blocks, design.repetitions)
        return not (rest or per_repetition % n_conditions or n_units % per_repetition)

    def _units_of(self, number: int, round_: int) -> list[Unit]:
        design, seed = self.protocol.design, self.protocol.seed
        key = number, round_ if design.pair else 0
        if key not in self._units:
            main = list(self.images.main)
            if self._n_samples > 1 and design.images != "all":
                main = sample(main, design.images, number=number, seed=seed)
            if design.pair:
                self._units[key] = pairs(main, design.pair, stream(seed, "pairs", round_, number))
            else:
                self._units[key] = [Unit(exemplar, {"image": exemplar.image_id}) for exemplar in main]
        return self._units[key]

    def _cells_of(self, number: int, round_: int) -> dict[str, list[int]]:
        key = number, round_
        if key not in self._cells:
            self._cells[key] = cells_of_round(
                [unit.exemplar for unit in self._units_of(number, round_)],
                tuple(map(len, self.conditions.within.values())),
                len(self.conditions.blocks),
                round_=round_,
                seed=self.protocol.seed,
                address=(number,) if self._n_samples > 1 else (),
            )
        return self._cells[key]

    def _durations(self, slot: int, practice: list[int], n_main: int) -> list[list[dict[str, int]]]:
        """Drawn durations of each practice round's trials, then of the main trials."""
        first = practice[0] if practice else 0
        found = self._draw(first + n_main, slot, self.protocol.seed)
        later = [
            self._draw(n, slot, key64(self.protocol.seed, "round", k) & MAX_SEED) for k, n in enumerate(practice[1:], 1)
        ]
        return [*([found[:first]] if practice else []), *later, found[first:]]

    def _draw(self, n: int, slot: int, seed: int) -> list[dict[str, int]]:
        names, draws = [phase.id for phase in self._drawn], []
        for phase in self._drawn:
            assert isinstance(phase.duration_ms, tuple)
            low, high = phase.duration_ms
            address = ("fixation",) if phase.id == "fixation" else ("duration", phase.id)
            steps = stream(seed, *address, slot).integers(0, (high - low) // phase.step_ms + 1, size=n)
            draws.append([low + phase.step_ms * step for step in steps.tolist()])
        return [dict(zip(names, each, strict=True)) for each in zip(*draws, strict=True)] if draws else [{}] * n
