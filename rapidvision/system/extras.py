"""Optional packages, asked for in the reader's words when they are missing."""

import importlib
import sys
from types import ModuleType

from rapidvision.errors import MissingExtra

NAMES = {
    "psychopy": "PsychoPy",
    "torch": "PyTorch",
    "numba": "Numba",
    "starlette": "Starlette",
    "sqlalchemy": "SQLAlchemy",
    "av": "PyAV",
    "distributed": "dask.distributed",
    "pyddm": "PyDDM",
}
#: Packages that an extra brings to some versions of Python only, and the newest of those; as in pyproject.toml.
NEWEST_PYTHON = {"psychopy": (3, 12), "psychtoolbox": (3, 12)}


def remedy(package: str, *, extra: str, python: tuple[int, int] | None = None) -> str:
    """Return what to do on this computer to get an optional package.

    Parameters
    ----------
    package : str
        Import name, without submodules.
    extra : str
        The extra of RapidVision that brings it.
    python : tuple of two int, optional
        Version of Python; of this one by default.

    Returns
    -------
    str
        A command, or what has to come before it.

    Examples
    --------
    >>> remedy("torch", extra="models")
    'pip install "rapidvision[models]"'
    >>> remedy("psychopy", extra="lab", python=(3, 13))
    'it needs Python 3.12 or older, and this is 3.13: make an environment with Python 3.12 and run pip install "rapidvision[lab]" there'
    """
    version = sys.version_info[:2] if python is None else python
    command = f'pip install "rapidvision[{extra}]"'
    newest = NEWEST_PYTHON.get(package)
    if newest is None or version <= newest:
        return command
    wanted = f"{newest[0]}.{newest[1]}"
    return (
        f"it needs Python {wanted} or older, and this is {version[0]}.{version[1]}: "
        f"make an environment with Python {wanted} and run {command} there"
    )


def need(package: str, *, extra: str, purpose: str = "this") -> ModuleType:
    """Import an optional package, or say how to install it.

    Parameters
    ----------
    package : str
        Import name, with dots where a submodule is meant.
    extra : str
        The extra of RapidVision that brings it.
    purpose : str, default "this"
        What needs it, as the subject of the sentence.

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    MissingExtra
        When the package is absent or cannot be imported; the cause is kept.

    Examples
    --------
    >>> need("json", extra="none").__name__
    'json'
    >>> need("no_such_package", extra="lab", purpose="a lab session")
    Traceback (most recent call last):
        ...
    rapidvision.errors.MissingExtra: a lab session needs no_such_package: pip install "rapidvision[lab]"
    """
    try:
        return importlib.import_module(package)
    except MissingExtra:
        raise
    except Exception as error:  # of a package beside the wrong version of another, or without a system library
        top = package.partition(".")[0]
        needs = f"{purpose} needs {NAMES.get(top, top)}"
        if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == top:
            raise MissingExtra(f"{needs}: {remedy(top, extra=extra)}") from error
        raise MissingExtra(
            f"{needs}, which is installed and does not load ({type(error).__name__}: {error}); install it again in a "
            f'new environment: pip install "rapidvision[{extra}]"'
        ) from error
