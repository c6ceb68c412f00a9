"""``clickme report``: what was played, as a page with figures and as JSON."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.system import files
from rapidvision.system.templates import rendered

from ..game.rules import Rules
from ..game.settings import Game
from ..maps.agreement import Agreement, Compared, compare, measure
from ..maps.bubbles import counts, pooled
from ..maps.equal_maps import EqualRounds, equal_rounds
from ..maps.pairing import common_length
from ..maps.quality import PlayerQuality
from ..storage.collected import Collected
from ..storage.displayed import displayed_image
from ..storage.images import Deck, read_maps
from ..storage.played_images import Images
from ..storage.selection import Selection
from . import figures
from .statistics import Paired, Span, Statistics, describe

_N_PANELS = 24
_TEMPLATE = Path(__file__).with_name("page.html")


def write_report(
    part: Selection,
    deck: Deck,
    game: Game,
    out: Path,
    *,
    quality: Mapping[str, PlayerQuality],
    seed: int = 2019,
    compare_with: str | None = None,
) -> Statistics:
    """Write ``report.html``, ``report.json`` and the figures of a game.

    Parameters
    ----------
    part : Selection
        The rounds, and what of the game is left out.
    deck : Deck
        The images.
    game : Game
        Name and contests.
    out : Path
        A folder.
    quality : mapping
        Player id → quality.
    seed : int
        Of the randomization tests.
    compare_with : str, optional
        Source of another experiment's maps in the image folder (``maps/SOURCE/IMAGE.png``).

    Returns
    -------
    Statistics
        The numbers.

    Raises
    ------
    InputError
        When nothing was played, or there are no such maps.
    """
    collected, rules = part.collected, part.rules
    if not collected.played:
        raise InputError(f"nothing to report: none of {len(collected.rounds)} rounds counts")
    compared, evenly, amount, images = None, None, None, Images(deck)
    if compare_with is not None:
        others = read_maps(deck, compare_with, rules.image_px)
        there = [record for record in collected.played if not images.reason(record)]
        compared = compare(there, others, rules, seed=seed)
        amount = equal_rounds(there, others, seed=seed)
        evenly = compare(amount.rounds, others, rules, seed=seed)
    numbers = describe(collected, game, seed=seed)
    figures.histogram(out, "players_per_map", numbers.players_per_map, label="Players of an image", what="Images")
    solved = [record.n_bubbles for record in collected.played if record.result == "solved"]
    unsolved = [record.n_bubbles for record in collected.played if record.result != "solved"]
    figures.bubbles(out, "bubbles_per_round", solved, unsolved, most=rules.max_bubbles)
    figures.gallery(out, "gallery", _gallery(collected, deck, rules, images))
    flags = _flag_counts(quality)
    agreement = measure(collected.played, rules, seed=seed)
    length = common_length(collected.played)
    equal = None if length is None else measure(collected.played, rules, seed=seed, n_bubbles=length)
    content = {
        "statistics": asdict(numbers),
        "flags": flags,
        "players": part.players,
        "left_out": part.left_out,
        "agreement": agreement,
        "agreement_of_equal_length": {"n_bubbles": length, "agreement": equal},
        "compared": {"with": compare_with, "agreement": compared},
        "compared_of_equal_length": {
            "n_players": amount and amount.n_players,
            "n_bubbles": amount and amount.n_bubbles,
            "agreement": evenly,
        },
        "provenance": files.provenance("clickme report", seed=seed, packages=("numpy", "scipy", "matplotlib")),
    }
    files.write_json(out / "report.json", content)
    files.write_text(
        out / "report.html",
        _page(game, numbers, flags, _agreement(agreement, equal, length), _compared(compared, evenly, amount), part),
    )
    return numbers


def _gallery(
    collected: Collected, deck: Deck, rules: Rules, images: Images
) -> list[tuple[str, NDArray[np.uint8], NDArray[np.floating], str]]:
    """The images with most players, as they were played, categories in turn."""
    xy: dict[str, dict[str, list[list[int]]]] = {}
    words: dict[str, str] = {}
    for record in collected.played:
        if not images.reason(record):
            words[record.image_id] = record.category
            xy.setdefault(record.image_id, {}).setdefault(record.player_id, []).extend(record.xy.tolist())
    turns: dict[str, list[str]] = {}
    for name in sorted(xy, key=lambda name: (-len(xy[name]), name)):
        turns.setdefault(words[name], []).append(name)
    longest = max((len(names) for names in turns.values()), default=0)
    chosen = [names[turn] for turn in range(longest) for _, names in sorted(turns.items()) if turn < len(names)]
    panels = []
    for name in chosen[:_N_PANELS]:
        drawn = [counts(own, side_px=rules.image_px, bubble_px=rules.bubble_px) for own in xy[name].values()]
        share = pooled(drawn)
        target = deck.cards[name].row.get("target", "").lower()
        colour = figures.BLUE if target in ("1", "true") else figures.RED if target else figures.GREY
        title = f"{words[name]} ({len(drawn)})"
        panels.append(
            (title, displayed_image(deck.cards[name].path, rules.image_px).pixels, share / share.max(), colour)
        )
    return panels


def _flag_counts(quality: Mapping[str, PlayerQuality]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in quality.values():
        for flag in one.flags or ("none",):
            found[flag] = found.get(flag, 0) + 1
    return dict(sorted(found.items()))


def _page(
    game: Game,
    numbers: Statistics,
    flags: Mapping[str, int],
    agreement: list[tuple[str, str]],
    compared: list[tuple[str, str]],
    part: Selection,
) -> str:
    return rendered(
        _TEMPLATE,
        name=game.name,
        notes=_notes(part, numbers),
        sizes=_sizes(numbers),
        learning=_learning(numbers),
        contests=_contests(numbers) if numbers.inside else [],
        agreement=agreement,
        compared=compared,
        flags=[(f"players flagged {flag}", n) for flag, n in flags.items()],
        partners=[(f"rounds with partner {state}", n) for state, n in sorted(numbers.partner_states.items())],
    )


def _notes(part: Selection, numbers: Statistics) -> list[str]:
    """Who played, and what of the game is not counted here."""
    automated = sum(record.automated for record in part.collected.played)
    found = []
    if part.players == "simulated":
        found.append(f"All {numbers.n_rounds} rounds were played by programs, not by people.")
    elif part.players == "pilot":
        found.append(f"All {numbers.n_rounds} rounds were played in rehearsals.")
    elif automated:
        found.append(f"{automated} of {numbers.n_rounds} rounds came from remote-controlled pages.")
    if part.left_out:
        lost = ", ".join(f"{n} {reason}" for reason, n in part.left_out.items())
        found.append(f"Rounds of the game that are left out here: {lost}.")
    return found


def _sizes(numbers: Statistics) -> list[tuple[str, str]]:
    return [
        ("players", f"{numbers.n_players}"),
        ("rounds that count", f"{numbers.n_rounds}"),
        ("images", f"{numbers.n_images}"),
        ("bubbles", f"{numbers.n_bubbles}"),
        ("rounds per player", f"{numbers.rounds_per_player:.1f}"),
        ("players with more than one round", _percent(numbers.share_of_players_with_more)),
        ("bubbles per round, mean and median", f"{numbers.bubbles_mean:.1f} and {numbers.bubbles_median:g}"),
        ("recognised by the partner", _percent(numbers.success)),
        ("ended by the clock", _percent(numbers.time_outs)),
        ("interrupted (server stopped)", _percent(numbers.interrupted)),
        ("images reported by anybody", _percent(numbers.reported_share)),
        ("partner's answer, median and 95 %", _answer_times(numbers)),
        ("questions without an answer in time", f"{numbers.n_unanswered}"),
        ("pointers", ", ".join(f"{name} {n}" for name, n in sorted(numbers.pointers.items()))),
    ]


def _answer_times(numbers: Statistics) -> str:
    if np.isnan(numbers.answer_ms_median):
        return "no answers"
    return f"{numbers.answer_ms_median:.0f} and {numbers.answer_ms_p95:.0f} ms"


def _learning(numbers: Statistics) -> list[tuple[str, str]]:
    def words(paired: Paired | None) -> str:
        if paired is None:
            return "too few rounds"
        means = f"{_percent(paired.first)} against {_percent(paired.second)}"
        return f"{means}, {paired.n_players} players, p = {paired.p:.3f} (sign flips, two-sided)"

    return [
        ("success in the first and second half of each player's rounds", words(numbers.halves)),
        ("success in the first and second ten rounds", words(numbers.tens)),
    ]


def _contests(numbers: Statistics) -> list[tuple[str, str]]:
    def words(span: Span | None) -> str:
        if span is None or not span.n_rounds:
            return "no rounds"
        return (
            f"{span.rounds_per_day:.1f} rounds a day, {_percent(span.success)} recognised, {span.bubbles:.1f} bubbles"
        )

    return [("during contests", words(numbers.inside)), ("otherwise", words(numbers.outside))]


def _agreement(found: Agreement | None, equal: Agreement | None, length: int | None) -> list[tuple[str, str]]:
    """Describe the agreement; what tells same from different images comes from maps of equal length."""
    if found is None:
        return []
    low, high = found.interval
    tested = found if length is None else equal
    rows = [
        ("two players of an image", f"rho = {found.mean:.3f} (95 % {low:.3f} to {high:.3f}); the paper: .58"),
        ("halves of the players, Spearman-Brown", f"{found.split_half:.3f}, {found.spearman_brown:.3f}"),
        ("maps", f"{found.n_maps}, and {found.n_dropped} constant ones left out"),
    ]
    if length is not None:
        rows.append(("the partner ended rounds, so here each round's first", f"{length} bubbles"))
        rows.append(("two players of an image", "not computed" if equal is None else f"rho = {equal.mean:.3f}"))
    if tested is not None:
        rows += [
            ("players of different images (null)", f"rho = {tested.null:.3f}; the paper, whole rounds: .18"),
            ("randomization test of the pairing", f"p = {tested.p:.4g}"),
            ("images below the null", _percent(tested.share_below_null)),
        ]
    return rows


def _compared(found: Compared | None, evenly: Compared | None, amount: EqualRounds | None) -> list[tuple[str, str]]:
    """Describe both; what tells same from different images comes from maps of equally many bubbles."""
    if found is None or evenly is None or amount is None:
        return []
    low, high = found.interval
    each = f"{amount.n_players} players of each image, {amount.n_bubbles} bubbles of each"
    return [
        ("images with maps of both", f"{len(found.images)}"),
        ("same image", f"rho = {found.mean:.3f} (95 % {low:.3f} to {high:.3f}); the paper, with Clicktionary: .59"),
        ("of equally many bubbles", each),
        ("same image", f"rho = {evenly.mean:.3f}"),
        ("different images (null)", f"rho = {evenly.null:.3f}"),
        ("randomization test of the pairing", f"p = {evenly.p:.4g}"),
    ]


def _percent(share: float) -> str:
    return "not known" if np.isnan(share) else f"{100 * share:.1f} %"
