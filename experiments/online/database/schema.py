"""The tables of online sessions. Who somebody is lies apart from what they did; no network address lies anywhere."""

import sqlalchemy as sa

#: Who answers online: participants, people in a rehearsal, and the simulation.
KINDS = ("human", "pilot", "simulated")
#: A trial that arrived after its session had lapsed; one that arrived sooner than it can have lasted.
AFTER_LAPSE = "after_lapse"
IMPOSSIBLE_DURATION = "impossible_duration"
FLAGS = (AFTER_LAPSE, IMPOSSIBLE_DURATION)

FORM = "online"
VERSION = 4
metadata = sa.MetaData()

#: One row per study: whether it takes people. `study_id` is the folder's own (see :mod:`.identity`), never its name:
#: two studies may have one name. `up_s` counts the seconds for which a server of the study was up.
study = sa.Table(
    "study",
    metadata,
    sa.Column("study_id", sa.String(200), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("plans_digest", sa.String(64), nullable=False),
    sa.Column("up_s", sa.Float, nullable=False),
)

#: The plans that sessions followed, by digest, so that an export does not depend on what the folder holds later.
plan = sa.Table(
    "plan",
    metadata,
    sa.Column("plan_digest", sa.String(64), primary_key=True),
    sa.Column("content", sa.Text, nullable=False),
)

#: What all studies of a database share: the key under which ids are hashed, so that repeats are found across studies.
shared = sa.Table(
    "shared",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.String(200), nullable=False),
)

#: One row per session. State: open, finished, lapsed (silent for too long), withdrawn (its data are deleted).
#: `observer_kind` decides everywhere what counts: human, pilot or simulated. `rehearsal` names the pilots' and simulated
#: sessions that belong together. `active_s` is the last sign of life on the study's `up_s` clock.
session = sa.Table(
    "session",
    metadata,
    sa.Column("session_id", sa.String(40), primary_key=True),
    sa.Column("study_id", sa.String(200), nullable=False),
    sa.Column("participant_id", sa.String(40), nullable=False, unique=True),
    sa.Column("group_name", sa.String(100), nullable=False),
    sa.Column("slot", sa.Integer, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("tab", sa.Integer, nullable=False),
    sa.Column("observer_kind", sa.String(10), nullable=False),
    sa.Column("rehearsal", sa.String(60), nullable=False),
    sa.Column("plan_digest", sa.String(64), nullable=False),
    sa.Column("service", sa.String(10), nullable=False),
    sa.Column("consent_sha256", sa.String(64), nullable=False),
    sa.Column("began", sa.Float, nullable=False),
    sa.Column("began_s", sa.Float, nullable=False),
    sa.Column("active_s", sa.Float, nullable=False),
    sa.Column("lapsed", sa.Float),
    sa.Column("finished", sa.Float),
    sa.Column("resume_hash", sa.String(32), nullable=False, index=True),
    sa.Column("withdrawal_hash", sa.String(32), nullable=False, index=True),
    sa.Column("last_step", sa.String(40), nullable=False),
    sa.Column("browser", sa.String(60), nullable=False),
    sa.Column("device", sa.Text, nullable=False),
    sa.Index("session_by_slot", "study_id", "group_name", "slot", "state"),
    sa.Index("session_by_age", "study_id", "state", "began"),
)

#: Who a participant is to the recruitment service; `key` is a keyed hash that finds repeated participants. Of people who
#: withdrew the hash alone stays.
identity = sa.Table(
    "identity",
    metadata,
    sa.Column("participant_id", sa.String(40), primary_key=True),
    sa.Column("study_id", sa.String(200), nullable=False),
    sa.Column("key", sa.String(32), nullable=False, index=True),
    sa.Column("service", sa.String(10), nullable=False),
    sa.Column("external", sa.Text, nullable=False),
    sa.UniqueConstraint("study_id", "key"),
)

#: One row per trial: the measurement as the browser sent it, and what the server makes of it; `timing_ok` is empty where
#: the refreshes were not watched. `chosen`: value of the adaptive factor, as JSON. `flags`: names, separated by blanks (see :data:`FLAGS`); `received_s` is on the `up_s` clock.
trial = sa.Table(
    "trial",
    metadata,
    sa.Column("session_id", sa.ForeignKey("session.session_id"), primary_key=True),
    sa.Column("trial", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("receipt", sa.String(32), nullable=False),
    sa.Column("received", sa.Float, nullable=False),
    sa.Column("received_s", sa.Float, nullable=False),
    sa.Column("phase", sa.String(10), nullable=False),
    sa.Column("level_index", sa.Integer, nullable=False),
    sa.Column("status", sa.String(10), nullable=False),
    sa.Column("correct", sa.Boolean),
    sa.Column("response_ms", sa.Float),
    sa.Column("timing_ok", sa.Boolean),
    sa.Column("flags", sa.String(200), nullable=False),
    sa.Column("chosen", sa.String(60)),
    sa.Column("measurement", sa.Text, nullable=False),
)

#: One row per answered question, by its number in the plan (see :mod:`..study.question_places`), as the browser sent it.
answer = sa.Table(
    "answer",
    metadata,
    sa.Column("session_id", sa.ForeignKey("session.session_id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("received", sa.Float, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
)

#: What happened around the trials: full screen left, page hidden, errors of the page.
event = sa.Table(
    "event",
    metadata,
    sa.Column("event_id", sa.Integer, primary_key=True),
    sa.Column("session_id", sa.ForeignKey("session.session_id"), nullable=False, index=True),
    sa.Column("received", sa.Float, nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("detail", sa.String(300), nullable=False),
)

#: Counts that concern no particular person: arrivals, exclusions, refusals; apart by who was counted.
tally = sa.Table(
    "tally",
    metadata,
    sa.Column("study_id", sa.String(200), primary_key=True),
    sa.Column("observer_kind", sa.String(10), primary_key=True),
    sa.Column("kind", sa.String(40), primary_key=True),
    sa.Column("n", sa.Integer, nullable=False),
)
