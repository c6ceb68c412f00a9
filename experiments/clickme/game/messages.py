"""What the page and the server say to each other during play: JSON objects with a ``type``."""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from rapidvision.system import json_text

from .round import Guess, Round

_Id = Annotated[str, msgspec.Meta(max_length=32)]
_Number = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
_Coordinate = Annotated[int, msgspec.Meta(ge=-1_000_000, le=1_000_000)]
_Milliseconds = Annotated[float, msgspec.Meta(ge=-1e9, le=1e12)]


class Deal(msgspec.Struct, tag="deal", forbid_unknown_fields=True):
    """The player wants the next image."""


class Start(msgspec.Struct, tag="start", forbid_unknown_fields=True):
    """The player pressed on the image: the clock begins when this arrives."""

    round: _Id
    pointer: Literal["mouse", "pen", "touch", "keyboard", ""] = ""
    mobile: bool = False
    automated: bool = False


class Bubbles(msgspec.Struct, tag="bubbles", forbid_unknown_fields=True):
    """Bubbles in order, from number `first`; `client_ms` are the browser's own times and decide nothing."""

    round: _Id
    first: _Number
    xy: list[tuple[_Coordinate, _Coordinate]]
    client_ms: list[_Milliseconds] = []


class Skip(msgspec.Struct, tag="skip", forbid_unknown_fields=True):
    """The player wants another image."""

    round: _Id


class Report(msgspec.Struct, tag="report", forbid_unknown_fields=True):
    """The player says that the image is poor or the word above it wrong."""

    round: _Id
    reason: Literal["poor_image", "wrong_label"]


FromPage: TypeAlias = Deal | Start | Bubbles | Skip | Report
_decoder: msgspec.json.Decoder[FromPage] = msgspec.json.Decoder(FromPage)


def decode(text: str | bytes) -> FromPage:
    """Return a message from the page; raises msgspec.DecodeError (ValidationError) or RecipeError for anything else."""
    message = _decoder.decode(text)
    json_text.check_keys(text, name="the message")
    return message


def refused(code: str, text: str, **more: Any) -> dict[str, Any]:
    """Say no: a code for the page, a sentence for the player."""
    return {"type": "refused", "code": code, "text": text, **more}


def image(play: Round, *, practice: bool, elapsed_ms: float | None) -> dict[str, Any]:
    """Describe the round that is up, all of it: a page that comes back resumes from here.

    `elapsed_ms` is None while the clock stands.
    """
    return {
        "type": "image",
        "round": play.round_id,
        "category": play.category,
        "practice": practice,
        "elapsed_ms": elapsed_ms,
        "xy": [(bubble.x, bubble.y) for bubble in play.stroke.bubbles],
        "rules": {
            name: getattr(play.rules, name)
            for name in ("image_px", "bubble_px", "tick_ms", "step_px", "max_bubbles", "round_ms")
        },
    }


def looked(play: Round, guess: Guess, *, spoken: bool) -> dict[str, Any]:
    """Say that the partner has looked and, in a game where it speaks, what it takes the image for and how sure it is."""
    said = {"says": guess.said, "sure": round(guess.sure, 2)} if spoken else {}
    return {"type": "looked", "round": play.round_id, "seq": guess.seq, **said}


def end(play: Round, *, practice: bool, show_view: bool, partner: str) -> dict[str, Any]:
    """Say how a round ended; `partner` is how it did, or ``none`` in a game without one. Practice has no points."""
    return {
        "type": "end",
        "round": play.round_id,
        "result": play.result,
        "practice": practice,
        "points": 0 if practice else round(100 * play.points),
        "ended_ms": play.ended_ms,
        "partner": partner,
        "show_view": show_view,
    }
