"""The run of a study by networks: they take its test, and a trials table and a record of what was done come out."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from rapidvision.errors import CheckFailed, InputError, RapidVisionError
from rapidvision.formats import trials_columns, trials_table
from rapidvision.formats.networks.model_record import Attention, ModelRecord, NetworkRecord, write_record
from rapidvision.plan import Plan
from rapidvision.study import Study
from rapidvision.system import files
from rapidvision.system.progress import progress
from rapidvision.trials import TrialRecord

from ..answers.outcome import StudyRun
from ..answers.participants import MEANING, Participants, Policy
from ..answers.task import NetworkTask, task_of
from ..answers.words import confidence_of, readout_of, ties_of
from ..computing.score_cache import ScoreCache
from ..weights.state import state_sha256
from .images import intact_images
from .networks import load
from .observe import Network, StimulusEvidence, observe_each
from .overlay import sheet
from .probe_observer import Probing, look_through_probes
from .sessions import answer_plans, in_turns
from .shown import stimuli_of

if TYPE_CHECKING:
    import pandas as pd

#: A network, or what names one.
NetworkLike: TypeAlias = Network | Path | str
#: Intact images in the mosaic of attention: one of each category in a set of the paper's form.
N_LOOKED_AT = 8


def run_study(
    study: Study,
    networks: Sequence[Network],
    *,
    out: Path | None,
    participants: Participants | None = None,
    probing: Probing | None = None,
    stimulus_set: Path | None = None,
    batch_size: int = 64,
    quiet: bool = False,
    cache: Path | None = None,
    failed: Mapping[str, str] | None = None,
    command: str = "models observe",
) -> StudyRun:
    """Run networks on every plan of a study.

    Parameters
    ----------
    study : Study
        With its plans.
    networks : sequence of Network
        Names must differ. Under the policy ``seeds`` they are one observer, named after what their names share.
    out : Path or None
        The trials table, written unless None; a ``.json`` of the same name records policy, readouts and hashes, and ``…-attention.png``
        shows what the networks look at in some of the set's intact images.
    participants : Participants, optional
        Who counts as a participant; replay by default.
    probing : Probing, optional
        Answer through linear probes instead of the networks' own scores.
    stimulus_set : Path, optional
        Where the set is now, if not where the study expects it.
    batch_size : int, default 64
        Images per forward pass.
    quiet : bool, default False
        No progress.
    cache : Path, optional
        Folder in which class scores are kept, and from which they are taken where network and stimulus are the same.
    failed : mapping, optional
        Networks that could not be loaded, and why; they are recorded beside those that fail now.
    command : str
        For the record.

    Returns
    -------
    StudyRun
        The records and what it took. A network that fails has no rows; the others' are written.

    Raises
    ------
    InputError
        When networks share a name, or do not fit the study.
    CheckFailed
        When a stimulus is not the one that was planned, or every network fails.
    """
    started = time.perf_counter()
    participants = participants or Participants()
    names = [network.name for network in networks]
    if len(set(names)) < len(names):
        raise InputError(
            f"networks must have different names, got {', '.join(sorted(names))}; give --name once per --model, in their order"
        )
    plans, found = study.plans(), study.stimulus_set(stimulus_set)
    stimuli, task = stimuli_of(plans), task_of(plans[0].protocol)
    dropout = participants.policy == "dropout"
    if dropout and probing is not None:
        raise InputError("dropout: is about the readout's features; probes have none, so choose another policy")
    if task.by_category and probing is not None:
        raise InputError("probes: tell target from distractor; this task asks for a category: leave out --probe")
    with progress("stimuli seen", len(stimuli), quiet=quiet) as advance:
        seen: list[StimulusEvidence | RapidVisionError]
        if probing is not None:
            seen = [*look_through_probes(networks, found, stimuli, probing, batch_size=batch_size, advance=advance)]
        else:
            seen = observe_each(
                networks,
                found.folder,
                stimuli,
                task=task,
                batch_size=batch_size,
                features=dropout,
                cache=None if cache is None else ScoreCache(cache),
                advance=advance,
            )
    pairs, failures = [], dict(failed or {})
    for network, one in zip(networks, seen, strict=True):
        if isinstance(one, StimulusEvidence):
            pairs.append((network, one))
        elif len(networks) + len(failures) == 1 or participants.policy == "seeds":
            raise one
        else:
            failures[network.name] = str(one)
    if not pairs:
        raise CheckFailed("every network failed: " + "; ".join(f"{name}: {why}" for name, why in failures.items()))
    if participants.policy == "seeds":
        records = list(in_turns(pairs, plans, participants))
    else:
        records = [record for network, one in pairs for record in answer_plans(network, one, plans, participants)]
    if out is not None:
        trials_table.write_table(out, records)
        trials_columns.write_description(out, plans[0].protocol)
        attention = sheet(
            [network for network, _ in pairs],
            intact_images(found, N_LOOKED_AT),
            out.with_name(f"{out.stem}-attention.png"),
        )
        write_record(
            out, _record(study, plans, pairs, participants, probing, records, command, attention, task, failures)
        )
    n_participants = len({record.participant_id for record in records})
    return StudyRun(records, len(stimuli), n_participants, time.perf_counter() - started, failures)


def observe(
    networks: NetworkLike | Sequence[NetworkLike],
    study: Study | Path | str,
    *,
    out: Path | str | None = None,
    participants: Participants | Policy = "replay",
    seed: int = 0,
    probing: Probing | None = None,
    stimulus_set: Path | str | None = None,
    batch_size: int = 64,
    cache: Path | str | None = None,
    progress: bool = False,
) -> "pd.DataFrame":
    """Run a network on a study: the same plans and the same pixels as for participants.

    Parameters
    ----------
    networks : Network, str, path-like, or a sequence of these
        From :func:`rapidvision.gala_models.load`, or what that function takes as a name or a path.
    study : Study or path-like
        With its plans, or its folder.
    out : path-like, optional
        Also write the trials table there, with a record of what was done and a mosaic of attention beside it.
    participants : {"replay", "dropout", "seeds", "stochastic"} or Participants
        What counts as a participant: the network itself for each plan, with some features of its readout left out, several
        networks in turn, or answers drawn with the network's own probabilities.
    seed : int, default 0
        Of ``dropout`` and ``stochastic``.
    probing : Probing, optional
        Answer through linear probes of layers.
    stimulus_set : path-like, optional
        Where the set is now, if not where the study expects it.
    batch_size : int, default 64
        Images per forward pass.
    cache : path-like, optional
        Folder in which class scores are kept for the next run.
    progress : bool, default False
        Show a progress bar.

    Returns
    -------
    DataFrame
        The trials table (:data:`rapidvision.trials.COLUMNS`), one row per network, plan and trial; `decision_value` is
        the log odds of target.

    Raises
    ------
    InputError
        When networks share a name, or do not fit the study.
    CheckFailed
        When a stimulus is not the one that was planned.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stimulus_set = rv.stimuli.build("bundled", out=folder + "/set")
    ...     study = rv.experiments.plan(stimulus_set, out=folder + "/study", n_per_group=1)
    ...     answers = rv.models.observe("compact-gala-maps", study)
    >>> len(answers), set(answers["observer"]), set(answers["observer_kind"])
    (176, {'compact-gala-maps'}, {'model'})
    """
    several = [networks] if isinstance(networks, str | Path | Network) else list(networks)
    who = participants if isinstance(participants, Participants) else Participants(policy=participants, seed=seed)
    done = run_study(
        study if isinstance(study, Study) else Study(study),
        [one if isinstance(one, Network) else load(one) for one in several],
        out=None if out is None else Path(out),
        participants=who,
        probing=probing,
        stimulus_set=None if stimulus_set is None else Path(stimulus_set),
        batch_size=batch_size,
        cache=None if cache is None else Path(cache),
        quiet=not progress,
    )
    return trials_table.to_frame(done.records)


def _record(
    study: Study,
    plans: Sequence[Plan],
    pairs: Sequence[tuple[Network, StimulusEvidence]],
    participants: Participants,
    probing: Probing | None,
    records: Sequence[TrialRecord],
    command: str,
    attention: Attention,
    task: NetworkTask,
    failed: dict[str, str],
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
                readout=readout_of(seen.read_by, network.readout.name, probes=probing is not None),
                preprocessing=msgspec.to_builtins(network.preprocessing),
                pixels=str(network.preprocessing),
                weights_sha256=network.sha256 or state_sha256(network.model),
                layouts=seen.layouts,
                n_ties=seen.n_ties,
                precision=network.precision,
            )
            for network, seen in pairs
        ),
        ties=ties_of(task),
        ignored=task.ignored,
        confidence=confidence_of(task),
        n_plans=len(plans),
        n_trials=len(records),
        probing=None if probing is None else msgspec.to_builtins(probing),
        time="early exit: response times stand for multiply-accumulates"
        if probing and probing.early_exit
        else "networks have no clock: every answer is in time",
        attention=attention,
        failed=failed,
        provenance=made,
    )
