"""Maps out: an image folder that `stimuli build` reads without a change, and the files that the release's users read.

::

    OUT/
      images.csv, images/             the images as they were played
      maps/clickme/IMAGE.png          pooled maps, 16 bit, scaled to their maximum
      maps/clickme.npz                the same as float32, unscaled, by image id
      players/PLAYER/IMAGE.png        maps of each player, 16 bit (if wanted)
      players.npz                     the same as float32 (players, height, width), by image id
      recipe.toml                     for `rapidvision stimuli build`
      clicks.csv                      image_path, clicks, user_id
      clicks.npz                      file_pointer, clickmap_x, clickmap_y, user_id, user_catch_trial, is_mobile
      clickme.tfrecords               image, heatmap, label, click_count; or as JPEG, without count (if wanted)
      crops.csv                       where each map lies on its original
      image_sizes.npy                 category/file → (width, height) of the images as played, for the release's tools
      rounds.csv, players.csv         every round and every player, with what became of them
      export.json                     filters, counts, what made it
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from math import isnan
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.formats import image_folder, tfrecord
from rapidvision.formats.game import crops, export_record, players, release_record, rounds
from rapidvision.formats.game.crops import Crop
from rapidvision.formats.game.export_record import Counts, ExportRecord
from rapidvision.formats.game.players import Player
from rapidvision.formats.game.rounds import Round, write_rounds
from rapidvision.formats.map_stacks import open_stacks
from rapidvision.images.png import png_bytes
from rapidvision.system import files
from rapidvision.system.progress import Advance, silent

from ..game.rules import Rules
from ..storage.collected import Collected, RoundRecord
from ..storage.displayed import DisplayedImage, displayed_image
from ..storage.images import Card, Deck
from ..storage.played_images import MISSING, REPLACED, UNREADABLE, Images
from ..storage.selection import digest_of
from .filters import Filters, Kept, apply_filters
from .pooling import Form, map_of, maps_by_player, scaled, stack_of
from .quality import PlayerQuality
from .release import path_of, user_id, write_clicks

SOURCE = "clickme"
#: Of PNG files: three times as fast as usual, and a tenth larger.
_EFFORT = 1


def export(
    collected: Collected,
    deck: Deck,
    rules: Rules,
    out: Path,
    *,
    quality: Mapping[str, PlayerQuality],
    filters: Filters | None = None,
    form: Form | None = None,
    others: Mapping[str, int] | None = None,
    command: str = "clickme export",
    advance: Advance = silent,
) -> Counts:
    """Write the maps of a game, one image at a time in memory.

    Parameters
    ----------
    collected : Collected
        Rounds that may be counted together, see :func:`.selection.select`.
    deck : Deck
        The images. Rounds on images that are not the played ones any more are left out, by their hash.
    rules : Rules
        Those of the rounds.
    out : Path
        A new or empty folder.
    quality : mapping
        Player id → quality, from :func:`.quality.player_quality`.
    filters, form : Filters, Form
        What is left out, and how maps are made.
    others : mapping, optional
        Reason → number of the game's rounds that are not in `collected`; they are counted as left out.
    command : str
        For the record.
    advance : callable
        Told of every image done.

    Returns
    -------
    Counts
        What the export holds, and what it left out.

    Raises
    ------
    InputError
        When the folder has something in it, rounds have another frame than `rules`, or nothing passes the filters.
    """
    filters, form = filters or Filters(), form or Form()
    if out.is_dir() and any(out.iterdir()):
        raise InputError(f"{out}: not empty; choose a new folder, so that no old map stays among the new ones")
    _check_frame(collected, rules)
    passed = apply_filters(collected, filters, quality, images=Images(deck))
    done = _counted(collected, passed, others or {})
    if not passed.by_image:
        raise InputError(f"nothing to export: {done.summary()}")
    _write_tables(collected, passed, out, quality)
    payloads = _each_image(passed, deck, rules, out, form, advance)
    if form.tfrecords:
        tfrecord.write(out / "clickme.tfrecords", payloads)
    else:
        for _ in payloads:
            pass
    _write_folder(passed, deck, rules, out)
    write_clicks(passed, out, quality)
    record = ExportRecord(
        counts=done,
        filters=asdict(filters),
        form=asdict(form),
        rules=msgspec.to_builtins(rules),
        rules_played=tuple(sorted({digest_of(record.rules) for record in collected.rounds})),
        n_open_rounds=collected.n_open,
        broken_images=dict(collected.broken),
        provenance=files.provenance(command, packages=("numpy", "scipy")),
    )
    export_record.RECORD.write(out / export_record.NAME, record)
    return done


def _check_frame(collected: Collected, rules: Rules) -> None:
    """Refuse rounds that were played in another frame: their bubbles would lie elsewhere on the image."""
    frames = {(record.rules.image_px, record.rules.bubble_px) for record in collected.rounds}
    if frames - {(rules.image_px, rules.bubble_px)}:
        raise InputError("export: rounds of several image_px or bubble_px; choose those of one set of rules (--rules)")


def _counted(collected: Collected, passed: Kept, others: Mapping[str, int]) -> Counts:
    changed: defaultdict[str, set[str]] = defaultdict(set)
    for record in collected.rounds:
        if (reason := passed.reasons.get(record.round_id, "")) in (MISSING, UNREADABLE, REPLACED):
            changed[reason].add(record.image_id)
    records = [record for group in passed.by_image.values() for record in group]
    return Counts(
        n_images=len(passed.by_image),
        n_maps=passed.n_kept,
        n_players=len({record.player_id for record in records}),
        n_bubbles=sum(record.n_bubbles for record in records),
        left_out={**passed.left_out, **others},
        n_rounds=len(collected.rounds) + sum(others.values()),
        changed={reason: tuple(sorted(names)) for reason, names in sorted(changed.items())},
    )


def _each_image(passed: Kept, deck: Deck, rules: Rules, out: Path, form: Form, advance: Advance) -> Iterator[bytes]:
    """Write the files of one image after the other, and yield its TFRecord."""
    words = sorted({records[0].category for records in passed.by_image.values()})
    crop_rows: list[Crop] = []
    with ExitStack() as stack:
        pooled = stack.enter_context(open_stacks(out / "maps" / f"{SOURCE}.npz"))
        single = stack.enter_context(open_stacks(out / "players.npz")) if form.per_player else None
        for name, records in passed.by_image.items():
            shown = displayed_image(deck.cards[name].path, rules.image_px)
            image, cut = shown.pixels, _crop(deck.cards[name], shown, rules)
            crop_rows.append(cut)
            label = words.index(records[0].category)
            values = map_of(records, rules, form)
            _write_png(out / "images" / f"{name}.png", image)
            _write_png(out / "maps" / SOURCE / f"{name}.png", scaled(values))
            pooled.add(name, values.astype("f4"))
            if single is not None:
                single.add(name, stack_of(records, rules, form))
                for player, own in maps_by_player(records, rules, form).items():
                    _write_png(out / "players" / user_id(player) / f"{name}.png", scaled(own))
            n_clicks = sum(record.n_bubbles for record in records)
            if form.tfrecords == "jpeg":
                yield release_record.encode_jpeg(image, values, label=label)
            else:
                yield release_record.encode(image, values, label=label, click_count=n_clicks)
            advance(1)
    crops.TABLE.write(out / crops.NAME, crop_rows)


def _write_folder(passed: Kept, deck: Deck, rules: Rules, out: Path) -> None:
    """Write the table of the images, with the words as they were played, and the recipe."""
    rows = [
        {**deck.cards[name].row, "path": f"images/{name}.png", "category": records[0].category}
        for name, records in passed.by_image.items()
    ]
    image_folder.write_table(out / image_folder.TABLE, rows)
    sizes = {path_of(records[0]): (rules.image_px, rules.image_px) for records in passed.by_image.values()}
    with files.atomic(out / crops.SIZES) as file:
        np.save(file, np.array(sizes, dtype=object), allow_pickle=True)
    if "target" in rows[0]:
        image_folder.write_recipe(out, name=SOURCE, image_px=rules.image_px, source=SOURCE)


def _write_png(path: Path, pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    """Write one of many files: fast, and on the disk when the system likes; ``export.json`` comes last."""
    files.write_bytes(path, png_bytes(pixels, effort=_EFFORT), durable=False)


def _crop(card: Card, shown: DisplayedImage, rules: Rules) -> Crop:
    left, top, side = shown.square
    return Crop(
        image_id=card.image_id,
        path=card.row["path"],
        image_sha256=shown.sha256,
        width_px=shown.width_px,
        height_px=shown.height_px,
        left_px=left,
        top_px=top,
        side_px=side,
        image_px=rules.image_px,
    )


def _write_tables(collected: Collected, passed: Kept, out: Path, quality: Mapping[str, PlayerQuality]) -> None:
    write_rounds(out / rounds.NAME, (_round(record, passed) for record in collected.rounds))
    players.TABLE.write(out / players.NAME, map(_player, quality.values()))


def _player(one: PlayerQuality) -> Player:
    return Player(
        user_id=user_id(one.player_id),
        n_maps=one.n_maps,
        agreement=_known(one.agreement),
        null=_known(one.null),
        p=_known(one.p),
        n_catch=one.n_catch,
        catch_score=_known(one.catch_score),
        automated_share=one.automated_share,
        n_repeated=one.n_repeated,
        flags=" ".join(one.flags),
    )


def _known(value: float) -> float | None:
    return None if isnan(value) else value


def _round(record: RoundRecord, passed: Kept) -> Round:
    others: dict[str, Any] = {
        "rules": digest_of(record.rules),
        "user_id": user_id(record.player_id),
        "left_out": passed.reasons.get(record.round_id, ""),
    }
    own = {name: getattr(record, name) for name in Round.__struct_fields__ if name not in others}
    return Round(**own, **others)
