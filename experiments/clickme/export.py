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

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision import files, tfrecord
from rapidvision.errors import InputError
from rapidvision.progress import Advance, silent

from .collected import Collected, RoundRecord
from .deck import Deck, pixels, png
from .painting import blurred, counts, pooled
from .quality import Filters, Kept, PlayerQuality, kept
from .rules import Rules

SOURCE = "clickme"
_FULL_SCALE = 65535
_ROUND_COLUMNS = (
    "round_id", "image_id", "category", "practice", "started_utc", "ended_utc", "result", "points", "duration_ms",
    "n_bubbles", "partner", "partner_state", "pointer", "is_mobile", "automated", "n_refused",
)  # fmt: skip


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


@dataclass(frozen=True, slots=True)
class Form:
    """How maps are made and which files are written.

    Attributes
    ----------
    blur : str
        ``none``, ``paper``, ``gauss:SIGMA``.
    pool : {"players", "bubbles"}
        See :func:`.painting.pooled`.
    per_player : bool
        Write each player's maps.
    with_tfrecords : bool
        Write the release's TFRecord form.
    """

    blur: str = "paper"
    pool: str = "players"
    per_player: bool = False
    with_tfrecords: bool = False


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
    _write_clicks(passed, out, quality)
    if form.with_tfrecords:
        tfrecord.write(out / "clickme.tfrecords", _records(passed, deck, rules, maps))
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


def user_id(player_id: str) -> str:
    """Return a player's id for files: random, without the username, and no formula to a spreadsheet."""
    return f"p_{player_id}"


def map_of(records: Sequence[RoundRecord], rules: Rules, form: Form) -> NDArray[np.float64]:
    """Return the pooled map of a picture; a player's rounds on it are one player's."""
    by_player: dict[str, list[Sequence[int]]] = {}
    for record in records:
        by_player.setdefault(record.player_id, []).extend(record.xy.tolist())
    drawn = [counts(xy, side_px=rules.picture_px, bubble_px=rules.bubble_px) for xy in by_player.values()]
    return blurred(pooled(drawn, pool=form.pool), form.blur)


def maps_by_player(records: Sequence[RoundRecord], rules: Rules, form: Form) -> dict[str, NDArray[np.float64]]:
    """Return each player's own map of a picture, by player id, in sorted order."""
    players = sorted({record.player_id for record in records})
    return {one: map_of([r for r in records if r.player_id == one], rules, form) for one in players}


def write_player_maps(
    path: Path, by_image: Mapping[str, Sequence[RoundRecord]], rules: Rules, form: Form, *, block_px: int = 1
) -> None:
    """Write an ``.npz`` of float32 (players, height, width) by image id, each pixel the mean of a block."""
    side = rules.picture_px // block_px
    stacks = {}
    for name, records in by_image.items():
        full = np.stack(list(maps_by_player(records, rules, form).values()))
        cut = full[:, : side * block_px, : side * block_px]
        stacks[name] = cut.reshape(-1, side, block_px, side, block_px).mean(axis=(2, 4)).astype(np.float32)
    _write_npz(path, stacks)


