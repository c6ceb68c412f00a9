"""What an experimenter wants to know during a study, as counts from the database."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from rapidvision.task.trial import Trial, TrialImage

from ..database.schema import event, session, study, tally, trial
from ..study.plans import ServedStudy

HISTOGRAM_MS = 25
HISTOGRAM_END_MS = 1000


class Level(msgspec.Struct, frozen=True):
    """Accuracy at one reveal level of one group: main trials with a response."""

    group: str
    level: str
    n: int
    correct: int


class Overview(msgspec.Struct, frozen=True):
    """Everything on the dashboard.

    Attributes
    ----------
    study_id, title, state : str
        The study; ``open``, ``paused`` or ``stopped``.
    arrivals : dict
        Anonymous counts: arrived, declined, excluded, refused.
    sessions : dict
        State → number of sessions.
    groups : dict
        Group → state → number.
    slots : dict
        Group → finished and open sessions of each slot.
    quota : int
        Per group; 0 for none.
    left_at : dict
        Last step → unfinished sessions that stopped there.
    levels : list of Level
        Live accuracy.
    histogram : list of int
        Response times in bins of `HISTOGRAM_MS`, main trials.
    statuses : dict
        Status → main trials.
    timing : list of dict
        Browser → sessions, trials, those whose refreshes were watched, those of them with good timing.
    services : dict
        Recruitment service → sessions.
    flags : dict
        Flag → trials; see :data:`.schema.FLAGS`.
    others : dict
        Kind of observer → sessions of pilots and of the simulation, which count nowhere else here.
    database : dict
        From :meth:`Store.health`.
    """

    study_id: str
    title: str
    state: str
    arrivals: dict[str, int]
    sessions: dict[str, int]
    groups: dict[str, dict[str, int]]
    slots: dict[str, list[dict[str, int]]]
    quota: int
    n_trials: int
    left_at: dict[str, int]
    levels: list[Level]
    level_labels: list[str]
    histogram: list[int]
    histogram_ms: int
    limit_ms: int | None
    statuses: dict[str, int]
    timing: list[dict[str, Any]]
    services: dict[str, int]
    events: dict[str, int]
    flags: dict[str, int]
    others: dict[str, int]
    database: dict[str, Any]


def overview(connection: sa.Connection, served: ServedStudy, database: dict[str, Any]) -> Overview:
    """Count everything anew; a few milliseconds for a hundred sessions."""
    all_kinds = session.c.study_id == served.study_id
    mine = sa.and_(all_kinds, session.c.observer_kind == "human")
    n = sa.func.count()
    joined = trial.join(session, trial.c.session_id == session.c.session_id)
    main = sa.and_(mine, trial.c.phase == "main")
    plan = next(iter(served.plans.values()))
    labels = _labels(served)
    groups: dict[str, dict[str, int]] = {group: defaultdict(int) for group in served.groups}
    states: dict[str, int] = defaultdict(int)
    slots = {group: [{"finished": 0, "open": 0} for _ in range(served.n_slots)] for group in served.groups}
    by_slot = sa.select(session.c.group_name, session.c.slot, session.c.state, n).where(mine)
    for group, slot, state, k in connection.execute(
        by_slot.group_by(session.c.group_name, session.c.slot, session.c.state)
    ):
        states[state] += k
        if group in groups:
            groups[group][state] += k
            if state in ("finished", "open") and slot < served.n_slots:
                slots[group][slot][state] += k
    return Overview(
        study_id=served.name,
        title=served.settings.title,
        state=connection.scalar(sa.select(study.c.state).where(study.c.study_id == served.study_id)) or "open",
        arrivals=_counts(
            connection,
            sa.select(tally.c.kind, tally.c.n).where(
                tally.c.study_id == served.study_id, tally.c.observer_kind == "human"
            ),
        ),
        sessions=dict(states),
        groups={group: dict(counts) for group, counts in groups.items()},
        slots=slots,
        quota=served.settings.quota_per_group,
        n_trials=len(plan.trials()),
        left_at=_counts(
            connection,
            sa.select(session.c.last_step, n)
            .where(mine, session.c.state.in_(("open", "lapsed")))
            .group_by(session.c.last_step),
        ),
        levels=_levels(connection, joined, main, labels),
        level_labels=labels,
        histogram=_histogram(connection, joined, main),
        histogram_ms=HISTOGRAM_MS,
        limit_ms=_limit_ms(plan.trials("main")),
        statuses=_counts(
            connection, sa.select(trial.c.status, n).select_from(joined).where(main).group_by(trial.c.status)
        ),
        timing=_timing(connection, joined, mine),
        services=_counts(connection, sa.select(session.c.service, n).where(mine).group_by(session.c.service)),
        events=_counts(
            connection,
            sa.select(event.c.kind, n)
            .select_from(event.join(session, event.c.session_id == session.c.session_id))
            .where(mine, event.c.kind != "step")
            .group_by(event.c.kind),
        ),
        flags=_flags(connection, joined, mine),
        others=_counts(
            connection,
            sa.select(session.c.observer_kind, n)
            .where(all_kinds, session.c.observer_kind != "human")
            .group_by(session.c.observer_kind),
        ),
        database=database,
    )


def _counts(connection: sa.Connection, query: sa.Select[Any]) -> dict[str, int]:
    return {str(name): int(k) for name, k in connection.execute(query)}


def _flags(connection: sa.Connection, joined: Any, mine: Any) -> dict[str, int]:
    """Trials by flag; a trial may have several."""
    query = sa.select(trial.c.flags, sa.func.count()).select_from(joined).where(mine, trial.c.flags != "")
    counts: dict[str, int] = defaultdict(int)
    for flags, n in connection.execute(query.group_by(trial.c.flags)):
        for flag in flags.split():
            counts[flag] += n
    return dict(counts)


def _labels(served: ServedStudy) -> list[str]:
    images = (image for plan in served.plans.values() for trial in plan.trials("main") for image in _images(trial))
    found = {image.level_index: image.level_label for image in images}
    return [found[index] for index in sorted(found)]


def _images(planned: Trial) -> Iterable[TrialImage]:
    """The images that a trial may show."""
    yield planned.image
    for choice in planned.choices:
        yield from choice.images.values()


def _limit_ms(trials: Sequence[Trial]) -> int | None:
    """The response limit, where all trials have the same."""
    limits = {trial.limit_ms for trial in trials}
    return limits.pop() if len(limits) == 1 else None


def _levels(connection: sa.Connection, joined: Any, main: Any, labels: list[str]) -> list[Level]:
    right = sa.func.sum(sa.case((trial.c.correct.is_(True), 1), else_=0))
    query = (
        sa.select(session.c.group_name, trial.c.level_index, sa.func.count(), right)
        .select_from(joined)
        .where(main, trial.c.status == "ok")
        .group_by(session.c.group_name, trial.c.level_index)
        .order_by(session.c.group_name, trial.c.level_index)
    )
    return [
        Level(group, labels[index], int(n), int(correct))
        for group, index, n, correct in connection.execute(query)
        if index < len(labels)
    ]


def _histogram(connection: sa.Connection, joined: Any, main: Any) -> list[int]:
    place = sa.cast(sa.func.floor(trial.c.response_ms / HISTOGRAM_MS), sa.Integer).label("place")
    inside = sa.and_(main, trial.c.response_ms.is_not(None), trial.c.response_ms < HISTOGRAM_END_MS)
    query = sa.select(place, sa.func.count()).select_from(joined).where(inside).group_by(place)
    bins = [0] * (HISTOGRAM_END_MS // HISTOGRAM_MS)
    for number, n in connection.execute(query):
        bins[number] = int(n)
    return bins


def _timing(connection: sa.Connection, joined: Any, mine: Any) -> list[dict[str, Any]]:
    good, watched = (
        sa.func.sum(sa.case((which, 1), else_=0))
        for which in (trial.c.timing_ok.is_(True), trial.c.timing_ok.is_not(None))
    )
    query = (
        sa.select(session.c.browser, sa.func.count(sa.distinct(session.c.session_id)), sa.func.count(), watched, good)
        .select_from(joined)
        .where(mine, trial.c.status != "aborted")
        .group_by(session.c.browser)
        .order_by(sa.func.count().desc())
    )
    return [
        {"browser": browser or "unknown", "sessions": int(k), "trials": int(n), "watched": int(seen), "good": int(ok)}
        for browser, k, n, seen, ok in connection.execute(query)
    ]
