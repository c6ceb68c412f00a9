"""Other programs that build networks, imported with a word on what to do where that fails."""

import importlib
from typing import Any

from rapidvision.errors import InputError


def program(package: str, *, purpose: str) -> Any:
    """Import a package that the user installs.

    Raises
    ------
    InputError
        When it is not installed, or cannot be imported: torchvision must be built for the installed torch.

    Examples
    --------
    >>> program("torch", purpose="a network").__name__
    'torch'
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        missing = error.name.split(".")[0] if error.name else package
        raise InputError(f"{purpose}: needs {package} ({missing} is not installed): pip install {missing}") from error
    except RuntimeError as error:
        raise InputError(
            f"{purpose}: {package} cannot be imported ({str(error).splitlines()[0]}); torch and torchvision must be of one "
            "release and one kind (CPU or CUDA): install both from the same index"
        ) from error
