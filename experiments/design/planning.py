"""From a stimulus set and a protocol to a study folder: one plan per group and slot, all of it decided here."""

from collections.abc import Mapping
from pathlib import Path

from rapidvision.errors import InputError, did_you_mean
from rapidvision.formats.manifest import StimulusSet
from rapidvision.plan import Plan, write_plan
from rapidvision.protocol import Protocol
from rapidvision.study import Study
from rapidvision.system.progress import Advance, silent
from rapidvision.task.response import Scalar
from rapidvision.task.trial import Trial

from . import fit, texts
from .assignment.conditions import Conditions
from .assignment.images import SetImages
from .assignment.slots import Dealer, Slot
from .assignment.trials import TrialMaker
from .steps import session_steps


def groups_of(stimulus_set: StimulusSet, protocol: Protocol) -> tuple[str, ...]:
    """Return the names of the groups: the combinations of the factors that vary between participants."""
    return tuple(Conditions(protocol, SetImages(stimulus_set)).groups)


class Planner:
    """Makes the plans of one protocol and stimulus set; what slots share is worked out once.

    All groups share a slot's images, conditions, order, durations and inputs, so participants are matched trial by
    trial and differ only in the factors that vary between them.

    Parameters
    ----------
    stimulus_set : StimulusSet
        The images. It fits the protocol (:func:`rapidvision.experiments.design.fit.check_fit`).
    protocol : Protocol
        The task.
    words : dict, optional
        Texts of :func:`rapidvision.experiments.design.texts.read_texts`; those of the protocol's language by default.
    """

    def __init__(self, stimulus_set: StimulusSet, protocol: Protocol, *, words: dict[str, str] | None = None) -> None:
        self.protocol = protocol
        self.images = SetImages(stimulus_set)
        self.conditions = Conditions(protocol, self.images)
        self._dealer = Dealer(protocol, self.images, self.conditions)
        self._maker = TrialMaker(protocol, self.images, self.conditions)
        self._words = texts.read_texts(protocol.language) if words is None else words
        self._texts: dict[tuple[str, ...], dict[str, str]] = {}
        self._factors: dict[tuple[str, int, str], dict[str, Scalar]] = {}
        self._last: tuple[int, Slot] | None = None

    def plan(self, group: str, slot: int) -> Plan:
        """Return the plan of one slot; it depends on set, protocol, texts, group and slot alone.

        Parameters
        ----------
        group : str
            One of the names of :attr:`Conditions.groups`.
        slot : int
            From 0.

        Raises
        ------
        InputError
            When there is no such group.
        """
        if group not in self.conditions.groups:
            raise InputError(f'group: got "{group}". {did_you_mean(group, self.conditions.groups)}')
        between, shared = self.conditions.groups[group], self._slot(slot)
        trials: dict[int, list[Trial]] = {}
        number = 0
        for k, (round_, durations) in enumerate(zip(shared.practice, shared.durations, strict=False)):
            made = trials[-1 - k] = []
            for one, drawn in zip(round_, durations, strict=True):
                factors = self._named(between | one.factors, one.unit.pair)
                trial = self._maker.trial(
                    one.unit, factors, drawn, number=number, block=-1 - k, phase="practice", slot=slot
                )
                made.append(trial)
                number += 1
        left = iter(shared.durations[-1])
        for block, members in enumerate(shared.blocks):
            made = trials[block] = []
            for unit, cell in members:
                factors = self._main_factors(group, cell, unit.pair)
                trial = self._maker.trial(
                    unit, factors, next(left), number=number, block=block, phase="main", slot=slot
                )
                made.append(trial)
                number += 1
        block_size = len(shared.blocks[0]) if shared.blocks else 0
        said = self._said(shared.inputs, block_size)
        conditions = [
            self.conditions.blocks[members[0][1] % len(self.conditions.blocks)] for members in shared.blocks if members
        ]
        return Plan(
            study_id=self.protocol.name,
            slot=slot,
            group=group,
            between=between,
            inputs=shared.inputs,
            protocol=self.protocol,
            stimulus_set_digest=self.images.digest,
            texts=said,
            steps=session_steps(self.protocol, trials, conditions, shared.inputs, said),
        )

    def _slot(self, slot: int) -> Slot:
        if self._last is None or self._last[0] != slot:
            self._last = slot, self._dealer.slot(slot)
        return self._last[1]

    def _main_factors(self, group: str, cell: int, pair: str) -> dict[str, Scalar]:
        key = group, cell, pair
        found = self._factors.get(key)
        if found is None:
            trial, block = divmod(cell, len(self.conditions.blocks))
            mixed = self.conditions.groups[group] | self.conditions.cells[trial] | self.conditions.blocks[block]
            found = self._factors[key] = self._named(mixed, pair)
        return found

    def _named(self, values: Mapping[str, Scalar], pair: str) -> dict[str, Scalar]:
        """Factors in the protocol's order, the pair last."""
        named = {factor.name: values[factor.name] for factor in self.protocol.design.factors if factor.name in values}
        return named | ({"pair": pair} if pair else {})

    def _said(self, inputs: dict[str, str], block_size: int) -> dict[str, str]:
        key = (*inputs, *inputs.values(), str(block_size))
        if key not in self._texts:
            self._texts[key] = texts.planned(self._words, self.protocol, inputs=inputs, block_size=block_size)
        return self._texts[key]


