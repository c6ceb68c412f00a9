"""The numbers of a game, as the paper reports them: sizes, players per map, time-outs, success, learning, contests."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.sign_flip import sign_flip_test

from ..game.partner import NO_PARTNER
from ..game.settings import Game
from ..storage.collected import Collected, RoundRecord

#: "The top-200 most frequent players", and "the first ten trials … their second set of ten trials".
TOP_PLAYERS, FIRST_TRIALS = 200, 10


@dataclass(frozen=True, slots=True)
class Paired:
    """A comparison within players: two means, their difference, and a two-sided sign-flip randomization test."""

    n_players: int
    first: float
    second: float
    p: float

    @property
    def difference(self) -> float:
        """Second minus first."""
        return self.second - self.first


@dataclass(frozen=True, slots=True)
class Span:
    """Play inside or outside contests: days, rounds per day, success, bubbles per round."""

    n_days: float
    n_rounds: int
    rounds_per_day: float
    success: float
    bubbles: float


@dataclass(frozen=True, slots=True)
class Statistics:
    """What was played, over all rounds that count (see :attr:`.collected.Collected.played`).

    Attributes
    ----------
    n_players, n_rounds, n_images, n_bubbles : int
        Sizes.
    rounds_per_player, share_of_players_with_more : float
        Mean; share who played more than one image (paper: 380, above 90 %).
    players_per_map : dict
        Number of players → number of images (Fig. 5).
    bubbles_mean, bubbles_median : float
        Per round (paper: 35 million on 472,946 maps, 74).
    success, time_outs, interrupted : float
        Shares of rounds. The paper says 47 % for both of the first two, in different places.
    reported_share : float
        Share of the images played that anybody reported.
    partner_states : dict
        How the partner did → rounds.
    answer_ms_median, answer_ms_p95 : float
        From the bubble that asked to the partner's answer.
    n_unanswered : int
        Questions to a partner without an answer in time.
    halves, tens : Paired or None
        Success in the first and second half of the rounds of the most frequent players; in their first and second ten.
    inside, outside : Span or None
        Play during contests and otherwise, from the first round to the last.
    pointers : dict
        Mouse, pen, touch … → rounds.
    """

    n_players: int
    n_rounds: int
    n_images: int
    n_bubbles: int
    rounds_per_player: float
    share_of_players_with_more: float
    players_per_map: dict[int, int]
    bubbles_mean: float
    bubbles_median: float
    success: float
    time_outs: float
    interrupted: float
    reported_share: float
    partner_states: dict[str, int]
    answer_ms_median: float
    answer_ms_p95: float
    n_unanswered: int
    halves: Paired | None
    tens: Paired | None
    inside: Span | None
    outside: Span | None
    pointers: dict[str, int]


def describe(collected: Collected, game: Game, *, seed: int = 2019) -> Statistics:
    """Compute the statistics of a game; nan where nothing was played.

    Parameters
    ----------
    collected : Collected
        Everything played.
    game : Game
        Its contests.
    seed : int
        Fixes random sign flips.
    """
    rounds = collected.played
    by_player, by_image = defaultdict(list), defaultdict(set)
    for record in rounds:
        by_player[record.player_id].append(record)
        by_image[record.image].add(record.player_id)
    sizes = np.array([len(own) for own in by_player.values()])
    bubbles = np.array([record.n_bubbles for record in rounds])
    waits, n_unanswered = _answers(rounds)
    frequent = sorted(by_player.values(), key=lambda own: -len(own))[:TOP_PLAYERS]
    inside, outside = _spans(rounds, game)
    return Statistics(
        n_players=len(by_player),
        n_rounds=len(rounds),
        n_images=len(by_image),
        n_bubbles=int(bubbles.sum()),
        rounds_per_player=_mean(sizes),
        share_of_players_with_more=_mean(sizes > 1),
        players_per_map=dict(sorted(Counter(len(who) for who in by_image.values()).items())),
        bubbles_mean=_mean(bubbles),
        bubbles_median=float(np.median(bubbles)) if len(bubbles) else float("nan"),
        success=_share(rounds, "solved"),
        time_outs=_share(rounds, "time"),
        interrupted=_share(rounds, "interrupted"),
        reported_share=_mean(np.array([image_id in collected.reports for image_id, _ in by_image])),
        partner_states=dict(Counter(record.partner_state or "unknown" for record in rounds)),
        answer_ms_median=float(np.median(waits)) if len(waits) else float("nan"),
        answer_ms_p95=float(np.percentile(waits, 95)) if len(waits) else float("nan"),
        n_unanswered=n_unanswered,
        halves=_paired(frequent, _half, 4, seed=seed),
        tens=_paired(frequent, _ten, 2 * FIRST_TRIALS, seed=seed),
        inside=inside,
        outside=outside,
        pointers=dict(Counter(record.pointer or "unknown" for record in rounds)),
    )


def _paired(
    players: Sequence[Sequence[RoundRecord]],
    split: Callable[[NDArray[np.int64]], tuple[int, int, int]],
    at_least: int,
    *,
    seed: int,
) -> Paired | None:
    counts = [split(_successes(own)) for own in players if len(own) >= at_least]
    if not counts:
        return None
    first, second, size = np.array(counts).T
    test = sign_flip_test(second - first, denominators=size, seed=seed)
    return Paired(len(counts), float((first / size).mean()), float((second / size).mean()), float(test.p_best[0]))


def _half(wins: NDArray[np.int64]) -> tuple[int, int, int]:
    """Successes in the first and the second half, and its size; the middle round of an odd number is in neither."""
    half = len(wins) // 2
    return int(wins[:half].sum()), int(wins[-half:].sum()), half


def _ten(wins: NDArray[np.int64]) -> tuple[int, int, int]:
    return int(wins[:FIRST_TRIALS].sum()), int(wins[FIRST_TRIALS : 2 * FIRST_TRIALS].sum()), FIRST_TRIALS


def _successes(rounds: Sequence[RoundRecord]) -> NDArray[np.int64]:
    ordered = sorted(rounds, key=lambda record: record.started_utc)
    return np.array([record.result == "solved" for record in ordered], dtype=np.int64)


def _answers(rounds: Sequence[RoundRecord]) -> tuple[NDArray[np.float64], int]:
    asked = [record for record in rounds if record.partner != NO_PARTNER]
    guesses = [guess for record in asked for guess in record.guesses if guess.status != "unneeded"]
    waits = [g.answered_ms - g.asked_ms for g in guesses if g.answered_ms is not None and g.rank is not None]
    return np.array(waits), sum(guess.status != "answered" for guess in guesses)


def _spans(rounds: Sequence[RoundRecord], game: Game) -> tuple[Span | None, Span | None]:
    started = [(datetime.fromisoformat(record.started_utc), record) for record in rounds if record.started_utc]
    if not game.contests or not started:
        return None, None
    first, last = min(moment for moment, _ in started), max(moment for moment, _ in started)
    total_s = max((last - first).total_seconds(), 1.0)
    contest_s = sum(
        max(0.0, (min(contest.ends, last) - max(contest.starts, first)).total_seconds()) for contest in game.contests
    )
    parts = []
    for during, seconds in ((True, contest_s), (False, total_s - contest_s)):
        own = [record for moment, record in started if (game.contest_at(moment) is not None) == during]
        days = seconds / 86400
        rate = len(own) / days if days > 0 else float("nan")
        bubbles = _mean(np.array([record.n_bubbles for record in own]))
        parts.append(Span(days, len(own), rate, _share(own, "solved"), bubbles))
    return parts[0], parts[1]


def _share(rounds: Sequence[RoundRecord], result: str) -> float:
    return _mean(np.array([record.result == result for record in rounds]))


def _mean(values: NDArray[np.integer] | NDArray[np.bool_] | NDArray[np.floating]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
