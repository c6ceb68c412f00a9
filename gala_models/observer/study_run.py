"""A sitting: networks take a study's test, and a trials table and a record of what was done come out."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from rapidvision.errors import InputError
from rapidvision.formats import trials_table
from rapidvision.formats.networks.model_record import Attention, ModelRecord, NetworkRecord, write_record
from rapidvision.plan import Plan
from rapidvision.study import Study
from rapidvision.system import files
from rapidvision.system.progress import progress
from rapidvision.trials import TrialRecord

from ..weights.load import state_sha256
from .images import intact_pictures
from .observe import Network, Seen, look, take
from .overlay import sheet
from .participants import MEANING, Participants
from .probe_observer import Probing, look_through_probes
from .shown import stimuli_of

#: Intact pictures in the mosaic of attention: one of each category in a set of the paper's form.
N_LOOKED_AT = 8


@dataclass(frozen=True)
class Sitting:
    """What came out.

    Attributes
    ----------
    records : list of TrialRecord
        As written.
    n_stimuli, n_participants : int
        Different files that were seen; participants over all networks.
    seconds : float
        Wall-clock time.
    """

    records: list[TrialRecord]
    n_stimuli: int
    n_participants: int
    seconds: float

    def accuracies(self) -> dict[tuple[str, str], tuple[float, float]]:
        """(network, group) → share correct at the highest level and for the intact picture, main phase."""
        main = [record for record in self.records if record.phase == "main"]
        out = {}
        key = lambda record: (record.observer, record.group)  # noqa: E731
        for name, group in groupby(sorted(main, key=key), key):
            rows = list(group)
            top = max(record.level_index for record in rows)
            out[name] = (_share(rows, top - 1), _share(rows, top))
        return out


def _share(records: Sequence[TrialRecord], level_index: int) -> float:
    correct = [bool(record.correct) for record in records if record.level_index == level_index]
    return sum(correct) / len(correct) if correct else float("nan")


def sit(
    study: Study,
    networks: Sequence[Network],
    *,
    out: Path,
    participants: Participants | None = None,
    probing: Probing | None = None,
    stimulus_set: Path | None = None,
    batch_size: int = 64,
    quiet: bool = False,
    command: str = "models observe",
) -> Sitting:
    """Let networks take the test of every plan of a study.

    Parameters
    ----------
    study : Study
        With its plans.
    networks : sequence of Network
        Names must differ. Under the policy ``seeds`` they are one observer, named after what their names share.
    out : Path
        The trials table; a ``.json`` of the same name records policy, readouts and hashes, and ``…-attention.png``
        shows what the networks look at in some of the set's intact pictures.
    participants : Participants, optional
        Who counts as a participant; replay by default.
    probing : Probing, optional
        Answer through linear probes instead of the networks' own scores.
    stimulus_set : Path, optional
        Where the set is now, if not where the study expects it.
    batch_size : int, default 64
        Pictures per forward pass.
    quiet : bool, default False
        No progress.
    command : str
        For the record.

    Returns
    -------
    Sitting
        The records and what it took.
    """
    started = time.perf_counter()
    participants = participants or Participants()
    names = [network.name for network in networks]
    if len(set(names)) < len(names):
        raise InputError(
            f"networks must have different names, got {', '.join(sorted(names))}; give --name once per --model, in their order"
        )
    plans, found = study.plans(), study.stimulus_set(stimulus_set)
    stimuli = stimuli_of(plans)
    dropout = participants.policy == "dropout"
    if dropout and probing is not None:
        raise InputError("dropout: is about the readout's features; probes have none, so choose another policy")
    with progress("stimuli seen", len(stimuli), quiet=quiet) as advance:
        if probing is not None:
            seen = look_through_probes(networks, found, stimuli, probing, batch_size=batch_size, advance=advance)
        else:
            seen = look(networks, found.folder, stimuli, batch_size=batch_size, features=dropout, advance=advance)
    pairs = list(zip(networks, seen, strict=True))
    if participants.policy == "seeds":
        records = list(_in_turns(pairs, plans, participants))
    else:
        records = [record for network, one in pairs for record in take(network, one, plans, participants)]
    trials_table.write_table(out, records)
    attention = sheet(networks, intact_pictures(found, N_LOOKED_AT), out.with_name(f"{out.stem}-attention.png"))
    write_record(out, _record(study, plans, pairs, participants, probing, records, command, attention))
    n_participants = len({record.participant_id for record in records})
    return Sitting(records, len(stimuli), n_participants, time.perf_counter() - started)


def _in_turns(pairs: Sequence[Any], plans: Sequence[Plan], participants: Participants) -> Any:
    if len(pairs) < 2:
        raise InputError("seeds: needs at least two networks, trained from different seeds; give --model several times")
    shared = _shared_name([network.name for network, _ in pairs])
    for plan in plans:
        network, seen = pairs[plan.slot % len(pairs)]
        yield from take(replace(network, name=shared), seen, [plan], participants)


def _shared_name(names: Sequence[str]) -> str:
    shared = names[0]
    while not all(name.startswith(shared) for name in names):
        shared = shared[:-1]
    return shared.rstrip("-_. ") or "networks"


def _record(
    study: Study,
    plans: Sequence[Plan],
    pairs: Sequence[tuple[Network, Seen]],
    participants: Participants,
    probing: Probing | None,
    records: Sequence[TrialRecord],
    command: str,
    attention: Attention,
) -> ModelRecord:
    made = files.provenance(
        command,
        seed=participants.seed,
        inputs={"study": study.description().stimulus_set_digest},
        packages=("numpy", "torch", "pillow"),
        plugins=tuple(dict.fromkeys(one for network, _ in pairs for one in network.plugins)),
    )
    return ModelRecord(
        policy=msgspec.to_builtins(participants),
        a_participant_is=MEANING[participants.policy],
        networks=tuple(
            NetworkRecord(
                name=network.name,
                readout="cross-validated linear probes" if probing else network.readout.name,
                preprocessing=msgspec.to_builtins(network.preprocessing),
                pixels=str(network.preprocessing),
                weights_sha256=network.sha256 or state_sha256(network.model),
                layouts=seen.layouts,
                n_ties=seen.n_ties,
            )
            for network, seen in pairs
        ),
        ties="a stimulus whose evidence is 0 is answered wrongly, except where an answer is drawn (stochastic)",
        n_plans=len(plans),
        n_trials=len(records),
        probing=None if probing is None else msgspec.to_builtins(probing),
        time="early exit: response times stand for multiply-accumulates"
        if probing and probing.early_exit
        else "networks have no clock: every answer is in time",
        attention=attention,
        provenance=made,
    )
