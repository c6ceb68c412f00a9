"""The results paragraph: what differed at which levels, and what else the report tested."""

from collections.abc import Iterator, Mapping
from typing import Any

from .numbers import Numbers, Path, listed
from .wording import ALTERNATIVES, CORRECTIONS, difference, level, name_of, p_path, value

#: Tables of pairs, thresholds and effects that a text can hold; more are for the table.
_MOST_NAMED = 6


def results_sentences(numbers: Numbers) -> Iterator[str]:
    """Every sentence of the results paragraph.

    Parameters
    ----------
    numbers : Numbers
        Of a ``results.json``.
    """
    yield from _level_tests(numbers)
    yield from _late(numbers)
    yield from _chance(numbers)
    yield from _ceilings(numbers)
    yield from _thresholds(numbers)
    yield from _regression(numbers)
    yield from _networks(numbers)


def _level_tests(numbers: Numbers) -> Iterator[str]:
    test = numbers.get("test")
    if test.get("omnibus"):
        yield from _omnibus(numbers)
    pairs: list[Path] = [("test", "pairs", at) for at in range(len(test.get("pairs") or ()))] or [("test",)]
    for pair in pairs:
        yield from _pair(numbers, pair)


def _omnibus(numbers: Numbers) -> Iterator[str]:
    rows: Path = ("test", "omnibus", "levels")
    alpha = numbers.get("test", "alpha")
    found = [place for place, row in enumerate(numbers.get(*rows)) if row["p"] is not None and row["p"] <= alpha]
    names = listed(list(numbers.get("test", "groups")))
    what = name_of(numbers.get("test", "statistic"))
    if not found:
        yield f"{what[0].upper()}{what[1:]} of {names} differed at no level (max-F over all levels)."
        return
    where = [f"{level(numbers, *rows, at, 'level')} ({numbers.p(*rows, at, 'p')})" for at in found]
    yield f"{what[0].upper()}{what[1:]} differed between {names} at {listed(where)} (max-F over all levels)."


def _pair(numbers: Numbers, at: Path) -> Iterator[str]:
    """One comparison of two conditions, or of one with a value, at every level."""
    first, second = numbers.get(*at, "groups")
    statistic, correction = numbers.get("test", "statistic"), numbers.get("test", "correction")
    rows: Path = (*at, "levels")
    alpha = numbers.get("test", "alpha")
    ps = [numbers.get(*p_path(numbers, rows, place, correction)) for place in range(len(numbers.get(*rows)))]
    tested = [place for place, p in enumerate(ps) if p is not None]
    found = [place for place in tested if ps[place] <= alpha]
    how = _how(numbers, at)
    what = name_of(statistic)
    for sign, word in ((1, "higher"), (-1, "lower")):
        where = [place for place in found if sign * numbers.get(*rows, place, "difference") > 0]
        if not where:
            continue
        details = [
            f"{level(numbers, *rows, place, 'level')} ({value(numbers, statistic, *rows, place, first)} against "
            f"{value(numbers, statistic, *rows, place, second)}, difference "
            f"{difference(numbers, statistic, *rows, place, 'difference')}, "
            f"{numbers.p(*p_path(numbers, rows, place, correction))})"
            for place in where
        ]
        yield f"{what[0].upper()}{what[1:]} was {word} for {first} than for {second} at {listed(details)}{how}."
        how = ""
    rest = [place for place in tested if place not in found]
    if not tested:
        yield f"{what[0].upper()}{what[1:]} of {first} and {second} could not be compared at any level."
    elif rest:
        least = min(rest, key=lambda place: (ps[place], place))
        smallest = numbers.bare_p(*p_path(numbers, rows, least, correction))
        where_least = level(numbers, *rows, least, "level")
        if found:
            yield f"No difference was shown at the other levels (all p ≥ {smallest}, the smallest at {where_least})."
        else:
            yield (
                f"{what[0].upper()}{what[1:]} of {first} and {second} differed at no level (all p ≥ {smallest}, the "
                f"smallest at {where_least}){how}."
            )
    for place, cluster in enumerate(numbers.get(*at).get("clusters") or ()):
        if cluster["p"] <= alpha:
            start, end = (level(numbers, *rows, cluster[name], "level") for name in ("first", "last"))
            higher, lower = (first, second) if cluster["sign"] > 0 else (second, first)
            span = f"at {start}" if start == end else f"from {start} to {end}"
            yield f"In a cluster {span}, {higher} lay above {lower} ({numbers.p(*at, 'clusters', place, 'p')})."


def _how(numbers: Numbers, at: Path) -> str:
    """Test, sides, correction and n of a comparison."""
    design = numbers.get("test", "design")
    count = numbers.count("test", "relabellings")
    kind = {
        "between": f"randomization test, {count} relabellings of participants",
        "within": f"sign-flip test, {count} flips of participants' paired differences",
        "one-sample": f"sign-flip test, {count} flips of participants' differences from the value",
        "mixed": f"randomization test, {count} relabellings",
    }[design]
    if numbers.get("test", "spread") == "pooled":
        kind += " of the studentized difference with pooled spread"
    first = numbers.get(*at, "groups", 0)
    sides = ALTERNATIVES[numbers.get("test", "alternative")].replace("FIRST", first)
    corrected = CORRECTIONS[numbers.get("test", "correction")].replace("NUMBER", numbers.count("test", "n_levels"))
    sizes = listed([numbers.count(*at, "n", place) for place in range(len(numbers.get(*at, "n")))])
    return f" ({kind}, {sides}, {corrected}; n = {sizes})"


