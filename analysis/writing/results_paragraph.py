"""The results paragraph: what differed at which levels, and what else the report tested."""

from collections.abc import Iterator, Mapping
from typing import Any

from .numbers import Numbers, Path, listed
from .wording import ALTERNATIVES, corrected, difference, level, name_of, p_path, value

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
    if test["omnibus"]:
        yield from _omnibus(numbers)
    for at in range(len(test["pairs"])):
        yield from _pair(numbers, ("test", "pairs", at))


def _omnibus(numbers: Numbers) -> Iterator[str]:
    rows: Path = ("test", "omnibus", "levels")
    alpha = numbers.get("test", "alpha")
    p = "p_step_down"
    found = [place for place, row in enumerate(numbers.get(*rows)) if row[p] is not None and row[p] <= alpha]
    names = listed(list(numbers.get("test", "omnibus", "conditions")))
    what = name_of(numbers.get("test", "statistic"))
    how = (
        f"(max-F, {numbers.count('test', 'omnibus', 'relabellings')} resamples, corrected over "
        f"{numbers.count('test', 'n_levels')} levels by step-down; overall {numbers.p('test', 'omnibus', 'p_overall')})"
    )
    if numbers.get("test", "design") == "mixed":
        within = " and ".join(numbers.get("test", "contrast", "conditions"))
        what = f"the difference in {what} between {within}"
    if not found:
        yield f"{_capital(what)} of {names} differed at no level {how}."
        return
    where = [f"{level(numbers, *rows, at, 'level')} ({numbers.p(*rows, at, p)})" for at in found]
    yield f"{_capital(what)} differed between {names} at {listed(where)} {how}."


def _pair(numbers: Numbers, at: Path) -> Iterator[str]:
    """One comparison of two conditions, or of one with a value, at every level."""
    first, second = numbers.get(*at, "groups")
    correction = numbers.get("test", "correction")
    rows: Path = (*at, "levels")
    alpha = numbers.get("test", "alpha")
    ps = [numbers.get(*p_path(numbers, rows, place, correction)) for place in range(len(numbers.get(*rows)))]
    tested = [place for place, p in enumerate(ps) if p is not None]
    found = [place for place in tested if ps[place] <= alpha]
    how = _how(numbers, at)
    what = _capital(_subject(numbers, at))
    alone = numbers.get("test", "design") == "one-sample"
    for sign, word in ((1, "higher"), (-1, "lower")):
        where = [place for place in found if sign * numbers.get(*rows, place, "difference") > 0]
        if not where:
            continue
        details = listed([_detail(numbers, at, place) for place in where])
        if alone:
            yield f"{what} of {first} was {word} than {_against(numbers)} at {details}{how}."
        else:
            yield f"{what} was {word} for {first} than for {second} at {details}{how}."
        how = ""
    rest = [place for place in tested if place not in found]
    both = f"{what} of {first} and {_against(numbers)}" if alone else f"{what} of {first} and {second}"
    if not tested:
        yield f"{both} could not be compared at any level."
    elif rest:
        least = min(rest, key=lambda place: (ps[place], place))
        smallest = numbers.bare_p(*p_path(numbers, rows, least, correction))
        where_least = level(numbers, *rows, least, "level")
        if found:
            yield f"No difference was shown at the other levels (all p ≥ {smallest}, the smallest at {where_least})."
        else:
            yield f"{both} differed at no level (all p ≥ {smallest}, the smallest at {where_least}){how}."
    for place, cluster in enumerate(numbers.get(*at, "clusters")):
        if cluster["p"] <= alpha:
            start, end = (level(numbers, *rows, cluster[name], "level") for name in ("first", "last"))
            higher, lower = (first, second) if cluster["sign"] > 0 else (second, first)
            if alone:
                lower, higher = (_against(numbers) if one == second else one for one in (lower, higher))
            span = f"at {start}" if start == end else f"from {start} to {end}"
            yield f"In a cluster {span}, {higher} lay above {lower} ({numbers.p(*at, 'clusters', place, 'p')})."


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _subject(numbers: Numbers, at: Path) -> str:
    """What is compared: the statistic, or in an interaction the difference of the conditions within participants."""
    what, effect = name_of(numbers.get("test", "statistic")), numbers.get(*at, "effect")
    if effect == "interaction":
        return f"the difference in {what}, {' minus '.join(numbers.get('test', 'contrast', 'conditions'))},"
    return f"{what} ({effect})" if effect.startswith("main effect") else what


def _against(numbers: Numbers) -> str:
    """The value that one condition is compared with."""
    return value(numbers, numbers.get("test", "statistic"), "test", "against")


def _detail(numbers: Numbers, at: Path, place: int) -> str:
    """A level with both values, their difference and p."""
    statistic, row = numbers.get("test", "statistic"), (*at, "levels", place)
    written = difference if numbers.get(*at, "effect") == "interaction" else value
    first, second = (written(numbers, statistic, *row, f"mean_{which}") for which in ("first", "second"))
    values = first if numbers.get("test", "design") == "one-sample" else f"{first} against {second}"
    p = numbers.p(*p_path(numbers, (*at, "levels"), place, numbers.get("test", "correction")))
    gap = difference(numbers, statistic, *row, "difference")
    return f"{level(numbers, *row, 'level')} ({values}, difference {gap}, {p})"


def _how(numbers: Numbers, at: Path) -> str:
    """Test, sides, correction and n of a comparison."""
    count, paired, pair = numbers.count("test", "relabellings"), numbers.get(*at, "paired"), numbers.get(*at)
    units = "images" if numbers.get("test", "unit") == "image" else "participants"
    if numbers.get("test", "design") == "one-sample":
        kind = f"sign-flip test, {count} flips of {units}' differences from the value"
    elif paired and pair["n_pairs"] > 1:
        kind = f"randomization test, {count} orders of each of the {units}' conditions"
    elif paired:
        kind = f"sign-flip test, {count} flips of {units}' paired differences"
    else:
        kind = f"randomization test, {count} relabellings of {units}"
    if pair["spread"] == "pooled":
        kind += " of the studentized difference with pooled spread"
    sides = ALTERNATIVES[numbers.get("test", "alternative")].replace("FIRST", numbers.get(*at, "groups", 0))
    sizes = listed([numbers.count(*at, "n", place) for place in range(len(pair["n"]))])
    return f" ({kind}, {sides}, {corrected(numbers, at)}; n = {sizes})"


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
