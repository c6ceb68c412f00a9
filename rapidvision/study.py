"""The study folder: where protocol, plans, sessions and the trials table of one study lie.

::

    study/
      study.json        which stimulus set, which protocol, how many slots
      protocol.toml     the resolved protocol
      plans/            one JSON per group and slot
      ledger.jsonl      who has which slot; ledger-N.jsonl of station N where a study has several
      sessions/         one journal per session
      trials.csv        the trials table of people
      simulated.csv     the trials table of `session simulate`
"""

import os
from pathlib import Path, PurePath

import msgspec

from rapidvision import recipes
from rapidvision.errors import InputError
from rapidvision.formats.manifest import StimulusSet, read_set
from rapidvision.plan import Plan, read_plans
from rapidvision.protocol import Protocol
from rapidvision.system import files

STUDY_VERSION = 1


class StudyDescription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``study.json``.

    Attributes
    ----------
    study_version : int
        Version of this file's form.
    study_id : str
        The protocol's name.
    stimulus_set : str
        Path of the set, relative to the study folder where that is possible.
    stimulus_set_digest, protocol_digest : str
        What the plans were made for.
    groups : tuple of str
        Groups of participants: the combinations of the factors that vary between them, named by their values; ``all``
        where nothing varies.
    n_slots : int
        Slots per group.
    n_stations : int
        Computers that run the study side by side without a common drive; each has slots of its own.
    """

    study_version: int = STUDY_VERSION
    study_id: str
    stimulus_set: str
    stimulus_set_digest: str
    protocol_digest: str
    groups: tuple[str, ...]
    n_slots: int
    n_stations: int = 1


class Study:
    """A study folder and the names of what is in it.

    Parameters
    ----------
    folder : path-like
        The study's folder.
    station : int, optional
        Which of the study's stations this computer is, from 1.

    Examples
    --------
    >>> import rapidvision as rv
    >>> study = rv.Study("study")
    >>> study.protocol_path.name, study.trials_path.name
    ('protocol.toml', 'trials.csv')
    """

    def __init__(self, folder: Path | str, *, station: int | None = None) -> None:
        self.folder = Path(folder)
        self.station = station

    @property
    def description_path(self) -> Path:
        """``study.json``."""
        return self.folder / "study.json"

    @property
    def protocol_path(self) -> Path:
        """``protocol.toml``."""
        return self.folder / "protocol.toml"

    @property
    def plans_folder(self) -> Path:
        """``plans/``."""
        return self.folder / "plans"

    @property
    def ledger_path(self) -> Path:
        """``ledger.jsonl``, or ``ledger-N.jsonl`` of station N."""
        return self.folder / ("ledger.jsonl" if self.station is None else f"ledger-{self.station}.jsonl")

    def ledger_paths(self) -> list[Path]:
        """Return the ledgers that are there, those of all stations included, in order of name."""
        return sorted(self.ledger_path.parent.glob("ledger*.jsonl"))

    def slots_here(self) -> range:
        """Return the slots that may be given on this computer: all, or every n-th where there are n stations.

        Raises
        ------
        InputError
            When the study has stations and none is named, or not this one.
        """
        description = self.description()
        n_stations, here = description.n_stations, 1 if self.station is None else self.station
        if (n_stations > 1) != (self.station is not None) or not 1 <= here <= n_stations:
            got = "none" if self.station is None else str(self.station)
            allowed = (
                f"1 to {n_stations}; name it with --station" if n_stations > 1 else "none, as it was planned without"
            )
            raise InputError(f"{self.folder}: station: got {got}, allowed is {allowed}")
        return range(here - 1, description.n_slots, n_stations)

    @property
    def sessions_folder(self) -> Path:
        """``sessions/``."""
        return self.folder / "sessions"

    @property
    def trials_path(self) -> Path:
        """``trials.csv``."""
        return self.folder / "trials.csv"

    @property
    def simulated_path(self) -> Path:
        """``simulated.csv``, where simulated participants' trials go: never into the table of people."""
        return self.folder / "simulated.csv"

    def description(self) -> StudyDescription:
        """Read ``study.json``.

        Raises
        ------
        InputError
            When the folder holds no study.
        """
        if not self.description_path.is_file():
            raise InputError(
                f"{self.folder}: no study here (study.json is missing); make one with `rapidvision session plan`"
            )
        description = recipes.read(self.description_path, StudyDescription)
        if description.study_version != STUDY_VERSION:
            raise InputError(
                f"{self.description_path}: study version {description.study_version}, this RapidVision reads {STUDY_VERSION}; "
                "use the version that planned it"
            )
        return description

    def write_description(
        self,
        stimulus_set: StimulusSet,
        protocol: Protocol,
        *,
        groups: tuple[str, ...],
        n_slots: int,
        n_stations: int = 1,
    ) -> None:
        """Write ``study.json`` and ``protocol.toml``."""
        recipes.write(self.protocol_path, protocol)
        files.write_json(
            self.description_path,
            StudyDescription(
                study_id=protocol.name,
                stimulus_set=_way(self.folder.resolve(), stimulus_set.folder.resolve()),
                stimulus_set_digest=stimulus_set.digest,
                protocol_digest=protocol.digest,
                groups=groups,
                n_slots=n_slots,
                n_stations=n_stations,
            ),
        )

    def protocol(self) -> Protocol:
        """Read ``protocol.toml`` and refuse it when it changed after the plans were made."""
        description = self.description()
        protocol = recipes.read(self.protocol_path, Protocol)
        if protocol.digest != description.protocol_digest:
            raise InputError(
                f"{self.protocol_path}: changed after the plans were made; plan a new study in another folder"
            )
        return protocol

    def stimulus_set(self, override: Path | str | None = None) -> StimulusSet:
        """Read the stimulus set, from another place when `override` names one; its digest must be the study's."""
        description = self.description()
        found = read_set(override if override is not None else self.folder / description.stimulus_set)
        if found.digest != description.stimulus_set_digest:
            raise InputError(f"{found.folder}: not the stimulus set that this study was planned for (digest differs)")
        return found

    def plans(self) -> list[Plan]:
        """Read every plan, ordered by group and slot."""
        return read_plans(self.plans_folder)


def _way(start: PurePath, target: PurePath) -> str:
    """Return the relative path from one folder to another with slashes, so that a study made on Windows moves.

    Between two drives of Windows there is none, and the target's absolute path is returned.
    """
    try:
        return os.path.relpath(target, start).replace(os.sep, "/")
    except ValueError:
        return target.as_posix()
