"""The tables of online sessions. Who somebody is lies apart from what they did; no network address lies anywhere."""

import sqlalchemy as sa

FORM = "online"
VERSION = 2
metadata = sa.MetaData()

#: One row per study: whether it takes people.
study = sa.Table(
    "study",
    metadata,
    sa.Column("study_id", sa.String(200), primary_key=True),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("plans_digest", sa.String(64), nullable=False),
)

#: One row per session. State: open, finished, lapsed (silent for too long), withdrawn (its data are deleted).
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
    sa.Column("observer", sa.String(10), nullable=False),
    sa.Column("service", sa.String(10), nullable=False),
    sa.Column("consent_sha256", sa.String(64), nullable=False),
    sa.Column("began", sa.Float, nullable=False),
    sa.Column("finished", sa.Float),
    sa.Column("resume_hash", sa.String(32), nullable=False, index=True),
    sa.Column("withdrawal_hash", sa.String(32), nullable=False, index=True),
    sa.Column("last_step", sa.String(40), nullable=False),
    sa.Column("browser", sa.String(60), nullable=False),
    sa.Column("device", sa.Text, nullable=False),
    sa.Index("session_by_slot", "study_id", "group_name", "slot", "state"),
    sa.Index("session_by_age", "study_id", "state", "began"),
)

#: Who a participant is to the recruitment service; `key` is a keyed hash that finds repeated participants.
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
#: nobody watched the refreshes.
trial = sa.Table(
    "trial",
    metadata,
    sa.Column("session_id", sa.ForeignKey("session.session_id"), primary_key=True),
    sa.Column("trial", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("receipt", sa.String(32), nullable=False),
    sa.Column("received", sa.Float, nullable=False),
    sa.Column("phase", sa.String(10), nullable=False),
    sa.Column("level_index", sa.Integer, nullable=False),
    sa.Column("status", sa.String(10), nullable=False),
    sa.Column("correct", sa.Boolean),
    sa.Column("response_ms", sa.Float),
    sa.Column("timing_ok", sa.Boolean),
    sa.Column("measurement", sa.Text, nullable=False),
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

#: Counts of what is known about nobody in particular: arrivals, exclusions, refusals.
tally = sa.Table(
    "tally",
    metadata,
    sa.Column("study_id", sa.String(200), primary_key=True),
    sa.Column("kind", sa.String(40), primary_key=True),
    sa.Column("n", sa.Integer, nullable=False),
)
