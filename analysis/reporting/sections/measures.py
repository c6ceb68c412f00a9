"""The report's sections on further measures: sensitivity, times, learning, images, errors, reliability, the joint model."""

from collections.abc import Callable, Mapping
from typing import Any

from rapidvision.errors import InputError
from rapidvision.text.json_values import plain

from ...designs.contrast import with_groups
from ...fits.hierarchical.model import fit_hierarchical
from ...measures.confusion import confusion
from ...measures.image_effects import image_effects
from ...measures.learning_curves import learning
from ...measures.level_effects import level_effects
from ...measures.response_times import response_times
from ...measures.sensitivity import sensitivity
from ...measures.speed_accuracy import speed_accuracy
from ...measures.split_half import split_half
from ...models.observers import observer_consistency
from ...table.trials import Trials
from ..basis.drawn_conditions import networks_under
from ..basis.fig2b_panel import Fig2b
from ..basis.parts import Parts, Section, bullets, paragraph, shown_result

#: Name of a measure → title of its section.
TITLES = {
    "effects": "Sizes of the differences",
    "sensitivity": "Sensitivity (d′) and criterion",
    "times": "Distributions of response times",
    "learning": "Learning over blocks",
    "speed_accuracy": "Speed and accuracy",
    "images": "Effects of images",
    "confusion": "Confusions",
    "split_half": "Split-half reliability",
    "consistency": "Error consistency, with the participants as the ceiling",
    "hierarchical": "Psychometric functions with random participants and images",
}


def computed_measures(
    trials: Trials,
    main: Fig2b,
    *,
    networks: Trials | None = None,
    joint: bool = False,
    seed: int,
    without: dict[str, str],
) -> dict[str, Any]:
    """Compute every measure that the table allows; why one is missing is added to `without` under its name.

    Parameters
    ----------
    trials : Trials
        The participants.
    main : Fig2b
        The figure and its tests. Of a mixed design, measures compare the conditions within participants.
    networks : Trials, optional
        The networks, held against the participants in error consistency.
    joint : bool
        Also the hierarchical model, which takes longest.
    seed : int
        Of every resampling.
    without : dict
        Name of the measure → why it could not be computed.
    """
    tests = main.tests
    contrast, late = tests.contrast, tests.late
    people = with_groups(trials, contrast)
    pair = (contrast.conditions[0], contrast.conditions[1]) if len(contrast.conditions) == 2 else None
    how: dict[str, Any] = {
        "conditions": pair,
        "late": late,
        "seed": seed,
        "n_resamples": tests.pairs[0].test.n_resamples,
    }
    calls: dict[str, Callable[[], Any]] = {
        "effects": lambda: level_effects(people, conditions=pair, late=late),
        "sensitivity": lambda: sensitivity(people, **how),
        "times": lambda: response_times(people, late=late),
        "learning": lambda: learning(people, **how),
        "speed_accuracy": lambda: speed_accuracy(people, **how),
        "images": lambda: image_effects(people, **how),
        "confusion": lambda: confusion(people),
        "split_half": lambda: split_half(people, late=late, seed=seed),
        "consistency": lambda: _consistency(people, main, networks, seed=seed),
    }
    if joint:
        calls["hierarchical"] = lambda: fit_hierarchical(people, groups=pair)
    found = {}
    for name, compute in calls.items():
        try:
            found[name] = compute()
        except InputError as why:
            without[name.replace("_", " ")] = str(why)
    return found


def _consistency(people: Trials, main: Fig2b, networks: Trials | None, *, seed: int) -> Any:
    contrast = main.tests.contrast
    under = None if networks is None or contrast.design == "mixed" else networks_under(networks, contrast)
    return observer_consistency(people, under, late=main.tests.late, seed=seed)


def measure_sections(found: Mapping[str, Any], without: Mapping[str, str]) -> list[Section]:
    """A section per measure, and one that says which are left out and why.

    Parameters
    ----------
    found : mapping
        From :func:`computed_measures`.
    without : mapping
        Name of a part → why it could not be computed.
    """
    sections = [shown_result(TITLES[name], one, name=name) for name, one in found.items()]
    lacking = [name for name in TITLES if name not in found and name.replace("_", " ") in without]
    if lacking:
        words = [f"{TITLES[name]}: {without[name.replace('_', ' ')]}" for name in lacking]
        said: Parts = paragraph(f"{len(lacking)} measures could not be computed from this table.") + bullets(words)
        sections.append(Section("Measures left out", said))
    return sections


def measure_results(found: Mapping[str, Any]) -> dict[str, Any]:
    """What ``results.json`` holds of the measures: rows and notes of each."""
    return {
        name: {
            "rows": plain(one.to_frame().to_dict("records")),
            "notes": list(getattr(one, "notes", ())),
        }
        for name, one in found.items()
    }
