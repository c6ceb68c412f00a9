"""The stored runs as the tables of the documentation: ``python -m benchmarks.attached_tables`` prints them."""

import json

import numpy as np

from benchmarks import attribute_photographs, train_attached
from benchmarks.human_maps import SOURCES
from benchmarks.train_attached import LAMBDAS, NETWORKS, Condition
from rapidvision.gala_models.evaluation.agreement import interval_of

NAMES = {"lite0": "Lite0", "lite2": "Lite2"}


def numbers(values):
    return np.array([np.nan if value is None else value for value in values], float)


def cell(values):
    return "{:.3f} [{:.3f}, {:.3f}]".format(*interval_of(numbers(values)))


def table(head, rows):
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows)])


def held_out(stored):
    """Own, shuffled and no maps; a row per network and measure, a column per source."""
    rows = []
    found = stored["conditions"]
    for network in NETWORKS:
        for label, kind, key in (
            ("own maps", "own", "rho"),
            ("shuffled maps", "shuffled", "rho"),
            ("no maps, animal loss", "none", "rho"),
            ("own - shuffled", "difference", "rho"),
            ("own maps, partial", "own", "partial"),
            ("shuffled maps, partial", "shuffled", "partial"),
            ("own maps, own - other", "own", "own_minus_other"),
        ):
            cells = []
            for source in SOURCES:
                names = [
                    Condition(network, source, one).name
                    for one in (("own", "shuffled") if kind == "difference" else (kind,))
                ]
                if any(name not in found for name in names):
                    cells.append("not measured")
                    continue
                values = [numbers(found[name][key]) for name in names]
                cells.append(cell(values[0] if len(values) == 1 else values[0] - values[1]))
            rows.append([f"{NAMES[network]}, {label}", *cells])
    return table(["ρ with the human map", *SOURCES], rows)


def answers(stored):
    """What attention changes in the network's answers."""
    rows, found = [], stored["conditions"]
    for network in NETWORKS:
        for source in SOURCES:
            one = found.get(Condition(network, source).name)
            if one is None:
                continue
            before = np.mean(numbers(stored["untouched"][f"{network}/{SOURCES[source]}"]["correct"]))
            labelled = bool(np.isfinite(before))
            rows.append(
                [f"{NAMES[network]}, {source}", f"{before:.3f}" if labelled else "no labels", cell(one["correct"]) if labelled else "no labels", cell(one["agree"]), f"{np.mean(one['kl']):.3f}", f"{np.mean(one['use']):.2f}"]
            )  # fmt: skip
    return table(["", "accuracy untouched", "accuracy", "same first answer", "KL", "use"], rows)


def trade_off(stored):
    """The curve over λ, Lite0 and fixations."""
    rows, found = [], stored["conditions"]
    for form in ("gain", "small"):
        for lam in LAMBDAS:
            one = found.get(Condition("lite0", "fixations", "own", form, lam).name)
            if one is not None:
                rows.append(
                    [
                        form,
                        f"{lam:g}",
                        cell(one["rho"]),
                        cell(one["partial"]),
                        cell(one["agree"]),
                        f"{np.mean(one['use']):.2f}",
                    ]
                )
    return table(["form", "λ", "ρ", "partial", "same first answer", "use"], rows)


def untouched(stored):
    """Attributions of the untouched networks, and maps that know nothing of the image."""
    rows, found = [], stored["maps"]
    keys = [("-", "halves"), ("-", "centre"), ("-", "mean of others"), *attribute_photographs.RUNS]
    labels = {
        "halves": "half of the participants with the other half",
        "centre": "Gaussian in the centre",
        "mean of others": "mean map of the other photographs",
    }
    for network, method in keys:
        cells = []
        for source in SOURCES:
            one = found.get(f"{network}/{source}/{method}")
            if one is None:
                cells.append("not measured")
            else:
                cells.append(
                    cell(one["rho"]) + (f"; {np.nanmean(numbers(one['partial'])):.3f}" if network != "-" else "")
                )
        if set(cells) != {"not measured"}:
            rows.append([labels.get(method) or f"{NAMES[network]}, {method}", *cells])
    return table(["ρ with the human map; partial", *SOURCES], rows)


def tables():
    """Name → table, of the runs that are stored."""
    out = {}
    if train_attached.STORED.is_file():
        stored = train_attached.stored()
        out |= {"held out": held_out(stored), "answers": answers(stored), "trade-off": trade_off(stored)}
    if attribute_photographs.STORED.is_file():
        out["untouched"] = untouched(json.loads(attribute_photographs.STORED.read_text(encoding="utf-8")))
    return out


if __name__ == "__main__":
    for name, text in tables().items():
        print(f"## {name}\n\n{text}\n")