def make_plan(
    stimulus_set: StimulusSet, protocol: Protocol, *, group: str, slot: int, words: dict[str, str] | None = None
) -> Plan:
    """Make the plan of one slot; a function of its arguments and nothing else.

    Parameters
    ----------
    stimulus_set : StimulusSet
        The images.
    protocol : Protocol
        The task.
    group : str
        One of :func:`groups_of`.
    slot : int
        From 0.
    words : dict, optional
        Texts of :func:`rapidvision.experiments.design.texts.read_texts`; those of the protocol's language by default.

    Returns
    -------
    Plan
        Texts, practice, blocks with feedback and breaks, end.
    """
    return Planner(stimulus_set, protocol, words=words).plan(group, slot)


def make_study(
    stimulus_set: StimulusSet,
    protocol: Protocol,
    folder: Path | str,
    *,
    n_slots: int,
    n_stations: int = 1,
    texts_file: Path | str | None = None,
    protocol_file: Path | str | None = None,
    advance: Advance = silent,
) -> list[Plan]:
    """Write a study folder: ``study.json``, ``protocol.toml`` and a plan per group and slot.

    Planning again with more slots adds plans and leaves the old ones as they are; anything else is refused once a
    session began, because participants of one study must have done one task.

    Parameters
    ----------
    stimulus_set : StimulusSet
        The images.
    protocol : Protocol
        The task.
    folder : path-like
        The study folder.
    n_slots : int
        Participant slots per group, ≥ 1.
    n_stations : int
        Computers that run the study side by side, each with slots of its own and without a common drive.
    texts_file : path-like, optional
        Texts for another task or language.
    protocol_file : path-like, optional
        The file that the protocol was read from; messages name its lines.
    advance : callable
        Told of each plan.

    Returns
    -------
    list of Plan
        By group and slot.

    Raises
    ------
    InputError
        When set and protocol do not fit, or the study has begun and would change.
    """
    if n_slots < 1:
        raise InputError(f"slots: got {n_slots}, at least 1 is needed")
    if not 1 <= n_stations <= n_slots:
        raise InputError(f"n-stations: got {n_stations}; 1 to {n_slots}, the slots of a group, are allowed")
    fit.check_fit(stimulus_set, protocol, source=protocol_file)
    study = Study(folder)
    planner = Planner(stimulus_set, protocol, words=texts.read_texts(protocol.language, override=texts_file))
    groups = tuple(planner.conditions.groups)
    by_slot = [planner.plan(group, slot) for slot in range(n_slots) for group in groups]
    plans = [plan for group in groups for plan in by_slot if plan.group == group]
    _refuse_change(study, plans, n_stations)
    written = set()
    for plan in plans:
        written.add(write_plan(study.plans_folder, plan).name)
        advance(1)
    for old in study.plans_folder.glob("*.json"):
        if old.name not in written:
            old.unlink()
    study.write_description(stimulus_set, protocol, groups=groups, n_slots=n_slots, n_stations=n_stations)
    return plans


def _refuse_change(study: Study, plans: list[Plan], n_stations: int) -> None:
    began = bool(study.ledger_paths()) or (study.sessions_folder.is_dir() and any(study.sessions_folder.iterdir()))
    if not began:
        return
    before = study.description().n_stations
    if before != n_stations:
        raise InputError(
            f"{study.folder}: n-stations: got {n_stations}, allowed is {before}: its sessions have begun, and slots would "
            "be given twice"
        )
    new = {(plan.group, plan.slot): plan.digest for plan in plans}
    for old in study.plans():
        if new.get((old.group, old.slot)) != old.digest:
            raise InputError(
                f"{study.folder}: sessions have begun and {old.group} slot {old.slot} would change or go; "
                "keep protocol, texts and stimulus set and at least as many slots, or plan a new study elsewhere"
            )
