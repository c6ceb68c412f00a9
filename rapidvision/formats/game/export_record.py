"""The record of an export, ``export.json``: written by ``clickme export`` for the users; names filters, counts and versions."""

from typing import Any

import msgspec

from rapidvision.system import files
from rapidvision.text.typed_json import TypedJson

NAME = "export.json"
EXPORT_VERSION = 1


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What an export holds, and what it left out.

    Attributes
    ----------
    n_images, n_maps, n_players, n_bubbles : int
        What it holds.
    left_out : dict
        Reason → number of rounds.
    n_rounds : int
        All rounds of the game.
    changed : dict
        Reason → ids of the images that are not what was played any more.
    """

    n_images: int
    n_maps: int
    n_players: int
    n_bubbles: int
    left_out: dict[str, int]
    n_rounds: int
    changed: dict[str, tuple[str, ...]]

    def summary(self) -> str:
        """One line: what was kept, and what was left out for which reason."""
        lost = ", ".join(f"{n} {reason}" for reason, n in sorted(self.left_out.items(), key=lambda item: -item[1]))
        return f"kept {self.n_maps} of {self.n_rounds} rounds on {self.n_images} images; left out: {lost or 'none'}"


class ExportRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How an export was made.

    Attributes
    ----------
    version : int
        Version of this file's form; it is the version of the export's files without one of their own
        (``clicks.csv``, ``clicks.npz``, ``clickme.tfrecords``), whose form the ClickMe releases have set.
    counts : Counts
        What the export holds.
    filters, form, rules : dict
        What was left out, how maps were made, the rules of the game, by the names of their options.
    rules_played : tuple of str
        Digests of the rules of the rounds.
    n_open_rounds : int
        Rounds that had not ended.
    broken_images : dict
        Image id → why it could not be shown.
    provenance : Provenance
        Command and versions.
    """

    version: int = EXPORT_VERSION
    counts: Counts
    filters: dict[str, Any]
    form: dict[str, Any]
    rules: dict[str, Any]
    rules_played: tuple[str, ...]
    n_open_rounds: int
    broken_images: dict[str, str]
    provenance: files.Provenance


RECORD = TypedJson(ExportRecord, version=EXPORT_VERSION, remedy="write it with `rapidvision clickme export`")
