"""The record beside a table of networks' answers, ``models.json``: written by ``models observe``, read by ``analyse report``."""

from pathlib import Path
from typing import Any

import msgspec

from rapidvision.errors import InputError
from rapidvision.plugins.source import PluginSource
from rapidvision.system import files
from rapidvision.text.typed_json import TypedJson

RECORD_VERSION = 1
LEGEND_NAME = "attention.json"


class Mosaic(msgspec.Struct, frozen=True, kw_only=True):
    """An image of what networks look at: the stimuli in the first row, then a row per network.

    Attributes
    ----------
    rows : tuple of str
        ``images``, then the networks' names.
    columns : tuple of str
        The images' ids.
    maps : dict
        Network → what its map shows: ``attention`` of a network that has it, ``features`` (activity) of one without, or
        the name of another attribution.
    meaning : str
        How a map was made, in words; what stands before the first semicolon is the quantity.
    file : str
        The PNG, in the folder of the record.
    plugins : tuple of PluginSource
        Those that took part; absent where none did.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    maps: dict[str, str]
    meaning: str
    file: str
    plugins: tuple[PluginSource, ...] | msgspec.UnsetType = msgspec.UNSET


class Attention(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about where networks look.

    Attributes
    ----------
    mosaic : Mosaic or None
        None where nothing could be shown.
    left_out : dict
        Network → why it is not shown.
    """

    mosaic: Mosaic | None
    left_out: dict[str, str]


class NetworkRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One network of a table.

    Attributes
    ----------
    name : str
        The table's `observer`.
    readout : str
        How scores became answers.
    preprocessing : dict
        How images became input.
    pixels : str
        The same in words.
    weights_sha256 : str
        Of the file of weights, or of the weights themselves for a module made by a function.
    layouts : dict
        Layer → order of its axes, where linear probes read layers.
    n_ties : int
        Stimuli whose evidence is 0.
    precision : str
        In which numbers it computed: ``float32``, ``bf16``, ``fp16``.
    """

    name: str
    readout: str
    preprocessing: dict[str, Any]
    pixels: str
    weights_sha256: str
    layouts: dict[str, str]
    n_ties: int
    precision: str = "float32"


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How a table of networks' answers was made.

    Attributes
    ----------
    version : int
        Version of this file's form.
    policy : dict
        Who counts as a participant, as it was asked for.
    a_participant_is : str
        The same in words.
    networks : tuple of NetworkRecord
        Those who answered.
    ties : str
        How stimuli without evidence either way were answered.
    ignored : tuple of str
        What networks could not see of the task.
    confidence : str
        Where an answer to the question of confidence came from; empty where it was not asked.
    n_plans, n_trials : int
        How many plans were answered, and trials in the table.
    probing : dict or None
        How linear probes were fitted, where they answered.
    time : str
        What response times stand for.
    attention : Attention
        Where networks look.
    failed : dict
        Network → why it has no rows in the table.
    provenance : Provenance
        Command, seed, versions, inputs.
    """

    version: int = RECORD_VERSION
    policy: dict[str, Any]
    a_participant_is: str
    networks: tuple[NetworkRecord, ...]
    ties: str
    ignored: tuple[str, ...]
    confidence: str
    n_plans: int
    n_trials: int
    probing: dict[str, Any] | None
    time: str
    attention: Attention
    failed: dict[str, str] = msgspec.field(default_factory=dict)
    provenance: files.Provenance


class AttentionLegend(msgspec.Struct, frozen=True, kw_only=True):
    """``attention.json``: what the rows and columns of ``mosaic.png`` are; written by ``models attention-maps``.

    Attributes
    ----------
    version : int
        Version of this file's form.
    mosaic : Mosaic
        The image in the same folder.
    """

    version: int = RECORD_VERSION
    mosaic: Mosaic


RECORD = TypedJson(
    ModelRecord,
    version=RECORD_VERSION,
    remedy="run `rapidvision models observe` again, or take the file away to leave the networks' maps out",
)
#: ``attention.json`` of ``models attention-maps``.
LEGEND = TypedJson(AttentionLegend, version=RECORD_VERSION, remedy="write it with `rapidvision models attention-maps`")


def record_path(table: Path | str) -> Path:
    """Where the record of a table lies: beside it, with the ending ``.json``.

    Examples
    --------
    >>> record_path("study/models.csv").as_posix()
    'study/models.json'
    """
    return Path(table).with_suffix(".json")


def write_record(table: Path | str, record: ModelRecord) -> None:
    """Write the record of a table beside it, atomically."""
    RECORD.write(record_path(table), record)


def read_record(table: Path | str) -> ModelRecord | None:
    """Read the record of a table.

    Parameters
    ----------
    table : path-like
        The networks' table; its record lies beside it.

    Returns
    -------
    ModelRecord or None
        None where there is no record.

    Raises
    ------
    RecipeError
        When the record is no JSON, or a key is missing or does not fit; the message names file and key.
    """
    path = record_path(table)
    return RECORD.read(path) if path.is_file() else None


def mosaic_bytes(table: Path | str, mosaic: Mosaic) -> bytes:
    """Return the mosaic's PNG, from the folder of the table.

    Raises
    ------
    InputError
        When the record names a path instead of a file, or the file is missing.
    """
    if Path(mosaic.file).name != mosaic.file or not mosaic.file:
        raise InputError(f'{record_path(table)}: attention.mosaic.file is "{mosaic.file}"; a file name is needed')
    return files.read_bytes(Path(table).with_name(mosaic.file))
