"""What participants' browsers may send besides trials: every field typed and bounded, nothing else taken."""

from typing import Annotated, Literal

import msgspec

ResumeKey = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{22,64}$")]
Small = Annotated[str, msgspec.Meta(max_length=120)]
Number = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]


class Device(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the runner says about the browser and the screen; nothing that names a person or a network."""

    browser: Annotated[str, msgspec.Meta(max_length=60)] = ""
    platform: Small = ""
    mobile: bool = False
    width_px: Number = 0
    height_px: Number = 0
    screen_width_px: Number = 0
    screen_height_px: Number = 0
    device_pixel_ratio: Number = 0
    refresh_hz: Number = 0
    refresh_sd_ms: Number = 0
    clock_ms: Number = 0
    isolated: bool = False
    presenter: Small = ""
    pointer: Small = ""
    cores: Number = 0
    utc_offset_min: Number = 0
    webdriver: bool = False
    forced_colors: bool = False
    load_ms: Number = 0


class NewSession(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of an arrival."""

    ids: Annotated[
        dict[Annotated[str, msgspec.Meta(max_length=40)], Annotated[str, msgspec.Meta(max_length=200)]],
        msgspec.Meta(max_length=10),
    ]
    consent_sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    resume_key: ResumeKey
    device: Device = Device()
    simulated: bool = False


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that happened around the trials."""

    kind: Literal[
        "step", "hidden", "shown", "fullscreen_lost", "error", "offline", "stale_write", "left", "criterion_missed"
    ]
    detail: Annotated[str, msgspec.Meta(max_length=300)] = ""


class Tally(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to be counted before any consent."""

    kind: Literal[
        "arrived",
        "declined",
        "excluded_touch",
        "excluded_size",
        "excluded_refresh",
        "excluded_browser",
        "excluded_storage",
    ]
    simulated: bool = False


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A withdrawal code, as it was given out."""

    code: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9 -]{8,40}$")]
