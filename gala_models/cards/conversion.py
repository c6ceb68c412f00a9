"""Cards of other programs' networks: timm's default settings, torchvision's transforms, Hugging Face's processors."""

import os
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from rapidvision import recipes
from rapidvision.errors import InputError, did_you_mean
from rapidvision.recipes import Recipe
from rapidvision.system import files, json_text

from ..preprocessing import Interpolation, Preprocessing
from .model_card import Classes, Loader, ModelCard
from .programs import program

R = TypeVar("R", bound=Recipe)

_IMAGENET = 1000
_INTERPOLATIONS: tuple[Interpolation, ...] = ("bilinear", "bicubic", "nearest")
#: Pillow's numbers of filters, as Hugging Face's processors write them.
_PILLOW = {0: "nearest", 2: "bilinear", 3: "bicubic"}


def card_of(source: str, *, name: str = "", checkpoint: Path | None = None, whole: bool = False) -> ModelCard:
    """Return the card of another program's network.

    Parameters
    ----------
    source : str
        ``timm:NAME``, ``torchvision:NAME``, ``huggingface:FOLDER`` or ``onnx:FILE``.
    name : str, optional
        The id in trials tables; by default that of the source.
    checkpoint : Path, optional
        Weights of timm's and torchvision's networks.
    whole : bool, default False
        See the whole of a square stimulus instead of the centre that the network's own rule cuts out.

    Returns
    -------
    ModelCard
        With the SHA-256 of the weights. Paths are those that were given.

    Raises
    ------
    InputError
        When there is no such network, or its images are prepared in a way that a card cannot state.
    """
    kind, colon, target = source.partition(":")
    if not colon or kind not in _CONVERSIONS:
        raise InputError(f'card: "{source}"; write {", ".join(f"{one}:NAME" for one in _CONVERSIONS)}')
    preprocessing, classes = _CONVERSIONS[kind](target)
    if whole:
        preprocessing = _replaced(preprocessing, resize_px=0)
    weights = checkpoint or (Path(target) if kind == "onnx" else None)
    default = Path(target).stem if kind in ("huggingface", "onnx") else target
    return ModelCard(
        name=name or default,
        loader=Loader(kind=cast(Any, kind), target=target, checkpoint=str(checkpoint or "")),
        preprocessing=preprocessing,
        classes=classes,
        readout="imagenet-animal" if classes.n == _IMAGENET else "",
        weights_sha256=files.sha256_file(weights) if weights is not None else "",
    )


def _replaced(value: R, **changes: Any) -> R:
    return msgspec.structs.replace(value, **changes)


def _of_timm(target: str) -> tuple[Preprocessing, Classes]:
    timm = program("timm", purpose=f"the settings of {target}")
    config = timm.models.get_pretrained_cfg(target) if timm.is_model(target.split(".")[0]) else None
    if config is None:
        raise InputError(f"timm: no network {target}. {did_you_mean(target, timm.list_models())}")
    size = config.input_size[1]
    resize = int(size / config.crop_pct) if config.crop_pct else size  # timm rounds down
    return (
        Preprocessing(
            size_px=size,
            resize_px=0 if resize == size else resize,
            mean=_three(config.mean),
            std=_three(config.std),
            interpolation=_interpolation(config.interpolation, target),
            crop=_crop(config.crop_mode, target),
        ),
        Classes(n=config.num_classes, source=f"timm, {target}"),
    )


def _of_torchvision(target: str) -> tuple[Preprocessing, Classes]:
    vision = program("torchvision", purpose=f"the transforms of {target}").models
    base, _, which = target.partition("@")
    if base not in vision.list_models():
        raise InputError(f"torchvision: no network {base}. {did_you_mean(base, vision.list_models())}")
    weights = vision.get_model_weights(base)
    names = [one.name for one in weights]
    if which and which not in names:
        raise InputError(f"torchvision: {base} has no weights {which}. {did_you_mean(which, names)}")
    found = weights[which] if which else weights.DEFAULT
    shown = found.transforms()
    size, resize = (_one(side) for side in (shown.crop_size, shown.resize_size))
    return (
        Preprocessing(
            size_px=size,
            resize_px=0 if resize == size else resize,
            mean=_three(shown.mean),
            std=_three(shown.std),
            interpolation=_interpolation(shown.interpolation.value, target),
        ),
        Classes(n=len(found.meta.get("categories", ())), source=f"torchvision, {found}"),
    )


