"""Maps out: a picture folder that `stimuli build` takes as it is, and the files that the release's users read.

::

    OUT/
      images.csv, images/             the pictures as they were played
      maps/clickme/IMAGE.png          pooled maps, 16 bit, scaled to their maximum
      maps/clickme.npz                the same as float32, unscaled, by image id
      players/PLAYER/IMAGE.png        maps of each player, 16 bit (if wanted)
      players.npz                     the same as float32 (players, height, width), by image id
      recipe.toml                     for `rapidvision stimuli build`
      clicks.csv                      image_path, clicks, user_id
      clicks.npz                      file_pointer, clickmap_x, clickmap_y, user_id, user_catch_trial, is_mobile
      clickme.tfrecords               image, heatmap, label, click_count (if wanted)
      rounds.csv, players.csv         every round and every player, with what became of them
      export.json                     filters, counts, what made it
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rapidvision import files, picturefolder, tfrecord
from rapidvision.errors import InputError
from rapidvision.formats.rounds import COLUMNS, Round, write_rounds
from rapidvision.png import png_bytes
from rapidvision.progress import Advance, silent

from .collected import Collected, RoundRecord
from .deck import Deck, pixels
from .filters import Filters, Kept, kept
from .pooling import Form, map_of, maps_by_player, scaled, write_npz, write_player_maps
from .quality import PlayerQuality
from .release import records_of, user_id, write_clicks, write_table
from .rules import Rules

SOURCE = "clickme"


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did.

    Attributes
    ----------
    folder : Path
        Where it is.
    n_images, n_maps, n_players, n_bubbles : int
        What it holds.
    left_out : dict
        Reason → number of rounds.
    n_rounds : int
        All rounds of the game.
    """

    folder: Path
    n_images: int
    n_maps: int
    n_players: int
    n_bubbles: int
    left_out: dict[str, int]
    n_rounds: int

    def summary(self) -> str:
        """One line: what was kept, and what was left out for which reason."""
        lost = ", ".join(f"{n} {reason}" for reason, n in sorted(self.left_out.items(), key=lambda item: -item[1]))
        return f"kept {self.n_maps} of {self.n_rounds} rounds on {self.n_images} pictures; left out: {lost or 'none'}"


def export(
    collected: Collected,
    deck: Deck,
    rules: Rules,
    out: Path,
    *,
    quality: Mapping[str, PlayerQuality],
    filters: Filters | None = None,
    form: Form | None = None,
    command: str = "clickme export",
    advance: Advance = silent,
) -> Exported:
    """Write the maps of a game.

    Parameters
    ----------
    collected : Collected
        Everything played.
    deck : Deck
        The pictures.
    rules : Rules
        Size of picture and bubbles.
    out : Path
        A new or empty folder.
    quality : mapping
        Player id → quality, from :func:`.quality.judge`.
    filters, form : Filters, Form
        What is left out, and how maps are made.
    command : str
        For the record.
    advance : callable
        Told of every picture done.

    Returns
    -------
    Exported
        Counts.

    Raises
    ------
    InputError
        When the folder has something in it, a picture is missing, or nothing passes the filters.
    """
    filters, form = filters or Filters(), form or Form()
    if out.is_dir() and any(out.iterdir()):
        raise InputError(f"{out}: not empty; choose a new folder, so that no old map stays among the new ones")
    passed = kept(collected, filters, quality)
    unknown = sorted(set(passed.by_image) - set(deck.cards))
    if unknown:
        raise InputError(f"{deck.folder}: no picture {unknown[0]}, which was played ({len(unknown)} are missing)")
    done = Exported(
        out,
        len(passed.by_image),
        passed.n_kept,
        len({record.player_id for records in passed.by_image.values() for record in records}),
        sum(record.n_bubbles for records in passed.by_image.values() for record in records),
        passed.left_out,
        len(collected.rounds),
    )
    if not passed.by_image:
        raise InputError(f"nothing to export: {done.summary()}")
    _write_tables(collected, passed, out, quality)
    maps = _write_maps(passed, rules, out, form, advance)
    _write_pictures(passed, deck, rules, out)
    write_clicks(passed, out, quality)
    if form.with_tfrecords:
        tfrecord.write(out / "clickme.tfrecords", records_of(passed, deck, rules, maps))
    description = {
        "counts": {key: value for key, value in asdict(done).items() if key != "folder"},
        "filters": asdict(filters),
        "form": asdict(form),
        "rules": rules,
        "n_open_rounds": collected.n_open,
        "broken_pictures": collected.broken,
        "provenance": files.provenance(command, packages=("numpy", "scipy")),
    }
    files.write_json(out / "export.json", description)
    return done


def _write_maps(passed: Kept, rules: Rules, out: Path, form: Form, advance: Advance) -> dict[str, NDArray[np.float32]]:
    maps: dict[str, NDArray[np.float32]] = {}
    for name, records in passed.by_image.items():
        values = map_of(records, rules, form)
        maps[name] = values.astype(np.float32)
        files.write_bytes(out / "maps" / SOURCE / f"{name}.png", png_bytes(scaled(values)))
        if form.per_player:
            for player, own in maps_by_player(records, rules, form).items():
                files.write_bytes(out / "players" / user_id(player) / f"{name}.png", png_bytes(scaled(own)))
        advance(1)
    if form.per_player:
        write_player_maps(out / "players.npz", passed.by_image, rules, form)
    write_npz(out / "maps" / f"{SOURCE}.npz", maps)
    return maps


def _write_pictures(passed: Kept, deck: Deck, rules: Rules, out: Path) -> None:
    rows = []
    for name in passed.by_image:
        card = deck.cards[name]
        files.write_bytes(out / "images" / f"{name}.png", png_bytes(pixels(card.path, rules.picture_px)))
        rows.append({**card.row, "path": f"images/{name}.png"})
    write_table(out / picturefolder.TABLE, list(rows[0]), rows)
    if "target" in rows[0]:
        lines = (
            f'name = "{SOURCE}"',
            f"image_px = {rules.picture_px}",
            'images = "images.csv"',
            "",
            "[[maps]]",
            f'source = "{SOURCE}"',
            'reader = "folder"',
            f'path = "maps/{SOURCE}"',
        )
        files.write_text(out / "recipe.toml", "\n".join(lines) + "\n")


def _write_tables(collected: Collected, passed: Kept, out: Path, quality: Mapping[str, PlayerQuality]) -> None:
    write_rounds(out / "rounds.csv", (_round(record, passed) for record in collected.rounds))
    columns = ["user_id", *(field.name for field in fields(PlayerQuality) if field.name != "player_id")]
    people = []
    for one in quality.values():
        row = {name: getattr(one, name) for name in columns[1:]}
        people.append({**row, "user_id": user_id(one.player_id), "flags": " ".join(one.flags)})
    write_table(out / "players.csv", columns, people)


def _round(record: RoundRecord, passed: Kept) -> Round:
    own = {name: getattr(record, name) for name in COLUMNS if name not in ("user_id", "left_out")}
    return Round(**own, user_id=user_id(record.player_id), left_out=passed.reasons.get(record.round_id, ""))