def _late(numbers: Numbers) -> Iterator[str]:
    words = {"exclude": "left out", "wrong": "counted as wrong", "half": "counted as half correct"}
    others = [rule for rule in numbers.get("late_agreement") if rule != numbers.get("test", "late")]
    if others and any(numbers.get("late_share").values()):
        parts = [
            f"{words[rule]}, the decision was the same at {numbers.count('late_agreement', rule, 'same')} of "
            f"{numbers.count('late_agreement', rule, 'levels')} levels"
            for rule in others
        ]
        yield f"With late, early and missing answers {'; '.join(parts)}."


def _chance(numbers: Numbers) -> Iterator[str]:
    alpha = numbers.get("test", "alpha")
    for at, rows in enumerate(numbers.get("chance")):
        run = []
        for place in range(len(rows) - 1, -1, -1):
            if rows[place]["p_holm"] is None or rows[place]["p_holm"] > alpha:
                break
            run.append(place)
        if not run:
            continue
        worst = max(run, key=lambda place: rows[place]["p_holm"])
        least = numbers.get("chance", at, worst, "p_holm") < 0.001
        yield (
            f"{rows[0]['group']} was above chance ({numbers.percent('guess')}) from "
            f"{level(numbers, 'chance', at, run[-1], 'level')} on (Holm-corrected, "
            f"{'all p <' if least else 'all p ≤'} {numbers.bare_p('chance', at, worst, 'p_holm')})."
        )


def _ceilings(numbers: Numbers) -> Iterator[str]:
    for at, one in enumerate(numbers.get("ceilings")):
        path: Path = ("ceilings", at)
        within = (
            f"within {numbers.points(*path, 'margin')} points of the {numbers.share(*path, 'full_accuracy')} "
            f"with the intact image, alpha = {numbers.plain(*path, 'alpha')}"
        )
        if one["level"] is None:
            yield f"No ceiling of {one['group']} below the intact image could be shown ({within})."
        else:
            yield f"{one['group']} reached its ceiling at {level(numbers, *path, 'level', 'label')} ({within})."


def _thresholds(numbers: Numbers) -> Iterator[str]:
    found = numbers.get("thresholds")
    if not found:
        return
    unit = "%" if numbers.get("test", "level_unit").startswith("%") else ""
    rows: Path = ("thresholds", "groups")
    if any(row.get("threshold_percent") is None for row in found["groups"]):
        return
    parts = []
    for at, row in enumerate(found["groups"][:_MOST_NAMED]):
        one = f"{row['group']} {numbers.number(*rows, at, 'threshold_percent', digits=1)}{unit}"
        if row.get("threshold_low") is not None and row.get("threshold_high") is not None:
            low, high = (numbers.number(*rows, at, f"threshold_{end}", digits=1) for end in ("low", "high"))
            one += f" [{low}, {high}]"
        parts.append(one)
    text = f"Thresholds were {listed(parts)} ({numbers.percent('test', 'confidence')} intervals)"
    test: Mapping[str, Any] = found.get("test") or {}
    if test.get("p") is not None and test.get("ratio") is not None:
        groups = numbers.get("thresholds", "test", "groups")
        text += (
            f"; the ratio of {groups[0]} to {groups[1]} was {numbers.number('thresholds', 'test', 'ratio')}, "
            f"{numbers.p('thresholds', 'test', 'p')}"
        )
    yield f"{text}."


def _regression(numbers: Numbers) -> Iterator[str]:
    found = numbers.get("regression")
    if not found:
        return
    rows: Path = ("regression", "effects")
    parts = []
    for at, row in enumerate(found["effects"]):
        if row["effect"] == "(intercept)" or row.get("p") is None:
            continue
        one = f"{row['effect']}, b = {numbers.number(*rows, at, 'estimate')}"
        if row.get("low") is not None and row.get("high") is not None:
            one += f" [{numbers.number(*rows, at, 'low')}, {numbers.number(*rows, at, 'high')}]"
        parts.append(f"{one}, {numbers.p(*rows, at, 'p')}")
    if parts:
        yield f"In the mixed model (logit; participants and images random): {'; '.join(parts)}."


def _networks(numbers: Numbers) -> Iterator[str]:
    found = numbers.get("compare")
    if not found:
        return
    curves: Path = ("compare", "curves")
    for at, row in enumerate(found["curves"][:_MOST_NAMED]):
        if row.get("area_human_minus_model") is None:
            continue
        text = (
            f"Participants ({row['group']}) minus {row['model']} was "
            f"{numbers.points(*curves, at, 'area_human_minus_model')} points on average over the levels"
        )
        for place, one in enumerate(found["error_consistency"]):
            if (one["model"], one["group"]) == (row["model"], row["group"]) and one.get("kappa") is not None:
                kappa: Path = ("compare", "error_consistency", place)
                text += f", error consistency κ = {numbers.number(*kappa, 'kappa')}"
                if all(end is not None for end in one.get("interval") or [None]):
                    low, high = (numbers.number(*kappa, "interval", end) for end in (0, 1))
                    text += f" [{low}, {high}]"
        yield f"{text}."
