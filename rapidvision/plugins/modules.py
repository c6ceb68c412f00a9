"""Plug-in modules that are imported by name, in this process and in those that it starts."""

import importlib
import sys
from collections.abc import Iterable
from pathlib import Path

from rapidvision.errors import InputError

#: Plug-in modules that were imported by name, in order.
_imported: list[str] = []


def import_plugins(modules: Iterable[str], *, folder: Path | str | None = None) -> None:
    """Import plug-in modules, so that their decorators register what they define.

    Parameters
    ----------
    modules : iterable of str
        Names as in an import statement.
    folder : path-like, optional
        Where modules are looked for besides the Python path and the current folder.

    Raises
    ------
    InputError
        When a module is not found, or raises an error while it is imported.
    """
    for module in modules:
        if module in _imported:
            continue
        for place in (Path.cwd(), *([Path(folder).resolve()] if folder is not None else [])):
            if str(place) not in sys.path:
                sys.path.append(str(place))
        importlib.invalidate_caches()
        try:
            importlib.import_module(module)
        except InputError:
            raise
        except ModuleNotFoundError as error:
            if error.name not in (module, module.partition(".")[0]):
                raise InputError(f'plug-in module "{module}": needs {error.name}, which is not installed') from error
            raise InputError(
                f'plug-in module "{module}": not found on the Python path, in {Path.cwd()}'
                f"{'' if folder is None else f' or in {folder}'}; name it as an import statement does, without .py"
            ) from error
        except Exception as error:  # a plug-in may raise anything when it is imported
            raise InputError(f'plug-in module "{module}": {type(error).__name__}: {error}') from error
        _imported.append(module)


def imported_plugins() -> tuple[str, ...]:
    """Return the modules that other processes must import to know the same plug-ins."""
    return tuple(_imported)
