"""Packages that are imported at first use, so that a session begins sooner.

PsychoPy imports pandas, SciPy, Matplotlib and others for tables, calibrations and forms that no session here has. They
take longer to import than all the rest.
"""

import importlib
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

#: What PsychoPy's window imports and uses nowhere in a session; still there for other code that does use it.
UNUSED_BY_SESSIONS = frozenset({"json_tricks", "numpy.f2py", "pandas", "requests", "scipy", "scipy.interpolate"})
#: What it looks into at once, and does without where it is not installed.
OPTIONAL_FOR_PSYCHOPY = frozenset({"matplotlib", "openpyxl"})


class _Later(ModuleType):
    """Stands for a module until something of it is used."""

    def __init__(self, name: str, finder: "_Finder") -> None:
        super().__init__(name)
        self._finder, self.made = finder, False

    def __getattr__(self, name: str) -> Any:
        # Every import asks for names like these; `__path__`, once the module is made, means that a part is wanted.
        if name.startswith("__") and not (name == "__path__" and self.made):
            raise AttributeError(name)
        self._finder.later.discard(self.__name__)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        real = importlib.import_module(self.__name__)
        self.__dict__.update(real.__dict__)
        return getattr(real, name)


class _Finder(MetaPathFinder, Loader):
    def __init__(self, later: set[str], never: Collection[str]) -> None:
        self.later, self._never = later, never

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in self._never:
            raise ModuleNotFoundError(f"{fullname}: left out", name=fullname)
        return ModuleSpec(fullname, self) if fullname in self.later else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Later(spec.name, self)

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["made"] = True


@contextmanager
def imported_later(later: Collection[str], *, never: Collection[str] = ()) -> Iterator[None]:
    """Within this context, imports of some modules cost nothing until something of them is used.

    Parameters
    ----------
    later : collection of str
        Modules to import at first use.
    never : collection of str
        Modules whose import fails as if they were not installed, for packages that do without them.

    Examples
    --------
    >>> with imported_later({"wave"}):
    ...     import wave
    >>> "_Later" in repr(type(wave)), wave.Error.__name__
    (True, 'Error')
    """
    finder = _Finder({name for name in later if name not in sys.modules}, never)
    known = {name: sys.modules.pop(name) for name in never if name in sys.modules}
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        sys.modules.update(known)
