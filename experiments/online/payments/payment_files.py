"""The files of ``session payments``: a table for the person who decides, and what the service takes without changes."""

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from rapidvision.errors import InputError
from rapidvision.system import files

from ...web.tokens import Keyring
from ..database.identity import id_key
from ..output.guarded_csv import guarded_csv
from ..storage.open_database import DATABASE_VARIABLE, ONLINE_FOLDER, default_database, open_online_store
from ..study.plans import open_study
from .attended import attended
from .pairing import Pair, paired
from .submissions import read_submissions

HEADER = (
    "external_id",
    "submission_id",
    "participant_id",
    "session_id",
    "service",
    "arrived_utc",
    "taken_s",
    "outcome",
    "n_trials",
    "n_planned",
    "flags",
    "status",
    "decision",
    "reason",
    "category",
    "message",
    "bonus",
)


def write_payments(arguments: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Write the files that the command asks for; return the counts of decisions and what to say about them."""
    folder = Path(arguments.study)
    served = open_study(folder, stimulus_set=arguments.set, verify=False)
    reward = _reward(arguments.reward)
    theirs = None if arguments.submissions is None else read_submissions(arguments.submissions)
    url = arguments.database_url or os.environ.get(DATABASE_VARIABLE, "") or default_database(served.folder)
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        raise InputError(f"{url}: no database here; serve the study first, or name it with --database-url")
    store = open_online_store(url, served, reading=True)
    try:
        keys = Keyring(store.submit(id_key).result(30))
        ours = store.read(lambda connection: attended(connection, served))
    finally:
        store.close()
    pairs = paired(ours, theirs, lambda id_: keys.pseudonym("human", f"prolific:{id_}"))
    out = arguments.out or served.folder / ONLINE_FOLDER / "payments"
    written = _write(out, pairs, reward, exported=theirs is not None)
    words = Counter(pair.decision.word for pair in pairs)
    counts = {word: words[word] for word in sorted(words)}
    said = ", ".join(f"{word} {n}" for word, n in counts.items()) or "none"
    lines = [f"{len(pairs)} sessions and submissions in {out}: {said}"]
    if theirs is None:
        lines.append(
            "note       without --submissions nothing is known of the recruitment service; no file for it is written"
        )
    owed = words["bonus"] + words["partial"]
    if owed and reward is None and theirs is not None:
        lines.append(f"note       {owed} are owed a bonus; --reward AMOUNT writes the file of bonuses")
    return {"decisions": counts, "files": written}, "\n".join(lines)


def _reward(given: str) -> Decimal | None:
    if not given:
        return None
    try:
        reward = Decimal(given)
    except InvalidOperation:
        reward = Decimal("NaN")
    if not reward.is_finite() or reward <= 0:
        raise InputError(f"--reward: got {given}; the reward in whole units of its currency is needed, such as 1.50")
    return reward


def _write(out: Path, pairs: Sequence[Pair], reward: Decimal | None, *, exported: bool) -> list[str]:
    """Write the files, into a folder that only the owner can read.

    Files for the service hold the submission ids of its own export, never those of a link, which anybody can write.
    """
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    texts: dict[str, str] = {}
    known = [pair for pair in pairs if pair.theirs is not None]
    if exported:
        for name, word in (("prolific-approve.txt", "approve"), ("prolific-return.txt", "return")):
            texts[name] = "".join(f"{pair.submission_id}\n" for pair in known if pair.decision.word == word)
    if exported and reward is not None:
        bonuses = [(pair.submission_id, amount) for pair in known if (amount := pair.bonus(reward))]
        texts["prolific-bonuses.csv"] = "".join(f"{id_},{amount}\n" for id_, amount in bonuses)
    texts["payments.csv"] = guarded_csv(HEADER, [_row(pair, reward) for pair in pairs])
    for name, text in texts.items():
        files.write_text(out / name, text)
        (out / name).chmod(0o600)
    return sorted(texts)


def _row(pair: Pair, reward: Decimal | None) -> list[Any]:
    ours, decision = pair.ours, pair.decision
    amount = None if reward is None else pair.bonus(reward)
    time = None if ours is None else datetime.fromtimestamp(ours.began, UTC).isoformat(timespec="seconds")
    taken = pair.theirs.taken_s if pair.theirs is not None and pair.theirs.taken_s is not None else None
    if taken is None and ours is not None and ours.taken_s is not None:
        taken = round(ours.taken_s, 1)
    return [
        pair.external_id,
        pair.submission_id,
        "" if ours is None else ours.participant_id,
        "" if ours is None else ours.session_id,
        "" if ours is None else ours.service,
        time,
        taken,
        pair.outcome,
        None if ours is None else ours.n_trials,
        None if ours is None else ours.n_planned,
        "" if ours is None else "; ".join(ours.flags),
        "" if pair.theirs is None else pair.theirs.status,
        decision.word,
        decision.reason,
        decision.category,
        decision.message,
        None if amount is None else str(amount),
    ]
