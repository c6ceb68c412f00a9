"""The methods paragraph: who, what was left out, which tests with which options, which software."""

from collections.abc import Iterator

from .numbers import Numbers, listed
from .wording import corrected, name_of, value

_DONE = {"exclude": "left out", "wrong": "counted as wrong", "half": "counted as half correct"}
_KINDS = {"simulated": "simulated participants", "pilot": "pilot participants", "model": "networks"}
_SPREAD = {
    "raw": "the difference of the groups was compared with its relabellings",
    "pooled": "the difference was studentized with one overdispersion per group pooled over the levels",
}


def methods_sentences(numbers: Numbers) -> Iterator[str]:
    """Every sentence of the methods paragraph.

    Parameters
    ----------
    numbers : Numbers
        Of a ``results.json``.
    """
    yield from _sample(numbers)
    yield from _answers(numbers)
    yield from _tests(numbers)
    yield from _software(numbers)


def _sample(numbers: Numbers) -> Iterator[str]:
    before, after = numbers.get("exclusions", "before"), numbers.get("exclusions", "after")
    if (
        numbers.get("test", "column") == "group" and numbers.get("test", "design") != "mixed"
    ):  # others were not analysed
        compared = numbers.get("test", "contrast", "conditions")
        before, after = ({name: sizes[name] for name in sizes if name in compared} for sizes in (before, after))
    sizes = [f"{group}, n = {numbers.count('exclusions', 'after', group)}" for group in after]
    yield f"We analysed {numbers.count('n_trials')} trials of {'; '.join(sizes)}."
    if kinds := [_KINDS[kind] for kind in numbers.get("observer_kinds") if kind in _KINDS]:
        yield f"The observers were {listed(kinds)}."
    rules = numbers.get("exclusions", "rules")
    if not rules:
        yield "No participant was excluded."
    for at, _ in enumerate(rules):
        yield (
            f"Rule for exclusion: {numbers.get('exclusions', 'rules', at, 'rule')}; left out: "
            f"{numbers.count('exclusions', 'rules', at, 'n')}."
        )
    lost = [group for group in before if before[group] != after.get(group, 0)]
    if lost:
        sizes = [f"{group}, n = {numbers.count('exclusions', 'before', group)}" for group in lost]
        yield f"Before exclusions: {'; '.join(sizes)}."


def _answers(numbers: Numbers) -> Iterator[str]:
    shares = numbers.get("late_share")
    if any(shares.values()):
        parts = [f"{numbers.share('late_share', group)} in {group}" for group, share in shares.items() if share]
        yield f"Late, early and missing answers ({listed(parts)}) were {_DONE[numbers.get('test', 'late')]}."


def _tests(numbers: Numbers) -> Iterator[str]:
    test = numbers.get("test")
    yield from _compared(numbers)
    if not all(pair["paired"] for pair in test["pairs"]):
        kinds = dict.fromkeys(pair["spread"] for pair in test["pairs"] if not pair["paired"])
        yield f"In the comparison of groups {' or '.join(_SPREAD[kind] for kind in kinds)}."
    if test["omnibus"]:
        yield "An omnibus test over all conditions and levels (max-F) came before the pairs."
    many = max(range(len(test["pairs"])), key=lambda at: test["pairs"][at]["n_pairs"])
    sides = f"Tests were {test['alternative']}, {corrected(numbers, ('test', 'pairs', many))}"
    yield f"{sides}, at alpha = {numbers.plain('test', 'alpha')}."
    if test["covariates"]:
        yield f"Groups were adjusted for {listed(test['covariates'])} (permutation of residuals, Freedman and Lane)."
    if test["strata"]:
        yield f"Participants were relabelled within the values of {test['strata']}."
    if test["pairing"] == "images":
        yield "Only images that a participant saw under every condition entered."
    if numbers.get("chance"):
        yield f"Accuracy was tested against chance ({numbers.percent('guess')}), one-sided, with Holm's correction."
    if numbers.get("ceilings"):
        margin = numbers.points("ceilings", 0, "margin")
        yield (
            f"A group's ceiling is the lowest level of the unbroken run from the top at which accuracy is not more than "
            f"{margin} points below that with the intact image (non-inferiority, alpha = {numbers.plain('ceilings', 0, 'alpha')})."
        )
    if numbers.get("thresholds"):
        yield "Thresholds are those of psychometric functions fitted to each group, halfway between guessing and the best."


def _compared(numbers: Numbers) -> Iterator[str]:
    """What was compared by which resampling."""
    test, contrast = numbers.get("test"), numbers.get("test", "contrast")
    what, n_levels = name_of(test["statistic"]), numbers.count("test", "n_levels")
    count, seed = numbers.count("test", "relabellings"), numbers.plain("provenance", "seed")
    units = "images" if test["unit"] == "image" else "participants"
    names = listed(list(contrast["conditions"]))
    after = f"the same over all levels, {count} times (seed {seed}); ties counted as extreme"
    if test["design"] == "one-sample":
        value_ = value(numbers, test["statistic"], "test", "against")
        how = f"random signs of {units}' differences from the value"
        yield f"We compared {what} of {names} with {value_} at {n_levels} levels by {how}, {after}."
    elif test["design"] == "mixed":
        groups = listed(list(contrast["groups"]))
        yield (
            f"We compared {what} of {names} ({contrast['within']}, within participants) and of {groups} "
            f"({contrast['between']}, between participants) at {n_levels} levels: the interaction and the main effect of "
            f"{contrast['between']} by relabelling participants, the main effect of {contrast['within']} by random signs of "
            f"their paired differences, {after}."
        )
    else:
        paired, several = test["pairs"][0]["paired"], len(test["pairs"]) > 1
        how = (
            f"random orders of each of the {units}' conditions"
            if several
            else f"random signs of {units}' paired differences"
        )
        how = how if paired else f"relabelling {units}"
        yield f"We compared {what} of {names} at {n_levels} levels by {how}, {after}."


def _software(numbers: Numbers) -> Iterator[str]:
    versions = [
        f"{name} {numbers.plain('provenance', 'packages', name)}" for name in numbers.get("provenance", "packages")
    ]
    yield f"Analyses were made with RapidVision {numbers.plain('provenance', 'version')} ({', '.join(versions)})."
