"""The reading of a table as a short table: what was found, for the user to confirm."""

from collections import Counter

from ..importers.engine import Imported
from ..importers.source.folding import rows
from ..importers.source.vocabulary import plain

_SHOWN = 8


def reading_rows(found: Imported, program: str) -> list[tuple[str, str]]:
    """What was found in a table: program, trials, participants, design, levels, answers, chance, deadline, columns.

    Returns
    -------
    list of (str, str)
        What, and what was found.
    """
    columns = {field: column.name for field, column in found.columns.items()}
    people = {record.participant_id for record in found.records}
    lines = [
        ("table", f"{found.source.name}, as {program} writes it" if program != "csv" else found.source.name),
        ("trials", f"{len(found.records):,} of {rows(len(found.source.rows))}"),
        (
            "participants",
            f"{len(people):,} (column {columns['participant']})"
            if "participant" in columns
            else f"{len(people):,} (a file each)",
        ),
        ("design", _design(found)),
        ("levels", _levels(found)),
    ]
    if "image" in columns:
        images = {record.image_id for record in found.records}
        lines.append(("images", f"{len(images):,} (column {columns['image']})"))
    lines += [("answers", _answers(found)), ("chance level", _chance(found)), ("response times", _times(found))]
    lines.append(("deadline", _deadline(found)))
    if found.kept:
        lines.append(("other columns kept", ", ".join(found.kept)))
    return lines


def reading_text(found: Imported, program: str) -> str:
    """The table of :func:`reading_rows` as text."""
    lines = reading_rows(found, program)
    width = max(len(what) for what, _ in lines)
    return "\n".join(f"  {what:<{width}}  {text}" for what, text in lines)


def _listed(counts: "Counter[str]", unit: str) -> str:
    shown = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())[:_SHOWN])
    return shown + (f" and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else "") + f" {unit}"


def _design(found: Imported) -> str:
    groups: dict[str, set[str]] = {}
    conditions: dict[str, set[str]] = {}
    for record in found.records:
        groups.setdefault(record.group, set()).add(record.participant_id)
        conditions.setdefault(record.map_source, set()).add(record.participant_id)
    if found.within:
        counts = Counter({name: len(people) for name, people in conditions.items()})
        return f"{len(counts)} conditions within participants (column {found.columns['group'].name}): {_listed(counts, 'participants')}"
    counts = Counter({name: len(people) for name, people in groups.items()})
    if len(counts) == 1:
        return "one group"
    return f"{len(counts)} groups of different participants (column {found.columns['group'].name}): {_listed(counts, 'participants')}"


def _levels(found: Imported) -> str:
    levels = found.levels
    labels = sorted(levels.order, key=lambda label: levels.order[label])
    if "level" not in found.columns:
        return "none: every trial is at one level"
    shown = ", ".join(labels[:_SHOWN]) + (f" … {labels[-1]}" if len(labels) > _SHOWN else "")
    axis = f"; unit {levels.unit or 'not named'}, {levels.scale} axis" if levels.values else ""
    return f"{len(labels)} (column {found.columns['level'].name}): {shown}{axis}"


def _answers(found: Imported) -> str:
    columns = {field: column.name for field, column in found.columns.items()}
    layout = found.layout
    if "response" not in columns and layout.no_answer == "missing":
        return f"only whether they were correct (column {columns['correct']})"
    if "response" not in columns:
        return f"a press or none; none means {layout.no_answer}"
    if layout.answers == "words":
        counts = Counter(record.response for record in found.records if record.response)
        truth = (
            f", the right one in {columns['truth']}" if "truth" in columns else f", correctness in {columns['correct']}"
        )
        return f"column {columns['response']}{truth}: {_listed(Counter(map(str, counts.elements())), '').strip()}"
    if layout.targets == ("*",):
        meant = f"any is target; none means {layout.no_answer}"
    else:
        meant = f"{' '.join(layout.targets)} = target, {' '.join(layout.distractors)} = distractor"
    if "target_key" in columns:
        meant = f"the key that means target is in {columns['target_key']}"
    truth = f"; truth in {columns['target']}" if "target" in columns else ""
    return f"column {columns['response']}: {meant}{truth}"


def _chance(found: Imported) -> str:
    if found.layout.options:
        return f"{1 / len(found.layout.options):.3g} ({len(found.layout.options)} options)"
    rights = {record.correct_response for record in found.records}
    if None in rights or not found.records:
        return "not shown by the table; state it with guess"
    if found.layout.answers == "words":
        return (
            f"{1 / len(rights):.3g} ({len(rights)} options)"
            if len(rights) > 1
            else "not shown by the table; state it with guess"
        )
    if "response" not in found.columns and found.layout.no_answer == "missing":
        return "not shown by the table; state it with guess"
    return "0.5 (2 options)"


def _times(found: Imported) -> str:
    if "response_ms" not in found.columns:
        return "none"
    times = sorted(record.response_ms for record in found.records if record.response_ms is not None)
    middle = f"median {times[len(times) // 2]:,.0f} ms, slowest {times[-1]:,.0f} ms" if times else "no answer has one"
    seconds = any("are seconds" in note for note in found.notes) or found.layout.time_unit == "s"
    return f"column {found.columns['response_ms'].name}, {'seconds in the file; ' if seconds else ''}{middle}"


def _deadline(found: Imported) -> str:
    none = sum(record.status == "none" for record in found.records)
    late = sum(record.status == "late" for record in found.records)
    missing = f"; {none:,} trials have no answer" if none else ""
    if found.layout.limit_ms is not None:
        return f"{found.layout.limit_ms:g} ms: {late:,} answers are late{missing}"
    for name in found.source.columns:
        if plain(name).removesuffix("ms") in (
            "deadline",
            "responsedeadline",
            "responselimit",
            "timelimit",
            "timeout",
            "responsewindow",
        ):
            values = {str(row.cells.get(name)) for row in found.source.rows}
            return f"none applied; column {name} holds {', '.join(sorted(values)[:3])} (limit-ms applies one){missing}"
    return f"none: every answer is in time{missing}"
