"""``online.toml``: what an online study needs beyond its protocol: words, screening, quotas, recruitment, limits.

Every key has a default, so a study folder without the file can be served; secrets are never in it.
"""

import string
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit

from rapidvision import recipes
from rapidvision.recipes import Recipe
from rapidvision.study import Study
from rapidvision.system import files
from rapidvision.text import csv_text

FILENAME = "online.toml"
Service = Literal["prolific", "mturk", "sona", "link"]

#: The parameters of a link by which each service tells who comes; the first one names the participant.
ID_PARAMETERS: dict[str, tuple[str, ...]] = {
    "prolific": ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"),
    "mturk": ("workerId", "assignmentId", "hitId"),
    "sona": ("survey_code",),
    "link": ("id",),
}

_CONSENT = """\
You are asked to take part in a study of how people recognise pictures at a glance.
It takes about ten minutes: you look at pictures that appear for less than half a second and press one of two keys.
Your answers and their times are stored under a random code. Your network address is not stored.
You may stop at any time by closing this page. At the end you get a code with which you can have your data deleted."""
_DEBRIEF = """\
Thank you. The images showed only some of their parts. With your answers we find out which parts people need."""


class Screening(Recipe, frozen=True):
    """What a device must have; checked before consent, and only counted when it fails.

    Attributes
    ----------
    min_width_px, min_height_px : int
        Smallest window.
    min_hz, max_hz : float
        Range of refresh rates that the timing rules were tried for.
    keyboard : bool
        Whether phones and tablets without a keyboard are turned away.
    fullscreen : bool
        Whether the session asks for full screen.
    """

    min_width_px: int = 800
    min_height_px: int = 600
    min_hz: float = 50
    max_hz: float = 240
    keyboard: bool = True
    fullscreen: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.min_hz < self.max_hz:
            raise ValueError(f"0 < min_hz < max_hz is needed, got {self.min_hz} and {self.max_hz}")


class Recruitment(Recipe, frozen=True):
    """Where participants come from and how they are sent back.

    Attributes
    ----------
    services : tuple of {"prolific", "mturk", "sona", "link"}
        Allowed ways in. ``link`` lets people in without an id.
    completion_code : str
        Shown after the last trial is stored; empty: a code of its own for every session.
    redirect : str
        Address to return to, with ``{code}`` and ``{id}`` where they belong; empty: no redirect.
    refuse_ids : str
        File with ids that took part before, one per line, relative to the study.
    refuse_other_studies : bool
        Whether people are refused who took part in another study of the same database.
    resume_elsewhere : bool
        Whether an id alone lets a session continue in another browser. Ids of some services can be guessed; off.
    """

    services: tuple[Service, ...] = ("prolific", "mturk", "sona", "link")
    completion_code: str = ""
    redirect: str = ""
    refuse_ids: str = ""
    refuse_other_studies: bool = True
    resume_elsewhere: bool = False

    def __post_init__(self) -> None:
        if not self.services:
            raise ValueError("services must name at least one way in")
        if self.redirect:
            parts = urlsplit(self.redirect)
            if parts.scheme != "https" or not parts.netloc:
                raise ValueError(f"redirect must be an https address, got {self.redirect}")
            places = {name for _, name, _, _ in string.Formatter().parse(self.redirect) if name is not None}
            if places - {"code", "id"}:
                raise ValueError(f"redirect may hold {{code}} and {{id}}, got {sorted(places)}")

    def redirect_for(self, *, code: str, external_id: str) -> str:
        """Return where a participant goes back to, or an empty text."""
        return self.redirect.format(code=quote(code, safe=""), id=quote(external_id, safe=""))


class Limits(Recipe, frozen=True):
    """How much one browser or one address may ask for.

    Attributes
    ----------
    requests_per_second, request_burst : float
        Per session.
    arrivals_per_second, arrival_burst : float
        Per network address (a whole university may share one), for everything before a session exists.
    events_per_session : int
        More events than this are not stored.
    """

    requests_per_second: float = 20
    request_burst: float = 400
    arrivals_per_second: float = 20
    arrival_burst: float = 400
    events_per_session: int = 500

    def __post_init__(self) -> None:
        if min(self.requests_per_second, self.request_burst, self.arrivals_per_second, self.arrival_burst) <= 0:
            raise ValueError("rates and bursts must be > 0")


class OnlineSettings(Recipe, frozen=True):
    """Everything in ``online.toml``.

    Attributes
    ----------
    title : str
        Heading of the pages.
    contact : str
        Whom participants can write to.
    consent : str
        What they agree to; one paragraph per line. Its hash is stored with every session.
    debrief : str
        Shown at the end, one paragraph per line.
    lapse_minutes : float
        An unfinished session that was silent for so long gives its slot back and cannot be resumed.
    quota_per_group : int
        Most sessions per group, unfinished ones included; 0: as many as come.
    presenter : {"auto", "compositor", "worker", "movie"}
        How images are shown; ``auto`` takes what the browser is best at. ``movie`` is the paper's method.
    movies : str
        Folder of trial movies, relative to the study, as ``rapidvision stimuli movies`` makes it; for ``movie``.
    """

    title: str = "A study of pictures"
    contact: str = ""
    consent: str = _CONSENT
    debrief: str = _DEBRIEF
    lapse_minutes: float = 90
    quota_per_group: int = 0
    presenter: Literal["auto", "compositor", "worker", "movie"] = "auto"
    movies: str = ""
    screening: Screening = Screening()
    recruitment: Recruitment = Recruitment()
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        if not self.consent.strip():
            raise ValueError("consent must say what people agree to, got an empty text")
        if self.lapse_minutes <= 0 or self.quota_per_group < 0:
            raise ValueError("lapse_minutes must be > 0 and quota_per_group >= 0")
        if (self.presenter == "movie") != bool(self.movies):
            raise ValueError('movies must name a folder for presenter = "movie", and only for it')

    @property
    def consent_sha256(self) -> str:
        """Hash of the consent's words: which version somebody agreed to."""
        return files.sha256(self.consent.encode())


def read_settings(study: Study) -> OnlineSettings:
    """Read a study's ``online.toml``; defaults when there is none."""
    path = study.folder / FILENAME
    return recipes.read(path, OnlineSettings) if path.exists() else OnlineSettings()


def read_refused_ids(study: Study, settings: OnlineSettings) -> frozenset[str]:
    """Read the ids that may not take part.

    Raises
    ------
    InputError
        When the file is missing or not text.
    """
    if not settings.recruitment.refuse_ids:
        return frozenset()
    path = study.folder / Path(settings.recruitment.refuse_ids)
    return frozenset(line.strip() for line in csv_text.read_text(path).splitlines() if line.strip())
