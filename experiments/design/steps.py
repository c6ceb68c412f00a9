"""The steps of a session: pages, questions, trials, practice criterion and breaks, in order."""

from collections.abc import Mapping, Sequence
from typing import Literal

from rapidvision.plan import Ask, Gate, Page, Run, Step
from rapidvision.protocol import Protocol
from rapidvision.task.response import Scalar
from rapidvision.task.trial import Trial

from . import texts

START, MAIN, END = "start", "main", "end"


def session_steps(
    protocol: Protocol,
    trials: Mapping[int, Sequence[Trial]],
    conditions: Sequence[Mapping[str, Scalar]],
    inputs: Mapping[str, str],
    said: Mapping[str, str],
) -> tuple[Step, ...]:
    """Return a session's steps.

    Parameters
    ----------
    protocol : Protocol
        The task.
    trials : mapping
        Block -> trials; practice rounds are the blocks -1, -2, …
    conditions : sequence of mapping
        For each block, the values of the factors that vary between blocks.
    inputs : mapping
        Input -> option.
    said : mapping
        The plan's texts.
    """
    page_ms = protocol.breaks.page_ms

    def page(part: str, text_id: str, **values: Scalar) -> Page:
        return Page(part=part, text_id=text_id, min_ms=page_ms, values=values)

    steps: list[Step] = [page(START, "welcome")]
    steps += [Ask(part=START, question=q.name) for q in protocol.questions if q.ask == "start"]
    if protocol.response is not None:
        try_all: Literal["inputs", "key"] = "inputs" if any(not i.startswith("area:") for i in inputs) else "key"
        steps.append(Page(part=START, text_id="inputs", leave=try_all, min_ms=page_ms))
    rounds = sorted((block for block in trials if block < 0), reverse=True)
    for k, block in enumerate(rounds):
        steps += _practice(protocol, trials[block], k, len(rounds))
    steps.append(page(MAIN, "main"))
    n_blocks = protocol.design.blocks
    for block in range(n_blocks):
        if conditions[block]:
            name = texts.block_text_id(conditions[block])
            known = name if name in said else "block"
            steps.append(page(MAIN, known, conditions=texts.named_conditions(conditions[block])))
        steps += [Run(part=MAIN, trial=trial) for trial in trials[block]]
        steps += [Ask(part=MAIN, question=q.name, block=block) for q in protocol.questions if q.ask == "block"]
        if _says_accuracy(protocol):
            steps.append(Page(part=MAIN, text_id="block_accuracy", min_ms=page_ms, block=block))
        if block < n_blocks - 1 and (block + 1) % protocol.breaks.every_blocks == 0:
            steps.append(_break(protocol, block))
    steps += [Ask(part=END, question=q.name) for q in protocol.questions if q.ask == "end"]
    return (*steps, page(END, "end"))


def _practice(protocol: Protocol, trials: Sequence[Trial], k: int, n_rounds: int) -> list[Step]:
    part, block, page_ms = f"practice-{k + 1}", -1 - k, protocol.breaks.page_ms
    steps: list[Step] = [Page(part=part, text_id="practice_again" if k else "practice", min_ms=page_ms)]
    steps += [Run(part=part, trial=trial) for trial in trials]
    if _says_accuracy(protocol):
        steps.append(Page(part=part, text_id="practice_accuracy", min_ms=page_ms, block=block))
    if protocol.practice.criterion is not None:
        steps.append(
            Gate(
                part=part,
                block=block,
                at_least=protocol.practice.criterion,
                skip=tuple(f"practice-{later + 1}" for later in range(k + 1, n_rounds)),
                otherwise=protocol.practice.failed if k == n_rounds - 1 else "continue",
            )
        )
    return steps


def _break(protocol: Protocol, block: int) -> Page:
    breaks = protocol.breaks
    return Page(
        part=MAIN,
        text_id="break",
        leave="experimenter" if breaks.unlock == "experimenter" else "key",
        min_ms=max(breaks.page_ms, breaks.rest_ms),
        values={"block": block + 1} if protocol.display.progress == "blocks" else {},
    )


def _says_accuracy(protocol: Protocol) -> bool:
    """Typed answers are judged when the table is made, so there is no accuracy to state in the session."""
    return protocol.feedback.block == "accuracy" and protocol.response is not None
