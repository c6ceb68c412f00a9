"""The tables of a stimulus recipe about its inputs: images that a foreign table lists, map sources, and their frames."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from rapidvision.formats.image_folder import checked_name
from rapidvision.recipes import Recipe
from rapidvision.reveal import INTACT_LABEL
from rapidvision.screen import Screen

from .naming import Naming, compiled
from .presets.read import read_preset
from .registries import READERS, Options, check_name

_Side = Annotated[int, Meta(ge=1, le=100_000)]
_Size = Annotated[float, Meta(gt=0)]
#: Keys of a frame that mean something only together with its `place`.
_OF_PLACES = frozenset({"place", "offset_px", "scale", "share"})


class ImageTable(Recipe, frozen=True):
    """Images listed in a table that was not written for RapidVision.

    Attributes
    ----------
    table : str
        A CSV file with a header.
    folder : str
        Where the images are.
    path_column, category_column : str
        Columns that hold the image's file name and its category.
    id : str
        Pattern of the images' ids: ``{stem}``, ``{name}``, ``{folder}`` and ``{suffix}`` of the file name, and every
        column, as in ``{category}-{stem}``. Names that cannot be ids get a slug.
    targets : tuple of str
        Which categories are targets.
    """

    table: str
    targets: tuple[str, ...]
    folder: str = "."
    path_column: str = "path"
    category_column: str = "category"
    id: str = "{stem}"


class Frame(Recipe, frozen=True):
    """The frame in which a source has its coordinates or its maps, and how the image lies in it.

    What is left out follows from the source's preset, else from the format, else from the image.

    Attributes
    ----------
    size_px : (int, int) or None
        Width and height of the frame: of the display, the padded image, or the image as it was shown. Left out: what
        the file says, or the image's own.
    place : {"whole", "letterbox", "centred", "stretched", "square", "at"} or None
        How the image lies in the frame. ``whole`` (if left out): it fills the frame with its own proportions.
        ``letterbox``: as large as it fits with its proportions, in the middle, between margins. ``centred``: in the
        middle, at `scale`. ``stretched``: it fills the frame whatever its proportions. ``square``: the frame is the
        middle square of the image, of `share` times its shorter side. ``at``: its first pixel is at `offset_px`.
    offset_px : (float, float) or None
        For ``at``: column and row of the image's left and upper edge. For ``centred``: how far it was moved from there.
    scale : float or None
        Pixels of the frame per pixel of the image, for ``at`` and ``centred``; 1 if left out.
    share : float or None
        For ``square``; 1 if left out. A network that scales to 256 and cuts 224 has .875.
    axes : {"xy", "row-column"} or None
        Order of the two coordinates of a point.
    origin : {0, 1} or None
        Coordinate of the first pixel.
    unit : {"px", "deg", "fraction"} or None
        ``deg``: degrees of visual angle from the middle of the frame, for which `screen` is needed. ``fraction``: 0 is
        the left or upper edge of the frame, 1 the right or lower one.
    up : bool or None
        Whether y grows upwards.
    middle : bool or None
        Whether 0 is the middle of the frame, for coordinates in pixels.
    screen : Screen or None
        The display of the recording, for degrees.

    Examples
    --------
    >>> import rapidvision as rv
    >>> rv.stimuli.Frame(size_px=(1680, 1050), place="letterbox").size_px
    (1680, 1050)
    """

    size_px: tuple[_Side, _Side] | None = None
    place: Literal["whole", "letterbox", "centred", "stretched", "square", "at"] | None = None
    offset_px: tuple[float, float] | None = None
    scale: _Size | None = None
    share: Annotated[float, Meta(gt=0, le=1)] | None = None
    axes: Literal["xy", "row-column"] | None = None
    origin: Literal[0, 1] | None = None
    unit: Literal["px", "deg", "fraction"] | None = None
    up: bool | None = None
    middle: bool | None = None
    screen: Screen | None = None

    def __post_init__(self) -> None:
        for name, places in (("offset_px", ("at", "centred")), ("scale", ("at", "centred")), ("share", ("square",))):
            if getattr(self, name) is not None and self.place not in places:
                raise ValueError(
                    f"{name} belongs to place = {' or '.join(places)}, got place = {self.place or 'whole'}"
                )
        if self.place == "at" and self.offset_px is None:
            raise ValueError('place = "at" needs offset_px, the column and row of the image\'s upper left corner')
        if self.place == "square" and self.size_px is not None and self.size_px[0] != self.size_px[1]:
            raise ValueError(f'place = "square" is a square cut of the image, got size_px = {list(self.size_px)}')
        if self.middle and (self.origin is not None or self.unit not in (None, "px")):
            raise ValueError("middle belongs to coordinates in pixels without origin")


class MapSource(Recipe, frozen=True):
    """One source of importance maps.

    Attributes
    ----------
    source : str
        Its name; names the group of participants who will see its stimuli.
    path : str
        File or folder.
    reader : str
        How its files are read; built in or a plug-in. Follows from `preset` where there is one.
    preset : str
        A public data set or a format; says reader, frame and names. ``rapidvision stimuli presets`` lists them.
    blur : str
        ``none``, ``paper`` (49x49 box), ``gala_tpu`` (the 49x49 window of the reference code), ``gauss:7``
        (sigma in pixels of the finished image), ``gauss:0.5deg`` or ``disc:10`` (radius in pixels).
    frame : Frame
        Where the image lies in what the source recorded.
    files : str
        Pattern of the names in the source, such as ``{category}/{stem}_fixMap.jpg``; what does not have it is left out
        and counted. Left out: files directly in the folder, with any suffix that the reader knows.
    id : str
        Pattern that makes an image's id of such a name.
    key : str
        Variable of a MATLAB file, or array of an ``.npz`` file, that holds a map; for tables pairs like
        ``image=stimulus, x=pixel_x, y=pixel_y``.
    weights : {"none", "duration"}
        Whether fixations count once each or for as long as they lasted.
    options : dict
        Parameters of a reader that is a plug-in.

    Examples
    --------
    >>> import rapidvision as rv
    >>> source = rv.stimuli.MapSource(source="clickme", reader="folder", path="maps", blur="gauss:0.5deg")
    >>> source.source, source.weights
    ('clickme', 'none')
    >>> rv.stimuli.MapSource(source="eye", preset="coco-search18", path="fixations.json").frame.place
    'letterbox'
    """

    source: str
    path: str
    reader: str = ""
    preset: str = ""
    blur: str = "none"
    frame: Frame = Frame()
    files: str = ""
    id: str = ""
    key: str = ""
    weights: Literal["none", "duration"] = "none"
    options: Options = msgspec.UNSET

    def __post_init__(self) -> None:
        if self.preset:
            self._fill()
        if not self.reader:
            raise ValueError('reader is missing; name one, or a preset such as preset = "salicon-json"')
        check_name(self.reader, READERS, self.options)
        checked_name(self.source, "source")
        if self.source == INTACT_LABEL:
            raise ValueError(f'source must not be "{INTACT_LABEL}"; the intact image is called so')
        compiled(self.files)
        msgspec.structs.force_setattr(self, "id", self.id or "{stem}")
        Naming(self.files, self.id)

    def _fill(self) -> None:
        """Take from the preset what the recipe leaves out."""
        preset = read_preset(self.preset)
        for name in ("reader", "files", "id", "key"):
            if not getattr(self, name):
                msgspec.structs.force_setattr(self, name, getattr(preset, name))
        given = {name: value for name, value in msgspec.structs.asdict(self.frame).items() if value is not None}
        kept = {name: value for name, value in preset.frame.items() if "place" not in given or name not in _OF_PLACES}
        msgspec.structs.force_setattr(self, "frame", msgspec.convert(kept | given, Frame))

    @property
    def naming(self) -> Naming:
        """How the source's names become ids."""
        return Naming(self.files, self.id)
