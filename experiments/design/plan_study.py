"""Plan a study from Python: a stimulus set and a protocol become one balanced plan per participant slot."""

from pathlib import Path

import msgspec

from rapidvision.formats.manifest import StimulusSet, read_set
from rapidvision.formats.protocol_file import read_protocol
from rapidvision.protocol import N_PARTICIPANTS_PER_GROUP, Protocol
from rapidvision.study import Study
from rapidvision.system.progress import progress as progress_bar

from .fit import check_fit
from .planning import groups_of, make_study
from .proposal import propose


def plan(
    stimulus_set: StimulusSet | Path | str,
    protocol: Protocol | Path | str = "paper",
    *,
    out: Path | str,
    n_per_group: int = N_PARTICIPANTS_PER_GROUP,
    language: str | None = None,
    texts_file: Path | str | None = None,
    fit: bool = False,
    progress: bool = False,
) -> Study:
    """Plan a study: who sees which image under which conditions, in which order, with which keys.

    Parameters
    ----------
    stimulus_set : StimulusSet or path-like
        The set, or its folder.
    protocol : Protocol, path-like or str, default "paper"
        The task: a protocol, a TOML file or the name of a preset (:data:`rapidvision.formats.protocol_file.PRESETS`).
    out : path-like
        The study folder to write: protocol, plans and, later, sessions.
    n_per_group : int, default 60
        Participant slots per group, at least 1. The paper had 60.
    language : str, optional
        Language code of the texts; the protocol's by default.
    texts_file : path-like, optional
        TOML with texts for another task or language.
    fit : bool, default False
        Change blocks, block size, images and practice to what the set gives, instead of refusing what does not fit; the
        study's protocol (:meth:`~rapidvision.study.Study.protocol`) is the fitted one.
    progress : bool, default False
        Show a progress bar.

    Returns
    -------
    Study
        The folder, with its plans (:meth:`~rapidvision.study.Study.plans`).

    Raises
    ------
    InputError
        When set and protocol do not fit each other, or the folder holds a study that has begun.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stimulus_set = rv.stimuli.build("bundled", out=folder + "/set")
    ...     study = rv.experiments.plan(stimulus_set, "paper", out=folder + "/study", n_per_group=1)
    ...     [each.group for each in study.plans()]
    ['clickme', 'salicon']
    """
    task = read_protocol(protocol)
    if language is not None:
        task = msgspec.structs.replace(task, language=language)
    images = stimulus_set if isinstance(stimulus_set, StimulusSet) else read_set(stimulus_set)
    source = None if isinstance(protocol, Protocol) else protocol
    if fit:
        task, changes = propose(images, task)
        source = None if changes else source
    check_fit(images, task, source=source)
    with progress_bar("plans", n_per_group * len(groups_of(images, task)), quiet=not progress) as advance:
        make_study(images, task, out, n_slots=n_per_group, texts_file=texts_file, protocol_file=source, advance=advance)
    return Study(out)
