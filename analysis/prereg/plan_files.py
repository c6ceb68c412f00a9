"""A preregistration on disk: ``prereg.toml`` with its hash, and the same as a page."""

from pathlib import Path

from rapidvision import recipes
from rapidvision.errors import InputError
from rapidvision.system import files

from ..specifications.choices import rules_of
from .plan import TEXT, TOML, Preregistration
from .sheet import sheet


def write_preregistration(plan: Preregistration, folder: Path | str) -> tuple[Path, Path]:
    """Write ``prereg.toml`` and ``prereg.md``.

    Raises
    ------
    InputError
        When another plan is in the folder: a plan that was registered is never replaced.
    """
    paths = (Path(folder) / TOML, Path(folder) / TEXT)
    if paths[0].exists() and read_preregistration(paths[0]) != plan:
        raise InputError(f"{paths[0]}: holds another plan, which is not replaced; choose another folder")
    recipes.write(paths[0], plan)
    files.write_text(paths[1], sheet(plan))
    return paths


def read_preregistration(path: Path | str) -> Preregistration:
    """Read a plan and check its hash.

    Parameters
    ----------
    path : path-like
        ``prereg.toml`` or its folder.

    Returns
    -------
    Preregistration
        As it was written.

    Raises
    ------
    InputError
        When the file is missing, a key does not fit, or it was changed after it was written.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = rv.analysis.preregister(["a", "b"], n={"a": 20, "b": 20}, seed=1, out=folder)
    ...     rv.analysis.read_preregistration(folder).n
    {'a': 20, 'b': 20}
    """
    path = Path(path)
    path = path / TOML if path.is_dir() else path
    plan = recipes.read(path, Preregistration)
    rules_of(plan.exclusion)
    if plan.digest() != plan.sha256:
        raise InputError(
            f"{path}: changed after it was written (its hash is {plan.digest()[:12]}…, sha256 says {plan.sha256[:12]}…); "
            "use the file as it was registered"
        )
    return plan