def scaled(values: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Return a map as 16-bit grey, its maximum full scale."""
    return np.asarray(np.rint(values / values.max() * _FULL_SCALE), dtype=np.uint16)


def _write_maps(passed: Kept, rules: Rules, out: Path, form: Form, advance: Advance) -> dict[str, NDArray[np.float32]]:
    maps: dict[str, NDArray[np.float32]] = {}
    for name, records in passed.by_image.items():
        values = map_of(records, rules, form)
        maps[name] = values.astype(np.float32)
        files.write_bytes(out / "maps" / SOURCE / f"{name}.png", png(scaled(values)))
        if form.per_player:
            for player, own in maps_by_player(records, rules, form).items():
                files.write_bytes(out / "players" / user_id(player) / f"{name}.png", png(scaled(own)))
        advance(1)
    if form.per_player:
        write_player_maps(out / "players.npz", passed.by_image, rules, form)
    _write_npz(out / "maps" / f"{SOURCE}.npz", maps)
    return maps


def _write_pictures(passed: Kept, deck: Deck, rules: Rules, out: Path) -> None:
    rows = []
    for name in passed.by_image:
        card = deck.cards[name]
        files.write_bytes(out / "images" / f"{name}.png", png(pixels(card.path, rules.picture_px)))
        rows.append({**card.row, "path": f"images/{name}.png"})
    write_table(out / "images.csv", list(rows[0]), rows)
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


def _write_clicks(passed: Kept, out: Path, quality: Mapping[str, PlayerQuality]) -> None:
    records = [record for group in passed.by_image.values() for record in group]
    paths = [f"{record.category}/{record.image_id}.png" for record in records]
    rows = [
        {
            "image_path": path,
            "clicks": "{" + ",".join(f'"({x},{y})"' for x, y in record.xy.tolist()) + "}",
            "user_id": user_id(record.player_id),
        }
        for path, record in zip(paths, records, strict=True)
    ]
    write_table(out / "clicks.csv", ["image_path", "clicks", "user_id"], rows)
    catch = [quality[r.player_id].catch_score if r.player_id in quality else float("nan") for r in records]
    arrays: dict[str, NDArray[Any]] = {
        "file_pointer": np.array(paths),
        "clickmap_x": _ragged([record.xy[:, 0] for record in records]),
        "clickmap_y": _ragged([record.xy[:, 1] for record in records]),
        "user_id": np.array([user_id(record.player_id) for record in records]),
        "user_catch_trial": np.array(catch),
        "is_mobile": np.array([[record.is_mobile] for record in records]),
    }
    _write_npz(out / "clicks.npz", arrays)


def _ragged(rows: Sequence[NDArray[Any]]) -> NDArray[Any]:
    out = np.empty(len(rows), dtype=object)
    for place, row in enumerate(rows):
        out[place] = row
    return out


def _write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an ``.npz`` whose bytes depend on its content alone (numpy's own carries the time of day)."""
    with files.atomic(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            body = io.BytesIO()
            np.lib.format.write_array(body, array, allow_pickle=array.dtype == object)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), body.getvalue(), zipfile.ZIP_DEFLATED)


def _records(passed: Kept, deck: Deck, rules: Rules, maps: Mapping[str, NDArray[np.float32]]) -> list[bytes]:
    """Return the records of the release's first form: raw float32 picture (0 … 255) and map, label, click count."""
    labels = {category: number for number, category in enumerate(deck.categories)}
    out = []
    for name, records in passed.by_image.items():
        features: dict[str, list[bytes] | list[int]] = {
            "image": [pixels(deck.cards[name].path, rules.picture_px).astype("<f4").tobytes()],
            "heatmap": [maps[name].astype("<f4").tobytes()],
            "label": [labels[deck.cards[name].category]],
            "click_count": [sum(record.n_bubbles for record in records)],
        }
        out.append(tfrecord.encode(features))
    return out


def _write_tables(collected: Collected, passed: Kept, out: Path, quality: Mapping[str, PlayerQuality]) -> None:
    rows = []
    for record in collected.rounds:
        row = {name: getattr(record, name) for name in _ROUND_COLUMNS}
        reason = passed.reasons.get(record.round_id, "")
        rows.append({**row, "user_id": user_id(record.player_id), "left_out": reason})
    write_table(out / "rounds.csv", [*_ROUND_COLUMNS, "user_id", "left_out"], rows)
    columns = ["user_id", *(field.name for field in fields(PlayerQuality) if field.name != "player_id")]
    people = []
    for one in quality.values():
        row = {name: getattr(one, name) for name in columns[1:]}
        people.append({**row, "user_id": user_id(one.player_id), "flags": " ".join(one.flags)})
    write_table(out / "players.csv", columns, people)


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a CSV file, atomically."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    files.write_text(path, text.getvalue())


def read_objects(deck: Deck, rules: Rules) -> dict[str, NDArray[np.bool_]]:
    """Return the object masks of a picture folder (``objects/IMAGE.png``, 1 = the object) for its square pictures."""
    from PIL import Image

    masks: dict[str, NDArray[np.bool_]] = {}
    for name in deck.cards:
        path = deck.folder / "objects" / f"{name}.png"
        if path.is_file():
            with Image.open(path) as opened:
                if opened.width == opened.height:
                    side = (rules.picture_px, rules.picture_px)
                    masks[name] = np.asarray(opened.resize(side, Image.Resampling.NEAREST)) == 1
    return masks
