"""Optional packages, asked for in the reader's words when they are missing."""

import importlib
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
}


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
    except ImportError as error:
        top = package.partition(".")[0]
        missing = isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == top
        message = f'{purpose} needs {NAMES.get(top, top)}: pip install "rapidvision[{extra}]"'
        raise MissingExtra(message if missing else f"{message} (it is here, but: {error})") from error
