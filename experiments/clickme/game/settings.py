"""``game.toml``: the rules and everything else that an operator decides about a game."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Literal

import msgspec

from rapidvision.errors import InputError
from rapidvision.recipes import Recipe
from rapidvision.system import files

from ... import clock
from .rules import Rules

_MOST_YEARS = 120


class Contest(Recipe, frozen=True):
    """A span of time with a leaderboard of its own.

    Attributes
    ----------
    name : str
        What players read.
    starts, ends : datetime
        With a time zone; the end is not part of it.
    """

    name: str
    starts: datetime
    ends: datetime

    def __post_init__(self) -> None:
        if self.starts.tzinfo is None or self.ends.tzinfo is None:
            raise ValueError(f'contest "{self.name}": starts and ends need a time zone, as in 2026-01-31T18:00:00Z')
        if self.starts >= self.ends:
            raise ValueError(f'contest "{self.name}": it ends before it starts')


class Game(Recipe, frozen=True):
    """One game.

    Attributes
    ----------
    name : str
        What players read.
    seed : int
        Order of the images and noise of the partner's view.
    rules : Rules
        See there.
    practice_rounds : int
        Rounds that a new player plays before they count.
    catch_every : int
        One of so many rounds is on a catch image, where the image folder has some.
    daily_limit : int
        Most rounds per player and day (UTC).
    daily_goal : int
        Rounds a day that the page sets as a goal; 0 sets none.
    guesses : {"spoken", "silent"}
        Whether the partner says its guesses during a round.
    show_view : {"never", "practice", "always"}
        When players see what their partner saw. The paper's players never did, lest they study the network.
    report_limit : int
        An image reported by so many players is dealt no more.
    contests : tuple of Contest
        Must not overlap.
    blocked_names : tuple of str
        Words that usernames must not contain, besides the built-in ones.
    consent : str
        Text that players agree to before they play; empty: they are asked nothing. Those who agreed to another text
        are asked again.
    min_age : int
        Years that players must confirm to have; 0 asks nothing.
    """

    name: str = "ClickMe"
    seed: int = 2019
    rules: Rules = Rules()
    practice_rounds: int = 1
    catch_every: int = 20
    daily_limit: int = 500
    daily_goal: int = 10
    guesses: Literal["spoken", "silent"] = "spoken"
    show_view: Literal["never", "practice", "always"] = "never"
    report_limit: int = 3
    contests: tuple[Contest, ...] = ()
    blocked_names: tuple[str, ...] = ()
    consent: str = ""
    min_age: int = 0

    def __post_init__(self) -> None:
        if min(self.practice_rounds, self.seed, self.daily_goal) < 0:
            raise ValueError("practice_rounds, seed and daily_goal must be >= 0")
        if not 0 <= self.min_age <= _MOST_YEARS:
            raise ValueError(f"min_age must lie between 0 and {_MOST_YEARS}, got {self.min_age}")
        if min(self.daily_limit, self.report_limit, self.catch_every) < 1:
            raise ValueError("daily_limit, report_limit and catch_every must be >= 1")
        ordered = sorted(self.contests, key=lambda contest: contest.starts)
        for earlier, later in pairwise(ordered):
            if later.starts < earlier.ends:
                raise ValueError(f'contests "{earlier.name}" and "{later.name}" overlap; a point would count twice')

    @property
    def consent_sha256(self) -> str:
        """What players' records hold of the text that they agreed to; empty without a text."""
        return files.sha256(f"{self.min_age}\n{self.consent}".encode()) if self.consent else ""

    def contest_at(self, moment: datetime) -> Contest | None:
        """Return the contest that runs at `moment`."""
        return next((contest for contest in self.contests if contest.starts <= moment < contest.ends), None)

    def contest_named(self, name: str) -> Contest:
        """Return a contest by name.

        Raises
        ------
        InputError
            When there is none of that name.
        """
        for contest in self.contests:
            if contest.name == name:
                return contest
        known = ", ".join(contest.name for contest in self.contests) or "none"
        raise InputError(f'contest: got "{name}"; known are {known}')


def settings_row(game: Game) -> dict[str, str]:
    """Return the row of ``clickme_settings`` that keeps a game's settings whole, by their digest."""
    content = msgspec.json.encode(game).decode()
    return {"digest": files.canonical_digest(game), "content": content, "first_utc": utc_text()}


def settings_from(content: str, *, where: str) -> Game:
    """Return the settings that such a row keeps.

    Raises
    ------
    InputError
        When this RapidVision cannot read them.
    """
    try:
        return msgspec.json.decode(content, type=Game)
    except msgspec.DecodeError as error:
        raise InputError(
            f"{where}: the settings of its rounds cannot be read ({error}); use the older RapidVision"
        ) from error


def utc_text(moment: datetime | None = None) -> str:
    """Return a moment (now by default) as UTC text that sorts by time.

    Examples
    --------
    >>> utc_text(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05.000Z'
    """
    moment = (moment or clock.utc_now()).astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
