"""The plan as a page to read and to upload."""

from .plan import Preregistration


def sheet(plan: Preregistration) -> str:
    """The plan as Markdown.

    Examples
    --------
    >>> import rapidvision as rv
    >>> plan = rv.analysis.preregister(["a", "b"], n={"a": 20, "b": 20}, question="Does a help?", seed=1)
    >>> sheet(plan).splitlines()[0]
    '# Preregistration: Does a help?'
    """
    first, *others = plan.conditions
    against = f"{first} minus {', '.join(others)}" if others else f"{first} alone"
    sizes = "; ".join(f"{name}, n = {size}" for name, size in plan.n.items())
    lines = [
        f"# Preregistration: {plan.question or against}",
        "",
        f"- **Conditions**: {against}",
        f"- **Participants**: {sizes}",
        f"- **Exclusions**: {plan.exclusion.replace('+', ', ').replace('_', ' ')}",
        f"- **Rows that count**: timing {plan.timing}, attempts {plan.attempts}",
        f"- **Statistic**: {plan.statistic.replace('_', ' ')}; late, early and missing answers: {plan.late}",
        f"- **Test**: {plan.relabellings:,} relabellings, {plan.alternative}, alpha = {plan.alpha:g}",
        f"- **Correction over levels**: {plan.correction}",
        f"- **Ceiling**: within {100 * plan.margin:g} points of the intact image",
        f"- **Seed**: {plan.seed}",
        f"- **Decision rule**: {plan.decision}",
    ]
    if plan.power is not None:
        found = plan.power
        lines.append(
            f"- **Power**: {found.power:.3f} (Monte-Carlo standard error {found.standard_error:.3f}) for thresholds that "
            f"differ by {found.effect_log10:g} decimal log units, {found.n_per_group} participants in each group, rule "
            f"{found.rule}, {found.n_experiments} simulated experiments"
        )
    lines += [f"- **Software**: RapidVision {plan.rapidvision}", f"- **SHA-256 of the plan**: `{plan.sha256}`", ""]
    return "\n".join(lines)