def _of_huggingface(target: str) -> tuple[Preprocessing, Classes]:
    folder = Path(target)
    config = json_text.read(folder / "config.json")
    shown = json_text.read(folder / "preprocessor_config.json")
    cut = shown.get("crop_size") if shown.get("do_center_crop") else None
    resize = _side(shown.get("size", 224), folder)
    size = _side(cut, folder) if cut else resize
    number = shown.get("resample", 2)
    if number not in _PILLOW:
        raise InputError(f"{folder}: resample {number}; nearest (0), bilinear (2) and bicubic (3) can be stated")
    scale = 255 * float(shown.get("rescale_factor", 1 / 255)) if shown.get("do_rescale", True) else 255.0
    normal = shown.get("do_normalize", True)
    mean = _three(shown.get("image_mean", (0.5,) * 3)) if normal else (0.0,) * 3
    std = _three(shown.get("image_std", (0.5,) * 3)) if normal else (1.0,) * 3
    labels = config.get("id2label") or {}
    names = tuple(str(labels[key]) for key in sorted(labels, key=int))
    return (
        Preprocessing(
            size_px=size,
            resize_px=0 if resize == size else resize,
            mean=_three([value / scale for value in mean]),
            std=_three([value / scale for value in std]),
            interpolation=_interpolation(_PILLOW[number], target),
            crop="squash" if isinstance(shown.get("size"), dict) and "height" in shown["size"] else "centre",
        ),
        Classes(n=len(names), source=f"{folder.name}, config.json", names=() if len(names) == _IMAGENET else names),
    )


def _of_onnx(target: str) -> tuple[Preprocessing, Classes]:
    from .loaders import OnnxNetwork

    session = OnnxNetwork(Path(target))
    shape, n = session.sides()
    return Preprocessing(size_px=shape or 224), Classes(n=n or 0, source=Path(target).name)


def _three(values: Any) -> tuple[float, float, float]:
    found = [float(value) for value in values]
    if len(found) != 3:
        raise InputError(f"card: {len(found)} channels; networks of three channels can be stated")
    return found[0], found[1], found[2]


def _one(side: Any) -> int:
    return int(side[0] if isinstance(side, list | tuple) else side)


def _side(size: Any, where: Path) -> int:
    if isinstance(size, int):
        return size
    sides = [size[key] for key in ("shortest_edge", "height", "width") if key in size]
    if not sides or len(set(sides)) > 1:
        raise InputError(
            f"{where}: preprocessor_config.json has the size {size}; a square or a shortest edge can be stated"
        )
    return int(sides[0])


def _interpolation(word: str, where: str) -> Interpolation:
    word = "bilinear" if word in ("", "random") else word
    if word not in _INTERPOLATIONS:
        raise InputError(f"{where}: interpolation {word}; {', '.join(_INTERPOLATIONS)} can be stated")
    return word


def _crop(word: str, where: str) -> Any:
    found = {"center": "centre", "squash": "squash", "": "centre"}.get(word)
    if found is None:
        raise InputError(f"{where}: crop mode {word}; center and squash can be stated")
    return found


_CONVERSIONS: dict[str, Any] = {
    "timm": _of_timm,
    "torchvision": _of_torchvision,
    "huggingface": _of_huggingface,
    "onnx": _of_onnx,
}


def write_card(card: ModelCard, path: Path) -> None:
    """Write a card; its paths become relative to its folder.

    Raises
    ------
    InputError
        When the file exists, or a path cannot be told from the card's folder.
    """
    if path.exists():
        raise InputError(f"{path}: exists already; choose another name or remove it")
    loader = card.loader
    changes: dict[str, Any] = {}
    if loader.checkpoint:
        changes["checkpoint"] = _relative(loader.checkpoint, path.parent)
    if loader.kind in ("huggingface", "onnx"):
        changes["target"] = _relative(loader.target, path.parent)
    files.write_text(path, recipes.dump(_replaced(card, loader=_replaced(loader, **changes))))


def _relative(to: str, folder: Path) -> str:
    return Path(os.path.relpath(Path(to).resolve(), folder.resolve())).as_posix()
