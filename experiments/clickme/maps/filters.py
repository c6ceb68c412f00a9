"""What leaves the game and what stays: filters for maps, and the reason of every round that is left out."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..storage.collected import FEWEST_BUBBLES, Collected, RoundRecord
from ..storage.played_images import Images
from .quality import PlayerQuality

#: Reason of rounds that were played under another word than most rounds on the image; the word follows in brackets.
OTHER_WORD = "under another word than most rounds on the image"


@dataclass(frozen=True, slots=True)
class Filters:
    """What a map must be to leave the game.

    Attributes
    ----------
    min_bubbles : int
        Fewest bubbles of a round; ten is what it takes to be looked at once.
    min_players : int
        Fewest players of an image.
    report_limit : int
        An image reported by so many players is left out; 0 keeps all. The paper left out about 5 %.
    drop_flags : tuple of str
        Players with one of these flags are left out.
    drop_mobile : bool
        Leave out rounds on phones and tablets.
    drop_automated : bool
        Leave out rounds in which the page reported a remote-controlled browser or untrusted events.
    """

    min_bubbles: int = FEWEST_BUBBLES
    min_players: int = 1
    report_limit: int = 3
    drop_flags: tuple[str, ...] = ("off_target", "failed_catch", "scripted")
    drop_mobile: bool = False
    drop_automated: bool = True


@dataclass(frozen=True, slots=True)
class Kept:
    """The rounds that pass, by image, and the reason of every other one (round id → reason).

    Both together are all rounds.
    """

    by_image: dict[str, tuple[RoundRecord, ...]]
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def left_out(self) -> dict[str, int]:
        """How many rounds were left out for each reason."""
        return dict(Counter(self.reasons.values()))

    @property
    def n_kept(self) -> int:
        """How many rounds pass."""
        return sum(map(len, self.by_image.values()))


def apply_filters(
    collected: Collected,
    filters: Filters,
    quality: Mapping[str, PlayerQuality],
    *,
    images: Images | None = None,
) -> Kept:
    """Apply the filters, in the order in which they are counted.

    Parameters
    ----------
    collected : Collected
        Everything played.
    filters : Filters
        What to leave out.
    quality : mapping
        Player id → quality, from :func:`.quality.player_quality`.
    images : Images, optional
        The images as they are now: rounds on others are left out. Not compared unless given.

    Returns
    -------
    Kept
        With the reason of every round that is left out.
    """
    reasons: dict[str, str] = {}
    by_image: defaultdict[str, list[RoundRecord]] = defaultdict(list)
    for record in collected.rounds:
        reason = _reason(record, collected, filters, quality)
        if not reason and images is not None:
            reason = images.reason(record)
        if reason:
            reasons[record.round_id] = reason
        else:
            by_image[record.image_id].append(record)
    for name, records in by_image.items():
        word = _word(records)
        reasons.update((r.round_id, f"{OTHER_WORD} ({r.category})") for r in records if r.category != word)
        by_image[name] = [record for record in records if record.category == word]
    for name in [name for name, records in by_image.items() if _n_players(records) < filters.min_players]:
        reason = f"fewer than {filters.min_players} players on the image"
        reasons.update((record.round_id, reason) for record in by_image.pop(name))
    return Kept({name: tuple(by_image[name]) for name in sorted(by_image)}, reasons)


def _reason(record: RoundRecord, collected: Collected, filters: Filters, quality: Mapping[str, PlayerQuality]) -> str:
    if record.phase != "main":
        return "practice" if record.phase == "practice" else "catch image"
    if record.result in ("skipped", "left"):
        return f"{record.result} by the player" if record.result == "skipped" else "never started"
    if filters.report_limit and len(collected.reports.get(record.image_id, ())) >= filters.report_limit:
        return f"image reported by {filters.report_limit} or more players"
    if filters.drop_mobile and record.is_mobile:
        return "on a phone or tablet"
    if filters.drop_automated and record.automated:
        return "automated"
    flags = quality[record.player_id].flags if record.player_id in quality else ()
    for flag in filters.drop_flags:
        if flag in flags:
            return f"player flagged {flag}"
    if record.n_bubbles < filters.min_bubbles:
        return f"fewer than {filters.min_bubbles} bubbles"
    return ""


def _word(records: Sequence[RoundRecord]) -> str:
    """Return the word under which most rounds on an image were played; of several the latest."""
    n_of = Counter(record.category for record in records)
    latest = {record.category: (record.started_utc, record.category) for record in records}
    return max(n_of, key=lambda word: (n_of[word], latest[word]))


def _n_players(records: Sequence[RoundRecord]) -> int:
    return len({record.player_id for record in records})
